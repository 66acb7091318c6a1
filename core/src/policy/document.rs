//! Reading: bytes in one of the forms in which settings travel, recognised by what is in them.
//!
//! Our JSON, a policy exported from Intune, CSP `SyncML`, a `.reg` export of the registry roots, legacy
//! `AdmPwd` among them. A document is at most 1 MiB, in UTF-8 or in UTF-16 with a byte order mark; its size and
//! nesting are bounded before it is parsed. What is not a document is a [`DocumentError`] with the position. What is
//! one, but has a wrong value in it, is read; [`super::evaluate`] then says what is wrong.

mod intune;
mod json;
mod registry;
mod syncml;

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};
use core::fmt;

pub(super) use self::intune::definition_id;
pub use self::syncml::ResetStatus;
use super::Setting;
use crate::error::Code;
use crate::text;

/// The most bytes of a document.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// Reads a document. `source` is its name in findings: the file's name.
///
/// # Errors
/// [`DocumentError`] says where it is not what it seems to be, or that it has none of the known forms.
pub fn read(bytes: &[u8], source: &str) -> Result<Document, DocumentError> {
    let named =
        |position: Position| DocumentError { source: source.to_owned(), ..position.error() };
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(named(Position::whole(&format!(
            "the document has {} bytes; at most {MAX_DOCUMENT_BYTES} are accepted",
            bytes.len()
        ))));
    }
    let text = text::decode(bytes)
        .map_err(|error| named(Position::on(error.line, error.column, error.message)))?;
    let start = text.trim_start();
    let mut document = Document { source: source.to_owned(), ..Document::default() };
    if start.starts_with(['{', '[']) {
        json::read(&text, &mut document)
    } else if start.starts_with('<') {
        syncml::read(&text, &mut document)
    } else if registry::is_export(start) {
        registry::read(&text, &mut document)
    } else {
        let at = text.len().saturating_sub(start.len());
        Err(Position::at(&text, at, "not a policy; accepted are a JSON object of settings, a policy exported from Intune, CSP SyncML, and a .reg export (\"Windows Registry Editor Version 5.00\")"))
    }
    .map_err(named)?;
    Ok(document)
}

/// More settings than any real document has; bounds the work of evaluating. Every reader stops at the first above it.
const MAX_ENTRIES: usize = 256;
const TOO_MANY: &str = "over 256 settings; at most that many are accepted";

/// The form of a document.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// CSP `SyncML`.
    Csp,
    /// A `deviceManagementConfigurationPolicy` of Microsoft Graph, as Intune exports it.
    Intune,
    /// Our JSON: an object with settings by CSP name.
    #[default]
    Json,
    /// A `.reg` export.
    Registry,
}

impl Form {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csp => "csp",
            Self::Intune => "intune",
            Self::Json => "json",
            Self::Registry => "reg",
        }
    }

    /// The form with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Csp, Self::Intune, Self::Json, Self::Registry]
            .into_iter()
            .find(|form| form.name() == name)
    }
}

/// Where a device finds settings, in the order in which Windows looks (windows-laps §1.1).
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Root {
    /// The LAPS CSP: what an MDM sends. Our JSON and Intune's policies count as this.
    #[default]
    Csp = 1,
    /// Group Policy.
    GroupPolicy = 2,
    /// Local configuration.
    Local = 3,
    /// Legacy Microsoft LAPS.
    Legacy = 4,
}

impl Root {
    /// The registry key of this root.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Csp => r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Policies\LAPS",
            Self::GroupPolicy => {
                r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\LAPS"
            }
            Self::Local => {
                r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\LAPS\Config"
            }
            Self::Legacy => r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft Services\AdmPwd",
        }
    }

    /// One word for JSON: `csp`, `gpo`, `local`, `legacy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csp => "csp",
            Self::GroupPolicy => "gpo",
            Self::Local => "local",
            Self::Legacy => "legacy",
        }
    }

    pub(super) const ALL: [Self; 4] = [Self::Csp, Self::GroupPolicy, Self::Local, Self::Legacy];
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csp => "the CSP",
            Self::GroupPolicy => "Group Policy",
            Self::Local => "local configuration",
            Self::Legacy => "legacy Microsoft LAPS",
        })
    }
}

/// A document that was read. Its values are not checked yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub(super) source: String,
    pub(super) form: Form,
    pub(super) entries: Vec<Entry>,
    deleted: Vec<Setting>,
    deletes_all: bool,
    resets_password: bool,
    asks_reset_status: bool,
    reset_status: Option<ResetStatus>,
}

impl Document {
    /// The name that it was read under.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its form.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// `SyncML`: the settings that it takes away (Delete).
    #[must_use]
    pub fn deleted(&self) -> &[Setting] {
        &self.deleted
    }

    /// `SyncML`: whether it takes the whole policy away (Delete of `Policies`).
    #[must_use]
    pub const fn deletes_all(&self) -> bool {
        self.deletes_all
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

    /// `SyncML`: how the last rotation went, in a device's answer to that Get (Results).
    #[must_use]
    pub const fn reset_status(&self) -> Option<ResetStatus> {
        self.reset_status
    }
}

/// One setting in a document: the name and the value as they stand there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) root: Root,
    pub(super) name: String,
    pub(super) raw: Raw,
    /// The line it stands on, from 1, where known.
    pub(super) line: Option<u32>,
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

/// Not a policy document: what is wrong, and where.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct DocumentError {
    /// The name of the document.
    pub source: String,
    /// The line, from 1; 0 when it is about the whole document.
    pub line: u32,
    /// The character in that line, from 1; 0 when it is about the whole document.
    pub column: u32,
    /// What was wrong, and what would be accepted.
    pub message: String,
}

impl DocumentError {
    /// The number of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::PolicyMalformed
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if self.line > 0 {
            write!(f, ", line {}, column {}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl core::error::Error for DocumentError {}

/// A mistake at a place, before the document's name is known.
struct Position {
    line: u32,
    column: u32,
    message: String,
}

impl Position {
    /// About the whole document.
    fn whole(message: &str) -> Self {
        Self { line: 0, column: 0, message: message.to_owned() }
    }

    /// At a byte of the text.
    fn at(text: &str, byte: usize, message: &str) -> Self {
        let (line, column) = text::position(text, byte);
        Self::on(line, column, message)
    }

    fn on(line: usize, column: usize, message: &str) -> Self {
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            message: message.to_owned(),
        }
    }

    fn error(self) -> DocumentError {
        DocumentError {
            source: String::new(),
            line: self.line,
            column: self.column,
            message: self.message,
        }
    }
}

fn quoted(what: &str, name: &str) -> String {
    format!("{what} {}", Raw::Text(name.to_owned()))
}
