//! The check-in and its answer: the bytes that device and vault exchange (protocol §3).
//! `MESSAGES.md` beside this file has the byte tables and vectors.
//!
//! Both messages are canonical: there is one encoding of each value, and everything else is
//! refused. Both are bounded: a decoder reads no further than the limits below and allocates
//! nothing.
//!
//! A check-in is a *head* of at most [`MAX_HEAD`] bytes, then the offered records in the order of
//! their ids, each as four bytes of length and the record itself. The head is the rotation
//! machine's; the records are the driver's.

mod answer;
mod check_in;
#[cfg(test)]
mod tests;

use core::fmt;

pub use crate::account::Sid as SidBytes;
pub use answer::{Answer, CommitAnswer, OfferRefusal, Refusals, RefusedOffer};
pub use check_in::{CheckIn, Commit, RecordsIter};
pub(super) use check_in::{
    read_audit, read_outcome, read_sid, write_audit, write_outcome, write_sid,
};

use crate::error::Code;

/// The format of both messages.
pub const FORMAT: u8 = 1;
/// The longest head of a check-in, in bytes.
pub const MAX_HEAD: usize = 2048;
/// The longest answer, in bytes.
pub const MAX_ANSWER: usize = 4096;
/// The longest sealed record that a check-in carries, in bytes (protocol §3).
pub const MAX_RECORD: usize = 32 * 1024;
/// The most characters of an account name (protocol §3).
pub(super) const MAX_ACCOUNT_CHARACTERS: usize = 64;
/// How far a version may lie above the highest that its reader knows; a message that names a higher
/// one is malformed. Versions count passwords, so a device that was away for ever is not that far
/// behind, and nobody can use the numbers up.
pub const MAX_AHEAD: u64 = 1 << 32;

/// The length and head of the vault's audit log (protocol §6.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct AuditHead {
    /// How many entries.
    pub length: u64,
    /// The hash of the last one.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// From its parts.
    #[must_use]
    pub const fn new(length: u64, hash: [u8; 32]) -> Self {
        Self { length, hash }
    }
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MessageError {
    /// The buffer is shorter than the message.
    BufferTooSmall,
    /// Not a message of this kind, cut short, too long, or not canonical.
    Malformed {
        /// The field that could not be read.
        field: &'static str,
    },
    /// A record longer than 32 KiB.
    RecordTooLong,
    /// The format of a later version.
    UnsupportedVersion,
}

impl MessageError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::BufferTooSmall => Code::BufferTooSmall,
            Self::Malformed { .. } | Self::RecordTooLong => Code::MessageMalformed,
            Self::UnsupportedVersion => Code::UnsupportedVersion,
        }
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall => f.write_str("the buffer is shorter than the message"),
            Self::Malformed { field } => {
                write!(f, "the message is malformed: {field} is cut short or not canonical")
            }
            Self::RecordTooLong => write!(f, "a record is longer than {MAX_RECORD} bytes"),
            Self::UnsupportedVersion => {
                write!(f, "the message has a format other than {FORMAT}, the one that is supported")
            }
        }
    }
}

impl core::error::Error for MessageError {}

const fn malformed(field: &'static str) -> MessageError {
    MessageError::Malformed { field }
}

/// What stands before each offered record: its length, as four bytes.
///
/// # Errors
/// [`MessageError::RecordTooLong`] for more than 32 KiB or none.
pub fn record_prefix(record: &[u8]) -> Result<[u8; 4], MessageError> {
    match u32::try_from(record.len()) {
        Ok(len) if len > 0 && record.len() <= MAX_RECORD => Ok(len.to_be_bytes()),
        _ => Err(MessageError::RecordTooLong),
    }
}
