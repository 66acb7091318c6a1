//! The machine itself: its state, which effect is next, what it shows.

use super::clock::Clock;
use super::config::Config;
use super::effect::{Action, Applied, Effect, RotationError};
use super::event::{Directory, Event, EventKind, Outcome, Reason};
use super::journal::{Attempt, AuditFinding, Journal, Phase, Settled};
use super::log::Log;
use super::set::{MayHold, ReaderIds};
use super::talk::Talk;
use super::wait::Waits;
use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Timestamp};

/// The machine of one managed account on one device.
///
/// It compares and hashes as a value, so that a model can explore it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rotation {
    pub(super) config: Config,
    pub(super) journal: Journal,
    pub(super) step: Step,
    pub(super) unsaved: Unsaved,
    /// Whether the journal was written out since the last change.
    pub(super) written: bool,
    /// When writing may be tried again after a failure.
    pub(super) save_at: Timestamp,
    pub(super) clock: Clock,
    /// A password is in memory that nothing needs any more.
    pub(super) wipe: bool,
    /// Passwords in a row that were made again at once.
    pub(super) remade: u8,
    /// Passwords that this run set, or may have set.
    pub(super) changes: u8,
    pub(super) talk: Talk,
    pub(super) hurry: Hurry,
    /// Whom the next password is sealed to, as a digest; none until it was told.
    pub(super) readers: Option<[u8; 8]>,
    /// The committed record names a reader whom the next one will not.
    pub(super) reader_lost: bool,
    pub(super) reported: Reported,
    /// The restart is journalled as done and is to be done now.
    pub(super) restart: bool,
    pub(super) log: Log,
}

/// What is due does not wait, until the next failure.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Hurry {
    No,
    /// Not for the back-off after failures.
    SkipsBackOff,
    /// Nor for the day between two tries once sixteen records may be held: a person forces.
    Forces,
}

/// What is reported once, not at every input event.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Reported {
    pub(super) grace: bool,
    pub(super) missing: bool,
    pub(super) audit: AuditFinding,
    pub(super) waits: Option<Waits>,
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

/// Where the rotation stands, with everything that means something there alone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Step {
    /// No rotation is under way, and no password in memory.
    Settled(Settled),
    /// A password is in memory; the vault is to store its record.
    BackingUp { attempt: Attempt, made_at: Timestamp },
    /// It has; the change stamp is to be read.
    ReadingChangeStamp { attempt: Attempt, made_at: Timestamp },
    /// The account is being changed.
    Applying(Applying),
    /// The account holds the record; no password in memory.
    Committing {
        attempt: Attempt,
        verified: bool,
        /// Whether the account's change stamp was read since.
        change_stamp_read: bool,
    },
}

/// The account is being changed to the password in memory.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Applying {
    pub(super) attempt: Attempt,
    pub(super) made_at: Timestamp,
    /// How often it was applied.
    pub(super) tries: u8,
    /// Whether the account may hold it after the last try.
    pub(super) maybe_held: bool,
    /// The store said once that it set the password.
    pub(super) set: bool,
    pub(super) stage: Stage,
}

/// One try.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Stage {
    /// The setter is to be called, not before then.
    Set { at: Timestamp },
    /// The account is to be asked.
    Verify(Applied),
    /// It could not be asked, or did not answer: its change stamp is to be read.
    Compare(Applied),
}

impl Step {
    /// As the journal has it.
    pub(super) const fn phase(&self) -> Phase {
        match *self {
            Self::Settled(settled) => Phase::Settled(settled),
            Self::BackingUp { attempt, .. } | Self::ReadingChangeStamp { attempt, .. } => {
                Phase::BackingUp(attempt)
            }
            Self::Applying(Applying { attempt, .. }) => Phase::Applying(attempt),
            Self::Committing { attempt, verified, .. } => Phase::Committing { attempt, verified },
        }
    }

    /// The record of the rotation that is under way.
    pub(super) const fn attempt(&self) -> Option<Attempt> {
        match *self {
            Self::Settled(_) => None,
            Self::BackingUp { attempt, .. }
            | Self::ReadingChangeStamp { attempt, .. }
            | Self::Applying(Applying { attempt, .. })
            | Self::Committing { attempt, .. } => Some(attempt),
        }
    }

