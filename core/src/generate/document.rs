//! The recipe file: JSON in, a recipe out (architecture §7).

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
#[cfg(feature = "passphrase")]
use serde::de::{Deserializer, SeqAccess, Unexpected, Visitor};

#[cfg(feature = "passphrase")]
use super::Complexity;
use super::{Recipe, RecipeError};
use crate::error::Code;
use crate::text;

impl Recipe {
    /// Reads a recipe file:
    /// `{"length":16,"groups":[{"chars":"…","min":2,"max":4}],"at_least":null,"exclude":"0O1l","
    /// max_run":2,"forbid":["admin"],"first":"…","last":"…"}`.
    ///
    /// `length` and `groups` are needed; in a group `chars` is. What is left out or `null` asks for
    /// nothing.
    ///
    /// A document with `words` in place of `length` makes passphrases (feature `passphrase`):
    /// `{"words":6,"list":"eff-long","separator":"-","capitalise":false,"digit":true}`. `list` is
    /// needed: the name of one of the EFF's lists (`eff-long`, `eff-short`,
    /// `eff-short-unique-prefix`) or an array of one's own words. Left out, words start with an
    /// upper-case letter, nothing stands between them, and no digit at the end.
    ///
    /// # Errors
    /// [`RecipeDocumentError`]: not JSON, an unknown or missing name, a value of the wrong type
    /// (each with its line and column), above 2 MiB; or a [`RecipeError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, RecipeDocumentError> {
        if bytes.len() > MAX_BYTES {
            let text = alloc::format!("a recipe file has at most {MAX_BYTES} bytes");
            return Err(RecipeDocumentError::Malformed(text));
        }
        // A file that an editor of Windows wrote may start with a byte order mark.
        let text = text::decode(bytes)
            .map_err(|error| RecipeDocumentError::Malformed(error.to_string()))?;
        let form: WordsForm = read(&text)?;
        if form.words.is_some() {
            return phrase(&text);
        }
        read::<RecipeDocument>(&text)?.build().map_err(RecipeDocumentError::Refused)
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

fn read<'d, D: Deserialize<'d>>(text: &'d str) -> Result<D, RecipeDocumentError> {
    serde_json::from_str(text).map_err(|error| RecipeDocumentError::Malformed(error.to_string()))
}

#[cfg(feature = "passphrase")]
fn phrase(text: &str) -> Result<Recipe, RecipeDocumentError> {
    read::<PhraseDocument>(text)?.build().map_err(RecipeDocumentError::Refused)
}

#[cfg(not(feature = "passphrase"))]
fn phrase(_: &str) -> Result<Recipe, RecipeDocumentError> {
    Err(RecipeDocumentError::Malformed("this library was built without passphrases".to_string()))
}

/// Tells the two kinds of documents apart; each is then read by itself, so that an error has its
/// place.
#[derive(Deserialize)]
struct WordsForm {
    words: Option<IgnoredAny>,
}

#[cfg(feature = "passphrase")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhraseDocument {
    words: u32,
    list: ListDocument,
    separator: Option<String>,
    capitalise: Option<bool>,
    digit: Option<bool>,
}

/// One of the EFF's lists by name, or words of one's own.
#[cfg(feature = "passphrase")]
enum ListDocument {
    Eff(Complexity),
    Own(Vec<String>),
}

