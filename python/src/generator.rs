//! Making passwords one by one, with the generator of a thread or one's own.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use laps_core::generate::Recipe as CoreRecipe;
use laps_core::random::Generator as CoreGenerator;
use laps_core::secret;
use pyo3::prelude::*;

use crate::password::Password;
use crate::random::{Seeded, one, random};
use crate::recipe::Recipe;

/// A generator of its own, with forward secrecy: what it holds tells nothing about passwords made
/// before.
///
/// `generate()` and `Recipe.generate()` mix fresh bytes of the operating system in for every
/// password. One of these does so once in every mebibyte, in the child of `os.fork`, and when
/// `reseed()` is called: call it before the password of a rotation, after a fork that the
/// interpreter did not make, and after a machine was copied.
#[pyclass(frozen, module = "laps")]
pub(crate) struct Generator {
    // The lock is never held without the interpreter, so no fork can find it taken.
    inner: Mutex<Seeded>,
}

#[pymethods]
impl Generator {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self { inner: Mutex::new(Seeded::new().map_err(random)?) })
    }

    /// Makes one password; complexity 4 and length 14 without a recipe.
    #[pyo3(signature = (recipe = None, /))]
    fn generate(&self, recipe: Option<&Bound<'_, Recipe>>) -> PyResult<Password> {
        let recipe = recipe_or_default(recipe)?;
        let mut password = Box::new(secret::Password::empty());
        let mut seeded = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        seeded
            .current()
            .and_then(|generator| recipe.generate_into(generator, &mut password))
            .map_err(random)?;
        Ok(Password::from_core(password))
    }

    /// Mixes in fresh bytes of the operating system.
    fn reseed(&self) -> PyResult<()> {
        let mut seeded = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        seeded.current().and_then(CoreGenerator::reseed).map_err(random)
    }

    fn __repr__(&self) -> &'static str {
        "<Generator>"
    }
}

/// Makes one password: complexity 4 and length 14 without a recipe. Fresh bytes of the operating
/// system are mixed in, so that no fork and no copied machine repeats one.
#[pyfunction]
#[pyo3(signature = (recipe = None, /))]
pub(crate) fn generate(recipe: Option<&Bound<'_, Recipe>>) -> PyResult<Password> {
    match recipe {
        Some(recipe) => one(&recipe.get().inner),
        None => one(&*recipe_or_default(None)?),
    }
}

pub(crate) fn recipe_or_default(recipe: Option<&Bound<'_, Recipe>>) -> PyResult<Arc<CoreRecipe>> {
    static DEFAULT: OnceLock<Arc<CoreRecipe>> = OnceLock::new();
    if let Some(recipe) = recipe {
        return Ok(Arc::clone(&recipe.get().inner));
    }
    if let Some(recipe) = DEFAULT.get() {
        return Ok(Arc::clone(recipe));
    }
    let made = Recipe::complexity(4, 14)?.inner;
    Ok(Arc::clone(DEFAULT.get_or_init(|| made)))
}
