//! Recipes that do what a device asks for and are never weaker than the policy alone.
//!
//! A demand is a subset: at least ten digits leave fewer passwords of the same length. So a recipe
//! that follows one has as many more characters as it takes until it admits at least as many
//! passwords as the policy's own, by their exact number, and where there is no such length it is
//! not made.

use core::fmt;

use super::Stricter;
use crate::error::Code;
use crate::generate::error::MAX_WORDS;
use crate::generate::rules::{Group, Rules};
use crate::generate::{COMPLEXITY_LENGTH, Complexity, Recipe, RecipeError};
use crate::policy::Policy;

impl Recipe {
    /// As [`Recipe::complexity`], and what a device asks for beyond it: more characters (up to 64)
    /// and more of the level's sets, never fewer, and never characters that the level does not
    /// have. It admits at least as many passwords as the policy alone, and for that it may be
    /// longer than asked for: the shortest length that does.
    ///
    /// # Errors
    /// [`NotStricter`]: the policy's own error, or why what is asked for is not followed.
    pub(crate) fn complexity_and(
        complexity: Complexity,
        length: u8,
        asked: &Stricter,
    ) -> Result<Self, NotStricter> {
        // The policy itself first, so that its own errors are the ones that are told.
        let policy = Self::complexity(complexity, length)?;
        if asked.is_empty() {
            return Ok(policy);
        }
        let (_, longest) = COMPLEXITY_LENGTH;
        let max = asked.max_length.map_or(longest, |most| most.min(longest));
        if max < length {
            return Err(NotStricter::TooLong { length: usize::from(length), max });
        }
        // The sets of a level stand in this order, and a lower level has the first of them.
        let least = [asked.upper, asked.lower, asked.digits, asked.symbols];
        let sets = complexity.sets();
        let beyond = least.iter().zip(KINDS).skip(sets.len()).find(|(least, _)| **least > 0);
        if let Some((_, what)) = beyond {
            return Err(NotStricter::Beyond { complexity, what });
        }
        let least = least.map(|least| least.max(1));
        let together = least.iter().take(sets.len()).map(|least| usize::from(*least)).sum();
        let start = usize::from(length.max(asked.length)).max(together);
        if start > usize::from(max) {
            return Err(NotStricter::TooLong { length: start, max });
        }
        let mut refused = NotStricter::Weaker { max };
        for length in (length..=max).skip_while(|length| usize::from(*length) < start) {
            let mut rules = Rules::new(length);
            rules.max_run = asked.max_run.map(|times| times.max(1));
            for (set, least) in sets.iter().zip(least) {
                rules.push(Group { chars: *set, min: least, max: None });
            }
            match Self::build(rules) {
                Ok(recipe) if recipe.is_as_strong_as(&policy) => return Ok(recipe),
                Ok(_) => refused = NotStricter::Weaker { max },
                // Among more characters what is asked for is less rare: then no table may be
                // needed.
                Err(error) => refused = NotStricter::Recipe(error),
            }
        }
        Err(refused)
    }

    /// As [`Recipe::passphrase`], with as many more words (up to 10) as it takes until every
    /// passphrase has what a device asks for. More words are never weaker, and never a digit or
    /// a symbol is added.
    ///
    /// # Errors
    /// As [`Recipe::complexity_and`].
    #[cfg(feature = "passphrase")]
    pub(crate) fn passphrase_and(
        complexity: Complexity,
        words: u8,
        asked: &Stricter,
    ) -> Result<Self, NotStricter> {
        let policy = Self::passphrase(complexity, words)?;
        let Some((lower, run)) = policy.least_lower_and_longest_run() else { return Ok(policy) };
        let beyond = [
            (asked.digits > 0, "digits"),
            (asked.symbols > 0, "symbols"),
            (asked.max_run.is_some_and(|most| most.max(1) < run), "words without such a row"),
        ];
        if let Some((_, what)) = beyond.into_iter().find(|(is_beyond, _)| *is_beyond) {
            return Err(NotStricter::Beyond { complexity, what });
        }
        for words in words..=MAX_WORDS {
            let recipe = Self::passphrase(complexity, words)?;
            let (shortest, longest) = (recipe.strength.min_length(), recipe.strength.max_length());
            if let Some(max) = asked.max_length.filter(|max| usize::from(*max) < longest) {
                return Err(NotStricter::TooLong { length: longest, max });
            }
            if shortest >= usize::from(asked.length)
                && words >= asked.upper
                && usize::from(words) * lower >= usize::from(asked.lower)
                && recipe.is_as_strong_as(&policy)
            {
                return Ok(recipe);
            }
        }
        Err(NotStricter::TooFewWords)
    }

