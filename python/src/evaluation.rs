//! What is in force when a device has some documents, and what is wrong with it.

use laps_core::error::Code;
use laps_core::policy::{self, Given, OwnedValue};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyString};

use crate::error::raise;
use crate::policy::Policy;

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
