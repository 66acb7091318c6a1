//! Why an agent does not run.

use core::fmt;
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};

use laps_core::error::Code;
use laps_core::random::RandomError;
use laps_core::rotation::RotationError;

use super::journal::MalformedJournal;
use crate::account::StoreError;
use crate::trust::TrustError;

/// The agent cannot run.
#[derive(Debug)]
#[non_exhaustive]
pub enum AgentError {
    /// The account store.
    Account(StoreError),
    /// A bug of ours.
    Internal(&'static str),
    /// No policy was accepted so far, and this one is refused; the text says what is wrong with it.
    Policy(String),
    /// The random source failed.
    Random(RandomError),
    /// No reader, or more than sixteen; or readers beside a reader set.
    Readers,
    /// The reader set is refused, and none is in force.
    ReaderSet {
        /// Why, as a number.
        code: Code,
        /// Why, and what can be done.
        text: String,
    },
    /// The machine did not take an event, or the journal is of a later version.
    Rotation(RotationError),
    /// The state folder.
    State(StateError),
}

impl AgentError {
    /// The number of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Account(error) => error.code(),
            Self::Internal(_) => Code::Internal,
            Self::Policy(_) => Code::PolicyRefused,
            Self::Random(error) => error.code(),
            Self::Readers => Code::InvalidArgument,
            Self::ReaderSet { code, .. } => *code,
            Self::Rotation(error) => error.code(),
            Self::State(error) => error.code(),
        }
    }

    /// The exit status of `laps agent` (architecture §7).
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        let code = self.code();
        let refused = [
            Code::PolicyRefused,
            Code::AccountRefused,
            Code::ReaderSetRefused,
            Code::ReaderSetMalformed,
        ];
        if refused.contains(&code) {
            3
        } else if code == Code::AccountNotFound {
            4
        } else if code == Code::PermissionDenied {
            5
        } else if code == Code::Busy {
            7
        } else if code == Code::InvalidArgument {
            2
        } else {
            1
        }
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(error) => error.fmt(f),
            Self::Internal(text) => write!(f, "internal error: {text}"),
            Self::Policy(text) => write!(f, "no policy is in force: {text}"),
            Self::Random(error) => error.fmt(f),
            Self::Rotation(error) => error.fmt(f),
            Self::Readers => f.write_str(
                "an agent needs at least one reader and at most sixteen, or a reader set and no \
                 others",
            ),
            Self::ReaderSet { text, .. } => f.write_str(text),
            Self::State(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AgentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Account(error) => Some(error),
            Self::State(error) => Some(error),
            Self::Random(error) => Some(error),
            Self::Rotation(error) => Some(error),
            Self::Internal(_) | Self::Policy(_) | Self::Readers | Self::ReaderSet { .. } => None,
        }
    }
}

impl From<StateError> for AgentError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<StoreError> for AgentError {
    fn from(error: StoreError) -> Self {
        Self::Account(error)
    }
}

impl From<RandomError> for AgentError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl From<RotationError> for AgentError {
    fn from(error: RotationError) -> Self {
        Self::Rotation(error)
    }
}

/// The state folder cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum StateError {
    /// Another agent has it.
    Busy {
        /// Which folder.
        folder: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// Input or output failed.
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What should be written is above a bound: our bug.
    Malformed(MalformedJournal),
    /// It is a link, or no folder at all.
    NoFolder {
        /// Which path.
        folder: PathBuf,
    },
    /// Others can put anything in it.
    Untrusted(TrustError),
}

impl StateError {
    pub(super) fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), error }
    }

    /// The number of this error.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's kinds are open-ended")]
    pub fn code(&self) -> Code {
        match self {
            Self::Busy { .. } => Code::Busy,
            Self::Io { error, .. } => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StorageFull,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Code::PermissionDenied
                }
                io::ErrorKind::WouldBlock => Code::Busy,
                _ => Code::Io,
            },
            Self::Malformed(_) => Code::Internal,
            Self::NoFolder { .. } => Code::PermissionDenied,
            Self::Untrusted(error) => error.code(),
        }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { folder, waited } => write!(
                f,
                "another agent uses the state folder {}; waited {} s",
                folder.display(),
                waited.as_secs()
            ),
            Self::Io { what, path, error } => {
                write!(f, "cannot {what} {}: {error}", path.display())
            }
            Self::Malformed(error) => write!(f, "the journal cannot be written: {error}"),
            Self::NoFolder { folder } => write!(
                f,
                "the state folder {0} is a link or a file, and must be a folder; name the folder \
                 itself, or: rm {0}",
                folder.display()
            ),
            Self::Untrusted(error) => write!(f, "the state folder: {error}"),
        }
    }
}

impl core::error::Error for StateError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Malformed(error) => Some(error),
            Self::Untrusted(error) => Some(error),
            Self::Busy { .. } | Self::NoFolder { .. } => None,
        }
    }
}
