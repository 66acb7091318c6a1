//! Reading: bytes in one of the forms in which settings travel, recognised by what is in them.
//!
//! | form | shapes |
//! |---|---|
//! | our JSON | an object of settings by CSP name; an array of such objects |
//! | Intune | a policy of the settings catalog, its settings, a custom profile; a list of these |
//! | CSP `SyncML` | a message, its body, or its commands; those about other nodes are passed over |
//! | `.reg` | an export of the registry roots, or a file by hand that sets and deletes values |
//!
//! A document is at most 1 MiB, in UTF-8 or in UTF-16 with a byte order mark; its size and nesting
//! are bounded before it is parsed. Every part of a document is read, passed over by a rule that
//! names it (a finding lists what belongs to something else), or refused with its place: nothing
//! that could be a setting of LAPS is dropped in silence. What is not a policy is a
//! [`DocumentError`] that says what it is, and how to get the right export. What is one, but has
//! a wrong value in it, is read; [`super::evaluate`] then says what is wrong.

mod error;
mod form;
mod graph;
mod intune;
mod json;
mod kinds;
mod oma;
mod passed_over;
mod place;
mod registry;
mod syncml;

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use self::error::Position;
pub(super) use self::intune::definition_id;
pub(super) use self::passed_over::{PassedOver, Trap};
pub use self::{
    error::DocumentError,
    form::{Form, Root},
    syncml::ResetStatus,
};
use super::Setting;
use crate::text;

/// The most bytes of a document.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// Reads a document that holds one policy. `source` is its name in findings: the file's name.
///
/// # Errors
/// [`DocumentError`] says where it is not what it seems to be, what else it is, or which policies
/// it holds when they are several.
pub fn read(bytes: &[u8], source: &str) -> Result<Document, DocumentError> {
    read_named(bytes, source, None)
}

/// As [`read`]; of several policies in one document, the one with this name (without regard to
/// capitals) or this Graph id.
///
/// # Errors
/// As [`read`], and when no policy, or more than one, has the name; the names that there are stand
/// in [`DocumentError::policies`].
pub fn read_named(
    bytes: &[u8],
    source: &str,
    name: Option<&str>,
) -> Result<Document, DocumentError> {
    let named = |position: Position| position.error(source);
    if let Some(what) = kinds::of_bytes(bytes) {
        return Err(named(Position::whole(what)));
    }
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(named(Position::whole(&format!(
            "the document has {} bytes; at most {MAX_DOCUMENT_BYTES} are accepted",
            bytes.len()
        ))));
    }
    let text = text::decode(bytes)
        .map_err(|error| named(Position::on(error.line, error.column, error.message)))?;
    let start = text.trim_start();
    let found = if start.starts_with(['{', '[']) {
        graph::read(&text).map_err(named)?
    } else if start.starts_with('<') {
        Vec::from([syncml::read(&text).map_err(named)?])
    } else if registry::is_export(start) {
        Vec::from([registry::read(&text).map_err(named)?])
    } else {
        let at = text.len().saturating_sub(start.len());
        return Err(named(Position::at(&text, at, kinds::of_text(start))));
    };
    choose(found, source, name)
}

/// The one policy that was meant.
fn choose(
    mut found: Vec<Document>,
    source: &str,
    name: Option<&str>,
) -> Result<Document, DocumentError> {
    let names: Vec<String> = found.iter().map(Document::title).collect();
    let list = || names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let refuse = |message: String| DocumentError {
        policies: names.clone(),
        ..Position::whole(&message).error(source)
    };
    if let Some(name) = name {
        let wanted = |document: &Document| {
            crate::account::same_name(&document.name, name)
                || (!document.id.is_empty() && document.id.eq_ignore_ascii_case(name))
        };
        let before = found.len();
        let of_list = before > 1;
        found.retain(wanted);
        if found.is_empty() {
            return Err(refuse(if of_list || before == 1 {
                format!(
                    "no policy in it is named {}; there are {}",
                    Raw::Text(name.to_owned()),
                    list()
                )
            } else {
                "no policy in it".to_owned()
            }));
        }
    }
    match found.pop() {
        Some(document) if found.is_empty() => {
            Ok(Document { source: source.to_owned(), ..document })
        }
        Some(_) if name.is_some() => Err(refuse(format!(
            "several policies have this name; choose one by its id, which stands behind each: {}",
            list()
        ))),
        Some(_) => Err(refuse(format!(
            "it holds {} policies of LAPS; choose one by its name: {}",
            names.len(),
            list()
        ))),
        None => Err(refuse("no policy in it".to_owned())),
    }
}

/// More settings than any real document has; bounds the work of evaluating. Every reader stops at
/// the first above it.
const MAX_ENTRIES: usize = 256;
const TOO_MANY: &str = "over 256 settings; at most that many are accepted";

/// A document that was read. Its values are not checked yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub(super) source: String,
    pub(super) form: Form,
    pub(super) entries: Vec<SettingEntry>,
    pub(super) removals: Vec<Removal>,
    pub(super) passed_over: Vec<PassedOver>,
    /// How many there are; the list has the first only.
    pub(super) passed_over_count: usize,
    pub(super) traps: Vec<(Trap, Option<u32>)>,
    /// Keys that look like those of LAPS, with values in them, where Windows does not look.
    pub(super) wrong_keys: Vec<PassedOver>,
    name: String,
    id: String,
    resets_password: bool,
    asks_reset_status: bool,
    reset_status: Option<ResetStatus>,
}

