//! What a driver reports to the rotation machine.

use laps_core::error::Code;
use laps_core::rotation::{AccountSeen, Acted, Applied, Effect, Verified};
use laps_core::seal::Reader;
use laps_host::agent::readers;

use super::{entropy, laps_rotation, time};
use crate::config::laps_config;
use crate::failure::Failure;
use crate::generator::laps_generator;
use crate::pointer;
use crate::reader::laps_reader;
use crate::recipe::laps_recipe;
use crate::status::{answer, laps_status, value};

/// The password was set.
pub const LAPS_APPLIED_SUCCESS: u32 = 1;
/// The device's password policy refused it.
pub const LAPS_APPLIED_REFUSED: u32 = 2;
/// There is no such account.
pub const LAPS_APPLIED_NOT_FOUND: u32 = 3;
/// Another policy manages the account.
pub const LAPS_APPLIED_MANAGED_ELSEWHERE: u32 = 4;
/// It failed, or what it did is unknown.
pub const LAPS_APPLIED_FAILED: u32 = 5;
/// It did not end in time.
pub const LAPS_APPLIED_TIMED_OUT: u32 = 6;

/// The account holds the password.
pub const LAPS_VERIFIED_MATCH: u32 = 1;
/// The account holds another.
pub const LAPS_VERIFIED_MISMATCH: u32 = 2;
/// The account could not be asked, or did not answer.
pub const LAPS_VERIFIED_UNAVAILABLE: u32 = 3;

/// The account is there.
pub const LAPS_ACCOUNT_PRESENT: u32 = 1;
/// There is no such account.
pub const LAPS_ACCOUNT_MISSING: u32 = 2;
/// The account could not be looked up.
pub const LAPS_ACCOUNT_UNKNOWN: u32 = 3;

/// The action was done.
pub const LAPS_ACTED_DONE: u32 = 1;
/// The action failed; it is not tried again.
pub const LAPS_ACTED_FAILED: u32 = 2;
/// The platform cannot do it.
pub const LAPS_ACTED_NOT_SUPPORTED: u32 = 3;

fn unknown(name: &str, number: u32) -> Failure {
    let message =
        format_args!("{name} is {number}; one of LAPS_{}_* is accepted", name.to_uppercase());
    Failure::new(Code::InvalidArgument, &message)
}

/// Reports an event to the machine.
fn event(
    rotation: *mut laps_rotation,
    event: impl FnOnce(&mut laps_rotation) -> Result<(), Failure>,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let mut rotation = unsafe { pointer::exclusive(rotation) }?;
        let result = event(&mut rotation);
        // Also after a refusal: the machine may have seen on the clock that the password's time is
        // over.
        rotation.settle()?;
        result
    })
}

/// The state that laps_rotation_state() gave last is durable.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_saved(rotation: *mut laps_rotation) -> laps_status {
    event(rotation, |rotation| {
        rotation.machine.handle_saved()?;
        let (keep, offers) = (rotation.machine.retained(), rotation.machine.offers());
        rotation.records.retain(|record| {
            let id = record.header().id;
            keep.contains(id) || offers.contains(id)
        });
        Ok(())
    })
}

/// The state could not be made durable; it is wished again after a while.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_save_failed(
    rotation: *mut laps_rotation,
    generator: *mut laps_generator,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Objects.
        let entropy = entropy(&mut *unsafe { pointer::exclusive(generator) }?)?;
        rotation.machine.handle_save_failed(time(now), entropy);
        Ok(())
    })
}

/// The vault answered. LAPS_STATUS_MESSAGE_MALFORMED or LAPS_STATUS_UNEXPECTED_EVENT: nothing has
/// changed; ignore it, or give up with laps_rotation_handle_check_in_failed().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_answer(
    rotation: *mut laps_rotation,
    bytes: *const u8,
    bytes_len: usize,
    generator: *mut laps_generator,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Objects and Buffers.
        let (bytes, mut generator) =
            unsafe { (pointer::bytes(bytes, bytes_len, "bytes")?, pointer::exclusive(generator)?) };
        let entropy = entropy(&mut generator)?;
        Ok(rotation.machine.handle_answer(bytes, time(now), entropy)?)
    })
}

