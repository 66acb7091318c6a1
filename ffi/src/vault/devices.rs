//! Orders to rotate for devices that are named. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::identity::Timestamp;
use laps_core::vault::Selection;

use super::{laps_vault, receipt};
use crate::pointer::{self, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// Names of devices, which laps_vault_order_devices() takes together.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_devices {
    poison: Poison,
    names: Vec<String>,
}
object!(laps_devices);

/// Makes an empty list of devices.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_devices_new(out_devices: *mut *mut laps_devices) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_devices, "out_devices")? };
        out.give(Box::new(laps_devices { poison: Poison::default(), names: Vec::new() }));
        Ok(())
    })
}

/// Adds a device by its name, which is copied. Whether the vault has it is seen when it is used.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_devices_add(
    devices: *mut laps_devices,
    device: *const c_char,
    device_len: usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut devices, device) =
            unsafe { (pointer::exclusive(devices)?, pointer::text(device, device_len, "device")?) };
        devices.names.push(device.to_owned());
        Ok(())
    })
}

/// How many were added; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_devices_count(devices: *const laps_devices) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(devices) }?.names.len()))
}

/// Frees a list of devices.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_devices_free(devices: *mut laps_devices) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(devices) };
        Ok(())
    });
}

/// As laps_vault_order_rotation(), for several devices in one transaction with one entry in the
/// trail: all of them, or none when one is unknown or has no record (LAPS_STATUS_NOT_FOUND) or
/// cannot be read. One that was added twice counts once; at least one is needed. out_devices
/// receives how many have an order now that had none before.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_order_devices(
    vault: *const laps_vault,
    devices: *const laps_devices,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_devices: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, devices, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::shared(devices)?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_devices, "out_devices")?,
            )
        };
        let names: Vec<&str> = devices.names.iter().map(String::as_str).collect();
        let ordered = vault.vault.order_rotation(
            &vault.scope,
            Selection::Devices(&names),
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        out.set(receipt::keep(&vault, ordered).devices);
        Ok(())
    })
}

/// Whether an order to rotate is open for a device: out_ordered receives 1 or 0. Unlike
/// LAPS_FIELD_ORDERED also for a retired one, whose order waits until it is back in service.
/// LAPS_STATUS_NOT_FOUND for a device that the vault does not have.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_is_ordered(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    out_ordered: *mut u32,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                Out::new(out_ordered, "out_ordered")?,
            )
        };
        out.set(vault.vault.is_ordered(&vault.scope, device)?.into());
        Ok(())
    })
}
