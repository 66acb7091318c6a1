//! The search of both explorations: every state that can be reached, each once.
//!
//! Breadth first, so that a trace is a shortest one; or depth first, which keeps the states of one
//! path only, and whose traces are long. Either ends when no state is left that was seen and not
//! visited: there is no limit of depth or time at which it would stop and say that all is well.
//!
//! Depth first leaves one thing out. Two states may differ in their [`Rank`] alone: in how much may
//! still happen, and in what is excused. Where one has at least as much of each part, whatever goes
//! wrong after the other goes wrong after this one, too; so the other is not visited.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test may: what goes wrong here stops the exploration"
)]

use alloc::collections::VecDeque;
use alloc::{string::String, vec::Vec};
use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::println;
use std::time::Instant;

/// Takes the next states, or what is wrong with the step to them; each with a way to name the step.
pub(super) type Visit<'a, S> = dyn FnMut(Result<S, String>, &dyn Fn() -> String) + 'a;

/// What a state has that makes more things go wrong, the more there is of it.
pub(super) type Rank = [u8; 9];

/// A state of something that can be explored.
pub(super) trait Space: Sized {
    /// The rules and bounds of a run.
    type Setting;
    /// What a run counts beside its states.
    type Tally: Default;

    fn first(setting: &Self::Setting) -> Self;
    /// Names the state but for its rank: two of the same name and rank have the same future.
    fn key(&self) -> u128;
    fn rank(&self) -> Rank {
        Rank::default()
    }
    /// Names what [`Space::wrong_later`] depends on.
    fn later_key(&self, setting: &Self::Setting) -> u128;
    /// The invariants of one state.
    fn wrong(&self, setting: &Self::Setting) -> Option<String>;
    /// What becomes of it when nothing more goes wrong.
    fn wrong_later(&self, setting: &Self::Setting) -> Option<String>;
    /// Every next state, in the same order each time.
    fn successors(&self, setting: &Self::Setting, visit: &mut Visit<'_, Self>);
    fn tally(&self, tally: &mut Self::Tally);
    fn tally_step(&self, _: &Self, _: &mut Self::Tally) {}
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Found<T> {
    /// States visited.
    pub(super) states: usize,
    /// The same without those that differ in their rank alone.
    pub(super) names: usize,
    /// Steps between them.
    pub(super) steps: usize,
    /// Continuations that were followed.
    pub(super) continuations: usize,
    /// What is wrong, and the steps that lead to it where they are known.
    pub(super) violation: Option<(String, Vec<String>)>,
    pub(super) tally: T,
    pub(super) took: Duration,
}

/// How a search gets at its states.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
    Nearest,
    /// Only the states of one path are kept.
    Deepest,
}

/// The states that were seen: under each name those ranks that are not less than another one.
struct Seen {
    order: Order,
    ranks: HashMap<u128, Vec<Rank>>,
    count: usize,
}

impl Seen {
    fn new(order: Order) -> Self {
        Self { order, ranks: HashMap::new(), count: 0 }
    }

    /// Whether this one is to be visited.
    fn insert(&mut self, key: u128, rank: Rank) -> bool {
        let less =
            |one: &Rank, other: &Rank| one.iter().zip(other).all(|(one, other)| one <= other);
        let ranks = self.ranks.entry(key).or_insert_with(|| Vec::with_capacity(1));
        let known = match self.order {
            Order::Nearest => ranks.contains(&rank),
            Order::Deepest => ranks.iter().any(|other| less(&rank, other)),
        };
        if known {
            return false;
        }
        if self.order == Order::Deepest {
            ranks.retain(|other| !less(other, &rank));
        }
        ranks.push(rank);
        self.count += 1;
        true
    }

