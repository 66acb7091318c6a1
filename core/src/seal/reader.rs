//! Readers: who can open a record. Here the public half.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use core::{fmt, str::FromStr};

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};

use super::{SealError, Suite, kem};
use crate::identity::Text;

/// SHA-256 of the suite's number and the public key. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReaderId([u8; 32]);

impl ReaderId {
    /// From the bytes that were read.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    // protocol §4.2: reader id = SHA-256(suite ‖ public key)
    pub(super) fn of(suite: Suite, public_key: &[u8]) -> Self {
        let hash =
            Sha256::new().chain_update(suite.as_u16().to_be_bytes()).chain_update(public_key);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for ReaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ReaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A reader's name: 1 to 64 bytes, without control characters, not beginning or ending with a space. It is a label and bound to nothing.
pub type ReaderName = Text<64>;

/// The public half of a reader: its suite, key and name.
///
/// As text it is one line: `laps-reader-1 SUITE ID KEY NAME`, with the id in hexadecimal and the key in
/// Base64. The id lets people tell readers apart, and a line that was copied wrongly is refused.
#[derive(Clone, Eq, PartialEq)]
pub struct Reader {
    suite: Suite,
    id: ReaderId,
    public_key: Box<[u8]>,
    name: ReaderName,
}

impl Reader {
    /// A reader from its parts.
    ///
    /// # Errors
    /// [`SealError::ReaderMalformed`] when the key is not a public key of the suite, or the name not a name.
    pub fn new(suite: Suite, public_key: &[u8], name: &str) -> Result<Self, SealError> {
        kem::check_public_key(suite, public_key)?;
        let id = ReaderId::of(suite, public_key);
        Ok(Self { suite, id, public_key: public_key.into(), name: reader_name(name)? })
    }

    /// The suite of its key.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Its identity, by which records name it.
    #[must_use]
    pub const fn id(&self) -> ReaderId {
        self.id
    }

    /// Its public key: [`Suite::public_key_len`] bytes.
    #[must_use]
    pub const fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }
}

pub(super) fn reader_name(name: &str) -> Result<ReaderName, SealError> {
    const FAULT: SealError = SealError::ReaderMalformed(
        "the name is not 1 to 64 bytes of text without control characters or spaces around it",
    );
    let text = ReaderName::new(name).map_err(|_| FAULT)?;
    if text.is_empty() || name.trim() != name { Err(FAULT) } else { Ok(text) }
}

/// How a line begins: what it is, and the version of the line.
const PREFIX: &str = "laps-reader-1";

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Base64::encode_string(&self.public_key);
        write!(f, "{PREFIX} {} {} {key} {}", self.suite.name(), self.id, self.name)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("suite", &self.suite)
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl FromStr for Reader {
    type Err = SealError;

    /// Reads one line; one newline at its end is dropped, and nothing else is tolerated.
    fn from_str(line: &str) -> Result<Self, SealError> {
        let line =
            line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        let fault = SealError::ReaderMalformed;
        let mut words = line.splitn(5, ' ');
        let mut word = || {
            words
                .next()
                .ok_or_else(|| fault("a line has five parts: laps-reader-1 SUITE ID KEY NAME"))
        };
        match word()? {
            PREFIX => {}
            other if other.starts_with("laps-reader-") => {
                return Err(fault("it has another version; laps-reader-1 is accepted"));
            }
            _ => return Err(fault("a line begins with laps-reader-1")),
        }
        let suite = Suite::from_name(word()?)
            .ok_or_else(|| fault("the suite is not known; x-wing and x25519 are accepted"))?;
        let id: String = word()?.to_string();
        let key = Base64::decode_vec(word()?).map_err(|_| fault("the key is not Base64"))?;
        let reader = Self::new(suite, &key, word()?)?;
        if reader.id.to_string() != id {
            return Err(fault("the id does not belong to the key; the line was changed"));
        }
        // One reader has one line.
        if reader.to_string() != line {
            return Err(fault("the line is not written in the one accepted way"));
        }
        Ok(reader)
    }
}
