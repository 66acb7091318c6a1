//! The vault, kept in one SQLite file.

mod audit;
pub(crate) mod audit_rows;
mod check_ins;
pub(crate) mod copies;
pub(crate) mod external;
mod lifecycle;
mod lists;
pub(crate) mod metadata;
mod orders;
mod readers;
pub(crate) mod resealing;
pub(crate) mod rows;

use std::path::PathBuf;

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope, Timestamp};
use laps_core::vault::Retention;
use laps_core::vault::{Confirmation, Request, StoreError, Vault as CoreVault, VaultError};
use laps_host::observed::Observations;
use laps_host::sqlite::{self, SqliteStore};
use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use crate::ending::long;
use crate::error::raise;
use crate::reader::Reader;
use crate::record::text;
use crate::time;

/// A vault: sealed records, their history, readers, orders to rotate, and the audit log. It holds
/// no key that opens a password. An object is bound to one scope (tenant), the empty one by
/// default, and may be shared by threads.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Vault {
    pub(crate) inner: CoreVault<SqliteStore>,
    pub(crate) scope: Scope,
    path: PathBuf,
    caller: String,
    observations: Observations,
}

fn refused(error: VaultError) -> PyErr {
    raise(error.code(), error)
}

fn names(devices: &[DeviceId]) -> Vec<String> {
    devices.iter().map(ToString::to_string).collect()
}

fn retention(count: u16, days: Option<u16>) -> PyResult<Retention> {
    if count == 0 {
        return Err(raise(Code::InvalidArgument, "history 0: 1 or more is accepted"));
    }
    let setting = Retention::count(count);
    Ok(days.map_or(setting, |days| setting.with_days(days)))
}

#[pymethods]
impl Vault {
    /// Makes a vault file, or a scope in one that is there with `scope`, with its first readers.
    /// `history` is how many displaced records of a device are kept.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
    #[pyo3(signature = (
        path, *, readers, actor, reason, context = "", scope = "", history = 3, history_days = None,
        now = None
    ))]
    fn init(
        py: Python<'_>,
        path: PathBuf,
        readers: Vec<Bound<'_, Reader>>,
        actor: &str,
        reason: &str,
        context: &str,
        scope: &str,
        history: u16,
        history_days: Option<u16>,
        now: Option<&Bound<'_, PyDateTime>>,
    ) -> PyResult<Self> {
        let scope = text(Scope::new(scope), "scope")?;
        let readers: Vec<_> = readers.iter().map(|reader| reader.get().inner.clone()).collect();
        if readers.is_empty() {
            return Err(raise(Code::InvalidArgument, "a vault needs at least one reader"));
        }
        let request = by(actor, reason, context);
        let now = time::or_now(now)?;
        let setting = retention(history, history_days)?;
        let inner = long(py, refused, || {
            if scope.is_empty() || !path.exists() {
                return sqlite::init_vault(&path, &scope, &readers, setting, &request, now);
            }
            let vault = CoreVault::from_system(SqliteStore::open(&path)?);
            vault.initialise(&scope, &readers, setting, &request, now)?;
            Ok(vault)
        })?;
        Ok(Self::of(inner, scope, path))
    }

    /// Opens a vault file. `caller` is whom the program authenticated and speaks for: the user of
    /// the operating system, or of a web session. It stands in every entry of the log, apart
    /// from the actor, which is what was typed.
    #[staticmethod]
    #[pyo3(signature = (path, *, scope = "", caller = ""))]
    fn open(py: Python<'_>, path: PathBuf, scope: &str, caller: &str) -> PyResult<Self> {
        let scope = text(Scope::new(scope), "scope")?;
        let store =
            long(py, |error: StoreError| refused(error.into()), || SqliteStore::open(&path))?;
        let vault = Self::of(CoreVault::from_system(store), scope, path);
        Ok(Self { caller: caller.to_owned(), ..vault })
    }

    /// Where the file is.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// The tenant; empty by default.
    #[getter]
    fn scope(&self) -> &str {
        self.scope.as_str()
    }

    fn __repr__(&self) -> String {
        format!("<Vault {:?}>", self.path.display().to_string())
    }
}

impl Vault {
    fn of(inner: CoreVault<SqliteStore>, scope: Scope, path: PathBuf) -> Self {
        let observations = Observations::new();
        let inner = inner.with_observer(observations.observer());
        Self { inner, scope, path, caller: String::new(), observations }
    }

    /// A request of whom this object speaks for.
    fn by<'a>(&'a self, actor: &'a str, reason: &'a str, context: &'a str) -> Request<'a> {
        by(actor, reason, context).with_caller(&self.caller)
    }

    /// How many devices there are.
    fn count(&self, now: Timestamp) -> PyResult<usize> {
        let stats = self.inner.stats(&self.scope, now).map_err(refused)?;
        Ok(usize::try_from(stats.devices).unwrap_or(usize::MAX))
    }

    /// How many records there are.
    fn records(&self, now: Timestamp) -> PyResult<usize> {
        let stats = self.inner.stats(&self.scope, now).map_err(refused)?;
        let records = stats.candidates.saturating_add(stats.history);
        Ok(usize::try_from(records).unwrap_or(usize::MAX))
    }
}

fn by<'a>(actor: &'a str, reason: &'a str, context: &'a str) -> Request<'a> {
    Request::new(actor, reason).with_context(context)
}

/// Whether the explicit word was said.
const fn confirmation(given: bool) -> Confirmation {
    if given { Confirmation::Given } else { Confirmation::NotGiven }
}
