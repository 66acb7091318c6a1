//! What the vault keeps about one device, apart from the sealed bytes themselves: the device, and
//! under it one account after another.

use alloc::vec::Vec;

use crate::account::{Sid, same_name};
use crate::identity::{AccountName, RecordId, Timestamp};
use crate::rotation::event::{Level, Outcome};
use crate::rotation::message::AuditHead;
use crate::rotation::set::{IdSet, MayHold};

use super::readers::{ReaderList, Readers};
use super::status::DeviceStatus;

mod held;

pub use held::{Digest, Held, OpenedStatus, Past, RuledOut, Sealing};

/// An open order to rotate (protocol §3.6).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Order {
    /// The records to be replaced.
    pub ids: Vec<RecordId>,
    /// The highest version among them: a commit above it fulfils the order.
    pub above: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// How many seconds later it is given to the device.
    pub delay: u64,
}

impl Order {
    /// From when on it is given to the device.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.made_at.plus(self.delay)
    }

    /// Whether it is given to the device now. One that is from the future was made under a clock
    /// that was wrong, and waits no longer.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.not_before() <= now || self.made_at > now
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
    /// How many records the account may hold, as the vault sees it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len().saturating_add(usize::from(self.current.is_some()))
    }

    /// Whether nothing was ever stored, or all was removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Current first, then pending.
    pub fn iter(&self) -> impl Iterator<Item = &Held> + '_ {
        self.current.iter().chain(&self.pending)
    }

    /// All of them, history too.
    pub fn all(&self) -> impl Iterator<Item = &Held> + '_ {
        self.iter().chain(self.history.iter().map(|past| &past.held))
    }

    /// All of them, to be changed.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Held> + '_ {
        let history = self.history.iter_mut().map(|past| &mut past.held);
        self.current.iter_mut().chain(&mut self.pending).chain(history)
    }

    /// Whether the vault counts this record among what the account may hold.
    #[must_use]
    pub fn contains(&self, id: RecordId) -> bool {
        self.iter().any(|held| held.id == id)
    }

    /// A stored record, from the history too.
    #[must_use]
    pub fn find(&self, id: RecordId) -> Option<&Held> {
        self.all().find(|held| held.id == id)
    }

    /// A stored record, to be changed.
    pub(super) fn find_mut(&mut self, id: RecordId) -> Option<&mut Held> {
        self.all_mut().find(|held| held.id == id)
    }
}

/// What a device said about an account, as far as it is believed. It is for lists, work queues and
/// people: of the protocol's rules only the refusal of what nobody can open looks at it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What the account may hold.
    pub may_hold: MayHold,
    /// The records that the account most likely holds: those that the latest report with the
    /// current token named. A report without it counts only when it names a later record.
    pub likely: IdSet,
    /// When the next rotation is due.
    pub due: Option<Timestamp>,
    /// When the password is to be reset because the account was used.
    pub reset_at: Option<Timestamp>,
    /// Until when the device waits with a rotation that is due.
    pub waits_until: Option<Timestamp>,
    /// Whether the account was missing at the latest look-up.
    pub missing: bool,
    /// How the last rotation or try ended.
    pub outcome: Option<Outcome>,
    /// The readers of the last record that the device offered, as it offered it.
    pub offered: Option<ReaderList>,
    /// Whether that record named a reader that had been removed by then.
    pub late: bool,
}

impl Report {
    /// Nothing was said yet.
    pub const NONE: Self = Self {
        may_hold: MayHold::UNKNOWN,
        likely: IdSet::EMPTY,
        due: None,
        reset_at: None,
        waits_until: None,
        missing: false,
        outcome: None,
        offered: None,
        late: false,
    };
}

/// One account of a device: the managed one, or one that was managed before.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// Its SID.
    pub sid: Option<Sid>,
    /// When the vault first heard of it.
    pub since: Timestamp,
    /// When somebody last proved that a record of it can be opened.
    pub proven_at: Option<Timestamp>,
    /// What the rules work on.
    pub candidates: Candidates,
    /// What the device said about it.
    pub report: Report,
}

impl Account {
    /// An account that the vault hears of for the first time.
    #[must_use]
    pub fn new(name: AccountName, sid: Option<Sid>, now: Timestamp) -> Self {
        Self {
            name,
            sid,
            since: now,
            proven_at: None,
            candidates: Candidates::default(),
            report: Report::NONE,
        }
    }

    /// Whether this is the account of that name and SID: by SID where both are known, else by name,
    /// compared as Windows compares.
    #[must_use]
    pub fn is(&self, name: &AccountName, sid: Option<Sid>) -> bool {
        match (self.sid, sid) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => same_name(self.name.as_str(), name.as_str()),
        }
    }

    /// The candidates that the account may hold, as far as the device said: all of them where it
    /// does not know.
    pub fn held(&self) -> impl Iterator<Item = &Held> + '_ {
        let may_hold = &self.report.may_hold;
        self.candidates.iter().filter(|held| may_hold.unknown || may_hold.ids.contains(held.id))
    }

    /// Whether the account holds exactly the current record, as the device said: it may hold one
    /// that the vault lacks, after a restore.
    fn holds_the_current_one(&self) -> bool {
        let current = self.candidates.current.as_ref().map(|current| current.id);
        current.is_some_and(|id| self.report.may_hold == MayHold::exactly(id))
    }

    /// Whether none of the records that the account may hold names an active reader. False where
    /// there is no record, and where no reader was ever known: such a scope is not set up.
    pub(crate) fn is_unreadable(&self, readers: &Readers) -> bool {
        if readers.known.is_empty() {
            return false;
        }
        let mut any = false;
        let readable = self.held().any(|held| {
            any = true;
            held.is_openable(readers)
        });
        any && !readable
    }
}

