//! Importing external credentials: passwords that another directory holds.

use core::convert::identity;

use laps_core::account::Sid;
use laps_core::error::Code;
use laps_core::identity::AccountName;
use laps_core::seal;
use laps_core::vault::{ExternalCredential, ExternalDevice};
use pyo3::prelude::*;
use pyo3::types::PyDateTime;

use super::{Vault, refused};
use crate::ending::long;
use crate::error::raise;
use crate::error::sealing;
use crate::password::Password;
use crate::random::drawing;
use crate::record::text;
use crate::time;

/// Imports external credentials: passwords that another directory holds for a device, each as
/// (account, SID or None, when the directory was given it, password), sealed to the readers of the
/// vault. Gives how many were new.
///
/// The newest is pending, for no agent has said what is on the account; the others are history. A
/// second run imports only what is newer. A device that an agent manages is refused. `last_seen`
/// is when the device last spoke to that directory, `expires` when it will replace the password.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keyword-only options of a Python function")]
#[expect(clippy::type_complexity, reason = "a row of a Python list")]
#[pyo3(signature = (
    vault, device, passwords, /, *, last_seen, expires = None, actor, reason, context = "", now =
    None
))]
pub(crate) fn import_external_passwords(
    py: Python<'_>,
    vault: &Vault,
    device: &str,
    passwords: Vec<(String, Option<String>, Bound<'_, PyDateTime>, Bound<'_, Password>)>,
    last_seen: &Bound<'_, PyDateTime>,
    expires: Option<&Bound<'_, PyDateTime>>,
    actor: &str,
    reason: &str,
    context: &str,
    now: Option<&Bound<'_, PyDateTime>>,
) -> PyResult<usize> {
    let request = vault.by(actor, reason, context);
    let now = time::or_now(now)?;
    let expires = expires.map(time::from_python).transpose()?;
    let standing = ExternalDevice::new(time::from_python(last_seen)?, expires);
    let mut found = Vec::with_capacity(passwords.len());
    let mut copies = Vec::with_capacity(passwords.len());
    for (account, sid, made_at, password) in &passwords {
        let account = text(AccountName::new(account), "account")?;
        let sid = sid.as_deref().map(|sid| {
            sid.parse::<Sid>().map_err(|error| raise(error.code(), format!("{sid:?}: {error}")))
        });
        found.push(ExternalCredential::new(account, sid.transpose()?, time::from_python(made_at)?));
        let mut copy = Box::new(laps_core::secret::Password::empty());
        password
            .get()
            .with(|password| copy.set(password.expose_secret()))?
            .map_err(|error| raise(error.code(), error))?;
        copies.push(copy);
    }
    long(py, identity, || {
        let known = vault.inner.readers(&vault.scope).map_err(refused)?;
        let readers: Vec<_> =
            known.into_iter().filter(|row| row.removed.is_none()).map(|row| row.reader).collect();
        let wanted =
            vault.inner.external_to_import(&vault.scope, device, &found).map_err(refused)?;
        let mut sealed = Vec::with_capacity(wanted.len());
        for (at, header) in wanted {
            let password = copies
                .get(at)
                .ok_or_else(|| raise(Code::Internal, "the vault asked for what was not offered"))?;
            let record = drawing(|rng| seal::Record::seal(&header, password, &readers, rng))?;
            sealed.push(record.map_err(sealing)?.as_bytes().to_vec());
        }
        vault
            .inner
            .import_external(&vault.scope, device, &sealed, standing, &request, now)
            .map_err(refused)
    })
}

/// Whether a password that another directory was given at `made_at` would be new to the vault.
/// Nothing is written. A device that an agent manages is refused.
#[pyfunction]
#[pyo3(signature = (vault, device, made_at, /))]
pub(crate) fn lacks_external_password(
    py: Python<'_>,
    vault: &Vault,
    device: &str,
    made_at: &Bound<'_, PyDateTime>,
) -> PyResult<bool> {
    // Only the time decides; the account does not.
    let found = [ExternalCredential::new(AccountName::EMPTY, None, time::from_python(made_at)?)];
    let wanted =
        long(py, refused, || vault.inner.external_to_import(&vault.scope, device, &found))?;
    Ok(!wanted.is_empty())
}
