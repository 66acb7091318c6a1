//! What a vault answers, as Python sees it. No secrets, nothing that opens anything.

use std::collections::BTreeMap;

use laps_core::codec::Hex;
use laps_core::rotation::event::Outcome as CoreOutcome;
use laps_core::vault;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::reader::Reader;
use crate::time::{When, now};

/// A device of a vault.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Device {
    /// What the vault calls it.
    device: String,
    /// The managed account.
    account: String,
    /// Its security identifier.
    sid: Option<String>,
    /// The version of the current record, or of the newest candidate.
    version: Option<u64>,
    /// `settled`, `pending`, `uncertain`, `failed`, `unreadable` or `retired`.
    state: &'static str,
    /// Whether an order to rotate is open.
    ordered: bool,
    /// When the vault received the record.
    updated: Option<When>,
    /// When the device will rotate, as it says.
    expires: Option<When>,
    /// The last check-in, to the hour.
    last_seen: When,
    /// The last outcome.
    outcome: Option<Outcome>,
    /// How many records the device may hold.
    candidates: usize,
    /// What else there is to say, now: of `unreadable`, `stale-readers`, `account-missing`,
    /// `log-differs`, `log-restored`, `unproven`.
    findings: Vec<&'static str>,
    /// When the password is to be reset because the account was used, as the device says.
    reset_at: Option<When>,
    /// Until when the device waits with a rotation that is due, as it says.
    waits_until: Option<When>,
    /// When the first open order is given to the device.
    order_at: Option<When>,
    /// When somebody last proved that a record of the account can be opened.
    proven_at: Option<When>,
    /// Accounts that were managed before, the latest first.
    accounts: Vec<FormerAccount>,
}

/// An account that a device managed before. Its records can be disclosed under its name.
#[pyclass(frozen, get_all, module = "laps")]
#[derive(Clone)]
pub(crate) struct FormerAccount {
    /// Its name.
    account: String,
    /// Its security identifier.
    sid: Option<String>,
    /// The version of its current record, or of the newest candidate.
    version: Option<u64>,
    /// How many records it may hold.
    candidates: usize,
    /// Whether an order to rotate it is open, which nobody can fulfil while the account is not
    /// managed.
    ordered: bool,
}

impl From<&vault::FormerAccount> for FormerAccount {
    fn from(row: &vault::FormerAccount) -> Self {
        Self {
            account: row.account.to_string(),
            sid: row.sid.map(|sid| sid.to_string()),
            version: row.version,
            candidates: row.candidates,
            ordered: row.ordered,
        }
    }
}

#[pymethods]
impl Device {
    fn __repr__(&self) -> String {
        format!("<Device {:?} {}>", self.device, self.state)
    }
}

impl From<vault::DeviceRow> for Device {
    fn from(row: vault::DeviceRow) -> Self {
        Self {
            findings: row.findings_at(now()).names().collect(),
            reset_at: row.reset_at.map(When),
            waits_until: row.waits_until.map(When),
            order_at: row.order_at.map(When),
            proven_at: row.proven_at.map(When),
            accounts: row.accounts.iter().map(FormerAccount::from).collect(),
            device: row.device.to_string(),
            account: row.account.to_string(),
            sid: row.sid.map(|sid| sid.to_string()),
            version: row.version,
            state: row.state.as_str(),
            ordered: row.ordered,
            updated: row.updated.map(When),
            expires: row.expires.map(When),
            last_seen: When(row.last_seen),
            outcome: row.outcome.map(Outcome::from),
            candidates: row.candidates,
        }
    }
}

/// How the last rotation of a device, or its last try, ended.
#[pyclass(frozen, get_all, module = "laps")]
#[derive(Clone)]
pub(crate) struct Outcome {
    /// The event id of Windows LAPS, where it has this event.
    id: Option<u32>,
    /// What happened, in a word.
    name: &'static str,
    /// Why, in a word.
    reason: &'static str,
    /// When.
    at: When,
}

impl From<CoreOutcome> for Outcome {
    fn from(outcome: CoreOutcome) -> Self {
        Self {
            id: outcome.id(),
            name: outcome.kind.name(),
            reason: outcome.reason.name(),
            at: When(outcome.at),
        }
    }
}

