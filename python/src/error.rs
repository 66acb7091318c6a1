//! Errors cross to Python as exceptions that Python defines (`laps/exceptions.py`), with the number
//! of `Code`.

use core::fmt::Display;

use laps_core::error::Code;
use laps_core::seal::SealError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The exception for `code`, with `message` as its text.
pub(crate) fn raise(code: Code, message: impl Display) -> PyErr {
    Python::attach(|py| {
        let made = py
            .import("laps.exceptions")
            .and_then(|module| module.getattr("from_code"))
            .and_then(|make| make.call1((code.as_u16(), message.to_string())));
        match made {
            Ok(exception) => PyErr::from_value(exception),
            Err(error) => error,
        }
    })
}

/// Every code: `{name: (number, message)}`, in numerical order.
#[pyfunction]
pub(crate) fn codes(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    for code in Code::ALL {
        all.set_item(code.name(), (code.as_u16(), code.message()))?;
    }
    Ok(all)
}

/// What sealing or opening says.
pub(crate) fn sealing(error: SealError) -> PyErr {
    raise(error.code(), error)
}
