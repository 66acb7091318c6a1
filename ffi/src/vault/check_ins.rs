//! Check-ins that are taken together. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::identity::Timestamp;
use laps_core::vault::VaultError;

use super::laps_vault;
use crate::pointer::{self, Out, Poison, object};
use crate::rows::{LAPS_FIELD_DEVICE, LAPS_FIELD_STATUS, LAPS_FIELD_WHY, Row, laps_rows};
use crate::status::{answer, laps_status, value};

/// Check-ins of devices, which a vault takes together with laps_vault_check_in_many().
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_check_ins {
    poison: Poison,
    /// The device that was authenticated, and its message.
    check_ins: Vec<(String, Vec<u8>)>,
}
object!(laps_check_ins);

/// Makes an empty list of check-ins.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_check_ins_new(
    out_check_ins: *mut *mut laps_check_ins,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_check_ins, "out_check_ins")? };
        out.give(Box::new(laps_check_ins { poison: Poison::default(), check_ins: Vec::new() }));
        Ok(())
    })
}

/// Adds a check-in, which is copied. device is the one that you authenticated. Whether the message
/// is one is seen when it is taken, so a bad one can be added.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_check_ins_add(
    check_ins: *mut laps_check_ins,
    device: *const c_char,
    device_len: usize,
    bytes: *const u8,
    bytes_len: usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut check_ins, device, bytes) = unsafe {
            (
                pointer::exclusive(check_ins)?,
                pointer::text(device, device_len, "device")?,
                pointer::bytes(bytes, bytes_len, "bytes")?,
            )
        };
        check_ins.check_ins.push((device.to_owned(), bytes.to_vec()));
        Ok(())
    })
}

/// How many were added; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_check_ins_count(check_ins: *const laps_check_ins) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(check_ins) }?.check_ins.len()))
}

/// Frees check-ins.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_check_ins_free(check_ins: *mut laps_check_ins) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(check_ins) };
        Ok(())
    });
}

/// Takes check-ins together, in one transaction with one wait for the disk. Each has its own row,
/// in the order in which they were added, and one that is refused does not hinder the others:
/// DEVICE and the bytes of its answer; or DEVICE, STATUS and WHY, with the status that
/// laps_vault_check_in() would answer. A call that fails has taken none of them, and may be
/// made again. Where nothing can be written, those that change nothing are answered all the same,
/// and the others have that status.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_check_in_many(
    vault: *const laps_vault,
    check_ins: *const laps_check_ins,
    now: u64,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, check_ins, out) = unsafe {
            (pointer::shared(vault)?, pointer::shared(check_ins)?, Out::new(out_rows, "out_rows")?)
        };
        let sent: Vec<(&str, &[u8])> = check_ins
            .check_ins
            .iter()
            .map(|(device, bytes)| (device.as_str(), bytes.as_slice()))
            .collect();
        let now = Timestamp::from_unix_seconds(now);
        let answers = vault.vault.check_in_many(&vault.scope, &sent, now)?;
        let rows = sent.iter().zip(answers).map(|((device, _), answer)| row(device, answer));
        out.give(laps_rows::boxed(rows.collect(), None));
        Ok(())
    })
}

fn row(device: &str, answer: Result<Vec<u8>, VaultError>) -> Row {
    let row = Row::default().text(LAPS_FIELD_DEVICE, device);
    match answer {
        Ok(answer) => row.bytes(answer),
        Err(error) => {
            row.number(LAPS_FIELD_STATUS, error.code().as_u16().into()).text(LAPS_FIELD_WHY, &error)
        }
    }
}
