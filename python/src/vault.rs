//! The vault, kept in one SQLite file.

pub(crate) mod adopt;
pub(crate) mod copies;
pub(crate) mod metadata;
pub(crate) mod row;

use std::path::PathBuf;

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope, Timestamp};
use laps_core::vault::state::HistorySetting;
use laps_core::vault::{
    AuditHead, Confirmation, DiscloseOptions, Request, Selection, Vault as CoreVault, VaultError,
};
use laps_host::observed::Observations;
use laps_host::sqlite::{self, SqliteStore};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime, PyDelta};

use crate::error::raise;
use crate::progress::Progress;
use crate::reader::{Reader, ReaderKey};
use crate::record::{record_id, text};
use crate::time;
use row::{
    AuditEntry, AuditReport, Device, Disclosure, Due, KnownReader, Observed, Ordered, Resealed,
    Stats, StoredRecord,
};

/// A vault: sealed records, their history, readers, orders to rotate, and the audit trail. It holds no key that
/// opens a password. An object is bound to one scope (tenant), the empty one by default, and may be shared by threads.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Vault {
    pub(crate) inner: CoreVault<SqliteStore>,
    pub(crate) scope: Scope,
    path: PathBuf,
    observations: Observations,
}

fn refused(error: VaultError) -> PyErr {
    raise(error.code(), error)
}

fn names(devices: &[DeviceId]) -> Vec<String> {
    devices.iter().map(ToString::to_string).collect()
}

fn history_setting(count: u16, days: Option<u16>) -> PyResult<HistorySetting> {
    if count == 0 {
        return Err(raise(Code::InvalidArgument, "history 0: 1 or more is accepted"));
    }
    let setting = HistorySetting::count(count);
    Ok(days.map_or(setting, |days| setting.with_days(days)))
}

#[pymethods]
impl Vault {
    /// Makes a vault file, or a scope in one that is there with `scope`, with its first readers. `history` is how many
    /// displaced records of a device are kept.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (path, *, readers, actor, reason, context = "", scope = "", history = 3, history_days = None, now = None))]
    fn init(
        py: Python<'_>,
        path: PathBuf,
        readers: Vec<Bound<'_, Reader>>,
        actor: &str,
        reason: &str,
        context: &str,
        scope: &str,
        history: u16,
        history_days: Option<u16>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Self> {
        let scope = text(Scope::new(scope), "scope")?;
        let readers: Vec<_> = readers.iter().map(|reader| reader.get().inner.clone()).collect();
        if readers.is_empty() {
            return Err(raise(Code::InvalidArgument, "a vault needs at least one reader"));
        }
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let setting = history_setting(history, history_days)?;
        let inner = py
            .detach(|| {
                if scope.is_empty() || !path.exists() {
                    return sqlite::init_vault(&path, &scope, &readers, setting, &request, now);
                }
                let vault = CoreVault::from_system(SqliteStore::open(&path)?);
                vault.initialise(&scope, &readers, setting, &request, now)?;
                Ok(vault)
            })
            .map_err(refused)?;
        Ok(Self::of(inner, scope, path))
    }

    /// Opens a vault file.
    #[staticmethod]
    #[pyo3(signature = (path, *, scope = ""))]
    fn open(py: Python<'_>, path: PathBuf, scope: &str) -> PyResult<Self> {
        let scope = text(Scope::new(scope), "scope")?;
        let store =
            py.detach(|| SqliteStore::open(&path)).map_err(|error| refused(error.into()))?;
        Ok(Self::of(CoreVault::from_system(store), scope, path))
    }

    /// Where the file is.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// The tenant; empty by default.
    #[getter]
    fn scope(&self) -> &str {
        self.scope.as_str()
    }

    /// Takes a device's message and gives the answer. `device` is what the caller has authenticated.
    #[pyo3(signature = (device, message, /, *, now = None))]
    fn check_in<'py>(
        &self,
        py: Python<'py>,
        device: &str,
        message: &[u8],
        now: Option<&Bound<'py, PyDateTime>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let now = time::or_now(now)?;
        let message = message.to_vec();
        let answer = py
            .detach(|| self.inner.check_in(&self.scope, device, &message, now))
            .map_err(refused)?;
        Ok(PyBytes::new(py, &answer))
    }

    /// A page of devices by name, those behind `after`; the `after` of the next page or None; and the names of devices in
    /// this page whose data is damaged, which are in no row.
    #[pyo3(signature = (*, after = None, limit = 1000))]
    fn list(
        &self,
        py: Python<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<Device>, Option<String>, Vec<String>)> {
        let page = py.detach(|| self.inner.list(&self.scope, after, limit)).map_err(refused)?;
        let damaged = names(&page.damaged);
        Ok((page.items.into_iter().map(Device::from).collect(), page.next, damaged))
    }

