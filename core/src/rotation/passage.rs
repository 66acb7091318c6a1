//! What ends, begins or moves because time passed (`clock.rs` has the rules of a clock that jumps).

use super::config::DAY;
use super::event::{EventKind, Reason};
use super::machine::{Applying, Rotation, Stage, Step, Unsaved};
use crate::identity::Timestamp;

impl Rotation {
    /// Time passed. Every input event says it first.
    pub(super) fn observe(&mut self, wall: Timestamp) {
        // Between two tries the setter does not run.
        let between_tries = self.step.retry_at().is_some_and(|at| !self.is_past(at));
        if let Some(back) = self.clock.observe(wall) {
            self.move_back(back);
            self.say(EventKind::ClockJumped, Reason::ClockJumped, back);
        }
        // So that a clock that runs back while the agent is down cannot hide more than a day.
        if self.clock.now() > self.journal.seen.plus(DAY) {
            self.changed(Unsaved::Detail);
        }
        self.expire_password(between_tries);
        self.expire_grace();
        self.start_restart();
    }

    fn move_back(&mut self, back: u64) {
        let journal = &mut self.journal;
        let used = journal.used.as_mut();
        let talk = &mut self.talk;
        let commit = talk.sent.as_mut().and_then(|sent| sent.commit.as_mut());
        let (due, at) = commit.map(|commit| (&mut commit.due, &mut commit.at)).unzip();
        let (deadline, latest) = used.map(|used| (&mut used.deadline, &mut used.latest)).unzip();
        let times = [
            journal.due.as_mut(),
            journal.committed_at.as_mut(),
            journal.not_before.as_mut(),
            journal.following.as_mut().map(|following| &mut following.at),
            deadline,
            latest,
            due,
            at,
            Some(&mut journal.seen),
            Some(&mut journal.covered),
            Some(&mut self.save_at),
            Some(&mut talk.check_in_at),
            Some(&mut talk.check_in_not_before),
            talk.ask_at.as_mut(),
        ];
        let waits = journal.waits.iter_mut().map(|wait| &mut wait.since);
        let times = times.into_iter().flatten().chain(waits).chain(self.step.times());
        for time in times {
            *time = time.minus(back);
        }
        if back > 0 {
            self.changed(Unsaved::Detail);
        }
    }

    /// A password lay in memory for too long before it was applied (protocol §2.4). A setter that
    /// runs is waited for.
    fn expire_password(&mut self, between_tries: bool) {
        if !self.plaintext_end().is_some_and(|end| self.is_past(end)) {
            return;
        }
        match self.step {
            Step::BackingUp { attempt, .. } | Step::ReadingChangeStamp { attempt, .. } => {
                self.say_of(&attempt, EventKind::PlaintextWiped, Reason::PlaintextExpired);
                self.abandon(&attempt);
                // The next one is made when the vault can be heard again.
                self.talk.heard = false;
            }
            Step::Applying(applying) if between_tries => {
                let attempt = &applying.attempt;
                self.say_of(attempt, EventKind::PlaintextWiped, Reason::PlaintextExpired);
                self.give_up_applying(&applying);
            }
            Step::Settled(_) | Step::Applying(_) | Step::Committing { .. } => {}
        }
    }
}

impl Step {
    /// Every time that it remembers.
    fn times(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        let (made_at, at) = match self {
            Self::BackingUp { made_at, .. } | Self::ReadingChangeStamp { made_at, .. } => {
                (Some(made_at), None)
            }
            Self::Applying(Applying { made_at, stage: Stage::Set { at }, .. }) => {
                (Some(made_at), Some(at))
            }
            Self::Applying(Applying { made_at, .. }) => (Some(made_at), None),
            Self::Settled(_) | Self::Committing { .. } => (None, None),
        };
        made_at.into_iter().chain(at)
    }
}
