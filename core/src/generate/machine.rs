//! The rules as an automaton that reads a password from its first character to its last.
//!
//! A state is a pair: the counts of the groups, and a tail, which is what the last characters mean
//! for runs and forbidden words.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::chars::CharSet;
use super::forbid::Forbidden;
use super::nat::Nat;
use super::shape::{CharKind, Counts, Shape};
use super::table::{Edge, Graph};
use super::words::ForbiddenWords;

/// What may follow a state.
#[derive(Clone, Copy, Debug)]
struct Transition {
    tail: usize,
    /// Index into `Machine::masks`.
    mask: usize,
    may_start: bool,
    may_end: bool,
    ways: u8,
    label: Label,
}

/// Which character a step stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Label {
    /// Index of the kind.
    pub(super) kind: u8,
    pub(super) choice: Choice,
}

/// How the character is chosen within its kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Choice {
    /// Any.
    Any = 0,
    /// The one before.
    Same = 1,
    /// Any but the one before.
    Other = 2,
}

impl Label {
    pub(super) fn as_u32(self) -> u32 {
        u32::from(self.kind) << 2 | self.choice as u32
    }
}

/// The automaton of a shape and its forbidden words.
#[derive(Debug)]
pub(super) struct Machine {
    length: usize,
    /// Group counts that can be reached, and what a character of each mask makes of them.
    counts: Vec<Counts>,
    after: Vec<Vec<Option<usize>>>,
    accepts: Vec<bool>,
    /// The steps from each tail; tail 0 is before the first character.
    tails: Vec<Vec<Transition>>,
    /// The characters of each kind.
    pub(super) kinds: Vec<CharSet>,
}

/// A tail: the kind of the last character and how often it stood there (both 0 where runs do not
/// matter), and how far forbidden words have come.
pub(super) type Tail = (usize, u8, usize);

impl Machine {
    /// The automaton; none when it has more states than a counting table has cells.
    pub(super) fn new(shape: &Shape, forbid: &Forbidden, limit: usize) -> Option<Self> {
        let words = ForbiddenWords::new(forbid, shape.length);
        let kinds = split(shape, &words);
        let mut masks: Vec<u8> = kinds.iter().map(|(kind, _)| kind.groups).collect();
        masks.sort_unstable();
        masks.dedup();
        let (counts, after) = reach_counts(shape, &masks, limit)?;
        let accepts = counts.iter().map(|counts| shape.accepts(*counts)).collect();

        let mut known: BTreeMap<Tail, usize> = BTreeMap::new();
        let mut order: Vec<Tail> = alloc::vec![(0, 0, 0)];
        known.insert((0, 0, 0), 0);
        let mut tails = Vec::new();
        let mut done = 0;
        while let Some(tail) = order.get(done).copied() {
            done += 1;
            let mut steps = Vec::new();
            follow(shape, &words, &kinds, tail, |next, (kind, index), choice| {
                let fresh = known.len();
                let tail = *known.entry(next).or_insert_with(|| {
                    order.push(next);
                    fresh
                });
                let mask = masks.binary_search(&kind.groups).unwrap_or(0);
                let size = kind.chars.len();
                let ways = match choice {
                    Choice::Any => size,
                    Choice::Same => 1,
                    Choice::Other => size - 1,
                };
                let label = Label { kind: index, choice };
                let (may_start, may_end) = (kind.may_start, kind.may_end);
                steps.push(Transition { tail, mask, may_start, may_end, ways, label });
            });
            if order.len().saturating_mul(counts.len()) > limit {
                return None;
            }
            tails.push(steps);
        }
        let length = usize::from(shape.length);
        let kinds = kinds.iter().map(|(kind, _)| kind.chars).collect();
        Some(Self { length, counts, after, accepts, tails, kinds })
    }

    fn states(&self) -> usize {
        self.counts.len() * self.tails.len()
    }

