//! The agent: drives the rotation machine against a state folder, an account store and a channel to the vault.
//!
//! | module | what |
//! |---|---|
//! | [`channel`] | how check-ins reach the vault |
//! | [`event`] | what happened, as JSON lines |
//! | [`journal`] | the journal file |
//! | [`state`] | the state folder and its locks |
//! | [`status`] | what an administrator asks of a device |

pub mod channel;
pub mod event;
pub mod journal;
pub mod state;
pub mod status;

use core::fmt;
use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::path::PathBuf;

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope};
use laps_core::seal::Reader;

use crate::account::setter::SetterLock;
use crate::account::{AccountStore, StoreError};
use channel::Channel;
use event::AgentEvent;
use state::{StateError, StateFolder};

/// Where the policy comes from. Files are read again at every run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PolicySource {
    /// Documents of any known form, by Windows' precedence.
    Files(Vec<PathBuf>),
    /// Documents in memory: a name for findings, and the bytes.
    Texts(Vec<(String, Vec<u8>)>),
}

/// Who and where an agent is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentOptions {
    /// The tenant; empty by default.
    pub scope: Scope,
    /// What the vault calls this device.
    pub device: DeviceId,
    /// Who may open what this device seals: at least one, at most sixteen.
    pub readers: Vec<Reader>,
    /// The policy.
    pub policy: PolicySource,
    /// The state folder; made with 0700 when it is not there.
    pub state: PathBuf,
    /// How long to wait for another agent on the same folder: 10 s.
    pub lock_timeout: Duration,
    /// How long a setter may take: 30 s.
    pub setter_timeout: Duration,
    /// Ends this process with SIGKILL at this step. For demonstrations and tests of crashes only; nothing but the caller's own
    /// code can set it.
    pub kill_at: Option<Step>,
}

impl AgentOptions {
    /// The usual ones.
    #[must_use]
    pub fn new(
        device: DeviceId,
        readers: Vec<Reader>,
        policy: PolicySource,
        state: PathBuf,
    ) -> Self {
        Self {
            scope: Scope::EMPTY,
            device,
            readers,
            policy,
            state,
            lock_timeout: StateFolder::LOCK_TIMEOUT,
            setter_timeout: SetterLock::TIMEOUT,
            kill_at: None,
        }
    }
}

/// A moment in a rotation, for [`AgentOptions::kill_at`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The password is made and sealed; the journal is not written yet.
    Prepared,
    /// The journal holds the sealed record; the vault was not asked yet.
    Journalled,
    /// The vault has the record; the account is not changed yet.
    BeforeApply,
    /// The account is changed; the vault was not told yet.
    BeforeCommit,
    /// The vault has taken the commit; the journal does not say so yet.
    Committed,
}

impl Step {
    /// Every step, in the order of a rotation.
    pub const ALL: [Self; 5] =
        [Self::Prepared, Self::Journalled, Self::BeforeApply, Self::BeforeCommit, Self::Committed];

    /// The name: `prepared`, `journalled`, `before-apply`, `before-commit`, `committed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Journalled => "journalled",
            Self::BeforeApply => "before-apply",
            Self::BeforeCommit => "before-commit",
            Self::Committed => "committed",
        }
    }

    /// The step with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// How one run ended, when nothing failed on the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RunOutcome {
    /// A rotation was due, and the vault has taken its commit.
    Committed,
    /// A rotation was due and is not committed; the events say why. It goes on at the next run.
    NotCommitted,
    /// Nothing was due.
    NothingDue,
    /// A rotation was due, and the vault was not reached or is locked.
    Unreachable,
}

impl RunOutcome {
    /// The exit status of `laps agent run --once` (design §10).
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Committed | Self::NothingDue => 0,
            Self::Unreachable => 7,
            Self::NotCommitted => 8,
        }
    }

    /// One word: `committed`, `not-committed`, `nothing-due`, `unreachable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::NotCommitted => "not-committed",
            Self::NothingDue => "nothing-due",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Where events go.
pub type EventSink = Box<dyn FnMut(&AgentEvent) + Send>;

/// One agent on one state folder, which it holds locked.
pub struct Agent {
    options: AgentOptions,
    folder: StateFolder,
    setter: SetterLock,
    store: Box<dyn AccountStore + Send>,
    channel: Box<dyn Channel + Send>,
    events: EventSink,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Agent {
    /// Locks the state folder and reads the journal.
    ///
    /// # Errors
    /// [`AgentError::State`] when another agent has the folder, or it cannot be used.
    pub fn open(
        options: AgentOptions,
        store: Box<dyn AccountStore + Send>,
        channel: Box<dyn Channel + Send>,
        events: EventSink,
    ) -> Result<Self, AgentError> {
        let (folder, setter) =
            StateFolder::open(&options.state, options.lock_timeout, options.setter_timeout)?;
        Ok(Self { options, folder, setter, store, channel, events })
    }

    /// One check-in, and one rotation if it is due or `force` is set.
    ///
    /// # Errors
    /// [`AgentError`] when the policy is refused and none was accepted before, or the state folder fails.
    pub fn run_once(&mut self, force: bool) -> Result<RunOutcome, AgentError> {
        let _ = (force, &self.folder, &self.setter, &self.store, &self.channel, &self.events);
        Err(AgentError::Internal("not yet"))
    }

    /// Runs until `stop` is true: a check-in every `interval`, and whatever is due in between. Looks at `stop` at least every
    /// quarter of a second; a step that has begun is ended first, which takes at most the setter's time-out.
    ///
    /// # Errors
    /// As [`Agent::run_once`].
    pub fn run(&mut self, stop: &AtomicBool, interval: Duration) -> Result<(), AgentError> {
        let _ = (stop, interval);
        Err(AgentError::Internal("not yet"))
    }

    /// One check-in, without a rotation.
    ///
    /// # Errors
    /// As [`Agent::run_once`].
    pub fn check_in(&mut self) -> Result<RunOutcome, AgentError> {
        Err(AgentError::Internal("not yet"))
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
    /// No reader, or more than sixteen.
    Readers,
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
            Self::Readers => Code::InvalidArgument,
            Self::State(error) => error.code(),
        }
    }

    /// The exit status of `laps agent` (design §10).
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        let code = self.code();
        if code == Code::PolicyRefused || code == Code::AccountRefused {
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
            Self::Readers => f.write_str("an agent needs at least one reader and at most sixteen"),
            Self::State(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AgentError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Account(error) => Some(error),
            Self::State(error) => Some(error),
            Self::Internal(_) | Self::Policy(_) | Self::Readers => None,
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
