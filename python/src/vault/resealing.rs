//! Re-sealing records: here with a reader's key, or where the key is, with pages that go there
//! and come back.

use core::convert::identity;

use laps_core::vault;
use laps_host::sqlite;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime};

use super::rows::Resealed;
use super::{Vault, names, refused};
use crate::ending::long;
use crate::progress::Progress;
use crate::reader_key::ReaderKey;
use crate::record::Record;
use crate::time;

/// A sealed record that a vault exported for re-sealing.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Resealing {
    inner: vault::Resealing,
}

#[pymethods]
impl Resealing {
    /// Its device.
    #[getter]
    fn device(&self) -> &str {
        self.inner.device.as_str()
    }

    /// Its id.
    #[getter]
    fn record(&self) -> String {
        self.inner.record.to_string()
    }

    /// The highest number of a sealing that the vault keeps: `ReaderKey.reseal` is given it.
    #[getter]
    fn above(&self) -> u32 {
        self.inner.above
    }

    /// The sealed bytes: `Record.parse` reads them.
    #[getter]
    fn sealed<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.sealed)
    }
}

/// Records that have to be re-sealed, of one page of devices.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct ResealPage {
    /// The records.
    items: Vec<Py<Resealing>>,
    /// The `after` of the next page; None at the end.
    next: Option<String>,
    /// Devices of this page whose data is damaged: which records they have is not known.
    damaged: Vec<String>,
    /// Records of this page whose stored bytes are damaged: device, record.
    damaged_records: Vec<(String, String)>,
}

#[pymethods]
impl Vault {
    /// Opens every record that is not sealed to exactly the readers of now and re-seals it, on
    /// all cores. What this key does not open, and what is damaged or hostile, is named in the
    /// answer and left as it was. It goes on where a run that was stopped ended. `progress` is
    /// called with how many records were looked at, and of how many at most; when it raises, the
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
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let mut progress = Progress::new(progress);
        let done = long(py, identity, || {
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
            done.map_err(refused)
        })?;
        Ok(done.into())
    }

    /// Exports records that are not sealed to exactly the readers of now, of at most `limit`
    /// devices behind `after`, for a vault whose readers' keys are elsewhere: there
    /// `Record.parse` and `ReaderKey.reseal`, and back with `import_resealed`. Seal to
    /// readers that you know, from a signed set or a list of your own: who keeps the vault could
    /// name you one of theirs. The export is in the audit log. A page may be empty and still
    /// not the last one: that one has no `next`.
    ///
    /// `from_devices` exports something else: of records that were re-sealed, the sealings that
    /// came from the devices, for when what was re-sealed opens for nobody. Those name who
    /// could read before, so their rotation is ordered.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        *, actor, reason, context = "", after = None, limit = 1000, from_devices = false, now = None
    ))]
    fn export_for_resealing(
        &self,
        py: Python<'_>,
        actor: &str,
        reason: &str,
        context: &str,
        after: Option<&str>,
        limit: usize,
        from_devices: bool,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<ResealPage> {
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let options = vault::ResealOptions::default();
        let options = if from_devices { options.from_devices() } else { options };
        let page = long(py, refused, || {
            self.inner.export_for_resealing_with(&self.scope, after, limit, options, &request, now)
        })?;
        let items = page.items.into_iter().map(|inner| Py::new(py, Resealing { inner }));
        let pairs = page.damaged_records.iter();
        Ok(ResealPage {
            items: items.collect::<PyResult<_>>()?,
            next: page.next,
            damaged: names(&page.damaged),
            damaged_records: pairs
                .map(|(device, record)| (device.to_string(), record.to_string()))
                .collect(),
        })
    }

    /// Imports records of `export_for_resealing` that were re-sealed. Each must hold the same
    /// password for the same purpose, sealed to readers of now; one that is refused does not hinder
    /// the others: it stays as it was and is in `failed`. Those that are gone, were taken already,
    /// or were re-sealed by somebody else meanwhile are left out, so a page may be imported again,
    /// also after an exception, when some may have been taken.
    ///
    /// The vault opens nothing, so it cannot tell whether a reader can open what it takes: let only
    /// those give records back whom you trust not to destroy them.
    #[pyo3(signature = (resealed, /, *, actor, reason, context = "", now = None))]
    fn import_resealed(
        &self,
        py: Python<'_>,
        resealed: Vec<Bound<'_, Record>>,
        actor: &str,
        reason: &str,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Resealed> {
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let given = |record: &Bound<'_, Record>| {
            let record = &record.get().inner;
            let header = record.header();
            vault::Resealing::new(header.device, header.id, record.as_bytes().to_vec())
        };
        let given: Vec<_> = resealed.iter().map(given).collect();
        let done = long(py, refused, || {
            self.inner.import_resealed_each(&self.scope, &given, &request, now)
        })?;
        Ok(done.into())
    }
}
