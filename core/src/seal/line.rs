//! The one line of text in which a public key is passed on: `KIND ALGORITHM ID KEY NAME`.

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64, Encoding as _};

use crate::identity::Text;
use crate::text;

/// What a line holds, and the messages for one that does not.
pub(super) struct LineKind {
    /// What it is, and the version of the line.
    pub(super) prefix: &'static str,
    /// The line has another beginning.
    pub(super) begins: &'static str,
    /// The line has fewer parts.
    pub(super) parts: &'static str,
}

/// A line, taken apart. The id and the algorithm are not looked at yet.
pub(super) struct KeyLine<'a> {
    pub(super) algorithm: &'a str,
    pub(super) key: Vec<u8>,
    pub(super) name: &'a str,
    id: &'a str,
    text: &'a str,
}

impl LineKind {
    /// Takes a line apart; ends of lines behind it are dropped.
    pub(super) fn parse<'a>(&self, text: &'a str) -> Result<KeyLine<'a>, &'static str> {
        let text = text::line(text).map_err(|error| error.message)?;
        let mut words = text.splitn(5, ' ');
        let mut word = || words.next().ok_or(self.parts);
        if word()? != self.prefix {
            return Err(self.begins);
        }
        let (algorithm, id) = (word()?, word()?);
        let key = Base64::decode_vec(word()?).map_err(|_| "the key is not Base64")?;
        Ok(KeyLine { algorithm, key, name: word()?, id, text })
    }

    pub(super) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        algorithm: &str,
        id: &dyn fmt::Display,
        key: &[u8],
        name: &str,
    ) -> fmt::Result {
        let key = Base64::encode_string(key);
        write!(f, "{} {algorithm} {id} {key} {name}", self.prefix)
    }
}

impl KeyLine<'_> {
    /// Whether the line names this id and is what `whole` prints: one key has one line.
    pub(super) fn check(
        &self,
        id: &dyn fmt::Display,
        whole: &dyn fmt::Display,
    ) -> Result<(), &'static str> {
        if id.to_string() != self.id {
            return Err("the id does not belong to the key; the line was changed");
        }
        if whole.to_string() != self.text {
            return Err("the line is not written in the one accepted way");
        }
        Ok(())
    }
}

/// A name: 1 to 64 bytes, without control characters, not beginning or ending with a space. It is a
/// label and bound to nothing.
pub(super) type Name = Text<64>;

pub(super) fn name(text: &str) -> Result<Name, &'static str> {
    let name = Name::new(text).ok().filter(|name| !name.is_empty() && text.trim() == text);
    name.ok_or(
        "the name is not 1 to 64 bytes of text without control characters or spaces around it",
    )
}
