//! The agent: drives the rotation machine against a state folder, an account store and a channel to
//! the vault.
//!
//! | module | what |
//! |---|---|
//! | [`channel`] | how check-ins reach the vault |
//! | [`event`] | what happened, as JSON lines |
//! | [`journal`] | the journal file |
//! | [`log`] | where events are kept on the device |
//! | [`ReaderSetSource`] | signed reader sets, and what is remembered of them |
//! | [`state`] | the state folder and its locks |
//! | [`status`] | what an administrator asks of a device |
//!
//! # What a rotation waits for
//!
//! A forced rotation with a vault in a file makes ten syncs (`core/host/tests/kill` counts them
//! with strace); a run with nothing due makes two, and a check-in of a running agent with nothing
//! new makes none.
//!
//! | syncs | of what | why |
//! |---|---|---|
//! | 2 | journal: record made | else this device may not know a record that the vault has: a fork |
//! | 2 | journal: verified | else a loss of power leaves it uncertain and costs another rotation |
//! | 2 | journal: settled | else a loss of power brings it back and costs another rotation |
//! | 3 | vault: token, record, commit | each is durable before its answer |
//! | 1 | folder of the vault | `SQLite` makes its log again, unless the vault stays open |
//!
//! Two for a journal: of the new file before it takes the place of the old one, and of the folder,
//! or the rename could be undone. The first two and the vault's three keep promises: the
//! exploration of the machine finds a fork without the journal of a record that was made, and a
//! lost password without the token. It finds none without the other two journals, which save a
//! second rotation. No journal is written between the vault's answer and the account: the one of
//! the record made already says how the account's change stamp was, and any other change stamp
//! means that the record may be held.

pub mod channel;
mod drive;
mod error;
pub mod event;
mod inputs;
pub mod journal;
pub mod log;
mod look;
mod options;
mod outcome;
pub mod readers;
mod refusal;
pub mod state;
pub mod status;

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::time::Instant;

use laps_core::identity::Timestamp;
use laps_core::refusal::Demands;
use laps_core::rotation::event::{Level, Reason};
use laps_core::rotation::{DAY, State};
use laps_core::seal::Reader;

use crate::account::AccountStore;
use crate::account::setter::SetterLock;
use crate::time::now;
use channel::Channel;
use drive::{Drive, Source, Until};
use event::AgentEvent;
use look::AccountLook;
use readers::InForce;
use state::StateFolder;

pub use error::{AgentError, StateError};
pub use options::{AgentOptions, PolicySource};
pub use outcome::RunOutcome;
pub use readers::ReaderSetSource;

/// Where events go.
pub type EventSink = Box<dyn FnMut(&AgentEvent) + Send>;

