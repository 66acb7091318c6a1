//! The private module `laps._laps`: the core and the host for Python. The package in `pysrc/laps` is its face.
//!
//! Classes are frozen, options are keyword-only, slow work releases the GIL, and every error carries the same
//! number as in Rust and C.

mod error;
mod password;

use pyo3::prelude::*;

#[pymodule]
mod _laps {
    #[pymodule_export]
    use super::error::codes;
    #[pymodule_export]
    use super::password::Password;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
