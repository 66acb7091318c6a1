//! Recipes of one's own.

use super::chars::CharSet;
use super::error::RecipeError;
use super::forbid::{MAX_FORBIDDEN, MAX_FORBIDDEN_LENGTH};
use super::rules::{Group, MAX_LENGTH, Rule, Rules};
use super::{Preset, Recipe};

/// Collects the rules of a recipe. What is wrong is said by [`RecipeBuilder::build`].
#[cfg_attr(feature = "alloc", doc = "```")]
#[cfg_attr(not(feature = "alloc"), doc = "```ignore")]
/// use laps_core::generate::Recipe;
///
/// let recipe = Recipe::builder(16)
///     .group("abcdefghijklmnopqrstuvwxyz", 1, None)
///     .group("0123456789!#%", 2, Some(4))
///     .max_run(2)
///     .forbid("admin")
///     .build()?;
/// # Ok::<(), laps_core::generate::RecipeError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RecipeBuilder {
    rules: Rules,
    error: Option<RecipeError>,
}

impl RecipeBuilder {
    pub(super) const fn new(length: u8) -> Self {
        Self { rules: Rules::new(length), error: None }
    }

    /// One more group, at most eight: a password has at least `min` and at most `max` of these
    /// characters. Groups may overlap; a character in two groups counts for both. A `max` above
    /// the length means none.
    pub fn group(mut self, chars: &str, min: u8, max: Option<u8>) -> Self {
        let rule = GROUP_CHARS.get(self.rules.groups().len()).copied().unwrap_or_default();
        let chars = self.chars(rule, chars);
        if !self.rules.push(Group { chars, min, max }) {
            self.fail(RecipeError::TooManyGroups);
        }
        self
    }

    /// Adds the groups of a preset, at least one character of each.
    pub fn preset(mut self, preset: Preset) -> Self {
        for set in preset.sets() {
            if !self.rules.push(Group { chars: *set, min: 1, max: None }) {
                self.fail(RecipeError::TooManyGroups);
            }
        }
        self
    }

    /// A password uses at least `groups` of the groups. Windows asks for three of five.
    pub const fn at_least(mut self, groups: u8) -> Self {
        self.rules.at_least = if groups == 0 { None } else { Some(groups) };
        self
    }

    /// Characters that are taken out of every group.
    pub fn exclude(mut self, chars: &str) -> Self {
        self.rules.exclude = self.chars("exclude", chars);
        self
    }

    /// No character stands more than `times` times in a row.
    pub fn max_run(mut self, times: u8) -> Self {
        if times == 0 {
            self.fail(RecipeError::RunLength);
        }
        self.rules.max_run = Some(times);
        self
    }

    /// One more forbidden substring, at most 32 of 1 to 64 characters. Upper-case and lower-case
    /// ASCII letters are the same.
    pub fn forbid(mut self, word: &str) -> Self {
        let index = self.rules.forbid.iter().count();
        let name = Rule::Forbid(u8::try_from(index).unwrap_or(u8::MAX)).name();
        self.chars(name, word);
        if !(1..=MAX_FORBIDDEN_LENGTH).contains(&word.len()) {
            self.fail(RecipeError::ForbiddenLength { length: word.chars().count() });
        } else if index >= MAX_FORBIDDEN || !self.rules.forbid.push(word.as_bytes()) {
            self.fail(RecipeError::TooManyForbidden);
        }
        self
    }

    /// What a password starts with.
    pub fn first(mut self, chars: &str) -> Self {
        self.rules.first = Some(self.chars("first", chars));
        self
    }

    /// What a password ends with.
    pub fn last(mut self, chars: &str) -> Self {
        self.rules.last = Some(self.chars("last", chars));
        self
    }

    /// The recipe, when there is a password that satisfies it. Counts the admissible set, and makes
    /// the counting table where one is needed.
    ///
    /// # Errors
    /// The first rule that is outside its limits; else [`RecipeError::Infeasible`] with a minimal
    /// set of conflicting rules, or [`RecipeError::TooComplex`], or without feature `alloc`
    /// [`RecipeError::NeedsHeap`].
    pub fn build(mut self) -> Result<Recipe, RecipeError> {
        let length = self.rules.length;
        if !(1..=MAX_LENGTH).contains(&length) {
            let error = RecipeError::Length { length: u32::from(length), min: 1, max: MAX_LENGTH };
            self.fail(error);
        }
        if self.rules.groups().iter().all(|group| group.chars.is_empty()) {
            self.fail(RecipeError::NoCharacters);
        }
        match self.error {
            Some(error) => Err(error),
            None => Recipe::build(self.rules),
        }
    }

    /// The rules as they stand.
    #[cfg(all(test, feature = "alloc"))]
    pub(super) fn into_rules(self) -> Rules {
        self.rules
    }

    fn chars(&mut self, rule: &'static str, text: &str) -> CharSet {
        CharSet::new(text).unwrap_or_else(|character| {
            self.fail(RecipeError::NotPrintable { rule, character });
            CharSet::EMPTY
        })
    }

    /// Remembers the first error.
    fn fail(&mut self, error: RecipeError) {
        self.error = self.error.or(Some(error));
    }
}

const GROUP_CHARS: [&str; 8] = [
    "groups[0].chars",
    "groups[1].chars",
    "groups[2].chars",
    "groups[3].chars",
    "groups[4].chars",
    "groups[5].chars",
    "groups[6].chars",
    "groups[7].chars",
];
