//! A minimal set of rules that no password satisfies together.

#[cfg(not(feature = "alloc"))]
use super::dense;
use super::error::{Conflict, RecipeError};
use super::rules::{MAX_LENGTH, Rule, RuleSet, Rules};
use super::shape::Shape;
#[cfg(feature = "alloc")]
use super::{
    composition,
    machine::Machine,
    plan::{EDGES, TABLE, is_only_groups},
    table,
};

/// Leaves out one rule after the other, as long as the rest is still infeasible. What remains is minimal: without
/// any one of these there would be a password.
pub(super) fn find(rules: &Rules) -> RecipeError {
    let mut left_out = RuleSet::default();
    let mut needed = RuleSet::default();
    for rule in rules.in_force() {
        let mut without = left_out;
        without.add(rule, true);
        if is_feasible(rules, without) {
            needed.add(rule, true);
        } else {
            left_out = without;
        }
    }
    RecipeError::Infeasible(Conflict(needed))
}

/// Whether some password satisfies what is not left out, as far as it can be told without a heap; else the rule in question is named.
#[cfg(not(feature = "alloc"))]
fn is_feasible(rules: &Rules, left_out: RuleSet) -> bool {
    let mut rules = rules.without(left_out);
    let length = rules.length;
    let mut lengths =
        if left_out.contains(Rule::Length) { 1..=MAX_LENGTH } else { length..=length };
    lengths.any(|length| {
        rules.length = length;
        dense::count(&Shape::new(&rules)).is_none_or(|admissible| !admissible.is_zero())
    })
}

/// Whether some password satisfies what is not left out. What is too complex to tell counts as feasible, so that
/// the rule in question is named.
#[cfg(feature = "alloc")]
fn is_feasible(rules: &Rules, left_out: RuleSet) -> bool {
    let mut rules = rules.without(left_out);
    let any_length = left_out.contains(Rule::Length);
    let length = rules.length;
    if any_length {
        rules.length = MAX_LENGTH;
    }
    let shape = Shape::new(&rules);
    let only_groups = is_only_groups(&rules, &shape);
    let limit = if only_groups { FEW } else { TABLE };
    if let Some(machine) = Machine::new(&shape, &rules.forbid, limit) {
        return machine.is_feasible(any_length);
    }
    if !only_groups {
        return true;
    }
    let mut lengths = if any_length { 1..=MAX_LENGTH } else { length..=length };
    lengths.any(|length| {
        rules.length = length;
        composition::graph(&Shape::new(&rules), EDGES).is_none_or(|graph| {
            let (weights, _) = table::weigh(&graph);
            weights.first().and_then(|row| row.first()).is_some_and(|paths| !paths.is_zero())
        })
    })
}

/// Above this number of states, rules about groups are quicker to decide by composition.
#[cfg(feature = "alloc")]
const FEW: usize = 4096;