    /// One device.
    #[pyo3(signature = (device, /))]
    fn show(&self, py: Python<'_>, device: &str) -> PyResult<Device> {
        let row = py.detach(|| self.inner.show(&self.scope, device)).map_err(refused)?;
        Ok(row.into())
    }

    /// The records of a device without their content: current, pending, history.
    #[pyo3(signature = (device, /))]
    fn history(&self, py: Python<'_>, device: &str) -> PyResult<Vec<StoredRecord>> {
        let rows = py.detach(|| self.inner.history(&self.scope, device)).map_err(refused)?;
        Ok(rows.into_iter().map(StoredRecord::from).collect())
    }

    /// A page of devices that are due no later than `until` (now), by due date; the `after` of the next page or None; and
    /// the names of devices in this page whose data is damaged.
    #[pyo3(signature = (*, until = None, after = None, limit = 1000))]
    fn due(
        &self,
        py: Python<'_>,
        until: Option<&Bound<'_, PyDateTime>>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<Due>, Option<String>, Vec<String>)> {
        let until = time::or_now(until)?;
        let page =
            py.detach(|| self.inner.due(&self.scope, until, after, limit)).map_err(refused)?;
        let damaged = names(&page.damaged);
        Ok((page.items.into_iter().map(Due::from).collect(), page.next, damaged))
    }

    /// Hands out the sealed candidates of a device. The audit entry, and the order to rotate if asked for, are durable before.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (device, /, *, actor, reason, context = "", history = false, rotate_after = None, now = None))]
    fn disclose(
        &self,
        py: Python<'_>,
        device: &str,
        actor: &str,
        reason: &str,
        context: &str,
        history: bool,
        rotate_after: Option<&Bound<'_, PyDelta>>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Disclosure> {
        let mut options = DiscloseOptions::default();
        if history {
            options = options.with_history();
        }
        if let Some(delay) = rotate_after {
            options = options.with_rotation_after(time::seconds(delay)?);
        }
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let disclosure = py
            .detach(|| self.inner.disclose(&self.scope, device, &request, options, now))
            .map_err(refused)?;
        Disclosure::from_core(py, disclosure)
    }

