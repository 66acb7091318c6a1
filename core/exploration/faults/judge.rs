//! The invariants, and what the search needs to know of a state.

use alloc::{format, string::String};

use super::state::{Excuse, Setting, State, bits, mask, names, number};
use crate::rotation::machine::Step;
use crate::rotation::search::{self, Space, Visit};
use crate::rotation::{Applied, Effect, Verified};

/// What a search found; the tally is the most candidates of any state.
pub(super) type Found = search::Found<usize>;

impl Space for State {
    type Setting = Setting;
    type Tally = usize;

    fn first(setting: &Setting) -> Self {
        Self::first(setting)
    }

    fn key(&self) -> u128 {
        self.key()
    }

    fn later_key(&self, _: &Setting) -> u128 {
        u128::from(self.restart_key())
    }

    fn wrong(&self, setting: &Setting) -> Option<String> {
        self.wrong_state(setting)
    }

    fn wrong_later(&self, setting: &Setting) -> Option<String> {
        self.converge(setting)
    }

    fn successors(&self, setting: &Setting, visit: &mut Visit<'_, Self>) {
        let mut check = |mut next: Self, label: &dyn Fn() -> String| {
            let wrong = self.wrong_step(&next, setting);
            next.tidy();
            visit(wrong.map_or(Ok(next), Err), label);
        };
        self.device_steps(setting, &mut check);
        self.vault_steps(setting, &mut check);
        self.device_faults(setting, &mut check);
    }

    fn tally(&self, most: &mut usize) {
        *most = (*most).max(self.vault.len());
    }
}

impl State {
    /// The invariants of one state.
    fn wrong_state(&self, setting: &Setting) -> Option<String> {
        let mut known = self.candidates();
        if !setting.can_verify {
            known |= self.history();
        }
        let excused = match self.excuse {
            Excuse::None => false,
            Excuse::Anything => true,
            Excuse::Password(password) => password == self.account,
        };
        if known >> self.account & 1 == 0 && !excused {
            let current = self.vault.current.as_ref().map_or(0, |held| number(held.id));
            return Some(format!(
                "TORN: the device has {}, the vault has current {current}, candidates {}, history \
                 {}",
                self.account,
                names(self.candidates()),
                names(self.history()),
            ));
        }
        if self.vault.len() > setting.passwords {
            return Some(format!("TOO MANY candidates: {}", self.vault.len()));
        }
        None
    }

    /// The invariants of one step.
    fn wrong_step(&self, next: &Self, setting: &Setting) -> Option<String> {
        let (before, after) = (&self.machine.journal, &next.machine.journal);
        let committed = matches!(self.machine.step, Step::Committing { .. })
            && matches!(next.machine.step, Step::Settled(_));
        // A new start reads an older due date from an older journal; that one moved at a commit,
        // too.
        let started = !next.machine.talk.heard && next.latest.is_none();
        // And so does an image with the agent's memory.
        let memory = super::state::Fault::Memory as usize;
        let resumed = next.left[memory] != self.left[memory];
        if before.due != after.due && !committed && !started && !resumed {
            return Some("the DUE DATE moved before the commit".into());
        }
        let restored = next.excuse == Excuse::Anything && self.excuse != Excuse::Anything
            || self.copy.is_some() && next.copy.is_none();
        let version = |state: &Self| state.vault.current.as_ref().map_or(0, |held| held.version);
        if version(next) < version(self) && !restored {
            return Some("an OLDER report replaced a newer one".into());
        }
        self.wrong_fork(next, setting)
    }

    /// Where no image was rolled back and no journal lost, no two records that the vault stored
    /// name the same predecessor.
    fn wrong_fork(&self, next: &Self, setting: &Setting) -> Option<String> {
        use super::state::Fault::{Clone, Image, JournalLoss, Memory, OldJournal};
        let plain = [Image, Memory, Clone, OldJournal, JournalLoss]
            .iter()
            .all(|fault| setting.faults[*fault as usize] == 0);
        if !plain || next.stored == self.stored {
            return None;
        }
        let new = next.stored & !self.stored;
        let twin = bits(new).find(|new| {
            let previous = next.previous[usize::from(*new)];
            previous != 0
                && bits(next.stored)
                    .any(|other| other != *new && next.previous[usize::from(other)] == previous)
        });
        twin.map(|twin| format!("a FORK where there is none: record {twin}"))
    }

    /// The failure-free continuation from a restart: what is wrong at its end.
    fn converge(&self, setting: &Setting) -> Option<String> {
        let mut state = self.clone();
        state.left = [0; super::state::FAULTS];
        state.account = if state.orphan != 0 { state.orphan } else { state.account };
        state.orphan = 0;
        state.restart(setting);
        // What was only said to be set is replaced in the end by a rotation whose setter does what
        // it says.
        let mut again = !setting.can_verify;
        let acknowledge = setting.rules.acknowledge_lower;
        for _ in 0..400 {
            while state.machine.poll_event().is_some() {}
            let now = state.now;
            match state.machine.poll() {
                Effect::Wipe => state.machine.handle_wiped().ok()?,
                Effect::Save => state.save(),
                Effect::ReadChangeStamp => {
                    let change_stamp = state.change_stamp();
                    state.machine.handle_change_stamp(change_stamp, now, 0).unwrap();
                }
                Effect::Apply { id } => {
                    state.account = number(id);
                    state.machine.handle_applied(Applied::Success, now).unwrap();
                }
                Effect::Verify { .. } => {
                    state.machine.handle_verified(Verified::Match, now, 0).unwrap();
                }
                Effect::Prepare { version, .. } => {
                    let new = u8::try_from(state.versions.len()).unwrap();
                    if new > 30 {
                        return Some("rotates for ever".into());
                    }
                    state.versions.push(u8::try_from(version).unwrap());
                    state.previous.push(0);
                    let change_stamp = state.change_stamp();
                    let id = super::state::id(new);
                    state.machine.handle_prepared(id, version, change_stamp, now).unwrap();
                }
                Effect::LookUp => state.look(),
                Effect::CheckIn => state.exchange(setting),
                Effect::Act(_) => return Some("acts without a use".into()),
                Effect::WaitUntil(_) if again && matches!(state.machine.step, Step::Settled(_)) => {
                    again = false;
                    state.machine.force(now);
                }
                Effect::WaitUntil(time) => {
                    let machine = &state.machine;
                    let ordered = !machine.journal.reasons.ordered && state.vault.orders.is_empty();
                    if matches!(machine.step, Step::Settled(_))
                        && state.candidates() == 1 << state.account
                        && machine.journal.held.only().map(number) == Some(state.account)
                        && ordered
                    {
                        return None;
                    }
                    if time.seconds_since(super::state::START) > 20 * 86_400 {
                        break;
                    }
                    state.now = time;
                    state.machine.handle_timeout(time);
                }
            }
        }
        Some(format!(
            "NO CONVERGENCE: device {}, may hold {}, {:?}, candidates {}, acknowledges \
             {acknowledge}",
            state.account,
            names(mask(&state.machine.journal.held.ids.set())),
            state.machine.step,
            names(state.candidates()),
        ))
    }

    /// One check-in and its answer, without fault.
    fn exchange(&mut self, setting: &Setting) {
        let mut done = None;
        self.latest = None;
        self.send(&mut |next, _| done = Some(next));
        let Some(sent) = done.take() else { return };
        let message = sent.latest.unwrap();
        let arrived = sent.arrive(setting, &message, true);
        let reply = *arrived.replies.last().unwrap();
        arrived.take(setting, &reply, &mut |next, _| done = Some(next));
        *self = done.unwrap();
    }
}
