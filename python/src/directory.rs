//! Passwords as Active Directory stores them.

use laps_core::directory::{ClearPassword, EncryptedPassword, ProtectedBlob};
use laps_core::error::Code;
use laps_core::secret;
use laps_core::text;
use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use crate::error::raise;
use crate::password::Password;
use crate::time;

/// What Active Directory stores of a password: `msLAPS-Password`, or `msLAPS-EncryptedPassword`
/// with what stands in clear in it.
#[pyclass(frozen, module = "laps")]
pub(crate) struct DirectoryPassword {
    /// `clear` or `encrypted`.
    #[pyo3(get)]
    kind: &'static str,
    /// The account; None where it is encrypted.
    #[pyo3(get)]
    account: Option<String>,
    /// The password; None where it is encrypted.
    #[pyo3(get)]
    password: Option<Py<Password>>,
    /// Who may decrypt it: a SID; None where it is in clear, or the blob does not say.
    #[pyo3(get)]
    decryptor: Option<String>,
    /// The root key of the domain's key service that it was encrypted under; None as for
    /// `decryptor`.
    #[pyo3(get)]
    root_key: Option<String>,
    /// The domain of that key; None as for `decryptor`.
    #[pyo3(get)]
    domain: Option<String>,
    /// Why the blob does not say who may decrypt it; None where it does, or where it is in clear.
    #[pyo3(get)]
    trouble: Option<String>,
    updated: Option<laps_core::directory::Filetime>,
}

#[pymethods]
impl DirectoryPassword {
    /// When the password was set; None where that cannot be told.
    #[getter]
    fn updated<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        self.updated.map(|at| time::to_python(py, at.timestamp())).transpose()
    }

    fn __repr__(&self) -> String {
        format!("<DirectoryPassword {}>", self.kind)
    }
}

/// Reads the value of `msLAPS-Password` (JSON text) or of `msLAPS-EncryptedPassword` and its
/// history (bytes).
///
/// A time that cannot be told does not stand in the way of the password.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn read_directory_password(py: Python<'_>, data: &[u8]) -> PyResult<DirectoryPassword> {
    let clear = text::decode(data).ok().filter(|text| text.trim_start().starts_with('{'));
    if let Some(text) = clear {
        let mut password = Box::new(secret::Password::empty());
        let read = ClearPassword::read(text.trim(), &mut password)
            .map_err(|error| raise(error.code(), error))?;
        return Ok(DirectoryPassword {
            kind: "clear",
            account: Some(read.account.to_string()),
            password: Some(Py::new(py, Password::from_core(password))?),
            decryptor: None,
            root_key: None,
            domain: None,
            trouble: None,
            updated: read.updated,
        });
    }
    // A text is no value of the other attribute: the error is about the one that was meant.
    if data.is_ascii() {
        let text = "not msLAPS-Password; accepted is \
                    {\"n\":account,\"t\":time in hexadecimal,\"p\":password}, or the bytes of \
                    msLAPS-EncryptedPassword";
        return Err(raise(Code::RecordMalformed, text));
    }
    let read = EncryptedPassword::read(data).map_err(|error| raise(error.code(), error))?;
    let (blob, trouble) = match ProtectedBlob::read(read.blob) {
        Ok(blob) => (Some(blob), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Ok(DirectoryPassword {
        kind: "encrypted",
        account: None,
        password: None,
        decryptor: blob.map(|blob| blob.sid.to_string()),
        root_key: blob.map(|blob| blob.root_key.to_string()),
        domain: blob.map(|blob| blob.domain.to_string()),
        trouble,
        updated: read.updated,
    })
}
