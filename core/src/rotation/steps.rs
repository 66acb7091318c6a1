//! The steps on the device: make, apply, verify (protocol §2).

use super::config::{Config, DAY};
use super::effect::{Applied, Effect, RotationError, Verified};
use super::event::{Event, EventKind, Outcome, Reason};
use super::journal::{self, Attempt, Journal, Phase, Settled};
use super::machine::{Applying, Hurry, Rotation, Stage, Step, Unsaved};
use super::schedule;
use crate::identity::{RecordId, Timestamp};

/// How often one password is applied before another is made.
const MAX_TRIES: u8 = 3;
/// Between two tries with the same password, in seconds.
const BETWEEN_TRIES: u64 = 10;
/// How many passwords in a row are made again at once, without back-off, after a refusal.
const AT_ONCE: u8 = 2;

impl Rotation {
    /// A machine that goes on from its journal. The caller holds the setter lock and has read
    /// `change_stamp` after taking it (protocol §2.5, §2.9). If nothing is managed, an event says
    /// so.
    ///
    /// # Errors
    /// `InvalidConfig`; `JournalMalformed` and `JournalOfAnotherDevice`: start with
    /// [`Rotation::new`]; `JournalUnsupported`: do not start.
    pub fn resume(
        journal: &[u8],
        config: Config,
        change_stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Self, RotationError> {
        config.check()?;
        let (journal, phase) = Journal::decode(journal)?;
        if journal.identity != journal::identity(&config.scope, &config.device) {
            return Err(RotationError::JournalOfAnotherDevice);
        }
        let (step, interrupted) = match phase {
            Phase::Settled(settled) => (Step::Settled(settled), None),
            Phase::Committing { attempt, verified } => {
                (Step::Committing { attempt, verified, change_stamp_read: true }, None)
            }
            Phase::BackingUp(attempt) | Phase::Applying(attempt) => {
                let settled = Settled { last_made: Some(attempt.id), change_stamp };
                (Step::Settled(settled), Some(attempt))
            }
        };
        let mut rotation = Self::from_journal(config, journal, step);
        rotation.say_if_disabled();
        if let Some(attempt) = interrupted {
            rotation.recover(&attempt, change_stamp);
        }
        rotation.observe(now);
        rotation.take_account();
        Ok(rotation)
    }

    // Protocol §2.5. As recorded: not held, ruled out. Changed, or none: it may be held.
    fn recover(&mut self, attempt: &Attempt, change_stamp: Option<[u8; 32]>) {
        if change_stamp.is_some() && change_stamp == attempt.change_stamp {
            self.rule_out(attempt);
        } else {
            // Room is certain: no record is made while the set is full.
            let _ = self.journal.held.ids.push(attempt.id);
        }
        self.changed(Unsaved::Step);
        self.say_of(attempt, EventKind::Recovered, Reason::Interrupted);
        self.note_outcome(EventKind::Recovered, Reason::Interrupted);
        // An agent that dies at every rotation must not make a record at every start; the first two
        // go at once.
        self.journal.failures = self.journal.failures.saturating_add(1);
        let wait = self.journal.failures.checked_sub(3).map(schedule::whole_back_off);
        let wait = if self.is_full() { Some(DAY) } else { wait };
        if let Some(wait) = wait {
            self.journal.not_before = Some(self.clock.now().plus(wait));
        }
        self.count_failed_reset();
    }

    /// A password was made and sealed under this id, with the version and predecessor that were
    /// asked for; `change_stamp` is the account's change stamp, none where the platform has none.
    ///
    /// # Errors
    /// `UnexpectedEvent` when not asked for, or for another version; `IdRepeated`. Wipe it.
    pub fn handle_prepared(
        &mut self,
        id: RecordId,
        version: u64,
        change_stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), RotationError> {
        if !matches!(self.poll(), Effect::Prepare { version: next, .. } if next == version) {
            return Err(RotationError::UnexpectedEvent);
        }
        let cause = self.startable().ok_or(RotationError::UnexpectedEvent)?;
        let journal = &self.journal;
        if self.step.last_made() == Some(id)
            || journal.held.ids.contains(id)
            || journal.ruled_out.contains(id)
            || journal.ruled_out_on_word.contains(id)
        {
            return Err(RotationError::IdRepeated);
        }
        self.observe(now);
        // Whoever changed the account since the last look did not change it to this password.
        self.compare_change_stamp(change_stamp);
        let Step::Settled(settled) = self.step else { return Err(RotationError::UnexpectedEvent) };
        self.drop_oldest();
        let (demand, change_stamp) = (self.config.demand, change_stamp.or(settled.change_stamp));
        let attempt = Attempt { id, version, cause, demand, change_stamp };
        self.journal.highest = version;
        self.step = Step::BackingUp { attempt, made_at: self.clock.now() };
        self.talk.sent = None;
        self.changed(Unsaved::Step);
        let reason = cause.reason;
        let kind = if matches!(reason, Reason::Forced | Reason::Order) {
            EventKind::ResetRequested
        } else if reason == Reason::PostAuthentication {
            EventKind::PostAuthenticationReset
        } else {
            EventKind::RotationDue
        };
        self.say_of(&attempt, kind, reason);
        self.say_of(&attempt, EventKind::Prepared, reason);
        Ok(())
    }

    /// Before a seventeenth record is made the oldest leaves the journal. The vault has it, and
    /// keeps every candidate until the next commit.
    fn drop_oldest(&mut self) {
        if !self.is_full() {
            return;
        }
        let Some(oldest) = self.oldest_at_the_vault() else { return };
        self.journal.held.ids.remove(oldest);
        self.journal.held.unknown = true;
        self.log.push(Event {
            at: self.clock.now(),
            kind: EventKind::CandidateDropped,
            id: None,
            reason: Reason::OutcomeUncertain,
            version: 0,
            record: Some(oldest),
            detail: 0,
        });
    }

    /// No password could be made or sealed. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedEvent` when it was not asked for.
    pub fn handle_prepare_failed(
        &mut self,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        if !matches!(self.poll(), Effect::Prepare { .. }) {
            return Err(RotationError::UnexpectedEvent);
        }
        self.observe(now);
        self.say(EventKind::PrepareFailed, Reason::RandomFailed, 0);
        self.fail(EventKind::PrepareFailed, Reason::RandomFailed, false, entropy);
        Ok(())
    }

    /// The account's change stamp, when it was asked for: right before the account is changed,
    /// after it was changed, and after a try whose outcome the account does not say; none where the
    /// platform has none. `entropy` is 64 random bits.
    ///
    /// No journal has to be written for the first: a start that finds a record being backed up
    /// counts it as held unless the account's change stamp is exactly the one of when the record
    /// was made. A driver that writes one all the same writes the new one.
    ///
    /// # Errors
    /// `UnexpectedEvent` when it was not asked for.
    pub fn handle_change_stamp(
        &mut self,
        change_stamp: Option<[u8; 32]>,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        self.observe(now);
        if self.poll() != Effect::ReadChangeStamp {
            return Err(RotationError::UnexpectedEvent);
        }
        match self.step {
            Step::ReadingChangeStamp { attempt, made_at } => {
                self.begin_apply(attempt, made_at, change_stamp)?;
            }
            Step::Applying(Applying { stage: Stage::Compare(applied), .. }) => {
                self.compare_outcome(applied, change_stamp, entropy);
            }
            Step::Committing { mut attempt, verified, .. } => {
                attempt.change_stamp = change_stamp;
                self.step = Step::Committing { attempt, verified, change_stamp_read: true };
                self.changed(Unsaved::Step);
            }
            Step::Settled(_) | Step::BackingUp { .. } | Step::Applying(_) => {
                return Err(RotationError::UnexpectedEvent);
            }
        }
        Ok(())
    }

    fn begin_apply(
        &mut self,
        mut attempt: Attempt,
        made_at: Timestamp,
        change_stamp: Option<[u8; 32]>,
    ) -> Result<(), RotationError> {
        let room = self.journal.held.ids.push(attempt.id);
        room.map_err(|_| RotationError::UnexpectedEvent)?;
        if matches!((attempt.change_stamp, change_stamp), (Some(was), Some(is)) if was != is) {
            // Somebody changed the account since the record was made: what it has now is not known,
            // should this password not get onto it.
            self.journal.held.unknown = true;
            self.journal.reasons.account_changed = true;
            self.say(EventKind::AccountChanged, Reason::AccountChanged, 0);
        }
        attempt.change_stamp = change_stamp.or(attempt.change_stamp);
        let stage = Stage::Set { at: self.clock.now() };
        self.step = Step::Applying(Applying {
            attempt,
            made_at,
            tries: 0,
            maybe_held: false,
            set: false,
            stage,
        });
        self.changed(Unsaved::Detail);
        Ok(())
    }

    /// What the setter reported.
    ///
    /// # Errors
    /// `UnexpectedEvent` when it was not asked for.
    pub fn handle_applied(
        &mut self,
        applied: Applied,
        now: Timestamp,
    ) -> Result<(), RotationError> {
        if !matches!(self.poll(), Effect::Apply { .. }) {
            return Err(RotationError::UnexpectedEvent);
        }
        self.observe(now);
        self.talk.seen = true;
        if let Step::Applying(applying) = &mut self.step {
            applying.tries = applying.tries.saturating_add(1);
            applying.set |= applied == Applied::Success;
            // Protocol §2.6: after every outcome, failure too, the account is asked.
            applying.stage = if self.config.can_verify {
                Stage::Verify(applied)
            } else {
                Stage::Compare(applied)
            };
        }
        Ok(())
    }

    /// What the account said. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedEvent` when it was not asked for.
    pub fn handle_verified(
        &mut self,
        verified: Verified,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        if !matches!(self.poll(), Effect::Verify { .. }) {
            return Err(RotationError::UnexpectedEvent);
        }
        self.observe(now);
        let Step::Applying(applying) = &mut self.step else { return Ok(()) };
        let Stage::Verify(applied) = applying.stage else { return Ok(()) };
        match verified {
            Verified::Match => self.held(true),
            Verified::Unavailable => applying.stage = Stage::Compare(applied),
            Verified::Mismatch => self.not_held(applied, false, Reason::Mismatch, entropy),
        }
        Ok(())
    }

    /// The account did not say whether it holds the password. An unchanged change stamp says that
    /// it does not; where there is no change stamp, the store's word counts: a refusal is believed
    /// (what is ruled out on it can be revealed until the next commit), and a success where nobody
    /// could ever be asked. Everything else stays uncertain.
    fn compare_outcome(&mut self, applied: Applied, change_stamp: Option<[u8; 32]>, entropy: u64) {
        let Step::Applying(applying) = &mut self.step else { return };
        let before = applying.attempt.change_stamp.filter(|_| change_stamp.is_some());
        if before.is_some() && before == change_stamp {
            // Whatever the store said: no try changed anything.
            applying.set = false;
            self.not_held(applied, false, Reason::Unverified, entropy);
        } else if applied == Applied::Success && !self.config.can_verify {
            self.held(false);
        } else if before.is_none() && !is_transient(applied) {
            self.not_held(applied, true, Reason::Unverified, entropy);
        } else {
            self.not_certain(applied, entropy);
        }
    }

    /// The account holds the new password: asked, or as the setter says where nobody can be asked.
    fn held(&mut self, verified: bool) {
        let Step::Applying(Applying { attempt, .. }) = self.step else { return };
        self.changes = self.changes.saturating_add(1);
        self.journal.covered = self.clock.now();
        self.drop_password(Step::Committing { attempt, verified, change_stamp_read: false });
        self.changed(Unsaved::Step);
        self.say_of(&attempt, EventKind::AccountUpdated, attempt.cause.reason);
        if verified {
            self.say_of(&attempt, EventKind::Verified, attempt.cause.reason);
        }
        self.talk.spins = 0;
    }

    /// The account does not hold the new password: seen, or, `on_word`, as the store says.
    fn not_held(&mut self, applied: Applied, on_word: bool, otherwise: Reason, entropy: u64) {
        let Step::Applying(applying) = &mut self.step else { return };
        // On the store's word a try before, whose outcome is not known, is none the less uncertain.
        applying.maybe_held &= on_word;
        if self.try_again(applied) {
            return;
        }
        let Step::Applying(Applying { attempt, maybe_held, .. }) = self.step else { return };
        if !maybe_held {
            if on_word {
                self.rule_out_on_word(&attempt);
            } else {
                self.rule_out(&attempt);
            }
        }
        self.settle_failed(applied, otherwise, entropy);
    }

    /// The account may hold the new password, or not: the id stays.
    fn not_certain(&mut self, applied: Applied, entropy: u64) {
        if let Step::Applying(applying) = &mut self.step {
            applying.maybe_held = true;
        }
        if !self.try_again(applied) {
            self.settle_failed(applied, Reason::Unverified, entropy);
        }
    }

    // Protocol §2.6: a transient failure tries the same password again; only a refusal makes a new
    // one.
    fn try_again(&mut self, applied: Applied) -> bool {
        let at = self.clock.now().plus(BETWEEN_TRIES);
        let in_time = self.plaintext_end().is_some_and(|end| at < end);
        let same_account = self.same_account();
        let Step::Applying(applying) = &mut self.step else { return false };
        let again = is_transient(applied) && applying.tries < MAX_TRIES && in_time && same_account;
        if again {
            applying.stage = Stage::Set { at };
        }
        again
    }

    /// The password is wiped between two tries.
    pub(super) fn give_up_applying(&mut self, applying: &Applying) {
        if !applying.maybe_held {
            self.rule_out(&applying.attempt);
        }
        self.settle_failed(Applied::Failed, Reason::PlaintextExpired, u64::MAX);
    }

    fn settle_failed(&mut self, applied: Applied, otherwise: Reason, entropy: u64) {
        let Step::Applying(Applying { attempt, set, .. }) = self.step else { return };
        let (kind, reason) = match applied {
            Applied::Refused => (EventKind::PasswordRefused, Reason::PasswordRefused),
            Applied::NotFound => (EventKind::AccountNotFound, Reason::AccountNotFound),
            Applied::ManagedElsewhere => (EventKind::StoodAside, Reason::ManagedElsewhere),
            Applied::TimedOut => (EventKind::AccountUpdateFailed, Reason::SetterTimedOut),
            Applied::Failed => (EventKind::AccountUpdateFailed, Reason::SetterFailed),
            Applied::Success => (EventKind::AccountUpdateFailed, otherwise),
        };
        let maybe = self.journal.held.ids.contains(attempt.id);
        // After an uncertain outcome any change stamp may be ours.
        let change_stamp = attempt.change_stamp.filter(|_| !maybe);
        self.drop_password(Step::Settled(Settled { last_made: Some(attempt.id), change_stamp }));
        self.changed(Unsaved::Step);
        if maybe || set {
            // The account may hold it; or the store says that it did, and somebody set another one.
            self.changes = self.changes.saturating_add(1);
        }
        if maybe {
            self.say_of(&attempt, EventKind::Uncertain, Reason::OutcomeUncertain);
        }
        self.say_of(&attempt, kind, reason);
        self.fail(kind, reason, applied == Applied::Refused, entropy);
        self.take_account();
    }

    /// The record in memory was never applied, in this run of the agent: it is ruled out.
    pub(super) fn abandon(&mut self, attempt: &Attempt) {
        self.rule_out(attempt);
        self.settle_unapplied(attempt);
        self.talk.sent = None;
        self.take_account();
    }

    /// The vault did not take the record. Who refuses may have stored it all the same: it is named
    /// as ruled out.
    pub(super) fn refused(&mut self, attempt: &Attempt, reason: Reason, entropy: u64) {
        self.rule_out_on_word(attempt);
        self.settle_unapplied(attempt);
        self.say_of(attempt, EventKind::BackUpFailed, reason);
        self.fail(EventKind::BackUpFailed, reason, reason == Reason::Stale, entropy);
        self.take_account();
    }

    fn settle_unapplied(&mut self, attempt: &Attempt) {
        let settled = Settled { last_made: Some(attempt.id), change_stamp: attempt.change_stamp };
        self.drop_password(Step::Settled(settled));
        self.changed(Unsaved::Step);
    }

    fn rule_out(&mut self, attempt: &Attempt) {
        self.journal.held.ids.remove(attempt.id);
        self.journal.ruled_out.push_out(attempt.id);
        self.say_of(attempt, EventKind::RuledOut, attempt.cause.reason);
    }

    fn rule_out_on_word(&mut self, attempt: &Attempt) {
        self.journal.held.ids.remove(attempt.id);
        self.journal.ruled_out_on_word.push_out(attempt.id);
        self.say_of(attempt, EventKind::RuledOut, attempt.cause.reason);
    }

    /// The password in memory is needed no more.
    fn drop_password(&mut self, next: Step) {
        self.wipe |= self.step.made_at().is_some();
        self.step = next;
    }

    /// A rotation did not succeed: wait before the next try, and let the vault know in this run.
    fn fail(&mut self, kind: EventKind, reason: Reason, at_once: bool, entropy: u64) {
        self.note_outcome(kind, reason);
        self.talk.report = true;
        self.hurry = Hurry::No;
        if at_once && self.remade < AT_ONCE && !self.is_full() {
            self.remade = self.remade.saturating_add(1);
        } else {
            let wait = schedule::back_off(self.journal.failures, entropy);
            let wait = if self.is_full() { DAY } else { wait };
            self.journal.not_before = Some(self.clock.now().plus(wait));
            self.journal.failures = self.journal.failures.saturating_add(1);
        }
        self.count_failed_reset();
        self.changed(Unsaved::Detail);
    }

    /// What `agent status` and the vault show as the last outcome.
    pub(super) fn note_outcome(&mut self, kind: EventKind, reason: Reason) {
        self.journal.last = Some(Outcome::new(kind, self.directory(), reason, self.clock.now()));
        self.changed(Unsaved::Detail);
    }

    /// The password in memory was wiped.
    ///
    /// # Errors
    /// `UnexpectedEvent` when it was not asked for.
    pub const fn handle_wiped(&mut self) -> Result<(), RotationError> {
        if !self.wipe {
            return Err(RotationError::UnexpectedEvent);
        }
        self.wipe = false;
        Ok(())
    }
}

/// Whether the same password may be tried again after this: the others say that it is no use.
const fn is_transient(applied: Applied) -> bool {
    match applied {
        Applied::Success | Applied::Failed | Applied::TimedOut => true,
        Applied::Refused | Applied::NotFound | Applied::ManagedElsewhere => false,
    }
}
