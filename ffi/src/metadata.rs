//! Looking at a vault without the power to hand anything out. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::codec::Hex;
use laps_core::identity::{Scope, Timestamp};
use laps_core::vault::{DeviceRow, Metadata, RecordRow};
use laps_host::sqlite::SqliteStore;

use crate::pointer::{self, Out, Poison, object};
use crate::rows::{
    LAPS_FIELD_ACCOUNT, LAPS_FIELD_CANDIDATES, LAPS_FIELD_CONFIRMED, LAPS_FIELD_DEVICE,
    LAPS_FIELD_DISPLACED, LAPS_FIELD_EXPIRES, LAPS_FIELD_FINDINGS, LAPS_FIELD_FORMER_ACCOUNTS,
    LAPS_FIELD_LAST_SEEN, LAPS_FIELD_MADE_AT, LAPS_FIELD_OPENED, LAPS_FIELD_ORDER_AT,
    LAPS_FIELD_ORDERED, LAPS_FIELD_OUTCOME, LAPS_FIELD_OUTCOME_AT, LAPS_FIELD_OUTCOME_ID,
    LAPS_FIELD_OUTCOME_REASON, LAPS_FIELD_PROVEN_AT, LAPS_FIELD_READER_IDS, LAPS_FIELD_RECORD,
    LAPS_FIELD_RESET_AT, LAPS_FIELD_RULED_OUT, LAPS_FIELD_SID, LAPS_FIELD_STALE_READERS,
    LAPS_FIELD_STATE, LAPS_FIELD_UPDATED, LAPS_FIELD_VERSION, LAPS_FIELD_WAITS_UNTIL, Row,
    laps_rows,
};
use crate::status::{answer, laps_status, value};
use crate::vault::laps_vault;

/// What a vault knows but its sealed records: names, versions, times, states. It can hand nothing
/// out and change nothing. Threads may share it.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_metadata {
    poison: Poison,
    scope: Scope,
    metadata: Metadata<SqliteStore>,
}
object!(laps_metadata);

/// Figures about a vault.
#[cfg(feature = "vault")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "C sees every field")]
pub struct laps_stats {
    /// Devices, retired ones included.
    pub devices: u64,
    /// Devices that have one password, and know it.
    pub settled: u64,
    /// Devices whose rotation is under way, or that committed nothing yet.
    pub pending: u64,
    /// Devices that may have one of several passwords.
    pub uncertain: u64,
    /// Devices whose password in use names no active reader.
    pub unreadable: u64,
    /// Devices whose last rotation failed.
    pub failed: u64,
    /// Devices taken out of service.
    pub retired: u64,
    /// Devices that the vault cannot read.
    pub damaged: u64,
    /// Devices with an open order to rotate.
    pub ordered: u64,
    /// Devices whose due date has passed.
    pub overdue: u64,
    /// Records that devices may hold.
    pub candidates: u64,
    /// Records in history.
    pub history: u64,
    /// Entries of the trail.
    pub entries: u64,
}

/// The vault without the power to hand anything out or to change anything. It lives on when the
/// vault is freed.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_metadata(
    vault: *const laps_vault,
    out_metadata: *mut *mut laps_metadata,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, out) =
            unsafe { (pointer::shared(vault)?, Out::new(out_metadata, "out_metadata")?) };
        let (scope, metadata) = (vault.scope, vault.vault.metadata());
        out.give(Box::new(laps_metadata { poison: Poison::default(), scope, metadata }));
        Ok(())
    })
}

/// Devices by name, those behind after (empty: from the first), at most limit, 1 to 10000. Fields:
/// DEVICE, ACCOUNT, SID, VERSION, STATE, ORDERED, UPDATED, EXPIRES, LAST_SEEN, OUTCOME and its own,
/// CANDIDATES, FINDINGS, RESET_AT, WAITS_UNTIL, ORDER_AT, PROVEN_AT, FORMER_ACCOUNTS; or DEVICE and
/// DAMAGED.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_metadata_list(
    metadata: *const laps_metadata,
    after: *const c_char,
    after_len: usize,
    limit: usize,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (metadata, after, out) = unsafe {
            (
                pointer::shared(metadata)?,
                pointer::text(after, after_len, "after")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let after = Some(after).filter(|after| !after.is_empty());
        let page = metadata.metadata.list(&metadata.scope, after, limit)?;
        let mut rows: Vec<Row> = page.items.iter().map(device_row).collect();
        rows.extend(page.damaged.iter().map(Row::damaged));
        out.give(laps_rows::boxed(rows, page.next));
        Ok(())
    })
}

/// One device: one row with the fields of laps_metadata_list().
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_metadata_show(
    metadata: *const laps_metadata,
    device: *const c_char,
    device_len: usize,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (metadata, name, out) = unsafe {
            (
                pointer::shared(metadata)?,
                pointer::text(device, device_len, "device")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let row = device_row(&metadata.metadata.show(&metadata.scope, name)?);
        out.give(laps_rows::boxed(vec![row], None));
        Ok(())
    })
}

/// The records of a device without their content: current, pending, history. Fields: RECORD,
/// VERSION, STATE, UPDATED, DISPLACED, RULED_OUT, STALE_READERS, CONFIRMED, OPENED, ACCOUNT,
/// MADE_AT, READER_IDS.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_metadata_history(
    metadata: *const laps_metadata,
    device: *const c_char,
    device_len: usize,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (metadata, device, out) = unsafe {
            (
                pointer::shared(metadata)?,
                pointer::text(device, device_len, "device")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let records = metadata.metadata.history(&metadata.scope, device)?;
        out.give(laps_rows::boxed(records.iter().map(record).collect(), None));
        Ok(())
    })
}

