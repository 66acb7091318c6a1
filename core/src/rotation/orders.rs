//! What comes from outside a rotation: another policy, another account, a run by hand.

use super::config::Config;
use super::event::{EventKind, Reason};
use super::journal::Phase;
use super::machine::{Rotation, Step, Unsaved};
use super::set::{IdSet, MayHold};
use super::wish::RotationError;
use crate::account::same_name;
use crate::identity::Timestamp;

impl Rotation {
    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.observe(now);
    }

    /// Another policy is in force, or another account is to be managed.
    ///
    /// A rotation that is under way goes on with the record that it made; what the new policy asks for comes after it. A rotation for an account that is
    /// no longer the managed one, or when nothing is managed any more, is abandoned if the account was not changed yet, and brought to its end if it may have been.
    ///
    /// # Errors
    /// `InvalidConfig`; also for another scope or device, which needs a machine of its own. Nothing has changed.
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
        let wanted = self.config.post_authentication_actions.reset
            && self.config.post_authentication_delay_seconds > 0
            && self.config.directory.is_some();
        if !wanted {
            self.cancel_reset(EventKind::PostAuthenticationCancelled, Reason::PolicyChanged);
        }
        let unwanted = self.config.directory.is_none() || !self.same_account();
        if unwanted && matches!(self.step, Step::BackingUp | Step::Stamping) {
            self.abandon();
        }
        self.take_account();
        Ok(())
    }

    /// The administrator of this device asks for a new password now. It does not wait for a back-off.
    pub fn force(&mut self, now: Timestamp) {
        self.observe(now);
        self.journal.reasons.forced = true;
        self.changed(Unsaved::Detail);
        self.skip_back_off(now);
    }

    /// A single run by hand: whatever is due does not wait for its back-off.
    pub fn skip_back_off(&mut self, now: Timestamp) {
        self.observe(now);
        self.hurry = true;
        self.check_in_not_before = self.clock.now();
        self.save_at = self.clock.now();
    }

    /// Whether the account of the journal is the one to be managed: by SID where both are known, else by name.
    pub(super) fn same_account(&self) -> bool {
        match (self.journal.sid, self.config.sid) {
            (Some(journal), Some(config)) => journal == config,
            _ => same_name(self.journal.account.as_str(), self.config.account.as_str()),
        }
    }

    /// Between two rotations: from now on it is the account of the settings.
    pub(super) fn take_account(&mut self) {
        let same = self.same_account();
        let (name, sid) = (self.config.account, self.config.sid.or(self.journal.sid));
        let journal = &mut self.journal;
        if journal.phase != Phase::Settled
            || (journal.account == name && journal.sid == sid && same)
        {
            return;
        }
        let renamed = journal.account != name;
        journal.account = name;
        if same {
            journal.sid = sid;
            // The sealed records name the account as it was called.
            journal.reasons.account_changed |= renamed;
        } else {
            // Nothing is known of the other account's password. What was known of this one's stays with the vault.
            journal.sid = self.config.sid;
            journal.reasons.account_changed = true;
            journal.may_hold = MayHold::UNKNOWN;
            journal.due = None;
            journal.stamp = None;
            journal.following = None;
            self.lacking = IdSet::EMPTY;
            self.cancel_reset(EventKind::PostAuthenticationCancelled, Reason::AccountChanged);
        }
        self.changed(Unsaved::Step);
        if renamed || !same {
            self.say(EventKind::AccountChanged, Reason::AccountChanged, 0);
        }
    }
}
