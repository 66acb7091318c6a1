//! What callers get: rows, pages, candidates, reports. No secrets, nothing that opens anything.

use alloc::{string::String, vec::Vec};

use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Timestamp};
use crate::rotation::event::Outcome;
use crate::rotation::message::AuditHead;
use crate::seal::Reader;

use super::VaultError;
use super::state::{OpenedStatus, is_unproven};
use super::status::DeviceStatus;

/// One page, in the order of its key. `next` is the `after` of the following page; none at the end.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The key to go on from.
    pub next: Option<String>,
    /// Devices of this page whose data is damaged: they are in no row.
    pub damaged: Vec<DeviceId>,
}

/// What there is to say about a device besides how it stands.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// None of the records that the account may hold names an active reader.
    pub unreadable: bool,
    /// The latest record that the device offered was sealed to a reader that had been removed: the
    /// device has to be given others.
    pub stale_readers: bool,
    /// The account was missing when the device last looked.
    pub account_missing: bool,
    /// The device remembers a head of the audit log that is not in it.
    pub log_differs: bool,
    /// The device remembers a head that was lost when a copy of the vault was restored.
    pub log_restored: bool,
    /// Nobody proved within 90 days that a record of this account can be opened. Only known where
    /// the time is.
    pub unproven: bool,
}

impl Findings {
    /// Every finding by its name, as written in JSON.
    #[must_use]
    pub const fn all(self) -> [(&'static str, bool); 6] {
        [
            ("unreadable", self.unreadable),
            ("stale-readers", self.stale_readers),
            ("account-missing", self.account_missing),
            ("log-differs", self.log_differs),
            ("log-restored", self.log_restored),
            ("unproven", self.unproven),
        ]
    }

    /// The names of those that hold.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.all().into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name)
    }
}

/// An account that the device managed before.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FormerAccount {
    /// Its name.
    pub account: AccountName,
    /// Its SID, in binary form.
    pub sid: Option<Sid>,
    /// The version of its current record; of the newest candidate when nothing is current; none
    /// without a record.
    pub version: Option<u64>,
    /// How many records it may hold, as the vault sees it.
    pub candidates: usize,
    /// Whether an order to rotate it is open, which nobody can fulfil while the account is not
    /// managed.
    pub ordered: bool,
}

/// One row of the list of devices.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DeviceRow {
    /// The device.
    pub device: DeviceId,
    /// The managed account.
    pub account: AccountName,
    /// Its SID, in binary form.
    pub sid: Option<Sid>,
    /// The version of the current record; of the newest candidate when nothing is current; none
    /// without a record.
    pub version: Option<u64>,
    /// How it stands.
    pub state: DeviceStatus,
    /// Whether an order to rotate is open; never for a retired device.
    pub ordered: bool,
    /// When the vault received the current record, or the newest candidate.
    pub updated: Option<Timestamp>,
    /// When the device will rotate, as it says.
    pub expires: Option<Timestamp>,
    /// The last check-in, to the hour.
    pub last_seen: Timestamp,
    /// The last outcome.
    pub outcome: Option<Outcome>,
    /// How many records the device may hold, as the vault sees it.
    pub candidates: usize,
    /// What else there is to say. `unproven` is only set by [`DeviceRow::findings_at`].
    pub findings: Findings,
    /// When the password is to be reset because the account was used, as the device says.
    pub reset_at: Option<Timestamp>,
    /// Until when the device waits with a rotation that is due, as it says.
    pub waits_until: Option<Timestamp>,
    /// When the first open order is given to the device.
    pub order_at: Option<Timestamp>,
    /// When somebody last proved that a record of this account can be opened.
    pub proven_at: Option<Timestamp>,
    /// When the vault first heard of the account.
    pub since: Timestamp,
    /// Accounts that were managed before, the latest first.
    pub accounts: Vec<FormerAccount>,
}

