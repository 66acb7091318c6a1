//! Policies: the settings of Windows LAPS, in force.

use laps_core::account::{LocalAccount, SidError, choose};
use laps_core::error::Code;
use laps_core::identity::AccountName;
use laps_core::policy::{self, Setting as CoreSetting, Settings, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDelta, PyDict, PyString};

use crate::error::raise;
use crate::recipe::Recipe;

/// A policy in force: every setting has a value in its range.
///
/// The constructor takes settings by their CSP names; what is not given has its default.
#[pyclass(frozen, eq, module = "laps")]
#[derive(Eq, PartialEq)]
pub(crate) struct Policy {
    pub(crate) inner: policy::Policy,
}

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (**settings))]
    fn new(settings: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut chosen = Settings::new();
        for (name, value) in settings.into_iter().flatten() {
            let name = name.cast::<PyString>()?.to_cow()?.into_owned();
            let Some(setting) = CoreSetting::from_name(&name) else {
                return Err(raise(
                    Code::PolicyRefused,
                    format!(
                        "{name}: not a setting; the settings have the names of the LAPS CSP, such \
                         as PasswordLength"
                    ),
                ));
            };
            put(&mut chosen, setting, &value)?;
        }
        Ok(Self { inner: chosen.policy().map_err(|error| raise(error.code(), error))? })
    }

    /// Every setting by its CSP name, as a policy file writes it.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for setting in CoreSetting::ALL {
            all.set_item(setting.name(), to_python(py, self.inner.value(setting))?)?;
        }
        Ok(all)
    }

    /// The recipe for the passwords of this policy.
    fn recipe(&self) -> PyResult<Recipe> {
        let recipe = self.inner.recipe().map_err(|error| raise(error.code(), error))?;
        Ok(Recipe::from_core(recipe))
    }

    /// SHA-256 over all values: what a record says about the policy that it was made under.
    #[getter]
    fn hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.hash())
    }

    /// 0: nothing is managed; 1: Microsoft Entra; 2: Active Directory.
    #[getter]
    fn backup_directory(&self) -> u8 {
        self.inner.backup_directory().as_u8()
    }

    /// The managed account; empty means the built-in administrator.
    #[getter]
    fn administrator_account_name(&self) -> &str {
        self.inner.administrator_account_name().as_str()
    }

    /// Days after which a password is replaced.
    #[getter]
    fn password_age_days(&self) -> u16 {
        self.inner.password_age_days()
    }

    /// 1 to 5: characters; 6 to 8: words.
    #[getter]
    fn password_complexity(&self) -> u8 {
        self.inner.password_complexity().as_u8()
    }

    /// Characters of a password, at complexity 1 to 5.
    #[getter]
    fn password_length(&self) -> u8 {
        self.inner.password_length()
    }

    /// Words of a passphrase, at complexity 6 to 8.
    #[getter]
    fn passphrase_length(&self) -> u8 {
        self.inner.passphrase_length()
    }

    /// The time between a use of the account and what follows it; zero: nothing follows.
    #[getter]
    fn post_authentication_reset_delay<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyDelta>> {
        let minutes = i32::from(self.inner.post_authentication_reset_delay_minutes());
        PyDelta::new(py, 0, minutes.saturating_mul(60), 0, true)
    }

    /// What follows a use of the account, as the number of the setting: 0, 1, 3, 5 or 11.
    #[getter]
    fn post_authentication_actions(&self) -> u8 {
        self.inner.post_authentication_actions().as_u8()
    }

    fn __hash__(&self) -> u64 {
        self.inner.hash().iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
    }

    fn __repr__(&self) -> String {
        let mut shown = String::from("<Policy");
        for setting in CoreSetting::ALL {
            let value = self.inner.value(setting);
            if value != setting.default_value() {
                shown.push_str(&format!(" {}={value}", setting.name()));
            }
        }
        shown.push('>');
        shown
    }
}

