//! The recipe file: JSON in, a recipe out (design §10).

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;

use super::{Recipe, RecipeError};
use crate::error::Code;

impl Recipe {
    /// Reads a recipe file:
    /// `{"length":16,"groups":[{"chars":"…","min":2,"max":4}],"at_least":null,"exclude":"0O1l","max_run":2,"forbid":["admin"],"first":"…","last":"…"}`.
    ///
    /// `length` and `groups` are needed; in a group `chars` is. What is left out or `null` asks for nothing.
    ///
    /// # Errors
    /// [`RecipeDocumentError`]: not JSON, an unknown or missing name, a value of the wrong type, above
    /// 64 KiB; or a [`RecipeError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, RecipeDocumentError> {
        if bytes.len() > MAX_BYTES {
            let text = alloc::format!("a recipe file has at most {MAX_BYTES} bytes");
            return Err(RecipeDocumentError::Malformed(text));
        }
        // A file that an editor of Windows wrote may start with a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| RecipeDocumentError::Malformed(error.to_string()))?;
        document.build().map_err(RecipeDocumentError::Refused)
    }
}

/// Why a recipe file is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RecipeDocumentError {
    /// It cannot be read; the text says what and where.
    Malformed(String),
    /// It can be read, and its rules are refused.
    Refused(RecipeError),
}

impl RecipeDocumentError {
    /// The number of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code::RecipeInvalid,
            Self::Refused(error) => error.code(),
        }
    }
}

impl fmt::Display for RecipeDocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => write!(f, "the recipe cannot be read: {text}"),
            Self::Refused(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for RecipeDocumentError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    length: u32,
    groups: Vec<GroupDocument>,
    at_least: Option<u32>,
    exclude: Option<String>,
    max_run: Option<u32>,
    forbid: Option<Vec<String>>,
    first: Option<String>,
    last: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupDocument {
    chars: String,
    min: Option<u32>,
    max: Option<u32>,
}

impl Document {
    fn build(self) -> Result<Recipe, RecipeError> {
        // Numbers above 255 are above every limit: they mean what 255 means.
        let small = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let length = u8::try_from(self.length).map_err(|_| RecipeError::Length {
            length: self.length,
            min: 1,
            max: super::MAX_LENGTH,
        })?;
        let mut builder = Recipe::builder(length).at_least(small(self.at_least.unwrap_or(0)));
        for group in &self.groups {
            builder =
                builder.group(&group.chars, small(group.min.unwrap_or(0)), group.max.map(small));
        }
        if let Some(chars) = &self.exclude {
            builder = builder.exclude(chars);
        }
        if let Some(times) = self.max_run {
            builder = builder.max_run(small(times));
        }
        for word in self.forbid.iter().flatten() {
            builder = builder.forbid(word);
        }
        if let Some(chars) = &self.first {
            builder = builder.first(chars);
        }
        if let Some(chars) = &self.last {
            builder = builder.last(chars);
        }
        builder.build()
    }
}

/// The largest recipe within the limits has less than 4 KiB.
const MAX_BYTES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_manual_is_read() {
        let recipe = Recipe::from_json(
            br#"{"length":16,"groups":[{"chars":"abcdefghijkmnopqrstuvwxyz","min":2,"max":4},
                {"chars":"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"}],"at_least":null,"exclude":"0O1l",
                "max_run":2,"forbid":["admin"],"first":"ABC","last":"xyz23"}"#,
        );
        assert_eq!(recipe.unwrap().strength().min_length(), 16);
        let marked = b"\xef\xbb\xbf{\"length\":3,\"groups\":[{\"chars\":\"ab\"}]}";
        assert_eq!(Recipe::from_json(marked).unwrap().strength().admissible().to_string(), "8");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |text: &str| Recipe::from_json(text.as_bytes()).unwrap_err().to_string();
        assert!(refused("{").starts_with("the recipe cannot be read: EOF while parsing"));
        assert!(refused(r#"{"length":8}"#).contains("missing field `groups`"));
        assert!(refused(r#"{"length":8,"groups":[],"x":1}"#).contains("unknown field `x`"));
        assert!(refused(r#"{"length":-1,"groups":[]}"#).contains("invalid value"));
        assert_eq!(
            refused(r#"{"length":1000,"groups":[{"chars":"a"}]}"#),
            "the length 1000 is outside 1 to 128"
        );
        assert_eq!(
            refused(r#"{"length":8,"groups":[]}"#),
            "the groups have no character to choose from"
        );
        assert_eq!(
            refused(r#"{"length":8,"groups":[{"chars":"a","min":9}]}"#),
            "no password satisfies these rules together: length, groups[0].min"
        );
        assert!(Recipe::from_json(&[b' '; 70_000]).is_err());
    }
}
