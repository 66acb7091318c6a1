//! Sealed records.

use laps_core::account::Sid;
use laps_core::error::Code;
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope};
use laps_core::seal;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime};

use crate::error::raise;
use crate::error::sealing;
use crate::password::Password;
use crate::random::drawing;
use crate::reader::Reader;
use crate::time;

/// One password, sealed to readers, with what it is for in clear beside it and bound to it.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Record {
    pub(crate) inner: seal::Record,
}

#[pymethods]
impl Record {
    /// Reads the bytes of a record. Nothing is decrypted.
    #[staticmethod]
    #[pyo3(signature = (data, /))]
    fn parse(data: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: seal::Record::parse(data).map_err(sealing)? })
    }

    /// Seals a password for readers.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        password, readers, *, device, account, version = 1, scope = "", sid = None, previous = None,
        made_at = None, policy_hash = None
    ))]
    fn seal(
        py: Python<'_>,
        password: &Password,
        readers: Vec<Bound<'_, Reader>>,
        device: &str,
        account: &str,
        version: u64,
        scope: &str,
        sid: Option<&str>,
        previous: Option<&str>,
        made_at: Option<&Bound<'_, PyDateTime>>,
        policy_hash: Option<[u8; 32]>,
    ) -> PyResult<Self> {
        let id = drawing(RecordId::generate)?.map_err(|error| raise(error.code(), error))?;
        let header = seal::Header {
            scope: text(Scope::new(scope), "scope")?,
            device: text(DeviceId::new(device), "device")?,
            account: text(AccountName::new(account), "account")?,
            sid: sid
                .map(|sid| sid.parse::<Sid>().map_err(|error| raise(error.code(), error)))
                .transpose()?,
            id,
            previous: previous.map(record_id).transpose()?,
            version,
            made_at: time::or_now(made_at)?,
            policy_hash: policy_hash.unwrap_or_default(),
        };
        let readers: Vec<_> = readers.iter().map(|reader| reader.get().inner.clone()).collect();
        let mut copy = Box::new(laps_core::secret::Password::empty());
        password
            .with(|password| copy.set(password.expose_secret()))?
            .map_err(|error| raise(error.code(), error))?;
        let inner = py
            .detach(|| drawing(|rng| seal::Record::seal(&header, &copy, &readers, rng)))?
            .map_err(sealing)?;
        Ok(Self { inner })
    }

    /// The bytes.
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.inner.as_bytes())
    }

    /// The tenant; empty by default.
    #[getter]
    fn scope(&self) -> &str {
        self.inner.header().scope.as_str()
    }

    /// The device that the password is for.
    #[getter]
    fn device(&self) -> &str {
        self.inner.header().device.as_str()
    }

    /// The account that the password is for.
    #[getter]
    fn account(&self) -> &str {
        self.inner.header().account.as_str()
    }

    /// The security identifier of the account.
    #[getter]
    fn sid(&self) -> Option<String> {
        self.inner.header().sid.map(|sid| sid.to_string())
    }

    /// 32 hexadecimal digits, drawn for this password.
    #[getter]
    fn id(&self) -> String {
        self.inner.header().id.to_string()
    }

    /// The record that was made before this one on the device.
    #[getter]
    fn previous(&self) -> Option<String> {
        self.inner.header().previous.map(|id| id.to_string())
    }

    /// Orders the records of an account.
    #[getter]
    fn version(&self) -> u64 {
        self.inner.header().version
    }

    /// When the device made it, by its clock.
    #[getter]
    fn made_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        time::to_python(py, self.inner.header().made_at)
    }

    /// SHA-256 of the policy that it was made under.
    #[getter]
    fn policy_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.header().policy_hash)
    }

    /// The ids of the readers that can open it.
    #[getter]
    fn reader_ids(&self) -> Vec<String> {
        self.inner.reader_ids().map(|id| id.to_string()).collect()
    }

    /// `x-wing` or `x25519`.
    #[getter]
    fn suite(&self) -> &'static str {
        self.inner.suite().name()
    }

    /// Whether these 32 bytes show that somebody opened this record. They come from
    /// `ReaderKey.open`; no key is needed to check them.
    #[pyo3(signature = (proof, /))]
    fn is_proven_by(&self, proof: [u8; 32]) -> bool {
        self.inner.is_proven_by(&seal::OpenedProof::from_bytes(proof))
    }

    fn __repr__(&self) -> String {
        let header = self.inner.header();
        format!(
            "<Record {} device={:?} version={}>",
            header.id,
            header.device.as_str(),
            header.version
        )
    }
}

pub(crate) fn text<T>(
    text: Result<T, laps_core::identity::InvalidText>,
    what: &str,
) -> PyResult<T> {
    text.map_err(|error| raise(error.code(), format!("{what}: {error}")))
}

pub(crate) fn record_id(text: &str) -> PyResult<RecordId> {
    RecordId::from_hex(text).ok_or_else(|| {
        raise(
            Code::InvalidArgument,
            format!("record id {text:?}: 32 lower-case hexadecimal digits are accepted"),
        )
    })
}
