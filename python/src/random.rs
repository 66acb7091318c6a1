//! One generator a thread, which mixes in fresh bytes at every use; and such as belong to somebody.
//!
//! The interpreter tells of a fork only where it made the fork itself, and nobody tells of a
//! snapshot that was started twice. So no call of this module depends on being told, but those of a
//! `Generator` of one's own.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU64, Ordering};

use laps_core::generate::Recipe;
use laps_core::random::{Generator, RandomError, SystemSource};
use laps_core::secret;
use pyo3::prelude::*;

use crate::error::raise;
use crate::password::Password;

/// How often this process was forked from another, since the module was loaded.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// A generator of somebody's own, and in which process it was seeded.
pub(crate) struct Seeded {
    forks: u64,
    generator: Generator<SystemSource>,
}

impl Seeded {
    pub(crate) fn new() -> Result<Self, RandomError> {
        let forks = FORKS.load(Ordering::Relaxed);
        Ok(Self { forks, generator: Generator::from_system()? })
    }

    /// The generator, seeded in this process.
    pub(crate) fn current(&mut self) -> Result<&mut Generator<SystemSource>, RandomError> {
        if self.forks != FORKS.load(Ordering::Relaxed) {
            *self = Self::new()?;
        }
        Ok(&mut self.generator)
    }
}

thread_local! {
    static GENERATOR: RefCell<Option<Generator<SystemSource>>> = const { RefCell::new(None) };
}

/// Lets `work` draw from the generator of this thread, after fresh bytes were mixed in.
pub(crate) fn with_generator<T>(
    work: impl FnOnce(&mut Generator<SystemSource>) -> T,
) -> Result<T, RandomError> {
    GENERATOR.with_borrow_mut(|slot| {
        let generator = match slot {
            Some(generator) => {
                generator.reseed()?;
                generator
            }
            None => slot.insert(Generator::from_system()?),
        };
        Ok(work(generator))
    })
}

/// The same, with a failing source as an exception.
pub(crate) fn drawing<T>(work: impl FnOnce(&mut Generator<SystemSource>) -> T) -> PyResult<T> {
    with_generator(work).map_err(random)
}

/// Says that this process is a new one: a `Generator` that it inherited is thrown away when it is
/// next used.
#[pyfunction]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn random(error: RandomError) -> PyErr {
    raise(error.code(), error)
}

/// Makes one password with the generator of this thread.
pub(crate) fn one(recipe: &Recipe) -> PyResult<Password> {
    let mut password = Box::new(secret::Password::empty());
    with_generator(|generator| recipe.generate_into(generator, &mut password))
        .and_then(|made| made)
        .map_err(random)?;
    Ok(Password::from_core(password))
}
