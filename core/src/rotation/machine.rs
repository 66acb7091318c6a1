//! The machine itself: its state, what it wishes, what it shows.

use super::clock::Clock;
use super::config::Config;
use super::event::{Directory, Event, EventKind, Outcome, Reason};
use super::journal::{Journal, Phase};
use super::log::Log;
use super::schedule;
use super::set::{IdSet, MAX_IDS, MayHold};
use super::wish::{Action, Applied, RotationError, Wish};
use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Timestamp};

/// The machine of one managed account on one device.
///
/// It compares and hashes as a value, so that a model can explore it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rotation {
    pub(super) config: Config,
    pub(super) journal: Journal,
    pub(super) unsaved: Unsaved,
    /// Whether the journal was written out since the last change.
    pub(super) written: bool,
    /// When writing may be tried again after a failure.
    pub(super) save_at: Timestamp,
    pub(super) clock: Clock,
    pub(super) step: Step,
    /// A password is in memory that nothing needs any more.
    pub(super) wipe: bool,
    /// When the password in memory was made.
    pub(super) made_at: Timestamp,
    /// How often the password in memory was applied, and when it may be again.
    pub(super) tries: u8,
    pub(super) retry_at: Timestamp,
    /// Whether the account may hold the password in memory after the last try.
    pub(super) maybe_held: bool,
    /// Passwords in a row that were made anew at once.
    pub(super) remade: u8,
    pub(super) token: Option<[u8; 16]>,
    /// Whether the vault answered in this run.
    pub(super) heard: bool,
    pub(super) sent: Option<Sent>,
    /// What the vault lacks and this device keeps.
    pub(super) lacking: IdSet,
    pub(super) candidates: u32,
    /// Whether the vault had more than one candidate when no rotation was under way.
    pub(super) crowded: bool,
    /// Answers in a row after which another check-in was needed.
    pub(super) spins: u8,
    /// Check-ins in a row without an answer.
    pub(super) silent: u8,
    /// When to check in although nothing asks for it, and before when not to check in at all.
    pub(super) check_in_at: Timestamp,
    pub(super) check_in_not_before: Timestamp,
    /// What is due does not wait for its back-off.
    pub(super) hurry: bool,
    /// Said once, not at every fact.
    pub(super) said_grace: bool,
    pub(super) said_full: bool,
    /// The restart is journalled as done and is to be done now.
    pub(super) restart: bool,
    pub(super) log: Log,
}

/// What the journal in memory has that the one on disk does not.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Unsaved {
    Nothing,
    /// Worth keeping: written when nothing else is to be done.
    Detail,
    /// The next step rests on it.
    Step,
}

/// The steps that end with the agent: a password is in memory.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Step {
    /// No password in memory.
    Idle,
    /// The vault is to store the record.
    BackingUp,
    /// It has; the stamp is to be read.
    Stamping,
    /// The account is to be changed.
    Applying,
    /// The account is to be asked.
    Verifying(Applied),
}

/// The check-in whose answer would be accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Sent {
    pub(super) nonce: [u8; 16],
    pub(super) offers: IdSet,
    pub(super) commit: Option<Proposal>,
    pub(super) with_token: bool,
    pub(super) audit: Option<super::message::AuditHead>,
}

/// What holds once the vault has acknowledged the commit that a check-in carries. The vault learns it with the commit, so that it need not
/// wait for another check-in to say until when the new password is good.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Proposal {
    pub(super) id: RecordId,
    pub(super) due: Timestamp,
    pub(super) at: Timestamp,
}

/// Where a rotation stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// This run has not heard from the vault yet.
    Starting,
    /// No rotation is under way.
    Settled,
    /// A password was made; the vault is to store it.
    BackingUp,
    /// The account is being changed.
    Applying,
    /// The account is being asked.
    Verifying,
    /// The account holds the new password; the vault is to take it as the current one.
    Committing,
}

