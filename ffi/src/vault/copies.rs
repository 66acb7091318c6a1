//! Copies of a vault, moves between vaults, older schemas. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::c_char;
use std::path::Path;

use laps_core::identity::{Scope, Timestamp};
use laps_core::vault::Request;
use laps_host::sqlite;

use super::{boxed, laps_vault};
use crate::pointer::{self, Out};
use crate::rows::{LAPS_FIELD_COPY, LAPS_FIELD_SCHEMA, LAPS_FIELD_SCHEMA_BEFORE, Row, laps_rows};
use crate::status::{answer, laps_status};

/// Copies a vault to a new file, whole, while others work on it. It is in the trail first.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_back_up(
    vault: *const laps_vault,
    path: *const c_char,
    path_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, path, actor, reason) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(path, path_len, "path")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let request = vault.request(actor, reason);
        let now = Timestamp::from_unix_seconds(now);
        sqlite::back_up(&vault.vault, Path::new(path), &request, now)?;
        Ok(())
    })
}

/// Puts a copy of a vault in a place where none is, and opens it. That is in its trail; devices
/// that know a later head of it say so at their next check-in.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_restore(
    copy: *const c_char,
    copy_len: usize,
    path: *const c_char,
    path_len: usize,
    scope: *const c_char,
    scope_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_vault: *mut *mut laps_vault,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (copy, path, scope, actor, reason, out) = unsafe {
            (
                pointer::text(copy, copy_len, "copy")?,
                pointer::text(path, path_len, "path")?,
                pointer::text(scope, scope_len, "scope")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_vault, "out_vault")?,
            )
        };
        let scope = Scope::new(scope)?;
        let request = Request::new(actor, reason);
        let now = Timestamp::from_unix_seconds(now);
        let vault = sqlite::restore(Path::new(copy), Path::new(path), &request, now)?;
        out.give(boxed(scope, vault));
        Ok(())
    })
}

/// Brings a vault of an older schema to the one of this version. With keep, the file from before
/// stays beside it, under its name with ".schema-" and the number of its schema behind it.
/// laps_vault_migrate_report() tells what it did.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_migrate(
    path: *const c_char,
    path_len: usize,
    keep: bool,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (path, actor, reason) = unsafe {
            (
                pointer::text(path, path_len, "path")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
            )
        };
        let request = Request::new(actor, reason);
        sqlite::migrate(Path::new(path), keep, &request, Timestamp::from_unix_seconds(now))?;
        Ok(())
    })
}

/// As laps_vault_migrate(), and reports what it did in one row: SCHEMA_BEFORE, SCHEMA, and COPY
/// with keep.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_migrate_report(
    path: *const c_char,
    path_len: usize,
    keep: bool,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (path, actor, reason, out) = unsafe {
            (
                pointer::text(path, path_len, "path")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_rows, "out_rows")?,
            )
        };
        let request = Request::new(actor, reason);
        let now = Timestamp::from_unix_seconds(now);
        let done = sqlite::migrate(Path::new(path), keep, &request, now)?;
        let schema = |schema: i32| u64::try_from(schema).unwrap_or(0);
        let row = Row::default()
            .number(LAPS_FIELD_SCHEMA_BEFORE, schema(done.from))
            .number(LAPS_FIELD_SCHEMA, schema(done.to))
            .text_if(LAPS_FIELD_COPY, done.copy.as_deref().map(Path::display));
        out.give(laps_rows::boxed(vec![row], None));
        Ok(())
    })
}

/// Devices with everything that is kept about them, for another vault; nothing in it opens
/// anything. Those behind after (empty: from the first), at most limit, 1 to 1000. Each row has
/// bytes; write them one behind the other for laps_vault_import(). A device that is left out
/// because the vault cannot read it is a row with DEVICE and DAMAGED.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_export(
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
        let page = vault.vault.export(&vault.scope, after, limit, &request, now)?;
        let mut rows: Vec<Row> =
            page.items.into_iter().map(|frame| Row::default().bytes(frame)).collect();
        rows.extend(page.damaged.iter().map(Row::damaged));
        out.give(laps_rows::boxed(rows, page.next));
        Ok(())
    })
}

/// Takes exported devices in, all of them or none; out_devices receives how many.
/// laps_vault_import_watched() tells how far it is.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_import(
    vault: *const laps_vault,
    bytes: *const u8,
    bytes_len: usize,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
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
        let count = vault.vault.import(&vault.scope, bytes, &request, now)?;
        out.set(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(())
    })
}