/// One agent on one state folder, which it holds locked.
///
/// ```
/// # #[cfg(all(unix, feature = "vault"))] {
/// use laps_core::identity::{DeviceId, Scope};
/// use laps_core::random::Generator;
/// use laps_core::seal::{ReaderKey, Suite};
/// use laps_core::vault::{MemoryStore, Vault};
/// use laps_host::agent::channel::VaultChannel;
/// use laps_host::agent::{Agent, AgentOptions, PolicySource, RunOutcome};
/// use laps_testkit::account::InMemory; // `account::open("linux")` has the machine's accounts
///
/// let key = ReaderKey::generate(Suite::X25519, "Helpdesk", &mut Generator::from_system()?)?;
/// let (device, readers) = (DeviceId::new("PC-0042")?, vec![key.reader().clone()]);
/// let text = r#"{"BackupDirectory":1,"AdministratorAccountName":"Admin"}"#;
/// let policy = PolicySource::Texts(vec![("policy.json".into(), text.into())]);
/// let folder = tempfile::tempdir()?;
/// let account = InMemory::new(true, &[]);
/// let vault = Vault::from_system(MemoryStore::new());
/// let mut agent = Agent::open(
///     AgentOptions::new(device, readers, policy, folder.path().join("state")),
///     Box::new(account.clone()),
///     Box::new(VaultChannel::new(vault, Scope::EMPTY, device)),
///     Box::new(|event| println!("{}", event.to_json())),
/// )?;
/// assert_eq!(agent.run_once(false)?, RunOutcome::Committed);
/// assert_eq!(agent.run_once(false)?, RunOutcome::NothingDue);
/// assert_eq!(account.passwords().len(), 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Agent {
    options: AgentOptions,
    folder: StateFolder,
    setter: SetterLock,
    store: Box<dyn AccountStore + Send>,
    channel: Box<dyn Channel + Send>,
    events: EventSink,
    generator: Source,
    drive: Option<Drive>,
    /// The signed reader set that passwords are sealed to, when there is one.
    reader_set: Option<InForce>,
    /// What the device's own password policy asked for.
    demands: Demands,
    /// What was told already about the policy and the store, so that it is told once.
    told: Vec<String>,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Agent {
    /// Locks the state folder, and waits for a setter that an ended agent left behind.
    ///
    /// # Errors
    /// [`AgentError::State`] when another agent has the folder, or it cannot be used;
    /// [`AgentError::Readers`]; [`AgentError::ReaderSet`]; [`AgentError::Random`].
    pub fn open(
        options: AgentOptions,
        store: Box<dyn AccountStore + Send>,
        channel: Box<dyn Channel + Send>,
        events: EventSink,
    ) -> Result<Self, AgentError> {
        let fits = if options.reader_set.is_some() { 0..=0 } else { 1..=16 };
        if !fits.contains(&options.readers.len()) {
            return Err(AgentError::Readers);
        }
        let generator = Source::from_system()?;
        let (folder, setter) =
            StateFolder::open(&options.state, options.lock_timeout, options.setter_timeout)?;
        let reader_set = readers::kept(&folder, options.reader_set.as_ref(), &options.scope)?;
        let kept = folder.demands()?;
        let demands = kept.as_deref().map_or_else(|| Some(Demands::default()), Demands::from_json);
        let mut agent = Self {
            options,
            folder,
            setter,
            store,
            channel,
            events,
            generator,
            drive: None,
            reader_set,
            demands: demands.clone().unwrap_or_default(),
            told: Vec::new(),
        };
        if demands.is_none() {
            let text =
                "what the device's password policy asked for cannot be read, and is learnt again";
            agent.tell("demands-damaged", Level::Warning, text.to_owned());
        }
        Ok(agent)
    }

    /// One check-in, and what is due after it, at most two passwords; or a new password in any case
    /// if `force` is set. What is due does not wait for its back-off, but for everything else
    /// that it waits for.
    ///
    /// A failed try at the account is repeated after some seconds while the password is in memory,
    /// as long as [`AgentOptions::patience`] lasts.
    ///
    /// # Errors
    /// [`AgentError`] when the policy is refused and none was accepted before, the account must not
    /// be managed, or the state folder fails.
    pub fn run_once(&mut self, force: bool) -> Result<RunOutcome, AgentError> {
        self.run_once_until(force, &AtomicBool::new(false))
    }

    /// As [`Agent::run_once`]; ends at its next step when `stop` is true, which is within the time
    /// that the present call of a store or channel takes.
    ///
    /// # Errors
    /// As [`Agent::run_once`].
    pub fn run_once_until(
        &mut self,
        force: bool,
        stop: &AtomicBool,
    ) -> Result<RunOutcome, AgentError> {
        let stop = || stop.load(Ordering::Relaxed) || crate::stop::is_ended();
        let patience = now().plus(self.options.patience.as_secs());
        // The wall clock may be set back meanwhile; this one is not.
        let begun = Instant::now();
        let mut started = false;
        loop {
            let wanted = if started { Wanted::Nothing } else { Wanted::Now { force } };
            started = true;
            let wake = match self.cycle(wanted, Until::Waiting, &stop) {
                // A program of the store that was ended with this run says nothing about the
                // account.
                Err(AgentError::Account(_)) if stop() => return self.outcome(true),
                wake => wake?,
            };
            let waits = self.drive.as_ref().is_some_and(|drive| {
                drive.unsaved.is_none() && drive.machine.status().state == State::Applying
            });
            if !waits || stop() || wake > patience || begun.elapsed() >= self.options.patience {
                return self.outcome(stop());
            }
            sleep_until(wake, &stop);
        }
    }

    /// Runs until `stop` is true: a check-in every `interval` (a minute to a day), and whatever is
    /// due in between. Looks at `stop` at least every quarter of a second; a step that has
    /// begun is ended first, which takes at most the setter's time-out. Policy files are
    /// read again every minute.
    ///
    /// # Errors
    /// As [`Agent::open`]. What goes wrong later is told as an event, and tried again.
    pub fn run(&mut self, stop: &AtomicBool, interval: Duration) -> Result<(), AgentError> {
        let stop = || stop.load(Ordering::Relaxed) || crate::stop::is_ended();
        self.options.check_in = interval;
        while !stop() {
            let next = now().plus(LOOK_EVERY);
            let wake = match self.cycle(Wanted::Nothing, Until::Waiting, &stop) {
                Ok(wake) => wake.min(next),
                Err(error) => {
                    self.tell("run-failed", Level::Error, error.to_string());
                    next
                }
            };
            sleep_until(wake, &stop);
        }
        self.tell("stopped", Level::Information, "the agent was asked to stop".to_owned());
        Ok(())
    }

    /// One check-in, without a rotation. [`crate::stop`] ends it, as it ends every run.
    ///
    /// # Errors
    /// As [`Agent::run_once`].
    pub fn check_in(&mut self) -> Result<RunOutcome, AgentError> {
        self.cycle(Wanted::CheckIn, Until::CheckedIn, &crate::stop::is_ended)?;
        // What was learnt and could not be kept is a failure, whatever is due.
        if let Some(error) = self.drive.as_mut().and_then(|drive| drive.unsaved.take()) {
            return Err(error.into());
        }
        self.outcome(false)
    }

    /// One look at everything, then the effects that the machine asks for until it waits; until
    /// when it waits.
    fn cycle(
        &mut self,
        wanted: Wanted,
        until: Until,
        stop: &dyn Fn() -> bool,
    ) -> Result<Timestamp, AgentError> {
        let (policy, look) = match self.look() {
            Ok(found) => found,
            Err(error) => {
                self.keep_limits();
                return Err(error);
            }
        };
        self.tell_findings(&policy);
        if self.demands.is_of_another(&policy) {
            self.keep_demands(Demands::default());
        }
        let account = *look.account();
        let mut config = inputs::config(self.options.scope, self.options.device, &policy, &account);
        config.can_verify = self.store.abilities().verify;
        let seconds = self.options.check_in.as_secs();
        config.check_in_seconds = seconds.clamp(60, DAY);
        let mut drive = match self.drive.take() {
            None => {
                let mut drive = self.start(config, &look)?;
                if self.options.acknowledge_log {
                    drive.machine.acknowledge_log(now());
                }
                drive
            }
            Some(mut drive) => {
                drive.machine.handle_timeout(now());
                config.can_verify &= drive.machine.config().can_verify;
                if config != *drive.machine.config()
                    && let Err(error) = drive.machine.handle_config(config, now())
                {
                    // What is under way stays: its records, its password and its limits.
                    self.drive = Some(drive);
                    self.keep_limits();
                    return Err(error.into());
                }
                drive
            }
        };
        drive.committed = false;
        drive.check_ins = 0;
        let there = matches!(look, AccountLook::There(_));
        let follows = config.post_authentication_actions.reset
            && config.post_authentication_delay_seconds > 0;
        drive.look = Some(look);
        if there && follows {
            let since = drive.machine.used_since().plus(1);
            match self.store.used_since(&account, since) {
                Ok(Some(at)) => drive.machine.handle_used(at, now()),
                Ok(None) => {}
                Err(error) => self.tell_once("store-cannot", Level::Warning, error.to_string()),
            }
        }
        match wanted {
            Wanted::Now { force } => {
                drive.machine.skip_back_off(now());
                if force {
                    drive.machine.force(now());
                }
            }
            Wanted::CheckIn | Wanted::Nothing => {}
        }
        let mut wake = self.drive(&mut drive, &policy, until, stop);
        // A machine whose state is not kept says nothing to the vault (protocol §2 rule 2).
        let kept = drive.unsaved.is_none();
        if wake.is_ok() && wanted == Wanted::CheckIn && drive.check_ins == 0 && kept {
            wake = self
                .check_in_once(&mut drive)
                .and_then(|()| self.drive(&mut drive, &policy, until, stop));
        }
        self.drive = Some(drive);
        wake
    }

    /// Whom the next password is sealed to.
    fn readers(&self) -> &[Reader] {
        self.reader_set.as_ref().map_or(&self.options.readers, InForce::readers)
    }

    /// Without a policy or an account a password still does not stay in memory for longer than it
    /// may.
    fn keep_limits(&mut self) {
        let Some(mut drive) = self.drive.take() else { return };
        drive.machine.handle_timeout(now());
        let kept = self.drive_without_policy(&mut drive);
        self.drive = Some(drive);
        if let Err(error) = kept {
            self.tell("run-failed", Level::Error, error.to_string());
        }
    }

    fn outcome(&mut self, stopped: bool) -> Result<RunOutcome, AgentError> {
        let Some(drive) = &mut self.drive else { return Ok(RunOutcome::NotCommitted) };
        let status = drive.machine.status();
        let managed = drive.machine.config().directory.is_some();
        let unheard = managed && status.state == State::Starting;
        // A vault that did not answer is the reason, also where a stop came meanwhile.
        if drive.unreachable || (unheard && !stopped && drive.unsaved.is_none()) {
            Ok(RunOutcome::Unreachable)
        } else if stopped && unheard {
            Ok(RunOutcome::NotCommitted)
        } else if managed && status.account_missing {
            Ok(RunOutcome::AccountMissing)
        } else if status.rotation_due.is_some() {
            Ok(RunOutcome::NotCommitted)
        } else if let Some(error) = drive.unsaved.take() {
            Err(AgentError::State(error))
        } else if drive.committed {
            Ok(RunOutcome::Committed)
        } else {
            Ok(RunOutcome::NothingDue)
        }
    }

    fn tell_once(&mut self, name: &'static str, level: Level, message: String) {
        if !self.told.contains(&message) {
            if self.told.len() >= MAX_REPORTED {
                self.told.clear();
            }
            self.told.push(message.clone());
            self.tell(name, level, message);
        }
    }

    /// An event of the agent itself, beside those of the machine.
    fn tell(&mut self, name: &'static str, level: Level, message: String) {
        let machine = self.drive.as_ref().map(|drive| &drive.machine);
        let event = AgentEvent {
            time: now(),
            name,
            id: None,
            level,
            device: self.options.device.to_string(),
            account: machine.map_or_else(String::new, |machine| machine.account().to_string()),
            version: 0,
            reason: Reason::None.name(),
            message,
        };
        (self.events)(&event);
    }
}

