//! What can go wrong with records, readers and key files.

use core::fmt;

use crate::error::Code;
use crate::random::RandomError;

/// Why a record, a reader, a key file or a reader set was refused.
///
/// Everything that a key or a tag decides is [`SealError::Rejected`], so that an answer tells an
/// attacker nothing about where inside it went wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SealError {
    /// One reader is named twice.
    DuplicateReader,
    /// Something that shall be sealed cannot be: the text says what.
    HeaderRefused(&'static str),
    /// The key file does not parse: the text says what is wrong.
    KeyFileMalformed(&'static str),
    /// The passphrase is wrong, or the key file is damaged inside.
    KeyFileRejected,
    /// The record does not parse.
    Malformed {
        /// Byte offset of the field that is wrong.
        at: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The readers do not all have one suite.
    MixedSuites,
    /// There is no reader to seal to.
    NoReaders,
    /// The record is sealed to other readers.
    NotAReader,
    /// The key file is encrypted and no passphrase was given.
    PassphraseMissing,
    /// A passphrase was given for a key file that is not encrypted.
    PassphraseUnexpected,
    /// The random source failed, or it repeats itself.
    Random(RandomError),
    /// The line of text is not a reader's public key: the text says why.
    ReaderMalformed(&'static str),
    /// The reader set does not parse.
    ReaderSetMalformed {
        /// Line of the set, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The reader set is not signed by the authority, is for another scope, or is older than the
    /// one in force.
    ReaderSetRefused(&'static str),
    /// The key does not open the record, or the record was changed.
    Rejected,
    /// The record was re-sealed 2³² − 1 times.
    ResealLimit,
    /// There are more than [`MAX_READERS`](super::MAX_READERS) readers.
    TooManyReaders,
    /// A format, a kind of secret or a suite that this version does not know.
    UnsupportedVersion {
        /// `"format"`, `"kind"` or `"suite"`.
        what: &'static str,
        /// The number that was found.
        found: u16,
    },
}

impl SealError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::DuplicateReader
            | Self::HeaderRefused(_)
            | Self::MixedSuites
            | Self::NoReaders
            | Self::PassphraseUnexpected
            | Self::ResealLimit
            | Self::TooManyReaders => Code::InvalidArgument,
            Self::KeyFileMalformed(_) => Code::KeyFileMalformed,
            Self::KeyFileRejected | Self::PassphraseMissing => Code::KeyFileRejected,
            Self::Malformed { .. } => Code::RecordMalformed,
            Self::NotAReader => Code::NotAReader,
            Self::Random(error) => error.code(),
            Self::ReaderMalformed(_) => Code::ReaderMalformed,
            Self::ReaderSetMalformed { .. } => Code::ReaderSetMalformed,
            Self::ReaderSetRefused(_) => Code::ReaderSetRefused,
            Self::Rejected => Code::Rejected,
            Self::UnsupportedVersion { .. } => Code::UnsupportedVersion,
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateReader => f.write_str("one reader is named twice"),
            Self::HeaderRefused(what) => write!(f, "cannot be sealed: {what}"),
            Self::KeyFileMalformed(what) => write!(f, "the key file is malformed: {what}"),
            Self::KeyFileRejected => {
                f.write_str("the passphrase is wrong or the key file is damaged")
            }
            Self::Malformed { at, what } => {
                write!(f, "the record is malformed at byte {at}: {what}")
            }
            Self::MixedSuites => f.write_str(
                "the readers have different suites; a record holds readers of one suite",
            ),
            Self::NoReaders => f.write_str("there is no reader to seal to; at least one is needed"),
            Self::NotAReader => f.write_str("the record is sealed to other readers"),
            Self::PassphraseMissing => {
                f.write_str("the key file is encrypted; give its passphrase")
            }
            Self::PassphraseUnexpected => {
                f.write_str("the key file is not encrypted; leave the passphrase out")
            }
            Self::Random(error) => error.fmt(f),
            Self::ReaderMalformed(what) => write!(f, "not a reader's public key: {what}"),
            Self::ReaderSetMalformed { line, what } => {
                write!(f, "the reader set is malformed in line {line}: {what}")
            }
            Self::ReaderSetRefused(why) => write!(f, "the reader set is refused: {why}"),
            Self::Rejected => {
                f.write_str("the key does not open the record, or the record was changed")
            }
            Self::ResealLimit => f.write_str("the record was re-sealed as often as is possible"),
            Self::TooManyReaders => {
                write!(f, "there are too many readers; at most {} are accepted", super::MAX_READERS)
            }
            Self::UnsupportedVersion { what, found } => {
                write!(f, "{what} {found} is not supported by this version")
            }
        }
    }
}

impl From<RandomError> for SealError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl core::error::Error for SealError {}
