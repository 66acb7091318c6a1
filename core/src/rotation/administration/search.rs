//! Breadth first, so that a trace is a shortest one; or depth first, which keeps the states of one path only.

use alloc::collections::VecDeque;
use alloc::{string::String, vec::Vec};
use std::collections::{HashMap, HashSet};

use super::acts::Act;
use super::judge::P;
use super::state::{Setting, World};

/// What an exploration found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// States visited.
    pub(super) states: usize,
    /// Steps between them.
    pub(super) steps: usize,
    /// Continuations that were followed.
    pub(super) continuations: usize,
    /// What is wrong, and the steps that lead to it.
    pub(super) violation: Option<(String, Vec<String>)>,
    /// The most of everything that must stay bounded.
    pub(super) candidates: u32,
    pub(super) history: usize,
    pub(super) records: usize,
    /// Which acts came after which.
    pub(super) pairs: HashSet<(Act, Act)>,
}

impl Found {
    fn note(&mut self, world: &World) {
        self.states += 1;
        let kept = super::vault::stored(&world.vault);
        self.candidates = self.candidates.max(kept.candidates().count_ones());
        self.history = self.history.max(kept.history.len());
        self.records = self.records.max(world.made.len() - 1);
    }
}

/// Visits every reachable state, the nearest first; stops at the first violation.
pub(super) fn explore(setting: &Setting, most: usize) -> Found {
    let first = World::first(setting);
    let mut seen: HashMap<u128, (u32, u16)> = HashMap::new();
    let mut order: Vec<u128> = Vec::new();
    let mut settled: HashSet<u128> = HashSet::new();
    let key = first.key();
    seen.insert(key, (u32::MAX, 0));
    order.push(key);
    let mut queue = VecDeque::from([(0_u32, first)]);
    let mut found = Found::default();
    while let Some((number, state)) = queue.pop_front() {
        found.note(&state);
        let mut wrong = state.wrong(setting);
        if wrong.is_none() && (setting.checks & P != 0 || settled.insert(state.restart_key())) {
            wrong = state.wrong_later(setting);
        }
        if let Some(wrong) = wrong {
            found.violation = Some((wrong, trace(setting, &seen, &order, number, None)));
            break;
        }
        let mut ordinal = 0_u16;
        let mut bad = None;
        state.successors(setting, &mut |next, _| {
            found.steps += 1;
            if let Some(wrong) = state.wrong_step(&next, setting) {
                bad = bad.take().or(Some((wrong, ordinal)));
            }
            let key = next.key();
            if let std::collections::hash_map::Entry::Vacant(entry) = seen.entry(key) {
                entry.insert((number, ordinal));
                queue.push_back((u32::try_from(order.len()).unwrap(), next));
                order.push(key);
            }
            ordinal += 1;
        });
        if let Some((wrong, ordinal)) = bad {
            found.violation = Some((wrong, trace(setting, &seen, &order, number, Some(ordinal))));
            break;
        }
        assert!(order.len() <= most, "more states than the {most} that this bound allows");
    }
    found.continuations = settled.len();
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
    let mut state = World::first(setting);
    let mut told = Vec::new();
    for wanted in ordinals.into_iter().rev() {
        let mut ordinal = 0;
        let mut next_state = None;
        state.successors(setting, &mut |next, label| {
            if ordinal == wanted {
                told.push(label());
                next_state = Some(next);
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
    let first = World::first(setting);
    let mut seen: HashSet<u128> = HashSet::new();
    let mut settled: HashSet<u128> = HashSet::new();
    seen.insert(first.key());
    let mut stack = alloc::vec![first];
    let mut found = Found::default();
    while let Some(state) = stack.pop() {
        found.note(&state);
        let mut wrong = state.wrong(setting);
        if wrong.is_none() && (setting.checks & P != 0 || settled.insert(state.restart_key())) {
            wrong = state.wrong_later(setting);
        }
        state.successors(setting, &mut |next, _| {
            found.steps += 1;
            if let (Some(one), Some(other)) = (state.last, next.last)
                && next.left.acts < state.left.acts
            {
                found.pairs.insert((one, other));
            }
            wrong = wrong.take().or_else(|| state.wrong_step(&next, setting));
            if seen.insert(next.key()) {
                stack.push(next);
            }
        });
        if let Some(wrong) = wrong {
            found.violation = Some((wrong, Vec::new()));
            break;
        }
    }
    found.continuations = settled.len();
    found
}