impl State {
    /// The name, as documents spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Settled => "settled",
            Self::BackingUp => "backing-up",
            Self::Applying => "applying",
            Self::Verifying => "verifying",
            Self::Committing => "committing",
        }
    }
}

/// What `agent status` shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The device.
    pub device: DeviceId,
    /// The account whose password is managed.
    pub account: AccountName,
    /// Its SID.
    pub sid: Option<Sid>,
    /// The version of the last committed record; 0 for none.
    pub version: u64,
    /// Where the rotation stands.
    pub state: State,
    /// When the next one is due; none before the first commit.
    pub due: Option<Timestamp>,
    /// What the account may hold.
    pub may_hold: MayHold,
    /// How many candidates the vault had at the last answer; 0 when this run has had none.
    pub candidates: u32,
    /// How the last rotation or try ended.
    pub last: Option<Outcome>,
    /// Why a rotation is due now (also one that waits for its back-off), or is under way.
    pub rotation_due: Option<Reason>,
}

impl Rotation {
    /// A machine without a journal: nothing is known of the account's password. When nothing is managed, the first event says so.
    ///
    /// # Errors
    /// [`RotationError::InvalidConfig`].
    pub fn new(config: Config, now: Timestamp) -> Result<Self, RotationError> {
        config.check()?;
        let journal = Journal::new(&config.scope, &config.device, config.account, config.sid, now);
        let mut rotation = Self::from_journal(config, journal);
        rotation.say_if_disabled();
        Ok(rotation)
    }

    /// Windows LAPS says at every start that it has nothing to do.
    pub(super) fn say_if_disabled(&mut self) {
        if self.config.directory.is_none() {
            self.say(EventKind::Disabled, Reason::None, 0);
        }
    }

    pub(super) const fn from_journal(config: Config, journal: Journal) -> Self {
        let start = Timestamp::from_unix_seconds(0);
        Self {
            config,
            journal,
            unsaved: Unsaved::Nothing,
            written: false,
            save_at: start,
            clock: Clock::new(journal.seen),
            step: Step::Idle,
            wipe: false,
            made_at: start,
            tries: 0,
            retry_at: start,
            maybe_held: false,
            remade: 0,
            token: None,
            heard: false,
            sent: None,
            lacking: IdSet::EMPTY,
            candidates: 0,
            crowded: false,
            spins: 0,
            silent: 0,
            check_in_at: start,
            check_in_not_before: start,
            hurry: false,
            said_grace: false,
            said_full: false,
            restart: false,
            log: Log::EMPTY,
        }
    }

    /// What to do next. Changes nothing, draws nothing, and says the same until a fact arrives.
    #[must_use]
    pub fn poll(&self) -> Wish {
        if self.wipe {
            return Wish::Wipe;
        }
        if self.unsaved == Unsaved::Step {
            return self.save_or_wait();
        }
        if let Some(id) = self.journal.last_made {
            match self.step {
                Step::Stamping => return Wish::ReadStamp,
                Step::Applying if self.is_past(self.retry_at) => return Wish::Apply { id },
                Step::Applying => return Wish::WaitUntil(self.next_time()),
                Step::Verifying(_) => return Wish::Verify { id },
                Step::Idle | Step::BackingUp => {}
            }
        }
        if let Some(action) = self.next_action() {
            return Wish::Act(action);
        }
        if self.wants_check_in() && self.is_past(self.check_in_not_before) {
            return Wish::CheckIn;
        }
        if self.startable().is_some() {
            return Wish::Prepare {
                previous: self.journal.last_made,
                version: self.journal.highest.saturating_add(1),
            };
        }
        if self.unsaved == Unsaved::Detail {
            return self.save_or_wait();
        }
        Wish::WaitUntil(self.next_time())
    }

    fn save_or_wait(&self) -> Wish {
        if self.is_past(self.save_at) { Wish::Save } else { Wish::WaitUntil(self.next_time()) }
    }