    /// Whether none was seen since that makes a visit needless.
    fn stands(&self, key: u128, rank: Rank) -> bool {
        self.ranks.get(&key).is_some_and(|ranks| ranks.contains(&rank))
    }
}

/// A run so long says how far it is.
const REPORT_EVERY: usize = 200_000;

/// Visits every reachable state, the nearest first; stops at the first violation.
pub(super) fn explore<S: Space>(setting: &S::Setting, most: usize) -> Found<S::Tally> {
    walk::<S>(setting, Order::Nearest, most)
}

/// Visits every reachable state, in no useful order, with the memory of one path.
pub(super) fn exhaust<S: Space>(setting: &S::Setting) -> Found<S::Tally> {
    walk::<S>(setting, Order::Deepest, usize::MAX)
}

fn walk<S: Space>(setting: &S::Setting, order: Order, most: usize) -> Found<S::Tally> {
    let began = Instant::now();
    let first = S::first(setting);
    let mut seen = Seen::new(order);
    let key = first.key();
    seen.insert(key, first.rank());
    let mut settled = HashSet::new();
    // From which state, by number, and by which of its steps a state was reached first.
    let mut ways = Vec::from([(0_u32, 0_u16)]);
    let mut open = VecDeque::from([(0_u32, key, first)]);
    let mut found = Found {
        states: 0,
        names: 0,
        steps: 0,
        continuations: 0,
        violation: None,
        tally: S::Tally::default(),
        took: Duration::ZERO,
    };
    let mut passed_over = 0;
    let next = |open: &mut VecDeque<_>| match order {
        Order::Nearest => open.pop_front(),
        Order::Deepest => open.pop_back(),
    };
    while let Some((number, key, state)) = next(&mut open) {
        if order == Order::Deepest && !seen.stands(key, state.rank()) {
            passed_over += 1;
            continue;
        }
        found.states += 1;
        state.tally(&mut found.tally);
        let mut wrong = state.wrong(setting).map(|wrong| (wrong, None));
        if wrong.is_none() && settled.insert(state.later_key(setting)) {
            wrong = state.wrong_later(setting).map(|wrong| (wrong, None));
        }
        let mut ordinal = 0_u16;
        let from = open.len();
        if wrong.is_none() {
            state.successors(setting, &mut |next, _| {
                found.steps += 1;
                match next {
                    Err(bad) => wrong = wrong.take().or(Some((bad, Some(ordinal)))),
                    Ok(next) => {
                        state.tally_step(&next, &mut found.tally);
                        let key = next.key();
                        if seen.insert(key, next.rank()) {
                            ways.push((number, ordinal));
                            open.push_back((u32::try_from(ways.len() - 1).unwrap(), key, next));
                        }
                    }
                }
                ordinal += 1;
            });
        }
        if order == Order::Deepest {
            // What needs no fault comes first: the states with the higher rank.
            open.make_contiguous()[from..].reverse();
        }
        if let Some((wrong, last)) = wrong {
            let steps = trace::<S>(setting, &ways, number, last);
            found.violation = Some((wrong, steps));
            break;
        }
        assert!(seen.count <= most, "more states than the {most} that this bound allows");
        if found.states.is_multiple_of(REPORT_EVERY) {
            let (names, seconds) = (seen.ranks.len(), began.elapsed().as_secs());
            let (states, left) = (found.states, open.len());
            println!("   … {states} states of {names} names in {seconds} s, {left} to visit");
        }
    }
    if found.violation.is_none() {
        assert_eq!(found.states + passed_over, seen.count, "every state that was seen was visited");
    }
    found.names = seen.ranks.len();
    found.continuations = settled.len();
    found.took = began.elapsed();
    found
}

/// The steps to a state, told by taking them again.
fn trace<S: Space>(
    setting: &S::Setting,
    ways: &[(u32, u16)],
    mut number: u32,
    last: Option<u16>,
) -> Vec<String> {
    let mut ordinals: Vec<u16> = last.into_iter().collect();
    while number != 0 {
        let (parent, ordinal) = ways[number as usize];
        ordinals.push(ordinal);
        number = parent;
    }
    let mut state = S::first(setting);
    let mut told = Vec::new();
    for wanted in ordinals.into_iter().rev() {
        let (mut ordinal, mut next_state) = (0, None);
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
