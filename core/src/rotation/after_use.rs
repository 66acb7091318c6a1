//! What follows a use of the account: the post-authentication actions of Windows LAPS.
//!
//! A use schedules a reset at its time and the policy's delay. A second use before that does not
//! move the deadline: whoever uses the account again and again could put the reset off for ever.
//! The schedule is journalled, so it outlives restarts; a deadline that passed while the agent was
//! down is met at its next start. A use while no actions are asked for is forgotten. A rotation for
//! any other reason cancels it, unless the account was used again after the new password was set:
//! then the schedule starts again from that use. A reset that fails is tried again under back-off,
//! a hundred times; then it is given up and the password waits for its age.
//!
//! After the reset is committed, and not before: sign-out two minutes after a warning, then the end
//! of the remaining processes, or a restart one minute after a warning. These actions are
//! journalled, too. All but the restart may happen twice when the agent dies at the wrong moment;
//! the restart is journalled as done before it happens, so that it cannot happen at every start.

use super::effect::{Acted, Action, Effect, RotationError};
use super::event::{EventKind, Reason};
use super::journal::{Following, Use};
use super::machine::{Rotation, Unsaved};
use super::schedule::TOLERANCE;
use crate::identity::Timestamp;

/// How often a reset is tried (Windows LAPS: event 10048 after a hundred).
const MAX_RESETS: u8 = 100;
/// From the warning to the sign-out, in seconds.
const SIGN_OUT_WARNING: u64 = 120;
/// From the warning to the restart, in seconds.
const RESTART_WARNING: u64 = 60;

impl Action {
    const IN_ORDER: [Self; 5] =
        [Self::WarnSignOut, Self::SignOut, Self::Terminate, Self::WarnRestart, Self::Restart];

    const fn bit(self) -> u8 {
        match self {
            Self::WarnSignOut => 1,
            Self::SignOut => 2,
            Self::Terminate => 4,
            Self::WarnRestart => 8,
            Self::Restart => 16,
        }
    }

    pub(super) fn first_of(bits: u8) -> Option<Self> {
        Self::IN_ORDER.into_iter().find(|action| bits & action.bit() != 0)
    }
}

impl Rotation {
    /// Somebody used the account at this time. Our own verification is never one (protocol §2.11).
    ///
    /// A use dated more than five minutes ahead is none: it would be a new one at every look, for
    /// ever.
    pub fn handle_used(&mut self, at: Timestamp, now: Timestamp) {
        self.observe(now);
        if at > self.clock.now().plus(TOLERANCE) {
            return;
        }
        let at = at.min(self.clock.now());
        let delay = self.config.post_authentication_delay_seconds;
        let wanted = self.config.directory.is_some()
            && delay > 0
            && self.config.post_authentication_actions.reset;
        if at <= self.used_since() {
            return;
        }
        if !wanted {
            // Actions that are asked for later concern later uses.
            self.journal.covered = at;
            return;
        }
        self.changed(Unsaved::Detail);
        if let Some(used) = &mut self.journal.used {
            used.latest = at;
            return;
        }
        self.schedule_reset(at);
        self.expire_grace();
    }

    fn schedule_reset(&mut self, at: Timestamp) {
        let deadline = at.plus(self.config.post_authentication_delay_seconds);
        self.journal.used = Some(Use { deadline, latest: at, tries: 0 });
        self.reported.grace = false;
        let seconds = deadline.as_unix_seconds();
        self.say(EventKind::AuthenticationDetected, Reason::None, seconds);
    }

    /// Uses up to this time are known, or were of an earlier password: ask the account store for
    /// later ones.
    #[must_use]
    pub fn used_since(&self) -> Timestamp {
        let latest = self.journal.used.map_or(self.journal.covered, |used| used.latest);
        self.journal.covered.max(latest)
    }

    /// The delay after a use is over.
    pub(super) fn expire_grace(&mut self) {
        let expired = self.journal.used.is_some_and(|used| self.is_past(used.deadline));
        if expired && !self.reported.grace {
            self.reported.grace = true;
            self.say(EventKind::GraceExpired, Reason::PostAuthentication, 0);
        }
    }

    /// Drops the schedule; the use is not scheduled again.
    pub(super) fn cancel_reset(&mut self, kind: EventKind, reason: Reason) {
        if let Some(used) = self.journal.used.take() {
            self.journal.covered = self.journal.covered.max(used.latest);
            self.reported.grace = false;
            self.say(kind, reason, u64::from(used.tries));
            self.changed(Unsaved::Detail);
        }
    }

