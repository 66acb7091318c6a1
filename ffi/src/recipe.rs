//! What a password must look like.

use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::generate::{Complexity, Recipe};

use crate::failure::Failure;
use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// What a password must look like; some password always satisfies it. Immutable: threads may share
/// it.
#[derive(Debug)]
pub struct laps_recipe {
    poison: Poison,
    pub(crate) recipe: Recipe,
}
object!(laps_recipe);

impl laps_recipe {
    pub(crate) fn boxed(recipe: Recipe) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), recipe })
    }
}

fn complexity(number: u8) -> Result<Complexity, Failure> {
    Complexity::try_from(number).map_err(|_| {
        let message = format_args!("complexity {number} is outside 1 to 8");
        Failure::new(Code::RecipeInvalid, &message)
    })
}

/// A recipe for characters: complexity 1 to 5 of Windows LAPS, length 8 to 64.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_new(
    complexity: u8,
    length: u8,
    out_recipe: *mut *mut laps_recipe,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_recipe, "out_recipe") }?;
        out.give(laps_recipe::boxed(Recipe::complexity(self::complexity(complexity)?, length)?));
        Ok(())
    })
}

/// A recipe for words: complexity 6 to 8 of Windows LAPS, 3 to 10 words.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_new_passphrase(
    complexity: u8,
    words: u8,
    out_recipe: *mut *mut laps_recipe,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_recipe, "out_recipe") }?;
        out.give(laps_recipe::boxed(Recipe::passphrase(self::complexity(complexity)?, words)?));
        Ok(())
    })
}

/// A recipe from its document: JSON such as {"length":16,"groups":[{"chars":"abc","min":2}]}.
/// LAPS_STATUS_RECIPE_INVALID when it cannot be read or a rule is outside its limits,
/// LAPS_STATUS_RECIPE_INFEASIBLE when no password satisfies its rules together (the last error
/// names those in conflict), LAPS_STATUS_RECIPE_TOO_COMPLEX when it would need too large a counting
/// table.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_read(
    document: *const u8,
    document_len: usize,
    out_recipe: *mut *mut laps_recipe,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (document, out) = unsafe {
            (
                pointer::bytes(document, document_len, "document")?,
                Out::new(out_recipe, "out_recipe")?,
            )
        };
        out.give(laps_recipe::boxed(Recipe::from_json(document)?));
        Ok(())
    })
}

/// The strength: bits times 1 000 000, rounded down. Counted exactly; every password of a recipe is
/// equally likely.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_bits_micro(recipe: *const laps_recipe) -> u64 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(recipe) }?.recipe.strength().bits_micro()))
}

/// How many passwords satisfy the recipe, in decimal digits.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_admissible(
    recipe: *const laps_recipe,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (recipe, buffer) = unsafe {
            (pointer::shared(recipe)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let digits = recipe.recipe.strength().admissible().to_string();
        buffer.fill_utf8(&digits)
    })
}

/// The shortest password of the recipe, in bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_min_length(recipe: *const laps_recipe) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(recipe) }?.recipe.strength().min_length()))
}

/// The longest password of the recipe, in bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_max_length(recipe: *const laps_recipe) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(recipe) }?.recipe.strength().max_length()))
}

/// Frees a recipe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_recipe_free(recipe: *mut laps_recipe) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(recipe) };
        Ok(())
    });
}