impl DeviceRow {
    /// The findings at a time.
    #[must_use]
    pub fn findings_at(&self, now: Timestamp) -> Findings {
        let unproven = self.candidates > 0 && is_unproven(self.proven_at, self.since, now);
        Findings { unproven, ..self.findings }
    }
}

/// What a stored record is to its device.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CandidateState {
    /// The last that was committed.
    Current,
    /// Stored, and perhaps on the device.
    Pending,
    /// Ruled out on somebody's word: it can be revealed until the next commit.
    RuledOut,
    /// Displaced by a later commit, or ruled out.
    History,
}

impl CandidateState {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Pending => "pending",
            Self::RuledOut => "ruled-out",
            Self::History => "history",
        }
    }
}

/// A record without its content.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RecordRow {
    /// The record.
    pub record: RecordId,
    /// Its version.
    pub version: u64,
    /// What it is to the device.
    pub state: CandidateState,
    /// When the vault received it.
    pub updated: Timestamp,
    /// When it was displaced or ruled out.
    pub displaced: Option<Timestamp>,
    /// Whether the device said that it was never applied.
    pub ruled_out: bool,
    /// Whether a kept sealing names a reader that was removed.
    pub stale_readers: bool,
    /// Whether no kept sealing names an active reader.
    pub unreadable: bool,
    /// Whether the device has named it in a may-hold set or in a commit.
    pub confirmed: bool,
    /// Whether somebody opened it.
    pub opened: OpenedStatus,
    /// The account, as the sealed header has it; none when its bytes are damaged.
    pub account: Option<AccountName>,
    /// When the password was made, by the device's clock, as the sealed header has it.
    pub made_at: Option<Timestamp>,
    /// The ids of the readers of its newest sealing, 32 bytes each.
    pub readers: Vec<[u8; 32]>,
}

/// One record that is disclosed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// The record.
    pub record: RecordId,
    /// Its version.
    pub version: u64,
    /// What it is to the device.
    pub state: CandidateState,
    /// When the vault received it.
    pub updated: Timestamp,
    /// Whether the device has named it in a may-hold set or in a commit.
    pub confirmed: bool,
    /// Whether somebody opened it.
    pub opened: OpenedStatus,
    /// The sealed bytes. Their header says which account and device the password is for, and when
    /// it was made.
    pub sealed: Vec<u8>,
    /// An earlier sealing of the same password, for when the reader cannot open this one.
    pub before: Option<Vec<u8>>,
}

/// What a disclosure hands out. Its audit entry is durable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Disclosure {
    /// The device.
    pub device: DeviceId,
    /// The managed account.
    pub account: AccountName,
    /// The number of the audit entry, from 1.
    pub entry: u64,
    /// The receipt: the head of the audit log with that entry.
    pub head: AuditHead,
    /// The likeliest first: what the latest report named, then the other candidates, what was
    /// ruled out on a word, the history if asked for.
    pub candidates: Vec<Candidate>,
    /// Records whose stored bytes are damaged and are therefore missing above.
    pub damaged: Vec<RecordId>,
}

/// A device whose rotation is due.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DueRow {
    /// The device.
    pub device: DeviceId,
    /// Since when, or when.
    pub due: Timestamp,
    /// Whether an order is open.
    pub ordered: bool,
}

/// What an order to rotate did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Ordered {
    /// Devices that now have an order which they had not before.
    pub devices: u64,
    /// The last audit entry written for it.
    pub entry: u64,
    /// The head with that entry.
    pub head: AuditHead,
}

/// What a verification of the audit log found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuditReport {
    /// Whether every entry is as it was written, and the expected head is in the chain.
    pub ok: bool,
    /// How many entries there are.
    pub entries: u64,
    /// The head, as far as the chain holds.
    pub head: AuditHead,
    /// The first entry that is not as it was written, or is missing; from 1.
    pub first_bad: Option<u64>,
}

