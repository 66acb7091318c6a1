//! Passwords and passphrases: exactly uniform over what a recipe admits, counted exactly.
#![cfg_attr(feature = "getrandom", doc = "```")]
#![cfg_attr(not(feature = "getrandom"), doc = "```ignore")]
//! use laps_core::generate::{Complexity, Recipe};
//! use laps_core::random::Generator;
//!
//! let recipe = Recipe::complexity(Complexity::Full, 14)?;
//! assert_eq!(recipe.strength().bits_micro(), 88_207_138);
//! let mut generator = Generator::from_system()?;
//! let password = recipe.generate(&mut generator)?;
//! assert_eq!(recipe.check(password.expose_secret()).count(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod chars;
mod check;
mod classes;
mod complexity;
#[cfg(feature = "alloc")]
mod composition;
mod conflict;
#[cfg(feature = "alloc")]
mod counted;
mod dense;
#[cfg(feature = "documents")]
mod document;
pub(crate) mod error;
mod feasible;
mod forbid;
#[cfg(feature = "alloc")]
mod machine;
#[cfg(any(feature = "alloc", feature = "passphrase"))]
mod mask;
mod nat;
#[cfg(feature = "passphrase")]
mod passphrase;
mod plan;
mod preset;
#[cfg(feature = "alloc")]
mod rank_range;
mod redraw;
pub(crate) mod rules;
mod sampler;
mod shape;
mod spell;
mod strength;
#[cfg(feature = "alloc")]
mod table;
#[cfg(test)]
mod tests;
#[cfg(feature = "alloc")]
mod walk;
mod windows;
#[cfg(feature = "alloc")]
mod words;

use rand_core::TryCryptoRng;

use crate::random::{Generator, RandomError};
use crate::secret::Password;
pub use builder::RecipeBuilder;
pub use check::{Violation, Violations};
pub use complexity::{Complexity, UnknownComplexity};
#[cfg(feature = "documents")]
pub use document::RecipeDocumentError;
pub use error::{Conflict, RecipeError, Relaxation};
pub use forbid::{MAX_FORBIDDEN, MAX_FORBIDDEN_LENGTH};
#[cfg(all(feature = "passphrase", feature = "alloc"))]
pub use passphrase::PassphraseBuilder;
use plan::Method;
pub use preset::Preset;
use rules::{Group, Rules};
pub use rules::{MAX_GROUPS, MAX_LENGTH};
use sampler::Sampler;
pub use strength::{Admissible, Strength};
#[cfg(feature = "alloc")]
pub use table::MAX_TABLE;
pub use windows::{WindowsPolicy, WindowsRefusal};

/// What a password must look like. Satisfiable by construction.
#[derive(Clone, Debug)]
pub struct Recipe {
    kind: RecipeKind,
    pub(crate) strength: Strength,
}

#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "passphrase",
    expect(clippy::large_enum_variant, reason = "there may be no heap for the larger one")
)]
enum RecipeKind {
    Characters {
        rules: Rules,
        method: Method,
    },
    #[cfg(feature = "passphrase")]
    Words(passphrase::PassphraseRecipe),
}

impl Recipe {
    /// The recipe of Windows LAPS for complexity 1 to 5: `length` (8 to 64) characters, at least
    /// one of each of the level's sets.
    ///
    /// # Errors
    /// [`RecipeError::Length`] outside 8 to 64; [`RecipeError::Complexity`] for a level that makes
    /// passphrases.
    pub fn complexity(complexity: Complexity, length: u8) -> Result<Self, RecipeError> {
        if complexity.is_passphrase() {
            return Err(RecipeError::Complexity { complexity: complexity.as_u8(), min: 1, max: 5 });
        }
        if !(COMPLEXITY_LENGTH.0..=COMPLEXITY_LENGTH.1).contains(&length) {
            let (min, max) = COMPLEXITY_LENGTH;
            return Err(RecipeError::Length { length: u32::from(length), min, max });
        }
        let mut rules = Rules::new(length);
        for set in complexity.sets() {
            rules.push(Group { chars: *set, min: 1, max: None });
        }
        Self::build(rules)
    }

