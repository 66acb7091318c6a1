//! Whether some password satisfies a set of rules. Told exactly where the rules are few enough to
//! count, else by a proof that none does or by one that does.

#[cfg(not(feature = "alloc"))]
use super::dense;
use super::rules::{MAX_LENGTH, Rule, RuleSet, Rules};
use super::shape::Shape;
#[cfg(feature = "alloc")]
use super::{
    composition::{self, is_only_groups},
    forbid::Forbidden,
    machine::Machine,
    table::{self, EDGES, TABLE},
    walk,
};

/// What is known of a set of rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Feasible {
    /// Some password satisfies them.
    Yes,
    /// None does.
    No,
    /// Neither was found within the limits.
    Unknown,
}

impl From<bool> for Feasible {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// The lengths that a password may have without these rules.
fn lengths(rules: &Rules, left_out: RuleSet) -> core::ops::RangeInclusive<u8> {
    if left_out.contains(Rule::Length) { 1..=MAX_LENGTH } else { rules.length..=rules.length }
}

/// Whether some password satisfies what is not left out, as far as two rows of few states tell.
#[cfg(not(feature = "alloc"))]
pub(super) fn decide(rules: &Rules, left_out: RuleSet) -> Feasible {
    let mut rules = rules.without(left_out);
    let mut found = Feasible::No;
    for length in lengths(&rules, left_out) {
        rules.length = length;
        match dense::count(&Shape::new(&rules)) {
            Some(admissible) if !admissible.is_zero() => return Feasible::Yes,
            Some(_) => {}
            None => found = Feasible::Unknown,
        }
    }
    found
}

/// Whether some password satisfies what is not left out.
#[cfg(feature = "alloc")]
pub(super) fn decide(rules: &Rules, left_out: RuleSet) -> Feasible {
    let mut rules = rules.without(left_out);
    let lengths = lengths(&rules, left_out);
    rules.length = *lengths.end();
    let any_length = left_out.contains(Rule::Length);
    if let Some(exact) = by_machine(&rules, any_length) {
        return exact.into();
    }
    // Fewer rules that no password satisfies are a proof. Groups alone are told by composition …
    let mut groups = rules.clone();
    (groups.first, groups.last, groups.max_run) = (None, None, None);
    groups.forbid = Forbidden::NONE;
    let by_groups = by_composition(&groups, lengths);
    let is_all = is_only_groups(&rules, &Shape::new(&rules));
    if by_groups == Feasible::No || is_all {
        return by_groups;
    }
    // … and all but the groups by a machine that counts nothing.
    let mut counted = left_out;
    for rule in rules.in_force() {
        let is_count = matches!(rule, Rule::GroupMin(_) | Rule::GroupMax(_) | Rule::AtLeast);
        counted.add(rule, is_count);
    }
    if by_machine(&rules.without(counted), any_length) == Some(false) {
        return Feasible::No;
    }
    if walk::finds(&rules, any_length) { Feasible::Yes } else { Feasible::Unknown }
}

/// Exactly, where the rules are a machine of few states.
#[cfg(feature = "alloc")]
fn by_machine(rules: &Rules, any_length: bool) -> Option<bool> {
    let shape = Shape::new(rules);
    let limit = if is_only_groups(rules, &shape) { FEW } else { TABLE };
    Some(Machine::new(&shape, &rules.forbid, limit)?.is_feasible(any_length))
}

/// What groups alone admit.
#[cfg(feature = "alloc")]
fn by_composition(groups: &Rules, lengths: core::ops::RangeInclusive<u8>) -> Feasible {
    let mut groups = groups.clone();
    let mut found = Feasible::No;
    for length in lengths {
        groups.length = length;
        let Some(graph) = composition::graph(&Shape::new(&groups), EDGES) else {
            found = Feasible::Unknown;
            continue;
        };
        let (weights, _) = table::weigh(&graph);
        let paths = weights.first().and_then(|row| row.first());
        if paths.is_some_and(|paths| !paths.is_zero()) {
            return Feasible::Yes;
        }
    }
    found
}

/// Above this number of states, rules about groups are quicker to decide by composition.
#[cfg(feature = "alloc")]
const FEW: usize = 4096;
