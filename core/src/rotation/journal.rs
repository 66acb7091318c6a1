//! The journal: what the machine must not forget. `MESSAGES.md` beside this file has the byte
//! table.
//!
//! Canonical, checked, at most [`MAX_JOURNAL`] bytes. It holds no password and no record; it names
//! the records that the driver keeps beside it. Where the rotation stands is a [`Phase`], which
//! owns what belongs to that phase alone.

use sha2::{Digest as _, Sha256};

use super::RotationError;
use super::event::{Outcome, Reason};
use super::message::AuditHead;
use super::message::{read_audit, read_outcome, read_sid, write_audit, write_outcome, write_sid};
use super::set::{ByAge, IdSet, MAX_IDS, MayHold};
use super::wait::{Cause, Kind, Wait};

use crate::account::Sid;
use crate::codec::{Buffer, Input, Output};
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};

/// The longest journal, in bytes.
pub const MAX_JOURNAL: usize = 1280;

const MAGIC: &[u8; 4] = b"LPjn";
const FORMAT: u8 = 1;
const CHECK: usize = 32;

/// Where a rotation stands, as far as it outlives the agent.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Phase {
    /// No rotation is under way.
    Settled(Settled),
    /// The record may be with the vault; the account was not changed to it.
    BackingUp(Attempt),
    /// The account may have been changed to the record.
    Applying(Attempt),
    /// The account holds the record.
    Committing {
        attempt: Attempt,
        /// Whether it was asked.
        verified: bool,
    },
}

/// Between two rotations.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Settled {
    /// The record made last on this device for this account, applied or not: the predecessor of
    /// the next.
    pub(super) last_made: Option<RecordId>,
    /// The account's change stamp as this machine left it, or has seen it since.
    pub(super) change_stamp: Option<[u8; 32]>,
}

/// A record that a rotation made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Attempt {
    pub(super) id: RecordId,
    pub(super) version: u64,
    pub(super) cause: Cause,
    /// [`Config::demand`](super::Config::demand) when it was made.
    pub(super) demand: [u8; 8],
    /// The account's change stamp before it was applied; in [`Phase::Committing`], after.
    pub(super) change_stamp: Option<[u8; 32]>,
}

/// Reasons for a rotation that outlive the agent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a reason of its own")]
pub(super) struct Reasons {
    pub(super) forced: bool,
    pub(super) ordered: bool,
    pub(super) account_changed: bool,
    pub(super) journal_lost: bool,
    pub(super) rolled_back: bool,
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

/// What the account may hold now, the oldest first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Held {
    pub(super) ids: ByAge<MAX_IDS>,
    pub(super) unknown: bool,
}

impl Held {
    pub(super) const UNKNOWN: Self = Self { ids: ByAge::EMPTY, unknown: true };

    pub(super) fn exactly(id: RecordId) -> Self {
        let mut ids = ByAge::EMPTY;
        ids.push_out(id);
        Self { ids, unknown: false }
    }

    pub(super) fn may_hold(&self) -> MayHold {
        MayHold::new(self.ids.set(), self.unknown)
    }

    /// The one record that the account holds for certain.
    pub(super) fn only(&self) -> Option<RecordId> {
        match self.ids.as_slice() {
            [id] if !self.unknown => Some(*id),
            _ => None,
        }
    }
}

/// Records that are not on the account, the oldest first. When a ninth comes the oldest is
/// forgotten: the vault keeps it as a candidate at worst, until the next commit.
pub(super) type RuledOut = ByAge<8>;

/// How the vault's audit log compares with what this device remembers of it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "as it was, another, or an older copy: there is no fourth"
)]
pub enum AuditFinding {
    /// It goes on from there, or nothing is remembered.
    #[default]
    None,
    /// It is another log.
    Mismatch,
    /// The vault was restored from a copy that is older than what this device remembers, and its
    /// log says so.
    Restored,
}

impl AuditFinding {
    /// In a word: `none`, `mismatch`, `restored`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mismatch => "mismatch",
            Self::Restored => "restored",
        }
    }
}

