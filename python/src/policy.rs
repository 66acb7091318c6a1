//! Policies: the settings of Windows LAPS, in force.

use laps_core::account::{LocalAccount, SidError, choose};
use laps_core::error::Code;
use laps_core::identity::AccountName;
use laps_core::policy::{self, Given, OwnedValue, Setting as CoreSetting, Settings, Value};
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

/// What is in force when a device has these documents, and what is wrong with it.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Evaluation {
    inner: policy::Evaluation,
    /// The policy in force; None while a finding is an error.
    #[pyo3(get)]
    policy: Option<Py<Policy>>,
    /// Every setting by its CSP name, with its value and where that comes from.
    #[pyo3(get)]
    settings: Py<PyDict>,
    /// The settings that errors are about, by CSP name: what is given instead of a value that is
    /// accepted, and why it is refused.
    #[pyo3(get)]
    refused: Py<PyDict>,
    /// What is wrong or unwise: errors first.
    #[pyo3(get)]
    findings: Vec<Py<Finding>>,
}

#[pymethods]
impl Evaluation {
    /// The documents whose settings were joined: those of the root that won, in the order given.
    /// Empty when none configures anything.
    #[getter]
    fn sources(&self) -> Vec<String> {
        self.inner.sources.clone()
    }

    /// What the documents come to: `managed`, `off` (`BackupDirectory` is 0), `not-on` (it is not
    /// configured), `removed`, `nothing` or `refused`.
    #[getter]
    const fn state(&self) -> &'static str {
        self.inner.state.name()
    }

    /// The same in one sentence.
    #[getter]
    fn summary(&self) -> String {
        self.inner.state.to_string()
    }

    /// The root that won: `csp`, `gpo`, `local` or `legacy`; None when nothing is configured.
    #[getter]
    fn root(&self) -> Option<&'static str> {
        self.inner.root.map(policy::Root::name)
    }

    /// What is configured, in another form: `csp`, `intune`, `json` or `reg`. `command` is what
    /// `csp` does with each setting: `replace`, `add` or `delete`.
    #[pyo3(signature = (form, /, *, command = "replace"))]
    fn export<'py>(
        &self,
        py: Python<'py>,
        form: &str,
        command: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let Some(known) = policy::Form::from_name(form) else {
            return Err(raise(
                Code::InvalidArgument,
                format!("form {form:?} is not known; csp, intune, json and reg are accepted"),
            ));
        };
        let syncml = match command {
            "replace" => policy::SyncmlCommand::Replace,
            "add" => policy::SyncmlCommand::Add,
            "delete" => policy::SyncmlCommand::Delete,
            _ => {
                let text = format!(
                    "command {command:?} is not known; replace, add and delete are accepted"
                );
                return Err(raise(Code::InvalidArgument, text));
            }
        };
        if known != policy::Form::Csp && syncml != policy::SyncmlCommand::Replace {
            let text = format!("form {form} has no commands; only csp can {command}");
            return Err(raise(Code::InvalidArgument, text));
        }
        if self.policy.is_none() {
            return Err(raise(Code::PolicyRefused, "a policy with errors is not exported"));
        }
        let bytes = if known == policy::Form::Csp {
            policy::write_syncml(&self.inner.configured, syncml).map(String::into_bytes)
        } else {
            policy::write(&self.inner.configured, known)
        };
        Ok(PyBytes::new(py, &bytes.map_err(|error| raise(error.code(), error))?))
    }

    /// What changes on a device that has this and gets `new`; None while either has errors.
    #[pyo3(signature = (new, /))]
    fn diff(&self, py: Python<'_>, new: &Self) -> PyResult<Option<Vec<Difference>>> {
        let Some(differences) = policy::diff(&self.inner, &new.inner) else { return Ok(None) };
        let all = differences.iter().map(|each| Difference::from_core(py, each));
        Ok(Some(all.collect::<PyResult<_>>()?))
    }
}

/// One setting that changes.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Difference {
    /// The setting's name; `PolicySource` when another root wins.
    setting: &'static str,
    /// The value before.
    old: Py<PyAny>,
    /// The value now.
    new: Py<PyAny>,
    /// What happens, in a word.
    effect: &'static str,
    /// Why, in plain words.
    because: &'static str,
}

