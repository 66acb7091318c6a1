//! The row of a scope: its number, the end of its audit log, its readers.

use laps_core::identity::Scope;
use laps_core::vault::readers::Readers;
use laps_core::vault::{AuditHead, VaultError};
use rusqlite::named_params;

use super::rows::{ScopeRow, Tables};
use super::value::damaged;

impl Tables<'_> {
    /// The row of a scope, read once in a transaction.
    pub(super) fn find_scope(
        &mut self,
        scope: &Scope,
    ) -> Result<Option<&mut ScopeRow>, VaultError> {
        if self.loaded.scope.as_ref().is_none_or(|(known, _)| known != scope) {
            let row = self.one(
                "SELECT number, entries, head, readers FROM scope WHERE name = :name",
                named_params! { ":name": scope.as_str() },
                |row| {
                    let (entries, head): (i64, Vec<u8>) = (row.get(1)?, row.get(2)?);
                    let head = u64::try_from(entries)
                        .ok()
                        .zip(head.try_into().ok())
                        .map(|(entries, head)| AuditHead::new(entries, head))
                        .ok_or_else(|| damaged("the end of the audit log", ""));
                    let readers: Vec<u8> = row.get(3)?;
                    let readers =
                        Readers::from_bytes(&readers).ok_or_else(|| damaged("the readers", ""));
                    Ok(ScopeRow { number: row.get(0)?, head, readers })
                },
            )?;
            self.loaded.scope = row.map(|row| (*scope, row));
        }
        Ok(self.loaded.scope.as_mut().map(|(_, row)| row))
    }

    /// The number of a scope, which is added if it is not there.
    pub(super) fn make_scope(&mut self, scope: &Scope) -> Result<i64, VaultError> {
        if let Some(found) = self.find_scope(scope)? {
            return Ok(found.number);
        }
        self.run(
            "INSERT INTO scope (name, entries, head, readers) VALUES (:name, 0, :head, :readers)",
            named_params! {
                ":name": scope.as_str(),
                ":head": AuditHead::EMPTY.hash.as_slice(),
                ":readers": Readers::default().to_bytes(),
            },
        )?;
        Ok(self.connection.last_insert_rowid())
    }
}