#[cfg(feature = "passphrase")]
impl<'d> Deserialize<'d> for ListDocument {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'d> Visitor<'d> for Either {
            type Value = ListDocument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"eff-long\", \"eff-short\", \"eff-short-unique-prefix\", or an array of \
                     words",
                )
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<ListDocument, E> {
                match name {
                    "eff-long" => Ok(ListDocument::Eff(Complexity::LongWords)),
                    "eff-short" => Ok(ListDocument::Eff(Complexity::ShortWords)),
                    "eff-short-unique-prefix" => {
                        Ok(ListDocument::Eff(Complexity::ShortUniqueWords))
                    }
                    _ => Err(E::invalid_value(Unexpected::Str(name), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<ListDocument, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = items.next_element()? {
                    words.push(word);
                }
                Ok(ListDocument::Own(words))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "passphrase")]
impl PhraseDocument {
    fn build(self) -> Result<Recipe, RecipeError> {
        let count =
            u8::try_from(self.words).map_err(|_| RecipeError::WordCount { words: self.words })?;
        let builder = Recipe::phrase(count)
            .capitalise(self.capitalise.unwrap_or(true))
            .separator(self.separator.as_deref().unwrap_or_default())
            .digit(self.digit.unwrap_or(false));
        match &self.list {
            ListDocument::Eff(level) => builder.eff(*level).build(),
            ListDocument::Own(words) => builder.words(words.iter().map(String::as_str)).build(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeDocument {
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

impl RecipeDocument {
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

/// A list of 65,536 words of 16 characters, one a line, has 1.4 MiB.
const MAX_BYTES: usize = 2 << 20;

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
        let text = core::str::from_utf8(marked).unwrap();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Recipe::from_json(&wide).unwrap().strength().admissible().to_string(), "8");
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
        let large = alloc::vec![b' '; MAX_BYTES + 1];
        assert_eq!(
            Recipe::from_json(&large).unwrap_err().to_string(),
            "the recipe cannot be read: a recipe file has at most 2097152 bytes"
        );
    }

    #[cfg(feature = "passphrase")]
    #[test]
    fn passphrases_are_read() {
        let read = |text: &str| Recipe::from_json(text.as_bytes()).unwrap();
        let plain = read(r#"{"words":6,"list":"eff-long"}"#);
        let windows = Recipe::passphrase(Complexity::LongWords, 6).unwrap();
        assert_eq!(plain.strength().admissible(), windows.strength().admissible());
        let text = "SkiingProduceIdentifyStarlitOctaneDistress";
        assert_eq!(plain.check(text).count(), 0);
        let short = read(r#"{"words":3,"list":"eff-short-unique-prefix","separator":null}"#);
        assert_eq!(short.strength().admissible().to_string(), "2176782336");
        let own = read(
            r#"{"words":3,"list":["in","put","input"],
            "separator":"-","capitalise":false,"digit":true}"#,
        );
        assert_eq!(own.strength().admissible().to_string(), "270");
        assert_eq!(own.check("in-put-input7").count(), 0);
        assert_eq!(own.check("In-put-input7").count(), 1);
        // Three to six times the letter: a text that can be read in more than one way counts once.
        let joined = read(r#"{"words":3,"list":["a","aa"],"capitalise":false}"#);
        assert_eq!(joined.strength().admissible().to_string(), "4");
    }

    #[cfg(feature = "passphrase")]
    #[test]
    fn what_is_wrong_with_a_passphrase_is_said_with_its_place() {
        let refused = |text: &str| Recipe::from_json(text.as_bytes()).unwrap_err().to_string();
        let said = refused("{\"words\":6,\n\"list\":\"eff\"}");
        assert!(said.contains("\"eff-long\"") && said.contains("at line 2 column"), "{said}");
        let said = refused("{\"words\":6,\n\n\"list\":[\"a\",1]}");
        assert!(said.contains("expected a string at line 3 column"), "{said}");
        assert!(refused(r#"{"words":6}"#).contains("missing field `list`"));
        assert!(
            refused(r#"{"words":6,"list":"eff-long","length":8}"#)
                .contains("unknown field `length`")
        );
        assert_eq!(refused(r#"{"words":2,"list":["a"]}"#), "2 words are outside 3 to 10");
        assert_eq!(refused(r#"{"words":1000,"list":["a"]}"#), "1000 words are outside 3 to 10");
        assert_eq!(refused(r#"{"words":3,"list":[]}"#), "the list has no words");
    }
}
