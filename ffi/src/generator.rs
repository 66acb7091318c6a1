//! The random generator and what it makes.

use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::random::{Generator, SystemSource};
use laps_core::secret::Password;

use crate::failure::Failure;
use crate::fork;
use crate::password::laps_password;
use crate::pointer::{self, Out, Places, Poison, object};
use crate::recipe::laps_recipe;
use crate::status::{answer, laps_status, value};

/// A random generator, seeded by the operating system. Its state gives no password that was made
/// before. One thread at a time. Sealing, keys, record ids and rotations mix fresh bytes in by
/// themselves. A single password does not: a child of fork() is noticed, one that came past the C
/// library and a copied machine are not.
#[derive(Debug)]
pub struct laps_generator {
    poison: Poison,
    forks: u64,
    generator: Generator<SystemSource>,
}
object!(laps_generator);

impl laps_generator {
    /// The generator, with a seed that no other process has.
    pub(crate) fn ready(&mut self) -> Result<&mut Generator<SystemSource>, Failure> {
        let forks = fork::count();
        if forks != self.forks {
            self.generator.reseed()?;
            self.forks = forks;
        }
        Ok(&mut self.generator)
    }
}

/// A generator. Make one and keep it: seeding costs more than a password.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_generator_new(
    out_generator: *mut *mut laps_generator,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_generator, "out_generator") }?;
        fork::watch()?;
        let forks = fork::count();
        let generator = Generator::from_system()?;
        out.give(Box::new(laps_generator { poison: Poison::default(), forks, generator }));
        Ok(())
    })
}

/// Mixes fresh bytes of the operating system in: before a password that you make and seal by
/// yourself, after a virtual machine was copied, and in a child that was not made by fork().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_generator_reseed(generator: *mut laps_generator) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let mut generator = unsafe { pointer::exclusive(generator) }?;
        generator.generator.reseed()?;
        generator.forks = fork::count();
        Ok(())
    })
}

/// Makes a password: every password of the recipe is equally likely.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_generator_password(
    generator: *mut laps_generator,
    recipe: *const laps_recipe,
    out_password: *mut *mut laps_password,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut generator, recipe, out) = unsafe {
            (
                pointer::exclusive(generator)?,
                pointer::shared(recipe)?,
                Out::new(out_password, "out_password")?,
            )
        };
        let mut made = laps_password::boxed();
        recipe.recipe.generate_into(generator.ready()?, &mut made.password)?;
        out.give(made);
        Ok(())
    })
}

/// Makes many passwords straight into your memory: count places of place_size bytes, each filled
/// with one password in UTF-8 and a NUL. place_size is at least laps_recipe_max_length() + 1.
/// Allocates nothing. When it fails on the way, every place is zero.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_generator_passwords(
    generator: *mut laps_generator,
    recipe: *const laps_recipe,
    out_places: *mut c_char,
    place_size: usize,
    count: usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut generator, recipe, places) = unsafe {
            (
                pointer::exclusive(generator)?,
                pointer::shared(recipe)?,
                Places::new(out_places.cast(), place_size, count)?,
            )
        };
        let needed = recipe.recipe.strength().max_length().saturating_add(1);
        if place_size < needed {
            let message = format_args!("place_size is {place_size}, {needed} are needed");
            return Err(Failure::new(Code::InvalidArgument, &message));
        }
        let generator = generator.ready()?;
        let mut password = Password::empty();
        let made = (0..places.count()).try_for_each(|place| {
            recipe.recipe.generate_into(generator, &mut password)?;
            places.put(place, password.expose_secret().as_bytes())
        });
        if made.is_err() {
            places.wipe();
        }
        made
    })
}

/// Frees a generator and wipes its state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_generator_free(generator: *mut laps_generator) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(generator) };
        Ok(())
    });
}
