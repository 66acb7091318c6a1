//! Long calls that tell how far they are. Only in the full build.
#![cfg(feature = "vault")]

use alloc::sync::Arc;
use core::ffi::{c_char, c_void};

use laps_core::identity::Timestamp;

use super::readers::resealed;
use super::{apart, laps_vault};
use crate::pointer::{self, Out};
use crate::reader_key::laps_reader_key;
use crate::rows::laps_rows;
use crate::status::{answer, laps_status};

/// Is told how far a call is: done of total, in the unit that the call names. See the contract,
/// Callbacks.
#[cfg(feature = "vault")]
pub type laps_progress = Option<unsafe extern "C" fn(user: *mut c_void, done: u64, total: u64)>;

/// Is asked before a step, of so many records, whether to take it; false ends the call. See the
/// contract, Callbacks.
#[cfg(feature = "vault")]
pub type laps_step = Option<unsafe extern "C" fn(user: *mut c_void, records: u64) -> bool>;

/// What tells a function of C.
pub(super) fn reporter(progress: laps_progress, user: *mut c_void) -> impl FnMut(u64, u64) {
    move |done, total| {
        if let Some(progress) = progress {
            // SAFETY: contract, Callbacks: it can be called while the call is made, in its thread,
            // and returns.
            unsafe { progress(user, done, total) };
        }
    }
}

/// As laps_vault_import(), and progress is told after each device how many of the bytes are taken
/// in. NULL: nobody is told. user goes to progress, and may be NULL. The import cannot be stopped.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_import_watched(
    vault: *const laps_vault,
    bytes: *const u8,
    bytes_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    progress: laps_progress,
    user: *mut c_void,
    out_devices: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, bytes, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::bytes(bytes, bytes_len, "bytes")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_devices, "out_devices")?,
            )
        };
        let request = vault.request(actor, reason);
        let now = Timestamp::from_unix_seconds(now);
        let mut told = reporter(progress, user);
        let mut tell = |done| told(number(done), number(bytes.len()));
        let count = vault.vault.import_watched(&vault.scope, bytes, &request, now, &mut tell)?;
        out.set(number(count));
        Ok(())
    })
}

/// As laps_vault_reseal(), and before it seals what there is of the next few hundred devices, step
/// is asked with how many records that is, 1 or more. When it answers false, the call ends as
/// LAPS_STATUS_OK with what is sealed by then, and the next call goes on there. NULL: nobody is
/// asked. user goes to step, and may be NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_reseal_watched(
    vault: *const laps_vault,
    key: *const laps_reader_key,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    step: laps_step,
    user: *mut c_void,
    out_replaced: *mut u64,
    out_not_ours: *mut u64,
    out_failed: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, key, actor, reason, replaced, not_ours, failed) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::shared(key)?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_replaced, "out_replaced")?,
                Out::new(out_not_ours, "out_not_ours")?,
                Out::new(out_failed, "out_failed")?,
            )
        };
        let now = Timestamp::from_unix_seconds(now);
        let mut asked = step.map(|step| {
            // SAFETY: contract, Callbacks: it can be called while the call is made, in its thread,
            // and returns.
            move |records| unsafe { step(user, number(records)) }
        });
        let asked: Option<&mut dyn FnMut(usize) -> bool> = match &mut asked {
            Some(step) => Some(step),
            None => None,
        };
        let done = apart::reseal(&vault, Arc::clone(&key.key), actor, reason, now, asked)?;
        replaced.set(done.replaced);
        not_ours.set(done.not_ours);
        failed.give(resealed(&done));
        Ok(())
    })
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
