//! What a password breaks, in words.

use core::fmt;

use super::error::{MAX_WORDS, MIN_WORDS};
use super::rules::{Rule, RuleSet};
use super::{Recipe, RecipeKind};

/// The rules that a password breaks, each as a [`Violation`].
#[derive(Clone, Debug)]
pub struct Violations<'r> {
    recipe: &'r Recipe,
    broken: RuleSet,
}

impl<'r> Violations<'r> {
    pub(super) const fn new(recipe: &'r Recipe, broken: RuleSet) -> Self {
        Self { recipe, broken }
    }
}

impl<'r> Iterator for Violations<'r> {
    type Item = Violation<'r>;

    fn next(&mut self) -> Option<Violation<'r>> {
        let rule = self.broken.iter().next()?;
        self.broken.remove(rule);
        Some(Violation { recipe: self.recipe, rule })
    }
}

/// One rule that a password breaks. Says what the rule asks for, and nothing about the password.
#[derive(Clone, Copy, Debug)]
pub struct Violation<'r> {
    recipe: &'r Recipe,
    rule: Rule,
}

impl Violation<'_> {
    /// The rule, as a recipe file spells it: `length`, `groups[0].min`, `forbid[3]`.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule.name()
    }
}

impl fmt::Display for Violation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = (MIN_WORDS, MAX_WORDS);
        let rules = match &self.recipe.kind {
            RecipeKind::Characters { rules, .. } => rules,
            #[cfg(feature = "passphrase")]
            RecipeKind::Words(words) => return words.describe(f),
        };
        let group = |index: u8| rules.groups().get(usize::from(index)).copied().unwrap_or_default();
        match self.rule {
            Rule::Length => write!(f, "it must have {} characters", rules.length),
            Rule::Characters | Rule::Exclude | Rule::Words => {
                write!(f, "every character must be one of {:?}", rules.alphabet())
            }
            Rule::GroupMin(index) => {
                let group = group(index);
                write!(f, "it must have at least {} of {:?}", group.min, group.chars)
            }
            Rule::GroupMax(index) => {
                let group = group(index);
                write!(f, "it must have at most {} of {:?}", group.max.unwrap_or(0), group.chars)
            }
            Rule::AtLeast => {
                let needed = rules.at_least.unwrap_or(0);
                write!(f, "it must use at least {needed} of the {} groups", rules.groups().len())
            }
            Rule::MaxRun => {
                let longest = rules.max_run.unwrap_or(0);
                write!(f, "no character may stand more than {longest} times in a row")
            }
            Rule::First => {
                write!(f, "it must start with one of {:?}", rules.first.unwrap_or_default())
            }
            Rule::Last => write!(f, "it must end with one of {:?}", rules.last.unwrap_or_default()),
            Rule::Forbid(index) => {
                let word = rules.forbid.iter().nth(usize::from(index)).unwrap_or_default();
                let word = core::str::from_utf8(word).unwrap_or_default();
                write!(f, "it must not hold {word:?}, in upper or lower case")
            }
        }
    }
}
