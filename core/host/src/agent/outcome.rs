//! How a run ended, and why there was none.

use core::fmt;

use laps_core::error::Code;
use laps_core::random::RandomError;
use laps_core::rotation::RotationError;

use super::state::StateError;
use crate::account::StoreError;

/// How one run ended, when nothing failed on the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RunOutcome {
    /// The account does not exist. The vault knows, and nothing is made until it does.
    AccountMissing,
    /// A rotation was due, and the vault has taken its commit.
    Committed,
    /// A rotation is due and not committed: it failed, it waits, or the run was stopped; the events
    /// say why. It goes on at the next run.
    NotCommitted,
    /// Nothing was due.
    NothingDue,
    /// A rotation was due, and the vault was not reached or is locked.
    Unreachable,
}

impl RunOutcome {
    /// The exit status of `laps agent run --once` (architecture §7).
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Committed | Self::NothingDue => 0,
            Self::AccountMissing => 4,
            Self::Unreachable => 7,
            Self::NotCommitted => 8,
        }
    }

    /// One word: `account-missing`, `committed`, `not-committed`, `nothing-due`, `unreachable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountMissing => "account-missing",
            Self::Committed => "committed",
            Self::NotCommitted => "not-committed",
            Self::NothingDue => "nothing-due",
            Self::Unreachable => "unreachable",
        }
    }
}

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
                "an agent needs at least one reader and at most sixteen, or a reader set and no others",
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