/// No answer came, or none that could be read.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_check_in_failed(
    rotation: *mut laps_rotation,
    generator: *mut laps_generator,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Objects.
        let entropy = entropy(&mut *unsafe { pointer::exclusive(generator) }?)?;
        rotation.machine.handle_check_in_failed(time(now), entropy);
        Ok(())
    })
}

/// For LAPS_WISH_PREPARE: makes a password, seals it to 1 to 16 readers of one suite, and keeps
/// both. stamp is the account's change stamp: 32 bytes, or NULL where the platform has none. When
/// it fails, the rotation knows, waits a while and wishes it again; an argument that is NULL or
/// poisoned is told to you alone.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_prepare(
    rotation: *mut laps_rotation,
    generator: *mut laps_generator,
    recipe: *const laps_recipe,
    readers: *const *const laps_reader,
    reader_count: usize,
    stamp: *const u8,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Objects and Buffers.
        let (mut generator, recipe, readers, stamp) = unsafe {
            (
                pointer::exclusive(generator)?,
                pointer::shared(recipe)?,
                pointer::objects(readers, reader_count, "readers")?,
                pointer::array::<32>(stamp).copied(),
            )
        };
        let readers: Vec<Reader> = readers.iter().map(|reader| reader.reader.clone()).collect();
        rotation.prepare(&mut generator, &recipe, &readers, stamp, time(now)).inspect_err(|_| {
            if matches!(rotation.machine.poll(), Effect::Prepare { .. }) {
                // Without random bits the next try is not spread; that is all they are for.
                let entropy = entropy(&mut generator).unwrap_or(0);
                let _ = rotation.machine.handle_prepare_failed(time(now), entropy);
            }
        })
    })
}

/// The account's change stamp, for LAPS_WISH_READ_STAMP: 32 bytes, or NULL where the platform has
/// none. LAPS_STATUS_UNEXPECTED_EVENT also when the password's time in memory ended while the stamp
/// was read (the device slept): it is wiped, and laps_rotation_poll() says what is next.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_stamp(
    rotation: *mut laps_rotation,
    stamp: *const u8,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Buffers.
        let stamp = unsafe { pointer::array::<32>(stamp) }.copied();
        let entropy = core::mem::take(&mut rotation.entropy);
        Ok(rotation.machine.handle_change_stamp(stamp, time(now), entropy)?)
    })
}

/// What a look at the account found, for LAPS_WISH_LOOK_UP: one of LAPS_ACCOUNT_*. With
/// LAPS_ACCOUNT_PRESENT stamp is its change stamp: 32 bytes, or NULL where the platform has none.
/// It may be told at any time.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_account(
    rotation: *mut laps_rotation,
    seen: u32,
    stamp: *const u8,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Buffers.
        let stamp = unsafe { pointer::array::<32>(stamp) }.copied();
        let seen = match seen {
            LAPS_ACCOUNT_PRESENT => AccountSeen::Present { change_stamp: stamp },
            LAPS_ACCOUNT_MISSING => AccountSeen::Missing,
            LAPS_ACCOUNT_UNKNOWN => AccountSeen::Unknown,
            _ => return Err(unknown("seen", seen)),
        };
        rotation.machine.handle_account(seen, time(now));
        Ok(())
    })
}

/// Whom the next password is sealed to: 1 to 16 readers. Tell it at the start, after every commit
/// and whenever they change. A password that is sealed to a reader who is not among them any more
/// is replaced, once.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_readers(
    rotation: *mut laps_rotation,
    readers: *const *const laps_reader,
    reader_count: usize,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Objects and Buffers.
        let readers = unsafe { pointer::objects(readers, reader_count, "readers")? };
        let readers: Vec<Reader> = readers.iter().map(|reader| reader.reader.clone()).collect();
        let held = rotation.machine.holds();
        let record = rotation.records.iter().find(|record| Some(record.header().id) == held);
        let lost =
            record.is_some_and(|record| readers::is_sealed_to_others(record.as_bytes(), &readers));
        rotation.machine.handle_readers(readers::digest(&readers), lost, time(now));
        Ok(())
    })
}

