//! Orders to rotate many devices, and what became of a disclosure. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::identity::Timestamp;
use laps_core::vault::{Selection, Who};

use super::{laps_vault, receipt};
use crate::pointer::{self, Out};
use crate::status::{answer, laps_status};

/// Orders a new password for every device; each obeys at its next check-in, a retired one too.
/// out_devices receives how many have an order now that had none before. A thousand devices in each
/// transaction: after a failure, call again.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_order_all(
    vault: *const laps_vault,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_devices: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_devices, "out_devices")?,
            )
        };
        let ordered = vault.vault.order_rotation(
            &vault.scope,
            Selection::All,
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        out.set(receipt::keep(&vault, ordered).devices);
        Ok(())
    })
}

/// As laps_vault_order_all(), for every device whose due date has passed.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_order_overdue(
    vault: *const laps_vault,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_devices: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_devices, "out_devices")?,
            )
        };
        let ordered = vault.vault.order_rotation(
            &vault.scope,
            Selection::Overdue,
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        out.set(receipt::keep(&vault, ordered).devices);
        Ok(())
    })
}

/// As laps_vault_order_all(), for every device that may hold now what this actor was shown at the
/// time since or later: by a disclosure, whatever was noted about it with
/// laps_vault_record_outcome(), by an export, or by records that were handed out to be sealed anew
/// or given back. A back-up counts as all that was stored until an hour behind its entry in the
/// trail.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_order_revealed_by(
    vault: *const laps_vault,
    whom: *const c_char,
    whom_len: usize,
    since: u64,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_devices: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, whom, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(whom, whom_len, "whom")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_devices, "out_devices")?,
            )
        };
        let ordered = vault.vault.order_rotation(
            &vault.scope,
            Selection::RevealedBy {
                who: Who::Caller(whom),
                since: Timestamp::from_unix_seconds(since),
            },
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        out.set(receipt::keep(&vault, ordered).devices);
        Ok(())
    })
}

/// Notes whether what an entry of the trail disclosed was opened; see laps_disclosure_entry().
/// Without such a note it counts as revealed.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_record_outcome(
    vault: *const laps_vault,
    entry: u64,
    opened: bool,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let head = vault.vault.record_outcome(
            &vault.scope,
            entry,
            opened,
            &[],
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}