    /// When the password in memory was made; none when there is none.
    pub(super) const fn made_at(&self) -> Option<Timestamp> {
        match *self {
            Self::BackingUp { made_at, .. }
            | Self::ReadingChangeStamp { made_at, .. }
            | Self::Applying(Applying { made_at, .. }) => Some(made_at),
            Self::Settled(_) | Self::Committing { .. } => None,
        }
    }

    /// The record made last.
    pub(super) fn last_made(&self) -> Option<RecordId> {
        match self {
            Self::Settled(settled) => settled.last_made,
            Self::BackingUp { .. }
            | Self::ReadingChangeStamp { .. }
            | Self::Applying(_)
            | Self::Committing { .. } => self.attempt().map(|attempt| attempt.id),
        }
    }

    /// When the password in memory may be applied.
    pub(super) const fn retry_at(&self) -> Option<Timestamp> {
        if let Self::Applying(Applying { stage: Stage::Set { at }, .. }) = self {
            Some(*at)
        } else {
            None
        }
    }
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
    /// When the password is to be reset because the account was used.
    pub reset_at: Option<Timestamp>,
    /// Until when a rotation waits that is due, and why.
    pub waits: Option<Waits>,
    /// When the vault's next order is given, as it said in this run.
    pub order_at: Option<Timestamp>,
    /// Whether the account was missing at the latest look.
    pub account_missing: bool,
    /// Whether the committed record is sealed to a reader whom the device lost.
    pub reader_lost: bool,
    /// Readers whom the vault says that it removed, and whom the device's latest offer names.
    pub removed_readers: ReaderIds,
    /// How the vault's audit log compares with what this device remembers of it.
    pub audit: AuditFinding,
    /// What the account may hold.
    pub may_hold: MayHold,
    /// How many candidates the vault had at the last answer; 0 when this run has had none.
    pub candidates: u32,
    /// How the last rotation or try ended.
    pub last: Option<Outcome>,
    /// Why a rotation is due now (also one that waits), or is under way.
    pub rotation_due: Option<Reason>,
}

impl Rotation {
    /// A machine without a journal: nothing is known of the account's password. When nothing is
    /// managed, the first event says so.
    ///
    /// # Errors
    /// [`RotationError::InvalidConfig`].
    pub fn new(config: Config, now: Timestamp) -> Result<Self, RotationError> {
        config.check()?;
        let journal = Journal::new(&config.scope, &config.device, config.account, config.sid, now);
        let mut rotation = Self::from_journal(config, journal, Step::Settled(Settled::default()));
        rotation.say_if_disabled();
        Ok(rotation)
    }

    /// Windows LAPS says at every start that it has nothing to do.
    pub(super) fn say_if_disabled(&mut self) {
        if self.config.directory.is_none() {
            self.say(EventKind::Disabled, Reason::None, 0);
        }
    }

    pub(super) const fn from_journal(config: Config, journal: Journal, step: Step) -> Self {
        Self {
            config,
            journal,
            step,
            unsaved: Unsaved::Nothing,
            written: false,
            save_at: Timestamp::from_unix_seconds(0),
            clock: Clock::new(journal.seen),
            wipe: false,
            remade: 0,
            changes: 0,
            talk: Talk::NEW,
            hurry: Hurry::No,
            readers: None,
            reader_lost: false,
            reported: Reported {
                grace: false,
                missing: false,
                audit: AuditFinding::None,
                waits: None,
            },
            restart: false,
            log: Log::EMPTY,
        }
    }

    /// What to do next. Changes nothing, draws nothing, and says the same until an input event
    /// arrives.
    #[must_use]
    pub fn poll(&self) -> Effect {
        if self.wipe {
            return Effect::Wipe;
        }
        if matches!(self.step, Step::Committing { change_stamp_read: false, .. }) {
            return Effect::ReadChangeStamp;
        }
        if self.unsaved == Unsaved::Step {
            return self.save_or_wait();
        }
        match self.step {
            Step::ReadingChangeStamp { .. } => return Effect::ReadChangeStamp,
            Step::Applying(Applying { attempt: Attempt { id, .. }, stage, .. }) => {
                return match stage {
                    Stage::Set { at } if self.is_past(at) => Effect::Apply { id },
                    Stage::Set { .. } => Effect::WaitUntil(self.next_time()),
                    Stage::Verify(_) => Effect::Verify { id },
                    Stage::Compare(_) => Effect::ReadChangeStamp,
                };
            }
            Step::Settled(_) | Step::BackingUp { .. } | Step::Committing { .. } => {}
        }
        if let Some(action) = self.next_action() {
            return Effect::Act(action);
        }
        if self.wants_check_in() && self.is_past(self.talk.check_in_not_before) {
            return if self.wants_look() { Effect::LookUp } else { Effect::CheckIn };
        }
        if let (Some(_), Some(version)) = (self.startable(), self.next_version()) {
            return Effect::Prepare { previous: self.step.last_made(), version };
        }
        if self.unsaved == Unsaved::Detail {
            return self.save_or_wait();
        }
        Effect::WaitUntil(self.next_time())
    }

