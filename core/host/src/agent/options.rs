//! Who and where an agent is, and what it works with.

use core::time::Duration;
use std::path::PathBuf;

use laps_core::identity::{DeviceId, Scope};
use laps_core::policy::Clash;
use laps_core::seal::Reader;

use super::readers::ReaderSetSource;
use super::state::StateFolder;
use crate::account::setter::SetterLock;

/// Where the policy comes from. Files are read again at every run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PolicySource {
    /// Documents of any known form: joined within a root, by Windows' precedence between roots.
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
    /// Who may open what this device seals: at least one, at most sixteen. Empty with a reader
    /// set.
    pub readers: Vec<Reader>,
    /// A signed reader set in place of `readers`.
    pub reader_set: Option<ReaderSetSource>,
    /// The policy.
    pub policy: PolicySource,
    /// What settles a clash between its documents; refused by default.
    pub clash: Clash,
    /// The state folder; made with 0700 when it is not there.
    pub state: PathBuf,
    /// How long to wait for another agent on the same folder: 10 s.
    pub lock_timeout: Duration,
    /// How long a setter may take: 30 s.
    pub setter_timeout: Duration,
    /// From one check-in to the next: an hour, as Windows LAPS. At least a minute, at most a day.
    pub check_in: Duration,
    /// How long a single run waits to try the account again: 30 s.
    pub patience: Duration,
    /// Takes the vault's audit log as it is: a person has looked into what the device said about
    /// it ([`Rotation::acknowledge_log`]).
    ///
    /// [`Rotation::acknowledge_log`]: laps_core::rotation::Rotation::acknowledge_log
    pub acknowledge_log: bool,
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
            reader_set: None,
            policy,
            clash: Clash::Refuse,
            state,
            lock_timeout: StateFolder::LOCK_TIMEOUT,
            setter_timeout: SetterLock::TIMEOUT,
            check_in: Duration::from_secs(3600),
            patience: Duration::from_secs(30),
            acknowledge_log: false,
        }
    }
}
