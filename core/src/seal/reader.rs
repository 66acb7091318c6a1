//! Readers: who can open a record. Here the public half.

use alloc::boxed::Box;
use core::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use super::line::{self, LineKind, Name};
use super::{SealError, Suite, kem};
use crate::codec::{self, Hex};

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

    /// From exactly 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        codec::from_hex(text).map(Self)
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
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for ReaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The public half of a reader: its suite, key and name.
///
/// As text it is one line: `laps-reader-1 SUITE ID KEY NAME`, with the id in hexadecimal and the
/// key in Base64. The id lets people tell readers apart, and a line that was copied wrongly is
/// refused.
#[derive(Clone, Eq, PartialEq)]
pub struct Reader {
    suite: Suite,
    id: ReaderId,
    public_key: Box<[u8]>,
    name: Name,
}

impl Reader {
    /// A reader from its parts.
    ///
    /// # Errors
    /// [`SealError::ReaderMalformed`] when the key is not a public key of the suite, or the name
    /// not a name.
    pub fn new(suite: Suite, public_key: &[u8], name: &str) -> Result<Self, SealError> {
        let name = line::name(name).map_err(SealError::ReaderMalformed)?;
        kem::check_public_key(suite, public_key)?;
        let id = ReaderId::of(suite, public_key);
        Ok(Self { suite, id, public_key: public_key.into(), name })
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

    /// Its public key: 32 bytes (X25519) or 1216 (X-Wing).
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

const LINE: LineKind = LineKind {
    prefix: "laps-reader-1",
    begins: "a reader's line begins with laps-reader-1",
    parts: "a reader's line has five parts: laps-reader-1 SUITE ID KEY NAME",
};

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LINE.write(f, self.suite.name(), &self.id, &self.public_key, self.name())
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
    fn from_str(text: &str) -> Result<Self, SealError> {
        let fault = SealError::ReaderMalformed;
        let line = LINE.parse(text).map_err(fault)?;
        let suite = Suite::from_name(line.algorithm)
            .ok_or_else(|| fault("the suite is not known; x-wing and x25519 are accepted"))?;
        let reader = Self::new(suite, &line.key, line.name)?;
        line.check(&reader.id, &reader).map_err(fault)?;
        Ok(reader)
    }
}
