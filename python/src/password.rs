//! A password as Python sees it: redacted everywhere, read through one door, wiped at the end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use laps_core::error::Code;
use laps_core::secret;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::error::raise;

/// A password. It is redacted in `repr`, `str` and format, cannot be pickled, copied or hashed, and
/// compares in constant time. `expose()` is the one door; as a context manager it is wiped at the
/// end of the block.
///
/// What `expose()` hands out is a Python string: a copy outside the control of this library.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Password {
    // None after a wipe.
    inner: Mutex<Option<Box<secret::Password>>>,
}

impl Password {
    pub(crate) fn from_core(password: Box<secret::Password>) -> Self {
        Self { inner: Mutex::new(Some(password)) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<secret::Password>>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `read` see the text.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&secret::Password) -> T) -> PyResult<T> {
        match &*self.lock() {
            Some(password) => Ok(read(password)),
            None => Err(raise(
                Code::InvalidArgument,
                "the password was wiped; read it before the end of its `with` block",
            )),
        }
    }
}

#[pymethods]
impl Password {
    /// A password that came from elsewhere: at most 128 bytes of UTF-8.
    #[new]
    #[pyo3(signature = (text, /))]
    fn new(text: &Bound<'_, PyString>) -> PyResult<Self> {
        let mut password = Box::new(secret::Password::empty());
        password.set(text.to_cow()?.as_ref()).map_err(|error| raise(error.code(), error))?;
        Ok(Self::from_core(password))
    }

    /// The text, as a string of its own.
    fn expose<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.with(|password| PyString::new(py, password.expose_secret()))
    }

    /// Overwrites the text; `expose()` fails from then on.
    fn wipe(&self) {
        *self.lock() = None;
    }

    /// Whether it was wiped.
    #[getter]
    fn wiped(&self) -> bool {
        self.lock().is_none()
    }

    /// Length in bytes of UTF-8; 0 after a wipe.
    fn __len__(&self) -> usize {
        self.lock().as_ref().map_or(0, |password| password.len())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Self>() else { return false };
        let other = other.get();
        if core::ptr::eq(self, other) {
            return true;
        }
        // One lock at a time: two threads may compare the same pair in both orders.
        let mut copy = Box::new(secret::Password::empty());
        let known = match &*other.lock() {
            Some(password) => copy.set(password.expose_secret()).is_ok(),
            None => false,
        };
        known && self.lock().as_ref().is_some_and(|password| password.equals(&copy))
    }

    fn __hash__(&self) -> PyResult<isize> {
        Err(PyTypeError::new_err("a password cannot be hashed"))
    }

    fn __repr__(&self) -> &'static str {
        "<Password>"
    }

    fn __str__(&self) -> &'static str {
        "<Password>"
    }

    #[pyo3(signature = (format_spec, /))]
    fn __format__(&self, format_spec: &Bound<'_, PyAny>) -> &'static str {
        let _ = format_spec;
        "<Password>"
    }

    #[pyo3(signature = (protocol, /))]
    fn __reduce_ex__(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = protocol;
        Err(PyTypeError::new_err("a password cannot be pickled"))
    }

    fn __copy__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a password cannot be copied"))
    }

    #[pyo3(signature = (memo, /))]
    fn __deepcopy__(&self, memo: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = memo;
        Err(PyTypeError::new_err("a password cannot be copied"))
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*exception))]
    fn __exit__(&self, exception: &Bound<'_, PyTuple>) {
        let _ = exception;
        self.wipe();
    }
}
