//! Why a recipe is refused.

use core::fmt;

use super::rules::RuleSet;
use crate::error::Code;

/// Why a recipe is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RecipeError {
    /// The length is outside what is accepted.
    Length {
        /// What was asked for, in characters.
        length: u32,
        /// The shortest that is accepted.
        min: u8,
        /// The longest that is accepted.
        max: u8,
    },
    /// The number of words is outside 3 to 10.
    WordCount {
        /// What was asked for.
        words: u32,
    },
    /// The complexity makes passphrases where characters are asked for, or the other way round.
    Complexity {
        /// What was asked for.
        complexity: u8,
        /// The lowest that is accepted here.
        min: u8,
        /// The highest that is accepted here.
        max: u8,
    },
    /// A character that is not printable ASCII.
    NotPrintable {
        /// Where, as a recipe file spells it: `groups[1].chars`.
        rule: &'static str,
        /// The character.
        character: char,
    },
    /// More groups than [`super::MAX_GROUPS`].
    TooManyGroups,
    /// No group has a character.
    NoCharacters,
    /// More forbidden substrings than [`super::MAX_FORBIDDEN`].
    TooManyForbidden,
    /// A forbidden substring that is empty or longer than [`super::MAX_FORBIDDEN_LENGTH`].
    ForbiddenLength {
        /// Its length in characters.
        length: usize,
    },
    /// A word of a list that is empty or longer than 16 characters.
    WordLength {
        /// Its length in characters.
        length: usize,
    },
    /// A list of more than 65,536 words.
    TooManyWords,
    /// A list without a word.
    NoWords,
    /// A separator of more than 4 characters.
    SeparatorLength {
        /// Its length in characters.
        length: usize,
    },
    /// A passphrase could have more than 127 characters.
    PhraseLength {
        /// The longest, in characters.
        length: usize,
    },
    /// A longest run of 0.
    RunLength,
    /// No password satisfies these rules together.
    Infeasible(Conflict),
    /// The counting table would have more entries than the limit.
    TooComplex {
        /// The limit.
        limit: u32,
        /// What to leave out of the recipe for a table within the limit.
        relax: Relaxation,
    },
    /// The recipe needs a counting table, and this build has no heap to put it on.
    NeedsHeap,
}

impl RecipeError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Length { .. }
            | Self::WordCount { .. }
            | Self::Complexity { .. }
            | Self::NotPrintable { .. }
            | Self::TooManyGroups
            | Self::NoCharacters
            | Self::TooManyForbidden
            | Self::ForbiddenLength { .. }
            | Self::WordLength { .. }
            | Self::TooManyWords
            | Self::NoWords
            | Self::SeparatorLength { .. }
            | Self::PhraseLength { .. }
            | Self::RunLength => Code::RecipeInvalid,
            Self::Infeasible(_) => Code::RecipeInfeasible,
            Self::TooComplex { .. } => Code::RecipeTooComplex,
            Self::NeedsHeap => Code::RecipeNeedsHeap,
        }
    }
}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { length, min, max } => {
                write!(f, "the length {length} is outside {min} to {max}")
            }
            Self::WordCount { words } => {
                write!(f, "{words} words are outside {MIN_WORDS} to {MAX_WORDS}")
            }
            Self::Complexity { complexity, min, max } => {
                write!(f, "complexity {complexity} is outside {min} to {max}")
            }
            Self::NotPrintable { rule, character } => {
                write!(f, "{rule} holds {character:?}, which is not a printable ASCII character")
            }
            Self::TooManyGroups => {
                write!(f, "a recipe has at most {} groups", super::MAX_GROUPS)
            }
            Self::NoCharacters => f.write_str("the groups have no character to choose from"),
            Self::TooManyForbidden => {
                write!(f, "a recipe has at most {} forbidden substrings", super::MAX_FORBIDDEN)
            }
            Self::ForbiddenLength { length } => write!(
                f,
                "a forbidden substring of {length} characters is outside 1 to {}",
                super::MAX_FORBIDDEN_LENGTH
            ),
            Self::WordLength { length } => {
                write!(f, "a word of {length} characters is outside 1 to 16")
            }
            Self::TooManyWords => f.write_str("a list has at most 65536 words"),
            Self::NoWords => f.write_str("the list has no words"),
            Self::SeparatorLength { length } => {
                write!(f, "a separator of {length} characters is above 4")
            }
            Self::PhraseLength { length } => {
                write!(f, "a passphrase could have {length} characters, which is above 127")
            }
            Self::RunLength => f.write_str("a longest run of 0 leaves nothing; 1 is the least"),
            Self::Infeasible(conflict) => {
                write!(f, "no password satisfies these rules together: {conflict}")
            }
            Self::TooComplex { limit, relax } => {
                write!(f, "the rules need a counting table of more than {limit} entries")?;
                if relax.rules().next().is_some() {
                    write!(f, "; without {relax} they need none above it")?;
                }
                Ok(())
            }
            Self::NeedsHeap => {
                f.write_str("the rules need a counting table, and this build has no heap")
            }
        }
    }
}

impl core::error::Error for RecipeError {}

/// Rules that no password satisfies together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Conflict {
    pub(crate) rules: RuleSet,
    pub(crate) minimal: bool,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.rules, f)?;
        if !self.minimal {
            f.write_str(" (perhaps not each of them is needed for that)")?;
        }
        Ok(())
    }
}

/// Rules that make a recipe too complex to count: without all of them it is not. Forbidden
/// substrings count as one rule here, and so do all minima and all maxima of groups.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Relaxation(pub(crate) RuleSet);

impl Relaxation {
    #[cfg(all(feature = "alloc", feature = "passphrase"))]
    pub(crate) const NONE: Self = Self(RuleSet::NONE);

    /// The rules, as a recipe file spells them: `groups[0].max`. None where leaving rules out does
    /// not help.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.0.iter().map(super::rules::Rule::name)
    }
}

impl fmt::Display for Relaxation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// `PassphraseLength` of Windows LAPS.
pub(crate) const MIN_WORDS: u8 = 3;
/// `PassphraseLength` of Windows LAPS.
pub(crate) const MAX_WORDS: u8 = 10;
