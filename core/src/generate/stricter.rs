//! A recipe that asks for more than its policy, because a device's own password policy does (protocol §2.6).

use super::rules::{Group, Rules};
use super::{COMPLEXITY_LENGTH, Complexity, Recipe, RecipeError};

/// What a device asks of a password beyond its policy. It only ever adds to a policy.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Stricter {
    /// At least so many characters; 0: no more than the policy says.
    pub length: u8,
    /// At least so many large letters.
    pub upper: u8,
    /// At least so many small letters.
    pub lower: u8,
    /// At least so many digits.
    pub digits: u8,
    /// At least so many other characters.
    pub symbols: u8,
    /// No character more often than so many times in a row.
    pub max_run: Option<u8>,
}

impl Stricter {
    /// What both ask for.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let max_run = match (self.max_run, other.max_run) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self {
            length: self.length.max(other.length),
            upper: self.upper.max(other.upper),
            lower: self.lower.max(other.lower),
            digits: self.digits.max(other.digits),
            symbols: self.symbols.max(other.symbols),
            max_run,
        }
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Recipe {
    /// As [`Recipe::complexity`], and what a device asks for beyond it: more characters (up to 64) and more of the level's sets, never fewer, and never
    /// characters that the level does not have.
    ///
    /// # Errors
    /// As [`Recipe::complexity`], also for more than 64 characters; what [`RecipeBuilder::build`](super::RecipeBuilder::build) says when this level
    /// has no such characters, or when together there is no such password.
    pub fn complexity_and(
        complexity: Complexity,
        length: u8,
        asked: &Stricter,
    ) -> Result<Self, RecipeError> {
        // The policy itself first, so that its own errors are the ones that are told.
        let policy = Self::complexity(complexity, length)?;
        if asked.is_empty() {
            return Ok(policy);
        }
        let (min, max) = COMPLEXITY_LENGTH;
        let length = length.max(asked.length);
        if length > max {
            return Err(RecipeError::Length { length: u32::from(length), min, max });
        }
        let mut rules = Rules::new(length);
        rules.max_run = asked.max_run.map(|times| times.max(1));
        // The sets of a level stand in this order, and a lower level has the first of them.
        let least = [asked.upper, asked.lower, asked.digits, asked.symbols];
        let sets = complexity.sets();
        for (set, least) in sets.iter().zip(least) {
            rules.push(Group { chars: *set, min: least.max(1), max: None });
        }
        if least.iter().skip(sets.len()).any(|least| *least > 0) {
            return Err(RecipeError::NoCharacters);
        }
        Self::build(rules)
    }

    /// As [`Recipe::passphrase`], with as many more words (up to 10) as it takes until the shortest passphrase has the characters that a device asks for.
    ///
    /// # Errors
    /// As [`Recipe::passphrase`]; [`RecipeError::WordCount`] when ten words are not enough; [`RecipeError::NoCharacters`] when a device asks for
    /// more than a length, which words do not have.
    #[cfg(feature = "passphrase")]
    pub fn passphrase_and(
        complexity: Complexity,
        words: u8,
        asked: &Stricter,
    ) -> Result<Self, RecipeError> {
        let mut recipe = Self::passphrase(complexity, words)?;
        if (Stricter { length: 0, ..*asked }) != Stricter::default() {
            return Err(RecipeError::NoCharacters);
        }
        let mut words = words;
        while recipe.strength().min_length() < usize::from(asked.length) {
            words = words.saturating_add(1);
            recipe = Self::passphrase(complexity, words)?;
        }
        Ok(recipe)
    }
}

#[cfg(all(test, feature = "alloc", feature = "getrandom"))]
mod tests {
    use super::*;
    use crate::random::Generator;

    fn asked(length: u8, digits: u8, max_run: Option<u8>) -> Stricter {
        Stricter { length, digits, max_run, ..Stricter::default() }
    }

    #[test]
    fn what_is_made_satisfies_the_device_and_never_less_than_the_policy() {
        let mut generator = Generator::from_system().unwrap();
        for complexity in
            Complexity::ALL.into_iter().filter(|level| level.as_u8() >= 3 && !level.is_passphrase())
        {
            let recipe = Recipe::complexity_and(complexity, 14, &asked(20, 4, Some(1))).unwrap();
            for _ in 0..200 {
                let password = recipe.generate(&mut generator).unwrap();
                let text = password.expose_secret().as_bytes();
                assert_eq!(text.len(), 20);
                assert!(text.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4);
                assert!(text.windows(2).all(|pair| pair[0] != pair[1]));
                for set in complexity.sets() {
                    assert!(text.iter().any(|byte| set.contains(*byte)));
                }
                assert!(
                    text.iter().all(|byte| complexity.sets().iter().any(|set| set.contains(*byte)))
                );
            }
        }
    }

    #[test]
    fn a_device_that_asks_for_less_changes_nothing() {
        for least in [Stricter::default(), asked(8, 1, None)] {
            let recipe = Recipe::complexity_and(Complexity::Full, 14, &least).unwrap();
            let policy = Recipe::complexity(Complexity::Full, 14).unwrap();
            assert_eq!(recipe.strength(), policy.strength());
        }
    }

    #[test]
    fn what_the_policy_does_not_allow_is_refused() {
        let digits = asked(0, 1, None);
        let error = Recipe::complexity_and(Complexity::UpperLower, 14, &digits).unwrap_err();
        assert_eq!(error, RecipeError::NoCharacters);
        let error = Recipe::complexity_and(Complexity::Full, 14, &asked(65, 0, None)).unwrap_err();
        assert!(matches!(error, RecipeError::Length { length: 65, .. }));
        assert!(Recipe::complexity_and(Complexity::Full, 14, &asked(0, 60, None)).is_err());
    }

    #[cfg(feature = "passphrase")]
    #[test]
    fn a_passphrase_gets_more_words_until_its_shortest_one_is_long_enough() {
        let few = Recipe::passphrase(Complexity::ShortWords, 3).unwrap();
        let more = Recipe::passphrase_and(Complexity::ShortWords, 3, &asked(20, 0, None)).unwrap();
        assert!(few.strength().min_length() < 20 && more.strength().min_length() >= 20);
        let long = asked(64, 0, None);
        assert!(Recipe::passphrase_and(Complexity::ShortWords, 3, &long).is_err());
        let digits = asked(0, 1, None);
        assert_eq!(
            Recipe::passphrase_and(Complexity::LongWords, 6, &digits).unwrap_err(),
            RecipeError::NoCharacters
        );
    }
}
