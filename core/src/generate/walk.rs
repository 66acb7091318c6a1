//! Looks for one password that satisfies the rules, where they are too many to count.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::machine::{Choice, Tail, follow, split};
use super::rules::Rules;
use super::shape::{Counts, Shape};
use super::words::ForbiddenWords;

/// How many states are looked at. What is found is found early: each step goes where most is
/// missing. A walk over all of them takes about ten milliseconds.
const STATES: usize = 1 << 14;

/// So many characters, the counts of their groups, and what the last ones mean.
type WalkState = (u8, Counts, Tail);

/// Whether a password of the rules' length was found; with `shorter`, of this length or any below
/// it. Where none was, there may be one all the same.
pub(super) fn finds(rules: &Rules, shorter: bool) -> bool {
    let shape = Shape::new(rules);
    let words = ForbiddenWords::new(&rules.forbid, shape.length);
    let kinds = split(&shape, &words);
    let mut seen = BTreeSet::new();
    let mut open: Vec<WalkState> = alloc::vec![(0, Counts::default(), Tail::default())];
    while let Some(state) = open.pop() {
        if seen.len() >= STATES {
            return false;
        }
        if !seen.insert(state) {
            continue;
        }
        let (place, counts, tail) = state;
        let last = place + 1 == shape.length;
        let left = shape.length - place - 1;
        let mut found = false;
        let mut next = Vec::new();
        follow(&shape, &words, &kinds, tail, |tail, (kind, _), choice| {
            let allowed = (place > 0 || kind.may_start) && (!last || kind.may_end);
            let Some(counts) = shape.step(counts, kind.groups).filter(|_| allowed) else { return };
            let complete = kind.may_end && shape.accepts(counts);
            found |= complete && (last || shorter);
            if !last && shape.missing(counts) <= u32::from(left) {
                let room = shape.room(counts, kind.groups);
                let worth = (shape.missing(counts), choice == Choice::Same, u8::MAX - room);
                next.push((worth, (place + 1, counts, tail)));
            }
        });
        if found {
            return true;
        }
        // The best is looked at first.
        next.sort_by(|a, b| b.cmp(a));
        open.extend(next.into_iter().map(|(_, state)| state));
    }
    false
}