fn put(chosen: &mut Settings, setting: CoreSetting, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let refused = |given: &str| {
        raise(
            Code::PolicyRefused,
            format!("{}: {given} is not a value of this setting", setting.name()),
        )
    };
    let text;
    let value = match setting.default_value() {
        Value::Switch(_) => match value.cast::<PyBool>() {
            Ok(on) => Value::Switch(on.is_true()),
            Err(_) => return Err(PyTypeError::new_err(format!("{} is a bool", setting.name()))),
        },
        Value::Text(_) => {
            text = value.cast::<PyString>()?.to_cow()?.into_owned();
            Value::Text(&text)
        }
        Value::Minutes(_) => match value.cast::<PyDelta>() {
            Ok(delay) => {
                let seconds: f64 = delay.call_method0("total_seconds")?.extract()?;
                let minutes = seconds / 60.0;
                if minutes.fract() != 0.0 || !(0.0..=65_535.0).contains(&minutes) {
                    return Err(refused(&value.to_string()));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a whole number from 0 to 65535, as was just checked"
                )]
                Value::Minutes(minutes as u16)
            }
            Err(_) => {
                let hours: u16 = value.extract().map_err(|_| refused(&value.to_string()))?;
                Value::Minutes(hours.checked_mul(60).ok_or_else(|| refused(&value.to_string()))?)
            }
        },
        Value::Number(_) if value.is_instance_of::<PyBool>() => return Err(refused("a bool")),
        Value::Number(_) | _ => {
            Value::Number(value.extract().map_err(|_| refused(&value.to_string()))?)
        }
    };
    chosen.set(setting, value).map_err(|error| raise(error.code(), error))
}

/// A value as our JSON writes it: a delay in hours, or in minutes as text when it is not whole
/// hours.
pub(crate) fn to_python<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Switch(on) => PyBool::new(py, on).to_owned().into_any(),
        Value::Number(number) => number.into_pyobject(py)?.into_any(),
        Value::Minutes(_) => match value.to_string().parse::<u16>() {
            Ok(hours) => hours.into_pyobject(py)?.into_any(),
            Err(_) => PyString::new(py, &value.to_string()).into_any(),
        },
        other @ (Value::Text(_) | _) => PyString::new(py, &other.to_string()).into_any(),
    })
}

/// The SyncML that asks a device for a rotation now, and how it went; with `status_only`, only how
/// the last one went.
#[pyfunction]
#[pyo3(signature = (*, status_only = false))]
pub(crate) const fn reset_password_syncml(status_only: bool) -> &'static str {
    if status_only { policy::RESET_PASSWORD_STATUS } else { policy::RESET_PASSWORD }
}

/// How the rotation went that a device was asked for, from its SyncML answer; None when the answer
/// does not tell.
#[pyfunction]
#[pyo3(signature = (answer, source, /))]
pub(crate) fn reset_password_status(answer: &[u8], source: &str) -> PyResult<Option<ResetStatus>> {
    let document = policy::read(answer, source).map_err(|error| raise(error.code(), error))?;
    Ok(document.reset_status().map(|status| ResetStatus {
        state: match status {
            policy::ResetStatus::Succeeded => "succeeded",
            policy::ResetStatus::Pending => "pending",
            policy::ResetStatus::NoAnswer(_) => "unanswered",
            policy::ResetStatus::Failed(_) | _ => "failed",
        },
        hresult: status.hresult(),
        message: status.to_string(),
    }))
}

/// How a rotation went that a device was asked for.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct ResetStatus {
    /// `succeeded`, `pending`, `failed`, or `unanswered` where the device refused the question.
    state: &'static str,
    /// The device's HRESULT; None where it gave none.
    hresult: Option<u32>,
    /// The same in words.
    message: String,
}

/// Which of a device's accounts the policy manages: its index. Each account is its name and its
/// SID, or None for none.
#[pyfunction]
#[pyo3(signature = (policy, accounts, /))]
pub(crate) fn choose_account(
    policy: &Policy,
    accounts: Vec<(String, Option<String>)>,
) -> PyResult<usize> {
    let accounts = accounts
        .iter()
        .map(|(name, sid)| {
            let sid = sid.as_deref().map(str::parse).transpose();
            Ok(LocalAccount {
                name: AccountName::new(name).map_err(|error| raise(error.code(), error))?,
                sid: sid.map_err(|error: SidError| raise(error.code(), error))?,
                enabled: true,
            })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let chosen = choose(policy.inner.administrator_account_name(), &accounts)
        .map_err(|error| raise(error.code(), error))?;
    Ok(accounts.iter().position(|each| core::ptr::eq(each, chosen)).unwrap_or_default())
}

/// Every setting with its type, range, default and what it needs, as one JSON document.
#[pyfunction]
pub(crate) fn policy_schema() -> String {
    policy::schema_json()
}
