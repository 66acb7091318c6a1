//! What callers get: rows, pages, candidates, reports. No secrets, nothing that opens anything.

use alloc::{string::String, vec::Vec};

use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Timestamp};
use crate::rotation::event::Outcome;
use crate::rotation::message::AuditHead;
use crate::seal::Reader;

use super::VaultError;

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

/// How a device stands (architecture §7).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DeviceStatus {
    /// One candidate, and the device knows that it holds it.
    Settled,
    /// A rotation is under way, or nothing was committed yet.
    Pending,
    /// The device may hold one of several passwords.
    Uncertain,
    /// The last rotation failed; the password before it is still in force.
    Failed,
    /// Taken out of service by an administrator.
    Retired,
}

impl DeviceStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Pending => "pending",
            Self::Uncertain => "uncertain",
            Self::Failed => "failed",
            Self::Retired => "retired",
        }
    }
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
    /// The version of the current record; of the newest candidate when nothing is current; none without a record.
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
}

/// What a stored record is to its device.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CandidateState {
    /// The last that was committed.
    Current,
    /// Stored, and perhaps on the device.
    Pending,
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
    /// Whether it came in sealed to a reader that had been removed.
    pub late: bool,
    /// The ids of the readers that can open it, 32 bytes each.
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
    /// The sealed bytes.
    pub sealed: Vec<u8>,
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
    /// The receipt: the head of the trail with that entry.
    pub head: AuditHead,
    /// Current first, then pending, newest version first, then the history if asked for.
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

/// What a verification of the trail found.
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
    /// Audit entries.
    pub entries: u64,
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

/// A record that is, or was, sealed anew.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Resealing {
    /// Its device.
    pub device: DeviceId,
    /// The record.
    pub record: RecordId,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl Resealing {
    /// A record that was sealed anew.
    #[must_use]
    pub const fn new(device: DeviceId, record: RecordId, sealed: Vec<u8>) -> Self {
        Self { device, record, sealed }
    }
}

/// Records that have to be sealed anew, of one page of devices.
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
}

/// A record that could not be sealed anew. It stays as it was.
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

/// What sealing a whole scope anew did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Resealed {
    /// Records that are now sealed to the readers of the vault.
    pub replaced: u64,
    /// Records that are not sealed to the key that was used: another reader has to seal them anew.
    pub not_ours: u64,
    /// Records that could not be sealed anew: damaged, hostile, or not what the vault takes back. The device should rotate.
    pub failed: Vec<Unsealed>,
    /// Devices whose data is damaged.
    pub damaged: Vec<DeviceId>,
}
