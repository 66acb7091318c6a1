//! Breadth first, so that a trace is a shortest one; or depth first, which needs little memory.

use alloc::collections::VecDeque;
use alloc::{format, string::String, vec::Vec};
use std::collections::{HashMap, HashSet};

use super::state::{Excuse, Setting, State, bits, mask, names, number};
use crate::rotation::machine::Step;
use crate::rotation::{Applied, Verified, Wish};

/// Takes the next states, or what is wrong with the step to them.
type Judged<'a> = dyn FnMut(Result<State, String>, &dyn Fn() -> String) + 'a;

/// What an exploration found.
#[derive(Debug)]
pub(super) struct Found {
    /// States visited.
    pub(super) states: usize,
    /// Steps between them.
    pub(super) steps: usize,
    /// What is wrong, and the steps that lead to it.
    pub(super) violation: Option<(String, Vec<String>)>,
    /// The most candidates in any state.
    pub(super) candidates: usize,
}

impl State {
    fn successors(&self, setting: &Setting, visit: &mut Judged<'_>) {
        let mut check = |mut next: Self, label: &dyn Fn() -> String| {
            let wrong = self.wrong_step(&next, setting);
            next.tidy();
            visit(wrong.map_or(Ok(next), Err), label);
        };
        self.device_steps(setting, &mut check);
        self.vault_steps(setting, &mut check);
        self.device_faults(setting, &mut check);
    }

    /// The invariants of one state.
    fn wrong(&self, setting: &Setting) -> Option<String> {
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
                "TORN: the device has {}, the vault has current {current}, candidates {}, history {}",
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
        // A new start reads an older due date from an older journal; that one moved at a commit, too.
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

    /// Where no image was rolled back and no journal lost, no two records that the vault stored name the same predecessor.
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
        // What was only said to be set is replaced in the end by a rotation whose setter does what it says.
        let mut again = !setting.can_verify;
        let acknowledge = setting.rules.acknowledge_lower;
        for _ in 0..400 {
            while state.machine.poll_event().is_some() {}
            let now = state.now;
            match state.machine.poll() {
                Wish::Wipe => state.machine.handle_wiped().ok()?,
                Wish::Save => state.save(),
                Wish::ReadStamp => {
                    let stamp = state.stamp();
                    state.machine.handle_stamp(stamp, now, 0).unwrap();
                }
                Wish::Apply { id } => {
                    state.account = number(id);
                    state.machine.handle_applied(Applied::Success, now).unwrap();
                }
                Wish::Verify { .. } => {
                    state.machine.handle_verified(Verified::Match, now, 0).unwrap();
                }
                Wish::Prepare { version, .. } => {
                    let new = u8::try_from(state.versions.len()).unwrap();
                    if new > 30 {
                        return Some("rotates for ever".into());
                    }
                    state.versions.push(u8::try_from(version).unwrap());
                    state.previous.push(0);
                    let stamp = state.stamp();
                    let id = super::state::id(new);
                    state.machine.handle_prepared(id, version, stamp, now).unwrap();
                }
                Wish::LookUp => state.look(),
                Wish::CheckIn => state.exchange(setting),
                Wish::Act(_) => return Some("acts without a use".into()),
                Wish::WaitUntil(_) if again && matches!(state.machine.step, Step::Settled(_)) => {
                    again = false;
                    state.machine.force(now);
                }
                Wish::WaitUntil(time) => {
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
            "NO CONVERGENCE: device {}, may hold {}, {:?}, candidates {}, acknowledges {acknowledge}",
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

/// Visits every reachable state, the nearest first; stops at the first violation.
pub(super) fn explore(setting: &Setting, most: usize) -> Found {
    let first = State::first(setting);
    let mut seen: HashMap<u128, (u32, u16)> = HashMap::new();
    let mut order: Vec<u128> = Vec::new();
    let mut settled: HashSet<u64> = HashSet::new();
    let mut queue = VecDeque::new();
    let key = first.key();
    seen.insert(key, (u32::MAX, 0));
    order.push(key);
    queue.push_back((0_u32, first));
    let mut found = Found { states: 0, steps: 0, violation: None, candidates: 0 };
    while let Some((number, state)) = queue.pop_front() {
        found.states += 1;
        found.candidates = found.candidates.max(state.vault.len());
        let mut wrong = state.wrong(setting);
        if wrong.is_none() && settled.insert(state.restart_key()) {
            wrong = state.converge(setting);
        }
        if let Some(wrong) = wrong {
            found.violation = Some((wrong, trace(setting, &seen, &order, number, None)));
            return found;
        }
        let mut ordinal = 0_u16;
        let mut bad = None;
        state.successors(setting, &mut |next, _| {
            found.steps += 1;
            match next {
                Err(wrong) => bad = bad.take().or(Some((wrong, ordinal))),
                Ok(next) => {
                    let key = next.key();
                    if let std::collections::hash_map::Entry::Vacant(entry) = seen.entry(key) {
                        entry.insert((number, ordinal));
                        queue.push_back((u32::try_from(order.len()).unwrap(), next));
                        order.push(key);
                    }
                }
            }
            ordinal += 1;
        });
        if let Some((wrong, ordinal)) = bad {
            found.violation = Some((wrong, trace(setting, &seen, &order, number, Some(ordinal))));
            return found;
        }
        assert!(order.len() <= most, "more states than the {most} that this bound allows");
    }
    found
}

/// The steps to a state, told by taking them again.
fn trace(
    setting: &Setting,
    seen: &HashMap<u128, (u32, u16)>,
    order: &[u128],
    mut number: u32,
    last: Option<u16>,
) -> Vec<String> {
    let mut ordinals: Vec<u16> = last.into_iter().collect();
    while let Some((parent, ordinal)) = order.get(number as usize).and_then(|key| seen.get(key)) {
        if *parent == u32::MAX {
            break;
        }
        ordinals.push(*ordinal);
        number = *parent;
    }
    let mut state = State::first(setting);
    let mut told = Vec::new();
    for wanted in ordinals.into_iter().rev() {
        let mut ordinal = 0;
        let mut next_state = None;
        state.successors(setting, &mut |next, label| {
            if ordinal == wanted {
                told.push(label());
                next_state = next.ok();
            }
            ordinal += 1;
        });
        match next_state {
            Some(next) => state = next,
            None => break,
        }
    }
    told
}

/// Visits every reachable state, in no useful order, with the memory of one path.
pub(super) fn exhaust(setting: &Setting) -> Found {
    let first = State::first(setting);
    let mut seen: HashSet<u128> = HashSet::new();
    let mut settled: HashSet<u64> = HashSet::new();
    seen.insert(first.key());
    let mut stack = alloc::vec![first];
    let mut found = Found { states: 0, steps: 0, violation: None, candidates: 0 };
    while let Some(state) = stack.pop() {
        found.states += 1;
        found.candidates = found.candidates.max(state.vault.len());
        let mut wrong = state.wrong(setting);
        if wrong.is_none() && settled.insert(state.restart_key()) {
            wrong = state.converge(setting);
        }
        state.successors(setting, &mut |next, _| {
            found.steps += 1;
            match next {
                Err(bad) => wrong = wrong.take().or(Some(bad)),
                Ok(next) => {
                    if seen.insert(next.key()) {
                        stack.push(next);
                    }
                }
            }
        });
        if let Some(wrong) = wrong {
            found.violation = Some((wrong, Vec::new()));
            return found;
        }
    }
    found
}
