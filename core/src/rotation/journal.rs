//! The journal: what the machine must not forget. `MESSAGES.md` beside this file has the byte table.
//!
//! Canonical, checked, at most [`MAX_JOURNAL`] bytes. It holds no password and no record; it names the records that the
//! driver keeps beside it.

use sha2::{Digest as _, Sha256};

use super::RotationError;
use super::event::{Outcome, Reason};
use super::message::AuditHead;
use super::message::{read_audit, read_outcome, read_sid, write_audit, write_outcome, write_sid};
use super::set::{IdSet, MayHold};
use super::wire::{Reader, Writer};
use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};

/// The longest journal, in bytes.
pub const MAX_JOURNAL: usize = 1024;

const MAGIC: &[u8; 4] = b"LPjn";
const FORMAT: u8 = 1;
const CHECK: usize = 32;

/// The steps of a rotation that outlive the agent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Phase {
    /// No rotation is under way.
    Settled,
    /// The last record made may be with the vault; the account was not changed to it.
    BackingUp,
    /// The account may have been changed to the last record made.
    Applying,
    /// The account holds the last record made.
    Committing {
        /// Whether it was asked.
        verified: bool,
    },
}

/// Reasons for a rotation that outlive the agent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Reasons {
    pub(super) forced: bool,
    pub(super) ordered: bool,
    pub(super) account_changed: bool,
    pub(super) journal_lost: bool,
    pub(super) rolled_back: bool,
}

impl Reasons {
    const fn bits(self) -> u8 {
        (self.forced as u8)
            | ((self.ordered as u8) << 1)
            | ((self.account_changed as u8) << 2)
            | ((self.journal_lost as u8) << 3)
            | ((self.rolled_back as u8) << 4)
    }

    const fn from_bits(bits: u8) -> Option<Self> {
        if bits >> 5 != 0 {
            return None;
        }
        Some(Self {
            forced: bits & 1 != 0,
            ordered: bits & 2 != 0,
            account_changed: bits & 4 != 0,
            journal_lost: bits & 8 != 0,
            rolled_back: bits & 16 != 0,
        })
    }
}

/// Records that were never applied, the oldest first. When a ninth comes the oldest is forgotten: the vault keeps it as a
/// candidate at worst, until the next commit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct RuledOut {
    ids: [RecordId; Self::MAX],
    len: u8,
}

impl RuledOut {
    const MAX: usize = 8;
    pub(super) const NONE: Self = Self { ids: [RecordId::from_bytes([0; 16]); Self::MAX], len: 0 };

    fn as_slice(&self) -> &[RecordId] {
        self.ids.get(..usize::from(self.len)).unwrap_or_default()
    }

    pub(super) fn contains(&self, id: RecordId) -> bool {
        self.as_slice().contains(&id)
    }

    pub(super) fn set(&self) -> IdSet {
        IdSet::collect_first(self.as_slice().iter().copied()).0
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, id: RecordId) {
        if self.contains(id) {
            return;
        }
        if usize::from(self.len) == Self::MAX {
            self.ids.rotate_left(1);
        } else {
            self.len = self.len.saturating_add(1);
        }
        if let Some(place) = self.ids.get_mut(usize::from(self.len.saturating_sub(1))) {
            *place = id;
        }
    }
}

/// A use of the account whose reset is scheduled.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Use {
    /// When the actions start: the first use and the delay.
    pub(super) deadline: Timestamp,
    /// The latest use.
    pub(super) latest: Timestamp,
    /// How often the reset failed.
    pub(super) tries: u8,
}

/// Actions that are still to follow a reset.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Following {
    /// One bit for each [`Action`](super::Action), its number less one.
    pub(super) actions: u8,
    /// When the next of them is to be done.
    pub(super) at: Timestamp,
}

