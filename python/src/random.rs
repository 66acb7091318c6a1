//! One generator a thread, made when it is first used and made anew after a fork.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU64, Ordering};

use laps_core::random::{Generator, RandomError, SystemSource};
use pyo3::prelude::*;

use crate::error::raise;

/// How often this process was forked from another, since the module was loaded.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// A generator, and in which process it was seeded.
pub(crate) struct Seeded {
    forks: u64,
    generator: Box<Generator<SystemSource>>,
}

impl Seeded {
    pub(crate) fn new() -> Result<Self, RandomError> {
        let forks = FORKS.load(Ordering::Relaxed);
        Ok(Self { forks, generator: Box::new(Generator::from_system()?) })
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
    static GENERATOR: RefCell<Option<Seeded>> = const { RefCell::new(None) };
}

/// Lets `work` draw from the generator of this thread.
pub(crate) fn with_generator<T>(
    work: impl FnOnce(&mut Generator<SystemSource>) -> T,
) -> Result<T, RandomError> {
    GENERATOR.with_borrow_mut(|slot| match slot {
        Some(seeded) => seeded.current().map(work),
        None => slot.insert(Seeded::new()?).current().map(work),
    })
}

/// The same, with a failing source as an exception.
pub(crate) fn drawing<T>(work: impl FnOnce(&mut Generator<SystemSource>) -> T) -> PyResult<T> {
    with_generator(work).map_err(|error| raise(error.code(), error))
}

/// Says that this process is a new one: every generator that it inherited is thrown away.
#[pyfunction]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