/// What somebody wants of one look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    /// A check-in now.
    CheckIn,
    /// Nothing beyond what is due.
    Nothing,
    /// Whatever is due, without back-off; with `force` a new password in any case.
    Now { force: bool },
}

/// Sleeps until then, or until `stop` says so, but no longer than it looked at the start: the clock
/// may be set back meanwhile.
fn sleep_until(wake: Timestamp, stop: &dyn Fn() -> bool) {
    let begun = Instant::now();
    let most = longest_sleep(wake, now());
    while !stop() && now() < wake && begun.elapsed() < most {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How long a sleep until `wake` may be, whatever the wall clock does.
fn longest_sleep(wake: Timestamp, now: Timestamp) -> Duration {
    Duration::from_secs(wake.seconds_since(now).min(LOOK_EVERY))
}

/// How often the policy files and the uses of the account are looked at, in seconds.
const LOOK_EVERY: u64 = 60;
/// Messages that are remembered so as not to be told again.
const MAX_REPORTED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sleep_is_longer_than_the_time_between_two_looks() {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        assert_eq!(longest_sleep(now.plus(7), now), Duration::from_secs(7));
        assert_eq!(longest_sleep(now.plus(3 * DAY), now), Duration::from_secs(LOOK_EVERY));
        assert_eq!(longest_sleep(now, now.plus(7)), Duration::ZERO);
    }
}
