//! Copies of a vault, moves between vaults, and older schemas.

use core::convert::identity;
use std::path::PathBuf;

use laps_core::identity::Scope;
use laps_host::sqlite;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime};

use super::rows::Restorable;
use super::{Vault, by, names, refused};
use crate::ending::long;
use crate::progress::Progress;
use crate::reader::Reader;
use crate::record::text;
use crate::time;

/// Copies a vault to a new file, while others work on it. It is in the audit log of every scope
/// first.
#[pyfunction]
#[pyo3(signature = (vault, to, /, *, actor, reason, context = "", now = None))]
pub(crate) fn back_up_vault(
    py: Python<'_>,
    vault: &Vault,
    to: PathBuf,
    actor: &str,
    reason: &str,
    context: &str,
    now: Option<&Bound<'_, PyDateTime>>,
) -> PyResult<()> {
    let request = vault.by(actor, reason, context);
    let now = time::or_now(now)?;
    long(py, refused, || sqlite::back_up(&vault.inner, &to, &request, now))
}

/// Publishes a snapshot of a vault, or refreshes it: devices and log without a single record, which
/// the owner may write and the group may read.
#[pyfunction]
#[pyo3(signature = (vault, to, /))]
pub(crate) fn publish_vault(py: Python<'_>, vault: &Vault, to: PathBuf) -> PyResult<()> {
    py.detach(|| sqlite::publish(&vault.inner, &to)).map_err(refused)
}

/// Lets this process open vaults on network file systems, from now on: only where no other machine
/// ever opens them.
#[pyfunction]
pub(crate) fn allow_network_file_systems() {
    sqlite::allow_network_file_systems();
}

/// What a copy would bring back, scope by scope: to be shown before it is restored.
#[pyfunction]
#[pyo3(signature = (copy_of, /))]
pub(crate) fn restore_preview(py: Python<'_>, copy_of: PathBuf) -> PyResult<Vec<Restorable>> {
    let found = long(py, refused, || sqlite::restorable(&copy_of))?;
    Ok(found.into_iter().map(Restorable::from).collect())
}

/// Puts a copy of a vault in a place where none is, and notes that in the log. `readers`, from a
/// signed reader set, say, win over the copy's in `scope`: who is not among them is removed, and
/// what they can open is ordered to rotate.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
#[pyo3(signature = (
    copy_of, to, /, *, actor, reason, context = "", readers = None, scope = "", now = None
))]
pub(crate) fn restore_vault(
    py: Python<'_>,
    copy_of: PathBuf,
    to: PathBuf,
    actor: &str,
    reason: &str,
    context: &str,
    readers: Option<Vec<Bound<'_, Reader>>>,
    scope: &str,
    now: Option<&Bound<'_, PyDateTime>>,
) -> PyResult<()> {
    let request = by(actor, reason, context);
    let now = time::or_now(now)?;
    let scope = text(Scope::new(scope), "scope")?;
    let readers: Option<Vec<_>> =
        readers.map(|list| list.iter().map(|reader| reader.get().inner.clone()).collect());
    let list = readers.as_deref().map(|list| (&scope, list));
    long(py, refused, || sqlite::restore_with(&copy_of, &to, list, &request, now).map(drop))
}

/// Brings a vault of an older schema to the one of this version. Gives the schema before, the
/// schema now, and where the file from before is when `keep` is set.
#[pyfunction]
#[pyo3(signature = (path, /, *, actor, reason, context = "", keep = true, now = None))]
pub(crate) fn migrate_vault(
    py: Python<'_>,
    path: PathBuf,
    actor: &str,
    reason: &str,
    context: &str,
    keep: bool,
    now: Option<&Bound<'_, PyDateTime>>,
) -> PyResult<(i32, i32, Option<PathBuf>)> {
    let request = by(actor, reason, context);
    let now = time::or_now(now)?;
    let done = long(py, refused, || sqlite::migrate(&path, keep, &request, now))?;
    Ok((done.from, done.to, done.copy))
}

/// Devices with everything that is kept about them, for another vault; nothing in it opens
/// anything. With them, the names of devices that are left out because their data is damaged.
/// `progress` is called with how many devices are done, and of how many.
#[pyfunction]
#[pyo3(signature = (vault, /, *, actor, reason, context = "", now = None, progress = None))]
pub(crate) fn export_devices<'py>(
    py: Python<'py>,
    vault: &Vault,
    actor: &str,
    reason: &str,
    context: &str,
    now: Option<&Bound<'py, PyDateTime>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Bound<'py, PyBytes>, Vec<String>)> {
    let request = vault.by(actor, reason, context);
    let now = time::or_now(now)?;
    let mut progress = Progress::new(progress);
    let (all, damaged) = long(py, identity, || -> PyResult<(Vec<u8>, Vec<String>)> {
        let total = if progress.heard() { vault.count(now)? } else { 0 };
        let mut all = Vec::new();
        let mut damaged = Vec::new();
        let mut done = 0_usize;
        let mut after: Option<String> = None;
        loop {
            let page = vault.inner.export(&vault.scope, after.as_deref(), 1_000, &request, now);
            let page = page.map_err(refused)?;
            page.items.iter().for_each(|frame| all.extend_from_slice(frame));
            damaged.extend(names(&page.damaged));
            done = done.saturating_add(page.items.len()).saturating_add(page.damaged.len());
            progress.at(done, total);
            after = page.next;
            if after.is_none() {
                return Ok((all, damaged));
            }
        }
    })?;
    Ok((PyBytes::new(py, &all), damaged))
}

/// Takes exported devices in, all of them or none; gives how many. `progress` is called with how
/// many bytes are done, and of how many; what it raises ends the call, and then none is in.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
#[pyo3(signature = (vault, data, /, *, actor, reason, context = "", now = None, progress = None))]
pub(crate) fn import_devices(
    py: Python<'_>,
    vault: &Vault,
    data: &[u8],
    actor: &str,
    reason: &str,
    context: &str,
    now: Option<&Bound<'_, PyDateTime>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<u64> {
    let request = vault.by(actor, reason, context);
    let now = time::or_now(now)?;
    let data = data.to_vec();
    let mut progress = Progress::new(progress);
    let mut told = 0_usize;
    let mut tell = |done: usize| {
        // Not for every device: a call of Python costs as much as a device.
        if done.saturating_sub(told) >= 1 << 20 || done == data.len() {
            told = done;
            progress.at(done, data.len());
        }
    };
    let count = long(py, refused, || {
        vault.inner.import_watched(&vault.scope, &data, &request, now, &mut tell)
    })?;
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}
