//! Counting by composition: how many characters of each kind, then where they stand, then which
//! they are.
//!
//! Serves every rule about groups. Its table has a layer for each kind, not for each position, so
//! that large minima cost little.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::nat::Nat;
use super::rules::Rules;
use super::shape::{CharKind, Counts, Shape};
use super::table::{Edge, Graph};

/// Whether nothing but groups and the length is asked for.
pub(super) fn is_only_groups(rules: &Rules, shape: &Shape) -> bool {
    rules.forbid.is_empty()
        && shape.max_run == 0
        && shape.first == shape.alphabet
        && shape.last == shape.alphabet
}

/// What matters after some kinds: places left, counts of the groups that further kinds belong to,
/// and how many groups are present among those that are finished.
type CompositionState = (u8, Counts, u8);

/// The graph over the kinds of a shape; the label of an edge is the number of characters of its
/// kind. Runs and places are not looked at. None when it would have more than `limit` edges.
pub(super) fn graph(shape: &Shape, limit: usize) -> Option<Graph> {
    let kinds: Vec<CharKind> = shape.kinds().collect();
    let mut graph = Graph::new();
    let mut states: Vec<CompositionState> = alloc::vec![(shape.length, Counts::default(), 0)];
    let mut edges_used = 0;
    for (kind, index) in kinds.iter().zip(1..) {
        let later = kinds.iter().skip(index).fold(0, |mask, kind| mask | kind.groups);
        let mut next: BTreeMap<CompositionState, usize> = BTreeMap::new();
        let mut order = Vec::new();
        let mut layer = Vec::new();
        for (left, counts, present) in &states {
            let mut edges = Vec::new();
            let mut ways = Nat::from_u64(1);
            for taken in 0..=*left {
                if taken > 0 {
                    // C(n, k) m^k from C(n, k-1) m^(k-1)
                    ways = ways.times(u64::from(kind.chars.len()) * u64::from(*left - taken + 1));
                    ways.divide(u64::from(taken));
                }
                let Some(stepped) = shape.step_by(*counts, kind.groups, taken) else { break };
                let Some((open, finished)) = shape.close(stepped, kind.groups & !later) else {
                    continue;
                };
                let state = (*left - taken, open, present + finished);
                let fresh = next.len();
                let to = *next.entry(state).or_insert_with(|| {
                    order.push(state);
                    fresh
                });
                edges_used += 1;
                if edges_used > limit {
                    return None;
                }
                edges.push(Edge { to, label: u32::from(taken), ways });
            }
            layer.push(edges);
        }
        graph.push(layer);
        states = order;
    }
    // The last layer leads to the one end where no place is left and enough groups are present.
    let missing = shape.close(Counts::default(), shape.groups_without(&kinds)).is_none();
    let end = |state: &CompositionState| state.0 == 0 && state.2 >= shape.at_least() && !missing;
    let last = states.iter().map(|state| {
        let edge = Edge { to: 0, label: 0, ways: Nat::from_u64(1) };
        if end(state) { alloc::vec![edge] } else { Vec::new() }
    });
    graph.push(last.collect());
    Some(graph)
}