/// Everything that outlives the agent, but the [`Phase`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Journal {
    pub(super) identity: [u8; 16],
    pub(super) account: AccountName,
    pub(super) sid: Option<Sid>,
    /// The highest version that is known, here or at the vault.
    pub(super) highest: u64,
    /// The version of the last record committed.
    pub(super) committed: u64,
    pub(super) held: Held,
    /// Records that the account was seen not to hold.
    pub(super) ruled_out: RuledOut,
    /// Records that somebody says it does not hold.
    pub(super) ruled_out_on_word: RuledOut,
    pub(super) due: Option<Timestamp>,
    pub(super) committed_at: Option<Timestamp>,
    /// The clock when the journal was written.
    pub(super) seen: Timestamp,
    /// Uses until then were of an earlier password.
    pub(super) covered: Timestamp,
    pub(super) last: Option<Outcome>,
    pub(super) audit: Option<AuditHead>,
    pub(super) audit_finding: AuditFinding,
    pub(super) reasons: Reasons,
    /// Whether the account was missing at the latest look.
    pub(super) missing: bool,
    /// Whether the last committed password was made on the vault's word.
    pub(super) on_word: bool,
    /// The rotations of each [`Kind`].
    pub(super) waits: [Wait; Kind::COUNT],
    pub(super) failures: u8,
    pub(super) not_before: Option<Timestamp>,
    /// A digest of the readers for whom the vault refused a record as unreadable.
    pub(super) refused_readers: Option<[u8; 8]>,
    pub(super) used: Option<Use>,
    pub(super) following: Option<Following>,
    /// [`Config::demand`](super::Config::demand) of the last commit.
    pub(super) demand: [u8; 8],
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
            highest: 0,
            committed: 0,
            held: Held::UNKNOWN,
            ruled_out: RuledOut::EMPTY,
            ruled_out_on_word: RuledOut::EMPTY,
            due: None,
            committed_at: None,
            seen: now,
            covered: Timestamp::default(),
            last: None,
            audit: None,
            audit_finding: AuditFinding::None,
            reasons: Reasons::default(),
            missing: false,
            on_word: false,
            waits: [Wait::default(); Kind::COUNT],
            failures: 0,
            not_before: None,
            refused_readers: None,
            used: None,
            following: None,
            demand: [0; 8],
        }
    }

    /// Forgets what is about one account, and begins with another. The device's own memory of the
    /// audit log stays.
    pub(super) fn turn_to(&mut self, account: AccountName, sid: Option<Sid>) {
        *self = Self {
            identity: self.identity,
            account,
            sid,
            highest: 0,
            committed: 0,
            held: Held::UNKNOWN,
            ruled_out: RuledOut::EMPTY,
            ruled_out_on_word: RuledOut::EMPTY,
            due: None,
            committed_at: None,
            seen: self.seen,
            covered: Timestamp::default(),
            last: None,
            audit: self.audit,
            audit_finding: self.audit_finding,
            reasons: Reasons { account_changed: true, ..Reasons::default() },
            missing: false,
            on_word: false,
            waits: [Wait::default(); Kind::COUNT],
            failures: 0,
            not_before: None,
            refused_readers: None,
            used: None,
            following: None,
            demand: [0; 8],
        };
    }

    /// The records that the driver keeps beside the journal.
    pub(super) fn retained(&self, phase: &Phase) -> IdSet {
        let mut keep = self.held.ids.set();
        if let Phase::BackingUp(attempt) = phase {
            // Room is certain: no record is made while the may-hold set is full.
            let _ = keep.insert(attempt.id);
        }
        keep
    }

    pub(super) fn encode(&self, phase: &Phase, out: &mut [u8]) -> Result<usize, RotationError> {
        let mut w = Output::into(out);
        w.bytes(MAGIC);
        w.u8(FORMAT);
        w.bytes(&self.identity);
        w.text(&self.account);
        w.optional(self.sid, write_sid);
        write_phase(&mut w, phase);
        w.u64(self.highest);
        w.u64(self.committed);
        w.u8(u8::from(self.held.unknown));
        write_list(&mut w, &self.held.ids);
        write_list(&mut w, &self.ruled_out);
        write_list(&mut w, &self.ruled_out_on_word);
        w.optional(self.due, Output::time);
        w.optional(self.committed_at, Output::time);
        w.time(self.seen);
        w.time(self.covered);
        w.optional(self.last, write_outcome);
        w.optional(self.audit, write_audit);
        w.u8(match self.audit_finding {
            AuditFinding::None => 0,
            AuditFinding::Mismatch => 1,
            AuditFinding::Restored => 2,
        });
        w.u8(self.flags());
        for wait in self.waits {
            w.u8(wait.count);
            w.time(wait.since);
        }
        w.u8(self.failures);
        w.optional(self.not_before, Output::time);
        w.optional(self.refused_readers, |w, readers| w.bytes(&readers));
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
        let check = Sha256::digest(w.written());
        w.bytes(&check);
        w.finish().ok_or(RotationError::BufferTooSmall)
    }

    const fn flags(&self) -> u8 {
        let Reasons { forced, ordered, account_changed, journal_lost, rolled_back } = self.reasons;
        (forced as u8)
            | ((ordered as u8) << 1)
            | ((account_changed as u8) << 2)
            | ((journal_lost as u8) << 3)
            | ((rolled_back as u8) << 4)
            | ((self.missing as u8) << 5)
            | ((self.on_word as u8) << 6)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, Phase), RotationError> {
        const BAD: RotationError = RotationError::JournalMalformed;
        // The check comes first, whatever the version: a damaged journal must not pass for that of
        // a later version.
        let body = bytes.len().checked_sub(CHECK).ok_or(BAD)?;
        let (body, check) = bytes.split_at_checked(body).ok_or(BAD)?;
        if bytes.len() > MAX_JOURNAL || Sha256::digest(body).as_slice() != check {
            return Err(BAD);
        }
        let mut r = Input::new(body);
        if r.array() != Some(*MAGIC) {
            return Err(BAD);
        }
        if r.u8().ok_or(BAD)? != FORMAT {
            return Err(RotationError::JournalUnsupported);
        }
        let (journal, phase) = Self::read(&mut r).ok_or(BAD)?;
        r.end().ok_or(BAD)?;
        journal.is_consistent(&phase).then_some((journal, phase)).ok_or(BAD)
    }

    fn read(r: &mut Input<'_>) -> Option<(Self, Phase)> {
        let identity = r.array()?;
        let account = r.text()?;
        let sid = r.optional(read_sid)?;
        let phase = read_phase(r)?;
        let (highest, committed) = (r.u64()?, r.u64()?);
        let unknown = r.flag()?;
        let held = Held { ids: read_list(r)?, unknown };
        let (ruled_out, ruled_out_on_word) = (read_list(r)?, read_list(r)?);
        let (due, committed_at) = (r.optional(Input::time)?, r.optional(Input::time)?);
        let (seen, covered) = (r.time()?, r.time()?);
        let (last, audit) = (r.optional(read_outcome)?, r.optional(read_audit)?);
        let audit_finding = match r.u8()? {
            0 => AuditFinding::None,
            1 => AuditFinding::Mismatch,
            2 => AuditFinding::Restored,
            _ => return None,
        };
        let flags = r.u8().filter(|flags| flags >> 7 == 0)?;
        let flag = |bit: u8| flags >> bit & 1 == 1;
        let mut waits = [Wait::default(); Kind::COUNT];
        for wait in &mut waits {
            *wait = Wait { count: r.u8()?, since: r.time()? };
        }
        let journal = Self {
            identity,
            account,
            sid,
            highest,
            committed,
            held,
            ruled_out,
            ruled_out_on_word,
            due,
            committed_at,
            seen,
            covered,
            last,
            audit,
            audit_finding,
            reasons: Reasons {
                forced: flag(0),
                ordered: flag(1),
                account_changed: flag(2),
                journal_lost: flag(3),
                rolled_back: flag(4),
            },
            missing: flag(5),
            on_word: flag(6),
            waits,
            failures: r.u8()?,
            not_before: r.optional(Input::time)?,
            refused_readers: r.optional(Input::array)?,
            used: r.optional(|r| {
                Some(Use { deadline: r.time()?, latest: r.time()?, tries: r.u8()? })
            })?,
            following: r.optional(|r| {
                let (actions, at) = (r.u8()?, r.time()?);
                (1..32).contains(&actions).then_some(Following { actions, at })
            })?,
            demand: r.array()?,
        };
        Some((journal, phase))
    }

    /// What holds between the fields of every journal that the machine writes.
    fn is_consistent(&self, phase: &Phase) -> bool {
        let held = |id| self.held.ids.contains(id);
        let fits = |attempt: &Attempt| {
            (self.committed..=self.highest).contains(&attempt.version) && attempt.version > 0
        };
        let phase = match phase {
            Phase::Settled(_) => true,
            Phase::BackingUp(attempt) => {
                !held(attempt.id) && !self.held.ids.is_full() && fits(attempt)
            }
            Phase::Applying(attempt) | Phase::Committing { attempt, .. } => {
                held(attempt.id) && fits(attempt)
            }
        };
        let mut ruled_out = self.ruled_out.as_slice().iter();
        let mut on_word = self.ruled_out_on_word.as_slice().iter();
        phase
            && !self.account.is_empty()
            && (self.held.unknown || !self.held.ids.is_empty())
            && !ruled_out.any(|id| held(*id) || self.ruled_out_on_word.contains(*id))
            && !on_word.any(|id| held(*id))
            && self.committed <= self.highest
    }
}

