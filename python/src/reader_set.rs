//! Signed reader sets: which readers the devices of a scope seal to, and the authority that says
//! so.

use std::sync::Arc;

use laps_core::identity::Scope;
use laps_core::seal;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::error::raise;
use crate::error::sealing;
use crate::random::drawing;
use crate::reader::Reader;
use crate::reader_key::secret_bytes;
use crate::record::text;
use laps_core::error::Code;

/// The public half of an authority (Ed25519). As text it is one line, which `str()` gives and the
/// constructor takes.
#[pyclass(frozen, eq, module = "laps")]
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Signer {
    pub(crate) inner: seal::Signer,
}

#[pymethods]
impl Signer {
    /// From its line of text.
    #[new]
    #[pyo3(signature = (line, /))]
    fn new(line: &str) -> PyResult<Self> {
        Ok(Self { inner: line.parse().map_err(sealing)? })
    }

    /// 64 hexadecimal digits.
    #[getter]
    fn id(&self) -> String {
        self.inner.id().to_string()
    }

    /// The label.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn __hash__(&self) -> u64 {
        self.inner.public_key().iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
    }

    fn __str__(&self) -> String {
        self.inner.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Signer {:?}>", self.inner.name())
    }
}

/// An authority's private key. It signs reader sets; it is wiped when it is freed.
#[pyclass(frozen, module = "laps")]
pub(crate) struct SignerKey {
    inner: Arc<seal::SignerKey>,
}

#[pymethods]
impl SignerKey {
    /// Draws a new key.
    #[staticmethod]
    #[pyo3(signature = (name, /))]
    fn generate(py: Python<'_>, name: &str) -> PyResult<Self> {
        let key = py.detach(|| drawing(|rng| seal::SignerKey::generate(name, rng)))?;
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
            seal::SignerKey::from_key_file(&data, passphrase.as_ref().map(|bytes| bytes.as_slice()))
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
        Ok(PyBytes::new(py, file.map_err(sealing)?.as_bytes()))
    }

    /// The public half.
    #[getter]
    fn signer(&self) -> Signer {
        Signer { inner: *self.inner.signer() }
    }

    fn __repr__(&self) -> String {
        format!("<SignerKey {:?}>", self.inner.signer().name())
    }

    #[pyo3(signature = (protocol, /))]
    fn __reduce_ex__(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = protocol;
        Err(PyTypeError::new_err("an authority's key cannot be pickled; write a key file"))
    }

    fn __copy__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("an authority's key cannot be copied"))
    }

    #[pyo3(signature = (memo, /))]
    fn __deepcopy__(&self, memo: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = memo;
        Err(PyTypeError::new_err("an authority's key cannot be copied"))
    }
}

/// A reader set: 1 to 16 readers of one suite, for a scope, with a version that counts from 1.
#[pyclass(frozen, module = "laps")]
pub(crate) struct ReaderSet {
    inner: seal::ReaderSet,
}

#[pymethods]
impl ReaderSet {
    /// A set that is not signed yet.
    #[new]
    #[pyo3(signature = (readers, /, *, version, scope = ""))]
    fn new(readers: Vec<Bound<'_, Reader>>, version: u64, scope: &str) -> PyResult<Self> {
        let readers: Vec<_> = readers.iter().map(|reader| reader.get().inner.clone()).collect();
        let scope = text(Scope::new(scope), "scope")?;
        Ok(Self { inner: seal::ReaderSet::new(scope, version, &readers).map_err(sealing)? })
    }

    /// Reads the text of a set: signed by this authority, for this scope, not older than the one in
    /// force. Gives the set and the head to remember as in force (40 bytes) once records are
    /// sealed to it.
    #[staticmethod]
    #[pyo3(signature = (data, /, *, authority, scope = "", in_force = None))]
    fn verify<'py>(
        py: Python<'py>,
        data: &[u8],
        authority: &Signer,
        scope: &str,
        in_force: Option<&[u8]>,
    ) -> PyResult<(Self, Bound<'py, PyBytes>)> {
        let scope = text(Scope::new(scope), "scope")?;
        let in_force = in_force
            .map(|bytes| {
                <&[u8; 40]>::try_from(bytes)
                    .map(seal::ReaderSetHead::from_bytes)
                    .map_err(|_| raise(Code::InvalidArgument, "in_force: 40 bytes are accepted"))
            })
            .transpose()?;
        let (inner, head) =
            seal::ReaderSet::verify(data, &authority.inner, &scope, in_force.as_ref())
                .map_err(sealing)?;
        Ok((Self { inner }, PyBytes::new(py, &head.to_bytes())))
    }

    /// The set as text, signed.
    #[pyo3(signature = (authority, /))]
    fn sign(&self, authority: &SignerKey) -> String {
        self.inner.sign(&authority.inner)
    }

    /// The tenant it is for.
    #[getter]
    fn scope(&self) -> &str {
        self.inner.scope().as_str()
    }

    /// Its version; a later one replaces an earlier one.
    #[getter]
    fn version(&self) -> u64 {
        self.inner.version()
    }

    /// Its readers, in the order of their ids.
    #[getter]
    fn readers(&self) -> Vec<Reader> {
        self.inner.readers().iter().map(|inner| Reader { inner: inner.clone() }).collect()
    }

    fn __repr__(&self) -> String {
        format!(
            "<ReaderSet version {}, {} readers>",
            self.inner.version(),
            self.inner.readers().len()
        )
    }
}
