//! A minimal set of rules that no password satisfies together.

use super::error::{Conflict, RecipeError};
use super::feasible::{Feasible, decide};
use super::rules::{RuleSet, Rules};

/// Leaves out one rule after the other, as long as the rest is still infeasible. What remains is
/// minimal: without any one of these there would be a password.
///
/// Where it is not known of some rule whether the rest is infeasible without it, it is asked again
/// after others have gone. Each pass but the last leaves a rule out.
pub(super) fn find(rules: &Rules) -> RecipeError {
    let mut left_out = RuleSet::NONE;
    let mut needed = RuleSet::NONE;
    loop {
        let (mut gone, mut unknown) = (false, false);
        for rule in rules.in_force() {
            if left_out.contains(rule) || needed.contains(rule) {
                continue;
            }
            let mut without = left_out;
            without.add(rule, true);
            match decide(rules, without) {
                Feasible::Yes => needed.add(rule, true),
                Feasible::No => {
                    left_out = without;
                    gone = true;
                }
                Feasible::Unknown => unknown = true,
            }
        }
        if unknown && gone {
            continue;
        }
        let mut rest = RuleSet::NONE;
        for rule in rules.in_force().filter(|rule| !left_out.contains(*rule)) {
            rest.add(rule, true);
        }
        return RecipeError::Infeasible(Conflict { rules: rest, minimal: !unknown });
    }
}
