//! Files and the process itself, as the command line needs them.

use std::path::PathBuf;

use laps_core::error::Code;
use laps_core::text;
use laps_host::process;
use laps_host::trust::{self, Content};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::raise;

/// The text of a file that anybody may have written: UTF-8 or UTF-16, without its byte order mark.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn decode_text(data: &[u8]) -> PyResult<String> {
    text::decode(data).map(String::from).map_err(|error| raise(Code::InvalidUtf8, error))
}

/// The one line of such a file, without its end.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn decode_line(data: &[u8]) -> PyResult<String> {
    let refused = |error| raise(Code::InvalidUtf8, error);
    let text = text::decode(data).map_err(refused)?;
    text::line(&text).map(str::to_owned).map_err(refused)
}

/// Reads a file, at most `largest` bytes, that nobody else could have written and, with `secret`,
/// that nobody else can read.
#[pyfunction]
#[pyo3(signature = (path, /, *, secret, largest))]
pub(crate) fn read_trusted(
    py: Python<'_>,
    path: PathBuf,
    secret: bool,
    largest: u64,
) -> PyResult<Bound<'_, PyBytes>> {
    let found = py.detach(|| trust::read(&path, content(secret), largest));
    let found = found.map_err(|error| raise(error.code(), error))?;
    Ok(PyBytes::new(py, &found))
}

/// Refuses a file that others could have written or, with `secret`, can read.
#[pyfunction]
#[pyo3(signature = (path, /, *, secret))]
pub(crate) fn judge_file(py: Python<'_>, path: PathBuf, secret: bool) -> PyResult<()> {
    let judged = py.detach(|| trust::judge(&path, content(secret)));
    judged.map_err(|error| raise(error.code(), error))
}

/// Turns core dumps of this process off, and locks its memory where it may; what could not be had,
/// in sentences.
#[pyfunction]
pub(crate) fn protect_process() -> Vec<String> {
    process::protect()
}

const fn content(secret: bool) -> Content {
    if secret { Content::Secret } else { Content::Public }
}
