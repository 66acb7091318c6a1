//! How many passwords a recipe allows.

use laps_core::error::Code;
use pyo3::prelude::*;
use pyo3::types::PyInt;

use crate::error::raise;

/// The strength of a recipe: a count, not a guess. One password has no strength of its own.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Strength {
    pub(crate) admissible: String,
    pub(crate) bits_micro: u64,
    pub(crate) min_length: usize,
    pub(crate) max_length: usize,
}

impl Strength {
    pub(crate) fn decimal(&self) -> String {
        let (whole, rest) =
            (self.bits_micro.div_euclid(1_000_000), self.bits_micro.rem_euclid(1_000_000));
        format!("{whole}.{rest:06}")
    }
}

#[pymethods]
impl Strength {
    /// How many passwords the recipe allows, exactly.
    #[getter]
    fn admissible<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.get_type::<PyInt>().call1((self.admissible.as_str(),))
    }

    /// The same in bits, rounded down to six places.
    #[getter]
    fn bits(&self) -> PyResult<f64> {
        self.decimal().parse().map_err(|_| raise(Code::Internal, "bits are a decimal number"))
    }

    /// Millionths of a bit, rounded down.
    #[getter]
    fn bits_micro(&self) -> u64 {
        self.bits_micro
    }

    /// The length of the shortest password.
    #[getter]
    fn min_length(&self) -> usize {
        self.min_length
    }

    /// The length of the longest password.
    #[getter]
    fn max_length(&self) -> usize {
        self.max_length
    }

    fn __repr__(&self) -> String {
        format!("<Strength {} bits>", self.decimal())
    }
}