/// A record that a vault holds, without its content.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct StoredRecord {
    /// Its id.
    record: String,
    /// Its version.
    version: u64,
    /// `current`, `pending`, `ruled-out` or `history`.
    state: &'static str,
    /// When the vault received it.
    updated: When,
    /// When it was displaced or ruled out.
    displaced: Option<When>,
    /// Whether the device said that it was never applied.
    ruled_out: bool,
    /// Whether a kept sealing names a reader that was removed.
    stale_readers: bool,
    /// Whether no kept sealing names an active reader.
    unreadable: bool,
    /// Whether the device has named it among what the account may hold.
    confirmed: bool,
    /// Whether somebody opened it: `no`, `claimed` or `proven`.
    opened: &'static str,
    /// The account, as the sealed header has it; None when the bytes are damaged.
    account: Option<String>,
    /// When the password was made, by the device's clock, as the sealed header has it.
    made_at: Option<When>,
    /// The ids of the readers of its newest sealing.
    readers: Vec<String>,
}

impl From<vault::RecordRow> for StoredRecord {
    fn from(row: vault::RecordRow) -> Self {
        Self {
            record: row.record.to_string(),
            version: row.version,
            state: row.state.as_str(),
            updated: When(row.updated),
            displaced: row.displaced.map(When),
            ruled_out: row.ruled_out,
            stale_readers: row.stale_readers,
            unreadable: row.unreadable,
            confirmed: row.confirmed,
            opened: row.opened.as_str(),
            account: row.account.map(|account| account.to_string()),
            made_at: row.made_at.map(When),
            readers: row.readers.iter().map(|id| Hex(id).to_string()).collect(),
        }
    }
}

/// A sealed record that was disclosed.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Candidate {
    inner: vault::Candidate,
}

#[pymethods]
impl Candidate {
    /// Its id.
    #[getter]
    fn record(&self) -> String {
        self.inner.record.to_string()
    }

    /// Its version.
    #[getter]
    fn version(&self) -> u64 {
        self.inner.version
    }

    /// `current`, `pending`, `ruled-out` or `history`.
    #[getter]
    fn state(&self) -> &'static str {
        self.inner.state.as_str()
    }

    /// When the vault received it.
    #[getter]
    fn updated(&self) -> When {
        When(self.inner.updated)
    }

    /// The sealed bytes: `Record.parse` reads them. Their header says which account and device the
    /// password is for.
    #[getter]
    fn sealed<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.sealed)
    }

    /// An earlier sealing of the same password, for when the reader cannot open `sealed`.
    #[getter]
    fn before<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.inner.before.as_ref().map(|sealed| PyBytes::new(py, sealed))
    }

    /// Whether the device has named it among what the account may hold. One that it never named is
    /// a candidate only in name.
    #[getter]
    fn confirmed(&self) -> bool {
        self.inner.confirmed
    }

    /// Whether somebody opened it: `no`, `claimed` or `proven`.
    #[getter]
    fn opened(&self) -> &'static str {
        self.inner.opened.as_str()
    }
}

/// What a disclosure hands out. Its audit entry is durable.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Disclosure {
    /// The device.
    device: String,
    /// The managed account.
    account: String,
    /// The number of the audit entry.
    entry: u64,
    /// The receipt: the head of the audit log with that entry.
    head: String,
    /// The likeliest first, the history last if asked for.
    candidates: Vec<Py<Candidate>>,
    /// The ids of records whose stored bytes are damaged.
    damaged: Vec<String>,
}

impl Disclosure {
    pub(crate) fn from_core(py: Python<'_>, disclosure: vault::Disclosure) -> PyResult<Self> {
        let candidates = disclosure
            .candidates
            .into_iter()
            .map(|inner| Py::new(py, Candidate { inner }))
            .collect::<PyResult<_>>()?;
        Ok(Self {
            device: disclosure.device.to_string(),
            account: disclosure.account.to_string(),
            entry: disclosure.entry,
            head: disclosure.head.to_string(),
            candidates,
            damaged: disclosure.damaged.iter().map(ToString::to_string).collect(),
        })
    }
}

/// A device whose rotation is due.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Due {
    /// The device.
    device: String,
    /// Since when, or when.
    due: When,
    /// Whether an order is open.
    ordered: bool,
}

impl From<vault::DueRow> for Due {
    fn from(row: vault::DueRow) -> Self {
        Self { device: row.device.to_string(), due: When(row.due), ordered: row.ordered }
    }
}

/// What an order to rotate did.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Ordered {
    /// Devices that now have an order which they had not before.
    devices: u64,
    /// The last audit entry written for it.
    entry: u64,
    /// The head of the audit log with that entry.
    head: String,
}

impl From<vault::Ordered> for Ordered {
    fn from(ordered: vault::Ordered) -> Self {
        Self { devices: ordered.devices, entry: ordered.entry, head: ordered.head.to_string() }
    }
}