    fn save_or_wait(&self) -> Effect {
        if self.is_past(self.save_at) { Effect::Save } else { Effect::WaitUntil(self.next_time()) }
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

    /// The next time at which something may change by itself.
    fn next_time(&self) -> Timestamp {
        let (journal, now) = (&self.journal, self.clock.now());
        let managed = self.config.directory.is_some();
        let busy = !matches!(self.step, Step::Settled(_));
        let times = [
            (managed || busy).then_some(self.talk.check_in_not_before),
            managed.then_some(self.talk.check_in_at),
            managed.then_some(self.talk.ask_at).flatten(),
            managed.then_some(journal.due).flatten(),
            self.next_wait_end(),
            journal.used.map(|used| used.deadline),
            journal.following.map(|following| following.at),
            self.plaintext_end(),
            self.step.retry_at(),
            (self.unsaved != Unsaved::Nothing).then_some(self.save_at),
        ];
        let next = times.into_iter().flatten().filter(|time| *time > now).min();
        next.map_or(Timestamp::MAX, |next| self.clock.wall(next))
    }

    /// When the password in memory is wiped if it was not applied by then (protocol §2.4); none
    /// when there is none.
    pub(super) const fn plaintext_end(&self) -> Option<Timestamp> {
        match self.step.made_at() {
            Some(made_at) => Some(made_at.plus(self.config.plaintext_seconds)),
            None => None,
        }
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
        self.push(kind, reason, None, detail);
    }

    /// Reports what is about a record.
    pub(super) fn say_of(&mut self, attempt: &Attempt, kind: EventKind, reason: Reason) {
        self.push(kind, reason, Some((attempt.id, attempt.version)), 0);
    }

    fn push(&mut self, kind: EventKind, reason: Reason, of: Option<(RecordId, u64)>, detail: u64) {
        self.log.push(Event {
            at: self.clock.now(),
            kind,
            id: kind.id(self.directory()),
            reason,
            version: of.map_or(0, |(_, version)| version),
            record: of.map(|(id, _)| id),
            detail,
        });
    }

    /// The one record that the account holds for certain, when no rotation is under way: the one to
    /// compare with the readers ([`Rotation::handle_readers`]).
    #[must_use]
    pub fn holds(&self) -> Option<RecordId> {
        let settled = matches!(self.step, Step::Settled(_));
        self.journal.held.only().filter(|_| settled)
    }

    /// The account whose password this rotation replaces. While a rotation is under way it stays
    /// the one that it began with, and one that is managed no longer stays until the vault has
    /// what it lacks of it.
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
        match self.step {
            Step::Settled(_) if !self.talk.heard => State::Starting,
            Step::Settled(_) => State::Settled,
            Step::BackingUp { .. } | Step::ReadingChangeStamp { .. } => State::BackingUp,
            Step::Applying(Applying { stage: Stage::Verify(_) | Stage::Compare(_), .. }) => {
                State::Verifying
            }
            Step::Applying(_) => State::Applying,
            Step::Committing { .. } => State::Committing,
        }
    }

    /// What `agent status` shows.
    #[must_use]
    pub fn status(&self) -> Status {
        let journal = &self.journal;
        let in_flight = self.step.attempt().map(|attempt| attempt.cause.reason);
        Status {
            device: self.config.device,
            account: journal.account,
            sid: journal.sid,
            version: journal.committed,
            state: self.state(),
            due: journal.due,
            reset_at: journal.used.map(|used| used.deadline),
            waits: self.waits(),
            order_at: self.talk.order_at,
            account_missing: journal.missing,
            reader_lost: self.reader_lost && journal.held.only().is_some(),
            removed_readers: self.talk.removed_readers,
            audit: journal.audit_finding,
            may_hold: journal.held.may_hold(),
            candidates: self.talk.candidates,
            last: journal.last,
            rotation_due: in_flight.or_else(|| self.reason_due()),
        }
    }
}
