//! The readers of a vault, and how much history it keeps.

use laps_core::seal::ReaderId;
use laps_core::vault::{ReaderRow, VaultError};
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDelta};

use super::rows::{KnownReader, Ordered};
use super::{Vault, confirmation, refused, retention};
use crate::ending::long;
use crate::reader::Reader;
use crate::time;

#[pymethods]
impl Vault {
    /// The readers that the vault knows, also those that were removed.
    fn readers(&self, py: Python<'_>) -> PyResult<Vec<KnownReader>> {
        let rows = long(py, refused, || self.inner.readers(&self.scope))?;
        Ok(rows.into_iter().map(KnownReader::from).collect())
    }

    /// Adds a reader; gives the head. Records that are there are re-sealed for it by `reseal`.
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
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let head =
            long(py, refused, || self.inner.add_reader(&self.scope, &reader.inner, &request, now))?;
        Ok(head.to_string())
    }

    /// Removes a reader by its id, then orders the rotation of what it can open, spread over
    /// `rotate_within` (None: no order). What it has a copy of stays readable to it. The last
    /// reader needs `confirm`, and one without whom no active reader could open a password in
    /// use.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        reader_id, /, *, actor, reason, context = "", rotate_within = None, confirm = false, now =
        None
    ))]
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
        let request = self.by(actor, reason, context);
        let window = rotate_within.map(time::seconds).transpose()?;
        let now = time::or_now(now)?;
        let ordered = long(py, refused, || {
            let id = known_id(&self.inner.readers(&self.scope)?, reader_id)?;
            let confirmed = confirmation(confirm);
            self.inner.remove_reader(&self.scope, &id, window, confirmed, &request, now)
        })?;
        Ok(ordered.into())
    }

    /// What the removal of a reader would leave without an active reader: of how many devices, how
    /// many passwords in use.
    #[pyo3(signature = (reader_id, /))]
    fn reader_loss(&self, py: Python<'_>, reader_id: &str) -> PyResult<(u64, u64)> {
        let loss = long(py, refused, || {
            let id = known_id(&self.inner.readers(&self.scope)?, reader_id)?;
            self.inner.reader_loss(&self.scope, &id)
        })?;
        Ok((loss.devices, loss.records))
    }

    /// Orders the rotation of what a reader can open, by its id, spread over `within`; the reader
    /// may have been removed. This is what `remove_reader` does after the removal, for when it
    /// was stopped there. Nothing is ordered twice.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (reader_id, /, *, actor, reason, context = "", within = None, now = None))]
    fn order_readable(
        &self,
        py: Python<'_>,
        reader_id: &str,
        actor: &str,
        reason: &str,
        context: &str,
        within: Option<&Bound<'_, PyDelta>>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Ordered> {
        let request = self.by(actor, reason, context);
        let window = within.map(time::seconds).transpose()?.unwrap_or(0);
        let now = time::or_now(now)?;
        let ordered = long(py, refused, || {
            let id = known_id(&self.inner.readers(&self.scope)?, reader_id)?;
            self.inner.order_readable(&self.scope, &id, window, &request, now)
        })?;
        Ok(ordered.into())
    }

    /// Sets how many displaced records of a device are kept, 1 to 65535, and that beyond those all
    /// that were displaced within so many `days` are (None: no such rule); gives the head. A
    /// shorter history takes effect at a device's next change.
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (history, /, *, actor, reason, days = None, context = "", now = None))]
    fn set_retention(
        &self,
        py: Python<'_>,
        history: u16,
        actor: &str,
        reason: &str,
        days: Option<u16>,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = self.by(actor, reason, context);
        let now = time::or_now(now)?;
        let setting = retention(history, days)?;
        let head =
            long(py, refused, || self.inner.set_retention(&self.scope, setting, &request, now))?;
        Ok(head.to_string())
    }

    /// Sets how long after a disclosure what was shown is rotated (None: only when it is asked
    /// for); gives the head. A new vault has a day.
    #[pyo3(signature = (delay, /, *, actor, reason, context = "", now = None))]
    fn set_rotate_after(
        &self,
        py: Python<'_>,
        delay: Option<&Bound<'_, PyDelta>>,
        actor: &str,
        reason: &str,
        context: &str,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<String> {
        let request = self.by(actor, reason, context);
        let seconds = delay.map(time::seconds).transpose()?;
        let now = time::or_now(now)?;
        let head =
            long(py, refused, || self.inner.set_rotate_after(&self.scope, seconds, &request, now))?;
        Ok(head.to_string())
    }

    /// How long after a disclosure what was shown is rotated; None: only when it is asked for.
    #[getter]
    fn rotate_after(&self, py: Python<'_>) -> PyResult<Option<core::time::Duration>> {
        let seconds = long(py, refused, || self.inner.rotate_after(&self.scope))?;
        Ok(seconds.map(core::time::Duration::from_secs))
    }

    /// How many displaced records of a device are kept, and within how many days all are (None: no
    /// such rule).
    #[getter]
    fn retention(&self, py: Python<'_>) -> PyResult<(u16, Option<u16>)> {
        let setting = long(py, refused, || self.inner.retention(&self.scope))?;
        Ok((setting.count, setting.days))
    }
}

/// The id that this text is, of a reader that the vault knows.
fn known_id(known: &[ReaderRow], text: &str) -> Result<ReaderId, VaultError> {
    let mut ids = known.iter().map(|row| row.reader.id());
    ids.find(|id| id.to_string() == text).ok_or(VaultError::NotFound("reader"))
}
