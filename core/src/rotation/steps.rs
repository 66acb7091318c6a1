//! The steps on the device: make, apply, verify (protocol §2).

use super::config::Config;
use super::event::{EventKind, Outcome, Reason};
use super::journal::{self, Journal, Phase};
use super::machine::{Rotation, Step, Unsaved};
use super::schedule;
use super::wish::{Applied, RotationError, Verified, Wish};
use crate::identity::{RecordId, Timestamp};

/// How often one password is applied before another is made.
const MAX_TRIES: u8 = 3;
/// Between two tries with the same password, in seconds.
const BETWEEN_TRIES: u64 = 10;
/// How many passwords in a row are made anew at once, without back-off, after a refusal.
const AT_ONCE: u8 = 2;

impl Rotation {
    /// A machine that goes on from its journal. The caller holds the setter lock and has read `stamp`, the account's change stamp,
    /// after taking it (protocol §2.5, §2.9). When nothing is managed, the first event says so.
    ///
    /// # Errors
    /// `InvalidConfig`; `JournalMalformed` and `JournalOfAnotherDevice`: start with [`Rotation::new`];
    /// `JournalUnsupported`: do not start.
    pub fn resume(
        journal: &[u8],
        config: Config,
        stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Self, RotationError> {
        config.check()?;
        let journal = Journal::decode(journal)?;
        if journal.identity != journal::identity(&config.scope, &config.device) {
            return Err(RotationError::JournalOfAnotherDevice);
        }
        let mut rotation = Self::from_journal(config, journal);
        rotation.say_if_disabled();
        rotation.recover(stamp);
        rotation.observe(now);
        rotation.take_account();
        Ok(rotation)
    }

    // Protocol §2.5. In BackingUp: stamp as recorded: the id is ruled out; changed: it joins the may-hold set.
    // In Applying: unchanged: not held, ruled out; changed, or no stamp: both ids stay.
    fn recover(&mut self, stamp: Option<[u8; 32]>) {
        let unchanged = stamp.is_some() && stamp == self.journal.stamp;
        let Some(id) = self.journal.last_made else { return };
        match self.journal.phase {
            Phase::BackingUp | Phase::Applying if unchanged => self.rule_out(id),
            Phase::BackingUp | Phase::Applying => {
                // Room is certain: no record is made while the set is full.
                let _ = self.journal.may_hold.ids.insert(id);
            }
            Phase::Settled | Phase::Committing { .. } => return,
        }
        self.journal.phase = Phase::Settled;
        self.changed(Unsaved::Step);
        self.say_of_record(EventKind::Recovered, Reason::Interrupted);
        self.remember(EventKind::Recovered, Reason::Interrupted);
        // An agent that dies at every rotation must not make a record at every start; the first two go at once.
        self.journal.failures = self.journal.failures.saturating_add(1);
        if let Some(more) = self.journal.failures.checked_sub(3) {
            let wait = schedule::whole_back_off(more);
            self.journal.not_before = Some(self.clock.now().plus(wait));
        }
        self.count_failed_reset();
    }

    /// A password was made and sealed under this id, with the version and predecessor that were wished; `stamp` is the account's
    /// change stamp, none where the platform has none.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished, or for another version; `IdRepeated`. The driver wipes the password.
    pub fn handle_prepared(
        &mut self,
        id: RecordId,
        version: u64,
        stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), RotationError> {
        if !matches!(self.poll(), Wish::Prepare { version: wished, .. } if wished == version) {
            return Err(RotationError::UnexpectedFact);
        }
        let why = self.startable().ok_or(RotationError::UnexpectedFact)?;
        let journal = &self.journal;
        if journal.last_made == Some(id)
            || journal.may_hold.ids.contains(id)
            || journal.ruled_out.contains(id)
        {
            return Err(RotationError::IdRepeated);
        }
        self.observe(now);
        let journal = &mut self.journal;
        journal.phase = Phase::BackingUp;
        journal.highest = version;
        journal.version = version;
        journal.last_made = Some(id);
        journal.stamp = stamp;
        journal.why = why;
        journal.made_demand = self.config.demand;
        self.step = Step::BackingUp;
        self.made_at = self.clock.now();
        self.tries = 0;
        self.sent = None;
        self.changed(Unsaved::Step);
        let kind = if matches!(why, Reason::Forced | Reason::Order) {
            EventKind::ResetRequested
        } else if why == Reason::PostAuthentication {
            EventKind::PostAuthenticationReset
        } else {
            EventKind::RotationDue
        };
        self.say_of_record(kind, why);
        self.say_of_record(EventKind::Prepared, why);
        Ok(())
    }

    /// No password could be made or sealed. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_prepare_failed(
        &mut self,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        if !matches!(self.poll(), Wish::Prepare { .. }) {
            return Err(RotationError::UnexpectedFact);
        }
        self.observe(now);
        self.fail(EventKind::PrepareFailed, Reason::RandomFailed, false, entropy);
        Ok(())
    }