/// A person has looked into it and says that the vault's audit log is in order as it is: the device
/// remembers it from then on.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_acknowledge_log(
    rotation: *mut laps_rotation,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        rotation.machine.acknowledge_log(time(now));
        Ok(())
    })
}

/// What the setter reported: one of LAPS_APPLIED_*. What is not certainly a success or a refusal is
/// LAPS_APPLIED_FAILED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_applied(
    rotation: *mut laps_rotation,
    applied: u32,
    generator: *mut laps_generator,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        let applied = match applied {
            LAPS_APPLIED_SUCCESS => Applied::Success,
            LAPS_APPLIED_REFUSED => Applied::Refused,
            LAPS_APPLIED_NOT_FOUND => Applied::NotFound,
            LAPS_APPLIED_MANAGED_ELSEWHERE => Applied::ManagedElsewhere,
            LAPS_APPLIED_FAILED => Applied::Failed,
            LAPS_APPLIED_TIMED_OUT => Applied::TimedOut,
            _ => return Err(unknown("applied", applied)),
        };
        // SAFETY: contract, Objects.
        rotation.entropy = entropy(&mut *unsafe { pointer::exclusive(generator) }?)?;
        Ok(rotation.machine.handle_applied(applied, time(now))?)
    })
}

/// What the account said to the password: one of LAPS_VERIFIED_*.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_verified(
    rotation: *mut laps_rotation,
    verified: u32,
    generator: *mut laps_generator,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        let verified = match verified {
            LAPS_VERIFIED_MATCH => Verified::Match,
            LAPS_VERIFIED_MISMATCH => Verified::Mismatch,
            LAPS_VERIFIED_UNAVAILABLE => Verified::Unavailable,
            _ => return Err(unknown("verified", verified)),
        };
        // SAFETY: contract, Objects.
        let entropy = entropy(&mut *unsafe { pointer::exclusive(generator) }?)?;
        Ok(rotation.machine.handle_verified(verified, time(now), entropy)?)
    })
}

/// How the wished action ended: one of LAPS_ACTED_*.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_acted(
    rotation: *mut laps_rotation,
    acted: u32,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        let acted = match acted {
            LAPS_ACTED_DONE => Acted::Done,
            LAPS_ACTED_FAILED => Acted::Failed,
            LAPS_ACTED_NOT_SUPPORTED => Acted::NotSupported,
            _ => return Err(unknown("acted", acted)),
        };
        Ok(rotation.machine.handle_acted(acted, time(now))?)
    })
}

/// Somebody used the account at the time `at`. Your own verification is never one.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_used(
    rotation: *mut laps_rotation,
    at: u64,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        rotation.machine.handle_used(time(at), time(now));
        Ok(())
    })
}

/// Uses of the account before this time are of no interest; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_used_since(rotation: *const laps_rotation) -> u64 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(rotation) }?.machine.used_since().as_unix_seconds()))
}

/// Time passed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_timeout(
    rotation: *mut laps_rotation,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        rotation.machine.handle_timeout(time(now));
        Ok(())
    })
}

/// Another policy is in force, or another account is to be managed; not another scope or device.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_handle_config(
    rotation: *mut laps_rotation,
    config: *const laps_config,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        // SAFETY: contract, Objects.
        let config = unsafe { pointer::shared(config) }?;
        Ok(rotation.machine.handle_config(config.config, time(now))?)
    })
}

/// The administrator of this device asks for a new password now. It does not wait for a back-off.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_force(
    rotation: *mut laps_rotation,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        rotation.machine.force(time(now));
        Ok(())
    })
}

/// A single run by hand: whatever is due does not wait for its back-off.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_rotation_skip_back_off(
    rotation: *mut laps_rotation,
    now: u64,
) -> laps_status {
    event(rotation, |rotation| {
        rotation.machine.skip_back_off(time(now));
        Ok(())
    })
}