/// Whether nobody proved within ninety days that a record can be opened; of an account that is
/// younger nobody had to. A time that is more than a day ahead of the clock proves nothing.
pub(super) fn is_unproven(proven_at: Option<Timestamp>, since: Timestamp, now: Timestamp) -> bool {
    let at = proven_at.unwrap_or(since);
    now.seconds_since(at) > UNPROVEN_SECONDS || at.seconds_since(now) > DAY
}

const DAY: u64 = 86_400;

/// How long a proof that a record can be opened stands for its account: 90 days.
pub(crate) const UNPROVEN_SECONDS: u64 = 90 * DAY;

/// The most accounts of one device. When another one comes, the one goes that was left first.
pub(crate) const MAX_FORMER: usize = 31;

/// What the vault knows about a device as a whole.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct About {
    /// A head of the audit log that the device remembers and that is not ours; already in the log.
    pub unknown_head: Option<AuditHead>,
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
    pub const fn new(now: Timestamp) -> Self {
        Self { unknown_head: None, enrolled: now, last_seen: now, retired: None }
    }
}

/// Everything that the vault keeps about one device, apart from the sealed bytes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Device {
    /// The managed account: that of the last check-in that was believed.
    pub managed: Account,
    /// Accounts that were managed before, the latest first. Their records stay; an order for them
    /// waits until they are managed again.
    pub former: Vec<Account>,
    /// What is known about the device as a whole.
    pub about: About,
}

impl Device {
    /// A device with one account.
    #[must_use]
    pub const fn new(managed: Account, about: About) -> Self {
        Self { managed, former: Vec::new(), about }
    }

    /// A device that is seen for the first time, with this account.
    #[must_use]
    pub fn first_seen(name: AccountName, sid: Option<Sid>, now: Timestamp) -> Self {
        Self::new(Account::new(name, sid, now), About::new(now))
    }

    /// The managed account, then the former ones.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> + '_ {
        core::iter::once(&self.managed).chain(&self.former)
    }

    /// The same, to be changed.
    pub(crate) fn accounts_mut(&mut self) -> impl Iterator<Item = &mut Account> + '_ {
        core::iter::once(&mut self.managed).chain(&mut self.former)
    }

    /// Goes over every kept sealing of every account, with the record that it is of.
    pub(super) fn each_sealing<'a>(&'a self, mut each: impl FnMut(RecordId, &'a Sealing)) {
        for account in self.accounts() {
            for held in account.candidates.all() {
                held.sealings().for_each(|sealing| each(held.id, sealing));
            }
        }
    }

    /// The account of this name, the managed one first; the managed one without a name.
    pub(crate) fn account_named(&self, name: Option<&str>) -> Option<&Account> {
        let Some(name) = name else { return Some(&self.managed) };
        self.accounts().find(|account| same_name(account.name.as_str(), name))
    }

    /// The same, to be changed.
    pub(super) fn account_named_mut(&mut self, name: Option<&str>) -> Option<&mut Account> {
        let Some(name) = name else { return Some(&mut self.managed) };
        self.accounts_mut().find(|account| same_name(account.name.as_str(), name))
    }

    /// A stored record, of any account and from the history too.
    #[must_use]
    pub fn find(&self, id: RecordId) -> Option<&Held> {
        self.accounts().find_map(|account| account.candidates.find(id))
    }

    /// A stored record, to be changed.
    pub(super) fn find_mut(&mut self, id: RecordId) -> Option<&mut Held> {
        self.accounts_mut().find_map(|account| account.candidates.find_mut(id))
    }

    /// How it stands, the gravest first.
    #[must_use]
    pub fn status(&self, readers: &Readers) -> DeviceStatus {
        let Account { candidates, report, .. } = &self.managed;
        if self.about.retired.is_some() {
            DeviceStatus::Retired
        } else if self.managed.is_unreadable(readers) {
            DeviceStatus::Unreadable
        } else if candidates.current.is_some() && report.may_hold.is_uncertain() {
            DeviceStatus::Uncertain
        } else if report.outcome.is_some_and(|outcome| outcome.kind.level() == Level::Error) {
            DeviceStatus::Failed
        } else if !candidates.pending.is_empty() || !self.managed.holds_the_current_one() {
            DeviceStatus::Pending
        } else {
            DeviceStatus::Settled
        }
    }

    /// Whether an order to rotate is open. One that waits for a retired device, or for an account
    /// that is not managed any more, is nobody's work, and not counted.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.about.retired.is_none() && !self.managed.candidates.orders.is_empty()
    }

    /// When the first open order is given to the device; none without one, and when retired.
    #[must_use]
    pub fn order_at(&self) -> Option<Timestamp> {
        let orders = self.managed.candidates.orders.iter().map(Order::not_before);
        orders.min().filter(|_| self.about.retired.is_none())
    }

    /// When its next rotation is due: as it said, or as the first open order says. None when
    /// retired.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        if self.about.retired.is_some() {
            return None;
        }
        [self.managed.report.due, self.order_at()].into_iter().flatten().min()
    }
}