    /// The account's change stamp, right before the account is changed; none where the platform has none.
    ///
    /// No journal has to be written for it: a start that finds a record being backed up counts it as held unless the account's stamp is exactly the
    /// one of when the record was made. A driver that writes one all the same writes the new stamp.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_stamp(
        &mut self,
        stamp: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<(), RotationError> {
        self.observe(now);
        if self.poll() != Wish::ReadStamp {
            return Err(RotationError::UnexpectedFact);
        }
        let id = self.journal.last_made.ok_or(RotationError::UnexpectedFact)?;
        let inserted = self.journal.may_hold.ids.insert(id);
        inserted.map_err(|_| RotationError::UnexpectedFact)?;
        self.journal.phase = Phase::Applying;
        self.journal.stamp = stamp;
        self.step = Step::Applying;
        self.retry_at = self.clock.now();
        self.changed(Unsaved::Detail);
        Ok(())
    }

    /// What the setter reported. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_applied(
        &mut self,
        applied: Applied,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        if !matches!(self.poll(), Wish::Apply { .. }) {
            return Err(RotationError::UnexpectedFact);
        }
        self.observe(now);
        self.tries = self.tries.saturating_add(1);
        // Protocol §2.6: after every outcome, failure too, the account is asked.
        if self.config.can_verify {
            self.step = Step::Verifying(applied);
        } else if applied == Applied::Success {
            self.held(false);
        } else {
            self.not_certain(applied, entropy);
        }
        Ok(())
    }

    /// What the account said. `entropy` is 64 random bits.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub fn handle_verified(
        &mut self,
        verified: Verified,
        now: Timestamp,
        entropy: u64,
    ) -> Result<(), RotationError> {
        let (Wish::Verify { id }, Step::Verifying(applied)) = (self.poll(), self.step) else {
            return Err(RotationError::UnexpectedFact);
        };
        self.observe(now);
        match verified {
            Verified::Match => self.held(true),
            Verified::Unavailable => self.not_certain(applied, entropy),
            Verified::Mismatch => {
                self.maybe_held = false;
                if !self.try_again(applied) {
                    self.rule_out(id);
                    self.settle_failed(applied, Reason::Mismatch, entropy);
                }
            }
        }
        Ok(())
    }

    /// The account holds the new password: asked, or as the setter says where nobody can be asked.
    fn held(&mut self, verified: bool) {
        self.journal.phase = Phase::Committing { verified };
        self.journal.covered = self.clock.now();
        self.drop_password();
        self.changed(Unsaved::Step);
        self.say_of_record(EventKind::AccountUpdated, self.journal.why);
        if verified {
            self.say_of_record(EventKind::Verified, self.journal.why);
        }
        self.spins = 0;
    }

    /// The account may hold the new password, or not: the id stays.
    fn not_certain(&mut self, applied: Applied, entropy: u64) {
        self.maybe_held = true;
        if !self.try_again(applied) {
            self.settle_failed(applied, Reason::Unverified, entropy);
        }
    }

    // Protocol §2.6: a transient failure tries the same password again; only a refusal makes a new one.
    fn try_again(&mut self, applied: Applied) -> bool {
        let transient = match applied {
            Applied::Success | Applied::Failed | Applied::TimedOut => true,
            Applied::Refused | Applied::NotFound | Applied::ManagedElsewhere => false,
        };
        let at = self.clock.now().plus(BETWEEN_TRIES);
        if !transient
            || self.tries >= MAX_TRIES
            || at >= self.plaintext_end()
            || !self.same_account()
        {
            return false;
        }
        self.step = Step::Applying;
        self.retry_at = at;
        true
    }

    /// The password is wiped between two tries.
    pub(super) fn give_up_applying(&mut self) {
        if let (false, Some(id)) = (self.maybe_held, self.journal.last_made) {
            self.rule_out(id);
        }
        self.settle_failed(Applied::Failed, Reason::PlaintextExpired, u64::MAX);
    }

    fn settle_failed(&mut self, applied: Applied, otherwise: Reason, entropy: u64) {
        let (kind, reason) = match applied {
            Applied::Refused => (EventKind::PasswordRefused, Reason::PasswordRefused),
            Applied::NotFound => (EventKind::AccountNotFound, Reason::AccountNotFound),
            Applied::ManagedElsewhere => (EventKind::StoodAside, Reason::ManagedElsewhere),
            Applied::TimedOut => (EventKind::AccountUpdateFailed, Reason::SetterTimedOut),
            Applied::Failed => (EventKind::AccountUpdateFailed, Reason::SetterFailed),
            Applied::Success => (EventKind::AccountUpdateFailed, otherwise),
        };
        self.journal.phase = Phase::Settled;
        self.drop_password();
        self.changed(Unsaved::Step);
        if self.journal.may_hold.ids.len() > 1 {
            self.say_of_record(EventKind::Uncertain, Reason::OutcomeUncertain);
        }
        self.fail(kind, reason, applied == Applied::Refused, entropy);
        self.take_account();
    }

    /// The last record made was never applied, in this run of the agent: it is ruled out.
    pub(super) fn abandon(&mut self) {
        if let Some(id) = self.journal.last_made {
            self.rule_out(id);
        }
        self.journal.phase = Phase::Settled;
        self.drop_password();
        self.sent = None;
        self.changed(Unsaved::Step);
        self.take_account();
    }

    /// The vault did not take the record, so nothing has to be ruled out.
    pub(super) fn refused(&mut self, reason: Reason, at_once: bool, entropy: u64) {
        self.journal.phase = Phase::Settled;
        self.drop_password();
        self.changed(Unsaved::Step);
        self.fail(EventKind::BackUpFailed, reason, at_once, entropy);
        self.take_account();
    }

    fn rule_out(&mut self, id: RecordId) {
        self.journal.may_hold.ids.remove(id);
        self.journal.ruled_out.push(id);
        self.say_of_record(EventKind::RuledOut, self.journal.why);
    }

    fn drop_password(&mut self) {
        self.wipe |= self.step != Step::Idle;
        self.step = Step::Idle;
    }

    /// A rotation did not succeed: report it, and wait before the next try.
    pub(super) fn fail(&mut self, kind: EventKind, reason: Reason, at_once: bool, entropy: u64) {
        self.say_of_record(kind, reason);
        self.remember(kind, reason);
        self.hurry = false;
        if at_once && self.remade < AT_ONCE {
            self.remade = self.remade.saturating_add(1);
        } else {
            let wait = schedule::back_off(self.journal.failures, entropy);
            self.journal.not_before = Some(self.clock.now().plus(wait));
            self.journal.failures = self.journal.failures.saturating_add(1);
        }
        self.count_failed_reset();
        self.changed(Unsaved::Detail);
    }

    /// What `agent status` and the vault show as the last outcome.
    pub(super) fn remember(&mut self, kind: EventKind, reason: Reason) {
        self.journal.last = Some(Outcome::new(kind, self.directory(), reason, self.clock.now()));
        self.changed(Unsaved::Detail);
    }

    /// The password in memory was wiped.
    ///
    /// # Errors
    /// `UnexpectedFact` when it was not wished.
    pub const fn handle_wiped(&mut self) -> Result<(), RotationError> {
        if !self.wipe {
            return Err(RotationError::UnexpectedFact);
        }
        self.wipe = false;
        Ok(())
    }

    /// Writes the journal for [`Wish::Save`]; its length. It may be called without a wish.
    ///
    /// # Errors
    /// `BufferTooSmall`; [`MAX_JOURNAL`](super::MAX_JOURNAL) is always enough.
    pub fn journal(&mut self, out: &mut [u8]) -> Result<usize, RotationError> {
        self.journal.seen = self.clock.now();
        let len = self.journal.encode(out)?;
        self.written = true;
        Ok(len)
    }

    /// The journal that was written last, with the records of [`Rotation::keep`], is durable.
    ///
    /// # Errors
    /// `UnexpectedFact` when the journal was not written, or the machine changed since.
    pub const fn handle_saved(&mut self) -> Result<(), RotationError> {
        if !self.written {
            return Err(RotationError::UnexpectedFact);
        }
        self.written = false;
        self.unsaved = Unsaved::Nothing;
        Ok(())
    }

    /// The journal could not be made durable; it is wished again after a while. `entropy` is 64 random bits.
    pub fn handle_save_failed(&mut self, now: Timestamp, entropy: u64) {
        self.observe(now);
        self.written = false;
        self.save_at = self.clock.now().plus(schedule::back_off(0, entropy));
    }
}
