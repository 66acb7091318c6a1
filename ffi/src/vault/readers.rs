//! The readers of a vault, and its retention. Only in the full build.
#![cfg(feature = "vault")]

use alloc::sync::Arc;
use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::identity::Timestamp;
use laps_core::seal::{Reader, ReaderId};
use laps_core::vault::Retention;
use laps_core::vault::{ReaderRow, Resealed, Unsealed, VaultError};

use super::{apart, confirmation, laps_vault, receipt};
use crate::failure::Failure;
use crate::pointer::{self, Out};
use crate::reader::laps_reader;
use crate::reader_key::laps_reader_key;
use crate::rows::{
    LAPS_FIELD_ADDED, LAPS_FIELD_DEVICE, LAPS_FIELD_READER, LAPS_FIELD_READER_ID,
    LAPS_FIELD_RECORD, LAPS_FIELD_REMOVED, LAPS_FIELD_WHY, Row, laps_rows,
};
use crate::status::{answer, laps_status};

/// Sets up another scope of a vault file with its first readers, 1 to 16 of one suite: open the
/// file with that scope first. laps_vault_init() has done so for its own.
/// LAPS_STATUS_ALREADY_EXISTS where readers are.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_initialise(
    vault: *const laps_vault,
    readers: *const *const laps_reader,
    reader_count: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, readers, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::objects(readers, reader_count, "readers")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let readers: Vec<Reader> = readers.iter().map(|reader| reader.reader.clone()).collect();
        let head = vault.vault.initialise(
            &vault.scope,
            &readers,
            Retention::default(),
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}

/// The readers that the vault knows, also those that were removed. Fields: READER, READER_ID,
/// ADDED, and REMOVED where it was.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_readers(
    vault: *const laps_vault,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, out) = unsafe { (pointer::shared(vault)?, Out::new(out_rows, "out_rows")?) };
        let readers = vault.vault.readers(&vault.scope)?;
        out.give(laps_rows::boxed(readers.iter().map(row).collect(), None));
        Ok(())
    })
}

/// Adds a reader. What is stored is sealed anew for it by laps_vault_reseal(), or, where the keys
/// are elsewhere, by way of laps_vault_resealing(). At most 16 of one suite.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_add_reader(
    vault: *const laps_vault,
    reader: *const laps_reader,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, reader, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::shared(reader)?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let head = vault.vault.add_reader(
            &vault.scope,
            &reader.reader,
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}

/// Removes a reader by its id of 32 bytes. With rotate, what it can open is ordered to rotate,
/// spread over rotate_within seconds; out_devices receives how many devices that is. What it has a
/// copy of stays readable to it. The last reader needs confirm. The orders follow the removal, a
/// thousand devices in each transaction: when they fail, or the process is killed between, go on
/// with laps_vault_order_readable().
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_remove_reader(
    vault: *const laps_vault,
    reader_id: *const u8,
    rotate: bool,
    rotate_within: u64,
    confirm: bool,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_devices: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, id, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::array::<32>(reader_id),
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_devices, "out_devices")?,
            )
        };
        let id = id.ok_or_else(|| Failure::new(Code::NullArgument, &"reader_id is NULL"))?;
        let removed = vault.vault.remove_reader(
            &vault.scope,
            &ReaderId::from_bytes(*id),
            rotate.then_some(rotate_within),
            confirmation(confirm),
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        out.set(receipt::keep(&vault, removed).devices);
        Ok(())
    })
}

/// Orders a new password for every device with a candidate that a reader can open, spread over
/// within seconds; the reader may have been removed. Its id has 32 bytes. out_devices receives how
/// many have an order now that had none before. A thousand devices in each transaction: after a
/// failure, call again.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_order_readable(
    vault: *const laps_vault,
    reader_id: *const u8,
    within: u64,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_devices: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, id, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::array::<32>(reader_id),
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_devices, "out_devices")?,
            )
        };
        let id = id.ok_or_else(|| Failure::new(Code::NullArgument, &"reader_id is NULL"))?;
        let ordered = vault.vault.order_readable(
            &vault.scope,
            &ReaderId::from_bytes(*id),
            within,
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        out.set(receipt::keep(&vault, ordered).devices);
        Ok(())
    })
}

/// Opens every record that is not sealed to exactly the readers of now and seals it anew, on all
/// cores; nothing is rotated. out_replaced receives how many; out_not_ours how many are not sealed
/// to this key, so that another reader has to seal them; out_failed those that could not be sealed
/// anew and stay as they were: DEVICE, RECORD, WHY; or DEVICE and DAMAGED. When it is stopped, the
/// next call goes on where it was. laps_vault_reseal_watched() asks before each step.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_reseal(
    vault: *const laps_vault,
    key: *const laps_reader_key,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
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
        let done = apart::reseal(&vault, Arc::clone(&key.key), actor, reason, now, None)?;
        replaced.set(done.replaced);
        not_ours.set(done.not_ours);
        failed.give(resealed(&done));
        Ok(())
    })
}

/// Sets how many displaced records of a device are kept, 1 to 65535, and that beyond those all are
/// that were displaced within so many days (0: no such rule). A shorter history takes effect at a
/// device's next change.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_set_history(
    vault: *const laps_vault,
    records: u16,
    days: u16,
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
        if records == 0 {
            return Err(Failure::new(
                Code::InvalidArgument,
                &"records is 0; 1 or more is accepted",
            ));
        }
        let setting = Retention::count(records);
        let setting = if days == 0 { setting } else { setting.with_days(days) };
        let head = vault.vault.set_retention(
            &vault.scope,
            setting,
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        receipt::keep(&vault, head);
        Ok(())
    })
}

/// What laps_vault_set_history() set: how many displaced records of a device are kept, and within
/// how many days all are (0: no such rule).
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_history(
    vault: *const laps_vault,
    out_records: *mut u32,
    out_days: *mut u32,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, records, days) = unsafe {
            (
                pointer::shared(vault)?,
                Out::new(out_records, "out_records")?,
                Out::new(out_days, "out_days")?,
            )
        };
        let setting = vault.vault.retention(&vault.scope)?;
        records.set(setting.count.into());
        days.set(setting.days.unwrap_or(0).into());
        Ok(())
    })
}

/// What could not be sealed anew.
pub(super) fn resealed(done: &Resealed) -> Box<laps_rows> {
    let mut rows: Vec<Row> = done.failed.iter().map(unsealed).collect();
    rows.extend(done.damaged.iter().map(Row::damaged));
    laps_rows::boxed(rows, None)
}

fn row(known: &ReaderRow) -> Row {
    Row::default()
        .text(LAPS_FIELD_READER, &known.reader)
        .text(LAPS_FIELD_READER_ID, known.reader.id())
        .number(LAPS_FIELD_ADDED, known.added.as_unix_seconds())
        .number_if(LAPS_FIELD_REMOVED, known.removed.map(Timestamp::as_unix_seconds))
}

pub(super) fn unsealed(one: &Unsealed) -> Row {
    let why: &VaultError = &one.why;
    Row::default()
        .text(LAPS_FIELD_DEVICE, one.device)
        .text(LAPS_FIELD_RECORD, one.record)
        .text(LAPS_FIELD_WHY, why)
}
