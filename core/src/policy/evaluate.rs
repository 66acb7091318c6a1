//! What is in force, why, and what is wrong with it (windows-laps §1.1, §1.2).

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    BackupDirectory, Finding, Level, Policy, PolicyError, Refusal, Setting, Settings, Value,
    document::{Document, Entry, Form, Raw, Root},
    finding::nearest,
    settings::check,
    typed::{self, Problem},
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
    /// The document that won; empty when none configures anything.
    pub source: String,
    /// Every setting with its value and where that comes from; without the settings that errors are about.
    pub settings: Vec<Row>,
    /// The settings that errors are about: what stands there instead of a value that is accepted. Each once.
    pub refused: Vec<RefusedRow>,
    /// What is wrong or unwise: errors first.
    pub findings: Vec<Finding>,
}

/// A setting in force.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Which.
    pub setting: Setting,
    /// Its value.
    pub value: OwnedValue,
    /// The name of the document that configures it, or `default`.
    pub source: String,
}

/// A setting that is configured with what is no value of it. Nothing is in force for it, no default either.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefusedRow {
    /// Which.
    pub setting: Setting,
    /// What the document gives.
    pub given: Given,
    /// The name of the document.
    pub source: String,
    /// Why it is refused, where it stands, and what would be accepted: the message of its first finding.
    pub reason: String,
}

/// What a document gives for a setting, whatever it is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Given {
    /// A whole number.
    Whole(i64),
    /// A number that is not whole.
    Fraction(f64),
    /// On or off.
    Switch(bool),
    /// Text; of a long one the first forty characters and `…`.
    Text(String),
    /// What is no single value, such as a list or nothing; the reason says what.
    Other,
}

impl Given {
    fn of(raw: &Raw) -> Self {
        const SHOWN: usize = 40;
        match raw {
            Raw::Whole(number) => Self::Whole(*number),
            Raw::Fraction(number) => Self::Fraction(*number),
            Raw::Switch(on) => Self::Switch(*on),
            Raw::Text(text) if text.chars().count() > SHOWN => {
                Self::Text(text.chars().take(SHOWN).chain(['…']).collect())
            }
            Raw::Text(text) => Self::Text(text.clone()),
            Raw::Other(_) => Self::Other,
        }
    }
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
        self.findings.iter().any(|finding| finding.level == Level::Error)
    }

    /// Whether a finding is a warning.
    #[must_use]
    pub fn has_warnings(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Warning)
    }
}

/// One root of one document, with its entries.
struct Candidate<'a> {
    root: Root,
    document: &'a Document,
    entries: Vec<&'a Entry>,
}

impl Candidate<'_> {
    /// The backup mode that it configures: a range that depends on it is named as it is in that mode.
    fn mode(&self) -> BackupDirectory {
        let form = self.document.form;
        let of_mode =
            |entry: &&&Entry| typed::setting_of(entry, form) == Some(Setting::BackupDirectory);
        let value = self
            .entries
            .iter()
            .find(of_mode)
            .map(|entry| typed::value_of(Setting::BackupDirectory, entry, form));
        match value {
            Some(Ok(Value::Number(number))) => BackupDirectory::from_number(number),
            _ => BackupDirectory::Disabled,
        }
    }
}

/// Says what is in force when a device has these documents.
///
/// As Windows does it: the roots are looked at in the order CSP, Group Policy, local configuration, legacy
/// LAPS, and the first with any setting wins whole; nothing is merged. Of several documents for one root, the first
/// given wins. Nothing is corrected: a value outside its range is an error, and then there is no policy.
#[must_use]
pub fn evaluate(documents: &[Document]) -> Evaluation {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for root in Root::ALL {
        for document in documents {
            let entries: Vec<_> =
                document.entries.iter().filter(|entry| entry.root == root).collect();
            if !entries.is_empty() {
                candidates.push(Candidate { root, document, entries });
            }
        }
    }
    let Some((winner, losers)) = candidates.split_first() else {
        return outcome(None, &Configured::default(), Vec::new());
    };
    let mut configured = Configured::of(winner);
    let mut findings = core::mem::take(&mut configured.findings);
    let refused: Vec<Setting> = configured.refused.iter().map(|row| row.setting).collect();
    findings.extend(warnings::of(winner.root, &configured.settings, &refused));
    findings.extend(losers.iter().flat_map(|loser| ignored(loser, winner)));
    findings.sort_by_key(|finding| finding.level);
    outcome(Some(winner), &configured, findings)
}

