//! Looking at a vault without the power to hand anything out or to change anything.

use laps_core::identity::Scope;
use laps_core::vault::Metadata as CoreMetadata;
use laps_host::sqlite::SqliteStore;
use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use super::rows::{Device, Due, Stats, StoredRecord};
use super::{names, refused};
use crate::ending::long;
use crate::time;

/// What a vault knows but its sealed records: names, versions, times, states. `Vault.metadata()`
/// makes it, for the part of a program that shall be able to do nothing else.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Metadata {
    pub(super) inner: CoreMetadata<SqliteStore>,
    pub(super) scope: Scope,
}

#[pymethods]
impl Metadata {
    /// See `Vault.list`.
    #[pyo3(signature = (*, after = None, limit = 1000))]
    fn list(
        &self,
        py: Python<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<Device>, Option<String>, Vec<String>)> {
        let page = long(py, refused, || self.inner.list(&self.scope, after, limit))?;
        let damaged = names(&page.damaged);
        Ok((page.items.into_iter().map(Device::from).collect(), page.next, damaged))
    }

    /// See `Vault.show`.
    #[pyo3(signature = (device, /))]
    fn show(&self, py: Python<'_>, device: &str) -> PyResult<Device> {
        Ok(long(py, refused, || self.inner.show(&self.scope, device))?.into())
    }

    /// See `Vault.history`.
    #[pyo3(signature = (device, /))]
    fn history(&self, py: Python<'_>, device: &str) -> PyResult<Vec<StoredRecord>> {
        let rows = long(py, refused, || self.inner.history(&self.scope, device))?;
        Ok(rows.into_iter().map(StoredRecord::from).collect())
    }

    /// See `Vault.due`.
    #[pyo3(signature = (*, until = None, after = None, limit = 1000))]
    fn due(
        &self,
        py: Python<'_>,
        until: Option<&Bound<'_, PyDateTime>>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<(Vec<Due>, Option<String>, Vec<String>)> {
        let until = time::or_now(until)?;
        let page = long(py, refused, || self.inner.due(&self.scope, until, after, limit))?;
        let damaged = names(&page.damaged);
        Ok((page.items.into_iter().map(Due::from).collect(), page.next, damaged))
    }

    /// See `Vault.stats`.
    #[pyo3(signature = (*, now = None))]
    fn stats(&self, py: Python<'_>, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<Stats> {
        let now = time::or_now(now)?;
        Ok(long(py, refused, || self.inner.stats(&self.scope, now))?.into())
    }
}
