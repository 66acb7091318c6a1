//! Taking devices out of service, bringing them back, removing what is kept. Only in the full
//! build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::identity::{RecordId, Timestamp};

use super::{confirmation, laps_vault, receipt};
use crate::failure::Failure;
use crate::pointer;
use crate::status::{answer, laps_status};

/// Takes a device out of service: it is never due. What is stored stays, and can be disclosed.
/// Orders to rotate wait until it checks in again.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_retire(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let head = vault.vault.retire(
            &vault.scope,
            device,
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}

/// Brings a retired device back into service, also with another account and SID. What is stored
/// stays.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_re_enrol(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let head = vault.vault.re_enrol(
            &vault.scope,
            device,
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}

/// Removes a device and every password of it, for ever. Needs confirm. The trail stays.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_purge(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    confirm: bool,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let head = vault.vault.purge(
            &vault.scope,
            device,
            confirmation(confirm),
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}

/// Removes one record of a device by its id of 16 bytes, a candidate or one in history. Needs
/// confirm: the device may still have this password.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_remove_record(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    record_id: *const u8,
    confirm: bool,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, id, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::array::<16>(record_id),
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let id = id.ok_or_else(|| Failure::new(Code::NullArgument, &"record_id is NULL"))?;
        let head = vault.vault.remove_record(
            &vault.scope,
            device,
            RecordId::from_bytes(*id),
            confirmation(confirm),
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}