/// Everything that outlives the agent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Journal {
    pub(super) identity: [u8; 16],
    pub(super) account: AccountName,
    pub(super) sid: Option<Sid>,
    pub(super) phase: Phase,
    /// The highest version that is known, here or at the vault.
    pub(super) highest: u64,
    /// The version of the last record made.
    pub(super) version: u64,
    /// The version of the last record committed.
    pub(super) committed: u64,
    pub(super) may_hold: MayHold,
    pub(super) last_made: Option<RecordId>,
    pub(super) ruled_out: RuledOut,
    /// The account's change stamp when the last record was made, or before it was applied.
    pub(super) stamp: Option<[u8; 32]>,
    pub(super) due: Option<Timestamp>,
    pub(super) committed_at: Option<Timestamp>,
    /// The clock when the journal was written.
    pub(super) seen: Timestamp,
    /// Uses until then were of an earlier password.
    pub(super) covered: Timestamp,
    pub(super) last: Option<Outcome>,
    pub(super) audit: Option<AuditHead>,
    pub(super) reasons: Reasons,
    /// Why the last record was made.
    pub(super) why: Reason,
    pub(super) failures: u8,
    pub(super) not_before: Option<Timestamp>,
    /// Rotations in a row whose reason was a conflict.
    pub(super) conflicts: u8,
    pub(super) used: Option<Use>,
    pub(super) following: Option<Following>,
    /// [`Config::demand`](super::Config::demand) of the last commit, and of the last record made.
    pub(super) demand: [u8; 8],
    pub(super) made_demand: [u8; 8],
}

