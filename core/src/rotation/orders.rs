//! What comes from outside a rotation: another policy, another account, a run by hand.

use super::config::Config;
use super::effect::RotationError;
use super::event::{EventKind, Reason};
use super::journal::Settled;
use super::machine::{Hurry, Rotation, Step, Unsaved};
use super::talk::Talk;
use crate::account::same_name;
use crate::identity::Timestamp;

impl Rotation {
    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.observe(now);
    }

    /// Another policy is in force, or another account is to be managed.
    ///
    /// A rotation that is under way goes on with the record that it made; what the new policy asks
    /// for comes after it. A rotation for an account that is no longer the managed one, or when
    /// nothing is managed any more, is abandoned if the account was not changed yet, and brought to
    /// its end if it may have been.
    ///
    /// # Errors
    /// `InvalidConfig`; also for another scope or device, which needs a machine of its own. Nothing
    /// has changed.
    pub fn handle_config(&mut self, config: Config, now: Timestamp) -> Result<(), RotationError> {
        config.check()?;
        if config.scope != self.config.scope || config.device != self.config.device {
            return Err(RotationError::InvalidConfig { field: "device" });
        }
        self.observe(now);
        if config.policy_hash != self.config.policy_hash {
            self.say(EventKind::PolicyChanged, Reason::PolicyChanged, 0);
        }
        let was_managed = self.config.directory.is_some();
        self.config = config;
        if was_managed && self.config.directory.is_none() {
            self.say(EventKind::Disabled, Reason::PolicyChanged, 0);
        }
        // Nobody told the vault what happened while nothing was managed.
        self.talk.report |= !was_managed && self.config.directory.is_some();
        let wanted = self.config.post_authentication_actions.reset
            && self.config.post_authentication_delay_seconds > 0
            && self.config.directory.is_some();
        if !wanted {
            self.cancel_reset(EventKind::PostAuthenticationCancelled, Reason::PolicyChanged);
        }
        let unwanted = self.config.directory.is_none() || !self.same_account();
        if let (true, Step::BackingUp { attempt, .. } | Step::ReadingChangeStamp { attempt, .. }) =
            (unwanted, self.step)
        {
            self.abandon(&attempt);
        }
        self.take_account();
        Ok(())
    }

    /// The administrator of this device asks for a new password now. It waits for nothing, and
    /// begins a run.
    pub fn force(&mut self, now: Timestamp) {
        self.observe(now);
        self.journal.reasons.forced = true;
        self.changes = 0;
        self.changed(Unsaved::Detail);
        self.skip_back_off(now);
        self.hurry = Hurry::Forces;
    }

    /// A single run by hand: whatever is due does not wait for the back-off after failures. Other
    /// waits it does not skip.
    pub fn skip_back_off(&mut self, now: Timestamp) {
        self.observe(now);
        self.hurry = self.hurry.max(Hurry::SkipsBackOff);
        self.talk.check_in_not_before = self.clock.now();
        self.save_at = self.clock.now();
    }

    /// Whether the account of the journal is the one to be managed: by SID where both are known,
    /// else by name.
    pub(super) fn same_account(&self) -> bool {
        match (self.journal.sid, self.config.sid) {
            (Some(journal), Some(config)) => journal == config,
            _ => same_name(self.journal.account.as_str(), self.config.account.as_str()),
        }
    }

    /// Between two rotations: from now on it is the account of the settings.
    pub(super) fn take_account(&mut self) {
        if !matches!(self.step, Step::Settled(_)) {
            return;
        }
        let (name, sid) = (self.config.account, self.config.sid);
        if !self.same_account() {
            self.turn();
        } else if self.journal.account != name || (sid.is_some() && self.journal.sid != sid) {
            // The sealed records name the account as it was called.
            let renamed = self.journal.account != name;
            self.journal.reasons.account_changed |= renamed && self.step.last_made().is_some();
            self.journal.account = name;
            self.journal.sid = sid.or(self.journal.sid);
            self.changed(Unsaved::Step);
            if renamed {
                self.say(EventKind::AccountChanged, Reason::AccountChanged, 0);
            }
        }
    }

    /// Another account is managed from now on: nothing is known of its password, and what is about
    /// the former one is forgotten. Not before the vault knows what that one may hold, and has
    /// every record of it: the journal is the only other place that says so.
    fn turn(&mut self) {
        let held = self.journal.held.ids;
        let lacks = held.as_slice().iter().any(|id| self.talk.unheld.contains(*id));
        if (lacks || !self.talk.told) && !held.is_empty() {
            self.talk.report = true;
            return;
        }
        let reason = Reason::AccountChanged;
        self.cancel_reset(EventKind::PostAuthenticationCancelled, reason);
        self.journal.turn_to(self.config.account, self.config.sid);
        self.step = Step::Settled(Settled::default());
        self.talk = Talk {
            check_in_at: self.talk.check_in_at,
            check_in_not_before: self.talk.check_in_not_before,
            silent: self.talk.silent,
            log: self.talk.log,
            acknowledges: self.talk.acknowledges,
            ..Talk::NEW
        };
        self.reported.missing = false;
        self.reader_lost = false;
        self.remade = 0;
        self.restart = false;
        self.changed(Unsaved::Step);
        self.say(EventKind::AccountChanged, reason, 0);
    }
}
