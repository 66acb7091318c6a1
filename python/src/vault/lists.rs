//! Looking at devices and records, without opening anything.

use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use super::metadata::Metadata;
use super::rows::{Device, Due, Stats, StoredRecord};
use super::{Vault, names, refused};
use crate::ending::long;
use crate::time;

#[pymethods]
impl Vault {
    /// A page of devices by name, those behind `after`; the `after` of the next page or None; and
    /// the names of devices in this page whose data is damaged, which are in no row.
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

    /// One device.
    #[pyo3(signature = (device, /))]
    fn show(&self, py: Python<'_>, device: &str) -> PyResult<Device> {
        let row = long(py, refused, || self.inner.show(&self.scope, device))?;
        Ok(row.into())
    }

    /// The records of a device without their content: current, pending, history.
    #[pyo3(signature = (device, /))]
    fn history(&self, py: Python<'_>, device: &str) -> PyResult<Vec<StoredRecord>> {
        let rows = long(py, refused, || self.inner.history(&self.scope, device))?;
        Ok(rows.into_iter().map(StoredRecord::from).collect())
    }

    /// A page of devices that are due no later than `until` (now), by due date; the `after` of the
    /// next page or None; and the names of devices in this page whose data is damaged.
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

    /// Figures about the vault.
    #[pyo3(signature = (*, now = None))]
    fn stats(&self, py: Python<'_>, now: Option<&Bound<'_, PyDateTime>>) -> PyResult<Stats> {
        let now = time::or_now(now)?;
        let stats = long(py, refused, || self.inner.stats(&self.scope, now))?;
        Ok(stats.into())
    }

    /// The vault without the power to hand anything out or to change anything.
    fn metadata(&self) -> Metadata {
        Metadata { inner: self.inner.metadata(), scope: self.scope }
    }
}
