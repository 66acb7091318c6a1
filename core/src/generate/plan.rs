//! Which sampler serves a recipe. Decided from the recipe alone.

use super::conflict;
use super::dense;
use super::dice::Dice;
use super::error::RecipeError;
use super::nat::Nat;
use super::redraw::Redraw;
use super::rules::Rules;
use super::shape::Shape;
#[cfg(feature = "alloc")]
use super::{composition, counted, machine::Machine, table};
use crate::random::RandomError;

/// How passwords of a recipe are drawn.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "alloc", expect(clippy::large_enum_variant, reason = "there may be no heap"))]
pub(super) enum Sampler {
    Redraw(Redraw),
    #[cfg(feature = "alloc")]
    Counted(counted::Counted),
}

impl Sampler {
    /// One string at the front of `out`, which is as long as the recipe says, or padded.
    #[inline]
    pub(super) fn sample<D: Dice>(
        &self,
        rules: &Rules,
        dice: &mut D,
        out: &mut [u8],
    ) -> Result<(), RandomError> {
        match self {
            Self::Redraw(redraw) => redraw.sample(rules, dice, out),
            #[cfg(feature = "alloc")]
            Self::Counted(counted) => {
                let out = out.get_mut(..usize::from(rules.length)).unwrap_or_default();
                counted.sample(rules, dice, out)
            }
        }
    }
}

/// The exact number of admissible passwords, and the sampler: redrawing where at least a quarter of what is
/// drawn is admissible, a counting table otherwise.
#[cfg(not(feature = "alloc"))]
pub(super) fn plan(rules: &Rules) -> Result<(Nat, Sampler), RecipeError> {
    if rules.forbid.iter().next().is_some() {
        return Err(RecipeError::NeedsHeap);
    }
    let admissible = dense::count(&Shape::new(rules)).ok_or(RecipeError::NeedsHeap)?;
    if admissible.is_zero() {
        return Err(conflict::find(rules));
    }
    let redraw = Redraw::new(rules, &admissible).ok_or(RecipeError::NeedsHeap)?;
    Ok((admissible, Sampler::Redraw(redraw)))
}

/// The exact number of admissible passwords, and the sampler: redrawing where at least a quarter of what is
/// drawn is admissible, a counting table otherwise.
#[cfg(feature = "alloc")]
pub(super) fn plan(rules: &Rules) -> Result<(Nat, Sampler), RecipeError> {
    let admissible = count(rules).ok_or(TOO_COMPLEX)?;
    if admissible.is_zero() {
        return Err(conflict::find(rules));
    }
    if let Some(redraw) = Redraw::new(rules, &admissible) {
        return Ok((admissible, Sampler::Redraw(redraw)));
    }
    let counted = by_composition(rules, &admissible)
        .or_else(|| by_position(rules, &admissible))
        .ok_or(TOO_COMPLEX)?;
    Ok((admissible, Sampler::Counted(counted)))
}

#[cfg(feature = "alloc")]
pub(super) fn count(rules: &Rules) -> Option<Nat> {
    let shape = Shape::new(rules);
    if rules.forbid.is_empty() {
        if let Some(admissible) = dense::count(&shape) {
            return Some(admissible);
        }
        if is_only_groups(rules, &shape) {
            let graph = composition::graph(&shape, EDGES)?;
            return table::weigh(&graph).0.first()?.first().copied();
        }
    }
    Machine::new(&shape, &rules.forbid, TABLE)?.count(ADDITIONS)
}

/// Whether nothing but groups and the length is asked for.
#[cfg(feature = "alloc")]
pub(super) fn is_only_groups(rules: &Rules, shape: &Shape) -> bool {
    rules.forbid.is_empty()
        && shape.max_run == 0
        && shape.first == shape.alphabet
        && shape.last == shape.alphabet
}

/// Counts of groups from a table; runs, ends and forbidden words by redrawing.
#[cfg(feature = "alloc")]
pub(super) fn by_composition(rules: &Rules, admissible: &Nat) -> Option<counted::Counted> {
    let mut groups = rules.clone();
    groups.first = None;
    groups.last = None;
    let shape = Shape::new(&groups);
    let graph = composition::graph(&shape, EDGES)?;
    let base = table::weigh(&graph).0.first()?.first().copied()?;
    let attempts = super::redraw::attempts(admissible, &base)?;
    let kinds = counted::alphabets(shape.kinds().map(|kind| kind.chars));
    Some(counted::Counted::composition(table::Table::new(&graph, false)?, &kinds, attempts))
}

/// Groups, runs and ends from a table, forbidden words by redrawing; or all of it from a table.
#[cfg(feature = "alloc")]
pub(super) fn by_position(rules: &Rules, admissible: &Nat) -> Option<counted::Counted> {
    let shape = Shape::new(rules);
    let some = super::forbid::Forbidden::NONE;
    [&some, &rules.forbid].into_iter().find_map(|forbid| {
        let machine = Machine::new(&shape, forbid, TABLE)?;
        let graph = machine.graph(EDGES)?;
        let base = table::weigh(&graph).0.first()?.first().copied()?;
        let attempts = super::redraw::attempts(admissible, &base)?;
        let kinds = counted::alphabets(machine.kinds.iter().copied());
        Some(counted::Counted::positions(table::Table::new(&graph, true)?, &kinds, attempts))
    })
}

#[cfg(feature = "alloc")]
const TOO_COMPLEX: RecipeError = RecipeError::TooComplex { limit: table::MAX_TABLE };
/// Cells of a counting table, and states of one row of a count that keeps two rows only.
#[cfg(feature = "alloc")]
pub(super) const TABLE: usize = table::MAX_TABLE as usize;
/// Edges that are looked at before those that lead nowhere are dropped.
#[cfg(feature = "alloc")]
pub(super) const EDGES: usize = 4 * TABLE;
/// Additions of a count that keeps two rows only: about a quarter of a second.
#[cfg(feature = "alloc")]
const ADDITIONS: usize = 1 << 24;
