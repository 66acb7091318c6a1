//! Taking devices out of service, bringing them back, removing what is kept.

use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use super::{Vault, confirmation, refused};
use crate::ending::long;
use crate::record::record_id;
use crate::time;

#[pymethods]
impl Vault {
    /// Takes a device out of service; gives the head. What is stored stays and can be disclosed.
    /// Orders to rotate wait until it checks in again.
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
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let head = long(py, refused, || self.inner.retire(&self.scope, device, &request, now))?;
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
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let head = long(py, refused, || self.inner.re_enrol(&self.scope, device, &request, now))?;
        Ok(head.to_string())
    }

    /// Removes a device and every password of it; gives the head. Needs `confirm`. The audit log
    /// stays.
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
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let confirmed = confirmation(confirm);
        let head =
            long(py, refused, || self.inner.purge(&self.scope, device, confirmed, &request, now))?;
        Ok(head.to_string())
    }

    /// Removes one record of a device, a candidate or one in history; gives the head. Needs
    /// `confirm`: the device may still have this password.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        device, record, /, *, actor, reason, context = "", confirm = false, now = None
    ))]
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
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let confirmed = confirmation(confirm);
        let head = long(py, refused, || {
            self.inner.remove_record(&self.scope, device, record, confirmed, &request, now)
        })?;
        Ok(head.to_string())
    }
}
