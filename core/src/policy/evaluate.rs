//! What is in force, why, and what is wrong with it (windows-laps §1.1, §1.2).

use alloc::{
    borrow::ToOwned as _,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    BackupDirectory, Clash, Finding, FindingLevel, Policy, RefusedRow, Setting, Settings, Value,
    document::{Document, Root},
    join::{self, Joined},
    warnings,
};

/// The outcome of evaluating documents.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The policy in force; none while a finding is an error.
    pub policy: Option<Policy>,
    /// What the winning root configures, as far as its values are accepted.
    pub configured: Settings,
    /// The root that won; none when no document configures anything.
    pub root: Option<Root>,
    /// The documents of that root, in the order given: their settings are joined. Empty when none
    /// configures anything.
    pub sources: Vec<String>,
    /// What the documents come to, before any detail.
    pub state: PolicyState,
    /// Every setting with its value and where that comes from; without the settings that errors
    /// are about.
    pub settings: Vec<SettingRow>,
    /// The settings that errors are about: what stands there instead of a value that is accepted.
    /// Each once.
    pub refused: Vec<RefusedRow>,
    /// What is wrong or unwise: errors first.
    pub findings: Vec<Finding>,
}

/// What documents come to. Its text is one sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PolicyState {
    /// A password is managed.
    Managed,
    /// The documents switch management off: `BackupDirectory` is 0 (event 10024).
    Off,
    /// Settings, but none of them switches management on: `BackupDirectory` is not among them
    /// (event 10024).
    NotOn,
    /// The documents only take settings away, and leave none.
    Removed,
    /// No document configures anything (event 10007).
    Nothing,
    /// A finding is an error: nothing new is in force.
    Refused,
}

impl PolicyState {
    /// One word for JSON: `managed`, `off`, `not-on`, `removed`, `nothing` or `refused`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Off => "off",
            Self::NotOn => "not-on",
            Self::Removed => "removed",
            Self::Nothing => "nothing",
            Self::Refused => "refused",
        }
    }
}

impl core::fmt::Display for PolicyState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Managed => "a password is managed",
            Self::Off => {
                "off: BackupDirectory is 0, so no password is managed and no other \
                 setting has an effect (event 10024)"
            }
            Self::NotOn => {
                "off: BackupDirectory is not configured, so no password is managed and \
                 no setting has an effect (event 10024); 1 or 2 switches it on"
            }
            Self::Removed => {
                "removed: the documents only take settings away, so nothing is \
                 configured and no password is managed (event 10007)"
            }
            Self::Nothing => "nothing is configured, so no password is managed (event 10007)",
            Self::Refused => "refused: a device keeps the last policy that it accepted",
        })
    }
}

/// A setting in force.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SettingRow {
    /// Which.
    pub setting: Setting,
    /// Its value.
    pub value: OwnedValue,
    /// The name of the document that configures it, or `default`.
    pub source: String,
}

/// A value for those who keep it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OwnedValue {
    /// A whole number; a delay in whole hours is one, too.
    Number(u16),
    /// On or off.
    Switch(bool),
    /// Text; a delay in minutes, such as `90m`, is one, too.
    Text(String),
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Minutes(minutes) => super::setting::whole_hours(minutes)
                .map_or_else(|| Self::Text(value.to_string()), Self::Number),
            Value::Number(number) => Self::Number(number),
            Value::Switch(on) => Self::Switch(on),
            Value::Text(text) => Self::Text(text.to_owned()),
        }
    }
}

impl core::fmt::Display for OwnedValue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Number(number) => core::fmt::Display::fmt(number, f),
            Self::Switch(on) => core::fmt::Display::fmt(on, f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Evaluation {
    /// Whether a finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == FindingLevel::Error)
    }
}

/// Says what is in force when a device has these documents, and refuses what clashes:
/// [`evaluate_with`] [`Clash::Refuse`].
#[must_use]
pub fn evaluate(documents: &[Document]) -> Evaluation {
    evaluate_with(documents, Clash::Refuse)
}

/// Says what is in force when a device has these documents.
///
/// As Windows does it: the roots are looked at in the order CSP, Group Policy, local configuration,
/// legacy LAPS. *Between* roots the first with any setting wins whole. *Within* a root, settings
/// come one by one: the documents of one root are joined, and where two of them set one setting to
/// different values, `clash` says what happens. Nothing is corrected: a value outside its range is
/// an error, and then there is no policy.
#[must_use]
pub fn evaluate_with(documents: &[Document], clash: Clash) -> Evaluation {
    let mut roots = Root::ALL.into_iter().filter_map(|root| join::of_root(root, documents, clash));
    let Some(mut joined) = roots.next() else { return nothing(documents) };
    let mut findings = core::mem::take(&mut joined.findings);
    let refused: Vec<Setting> = joined.refused.iter().map(|row| row.setting).collect();
    let traps = documents.iter().flat_map(|document| &document.traps).map(|(trap, _)| *trap);
    findings.extend(warnings::of(joined.root, &joined.settings, &refused, traps));
    findings.extend(roots.map(|loser| loser.ignored(&joined)));
    findings.extend(join::of_documents(documents));
    findings.sort_by_key(|finding| finding.level);
    outcome(&joined, findings)
}

/// Documents that configure nothing.
fn nothing(documents: &[Document]) -> Evaluation {
    let removes = documents.iter().any(|document| !document.removals.is_empty());
    let state = if removes { PolicyState::Removed } else { PolicyState::Nothing };
    let findings: Vec<_> = join::of_documents(documents).collect();
    Evaluation { state, root: None, ..outcome(&Joined::new(Root::Csp), findings) }
}

fn outcome(joined: &Joined<'_>, findings: Vec<Finding>) -> Evaluation {
    let lenient = joined.settings.policy().unwrap_or_default();
    let settings = Setting::ALL
        .into_iter()
        .filter(|setting| !joined.refuses(*setting))
        .map(|setting| SettingRow {
            setting,
            value: lenient.value(setting).into(),
            source: joined.source_of(setting).unwrap_or("default").to_owned(),
        })
        .collect();
    let sound = !findings.iter().any(|finding| finding.level == FindingLevel::Error);
    let policy = sound.then(|| joined.settings.policy().ok()).flatten();
    let state = match policy.map(|policy| policy.backup_directory()) {
        None => PolicyState::Refused,
        Some(BackupDirectory::Disabled)
            if joined.settings.get(Setting::BackupDirectory).is_some() =>
        {
            PolicyState::Off
        }
        Some(BackupDirectory::Disabled) => PolicyState::NotOn,
        Some(BackupDirectory::Entra | BackupDirectory::ActiveDirectory) => PolicyState::Managed,
    };
    Evaluation {
        policy,
        configured: joined.settings,
        root: Some(joined.root),
        sources: joined.sources(),
        state,
        settings,
        refused: joined.refused.clone(),
        findings,
    }
}
