//! What was said between device and vault in this run.

use super::message::AuditHead;
use super::set::{IdSet, ReaderIds};
use crate::identity::{RecordId, Timestamp};

/// What this run heard from the vault and wants to say to it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Talk {
    pub(super) token: Option<[u8; 16]>,
    /// Whether the vault answered in this run.
    pub(super) heard: bool,
    /// Whether the account was looked up for the next check-in.
    pub(super) looked: bool,
    /// Whether the account was looked up in this run, or a password set on it.
    pub(super) seen: bool,
    /// A rotation ended without a commit, and the vault does not know.
    pub(super) report: bool,
    /// Whether the vault knows what the account may hold that is no longer the managed one.
    pub(super) told: bool,
    pub(super) sent: Option<Sent>,
    /// What the vault lacks and this device offers.
    pub(super) lacking: IdSet,
    /// What the vault lacked at its last answer; it has all others.
    pub(super) unheld: IdSet,
    pub(super) candidates: u32,
    /// Whether the vault had more than one candidate when no rotation was under way.
    pub(super) crowded: bool,
    /// Answers in a row after which another check-in was needed, since the last step forward: a
    /// record stored, a password set, a commit, another account.
    pub(super) spins: u8,
    /// Check-ins in a row without an answer.
    pub(super) silent: u8,
    /// The next scheduled check-in, which begins a run.
    pub(super) check_in_at: Timestamp,
    /// A check-in before that, which begins none.
    pub(super) ask_at: Option<Timestamp>,
    /// Before when not to check in at all.
    pub(super) check_in_not_before: Timestamp,
    /// When the vault's next order is given.
    pub(super) order_at: Option<Timestamp>,
    /// Readers whom the vault says that it removed.
    pub(super) removed_readers: ReaderIds,
    /// The vault's log at its last answer.
    pub(super) log: Option<AuditHead>,
    /// The vault's log is taken as it is, at its next answer.
    pub(super) acknowledges: bool,
}

impl Talk {
    pub(super) const NEW: Self = Self {
        token: None,
        heard: false,
        looked: false,
        seen: false,
        report: false,
        told: false,
        sent: None,
        lacking: IdSet::EMPTY,
        unheld: IdSet::EMPTY,
        candidates: 0,
        crowded: false,
        spins: 0,
        silent: 0,
        check_in_at: Timestamp::from_unix_seconds(0),
        ask_at: None,
        check_in_not_before: Timestamp::from_unix_seconds(0),
        order_at: None,
        removed_readers: ReaderIds::EMPTY,
        log: None,
        acknowledges: false,
    };
}

/// The check-in whose answer would be accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Sent {
    pub(super) nonce: [u8; 16],
    pub(super) offers: IdSet,
    pub(super) commit: Option<Proposal>,
    pub(super) token: Option<[u8; 16]>,
    /// Whether its answer begins a run.
    pub(super) scheduled: bool,
    pub(super) audit: Option<AuditHead>,
}

/// What holds once the vault has acknowledged the commit that a check-in carries. The vault learns
/// it with the commit, so that it need not wait for another check-in to say until when the new
/// password is good.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Proposal {
    pub(super) id: RecordId,
    pub(super) due: Timestamp,
    pub(super) at: Timestamp,
}
