//! Reader sets: which readers devices seal to, signed by an authority and versioned (protocol §4.1,
//! FORMAT.md §9).

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};

use super::{Reader, SealError, Signer, SignerId, SignerKey, sealing};
use crate::identity::Scope;
use crate::text;

/// The readers of a scope, as an authority says.
///
/// As text: a line `laps-reader-set-1`, the lines `scope`, `version` and `authority`, one line for
/// each reader, and a line with the signature over all before it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReaderSet {
    scope: Scope,
    version: u64,
    readers: Vec<Reader>,
}

/// What a device remembers of the reader set in force, so that an older one is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReaderSetHead {
    version: u64,
    hash: [u8; 32],
}

impl ReaderSetHead {
    /// The version of the set in force.
    #[must_use]
    pub const fn version(self) -> u64 {
        self.version
    }

    /// For the device's state.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 40] {
        let mut bytes = [0; 40];
        let parts = self.version.to_be_bytes().into_iter().chain(self.hash);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// From the device's state.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 40]) -> Self {
        let [a, b, c, d, e, f, g, h, hash @ ..] = *bytes;
        Self { version: u64::from_be_bytes([a, b, c, d, e, f, g, h]), hash }
    }
}

/// The most bytes of a reader set that are looked at: 16 X-Wing readers take about 28 KiB.
pub const MAX_READER_SET_LEN: usize = 32 * 1024;

const FIRST_LINE: &str = "laps-reader-set-1";

impl ReaderSet {
    /// A set of 1 to 16 readers of one suite; versions count from 1.
    ///
    /// # Errors
    /// [`SealError::NoReaders`], [`SealError::TooManyReaders`], [`SealError::DuplicateReader`],
    /// [`SealError::MixedSuites`]; [`SealError::HeaderRefused`] for version 0.
    pub fn new(scope: Scope, version: u64, readers: &[Reader]) -> Result<Self, SealError> {
        if version == 0 {
            return Err(SealError::HeaderRefused("versions of a reader set count from 1"));
        }
        let readers = sealing::in_order(readers)?.1.into_iter().cloned().collect();
        Ok(Self { scope, version, readers })
    }

    /// The tenant it is for.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Its version; a later one replaces an earlier one.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Its readers, in the order of their ids.
    #[must_use]
    pub fn readers(&self) -> &[Reader] {
        &self.readers
    }

    /// The set as text, signed.
    #[must_use]
    pub fn sign(&self, authority: &SignerKey) -> String {
        let mut text = self.unsigned(authority.signer().id());
        let signature = Base64::encode_string(&authority.sign(&message(&text)));
        text.push_str("signature ");
        text.push_str(&signature);
        text.push('\n');
        text
    }

    /// Reads a set: signed by this authority, for this scope, and not older than the one in force.
    ///
    /// The answer's second half is to be remembered as the set in force once devices seal to it.
    ///
    /// # Errors
    /// [`SealError::ReaderSetMalformed`] when it does not parse; [`SealError::ReaderSetRefused`]
    /// when it is another's, for another scope, older, or another set with the version of the
    /// one in force.
    pub fn verify(
        text: &[u8],
        authority: &Signer,
        scope: &Scope,
        in_force: Option<&ReaderSetHead>,
    ) -> Result<(Self, ReaderSetHead), SealError> {
        const UNSIGNED: SealError = SealError::ReaderSetRefused("this authority did not sign it");
        let malformed = |what| SealError::ReaderSetMalformed { line: 1, what };
        if text.len() > MAX_READER_SET_LEN {
            return Err(malformed("a reader set has at most 32 KiB"));
        }
        let text = text::decode(text).map_err(|_| malformed("it is not text"))?;
        let parsed = Self::parse(&text)?;
        let (set, signature) = (parsed.set, parsed.signature);
        if parsed.authority != authority.id().to_string() {
            return Err(UNSIGNED);
        }
        let unsigned = set.unsigned(authority.id());
        if !parsed.lines.eq(unsigned.lines()) {
            return Err(malformed("it is not written in the one accepted way"));
        }
        if !authority.signed(&message(&unsigned), &signature) {
            return Err(UNSIGNED);
        }
        if set.scope != *scope {
            return Err(SealError::ReaderSetRefused("it is for another scope"));
        }
        let head = ReaderSetHead {
            version: set.version,
            hash: Sha256::digest(unsigned.as_bytes()).into(),
        };
        match in_force {
            Some(current) if head.version < current.version => {
                Err(SealError::ReaderSetRefused("it is older than the one in force"))
            }
            Some(current) if head.version == current.version && head.hash != current.hash => {
                Err(SealError::ReaderSetRefused("another set with this version is in force"))
            }
            _ => Ok((set, head)),
        }
    }