fn write_phase(w: &mut Output<Buffer<'_>>, phase: &Phase) {
    let (number, attempt) = match phase {
        Phase::Settled(settled) => {
            w.u8(0);
            w.optional(settled.last_made, Output::id);
            w.optional(settled.change_stamp, |w, change_stamp| w.bytes(&change_stamp));
            return;
        }
        Phase::BackingUp(attempt) => (1, attempt),
        Phase::Applying(attempt) => (2, attempt),
        Phase::Committing { attempt, verified: false } => (3, attempt),
        Phase::Committing { attempt, verified: true } => (4, attempt),
    };
    w.u8(number);
    w.id(attempt.id);
    w.u64(attempt.version);
    w.u8(attempt.cause.reason.as_u8());
    w.u8(attempt.cause.kind.map_or(0, Kind::as_u8));
    w.bytes(&attempt.demand);
    w.optional(attempt.change_stamp, |w, change_stamp| w.bytes(&change_stamp));
}

fn read_phase(r: &mut Input<'_>) -> Option<Phase> {
    let number = r.u8()?;
    if number == 0 {
        let (last_made, change_stamp) = (r.optional(Input::id)?, r.optional(Input::array)?);
        return Some(Phase::Settled(Settled { last_made, change_stamp }));
    }
    let (id, version) = (r.id()?, r.u64()?);
    let reason = Reason::from_u8(r.u8()?)?;
    let kind = match r.u8()? {
        0 => None,
        number => Some(Kind::from_u8(number)?),
    };
    let (demand, change_stamp) = (r.array()?, r.optional(Input::array)?);
    let attempt = Attempt { id, version, cause: Cause { reason, kind }, demand, change_stamp };
    match number {
        1 => Some(Phase::BackingUp(attempt)),
        2 => Some(Phase::Applying(attempt)),
        3 => Some(Phase::Committing { attempt, verified: false }),
        4 => Some(Phase::Committing { attempt, verified: true }),
        _ => None,
    }
}

fn write_list<const N: usize>(w: &mut Output<Buffer<'_>>, ids: &ByAge<N>) {
    w.u8(u8::try_from(ids.len()).unwrap_or(u8::MAX));
    for id in ids.as_slice() {
        w.id(*id);
    }
}

fn read_list<const N: usize>(r: &mut Input<'_>) -> Option<ByAge<N>> {
    let mut ids = ByAge::EMPTY;
    let count = usize::from(r.u8()?);
    for _ in 0..count {
        ids.push(r.id()?).ok()?;
    }
    // One that comes twice is in the list once.
    (ids.len() == count).then_some(ids)
}

const _: () = assert!(
    5 + 16
        + 258
        + 69
        + 68
        + 16
        + 258
        + 2 * 129
        + 9
        + 9
        + 8
        + 8
        + 12
        + 41
        + 2
        + Kind::COUNT * 9
        + 1
        + 9
        + 9
        + 18
        + 10
        + 8
        + CHECK
        <= MAX_JOURNAL,
    "the longest journal fits"
);
