//! The audit log, and what happened since the last question.

use laps_core::vault::AuditHead;
use pyo3::prelude::*;

use super::audit_rows::{AuditEntry, AuditReport, Observed};
use super::{Vault, refused};
use crate::ending::long;
use crate::error::raise;
use crate::progress::Progress;

#[pymethods]
impl Vault {
    /// Verifies the audit log. `expect` is a head from before, from a receipt or a device.
    /// `progress` is called with how many entries were looked at, and of how many; what it
    /// raises ends the call.
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
        let report =
            long(py, refused, || self.inner.audit_verify_watched(&self.scope, expect, &mut tell))?;
        Ok(report.into())
    }

    /// Entries of the audit log as they are stored, those behind `after`.
    #[pyo3(signature = (*, after = 0, limit = 1000))]
    fn audit_entries(&self, py: Python<'_>, after: u64, limit: usize) -> PyResult<Vec<AuditEntry>> {
        let entries = long(py, refused, || self.inner.audit_entries(&self.scope, after, limit))?;
        Ok(entries.into_iter().map(AuditEntry::from).collect())
    }

    /// The head of the audit log now.
    #[getter]
    fn audit_head(&self, py: Python<'_>) -> PyResult<String> {
        let head = long(py, refused, || self.inner.audit_head(&self.scope))?;
        Ok(head.to_string())
    }

    /// What happened through this object since the last call, oldest first, and how much before
    /// that was forgotten: for metrics. The first call gives nothing; from then on at most 1024
    /// are kept.
    fn observed(&self) -> PyResult<(Vec<Observed>, u64)> {
        let taken = self.observations.take().map_err(|error| refused(error.into()))?;
        Ok((taken.observed.into_iter().map(Observed::from).collect(), taken.missed))
    }
}