    pub(super) fn is_past(&self, time: Timestamp) -> bool {
        time <= self.clock.now()
    }

    fn next_action(&self) -> Option<Action> {
        if self.restart {
            return Some(Action::Restart);
        }
        let following = self.journal.following.filter(|following| self.is_past(following.at))?;
        Action::first_of(following.actions)
    }

    /// Whether the vault is to be asked something now.
    fn wants_check_in(&self) -> bool {
        match (self.journal.phase, self.step) {
            (Phase::Committing { .. }, _) | (Phase::BackingUp, Step::BackingUp) => true,
            (Phase::Settled, _) => {
                self.config.directory.is_some()
                    && (!self.heard
                        || !self.lacking.is_empty()
                        || (self.is_past(self.check_in_at) && self.startable().is_none()))
            }
            (Phase::BackingUp | Phase::Applying, _) => false,
        }
    }

    /// Every reason for a rotation, the first to be named first, and whether it waits for calm after conflicts.
    fn reasons(&self) -> [(Reason, bool); 11] {
        let (journal, now) = (&self.journal, self.clock.now());
        let reasons = &journal.reasons;
        let age = self.config.max_age_seconds;
        let unknown = journal.may_hold.unknown;
        let uncertain = journal.may_hold.ids.len() > 1 || self.crowded;
        let of = |reason, holds| (if holds { reason } else { Reason::None }, false);
        let calm = |reason, holds| (if holds { reason } else { Reason::None }, true);
        [
            of(Reason::Forced, reasons.forced),
            of(Reason::Order, reasons.ordered),
            of(Reason::PostAuthentication, journal.used.is_some_and(|used| used.deadline <= now)),
            of(Reason::AccountChanged, reasons.account_changed),
            of(Reason::JournalLost, unknown && reasons.journal_lost),
            of(Reason::Enrolment, unknown),
            calm(Reason::ImageRolledBack, reasons.rolled_back),
            calm(Reason::OutcomeUncertain, uncertain),
            of(
                Reason::PolicyChanged,
                journal.committed_at.is_some() && self.config.demands_over(journal.demand),
            ),
            of(
                Reason::ExpiryBeyondPolicy,
                self.config.expiry_protection && journal.due.is_some_and(|due| due > now.plus(age)),
            ),
            of(Reason::Age, journal.due.is_some_and(|due| due <= now)),
        ]
    }

    /// Why a rotation is due, whether or not it may begin now.
    pub(super) fn reason_due(&self) -> Option<Reason> {
        self.config.directory?;
        self.reasons().into_iter().map(|(reason, _)| reason).find(|reason| *reason != Reason::None)
    }

    /// From when on rotations may begin whose reason is a conflict.
    pub(super) fn calm_at(&self) -> Timestamp {
        let committed = self.journal.committed_at.unwrap_or_default();
        committed.plus(schedule::calm(self.journal.conflicts))
    }

    /// Why a rotation may begin now.
    pub(super) fn startable(&self) -> Option<Reason> {
        let journal = &self.journal;
        let free = self.config.directory.is_some()
            && journal.phase == Phase::Settled
            && self.step == Step::Idle
            && self.heard
            && !self.is_full()
            // What the vault lacks is offered first; a vault that never takes it must not stop us.
            && (self.lacking.is_empty() || self.spins > 2);
        let waits = !self.hurry && journal.not_before.is_some_and(|at| !self.is_past(at));
        if !free || waits {
            return None;
        }
        let calm = self.hurry || self.is_past(self.calm_at());
        self.reasons()
            .into_iter()
            .find(|(reason, needs_calm)| *reason != Reason::None && (calm || !needs_calm))
            .map(|(reason, _)| reason)
    }

