//! The rows of the audit log.

use laps_core::identity::{RecordId, Timestamp};
use laps_core::vault::VaultError;
use laps_core::vault::audit::{Action, Entry};
use laps_core::vault::store::StoredEntry;
use rusqlite::Row;

use super::schema::ENTRIES;
use super::value::from_i64;

/// A page of the audit log.
pub(super) const ENTRIES_FROM: &str =
    "SELECT number, at, action, actor, reason, context, device, records, refers_to, detail, hash, \
     caller, reader
             FROM audit WHERE number >= :from AND number < :end ORDER BY number LIMIT :limit";
/// A page of what somebody did who was authenticated, or of what was typed so where nobody was.
pub(super) const ENTRIES_OF_CALLER: &str =
    "SELECT number, at, action, actor, reason, context, device, records, refers_to, detail, hash, \
     caller, reader
             FROM audit
             WHERE (caller = :name OR (caller = '' AND actor = :name)) AND number > :after AND \
     number < :end
             ORDER BY number LIMIT :limit";
/// A page of what was typed so.
pub(super) const ENTRIES_TYPED_AS: &str =
    "SELECT number, at, action, actor, reason, context, device, records, refers_to, detail, hash, \
     caller, reader
             FROM audit INDEXED BY audit_actor
             WHERE actor = :name AND number > :after AND number < :end
             ORDER BY number LIMIT :limit";
/// When entries were written.
pub(super) const TIMES: &str = "SELECT number, at FROM audit WHERE number >= :from AND number < \
                                :end ORDER BY number LIMIT :limit";

/// Where the entries of a scope begin in `audit`.
pub(super) fn base(scope: i64) -> Result<i64, VaultError> {
    scope.checked_mul(ENTRIES).ok_or(VaultError::Internal("too many scopes"))
}

/// A row of the audit log. What cannot be read is a finding about the row, not an error.
pub(super) fn stored_entry(base: i64, row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
    let number = row.get::<_, i64>(0)?.saturating_sub(base);
    let hash = row.get::<_, Vec<u8>>(10).ok().and_then(|hash| hash.try_into().ok());
    Ok(StoredEntry::new(from_i64(number), read_entry(row), hash.unwrap_or_default()))
}

fn read_entry(row: &Row<'_>) -> Result<Entry, String> {
    let wrong = |error: rusqlite::Error| error.to_string();
    let seconds: u64 = row.get::<_, i64>(1).map_err(wrong)?.try_into().map_err(|_| "at")?;
    let action = row.get::<_, u16>(2).map_err(wrong)?;
    let action = Action::from_u16(action).ok_or_else(|| format!("action {action}"))?;
    let at = Timestamp::from_unix_seconds(seconds);
    if at.as_unix_seconds() != seconds {
        return Err("at".to_owned());
    }
    let records: Vec<u8> = row.get(7).map_err(wrong)?;
    let (records, rest) = records.as_chunks::<16>();
    let hash: Vec<u8> = row.get(10).map_err(wrong)?;
    if !rest.is_empty() || hash.len() != 32 {
        return Err("records or hash".to_owned());
    }
    let mut entry = Entry::new(action, at);
    entry.actor = row.get(3).map_err(wrong)?;
    entry.reason = row.get(4).map_err(wrong)?;
    entry.context = row.get(5).map_err(wrong)?;
    entry.device = row.get(6).map_err(wrong)?;
    entry.records = records.iter().map(|id| RecordId::from_bytes(*id)).collect();
    entry.refers_to = row.get::<_, i64>(8).map_err(wrong)?.try_into().map_err(|_| "refers_to")?;
    entry.detail = row.get(9).map_err(wrong)?;
    entry.caller = row.get(11).map_err(wrong)?;
    let reader: Vec<u8> = row.get(12).map_err(wrong)?;
    if !reader.is_empty() {
        entry.reader = Some(reader.try_into().map_err(|_| "reader")?);
    }
    Ok(entry)
}
