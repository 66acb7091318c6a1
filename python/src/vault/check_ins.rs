//! Taking the messages of devices.

use laps_core::vault::VaultError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDateTime};

use super::{Vault, refused};
use crate::ending::long;
use crate::time;

#[pymethods]
impl Vault {
    /// Takes a device's message and gives the answer. `device` is what the caller has
    /// authenticated.
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
        let answer = long(py, refused, || self.inner.check_in(&self.scope, device, &message, now))?;
        Ok(PyBytes::new(py, &answer))
    }

    /// Takes the messages of many devices, each as (device, message), in one transaction with one
    /// wait for the disk. Gives, in their order, the answer to each, or the `LapsError` with
    /// which it was refused: one bad message does not hinder the others. What is raised, as
    /// `Busy`, is about all of them: then none was taken, and all may be given again. Where nothing
    /// can be written, those that change nothing are answered all the same, and the others have
    /// that error.
    #[pyo3(signature = (check_ins, /, *, now = None))]
    fn check_in_many<'py>(
        &self,
        py: Python<'py>,
        check_ins: Vec<(String, PyBackedBytes)>,
        now: Option<&Bound<'py, PyDateTime>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let now = time::or_now(now)?;
        let sent: Vec<(&str, &[u8])> =
            check_ins.iter().map(|(device, message)| (device.as_str(), &**message)).collect();
        let answers = long(py, refused, || self.inner.check_in_many(&self.scope, &sent, now))?;
        let answer = |answer: Result<Vec<u8>, VaultError>| match answer {
            Ok(answer) => PyBytes::new(py, &answer).into_any(),
            Err(error) => refused(error).into_value(py).into_bound(py).into_any(),
        };
        Ok(answers.into_iter().map(answer).collect())
    }
}