    /// The recipe of Windows LAPS for complexity 6 to 8: `words` (3 to 10) words of the level's
    /// list, each with an upper-case first letter, nothing between them.
    ///
    /// # Errors
    /// [`RecipeError::WordCount`] outside 3 to 10; [`RecipeError::Complexity`] for a level that
    /// makes passwords.
    #[cfg(feature = "passphrase")]
    pub fn passphrase(complexity: Complexity, words: u8) -> Result<Self, RecipeError> {
        let words = passphrase::PassphraseRecipe::windows(complexity, words)?;
        Ok(Self { strength: words.strength(), kind: RecipeKind::Words(words) })
    }

    /// A passphrase of one's own, of `words` (3 to 10) words.
    #[cfg(all(feature = "passphrase", feature = "alloc"))]
    pub const fn phrase(words: u8) -> PassphraseBuilder {
        PassphraseBuilder::new(words)
    }

    /// A recipe of one's own, for passwords of `length` characters (1 to 128).
    pub const fn builder(length: u8) -> RecipeBuilder {
        RecipeBuilder::new(length)
    }

    /// Of a passphrase's words: the fewest lower-case letters of one, and how often a character
    /// stands in a row at most.
    #[cfg(feature = "passphrase")]
    pub(crate) fn least_lower_and_longest_run(&self) -> Option<(usize, u8)> {
        match &self.kind {
            RecipeKind::Characters { .. } => None,
            RecipeKind::Words(list) => Some(list.least_lower_and_longest_run()),
        }
    }

    pub(crate) fn build(rules: Rules) -> Result<Self, RecipeError> {
        let (admissible, method) = plan::plan(&rules)?;
        let length = usize::from(rules.length);
        Ok(Self {
            kind: RecipeKind::Characters { rules, method },
            strength: Strength::new(admissible, length, length),
        })
    }

    /// A new password in place of what `out` holds.
    ///
    /// # Errors
    /// [`RandomError`] when the random source fails or repeats itself; `out` is then empty. Nothing
    /// else can fail.
    pub fn generate_into<S: TryCryptoRng>(
        &self,
        generator: &mut Generator<S>,
        out: &mut Password,
    ) -> Result<(), RandomError> {
        self.sample(generator, out)
    }

    /// A new password. It is moved to the caller: a long-lived one is better filled in place.
    ///
    /// # Errors
    /// As [`Recipe::generate_into`].
    pub fn generate<S: TryCryptoRng>(
        &self,
        generator: &mut Generator<S>,
    ) -> Result<Password, RandomError> {
        let mut password = Password::empty();
        self.sample(generator, &mut password)?;
        Ok(password)
    }

    fn sample<D: Sampler>(&self, sampler: &mut D, out: &mut Password) -> Result<(), RandomError> {
        match &self.kind {
            RecipeKind::Characters { rules, method } => {
                let length = usize::from(rules.length);
                out.try_fill_ascii(spell::padded(length), |bytes| {
                    method.sample(rules, sampler, bytes).map(|()| length)
                })
            }
            #[cfg(feature = "passphrase")]
            RecipeKind::Words(words) => {
                out.try_fill_ascii(Password::MAX_LEN, |bytes| words.sample(sampler, bytes))
            }
        }
    }

    /// A new password in every place of `out`: as [`Recipe::generate_into`] for each. Allocates
    /// nothing.
    ///
    /// # Errors
    /// As [`Recipe::generate_into`]; all of `out` is then empty.
    pub fn generate_many<S: TryCryptoRng>(
        &self,
        generator: &mut Generator<S>,
        out: &mut [Password],
    ) -> Result<(), RandomError> {
        let outcome = out.iter_mut().try_for_each(|place| self.sample(generator, place));
        if outcome.is_err() {
            out.iter_mut().for_each(zeroize::Zeroize::zeroize);
        }
        outcome
    }

    /// How many passwords the recipe admits.
    #[must_use]
    pub const fn strength(&self) -> Strength {
        self.strength
    }

    /// Every rule that a password breaks; none when the recipe admits it. The rules are those of
    /// the generator.
    ///
    /// Which rules are broken is not secret; nothing else is learned from branches or addresses.
    #[must_use]
    pub fn check(&self, password: &str) -> Violations<'_> {
        let broken = match &self.kind {
            RecipeKind::Characters { rules, .. } => rules.broken(password.as_bytes()),
            #[cfg(feature = "passphrase")]
            RecipeKind::Words(words) => words.broken(password.as_bytes()),
        };
        Violations::new(self, broken.declassify())
    }
}

/// `PasswordLength` of Windows LAPS.
pub(crate) const COMPLEXITY_LENGTH: (u8, u8) = (8, 64);
