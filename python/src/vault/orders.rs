//! Handing out sealed records, what became of them, and orders to rotate.

use laps_core::error::Code;
use laps_core::seal::OpenedProof;
use laps_core::vault::{DiscloseOptions, RotateAfter, Selection, Who};
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDelta};

use super::rows::{Disclosure, Ordered};
use super::{Vault, confirmation, refused};
use crate::ending::long;
use crate::error::raise;
use crate::time;

#[pymethods]
impl Vault {
    /// Hands out the sealed candidates of a device; of an `account` that it managed before, by
    /// name. The audit entry, and the order to rotate, are durable before. What is shown is
    /// rotated as the setting of the vault says, or `rotate_after`; with `rotate=False` not
    /// at all. Later than the setting, or not at all, needs `confirm`. With `from_device` also what
    /// the device sealed, of records that were re-sealed, and then it is rotated at once.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        device, /, *, actor, reason, context = "", history = false, rotate_after = None, rotate =
        true, confirm = false, account = None, from_device = false, now = None
    ))]
    fn disclose(
        &self,
        py: Python<'_>,
        device: &str,
        actor: &str,
        reason: &str,
        context: &str,
        history: bool,
        rotate_after: Option<&Bound<'_, PyDelta>>,
        rotate: bool,
        confirm: bool,
        account: Option<&str>,
        from_device: bool,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Disclosure> {
        let mut options = DiscloseOptions::default();
        if history {
            options = options.with_history();
        }
        if let Some(delay) = rotate_after {
            options = options.with_rotation_after(time::seconds(delay)?);
        }
        if !rotate {
            options.rotate_after = RotateAfter::Never;
        }
        options.longer = confirmation(confirm);
        options.account = account;
        options.from_device = from_device;
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let disclosure =
            long(py, refused, || self.inner.disclose(&self.scope, device, &request, options, now))?;
        Disclosure::from_core(py, disclosure)
    }

    /// Notes whether what an entry disclosed was opened, with the `proofs` that opening it gave
    /// (`Opened.proof`), without which it is claimed only; gives the head. Only who disclosed
    /// can say so. Whatever is noted, it counts as revealed. `reader_id` is the id of the
    /// reader that opened.
    #[pyo3(signature = (
        entry, /, *, opened, actor, reason, context = "", proofs = Vec::new(), reader_id = None, now
        = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    fn record_outcome(
        &self,
        py: Python<'_>,
        entry: u64,
        opened: bool,
        actor: &str,
        reason: &str,
        context: &str,
        proofs: Vec<[u8; 32]>,
        reader_id: Option<[u8; 32]>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let mut request = self.by(actor, reason, context);
        request.reader = reader_id;
        let now = time::or_now(now)?;
        let proofs: Vec<OpenedProof> = proofs.into_iter().map(OpenedProof::from_bytes).collect();
        let head = long(py, refused, || {
            self.inner.record_outcome(&self.scope, entry, opened, &proofs, &request, now)
        })?;
        Ok(head.to_string())
    }

    /// Orders devices to rotate at their next check-in: those that are named, `all`, the `overdue`
    /// ones, or those of which `revealed_by` was shown something since then: by a disclosure,
    /// an export, a back-up, or records that were exported for re-sealing. That is whom
    /// the system authenticated; `typed_as` goes by the actor that was typed.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        devices = None, /, *, actor, reason, context = "", all = false, overdue = false, revealed_by
        = None, typed_as = None, since = None, now = None
    ))]
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
        typed_as: Option<&str>,
        since: Option<&Bound<'_, PyDateTime>>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Ordered> {
        let names: Vec<&str> = devices.iter().flatten().map(String::as_str).collect();
        let since = since.map(time::from_python).transpose()?;
        let who = revealed_by.map(Who::Caller);
        let chosen = [devices.is_some(), all, overdue, who.is_some(), typed_as.is_some()];
        let who = who.or_else(|| typed_as.map(Who::TypedAs));
        if chosen.iter().filter(|chosen| **chosen).count() != 1 {
            return Err(raise(
                Code::InvalidArgument,
                "choose the devices in one way: by name, all, overdue, or revealed_by or typed_as \
                 with since",
            ));
        }
        let selection = match (who, since) {
            (Some(who), since) => Selection::RevealedBy { who, since: since.unwrap_or_default() },
            (None, _) if all => Selection::All,
            (None, _) if overdue => Selection::Overdue,
            (None, _) => Selection::Devices(&names),
        };
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let ordered =
            long(py, refused, || self.inner.order_rotation(&self.scope, selection, &request, now))?;
        Ok(ordered.into())
    }

    /// Whether an order to rotate is open for a device, also one that waits for a retired device.
    #[pyo3(signature = (device, /))]
    fn is_ordered(&self, py: Python<'_>, device: &str) -> PyResult<bool> {
        long(py, refused, || self.inner.is_ordered(&self.scope, device))
    }
}
