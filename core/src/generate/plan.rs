//! Which method serves a recipe. Decided from the recipe alone.

use super::conflict;
use super::dense;
use super::error::RecipeError;
#[cfg(feature = "alloc")]
use super::error::Relaxation;
#[cfg(feature = "alloc")]
use super::feasible::{self, Feasible};
use super::nat::Nat;
use super::redraw::Redraw;
use super::rules::Rules;
#[cfg(feature = "alloc")]
use super::rules::{Rule, RuleSet};
use super::sampler::Sampler;
use super::shape::Shape;
#[cfg(feature = "alloc")]
use super::{composition, counted, machine::Machine, table};
use crate::random::RandomError;

/// How passwords of a recipe are drawn.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "alloc", expect(clippy::large_enum_variant, reason = "there may be no heap"))]
pub(super) enum Method {
    Redraw(Redraw),
    #[cfg(feature = "alloc")]
    Counted(counted::Counted),
}

impl Method {
    /// One string at the front of `out`, which is as long as the recipe says, or padded.
    #[inline]
    pub(super) fn sample<D: Sampler>(
        &self,
        rules: &Rules,
        sampler: &mut D,
        out: &mut [u8],
    ) -> Result<(), RandomError> {
        match self {
            Self::Redraw(redraw) => redraw.sample(rules, sampler, out),
            #[cfg(feature = "alloc")]
            Self::Counted(counted) => {
                let out = out.get_mut(..usize::from(rules.length)).unwrap_or_default();
                counted.sample(rules, sampler, out)
            }
        }
    }
}

/// The exact number of admissible passwords, and the method: redrawing where at least a quarter of
/// what is drawn is admissible, a counting table otherwise.
#[cfg(not(feature = "alloc"))]
pub(super) fn plan(rules: &Rules) -> Result<(Nat, Method), RecipeError> {
    if rules.forbid.iter().next().is_some() {
        return Err(RecipeError::NeedsHeap);
    }
    let admissible = dense::count(&Shape::new(rules)).ok_or(RecipeError::NeedsHeap)?;
    if admissible.is_zero() {
        return Err(conflict::find(rules));
    }
    let redraw = Redraw::new(rules, &admissible).ok_or(RecipeError::NeedsHeap)?;
    Ok((admissible, Method::Redraw(redraw)))
}

/// The exact number of admissible passwords, and the method: redrawing where at least a quarter of
/// what is drawn is admissible, a counting table otherwise.
#[cfg(feature = "alloc")]
pub(super) fn plan(rules: &Rules) -> Result<(Nat, Method), RecipeError> {
    match count(rules) {
        Some(admissible) if admissible.is_zero() => Err(conflict::find(rules)),
        Some(admissible) => match method(rules, &admissible) {
            Some(method) => Ok((admissible, method)),
            None => Err(too_complex(rules)),
        },
        None if feasible::decide(rules, RuleSet::NONE) == Feasible::No => {
            Err(conflict::find(rules))
        }
        None => Err(too_complex(rules)),
    }
}

#[cfg(feature = "alloc")]
fn method(rules: &Rules, admissible: &Nat) -> Option<Method> {
    if let Some(redraw) = Redraw::new(rules, admissible) {
        return Some(Method::Redraw(redraw));
    }
    by_composition(rules, admissible)
        .or_else(|| by_position(rules, admissible))
        .map(Method::Counted)
}

/// Names rules without which the recipe can be counted: leaves out one sort after the other, most
/// special first, then takes back each that is not needed for that.
#[cfg(feature = "alloc")]
fn too_complex(rules: &Rules) -> RecipeError {
    let fits = |left_out: RuleSet| {
        let rules = rules.without(left_out);
        count(&rules).is_some_and(|admissible| method(&rules, &admissible).is_some())
    };
    let sort = |rule: Rule| {
        let mut alike = RuleSet::NONE;
        let same = |other: &Rule| core::mem::discriminant(other) == core::mem::discriminant(&rule);
        rules.in_force().filter(same).for_each(|other| alike.add(other, true));
        alike
    };
    let mut relax = RuleSet::NONE;
    let mut sorts = rules.in_force().filter(|rule| *rule != Rule::Length).map(sort);
    let fit = sorts.any(|alike| {
        !relax.holds(alike) && {
            relax = relax.with(alike);
            fits(relax)
        }
    });
    for alike in rules.in_force().filter(|_| fit).map(sort) {
        if relax.holds(alike) && fits(relax.without(alike)) {
            relax = relax.without(alike);
        }
    }
    let relax = Relaxation(if fit { relax } else { RuleSet::NONE });
    RecipeError::TooComplex { limit: table::MAX_TABLE, relax }
}

#[cfg(feature = "alloc")]
pub(super) fn count(rules: &Rules) -> Option<Nat> {
    let shape = Shape::new(rules);
    if rules.forbid.is_empty() {
        if let Some(admissible) = dense::count(&shape) {
            return Some(admissible);
        }
        if composition::is_only_groups(rules, &shape) {
            let graph = composition::graph(&shape, table::EDGES)?;
            return table::weigh(&graph).0.first()?.first().copied();
        }
    }
    Machine::new(&shape, &rules.forbid, table::TABLE)?.count(ADDITIONS)
}

/// Counts of groups from a table; runs, ends and forbidden words by redrawing.
#[cfg(feature = "alloc")]
pub(super) fn by_composition(rules: &Rules, admissible: &Nat) -> Option<counted::Counted> {
    let mut groups = rules.clone();
    groups.first = None;
    groups.last = None;
    let shape = Shape::new(&groups);
    let graph = composition::graph(&shape, table::EDGES)?;
    let base = table::weigh(&graph).0.first()?.first().copied()?;
    let attempts = super::redraw::attempts(admissible, &base)?;
    let kinds = counted::alphabets(shape.kinds().map(|kind| kind.chars));
    Some(counted::Counted::composition(table::CountingTable::new(&graph, false)?, &kinds, attempts))
}

/// Groups, runs and ends from a table, forbidden words by redrawing; or all of it from a table.
#[cfg(feature = "alloc")]
pub(super) fn by_position(rules: &Rules, admissible: &Nat) -> Option<counted::Counted> {
    let shape = Shape::new(rules);
    let some = super::forbid::Forbidden::NONE;
    [&some, &rules.forbid].into_iter().find_map(|forbid| {
        let machine = Machine::new(&shape, forbid, table::TABLE)?;
        let graph = machine.graph(table::EDGES)?;
        let base = table::weigh(&graph).0.first()?.first().copied()?;
        let attempts = super::redraw::attempts(admissible, &base)?;
        let kinds = counted::alphabets(machine.kinds.iter().copied());
        Some(counted::Counted::positions(
            table::CountingTable::new(&graph, true)?,
            &kinds,
            attempts,
        ))
    })
}

#[cfg(feature = "alloc")]
/// Additions of a count that keeps two rows only: about a quarter of a second.
#[cfg(feature = "alloc")]
const ADDITIONS: usize = 1 << 24;
