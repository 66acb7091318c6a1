//! Reading the audit log. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::{c_char, c_void};

use laps_core::codec::Hex;
use laps_core::vault::query::MAX_PAGE;
use laps_core::vault::store::StoredEntry;

use super::watched::{laps_progress, reporter};
use super::{head, laps_vault};
use crate::pointer::{self, Buffer, Out};
use crate::rows::{
    LAPS_FIELD_ACTION, LAPS_FIELD_ACTOR, LAPS_FIELD_AT, LAPS_FIELD_CALLER, LAPS_FIELD_CONTEXT,
    LAPS_FIELD_COUNT, LAPS_FIELD_DAMAGED, LAPS_FIELD_DETAIL, LAPS_FIELD_DEVICE, LAPS_FIELD_EARLIER,
    LAPS_FIELD_FIRST_BAD, LAPS_FIELD_HASH, LAPS_FIELD_HEAD, LAPS_FIELD_NUMBER, LAPS_FIELD_REASON,
    LAPS_FIELD_RECORDS, LAPS_FIELD_REFERS_TO, LAPS_FIELD_VERIFIED, LAPS_FIELD_WHY, Row, laps_rows,
};
use crate::status::{answer, laps_status};

/// Entries of the trail as they are stored, those behind number after (0: from the first), at most
/// limit, 1 to 10000. Whether they were changed, only laps_vault_audit_verify() tells. Fields:
/// NUMBER, HASH, AT, ACTION, ACTOR, REASON, CONTEXT, DEVICE, RECORDS, REFERS_TO, DETAIL, EARLIER;
/// or NUMBER, HASH, DAMAGED, WHY.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_audit_entries(
    vault: *const laps_vault,
    after: u64,
    limit: usize,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, out) = unsafe { (pointer::shared(vault)?, Out::new(out_rows, "out_rows")?) };
        let entries = vault.vault.audit_entries(&vault.scope, after, limit.clamp(1, MAX_PAGE))?;
        out.give(laps_rows::boxed(entries.iter().map(row).collect(), None));
        Ok(())
    })
}

/// The head of the trail now: its length and hash. Keep it, laps_vault_audit_verify() compares with
/// it.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_audit_head(
    vault: *const laps_vault,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, buffer) = unsafe {
            (pointer::shared(vault)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let head = vault.vault.audit_head(&vault.scope)?.to_string();
        buffer.fill_utf8(&head)?;
        Ok(())
    })
}

/// Verifies the audit trail as laps_vault_audit_verify() does, and reports what it found in one
/// row. A broken trail is LAPS_STATUS_OK here: look at VERIFIED. Fields: VERIFIED, COUNT, HEAD, and
/// FIRST_BAD where it is broken. progress is told about once in a thousand entries how many were
/// looked at, and of how many the vault knows; NULL: nobody is told. user goes to progress, and may
/// be NULL. The verification cannot be stopped.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_audit_report(
    vault: *const laps_vault,
    expect: *const c_char,
    expect_len: usize,
    progress: laps_progress,
    user: *mut c_void,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, expect, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(expect, expect_len, "expect")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let expect = if expect.is_empty() { None } else { Some(head(expect)?) };
        let mut told = reporter(progress, user);
        let report = vault.vault.audit_verify_watched(&vault.scope, expect, &mut told)?;
        let row = Row::default()
            .number(LAPS_FIELD_VERIFIED, report.ok.into())
            .number(LAPS_FIELD_COUNT, report.entries)
            .text(LAPS_FIELD_HEAD, report.head)
            .number_if(LAPS_FIELD_FIRST_BAD, report.first_bad);
        out.give(laps_rows::boxed(vec![row], None));
        Ok(())
    })
}

fn row(stored: &StoredEntry) -> Row {
    let row = Row::default()
        .number(LAPS_FIELD_NUMBER, stored.number)
        .text(LAPS_FIELD_HASH, Hex(&stored.hash).to_string());
    let entry = match &stored.entry {
        Ok(entry) => entry,
        Err(why) => return row.number(LAPS_FIELD_DAMAGED, 1).text(LAPS_FIELD_WHY, why),
    };
    let records: Vec<String> = entry.records.iter().map(ToString::to_string).collect();
    row.number(LAPS_FIELD_AT, entry.at.as_unix_seconds())
        .text(LAPS_FIELD_ACTION, entry.action.as_str())
        .text(LAPS_FIELD_CALLER, &entry.caller)
        .text(LAPS_FIELD_ACTOR, &entry.actor)
        .text(LAPS_FIELD_REASON, &entry.reason)
        .text(LAPS_FIELD_CONTEXT, &entry.context)
        .text(LAPS_FIELD_DEVICE, &entry.device)
        .text(LAPS_FIELD_RECORDS, records.join(" "))
        .number(LAPS_FIELD_REFERS_TO, entry.refers_to)
        .text(LAPS_FIELD_DETAIL, &entry.detail)
        .number(LAPS_FIELD_EARLIER, stored.earlier.into())
}