/// Names a scope and a device: the first half of SHA-256 over both, each behind its length.
pub(super) fn identity(scope: &Scope, device: &DeviceId) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(b"laps journal v1");
    for text in [scope.as_str(), device.as_str()] {
        hash.update(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.split_first_chunk().map_or([0; 16], |(half, _)| *half)
}

impl Journal {
    /// Nothing is known.
    pub(super) fn new(
        scope: &Scope,
        device: &DeviceId,
        account: AccountName,
        sid: Option<Sid>,
        now: Timestamp,
    ) -> Self {
        Self {
            identity: identity(scope, device),
            account,
            sid,
            phase: Phase::Settled,
            highest: 0,
            version: 0,
            committed: 0,
            may_hold: MayHold::UNKNOWN,
            last_made: None,
            ruled_out: RuledOut::NONE,
            stamp: None,
            due: None,
            committed_at: None,
            seen: now,
            covered: Timestamp::default(),
            last: None,
            audit: None,
            reasons: Reasons::default(),
            why: Reason::None,
            failures: 0,
            not_before: None,
            conflicts: 0,
            used: None,
            following: None,
            demand: [0; 8],
            made_demand: [0; 8],
        }
    }

    /// The records that the driver keeps beside the journal.
    pub(super) fn keep(&self) -> IdSet {
        let mut keep = self.may_hold.ids;
        if let (Phase::BackingUp, Some(id)) = (self.phase, self.last_made) {
            // Room is certain: no record is made while the may-hold set is full.
            let _ = keep.insert(id);
        }
        keep
    }

    pub(super) fn encode(&self, out: &mut [u8]) -> Result<usize, RotationError> {
        let mut w = Writer::new(out);
        w.bytes(MAGIC);
        w.u8(FORMAT);
        w.bytes(&self.identity);
        w.text(&self.account);
        w.optional(self.sid, write_sid);
        w.u8(match self.phase {
            Phase::Settled => 0,
            Phase::BackingUp => 1,
            Phase::Applying => 2,
            Phase::Committing { verified: false } => 3,
            Phase::Committing { verified: true } => 4,
        });
        w.u64(self.highest);
        w.u64(self.version);
        w.u64(self.committed);
        w.u8(u8::from(self.may_hold.unknown));
        w.ids(&self.may_hold.ids);
        w.optional(self.last_made, Writer::id);
        w.u8(self.ruled_out.len);
        for id in self.ruled_out.as_slice() {
            w.id(*id);
        }
        w.optional(self.stamp, |w, stamp| w.bytes(&stamp));
        w.optional(self.due, Writer::time);
        w.optional(self.committed_at, Writer::time);
        w.time(self.seen);
        w.time(self.covered);
        w.optional(self.last, write_outcome);
        w.optional(self.audit, write_audit);
        w.u8(self.reasons.bits());
        w.u8(self.why.as_u8());
        w.u8(self.failures);
        w.optional(self.not_before, Writer::time);
        w.u8(self.conflicts);
        w.optional(self.used, |w, used| {
            w.time(used.deadline);
            w.time(used.latest);
            w.u8(used.tries);
        });
        w.optional(self.following, |w, following| {
            w.u8(following.actions);
            w.time(following.at);
        });
        w.bytes(&self.demand);
        w.bytes(&self.made_demand);
        let check = Sha256::digest(w.written());
        w.bytes(&check);
        w.finish().ok_or(RotationError::BufferTooSmall)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RotationError> {
        const BAD: RotationError = RotationError::JournalMalformed;
        // The check comes first, whatever the version: a damaged journal must not pass for that of a later version.
        let body = bytes.len().checked_sub(CHECK).ok_or(BAD)?;
        let (body, check) = bytes.split_at_checked(body).ok_or(BAD)?;
        if bytes.len() > MAX_JOURNAL || Sha256::digest(body).as_slice() != check {
            return Err(BAD);
        }
        let mut r = Reader::new(body);
        if r.array() != Some(*MAGIC) {
            return Err(BAD);
        }
        if r.u8().ok_or(BAD)? != FORMAT {
            return Err(RotationError::JournalUnsupported);
        }
        let journal = Self::read(&mut r).ok_or(BAD)?;
        r.end().ok_or(BAD)?;
        journal.is_consistent().then_some(journal).ok_or(BAD)
    }

    fn read(r: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            identity: r.array()?,
            account: r.text()?,
            sid: r.optional(read_sid)?,
            phase: match r.u8()? {
                0 => Phase::Settled,
                1 => Phase::BackingUp,
                2 => Phase::Applying,
                3 => Phase::Committing { verified: false },
                4 => Phase::Committing { verified: true },
                _ => return None,
            },
            highest: r.u64()?,
            version: r.u64()?,
            committed: r.u64()?,
            may_hold: {
                let unknown = r.flag()?;
                MayHold::new(r.ids()?, unknown)
            },
            last_made: r.optional(Reader::id)?,
            ruled_out: read_ruled_out(r)?,
            stamp: r.optional(Reader::array)?,
            due: r.optional(Reader::time)?,
            committed_at: r.optional(Reader::time)?,
            seen: r.time()?,
            covered: r.time()?,
            last: r.optional(read_outcome)?,
            audit: r.optional(read_audit)?,
            reasons: Reasons::from_bits(r.u8()?)?,
            why: Reason::from_u8(r.u8()?)?,
            failures: r.u8()?,
            not_before: r.optional(Reader::time)?,
            conflicts: r.u8()?,
            used: r.optional(|r| {
                Some(Use { deadline: r.time()?, latest: r.time()?, tries: r.u8()? })
            })?,
            following: r.optional(|r| {
                let (actions, at) = (r.u8()?, r.time()?);
                (1..32).contains(&actions).then_some(Following { actions, at })
            })?,
            demand: r.array()?,
            made_demand: r.array()?,
        })
    }

    /// What holds between the fields of every journal that the machine writes.
    fn is_consistent(&self) -> bool {
        let held = |id| self.may_hold.ids.contains(id);
        let phase = match (self.phase, self.last_made) {
            (Phase::Settled, _) => true,
            (Phase::BackingUp, Some(id)) => !held(id) && !self.may_hold.ids.is_full(),
            (Phase::Applying | Phase::Committing { .. }, Some(id)) => held(id),
            (_, None) => false,
        };
        phase
            && !self.account.is_empty()
            && (self.may_hold.unknown || !self.may_hold.ids.is_empty())
            && !self.ruled_out.as_slice().iter().any(|id| held(*id))
            && self.version <= self.highest
            && self.committed <= self.version
    }
}

fn read_ruled_out(r: &mut Reader<'_>) -> Option<RuledOut> {
    let mut ruled_out = RuledOut::NONE;
    let count = r.u8()?;
    if usize::from(count) > RuledOut::MAX {
        return None;
    }
    for _ in 0..count {
        let id = r.id()?;
        if ruled_out.contains(id) {
            return None;
        }
        ruled_out.push(id);
    }
    Some(ruled_out)
}

const _: () = assert!(
    5 + 16
        + 258
        + 69
        + 1
        + 24
        + 258
        + 17
        + 129
        + 33
        + 9
        + 9
        + 8
        + 8
        + 12
        + 41
        + 3
        + 9
        + 1
        + 18
        + 10
        + 16
        + CHECK
        <= MAX_JOURNAL,
    "the longest journal fits"
);