    fn is_as_strong_as(&self, other: &Self) -> bool {
        self.strength.admissible() >= other.strength.admissible()
    }
}

impl Policy {
    /// As [`Policy::recipe`], and what a device's own password policy asks for beyond it; never
    /// weaker than this policy alone, by the exact number of passwords.
    ///
    /// # Errors
    /// [`NotStricter`]: the recipe would be weaker than the policy's, or not what the policy says.
    pub fn recipe_and(&self, asked: &Stricter) -> Result<Recipe, NotStricter> {
        let complexity = self.password_complexity();
        #[cfg(feature = "passphrase")]
        if complexity.is_passphrase() {
            return Recipe::passphrase_and(complexity, self.passphrase_length(), asked);
        }
        Recipe::complexity_and(complexity, self.password_length(), asked)
    }

    /// What a device asks for from now on: what was asked for `before` (and is followed) and what
    /// is `asked` now, without the parts that [`Policy::recipe_and`] does not follow. Each of
    /// those is handed to `refused`, with the reason.
    ///
    /// A device's own policy may change, and the newer word counts: where a part cannot be followed
    /// beside what was asked for before, and can be without it, what was asked for before is
    /// followed only as far as there is room, and the rest of it is handed to `refused`.
    pub fn follow(
        &self,
        before: &Stricter,
        asked: &Stricter,
        mut refused: impl FnMut(Stricter, NotStricter),
    ) -> Stricter {
        type Refused<'a> = &'a mut dyn FnMut(Stricter, NotStricter);
        let add = |base: Stricter, more: &Stricter, refused: Refused<'_>| {
            more.parts().fold(base, |followed, part| {
                let both = followed.and(part);
                match self.recipe_and(&both) {
                    Ok(_) => both,
                    Err(why) => {
                        refused(part, why);
                        followed
                    }
                }
            })
        };
        let count = |base| {
            let mut count = 0_u8;
            add(base, asked, &mut |_, _| count = count.saturating_add(1));
            count
        };
        let beside = count(*before);
        if beside == 0 || before.is_empty() || count(Stricter::default()) >= beside {
            return add(*before, asked, &mut refused);
        }
        let newer = add(Stricter::default(), asked, &mut refused);
        add(newer, before, &mut refused)
    }
}

/// Why there is no recipe that follows what a device asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotStricter {
    /// The level of the policy makes no such characters.
    Beyond {
        /// The policy's.
        complexity: Complexity,
        /// What it does not make, in words.
        what: &'static str,
    },
    /// The rules have no recipe, or the policy alone has none.
    Recipe(RecipeError),
    /// The shortest passphrase of ten words does not have what is asked for.
    TooFewWords,
    /// A password needs more characters than may be.
    TooLong {
        /// How many it has: under the policy alone, or with what is asked for.
        length: usize,
        /// At most so many: 64, or what the device takes.
        max: u8,
    },
    /// Up to the longest length there are fewer such passwords than the policy alone makes: they
    /// would be weaker.
    Weaker {
        /// The longest length: 64, or what the device takes.
        max: u8,
    },
}

impl NotStricter {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Recipe(error) => error.code(),
            Self::Beyond { .. }
            | Self::TooFewWords
            | Self::TooLong { .. }
            | Self::Weaker { .. } => Code::RecipeInfeasible,
        }
    }
}

impl From<RecipeError> for NotStricter {
    fn from(error: RecipeError) -> Self {
        Self::Recipe(error)
    }
}

impl fmt::Display for NotStricter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beyond { complexity, what } => {
                write!(f, "PasswordComplexity {} makes no {what}", complexity.as_u8())
            }
            Self::Recipe(error) => error.fmt(f),
            Self::TooFewWords => write!(f, "{MAX_WORDS} words are too few for it"),
            Self::TooLong { length, max } => {
                write!(f, "that takes {length} characters, and {max} are the most")
            }
            Self::Weaker { max } => write!(
                f,
                "with at most {max} characters there are fewer such passwords than the policy \
                 alone makes"
            ),
        }
    }
}

impl core::error::Error for NotStricter {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Recipe(error) => Some(error),
            Self::Beyond { .. }
            | Self::TooFewWords
            | Self::TooLong { .. }
            | Self::Weaker { .. } => None,
        }
    }
}

/// What the sets of a level hold, in their order.
const KINDS: [&str; 4] = ["upper-case letters", "lower-case letters", "digits", "symbols"];