impl Document {
    fn new(form: Form) -> Self {
        Self { form, ..Self::default() }
    }

    /// The name that it was read under.
    #[must_use]
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Its form.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// The name that the policy itself has, in Intune; empty where it has none.
    #[must_use]
    pub fn policy_name(&self) -> &str {
        &self.name
    }

    /// The settings that it takes away: a Delete in `SyncML`, `"name"=-` in a `.reg` file.
    pub fn deleted(&self) -> impl Iterator<Item = Setting> {
        self.removals.iter().filter_map(|removal| removal.setting)
    }

    /// `SyncML`: whether it asks for a rotation (Exec of `Actions/ResetPassword`).
    #[must_use]
    pub const fn resets_password(&self) -> bool {
        self.resets_password
    }

    /// `SyncML`: whether it asks how the last rotation went (Get of `Actions/ResetPasswordStatus`).
    #[must_use]
    pub const fn asks_reset_status(&self) -> bool {
        self.asks_reset_status
    }

    /// `SyncML`: how the last rotation went, in a device's answer to that Get (Results, or a Status
    /// that refuses).
    #[must_use]
    pub const fn reset_status(&self) -> Option<ResetStatus> {
        self.reset_status
    }

    /// Whether it says anything about LAPS.
    const fn is_about_laps(&self) -> bool {
        !self.entries.is_empty()
            || !self.removals.is_empty()
            || self.resets_password
            || self.asks_reset_status
            || self.reset_status.is_some()
    }

    fn title(&self) -> String {
        match (&*self.name, &*self.id) {
            (name, "") => name.to_string(),
            (name, id) => format!("{name} ({id})"),
        }
    }

    /// Takes a setting away, or all of a root; what the document itself set before is undone.
    fn remove(&mut self, root: Root, setting: Option<Setting>, line: Option<u32>) {
        self.entries.retain(|entry| {
            let same =
                setting.is_none_or(|setting| setting.name().eq_ignore_ascii_case(&entry.name));
            entry.root != root || !same
        });
        let removal = Removal { root, setting, line };
        if !self.removals.iter().any(|one| (one.root, one.setting) == (root, setting)) {
            self.removals.push(removal);
        }
    }

    fn pass_over(&mut self, what: &str, line: Option<u32>) {
        self.passed_over_count = self.passed_over_count.saturating_add(1);
        if self.passed_over.len() < MAX_PASSED_OVER {
            self.passed_over.push(PassedOver { what: short(what), line });
        }
    }
}

/// Of what is passed over, the first so many are listed.
const MAX_PASSED_OVER: usize = 32;

/// One setting that a document takes away; without a setting, all of the root.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Removal {
    pub(super) root: Root,
    pub(super) setting: Option<Setting>,
    pub(super) line: Option<u32>,
}

/// One setting in a document: the name and the value as they stand there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SettingEntry {
    pub(super) root: Root,
    pub(super) name: String,
    pub(super) raw: Raw,
    /// The line it stands on, from 1, where known.
    pub(super) line: Option<u32>,
}

impl SettingEntry {
    /// The setting that it is about.
    pub(super) fn setting(&self, form: Form) -> Option<Setting> {
        let same = |known: &str| known.eq_ignore_ascii_case(&self.name);
        match self.root {
            // [LEG]: the values of legacy Microsoft LAPS, and what they are called today.
            Root::Legacy => match () {
                () if same("AdmPwdEnabled") => Some(Setting::BackupDirectory),
                () if same("AdminAccountName") => Some(Setting::AdministratorAccountName),
                () if same("PwdExpirationProtectionEnabled") => {
                    Some(Setting::PasswordExpirationProtectionEnabled)
                }
                () => {
                    [Setting::PasswordAgeDays, Setting::PasswordLength, Setting::PasswordComplexity]
                        .into_iter()
                        .find(|setting| same(setting.name()))
                }
            },
            // Names of registry values are compared without regard to capitals; elsewhere they are
            // exact.
            Root::Csp | Root::GroupPolicy | Root::Local if form == Form::Registry => {
                Setting::ALL.into_iter().find(|setting| same(setting.name()))
            }
            Root::Csp | Root::GroupPolicy | Root::Local => Setting::from_name(&self.name),
        }
    }
}

/// A value as it stands in a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    Fraction(f64),
    /// Something that no setting takes; the word for it.
    Other(&'static str),
    Switch(bool),
    Text(String),
    Whole(i64),
}

/// For messages: short, on one line, without what a terminal would obey.
impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        match self {
            Self::Fraction(value) => fmt::Display::fmt(value, f),
            Self::Other(word) => f.write_str(word),
            Self::Switch(on) => fmt::Display::fmt(on, f),
            Self::Text(text) if text.chars().count() > SHOWN => {
                let start: String = text.chars().take(SHOWN).collect();
                write!(f, "{start:?}… ({} characters)", text.chars().count())
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Whole(value) => fmt::Display::fmt(value, f),
        }
    }
}

fn quoted(what: &str, name: &str) -> String {
    format!("{what} {}", Raw::Text(name.to_owned()))
}

/// A text from a document, short and on one line.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 120;
    let mut out: String = text
        .chars()
        .take(SHOWN)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}