/// Figures about a scope.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Devices, retired ones included.
    pub devices: u64,
    /// Devices by status.
    pub settled: u64,
    /// See [`DeviceStatus::Pending`].
    pub pending: u64,
    /// See [`DeviceStatus::Uncertain`].
    pub uncertain: u64,
    /// See [`DeviceStatus::Unreadable`].
    pub unreadable: u64,
    /// See [`DeviceStatus::Failed`].
    pub failed: u64,
    /// See [`DeviceStatus::Retired`].
    pub retired: u64,
    /// Devices whose data cannot be read.
    pub damaged: u64,
    /// Devices with an open order, without retired ones.
    pub ordered: u64,
    /// Devices whose due date has passed.
    pub overdue: u64,
    /// Records that devices may hold.
    pub candidates: u64,
    /// Records in history.
    pub history: u64,
    /// Devices in service, by finding: see [`Findings`].
    pub findings: FindingCounts,
    /// Audit entries.
    pub entries: u64,
}

/// How many devices in service have a finding.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct FindingCounts {
    /// See [`Findings::unreadable`].
    pub unreadable: u64,
    /// See [`Findings::stale_readers`].
    pub stale_readers: u64,
    /// See [`Findings::account_missing`].
    pub account_missing: u64,
    /// See [`Findings::log_differs`].
    pub log_differs: u64,
    /// See [`Findings::log_restored`].
    pub log_restored: u64,
    /// See [`Findings::unproven`].
    pub unproven: u64,
}

/// One reader that the vault knows.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReaderRow {
    /// Its public half.
    pub reader: Reader,
    /// When it was added.
    pub added: Timestamp,
    /// When it was removed.
    pub removed: Option<Timestamp>,
}

/// A record that is, or was, re-sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Resealing {
    /// Its device.
    pub device: DeviceId,
    /// The record.
    pub record: RecordId,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
    /// The highest number of a kept sealing: what is imported has the next one.
    pub above: u32,
    /// Whether it may be re-sealed although a reader that the vault never knew loses it.
    pub word: bool,
}

impl Resealing {
    /// A record that was re-sealed.
    #[must_use]
    pub const fn new(device: DeviceId, record: RecordId, sealed: Vec<u8>) -> Self {
        Self { device, record, sealed, above: 0, word: false }
    }

    /// The same, although a reader that the vault never knew loses it.
    #[must_use]
    pub const fn with_word(mut self) -> Self {
        self.word = true;
        self
    }
}

/// Records that have to be re-sealed, of one page of devices.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ResealPage {
    /// The records.
    pub items: Vec<Resealing>,
    /// The device to go on from; none at the end.
    pub next: Option<String>,
    /// Devices of this page whose data is damaged: which records they have is not known.
    pub damaged: Vec<DeviceId>,
    /// Records of this page whose stored bytes are damaged.
    pub damaged_records: Vec<(DeviceId, RecordId)>,
    /// Records of this page that name a reader whom the vault never knew: re-sealed, that
    /// reader would lose them. They are left out without a word.
    pub strangers: Vec<(DeviceId, RecordId)>,
}

/// A record that could not be re-sealed. It stays as it was.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unsealed {
    /// Its device.
    pub device: DeviceId,
    /// The record.
    pub record: RecordId,
    /// Why.
    pub why: VaultError,
}

/// What re-sealing a whole scope did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Resealed {
    /// Records that are now sealed to the readers of the vault.
    pub replaced: u64,
    /// Records that are not sealed to the key that was used: another reader has to re-seal them.
    pub not_ours: u64,
    /// Records that name a reader whom the vault never knew, and were left as they are.
    pub strangers: Vec<(DeviceId, RecordId)>,
    /// Records that could not be re-sealed: damaged, hostile, or not what the vault imports.
    /// The device should rotate.
    pub failed: Vec<Unsealed>,
    /// Devices whose data is damaged.
    pub damaged: Vec<DeviceId>,
}