    /// The steps from a state at a position, as the state they lead to.
    fn steps(
        &self,
        state: usize,
        position: usize,
    ) -> impl Iterator<Item = (usize, Transition)> + '_ {
        let width = self.tails.len();
        let counts = state.checked_div(width).unwrap_or(0);
        let tail = state.checked_rem(width).unwrap_or(0);
        let first = position == 0;
        let last = position + 1 == self.length;
        self.tails
            .get(tail)
            .into_iter()
            .flatten()
            .filter(move |step| (!first || step.may_start) && (!last || step.may_end))
            .filter_map(move |step| {
                let counts = (*self.after.get(counts)?.get(step.mask)?)?;
                Some((counts * width + step.tail, *step))
            })
    }

    fn accepts(&self, state: usize) -> bool {
        let counts = state.checked_div(self.tails.len()).unwrap_or(0);
        self.accepts.get(counts).copied().unwrap_or(false)
    }

    /// The number of strings, in two rows; none when that takes more than `limit` additions.
    pub(super) fn count(&self, limit: usize) -> Option<Nat> {
        let mut row = alloc::vec![Nat::ZERO; self.states()];
        *row.first_mut()? = Nat::from_u64(1);
        let mut additions = 0_usize;
        for position in 0..self.length {
            let mut next = alloc::vec![Nat::ZERO; self.states()];
            for (ways, state) in row.iter().zip(0..).filter(|(ways, _)| !ways.is_zero()) {
                for (to, step) in self.steps(state, position) {
                    next.get_mut(to)?.add_product(ways, u64::from(step.ways));
                    additions += 1;
                }
                if additions > limit {
                    return None;
                }
            }
            row = next;
        }
        let mut total = Nat::ZERO;
        for (ways, state) in row.iter().zip(0..) {
            if self.accepts(state) {
                total.add_assign(ways);
            }
        }
        Some(total)
    }

    /// Whether a string of the shape's length exists; with `shorter`, of this length or any below
    /// it.
    pub(super) fn is_feasible(&self, shorter: bool) -> bool {
        let mut reached = alloc::vec![false; self.states()];
        let mut row = alloc::vec![0];
        for position in 0..self.length {
            if !shorter {
                reached.fill(false);
            }
            let mut next = Vec::new();
            for (to, step) in row.iter().flat_map(|state| self.steps(*state, position)) {
                if shorter && step.may_end && self.accepts(to) {
                    return true;
                }
                // What was reached earlier leads nowhere new.
                if let Some(place) = reached.get_mut(to).filter(|place| !**place) {
                    *place = true;
                    next.push(to);
                }
            }
            row = next;
            if row.is_empty() {
                return false;
            }
        }
        !shorter && row.iter().any(|state| self.accepts(*state))
    }

    /// The graph over the positions, of those states only that lie on a path; none above `limit`
    /// edges.
    pub(super) fn graph(&self, limit: usize) -> Option<Graph> {
        // Backwards: which states of each row can still be completed.
        let accepted = (0..self.states()).map(|state| self.accepts(state)).collect::<Vec<_>>();
        let mut alive = alloc::vec![accepted];
        for position in (0..self.length).rev() {
            let after = alive.last()?;
            let leads = |state| {
                self.steps(state, position).any(|(to, _)| after.get(to).copied().unwrap_or(false))
            };
            let row = (0..self.states()).map(leads).collect();
            alive.push(row);
        }
        alive.reverse();
        // Forwards: the states that are reached, numbered in each layer.
        let mut graph = Graph::new();
        let mut states = alloc::vec![0_usize];
        let mut edges_used = 0;
        for (position, after) in (0..self.length).zip(alive.iter().skip(1)) {
            let mut places: BTreeMap<usize, usize> = BTreeMap::new();
            let mut order = Vec::new();
            let mut layer = Vec::new();
            for state in &states {
                let mut edges = Vec::new();
                for (to, step) in self.steps(*state, position) {
                    if !after.get(to).copied().unwrap_or(false) {
                        continue;
                    }
                    let fresh = places.len();
                    let to = *places.entry(to).or_insert_with(|| {
                        order.push(to);
                        fresh
                    });
                    let ways = Nat::from_u64(u64::from(step.ways));
                    // Every accepted state is the end.
                    let to = if position + 1 == self.length { 0 } else { to };
                    edges.push(Edge { to, label: step.label.as_u32(), ways });
                    edges_used += 1;
                }
                if edges_used > limit {
                    return None;
                }
                layer.push(edges);
            }
            graph.push(layer);
            states = order;
        }
        Some(graph)
    }
}

/// What may follow a tail, whatever the counts: the next tail, the kind of the character and its
/// place among the kinds, and how the character is chosen within it.
pub(super) fn follow(
    shape: &Shape,
    words: &ForbiddenWords,
    kinds: &[(CharKind, Option<u8>)],
    tail: Tail,
    mut add: impl FnMut(Tail, (&CharKind, u8), Choice),
) {
    for ((kind, letter), place) in kinds.iter().zip(0_u8..) {
        let Some(node) = words.step(tail.2, *letter) else { continue };
        let index = usize::from(place) + 1;
        if shape.max_run == 0 {
            add((0, 0, node), (kind, place), Choice::Any);
        } else if tail.0 == index {
            if tail.1 < shape.max_run {
                add((index, tail.1 + 1, node), (kind, place), Choice::Same);
            }
            if kind.chars.len() > 1 {
                add((index, 1, node), (kind, place), Choice::Other);
            }
        } else {
            add((index, 1, node), (kind, place), Choice::Any);
        }
    }
}

/// The kinds of the shape, split further by the letters of the words.
pub(super) fn split(shape: &Shape, words: &ForbiddenWords) -> Vec<(CharKind, Option<u8>)> {
    let mut kinds = Vec::new();
    for kind in shape.kinds() {
        let mut letters: BTreeMap<Option<u8>, CharSet> = BTreeMap::new();
        for byte in kind.chars.iter() {
            let set = letters.entry(words.letter(byte)).or_default();
            *set = set.with(byte);
        }
        kinds.extend(
            letters.into_iter().map(|(letter, chars)| (CharKind { chars, ..kind }, letter)),
        );
    }
    kinds
}

/// Every vector of counts that can be reached, and what each mask makes of it.
type ReachedCounts = (Vec<Counts>, Vec<Vec<Option<usize>>>);

fn reach_counts(shape: &Shape, masks: &[u8], limit: usize) -> Option<ReachedCounts> {
    let mut known: BTreeMap<Counts, usize> = BTreeMap::new();
    let mut order = alloc::vec![Counts::default()];
    known.insert(Counts::default(), 0);
    let mut after = Vec::new();
    let mut done = 0;
    while let Some(counts) = order.get(done).copied() {
        done += 1;
        let steps = masks
            .iter()
            .map(|mask| {
                let next = shape.step(counts, *mask)?;
                let fresh = known.len();
                Some(*known.entry(next).or_insert_with(|| {
                    order.push(next);
                    fresh
                }))
            })
            .collect();
        after.push(steps);
        if order.len() > limit {
            return None;
        }
    }
    Some((order, after))
}
