//! The counting table: layers of states, and for each state the ways to go on, as exact numbers.
//!
//! A rank below the total is unranked layer by layer. The state depends on the rank, so every cell
//! of the public layer is read, and kept or not by a mask (protocol §7 rule 3).

use alloc::vec::Vec;
use zeroize::Zeroize as _;

use super::mask::equal;
use super::nat::{LIMBS, Nat};
use super::rank_range::{RankRange, below, divide, subtract};
use super::sampler::Sampler;
use crate::random::RandomError;

/// The largest number of cells in a counting table.
pub const MAX_TABLE: u32 = 65_536;
/// Cells of a counting table, and states of one row of a count that keeps two rows only.
pub(super) const TABLE: usize = MAX_TABLE as usize;
/// Edges that are looked at before those that lead nowhere are dropped.
pub(super) const EDGES: usize = 4 * TABLE;

/// One way to go on from a state.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) to: usize,
    pub(super) label: u32,
    /// In how many ways this step can be taken, before what follows is counted. At least 1.
    pub(super) ways: Nat,
}

/// Layers of states, each with its edges into the next layer. What follows the last layer is the
/// end, which has one state. The first layer has one state.
pub(super) type Graph = Vec<Vec<Vec<Edge>>>;

/// The number of paths from every state of every layer, and how many cells lead somewhere.
pub(super) fn weigh(graph: &Graph) -> (Vec<Vec<Nat>>, usize) {
    let mut weights = alloc::vec![alloc::vec![Nat::from_u64(1)]];
    let mut cells = 0;
    for layer in graph.iter().rev() {
        let after = weights.last().map(Vec::as_slice).unwrap_or_default();
        let row = layer
            .iter()
            .map(|edges| {
                let mut sum = Nat::ZERO;
                for edge in edges {
                    let follows = after.get(edge.to).copied().unwrap_or(Nat::ZERO);
                    cells += usize::from(!follows.is_zero());
                    sum.add_assign(&follows.product(&edge.ways));
                }
                sum
            })
            .collect();
        weights.push(row);
    }
    weights.reverse();
    (weights, cells)
}

/// The counting table of a graph.
#[derive(Debug)]
pub(super) struct CountingTable {
    layers: Vec<Layer>,
    limbs: usize,
    range: RankRange,
}

#[derive(Debug)]
struct Layer {
    /// For each cell, where its ranks start, then the weight of the state it leads to.
    numbers: Vec<u64>,
    cells: Vec<Cell>,
    /// Binary digits of a quotient that is wanted; none where only the remainder is.
    quotient: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    from: u32,
    to: u32,
    label: u32,
}

impl CountingTable {
    /// The table; none when it would have more than [`MAX_TABLE`] cells. With `quotients`, `walk`
    /// tells which of the ways of an edge was taken, and no edge has more than 128 ways.
    pub(super) fn new(graph: &Graph, quotients: bool) -> Option<Self> {
        let (weights, cells) = weigh(graph);
        if cells > usize::try_from(MAX_TABLE).unwrap_or(usize::MAX) {
            return None;
        }
        let total = *weights.first()?.first()?;
        let range = RankRange::new(&total);
        let layers = graph
            .iter()
            .zip(weights.iter().skip(1))
            .map(|(states, after)| Layer::new(states, after, range.limbs, quotients))
            .collect();
        Some(Self { layers, limbs: range.limbs, range })
    }

    /// The number of paths.
    #[cfg(feature = "passphrase")]
    pub(super) const fn total(&self) -> Nat {
        self.range.total
    }

    /// Draws a path and shows it step by step: its label, and which of the ways it was (0 without
    /// quotients). Not 0: the path is to be thrown away.
    pub(super) fn walk<D: Sampler>(
        &self,
        sampler: &mut D,
        mut visit: impl FnMut(u32, u64),
    ) -> Result<u64, RandomError> {
        let mut rank = [0; LIMBS];
        let rank = rank.get_mut(..self.limbs).unwrap_or_default();
        let reject = sampler.rank(&self.range, rank)?;
        let mut state = 0;
        for layer in &self.layers {
            let mut chosen = layer.choose(state, rank, self.limbs);
            let (start, weight) = chosen.numbers.split_at(LIMBS);
            subtract(rank, start, u64::MAX);
            let way = match layer.quotient {
                Some(digits) => divide(rank, weight, digits),
                None => {
                    remainder(rank, weight);
                    0
                }
            };
            state = chosen.to;
            visit(chosen.label, way);
            chosen.numbers.zeroize();
        }
        rank.zeroize();
        Ok(reject)
    }
}

/// The cell that a rank falls into.
struct Chosen {
    numbers: [u64; 2 * LIMBS],
    to: u32,
    label: u32,
}

impl Layer {
    fn new(states: &[Vec<Edge>], after: &[Nat], limbs: usize, quotients: bool) -> Self {
        let mut layer =
            Self { numbers: Vec::new(), cells: Vec::new(), quotient: quotients.then_some(0) };
        for (edges, from) in states.iter().zip(0..) {
            let mut start = Nat::ZERO;
            for edge in edges {
                let weight = after.get(edge.to).copied().unwrap_or(Nat::ZERO);
                if weight.is_zero() {
                    continue;
                }
                layer.numbers.extend(start.0.iter().take(limbs));
                layer.numbers.extend(weight.0.iter().take(limbs));
                let to = u32::try_from(edge.to).unwrap_or(0);
                layer.cells.push(Cell { from, to, label: edge.label });
                start.add_assign(&weight.product(&edge.ways));
                layer.quotient = layer.quotient.map(|digits| digits.max(edge.ways.bits()));
            }
        }
        layer
    }

    /// Reads every cell. Of those that belong to the state, the last whose start is not above the
    /// rank is kept.
    fn choose(&self, state: u32, rank: &[u64], limbs: usize) -> Chosen {
        let mut chosen = Chosen { numbers: [0; 2 * LIMBS], to: 0, label: 0 };
        for (cell, numbers) in self.cells.iter().zip(self.numbers.chunks_exact(2 * limbs)) {
            let (start, weight) = numbers.split_at(limbs);
            let mask = equal(u64::from(cell.from), u64::from(state)) & !below(rank, start);
            let (chosen_start, chosen_weight) = chosen.numbers.split_at_mut(LIMBS);
            take(chosen_start, start, mask);
            take(chosen_weight, weight, mask);
            #[expect(clippy::cast_possible_truncation, reason = "all ones or none")]
            let mask = mask as u32;
            chosen.to ^= (chosen.to ^ cell.to) & mask;
            chosen.label ^= (chosen.label ^ cell.label) & mask;
        }
        chosen
    }
}

/// `limbs %= divisor`, for a quotient of any size.
fn remainder(limbs: &mut [u64], divisor: &[u64]) {
    let mut rest = [0; LIMBS];
    let rest = rest.get_mut(..limbs.len()).unwrap_or_default();
    for limb in limbs.iter().rev() {
        for digit in (0..64).rev() {
            let mut carry = limb >> digit & 1;
            for place in &mut *rest {
                let high = *place >> 63;
                *place = *place << 1 | carry;
                carry = high;
            }
            // The total has 8 spare bits, so that nothing is shifted out.
            subtract(rest, divisor, !below(rest, divisor));
        }
    }
    limbs.copy_from_slice(rest);
    rest.zeroize();
}

/// Takes a number over where the mask is set.
fn take(to: &mut [u64], from: &[u64], mask: u64) {
    for (to, from) in to.iter_mut().zip(from) {
        *to ^= (*to ^ from) & mask;
    }
}