    /// Everything but the signature, in the one way there is to write it.
    fn unsigned(&self, authority: SignerId) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let space = if self.scope.is_empty() { "" } else { " " };
        let (scope, version) = (&self.scope, self.version);
        let _ = writeln!(
            text,
            "{FIRST_LINE}\nscope{space}{scope}\nversion {version}\nauthority {authority}"
        );
        for reader in &self.readers {
            let _ = writeln!(text, "{reader}");
        }
        text
    }

    fn parse(text: &str) -> Result<Parsed<'_>, SealError> {
        let fault = |line, what| SealError::ReaderSetMalformed { line, what };
        let all = text.lines();
        let (mut lines, mut number) = (all.clone(), 0_usize);
        let mut field = |name: &'static str, what: &'static str| {
            number = number.saturating_add(1);
            let line = lines.next().ok_or_else(|| fault(number, what))?;
            line.strip_prefix(name).map(|rest| (number, rest)).ok_or_else(|| fault(number, what))
        };
        if !field(FIRST_LINE, "the first line is laps-reader-set-1")?.1.is_empty() {
            return Err(fault(1, "the first line is laps-reader-set-1"));
        }
        let (number, scope) = field("scope", "a line with the scope is expected")?;
        let scope = Scope::new(scope.strip_prefix(' ').unwrap_or(scope))
            .map_err(|_| fault(number, "the scope is not at most 64 bytes of text"))?;
        let (number, version) = field("version ", "a line with the version is expected")?;
        let version = version.parse().map_err(|_| fault(number, "the version is not a number"))?;
        let authority = field("authority ", "a line with the authority's id is expected")?.1;
        let mut readers = Vec::new();
        let signature = loop {
            let (number, line) = field("", "a line with the signature is expected")?;
            if let Some(signature) = line.strip_prefix("signature ") {
                let mut bytes = [0; 64];
                Base64::decode(signature, &mut bytes)
                    .ok()
                    .filter(|bytes| bytes.len() == 64)
                    .ok_or_else(|| fault(number, "the signature is not 64 bytes in Base64"))?;
                break bytes;
            }
            match line.parse() {
                Err(SealError::ReaderMalformed(what)) => return Err(fault(number, what)),
                reader => readers.push(reader?),
            }
        };
        let number = readers.len().saturating_add(5);
        if lines.next().is_some() {
            return Err(fault(number + 1, "there are lines after the signature"));
        }
        let set = Self::new(scope, version, &readers)
            .map_err(|_| fault(5, "the readers are not 1 to 16 different ones of one suite"))?;
        if set.readers != readers {
            return Err(fault(5, "the readers are not in the order of their ids"));
        }
        Ok(Parsed { lines: all.take(number.saturating_sub(1)), set, authority, signature })
    }
}

struct Parsed<'a> {
    /// Everything but the signature's line.
    lines: core::iter::Take<core::str::Lines<'a>>,
    set: ReaderSet,
    authority: &'a str,
    signature: [u8; 64],
}

/// What is signed: a label and the text up to the signature's line.
fn message(unsigned: &str) -> Vec<u8> {
    [b"laps reader set v1".as_slice(), unsigned.as_bytes()].concat()
}
