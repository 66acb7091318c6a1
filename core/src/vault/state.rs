//! What the vault keeps about one device, apart from the sealed bytes themselves.

use alloc::vec::Vec;

use crate::account::Sid;
use crate::identity::{AccountName, RecordId, Timestamp};
use crate::rotation::event::{Level, Outcome};
use crate::rotation::message::AuditHead;
use crate::rotation::set::MayHold;

use super::view::DeviceStatus;

/// A stored record as the rules see it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Held {
    /// The record.
    pub id: RecordId,
    /// Its version.
    pub version: u64,
    /// Where the store keeps its bytes.
    pub row: u64,
    /// When the vault received it.
    pub stored_at: Timestamp,
    /// The first 16 bytes of SHA-256 over its bytes: finds damage before it is handed out.
    pub digest: [u8; 16],
    /// The number of its set of readers in the scope.
    pub readers: u32,
    /// Whether it came in sealed to a reader that had been removed (protocol §4.3).
    pub late: bool,
}

impl Held {
    /// A record as the rules need it: identity and version; the rest is zero.
    #[must_use]
    pub fn new(id: RecordId, version: u64) -> Self {
        Self {
            id,
            version,
            row: 0,
            stored_at: Timestamp::default(),
            digest: [0; 16],
            readers: 0,
            late: false,
        }
    }
}

/// A record in history.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Past {
    /// The record.
    pub held: Held,
    /// When it was displaced or ruled out.
    pub displaced_at: Timestamp,
    /// 1: the last unverified commit displaced it; 2: the one before that; 0: neither (protocol §3.4).
    pub unverified: u8,
    /// Whether the device said that it was never applied.
    pub ruled_out: bool,
}

impl Past {
    /// A record that was displaced by a verified commit.
    #[must_use]
    pub const fn new(held: Held, displaced_at: Timestamp) -> Self {
        Self { held, displaced_at, unverified: 0, ruled_out: false }
    }
}

/// An open order to rotate (protocol §3.6).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Order {
    /// The audit entry that ordered it. For the audit only.
    pub request: u64,
    /// The records to be replaced.
    pub ids: Vec<RecordId>,
    /// The highest version among them: a commit above it fulfils the order.
    pub above: u64,
    /// From when on it is given to the device.
    pub not_before: Timestamp,
}

/// How much history a vault keeps for each device.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct HistorySetting {
    /// So many displaced records, at least 1. The default is 3.
    pub count: u16,
    /// Beyond that, all that were displaced within so many days; none: no such rule.
    pub days: Option<u16>,
}

impl HistorySetting {
    /// By count alone; 0 becomes 1.
    #[must_use]
    pub const fn count(count: u16) -> Self {
        Self { count: if count == 0 { 1 } else { count }, days: None }
    }

    /// Also everything that was displaced within so many days.
    #[must_use]
    pub const fn with_days(mut self, days: u16) -> Self {
        self.days = Some(days);
        self
    }
}

impl Default for HistorySetting {
    fn default() -> Self {
        Self::count(3)
    }
}

/// The part that the protocol's rules work on: which records, in which order, under which token.
///
/// It compares and hashes as a value, so that a model can explore it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Candidates {
    /// The token of the last answer; none before the first.
    pub token: Option<[u8; 16]>,
    /// The record of the last commit.
    pub current: Option<Held>,
    /// Records that the device may have applied since, by version, then by id.
    pub pending: Vec<Held>,
    /// Displaced records, the latest first; the ruled-out ones behind them.
    pub history: Vec<Past>,
    /// The highest version that was ever stored.
    pub highest_version: u64,
    /// Open orders, the oldest first.
    pub orders: Vec<Order>,
}

impl Candidates {
    /// How many records the device may hold, as the vault sees it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len().saturating_add(usize::from(self.current.is_some()))
    }

    /// Whether nothing was ever stored, or all was removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A stored record, to be changed.
    pub(super) fn find_mut(&mut self, id: RecordId) -> Option<&mut Held> {
        let history = self.history.iter_mut().map(|past| &mut past.held);
        self.current.iter_mut().chain(&mut self.pending).chain(history).find(|held| held.id == id)
    }

    /// Current first, then pending.
    pub fn iter(&self) -> impl Iterator<Item = &Held> + '_ {
        self.current.iter().chain(&self.pending)
    }

    /// Whether the vault counts this record among what the device may hold.
    #[must_use]
    pub fn contains(&self, id: RecordId) -> bool {
        self.iter().any(|held| held.id == id)
    }

    /// A stored record, from the history too.
    #[must_use]
    pub fn find(&self, id: RecordId) -> Option<&Held> {
        self.iter().chain(self.history.iter().map(|past| &past.held)).find(|held| held.id == id)
    }
}

/// What a device said about itself, for lists and work queues. No rule of the protocol depends on it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct About {
    /// The managed account.
    pub account: AccountName,
    /// Its SID.
    pub sid: Option<Sid>,
    /// What the account may hold, as last reported.
    pub may_hold: MayHold,
    /// When the next rotation is due.
    pub due: Option<Timestamp>,
    /// How the last rotation or try ended.
    pub outcome: Option<Outcome>,
    /// A head of the trail that the device remembers and that is not ours; already in the trail.
    pub foreign_head: Option<AuditHead>,
    /// When it was first seen.
    pub enrolled: Timestamp,
    /// When it was last seen, to the hour.
    pub last_seen: Timestamp,
    /// When an administrator took it out of service.
    pub retired: Option<Timestamp>,
}

impl About {
    /// A device that is seen for the first time.
    #[must_use]
    pub const fn new(account: AccountName, now: Timestamp) -> Self {
        Self {
            account,
            sid: None,
            may_hold: MayHold::UNKNOWN,
            due: None,
            outcome: None,
            foreign_head: None,
            enrolled: now,
            last_seen: now,
            retired: None,
        }
    }
}

/// Everything that the vault keeps about one device, apart from the sealed bytes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Device {
    /// What the rules work on.
    pub candidates: Candidates,
    /// What the device said.
    pub about: About,
}

impl Device {
    /// From its parts.
    #[must_use]
    pub const fn new(candidates: Candidates, about: About) -> Self {
        Self { candidates, about }
    }

    /// How it stands, the gravest first.
    #[must_use]
    pub fn status(&self) -> DeviceStatus {
        let about = &self.about;
        if about.retired.is_some() {
            DeviceStatus::Retired
        } else if self.candidates.current.is_some() && about.may_hold.is_uncertain() {
            DeviceStatus::Uncertain
        } else if about.outcome.is_some_and(|outcome| outcome.kind.level() == Level::Error) {
            DeviceStatus::Failed
        } else if self.candidates.current.is_none() || !self.candidates.pending.is_empty() {
            DeviceStatus::Pending
        } else {
            DeviceStatus::Settled
        }
    }

    /// Whether an order to rotate is open. One that waits for a retired device is nobody's work, and not counted.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.about.retired.is_none() && !self.candidates.orders.is_empty()
    }

    /// When its next rotation is due: as it said, or as the first open order says. None when retired.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        if self.about.retired.is_some() {
            return None;
        }
        let ordered = self.candidates.orders.iter().map(|order| order.not_before).min();
        [self.about.due, ordered].into_iter().flatten().min()
    }
}
