//! Sealing records anew with a key that is elsewhere: pages out, records back. Only in the full
//! build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::identity::Timestamp;
use laps_core::vault::Resealing;

use super::laps_vault;
use super::readers::unsealed;
use crate::pointer::{self, Out};
use crate::record::laps_record;
use crate::rows::{LAPS_FIELD_DEVICE, LAPS_FIELD_RECORD, Row, laps_rows};
use crate::status::{answer, laps_status};

/// Records that are not sealed to exactly the readers of now, of those devices behind after (empty:
/// from the first), at most limit devices, 1 to 1000, for a vault whose readers' keys are
/// elsewhere: there laps_record_parse() and laps_reader_key_reseal(), and back with
/// laps_vault_take_resealed(). Seal to readers that you know, from a signed set
/// (laps_reader_set_verify()) or a list of your own: who keeps the vault could name you one of
/// theirs. The handing out is in the trail. Fields: DEVICE, RECORD and the bytes of the record;
/// DEVICE, RECORD and DAMAGED for one whose bytes are damaged; DEVICE and DAMAGED for a device that
/// the vault cannot read. A page may be empty and still not the last one.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_resealing(
    vault: *const laps_vault,
    after: *const c_char,
    after_len: usize,
    limit: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, after, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(after, after_len, "after")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let after = Some(after).filter(|after| !after.is_empty());
        let request = vault.request(actor, reason);
        let now = Timestamp::from_unix_seconds(now);
        let page = vault.vault.export_for_resealing(&vault.scope, after, limit, &request, now)?;
        let mut rows: Vec<Row> = page.items.into_iter().map(exported).collect();
        let damaged = page.damaged_records.iter();
        rows.extend(damaged.map(|(device, record)| Row::damaged_record(device, record)));
        rows.extend(page.damaged.iter().map(Row::damaged));
        out.give(laps_rows::boxed(rows, page.next));
        Ok(())
    })
}

/// Takes back records of laps_vault_resealing() that were sealed anew. Each must hold the same
/// password for the same purpose, sealed to readers of now. out_replaced receives how many replaced
/// what was stored; those that are gone, were taken already, or were sealed anew by somebody else
/// meanwhile are left out, so a page may be given back again. out_failed receives those that were
/// refused and stay as they were: DEVICE, RECORD, WHY. After a call that fails, what it took stays,
/// and all may be given back again. The vault opens nothing, so it cannot tell whether a reader can
/// open what it takes: let only those give records back whom you trust not to destroy them.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_take_resealed(
    vault: *const laps_vault,
    resealed: *const *const laps_record,
    resealed_count: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_replaced: *mut u64,
    out_failed: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, resealed, actor, reason, replaced, failed) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::objects(resealed, resealed_count, "resealed")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_replaced, "out_replaced")?,
                Out::new(out_failed, "out_failed")?,
            )
        };
        let items: Vec<Resealing> = resealed.iter().map(|record| imported(record)).collect();
        let request = vault.request(actor, reason);
        let now = Timestamp::from_unix_seconds(now);
        let done = vault.vault.import_resealed_each(&vault.scope, &items, &request, now)?;
        replaced.set(done.replaced);
        failed.give(laps_rows::boxed(done.failed.iter().map(unsealed).collect(), None));
        Ok(())
    })
}

fn exported(item: Resealing) -> Row {
    Row::default()
        .text(LAPS_FIELD_DEVICE, item.device)
        .text(LAPS_FIELD_RECORD, item.record)
        .bytes(item.sealed)
}

/// A record says itself whose it is; the vault compares it with the one that it has under that
/// name.
fn imported(record: &laps_record) -> Resealing {
    let header = record.record.header();
    Resealing::new(header.device, header.id, record.record.as_bytes().to_vec())
}