/// What re-sealing a vault's records did.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Resealed {
    /// Records that are now sealed to the readers of the vault.
    replaced: u64,
    /// Records that are not sealed to the key that was used.
    not_ours: u64,
    /// Records that name a reader whom the vault never knew, and were left as they are: device,
    /// record.
    strangers: Vec<(String, String)>,
    /// Records that could not be re-sealed and stay as they were: device, record, why.
    failed: Vec<(String, String, String)>,
    /// Devices whose data is damaged.
    damaged: Vec<String>,
}

impl From<vault::Resealed> for Resealed {
    fn from(done: vault::Resealed) -> Self {
        let failed = done.failed.iter();
        Self {
            replaced: done.replaced,
            not_ours: done.not_ours,
            strangers: done
                .strangers
                .iter()
                .map(|(device, record)| (device.to_string(), record.to_string()))
                .collect(),
            failed: failed
                .map(|one| (one.device.to_string(), one.record.to_string(), one.why.to_string()))
                .collect(),
            damaged: done.damaged.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What a copy of a vault would bring back in one scope.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Restorable {
    /// The scope.
    scope: String,
    /// How many entries the copy's log has.
    entries: u64,
    /// Its head.
    head: String,
    /// When its last entry was written.
    last_entry: Option<When>,
    /// The readers that are active in the copy.
    readers: Vec<Reader>,
    /// Devices.
    devices: u64,
    /// Devices that are out of service in the copy.
    retired: u64,
    /// Devices with an open order to rotate in the copy.
    ordered: u64,
    /// How many displaced records of an account the copy keeps, and within how many days all.
    history: (u16, Option<u16>),
    /// How long after a disclosure the copy has what was shown rotated.
    rotate_after: Option<core::time::Duration>,
}

impl From<vault::Restorable> for Restorable {
    fn from(found: vault::Restorable) -> Self {
        Self {
            scope: found.scope.to_string(),
            entries: found.head.length,
            head: found.head.to_string(),
            last_entry: found.last_entry.map(When),
            readers: found.readers.into_iter().map(|inner| Reader { inner }).collect(),
            devices: found.devices,
            retired: found.retired,
            ordered: found.ordered,
            history: (found.history.count, found.history.days),
            rotate_after: found.rotate_after.map(core::time::Duration::from_secs),
        }
    }
}

/// A reader that a vault knows.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct KnownReader {
    /// The reader.
    reader: Reader,
    /// When it was added.
    added: When,
    /// When it was removed.
    removed: Option<When>,
}

impl From<vault::ReaderRow> for KnownReader {
    fn from(row: vault::ReaderRow) -> Self {
        Self {
            reader: Reader { inner: row.reader },
            added: When(row.added),
            removed: row.removed.map(When),
        }
    }
}

/// Figures about a vault.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Stats {
    /// Devices, retired ones included.
    devices: u64,
    /// Devices with one candidate that the device knows it holds.
    settled: u64,
    /// Devices with a rotation under way.
    pending: u64,
    /// Devices that may hold one of several passwords.
    uncertain: u64,
    /// Devices of whose passwords in use nobody can open one.
    unreadable: u64,
    /// Devices whose last rotation failed.
    failed: u64,
    /// Devices out of service.
    retired: u64,
    /// Devices whose data cannot be read.
    damaged: u64,
    /// Devices with an open order.
    ordered: u64,
    /// Devices whose due date has passed.
    overdue: u64,
    /// Records that devices may hold.
    candidates: u64,
    /// Records in history.
    history: u64,
    /// Audit entries.
    entries: u64,
    /// How many devices in service have each finding.
    findings: BTreeMap<&'static str, u64>,
}

impl From<vault::Stats> for Stats {
    fn from(stats: vault::Stats) -> Self {
        let counts = stats.findings;
        Self {
            findings: BTreeMap::from([
                ("unreadable", counts.unreadable),
                ("stale-readers", counts.stale_readers),
                ("account-missing", counts.account_missing),
                ("log-differs", counts.log_differs),
                ("log-restored", counts.log_restored),
                ("unproven", counts.unproven),
            ]),
            devices: stats.devices,
            settled: stats.settled,
            pending: stats.pending,
            uncertain: stats.uncertain,
            unreadable: stats.unreadable,
            failed: stats.failed,
            retired: stats.retired,
            damaged: stats.damaged,
            ordered: stats.ordered,
            overdue: stats.overdue,
            candidates: stats.candidates,
            history: stats.history,
            entries: stats.entries,
        }
    }
}