    /// Whether another record would be one too many (protocol §2.10).
    pub(super) fn is_full(&self) -> bool {
        self.journal.may_hold.ids.is_full()
            || usize::try_from(self.candidates).is_ok_and(|candidates| candidates >= MAX_IDS)
    }

    /// The next time at which something may change by itself.
    fn next_time(&self) -> Timestamp {
        let (journal, now) = (&self.journal, self.clock.now());
        let managed = self.config.directory.is_some();
        let busy = journal.phase != Phase::Settled;
        let password = self.step != Step::Idle;
        let times = [
            (managed || busy).then_some(self.check_in_not_before),
            managed.then_some(self.check_in_at),
            managed.then_some(journal.due).flatten(),
            managed.then_some(journal.not_before).flatten(),
            managed.then_some(self.calm_at()),
            journal.used.map(|used| used.deadline),
            journal.following.map(|following| following.at),
            password.then_some(self.plaintext_end()),
            password.then_some(self.retry_at),
            (self.unsaved != Unsaved::Nothing).then_some(self.save_at),
        ];
        let next = times.into_iter().flatten().filter(|time| *time > now).min();
        next.map_or(Timestamp::MAX, |next| self.clock.wall(next))
    }

    /// When the password in memory is wiped if it was not applied by then (protocol §2.4).
    pub(super) const fn plaintext_end(&self) -> Timestamp {
        self.made_at.plus(self.config.plaintext_seconds)
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.log.pop()
    }

    pub(super) fn directory(&self) -> Directory {
        self.config.directory.unwrap_or_default()
    }

    /// Reports what is about no record.
    pub(super) fn say(&mut self, kind: EventKind, reason: Reason, detail: u64) {
        self.log.push(Event {
            at: self.clock.now(),
            kind,
            id: kind.id(self.directory()),
            reason,
            version: 0,
            record: None,
            detail,
        });
    }

    /// Reports what is about the last record made.
    pub(super) fn say_of_record(&mut self, kind: EventKind, reason: Reason) {
        self.log.push(Event {
            at: self.clock.now(),
            kind,
            id: kind.id(self.directory()),
            reason,
            version: self.journal.version,
            record: self.journal.last_made,
            detail: 0,
        });
    }

    /// The journal changed.
    pub(super) fn changed(&mut self, what: Unsaved) {
        self.unsaved = self.unsaved.max(what);
        self.written = false;
    }

    /// The records that the driver must keep beside the journal, in the same file.
    #[must_use]
    pub fn keep(&self) -> IdSet {
        self.journal.keep()
    }

    /// The account whose password this rotation replaces. While a rotation is under way it stays the one that it began with.
    #[must_use]
    pub const fn account(&self) -> &AccountName {
        &self.journal.account
    }

    /// Its SID.
    #[must_use]
    pub const fn sid(&self) -> Option<Sid> {
        self.journal.sid
    }

    /// The settings in force.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Where the rotation stands.
    #[must_use]
    pub const fn state(&self) -> State {
        match (self.journal.phase, self.step) {
            (_, Step::BackingUp) | (Phase::BackingUp, _) => State::BackingUp,
            (_, Step::Verifying(_)) => State::Verifying,
            (_, Step::Stamping | Step::Applying) | (Phase::Applying, _) => State::Applying,
            (Phase::Committing { .. }, _) => State::Committing,
            (Phase::Settled, _) if !self.heard => State::Starting,
            (Phase::Settled, _) => State::Settled,
        }
    }

    /// What `agent status` shows.
    #[must_use]
    pub fn status(&self) -> Status {
        let journal = &self.journal;
        let under_way = journal.phase != Phase::Settled;
        Status {
            device: self.config.device,
            account: journal.account,
            sid: journal.sid,
            version: journal.committed,
            state: self.state(),
            due: journal.due,
            may_hold: journal.may_hold,
            candidates: self.candidates,
            last: journal.last,
            rotation_due: if under_way { Some(journal.why) } else { self.reason_due() },
        }
    }
}
