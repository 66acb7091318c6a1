//! Counts and checks against brute force, over a systematic family of recipes on a small alphabet.

use super::super::{composition, dense, machine::Machine, rules::Rule, shape::Shape, table, walk};
use super::*;

/// A recipe of the family, as plain data: what the checker below reads.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) length: u8,
    pub(super) groups: Vec<(&'static str, u8, Option<u8>)>,
    pub(super) at_least: u8,
    pub(super) exclude: &'static str,
    pub(super) max_run: Option<u8>,
    pub(super) forbid: &'static [&'static str],
    pub(super) first: Option<&'static str>,
    pub(super) last: Option<&'static str>,
}

impl Plain {
    pub(super) fn builder(&self) -> RecipeBuilder {
        let mut builder =
            Recipe::builder(self.length).at_least(self.at_least).exclude(self.exclude);
        for (chars, min, max) in &self.groups {
            builder = builder.group(chars, *min, *max);
        }
        if let Some(times) = self.max_run {
            builder = builder.max_run(times);
        }
        for word in self.forbid {
            builder = builder.forbid(word);
        }
        if let Some(chars) = self.first {
            builder = builder.first(chars);
        }
        if let Some(chars) = self.last {
            builder = builder.last(chars);
        }
        builder
    }

    pub(super) fn alphabet(&self) -> Vec<char> {
        let mut all: Vec<char> = self.groups.iter().flat_map(|(chars, ..)| chars.chars()).collect();
        all.retain(|char| !self.exclude.contains(*char));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The meaning of a recipe, written down a second time and naively.
    pub(super) fn admits(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let count = |set: &str| {
            chars.iter().filter(|c| set.contains(**c) && !self.exclude.contains(**c)).count()
        };
        let present = self.groups.iter().filter(|(set, ..)| count(set) > 0).count();
        let longest = chars.chunk_by(|a, b| a == b).map(<[char]>::len).max().unwrap_or(0);
        let folded = text.to_ascii_lowercase();
        chars.len() == usize::from(self.length)
            && chars.iter().all(|char| self.alphabet().contains(char))
            && self.groups.iter().all(|(set, min, max)| {
                let count = count(set);
                count >= usize::from(*min) && max.is_none_or(|max| count <= usize::from(max))
            })
            && present >= usize::from(self.at_least)
            && self.max_run.is_none_or(|run| longest <= usize::from(run))
            && !self.forbid.iter().any(|word| folded.contains(&word.to_ascii_lowercase()))
            && self.first.is_none_or(|set| chars.first().is_some_and(|c| set.contains(*c)))
            && self.last.is_none_or(|set| chars.last().is_some_and(|c| set.contains(*c)))
    }

    /// Every string over the alphabet.
    pub(super) fn strings(&self) -> Vec<String> {
        let alphabet = self.alphabet();
        (0..self.length).fold(alloc::vec![String::new()], |all, _| {
            all.iter()
                .flat_map(|text| alphabet.iter().map(move |char| alloc::format!("{text}{char}")))
                .collect()
        })
    }

    pub(super) fn admissible(&self) -> Vec<String> {
        self.strings().into_iter().filter(|text| self.admits(text)).collect()
    }
}

/// Every combination of the choices below.
pub(super) fn family() -> Vec<Plain> {
    let groups: [&[&str]; 4] =
        [&["aAb1"], &["ab", "bA", "1"], &["aA", "Ab1"], &["a", "A", "b", "1"]];
    let bounds: [[(u8, Option<u8>); 2]; 4] = [
        [(0, None), (0, None)],
        [(1, None), (1, Some(1))],
        [(0, Some(1)), (2, None)],
        [(2, Some(2)), (0, Some(3))],
    ];
    let forbids: [&[&str]; 4] = [&[], &["aB"], &["b", "1a"], &["aa", "1b1", "aba"]];
    let ends = [(None, None), (Some("aA"), None), (Some("1b"), Some("1a"))];
    let mut all = Vec::new();
    for length in 1..=4 {
        for sets in groups {
            for pattern in bounds {
                for at_least in [0, 2, 3] {
                    for max_run in [None, Some(1), Some(2)] {
                        for forbid in forbids {
                            for (first, last) in ends {
                                let groups = sets
                                    .iter()
                                    .zip(pattern.into_iter().cycle())
                                    .map(|(set, (min, max))| (*set, min, max))
                                    .collect();
                                // Exclusion goes along with the longer of the two forms of `first`.
                                let exclude = if first == Some("1b") { "A" } else { "" };
                                all.push(Plain {
                                    length,
                                    groups,
                                    at_least,
                                    exclude,
                                    max_run,
                                    forbid,
                                    first,
                                    last,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

#[test]
fn counts_equal_brute_force_over_the_whole_family() {
    let mut infeasible = 0;
    let family = family();
    assert!(family.len() > 5000);
    for plain in &family {
        let strings = plain.admissible();
        let count = strings.len().to_string();
        match plain.builder().build() {
            Ok(recipe) => {
                assert_eq!(recipe.strength().admissible().to_string(), count, "{plain:?}");
            }
            Err(RecipeError::Infeasible(_)) => {
                assert_eq!(count, "0", "{plain:?}");
                infeasible += 1;
            }
            Err(other) => panic!("{other}: {plain:?}"),
        }
    }
    assert!((500..family.len() - 500).contains(&infeasible), "{infeasible} infeasible ones");
}

#[test]
fn every_way_of_counting_gives_the_same() {
    for plain in family().into_iter().step_by(3) {
        let rules = plain.builder().into_rules();
        let shape = Shape::new(&rules);
        let machine = Machine::new(&shape, &rules.forbid, table::TABLE).unwrap();
        let counted = machine.count(usize::MAX).unwrap();
        let graph = machine.graph(table::EDGES).unwrap();
        assert_eq!(table::weigh(&graph).0[0][0], counted, "{plain:?}");
        assert_eq!(machine.is_feasible(false), !counted.is_zero());
        // So few states that the walk sees them all.
        assert_eq!(walk::finds(&rules, false), !counted.is_zero(), "{plain:?}");
        assert_eq!(walk::finds(&rules, true), machine.is_feasible(true), "{plain:?}");
        if plain.forbid.is_empty() {
            if let Some(dense) = dense::count(&shape) {
                assert_eq!(dense, counted, "{plain:?}");
            }
            if composition::is_only_groups(&rules, &shape) {
                let graph = composition::graph(&shape, table::EDGES).unwrap();
                assert_eq!(table::weigh(&graph).0[0][0], counted, "{plain:?}");
            }
        }
    }
}

#[test]
fn check_agrees_with_the_meaning_of_every_rule() {
    for plain in family().into_iter().step_by(37) {
        let rules = plain.builder().into_rules();
        for text in plain.strings() {
            let broken = rules.broken(text.as_bytes());
            assert_eq!(broken.bits() == 0, plain.admits(&text), "{text} {broken:?} {plain:?}");
        }
    }
}

#[test]
fn conflicts_are_minimal() {
    let mut seen = 0;
    for plain in family().into_iter().step_by(13) {
        let Err(RecipeError::Infeasible(conflict)) = plain.builder().build() else { continue };
        seen += 1;
        let rules = plain.builder().into_rules();
        let named: Vec<Rule> = conflict.rules.iter().collect();
        assert!(!named.is_empty());
        // Together they cannot be satisfied, whatever else is left out.
        let mut others = rules::RuleSet::default();
        for rule in rules.in_force().filter(|rule| !named.contains(rule)) {
            others.add(rule, true);
        }
        assert!(!feasible(&plain, others), "{conflict} {plain:?}");
        // Without any one of them they can.
        for rule in named {
            let mut fewer = others;
            fewer.add(rule, true);
            assert!(feasible(&plain, fewer), "{conflict} without {} {plain:?}", rule.name());
        }
    }
    assert!(seen > 100);
}

/// Feasibility by brute force over short lengths: what the family asks for fits into six
/// characters.
fn feasible(plain: &Plain, left_out: rules::RuleSet) -> bool {
    let mut plain = plain.clone();
    let out = |rule| left_out.contains(rule);
    for (index, (_, min, max)) in (0..).zip(&mut plain.groups) {
        *min = if out(Rule::GroupMin(index)) { 0 } else { *min };
        *max = max.filter(|_| !out(Rule::GroupMax(index)));
    }
    plain.at_least = if out(Rule::AtLeast) { 0 } else { plain.at_least };
    plain.exclude = if out(Rule::Exclude) { "" } else { plain.exclude };
    plain.max_run = plain.max_run.filter(|_| !out(Rule::MaxRun));
    plain.first = plain.first.filter(|_| !out(Rule::First));
    plain.last = plain.last.filter(|_| !out(Rule::Last));
    let kept: Vec<&'static str> = (0..)
        .zip(plain.forbid)
        .filter(|(index, _)| !out(Rule::Forbid(*index)))
        .map(|(_, word)| *word)
        .collect();
    let lengths = if out(Rule::Length) { 1..=6 } else { plain.length..=plain.length };
    lengths.into_iter().any(|length| {
        let try_one = Plain { length, forbid: &[], ..plain.clone() };
        let clean = |text: &String| {
            let folded = text.to_ascii_lowercase();
            !kept.iter().any(|word| folded.contains(&word.to_ascii_lowercase()))
        };
        try_one.strings().iter().any(|text| clean(text) && try_one.admits(text))
    })
}