impl Difference {
    fn from_core(py: Python<'_>, difference: &policy::Difference) -> PyResult<Self> {
        Ok(Self {
            setting: difference.setting,
            old: owned_to_python(py, &difference.old)?.unbind(),
            new: owned_to_python(py, &difference.new)?.unbind(),
            effect: difference.effect.name(),
            because: difference.because,
        })
    }
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

fn owned_to_python<'py>(py: Python<'py>, value: &OwnedValue) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        OwnedValue::Number(number) => number.into_pyobject(py)?.into_any(),
        OwnedValue::Switch(on) => PyBool::new(py, *on).to_owned().into_any(),
        other @ (OwnedValue::Text(_) | _) => PyString::new(py, &other.to_string()).into_any(),
    })
}

/// The value of a setting, and where it comes from.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Setting {
    /// As a policy file writes it.
    value: Py<PyAny>,
    /// The name of the document, or `default`.
    source: String,
}

/// A setting that is configured with what is no value of it.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct RefusedSetting {
    /// What the document gives; of a long text the beginning; None for what is no single value.
    given: Py<PyAny>,
    /// The name of the document.
    source: String,
    /// Why it is refused, where it stands, and what would be accepted.
    reason: String,
}

fn given_to_python<'py>(py: Python<'py>, given: &Given) -> PyResult<Bound<'py, PyAny>> {
    Ok(match given {
        Given::Whole(number) => number.into_pyobject(py)?.into_any(),
        Given::Fraction(number) => number.into_pyobject(py)?.into_any(),
        Given::Switch(on) => PyBool::new(py, *on).to_owned().into_any(),
        Given::Text(text) => PyString::new(py, text).into_any(),
        Given::Other | _ => py.None().into_bound(py),
    })
}

/// Something that is wrong or unwise.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Finding {
    /// `error`, `warning` or `note`.
    level: &'static str,
    /// What rule it comes from: a stable word such as `range`, `conflict` or `weak`.
    rule: &'static str,
    /// The setting that it is about; empty when it is about several or about the whole.
    setting: String,
    /// What is wrong and what would be accepted.
    message: String,
}

#[pymethods]
impl Finding {
    fn __repr__(&self) -> String {
        format!("<Finding {} {}: {}>", self.level, self.setting, self.message)
    }
}

/// Says what is in force when a device has these documents: pairs of a name for findings and the
/// bytes. Our JSON, Intune's JSON, CSP SyncML and `.reg` files are read. Documents of one root are
/// joined setting by setting, and what clashes is an error that names both, unless `last_wins`;
/// between roots, Windows' precedence decides. `policy` names the one that is meant where
/// a document holds several.
#[pyfunction]
#[pyo3(signature = (documents, /, *, last_wins = false, policy = None))]
pub(crate) fn evaluate(
    py: Python<'_>,
    documents: Vec<(String, Vec<u8>)>,
    last_wins: bool,
    policy: Option<&str>,
) -> PyResult<Evaluation> {
    let clash = if last_wins { policy::Clash::LastWins } else { policy::Clash::Refuse };
    let found = py
        .detach(|| {
            let one = documents.len() == 1;
            let read: Result<Vec<_>, _> = documents
                .iter()
                .map(|(source, bytes)| match policy::read(bytes, source) {
                    // The name is for the documents that hold several; given one document, for
                    // that.
                    Err(error) if policy.is_some() && !error.policies.is_empty() => {
                        policy::read_named(bytes, source, policy)
                    }
                    Ok(_) if one && policy.is_some() => policy::read_named(bytes, source, policy),
                    read => read,
                })
                .collect();
            read.map(|documents| policy::evaluate_with(&documents, clash))
        })
        .map_err(|error| raise(error.code(), error))?;
    let settings = PyDict::new(py);
    for row in &found.settings {
        let value = owned_to_python(py, &row.value)?;
        let row_of = Setting { value: value.unbind(), source: row.source.clone() };
        settings.set_item(row.setting.name(), Py::new(py, row_of)?)?;
    }
    let refused = PyDict::new(py);
    for row in &found.refused {
        let given = given_to_python(py, &row.given)?.unbind();
        let row_of =
            RefusedSetting { given, source: row.source.clone(), reason: row.reason.clone() };
        refused.set_item(row.setting.name(), Py::new(py, row_of)?)?;
    }
    let mut findings = Vec::new();
    for finding in &found.findings {
        findings.push(Py::new(
            py,
            Finding {
                level: finding.level.name(),
                rule: finding.rule,
                setting: finding.setting.clone(),
                message: finding.message.clone(),
            },
        )?);
    }
    let policy = found.policy.map(|inner| Py::new(py, Policy { inner })).transpose()?;
    let (settings, refused) = (settings.unbind(), refused.unbind());
    Ok(Evaluation { policy, settings, refused, findings, inner: found })
}