    /// A rotation failed; if the delay after a use was over, that was a try to reset.
    pub(super) fn count_failed_reset(&mut self) {
        let now = self.clock.now();
        let Some(used) = self.journal.used.as_mut().filter(|used| used.deadline <= now) else {
            return;
        };
        used.tries = used.tries.saturating_add(1);
        let tries = used.tries;
        self.changed(Unsaved::Detail);
        if tries < MAX_RESETS {
            let tries = u64::from(tries);
            self.say(EventKind::PostAuthenticationRetry, Reason::PostAuthentication, tries);
        } else {
            self.cancel_reset(EventKind::PostAuthenticationGivenUp, Reason::TooManyTries);
            self.note_outcome(EventKind::PostAuthenticationGivenUp, Reason::TooManyTries);
        }
    }

    /// When the account is reset once the password that it holds is committed: only where it was
    /// used again since that was set.
    pub(super) fn reset_after_commit(&self) -> Option<Timestamp> {
        let again = self.journal.used.filter(|used| used.latest > self.journal.covered);
        again.map(|used| used.latest.plus(self.config.post_authentication_delay_seconds))
    }

    /// A new password is committed: a scheduled reset is done by it, or dropped.
    pub(super) fn follow_reset(&mut self) {
        let Some(used) = self.journal.used else { return };
        let expired = self.is_past(used.deadline);
        if used.latest > self.journal.covered {
            // Used again after the new password was set.
            self.schedule_reset(used.latest);
        } else {
            self.journal.used = None;
            self.reported.grace = false;
        }
        if !expired {
            self.say(EventKind::PostAuthenticationCancelled, Reason::Superseded, 0);
            return;
        }
        let wanted = self.config.post_authentication_actions;
        let actions = [
            (wanted.sign_out, Action::WarnSignOut),
            (wanted.sign_out, Action::SignOut),
            (wanted.terminate, Action::Terminate),
            (wanted.restart, Action::WarnRestart),
            (wanted.restart, Action::Restart),
        ];
        let actions = actions
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .fold(0, |bits, (_, action)| bits | action.bit());
        if actions == 0 {
            self.say(EventKind::PostAuthenticationDone, Reason::PostAuthentication, 0);
        } else {
            self.journal.following = Some(Following { actions, at: self.clock.now() });
        }
    }

    /// The restart is journalled as done before it is asked for.
    pub(super) fn start_restart(&mut self) {
        let restart = self.journal.following.is_some_and(|following| {
            following.actions == Action::Restart.bit() && self.is_past(following.at)
        });
        if restart {
            self.journal.following = None;
            self.restart = true;
            self.changed(Unsaved::Step);
        }
    }

    /// How the action ended.
    ///
    /// # Errors
    /// `UnexpectedEvent` when it was not asked for.
    pub fn handle_acted(&mut self, acted: Acted, now: Timestamp) -> Result<(), RotationError> {
        let Effect::Act(action) = self.poll() else { return Err(RotationError::UnexpectedEvent) };
        let reason = match acted {
            Acted::Done => None,
            Acted::Failed => Some(Reason::SetterFailed),
            Acted::NotSupported => Some(Reason::NotSupported),
        };
        if let Some(reason) = reason {
            let kind = match action {
                Action::Restart => EventKind::RestartFailed,
                Action::WarnSignOut | Action::SignOut | Action::Terminate | Action::WarnRestart => {
                    EventKind::ActionFailed
                }
            };
            self.say(kind, reason, u64::from(action.bit()));
        }
        let wait = match action {
            Action::WarnSignOut => SIGN_OUT_WARNING,
            Action::WarnRestart => RESTART_WARNING,
            Action::SignOut | Action::Terminate | Action::Restart => 0,
        };
        let rest = self.journal.following.map_or(0, |following| following.actions & !action.bit());
        let at = self.clock.now().plus(wait);
        self.journal.following = (rest != 0).then_some(Following { actions: rest, at });
        self.restart = false;
        self.changed(Unsaved::Detail);
        if rest == 0 {
            self.say(EventKind::PostAuthenticationDone, Reason::PostAuthentication, 0);
        }
        self.observe(now);
        Ok(())
    }
}
