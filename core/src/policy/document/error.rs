//! What was wrong with a document, and where.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};
use core::fmt;

use crate::{error::Code, text::position};

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
    /// The policies that it holds, where it was refused for not being about exactly one of them:
    /// see [`read_named`](super::read_named).
    pub policies: Vec<String>,
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
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) message: String,
}

impl Position {
    /// About the whole document.
    pub(super) fn whole(message: &str) -> Self {
        Self { line: 0, column: 0, message: message.to_owned() }
    }

    /// At a byte of the text.
    pub(super) fn at(text: &str, byte: usize, message: &str) -> Self {
        let (line, column) = position(text, byte);
        Self::on(line, column, message)
    }

    pub(super) fn on(line: usize, column: usize, message: &str) -> Self {
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            message: message.to_owned(),
        }
    }

    pub(super) fn error(self, source: &str) -> DocumentError {
        DocumentError {
            source: source.to_owned(),
            line: self.line,
            column: self.column,
            message: self.message,
            policies: Vec::new(),
        }
    }
}
