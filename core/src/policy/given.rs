//! What documents give for a setting that accepts no such value.

use alloc::string::String;

use super::{Setting, document::Raw};

/// A setting that is configured with what is no value of it. Nothing is in force for it, no default
/// either.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefusedRow {
    /// Which.
    pub setting: Setting,
    /// What the document gives.
    pub given: Given,
    /// The name of the document.
    pub source: String,
    /// Why it is refused, where it stands, and what would be accepted: the message of its first
    /// finding.
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
    pub(super) fn of(raw: &Raw) -> Self {
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