/// Devices by due date, those that are due no later than until; after is laps_rows_next() of the
/// page before, or empty. Fields: DEVICE, EXPIRES, ORDERED; or DEVICE and DAMAGED. Costs grow with
/// the answer, not with the vault.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_metadata_due(
    metadata: *const laps_metadata,
    until: u64,
    after: *const c_char,
    after_len: usize,
    limit: usize,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (metadata, after, out) = unsafe {
            (
                pointer::shared(metadata)?,
                pointer::text(after, after_len, "after")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let after = Some(after).filter(|after| !after.is_empty());
        let until = Timestamp::from_unix_seconds(until);
        let page = metadata.metadata.due(&metadata.scope, until, after, limit)?;
        let due = |row: &laps_core::vault::DueRow| {
            Row::default()
                .text(LAPS_FIELD_DEVICE, row.device)
                .number(LAPS_FIELD_EXPIRES, row.due.as_unix_seconds())
                .number(LAPS_FIELD_ORDERED, u64::from(row.ordered))
        };
        let mut rows: Vec<Row> = page.items.iter().map(due).collect();
        rows.extend(page.damaged.iter().map(Row::damaged));
        out.give(laps_rows::boxed(rows, page.next));
        Ok(())
    })
}

/// Figures about the vault. Costs grow with the vault.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_metadata_stats(
    metadata: *const laps_metadata,
    now: u64,
    out_stats: *mut laps_stats,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (metadata, out) =
            unsafe { (pointer::shared(metadata)?, Out::new(out_stats, "out_stats")?) };
        let stats = metadata.metadata.stats(&metadata.scope, Timestamp::from_unix_seconds(now))?;
        out.set(laps_stats {
            devices: stats.devices,
            settled: stats.settled,
            pending: stats.pending,
            uncertain: stats.uncertain,
            unreadable: stats.unreadable,
            failed: stats.failed,
            retired: stats.retired,
            damaged: stats.damaged,
            ordered: stats.ordered,
            overdue: stats.overdue,
            candidates: stats.candidates,
            history: stats.history,
            entries: stats.entries,
        });
        Ok(())
    })
}

/// Frees metadata.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_metadata_free(metadata: *mut laps_metadata) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(metadata) };
        Ok(())
    });
}

fn device_row(row: &DeviceRow) -> Row {
    let outcome = row.outcome.as_ref();
    let former: Vec<String> =
        row.accounts.iter().map(|former| former.account.to_string()).collect();
    Row::default()
        .text(LAPS_FIELD_DEVICE, row.device)
        .text(LAPS_FIELD_ACCOUNT, row.account)
        .text_if(LAPS_FIELD_SID, row.sid)
        .number_if(LAPS_FIELD_VERSION, row.version)
        .text(LAPS_FIELD_STATE, row.state.as_str())
        .number(LAPS_FIELD_ORDERED, u64::from(row.ordered))
        .number_if(LAPS_FIELD_UPDATED, row.updated.map(Timestamp::as_unix_seconds))
        .number_if(LAPS_FIELD_EXPIRES, row.expires.map(Timestamp::as_unix_seconds))
        .number(LAPS_FIELD_LAST_SEEN, row.last_seen.as_unix_seconds())
        .text_if(LAPS_FIELD_OUTCOME, outcome.map(|outcome| outcome.kind.name()))
        .text_if(LAPS_FIELD_OUTCOME_REASON, outcome.map(|outcome| outcome.reason.name()))
        .number_if(
            LAPS_FIELD_OUTCOME_ID,
            outcome.and_then(laps_core::rotation::event::Outcome::id).map(u64::from),
        )
        .number_if(LAPS_FIELD_OUTCOME_AT, outcome.map(|outcome| outcome.at.as_unix_seconds()))
        .number(LAPS_FIELD_CANDIDATES, u64::try_from(row.candidates).unwrap_or(u64::MAX))
        .text(LAPS_FIELD_FINDINGS, row.findings.names().collect::<Vec<_>>().join(" "))
        .number_if(LAPS_FIELD_RESET_AT, row.reset_at.map(Timestamp::as_unix_seconds))
        .number_if(LAPS_FIELD_WAITS_UNTIL, row.waits_until.map(Timestamp::as_unix_seconds))
        .number_if(LAPS_FIELD_ORDER_AT, row.order_at.map(Timestamp::as_unix_seconds))
        .number_if(LAPS_FIELD_PROVEN_AT, row.proven_at.map(Timestamp::as_unix_seconds))
        .text(LAPS_FIELD_FORMER_ACCOUNTS, former.join("\n"))
}

fn record(row: &RecordRow) -> Row {
    let ids: Vec<String> = row.readers.iter().map(|id| Hex(id).to_string()).collect();
    Row::default()
        .text(LAPS_FIELD_RECORD, row.record)
        .number(LAPS_FIELD_VERSION, row.version)
        .text(LAPS_FIELD_STATE, row.state.as_str())
        .number(LAPS_FIELD_UPDATED, row.updated.as_unix_seconds())
        .number_if(LAPS_FIELD_DISPLACED, row.displaced.map(Timestamp::as_unix_seconds))
        .number(LAPS_FIELD_RULED_OUT, u64::from(row.ruled_out))
        .number(LAPS_FIELD_STALE_READERS, u64::from(row.stale_readers))
        .number(LAPS_FIELD_CONFIRMED, u64::from(row.confirmed))
        .text(LAPS_FIELD_OPENED, row.opened.as_str())
        .text_if(LAPS_FIELD_ACCOUNT, row.account)
        .number_if(LAPS_FIELD_MADE_AT, row.made_at.map(Timestamp::as_unix_seconds))
        .text(LAPS_FIELD_READER_IDS, ids.join(" "))
}