    /// Notes whether what an entry disclosed was opened; gives the head. Without it, it counts as revealed.
    #[pyo3(signature = (entry, /, *, opened, actor, reason, context = "", now = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    fn record_outcome(
        &self,
        py: Python<'_>,
        entry: u64,
        opened: bool,
        actor: &str,
        reason: &str,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let head = py
            .detach(|| self.inner.record_outcome(&self.scope, entry, opened, &request, now))
            .map_err(refused)?;
        Ok(head.to_string())
    }

    /// Orders devices to rotate at their next check-in: those that are named, `all`, the `overdue` ones, or those of
    /// which the actor `revealed_by` was shown something since then.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (devices = None, /, *, actor, reason, context = "", all = false, overdue = false, revealed_by = None, since = None, now = None))]
    fn order_rotation(
        &self,
        py: Python<'_>,
        devices: Option<Vec<String>>,
        actor: &str,
        reason: &str,
        context: &str,
        all: bool,
        overdue: bool,
        revealed_by: Option<&str>,
        since: Option<&Bound<'_, PyDateTime>>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Ordered> {
        let names: Vec<&str> = devices.iter().flatten().map(String::as_str).collect();
        let since = since.map(time::from_python).transpose()?;
        let chosen = [devices.is_some(), all, overdue, revealed_by.is_some()];
        if chosen.iter().filter(|chosen| **chosen).count() != 1 {
            return Err(raise(
                Code::InvalidArgument,
                "choose the devices in one way: by name, all, overdue, or revealed_by with since",
            ));
        }
        let selection = match (revealed_by, since) {
            (Some(actor), since) => {
                Selection::RevealedBy { actor, since: since.unwrap_or_default() }
            }
            (None, _) if all => Selection::All,
            (None, _) if overdue => Selection::Overdue,
            (None, _) => Selection::Devices(&names),
        };
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let ordered = py
            .detach(|| self.inner.order_rotation(&self.scope, selection, &request, now))
            .map_err(refused)?;
        Ok(ordered.into())
    }

    /// Verifies the audit trail. `expect` is a head from before, from a receipt or a device. `progress` is called with how many
    /// entries were looked at, and of how many; what it raises is raised at the end.
    #[pyo3(signature = (*, expect = None, progress = None))]
    fn audit_verify(
        &self,
        py: Python<'_>,
        expect: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<AuditReport> {
        let expect = expect
            .map(|head| head.parse::<AuditHead>().map_err(|error| raise(error.code(), error)))
            .transpose()?;
        let mut progress = Progress::new(progress);
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut tell = |done, total| progress.at(number(done), number(total));
        let report = py
            .detach(|| self.inner.audit_verify_watched(&self.scope, expect, &mut tell))
            .map_err(refused)?;
        progress.end()?;
        Ok(report.into())
    }

    /// Entries of the trail as they are stored, those behind `after`.
    #[pyo3(signature = (*, after = 0, limit = 1000))]
    fn audit_entries(&self, py: Python<'_>, after: u64, limit: usize) -> PyResult<Vec<AuditEntry>> {
        let entries =
            py.detach(|| self.inner.audit_entries(&self.scope, after, limit)).map_err(refused)?;
        Ok(entries.into_iter().map(AuditEntry::from).collect())
    }

    /// What happened through this object since the last call, oldest first, and how much before that was forgotten: for
    /// metrics. The first call gives nothing; from then on at most 1024 are kept.
    fn observed(&self) -> PyResult<(Vec<Observed>, u64)> {
        let taken = self.observations.take().map_err(|error| refused(error.into()))?;
        Ok((taken.observed.into_iter().map(Observed::from).collect(), taken.missed))
    }

    /// The head of the trail now.
    #[getter]
    fn audit_head(&self, py: Python<'_>) -> PyResult<String> {
        let head = py.detach(|| self.inner.audit_head(&self.scope)).map_err(refused)?;
        Ok(head.to_string())
    }

    /// The readers that the vault knows, also those that were removed.
    fn readers(&self, py: Python<'_>) -> PyResult<Vec<KnownReader>> {
        let rows = py.detach(|| self.inner.readers(&self.scope)).map_err(refused)?;
        Ok(rows.into_iter().map(KnownReader::from).collect())
    }

    /// Adds a reader; gives the head. Records that are there are sealed anew for it by `reseal`.
    #[pyo3(signature = (reader, /, *, actor, reason, context = "", now = None))]
    fn add_reader(
        &self,
        py: Python<'_>,
        reader: &Reader,
        actor: &str,
        reason: &str,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let head = py
            .detach(|| self.inner.add_reader(&self.scope, &reader.inner, &request, now))
            .map_err(refused)?;
        Ok(head.to_string())
    }

    /// Removes a reader by its id, then orders the rotation of what it can open, spread over `rotate_within` (None: no
    /// order). What it has a copy of stays readable to it. The last reader needs `confirm`.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (reader_id, /, *, actor, reason, context = "", rotate_within = None, confirm = false, now = None))]
    fn remove_reader(
        &self,
        py: Python<'_>,
        reader_id: &str,
        actor: &str,
        reason: &str,
        context: &str,
        rotate_within: Option<&Bound<'_, PyDelta>>,
        confirm: bool,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Ordered> {
        let wanted = |row: &laps_core::vault::ReaderRow| row.reader.id().to_string() == reader_id;
        let request = Request::new(actor, reason).with_context(context);
        let window = rotate_within.map(time::seconds).transpose()?;
        let now = time::or_now(now)?;
        let ordered = py
            .detach(|| {
                let known = self.inner.readers(&self.scope)?;
                let found = known.iter().find(|row| wanted(row));
                let id = found.ok_or(VaultError::NotFound("reader"))?.reader.id();
                let confirmed = confirmation(confirm);
                self.inner.remove_reader(&self.scope, &id, window, confirmed, &request, now)
            })
            .map_err(refused)?;
        Ok(ordered.into())
    }

    /// Opens every record that is not sealed to exactly the readers of now and seals it anew, on all cores. What this key
    /// does not open, and what is damaged or hostile, is named in the answer and left as it was. It goes on where a run that was
    /// stopped ended. `progress` is called with how many records were looked at, and of how many at most; when it raises, the
    /// run stops.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (key, /, *, actor, reason, context = "", now = None, progress = None))]
    fn reseal(
        &self,
        py: Python<'_>,
        key: &ReaderKey,
        actor: &str,
        reason: &str,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Resealed> {
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let mut progress = Progress::new(progress);
        let done = py.detach(|| {
            let total = if progress.heard() { self.records(now)? } else { 0 };
            let mut seen = 0_usize;
            let mut tell = |records: usize| {
                progress.at(seen, total.max(seen));
                seen = seen.saturating_add(records);
                !progress.failed()
            };
            let vault = &self.inner;
            let done = sqlite::reseal_all_watched(
                vault,
                &self.scope,
                &key.inner,
                &request,
                now,
                &mut tell,
            );
            progress.at(total, total);
            progress.end()?;
            done.map_err(refused)
        })?;
        Ok(done.into())
    }

    /// Takes a device out of service; gives the head. What is stored stays and can be disclosed.
    #[pyo3(signature = (device, /, *, actor, reason, context = "", now = None))]
    fn retire(
        &self,
        py: Python<'_>,
        device: &str,
        actor: &str,
        reason: &str,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let head =
            py.detach(|| self.inner.retire(&self.scope, device, &request, now)).map_err(refused)?;
        Ok(head.to_string())
    }

    /// Brings a retired device back into service; gives the head.
    #[pyo3(signature = (device, /, *, actor, reason, context = "", now = None))]
    fn re_enrol(
        &self,
        py: Python<'_>,
        device: &str,
        actor: &str,
        reason: &str,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let head = py
            .detach(|| self.inner.re_enrol(&self.scope, device, &request, now))
            .map_err(refused)?;
        Ok(head.to_string())
    }

    /// Removes a device and every password of it; gives the head. Needs `confirm`. The trail stays.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (device, /, *, actor, reason, context = "", confirm = false, now = None))]
    fn purge(
        &self,
        py: Python<'_>,
        device: &str,
        actor: &str,
        reason: &str,
        context: &str,
        confirm: bool,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let confirmed = confirmation(confirm);
        let head = py
            .detach(|| self.inner.purge(&self.scope, device, confirmed, &request, now))
            .map_err(refused)?;
        Ok(head.to_string())
    }

    /// Removes one record of a device, a candidate or one in history; gives the head. Needs `confirm`: the device may still
    /// have this password.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (device, record, /, *, actor, reason, context = "", confirm = false, now = None))]
    fn remove_record(
        &self,
        py: Python<'_>,
        device: &str,
        record: &str,
        actor: &str,
        reason: &str,
        context: &str,
        confirm: bool,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let record = record_id(record)?;
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let confirmed = confirmation(confirm);
        let head = py
            .detach(|| {
                self.inner.remove_record(&self.scope, device, record, confirmed, &request, now)
            })
            .map_err(refused)?;
        Ok(head.to_string())
    }

    /// Sets how many displaced records of a device are kept, 1 to 65535, and that beyond those all that were displaced within
    /// so many `days` are (None: no such rule); gives the head. A shorter history takes effect at a device's next change.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (history, /, *, actor, reason, days = None, context = "", now = None))]
    fn set_history(
        &self,
        py: Python<'_>,
        history: u16,
        actor: &str,
        reason: &str,
        days: Option<u16>,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = Request::new(actor, reason).with_context(context);
        let now = time::or_now(now)?;
        let setting = history_setting(history, days)?;
        let head = py
            .detach(|| self.inner.set_history(&self.scope, setting, &request, now))
            .map_err(refused)?;
        Ok(head.to_string())
    }

    /// How many displaced records of a device are kept, and within how many days all are (None: no such rule).
    #[getter]
    fn history_setting(&self, py: Python<'_>) -> PyResult<(u16, Option<u16>)> {
        let setting = py.detach(|| self.inner.history_setting(&self.scope)).map_err(refused)?;
        Ok((setting.count, setting.days))
    }

    /// Figures about the vault.
    #[pyo3(signature = (*, now = None))]
    fn stats(&self, py: Python<'_>, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<Stats> {
        let now = time::or_now(now)?;
        let stats = py.detach(|| self.inner.stats(&self.scope, now)).map_err(refused)?;
        Ok(stats.into())
    }

    /// The vault without the power to hand anything out or to change anything.
    fn metadata(&self) -> metadata::Metadata {
        metadata::Metadata { inner: self.inner.metadata(), scope: self.scope }
    }

    fn __repr__(&self) -> String {
        format!("<Vault {:?}>", self.path.display().to_string())
    }
}

impl Vault {
    fn of(inner: CoreVault<SqliteStore>, scope: Scope, path: PathBuf) -> Self {
        let observations = Observations::new();
        let inner = inner.with_observer(observations.observer());
        Self { inner, scope, path, observations }
    }

    /// How many devices there are.
    fn count(&self, now: Timestamp) -> PyResult<usize> {
        let stats = self.inner.stats(&self.scope, now).map_err(refused)?;
        Ok(usize::try_from(stats.devices).unwrap_or(usize::MAX))
    }

    /// How many records there are.
    fn records(&self, now: Timestamp) -> PyResult<usize> {
        let stats = self.inner.stats(&self.scope, now).map_err(refused)?;
        let records = stats.candidates.saturating_add(stats.history);
        Ok(usize::try_from(records).unwrap_or(usize::MAX))
    }
}

/// Whether the explicit word was said.
const fn confirmation(given: bool) -> Confirmation {
    if given { Confirmation::Given } else { Confirmation::NotGiven }
}
