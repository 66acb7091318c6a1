//! What the search needs to know of a state, and what it counts.

use alloc::string::String;
use std::collections::HashSet;

use super::acts::Act;
use super::judge::P;
use super::state::{Left, Setting, World};
use crate::rotation::search::{self, Rank, Space, Visit};

pub(super) type Found = search::Found<Tally>;

/// What a run counts beside its states.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The most of everything that must stay bounded.
    pub(super) candidates: u32,
    pub(super) history: usize,
    pub(super) records: usize,
    /// Which acts came after which.
    pub(super) pairs: HashSet<(Act, Act)>,
    /// Whether all acts, faults and lies of the bounds happened on one path.
    pub(super) spent: bool,
}

impl Space for World {
    type Setting = Setting;
    type Tally = Tally;

    fn first(setting: &Setting) -> Self {
        Self::first(setting)
    }

    fn key(&self) -> u128 {
        self.key()
    }

    fn rank(&self) -> Rank {
        self.rank()
    }

    /// Whether a refusal blocks a rotation depends on what is in flight; all else begins with a
    /// restart.
    fn later_key(&self, setting: &Setting) -> u128 {
        if setting.checks & P == 0 { self.restart_key() } else { self.key() }
    }

    fn wrong(&self, setting: &Setting) -> Option<String> {
        self.wrong_state(setting)
    }

    fn wrong_later(&self, setting: &Setting) -> Option<String> {
        self.wrong_end(setting)
    }

    fn successors(&self, setting: &Setting, visit: &mut Visit<'_, Self>) {
        self.steps(setting, &mut |next, label| {
            let wrong = self.wrong_step(&next, setting);
            visit(wrong.map_or(Ok(next), Err), label);
        });
    }

    fn tally(&self, tally: &mut Tally) {
        let kept = self.vault.kept();
        tally.candidates = tally.candidates.max(kept.candidates().count_ones());
        tally.history = tally.history.max(kept.history.len());
        tally.records = tally.records.max(self.made.len() - 1);
    }

    fn tally_step(&self, next: &Self, tally: &mut Tally) {
        tally.spent |= next.left == Left::NOTHING;
        if let (Some(one), Some(other)) = (self.last, next.last)
            && next.left.acts < self.left.acts
        {
            tally.pairs.insert((one, other));
        }
    }
}
