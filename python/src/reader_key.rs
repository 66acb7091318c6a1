//! Readers' private keys.

use std::sync::Arc;

use laps_core::error::Code;
use laps_core::seal;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use zeroize::Zeroizing;

use crate::error::{raise, sealing};
use crate::password::Password;
use crate::random::drawing;
use crate::reader::Reader;
use crate::record::Record;

/// What opening a record gives.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Opened {
    password: Py<Password>,
    proof: seal::OpenedProof,
}

#[pymethods]
impl Opened {
    /// The password.
    #[getter]
    fn password(&self, py: Python<'_>) -> Py<Password> {
        self.password.clone_ref(py)
    }

    /// 32 bytes that show that somebody opened the record (`Record.is_proven_by`).
    #[getter]
    fn proof<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.proof.as_bytes())
    }

    fn __repr__(&self) -> &'static str {
        "<Opened>"
    }
}

/// A reader's private key. It opens the records that are sealed to it; it is wiped when it is
/// freed.
#[pyclass(frozen, module = "laps")]
pub(crate) struct ReaderKey {
    pub(crate) inner: Arc<seal::ReaderKey>,
}

#[pymethods]
impl ReaderKey {
    /// Draws a new key. `suite` is `x-wing` (safe against later quantum computers, the default) or
    /// `x25519`.
    #[staticmethod]
    #[pyo3(signature = (name, *, suite = "x-wing"))]
    fn generate(py: Python<'_>, name: &str, suite: &str) -> PyResult<Self> {
        let Some(suite) = seal::Suite::from_name(suite) else {
            return Err(raise(
                Code::InvalidArgument,
                format!("suite {suite:?} is not known; x-wing and x25519 are accepted"),
            ));
        };
        let key = py.detach(|| drawing(|rng| seal::ReaderKey::generate(suite, name, rng)))?;
        Ok(Self { inner: Arc::new(key.map_err(sealing)?) })
    }

    /// Reads the bytes of a key file. `passphrase` is text or bytes; None for a key that was made
    /// without one.
    #[staticmethod]
    #[pyo3(signature = (data, *, passphrase = None))]
    fn from_key_file(
        py: Python<'_>,
        data: &[u8],
        passphrase: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let passphrase = secret_bytes(passphrase)?;
        let data = Zeroizing::new(data.to_vec());
        let key = py.detach(|| {
            seal::ReaderKey::from_key_file(&data, passphrase.as_ref().map(|bytes| bytes.as_slice()))
        });
        Ok(Self { inner: Arc::new(key.map_err(sealing)?) })
    }

    /// The key as the bytes of a key file, encrypted under the passphrase, or in clear without one.
    #[pyo3(signature = (*, passphrase = None))]
    fn to_key_file<'py>(
        &self,
        py: Python<'py>,
        passphrase: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let passphrase = secret_bytes(passphrase)?;
        let file = py.detach(|| {
            drawing(|rng| {
                self.inner.to_key_file(passphrase.as_ref().map(|bytes| bytes.as_slice()), rng)
            })
        })?;
        let file = Zeroizing::new(String::from(file.map_err(sealing)?.as_str()));
        Ok(PyBytes::new(py, file.as_bytes()))
    }

    /// The public half.
    #[getter]
    fn reader(&self) -> Reader {
        Reader { inner: self.inner.reader().clone() }
    }

    /// Opens a record.
    #[pyo3(signature = (record, /))]
    fn open(&self, py: Python<'_>, record: &Record) -> PyResult<Opened> {
        let opened = py.detach(|| self.inner.open(&record.inner)).map_err(sealing)?;
        let password = Py::new(py, Password::from_core(opened.password))?;
        Ok(Opened { password, proof: opened.proof })
    }

    /// Opens a record and re-seals it for other readers. Old copies stay readable to the old ones.
    /// `above` is what a vault said with the record: it takes nothing else than the number
    /// behind the newest sealing that it keeps, which may be one that nobody opens.
    #[pyo3(signature = (record, readers, /, *, above = 0))]
    fn reseal(
        &self,
        py: Python<'_>,
        record: &Record,
        readers: Vec<Bound<'_, Reader>>,
        above: u32,
    ) -> PyResult<Record> {
        let readers: Vec<_> = readers.iter().map(|reader| reader.get().inner.clone()).collect();
        let inner = py
            .detach(|| drawing(|rng| self.inner.reseal_above(&record.inner, above, &readers, rng)))?
            .map_err(sealing)?;
        Ok(Record { inner })
    }

    fn __repr__(&self) -> String {
        format!("<ReaderKey {:?}>", self.inner.reader().name())
    }

    #[pyo3(signature = (protocol, /))]
    fn __reduce_ex__(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = protocol;
        Err(PyTypeError::new_err("a reader's key cannot be pickled; write a key file"))
    }

    fn __copy__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a reader's key cannot be copied"))
    }

    #[pyo3(signature = (memo, /))]
    fn __deepcopy__(&self, memo: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = memo;
        Err(PyTypeError::new_err("a reader's key cannot be copied"))
    }
}

/// Text or bytes as bytes of ours, which are wiped.
pub(crate) fn secret_bytes(
    secret: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Zeroizing<Vec<u8>>>> {
    let Some(secret) = secret else { return Ok(None) };
    if let Ok(text) = secret.cast::<PyString>() {
        return Ok(Some(Zeroizing::new(text.to_cow()?.as_bytes().to_vec())));
    }
    if let Ok(password) = secret.cast::<Password>() {
        let copy = password.get().with(|text| text.expose_secret().as_bytes().to_vec())?;
        return Ok(Some(Zeroizing::new(copy)));
    }
    match secret.cast::<PyBytes>() {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes.as_bytes().to_vec()))),
        Err(_) => Err(PyTypeError::new_err("a passphrase is str, bytes or Password")),
    }
}
