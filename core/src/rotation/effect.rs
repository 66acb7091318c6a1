//! The effects of the machine, and the words in which the driver reports.

use core::fmt;

use super::message::MessageError;
use crate::error::Code;
use crate::identity::{RecordId, Timestamp};

/// What the driver is to do next. [`Rotation::poll`](super::Rotation::poll) says the same until an
/// input event arrives.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a driver must handle every effect; a new one is a new version"
)]
pub enum Effect {
    /// Wipe the password in memory now, then `handle_wiped`. Its sealed record stays while the
    /// journal keeps it.
    Wipe,
    /// Make the journal durable together with the records of
    /// [`Rotation::retained`](super::Rotation::retained), then `handle_saved`.
    Save,
    /// Look the account up, and read its change stamp, then `handle_account`.
    LookUp,
    /// Check in: `check_in`, send, then `handle_answer` or `handle_check_in_failed`.
    CheckIn,
    /// Mix fresh bytes of the operating system into the generator, draw an id, make a password,
    /// seal it under these, read the account's change stamp, then `handle_prepared`.
    Prepare {
        /// The record made before on this device; for the header.
        previous: Option<RecordId>,
        /// The version of the new record; for the header.
        version: u64,
    },
    /// Read the account's change stamp, then `handle_change_stamp`; none where the platform has
    /// none.
    ReadChangeStamp,
    /// Set the password of this record on the account, then `handle_applied`.
    Apply {
        /// The record.
        id: RecordId,
    },
    /// Ask the account whether it holds the password of this record, then `handle_verified`.
    Verify {
        /// The record.
        id: RecordId,
    },
    /// Do this, then `handle_acted`.
    Act(Action),
    /// Nothing until then, or until something happens: then `handle_timeout`.
    WaitUntil(Timestamp),
}

/// What follows a reset after use of the account.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a driver must handle every action; a new one is a new version"
)]
#[repr(u8)]
pub enum Action {
    /// Tell the account's sessions that they will be signed out in two minutes.
    WarnSignOut = 1,
    /// Sign the account's sessions out and end its connections.
    SignOut = 2,
    /// End every remaining process of the account, without notice.
    Terminate = 3,
    /// Tell the sessions of the device that it will restart in one minute.
    WarnRestart = 4,
    /// Restart the device.
    Restart = 5,
}

impl Action {
    /// The word for it, as account stores and Python spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WarnSignOut => "warn-sign-out",
            Self::SignOut => "sign-out",
            Self::Terminate => "terminate",
            Self::WarnRestart => "warn-restart",
            Self::Restart => "restart",
        }
    }
}

/// How an [`Action`] ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "done, failed, impossible: there is no fourth")]
pub enum Acted {
    /// It was done.
    Done,
    /// It failed; it is not tried again.
    Failed,
    /// The platform cannot.
    NotSupported,
}

/// What a look at the account found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there, missing, not known: there is no fourth")]
pub enum AccountSeen {
    /// It is there.
    Present {
        /// Its change stamp: 32 bytes that differ after every change of its password; none where
        /// the platform has none, or it could not be read.
        change_stamp: Option<[u8; 32]>,
    },
    /// There is no such account.
    Missing,
    /// It could not be looked up.
    Unknown,
}

/// What the account's setter reported.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Applied {
    /// The password was set.
    Success,
    /// The device's password policy refused it: another password is needed.
    Refused,
    /// There is no such account.
    NotFound,
    /// Another policy manages the account.
    ManagedElsewhere,
    /// It failed, or what it did is unknown.
    Failed,
    /// It did not end in time.
    TimedOut,
}

/// What the account said to a password.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "yes, no, no answer: there is no fourth")]
pub enum Verified {
    /// It holds it.
    Match,
    /// It holds another.
    Mismatch,
    /// It could not be asked, or did not answer.
    Unavailable,
}

/// Why the machine did not take an event. Nothing has changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RotationError {
    /// A setting is outside its range.
    InvalidConfig {
        /// The field of [`Config`](super::Config).
        field: &'static str,
    },
    /// This event cannot happen now: the driver did something that was not asked for.
    UnexpectedEvent,
    /// The answer is not for the latest check-in, or that one was answered already.
    UnexpectedAnswer,
    /// The message cannot be read or written.
    Message(MessageError),
    /// Not a journal, or a damaged one.
    JournalMalformed,
    /// A journal of another scope or device.
    JournalOfAnotherDevice,
    /// The journal of a later version: update the software, do not start again.
    JournalUnsupported,
    /// The buffer is too small; [`MAX_JOURNAL`](super::MAX_JOURNAL) is always enough.
    BufferTooSmall,
    /// The new record's id was seen before, which a working random source does not do.
    IdRepeated,
}

impl RotationError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::InvalidConfig { .. } => Code::InvalidArgument,
            Self::UnexpectedEvent | Self::UnexpectedAnswer => Code::UnexpectedEvent,
            Self::Message(error) => error.code(),
            Self::JournalMalformed | Self::JournalOfAnotherDevice => Code::JournalMalformed,
            Self::JournalUnsupported => Code::UnsupportedVersion,
            Self::BufferTooSmall => Code::BufferTooSmall,
            Self::IdRepeated => Code::RandomFailure,
        }
    }
}

impl From<MessageError> for RotationError {
    fn from(error: MessageError) -> Self {
        Self::Message(error)
    }
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidConfig { field } => write!(f, "the setting {field} is outside its range"),
            Self::UnexpectedEvent => {
                f.write_str("this event cannot happen now: the machine did not ask for it")
            }
            Self::UnexpectedAnswer => f.write_str("the answer is not for the latest check-in"),
            Self::Message(error) => error.fmt(f),
            Self::JournalMalformed => f.write_str("the journal is malformed or damaged"),
            Self::JournalOfAnotherDevice => f.write_str("the journal belongs to another device"),
            Self::JournalUnsupported => f.write_str("the journal was written by a later version"),
            Self::BufferTooSmall => f.write_str("the buffer is too small for the journal"),
            Self::IdRepeated => f.write_str("the record id was drawn before"),
        }
    }
}

impl core::error::Error for RotationError {}
