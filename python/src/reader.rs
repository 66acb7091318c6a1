//! Readers.

use laps_core::seal;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::sealing;

/// A reader: the public half of a key pair. Records are sealed to readers.
///
/// As text it is one line, which `str()` gives and the constructor takes.
#[pyclass(frozen, eq, module = "laps")]
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Reader {
    pub(crate) inner: seal::Reader,
}

#[pymethods]
impl Reader {
    /// From its line of text.
    #[new]
    #[pyo3(signature = (line, /))]
    fn new(line: &str) -> PyResult<Self> {
        Ok(Self { inner: line.parse().map_err(sealing)? })
    }

    /// `x-wing` or `x25519`.
    #[getter]
    fn suite(&self) -> &'static str {
        self.inner.suite().name()
    }

    /// 64 hexadecimal digits, by which records name it.
    #[getter]
    fn id(&self) -> String {
        self.inner.id().to_string()
    }

    /// The label.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// The public key.
    #[getter]
    fn public_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.public_key())
    }

    fn __hash__(&self) -> u64 {
        let bytes = self.inner.id();
        bytes.as_bytes().iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
    }

    fn __str__(&self) -> String {
        self.inner.to_string()
    }

    fn __repr__(&self) -> String {
        let id = self.inner.id().to_string();
        let head: String = id.chars().take(16).collect();
        format!("<Reader {:?} {} {head}…>", self.inner.name(), self.inner.suite().name())
    }
}