fn outcome(
    winner: Option<&Candidate<'_>>,
    configured: &Configured,
    findings: Vec<Finding>,
) -> Evaluation {
    let source = winner.map_or("", |winner| winner.document.source());
    let lenient = configured.settings.policy().unwrap_or_default();
    let settings = Setting::ALL
        .into_iter()
        .filter(|setting| !configured.refuses(*setting))
        .map(|setting| {
            let own = configured.settings.get(setting);
            Row {
                setting,
                value: lenient.value(setting).into(),
                source: if own.is_some() { source.to_owned() } else { "default".to_owned() },
            }
        })
        .collect();
    let sound = !findings.iter().any(|finding| finding.level == Level::Error);
    Evaluation {
        policy: sound.then(|| configured.settings.policy().ok()).flatten(),
        configured: configured.settings,
        root: winner.map(|winner| winner.root),
        source: source.to_owned(),
        settings,
        refused: configured.refused.clone(),
        findings,
    }
}

/// What one root configures, and what is wrong with it.
#[derive(Default)]
struct Configured {
    settings: Settings,
    refused: Vec<RefusedRow>,
    findings: Vec<Finding>,
    source: String,
}

impl Configured {
    fn refuses(&self, setting: Setting) -> bool {
        self.refused.iter().any(|row| row.setting == setting)
    }

    fn of(candidate: &Candidate<'_>) -> Self {
        let source = candidate.document.source().to_owned();
        let mut all = Self { source, ..Self::default() };
        let mut seen = Vec::new();
        let mode = candidate.mode();
        for entry in &candidate.entries {
            let Some(setting) = typed::setting_of(entry, candidate.document.form) else {
                all.unknown(entry, candidate);
                continue;
            };
            if seen.contains(&setting) {
                all.refuse(setting, "twice", entry, &format!("{setting} is set twice; keep one"));
                continue;
            }
            seen.push(setting);
            match typed::value_of(setting, entry, candidate.document.form) {
                Ok(value) => match all.settings.set(setting, value) {
                    Ok(()) => {}
                    Err(error) => all.outside(PolicyError { mode, ..error }, entry),
                },
                Err(Problem::Refused(error)) => {
                    all.outside(PolicyError { mode, ..error }, entry);
                }
                Err(Problem::Form(message)) => all.refuse(setting, "form", entry, &message),
            }
        }
        all.ranges_of_the_mode(candidate);
        if candidate.root == Root::Legacy {
            typed::add_what_legacy_means(&mut all.settings);
        }
        all
    }

    /// A range that depends on the backup mode can be checked only when all is read.
    fn ranges_of_the_mode(&mut self, candidate: &Candidate<'_>) {
        let mode = match self.settings.get(Setting::BackupDirectory) {
            Some(Value::Number(number)) => BackupDirectory::from_number(number),
            _ => BackupDirectory::Disabled,
        };
        let settings = self.settings;
        for (setting, value) in settings.iter() {
            if let Err(error) = check(setting, value, mode) {
                let form = candidate.document.form;
                let of_it = |entry: &&&Entry| typed::setting_of(entry, form) == Some(setting);
                if let Some(entry) = candidate.entries.iter().find(of_it) {
                    self.outside(error, entry);
                }
            }
        }
    }

    fn outside(&mut self, error: PolicyError, entry: &Entry) {
        let rule = match error.refusal {
            Refusal::Kind => "type",
            Refusal::Range => "range",
            Refusal::Control | Refusal::Name(_) | Refusal::Principal => "text",
        };
        let message = format!("{} is refused: {error}", entry.raw);
        self.refuse(error.setting, rule, entry, &message);
    }

    fn refuse(&mut self, setting: Setting, rule: &'static str, entry: &Entry, message: &str) {
        self.settings.unset(setting);
        let reason = at_line(entry, message);
        if !self.refuses(setting) {
            let (given, source) = (Given::of(&entry.raw), self.source.clone());
            self.refused.push(RefusedRow { setting, given, source, reason: reason.clone() });
        }
        self.findings.push(Finding::error(rule, &entry.name, reason));
    }

    /// Our JSON, the CSP and Intune know no other names, and a device refuses the whole; the registry may hold
    /// anything, and Windows passes over it.
    fn unknown(&mut self, entry: &Entry, candidate: &Candidate<'_>) {
        let near = nearest(&entry.name);
        let message = at_line(entry, &format!("no setting has this name; the nearest is {near}"));
        self.findings.push(if candidate.document.form == Form::Registry {
            Finding::warning("unknown", &entry.name, format!("{message}; Windows passes over it"))
        } else {
            Finding::error("unknown", &entry.name, message)
        });
    }
}

fn at_line(entry: &Entry, message: &str) -> String {
    entry.line.map_or_else(|| message.to_owned(), |line| format!("line {line}: {message}"))
}

/// What another root or document holds is ignored whole.
fn ignored<'a>(
    loser: &'a Candidate<'_>,
    winner: &'a Candidate<'_>,
) -> impl Iterator<Item = Finding> {
    loser.entries.iter().map(|entry| {
        Finding::warning(
            "ignored",
            &entry.name,
            at_line(
                entry,
                &format!(
                    "{} in {} ({}) is ignored: {} ({}) has settings and wins whole, nothing is merged",
                    entry.raw,
                    loser.document.source(),
                    loser.root,
                    winner.document.source(),
                    winner.root
                ),
            ),
        )
    })
}
