//! Many passwords in one object, and making them.

use core::convert::identity;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use laps_core::error::Code;
use laps_core::random::Generator as CoreGenerator;
use laps_core::secret;
use laps_host::stop;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::ending::long;
use crate::error::raise;
use crate::generator::recipe_or_default;
use crate::password::Password;
use crate::random::random;
use crate::recipe::Recipe;

/// Many passwords in one object, wiped together.
#[pyclass(frozen, sequence, module = "laps")]
pub(crate) struct Passwords {
    inner: Mutex<Vec<secret::Password>>,
}

impl Passwords {
    fn lock(&self) -> MutexGuard<'_, Vec<secret::Password>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy_of(&self, index: usize) -> Option<PyResult<Password>> {
        let all = self.lock();
        let found = all.get(index)?;
        let mut copy = Box::new(secret::Password::empty());
        let set = copy.set(found.expose_secret()).map_err(|error| raise(error.code(), error));
        Some(set.map(|()| Password::from_core(copy)))
    }
}

#[pymethods]
impl Passwords {
    fn __len__(&self) -> usize {
        self.lock().len()
    }

    fn __getitem__(&self, index: isize) -> PyResult<Password> {
        let place = if index < 0 {
            self.__len__().checked_sub(index.unsigned_abs())
        } else {
            usize::try_from(index).ok()
        };
        place
            .and_then(|place| self.copy_of(place))
            .unwrap_or_else(|| Err(PyIndexError::new_err("there is no password with this index")))
    }

    fn __iter__(slf: Py<Self>) -> PasswordsIterator {
        PasswordsIterator { all: slf, next: AtomicUsize::new(0) }
    }

    /// The texts, as strings of their own.
    fn expose<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let texts = PyList::empty(py);
        loop {
            // Slice by slice: while the lock is held no code of Python's runs.
            let slice: Vec<_> = {
                let all = self.lock();
                let rest = all.get(texts.len()..).unwrap_or_default().iter().take(SLICE);
                rest.map(|password| PyString::new(py, password.expose_secret())).collect()
            };
            if slice.is_empty() {
                return Ok(texts);
            }
            slice.into_iter().try_for_each(|text| texts.append(text))?;
            py.check_signals()?;
        }
    }

    /// Overwrites and drops all of them.
    fn wipe(&self) {
        self.lock().clear();
    }

    fn __repr__(&self) -> String {
        format!("<{} passwords>", self.__len__())
    }

    #[pyo3(signature = (protocol, /))]
    fn __reduce_ex__(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = protocol;
        Err(PyTypeError::new_err("passwords cannot be pickled"))
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

/// How many between two looks at whether somebody pressed Ctrl-C: some milliseconds.
const SLICE: usize = 1024;

/// Goes through the passwords of a batch.
#[pyclass(frozen, module = "laps")]
pub(crate) struct PasswordsIterator {
    all: Py<Passwords>,
    next: AtomicUsize,
}

#[pymethods]
impl PasswordsIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Option<Password>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        self.all.get().copy_of(index).transpose()
    }
}

/// Makes many passwords at once, without the interpreter's lock.
#[pyfunction]
#[pyo3(signature = (count, recipe = None, /))]
pub(crate) fn generate_many(
    py: Python<'_>,
    count: usize,
    recipe: Option<&Bound<'_, Recipe>>,
) -> PyResult<Passwords> {
    const MOST: usize = 10_000_000;
    if count > MOST {
        return Err(raise(
            Code::InvalidArgument,
            format!("count {count}: 0 to {MOST} are accepted"),
        ));
    }
    let recipe = recipe_or_default(recipe)?;
    let made = long(py, identity, || {
        let mut generator = CoreGenerator::from_system().map_err(random)?;
        // Filled in place and never grown: nothing is left behind by a move.
        let mut all = Vec::with_capacity(count);
        while all.len() < count && !stop::is_ended() {
            for _ in 0..SLICE.min(count.saturating_sub(all.len())) {
                all.push(secret::Password::empty());
                if let Some(password) = all.last_mut() {
                    recipe.generate_into(&mut generator, password).map_err(random)?;
                }
            }
        }
        Ok(all)
    })?;
    Ok(Passwords { inner: Mutex::new(made) })
}
