//! Which rules a password breaks: a recipe's, or those of a Windows device.

use laps_core::generate::{WindowsPolicy, WindowsRefusal};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::password::Password;

/// One rule that a password breaks.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Violation {
    /// The rule, in a word.
    pub(crate) rule: String,
    /// What is wrong and what would be accepted.
    pub(crate) message: String,
}

#[pymethods]
impl Violation {
    fn __str__(&self) -> &str {
        &self.message
    }

    fn __repr__(&self) -> String {
        format!("<Violation {}: {}>", self.rule, self.message)
    }
}

/// Why a Windows device's own password policy would refuse a password: its least length, and with
/// `complexity` three of five categories and no part of the names. Empty when it would take it.
/// Rules: `length`, `categories`, `user-name`, `full-name`.
#[pyfunction]
#[pyo3(signature = (
    password, /, *, min_length = 0, complexity = true, user_name = "", full_name = ""
))]
pub(crate) fn windows_check(
    password: &Bound<'_, PyAny>,
    min_length: u8,
    complexity: bool,
    user_name: &str,
    full_name: &str,
) -> PyResult<Vec<Violation>> {
    let policy = WindowsPolicy::new(min_length, complexity, user_name, full_name);
    reading(password, |text| {
        policy
            .check(text)
            .map(|refusal| Violation {
                rule: match refusal {
                    WindowsRefusal::TooShort { .. } => "length",
                    WindowsRefusal::TooFewCategories { .. } => "categories",
                    WindowsRefusal::HoldsUserName { .. } => "user-name",
                    WindowsRefusal::HoldsFullName { .. } => "full-name",
                    _ => "other",
                }
                .to_string(),
                message: refusal.to_string(),
            })
            .collect()
    })
}

/// Lets `work` look at a password or a text.
pub(crate) fn reading<T>(password: &Bound<'_, PyAny>, work: impl FnOnce(&str) -> T) -> PyResult<T> {
    if let Ok(password) = password.cast::<Password>() {
        return password.get().with(|password| work(password.expose_secret()));
    }
    match password.cast::<PyString>() {
        Ok(text) => Ok(work(text.to_cow()?.as_ref())),
        Err(_) => Err(PyTypeError::new_err("a password is str or Password")),
    }
}
