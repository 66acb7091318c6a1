//! Handing out sealed records, what became of them, and orders to rotate.

use laps_core::error::Code;
use laps_core::vault::{DiscloseOptions, Request, Selection};
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDelta};

use super::row::{Disclosure, Ordered};
use super::{Vault, refused};
use crate::error::raise;
use crate::time;

#[pymethods]
impl Vault {
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
    /// which the actor `revealed_by` was shown something since then: by a disclosure, an export, a back-up, or records that were
    /// handed out to be sealed anew.
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

    /// Whether an order to rotate is open for a device, also one that waits for a retired device.
    #[pyo3(signature = (device, /))]
    fn is_ordered(&self, py: Python<'_>, device: &str) -> PyResult<bool> {
        py.detach(|| self.inner.is_ordered(&self.scope, device)).map_err(refused)
    }
}
