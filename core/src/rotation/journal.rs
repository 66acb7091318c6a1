//! The journal: what the machine must not forget.
//!
//! It holds no password and no record; it names the records that the driver keeps beside it. Where
//! the rotation stands is a [`Phase`], which owns what belongs to that phase alone.

mod encoding;

use sha2::{Digest as _, Sha256};

use super::event::Outcome;
use super::message::AuditHead;
use super::set::{ByAge, IdSet, MAX_IDS, MayHold};
use super::wait::{Cause, Wait, WaitKind};

use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};

/// The longest journal, in bytes.
pub const MAX_JOURNAL: usize = 1280;

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
pub(super) struct HeldIds {
    pub(super) ids: ByAge<MAX_IDS>,
    pub(super) unknown: bool,
}

impl HeldIds {
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
pub(super) type RuledOutIds = ByAge<8>;

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
    pub(super) held: HeldIds,
    /// Records that the account was seen not to hold.
    pub(super) ruled_out: RuledOutIds,
    /// Records that somebody says it does not hold.
    pub(super) ruled_out_on_word: RuledOutIds,
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
    /// The rotations of each [`WaitKind`].
    pub(super) waits: [Wait; WaitKind::COUNT],
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
            held: HeldIds::UNKNOWN,
            ruled_out: RuledOutIds::EMPTY,
            ruled_out_on_word: RuledOutIds::EMPTY,
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
            waits: [Wait::default(); WaitKind::COUNT],
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
            held: HeldIds::UNKNOWN,
            ruled_out: RuledOutIds::EMPTY,
            ruled_out_on_word: RuledOutIds::EMPTY,
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
            waits: [Wait::default(); WaitKind::COUNT],
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
}
