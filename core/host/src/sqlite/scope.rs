//! The row of a scope: its number, the end of its audit log, its readers.

use laps_core::identity::Scope;
use laps_core::vault::readers::Readers;
use laps_core::vault::{AuditHead, VaultError};
use rusqlite::named_params;

use super::rows::{ScopeRow, Tables};
use super::value::damaged;

/// The end of the audit log of a scope, and its readers.
type ScopeRead = (Result<AuditHead, VaultError>, Result<Readers, VaultError>);

impl Tables<'_> {
    /// Reads the row of a scope: the end of its log, and its readers.
    pub(super) fn read_scope(&mut self, scope: &Scope) -> Result<ScopeRead, VaultError> {
        let row = self.one(
            "SELECT number, entries, head, readers FROM scope WHERE name = :name",
            named_params! { ":name": scope.as_str() },
            |row| {
                let head = row.get_ref(2)?.as_blob().ok().and_then(|head| head.try_into().ok());
                let head = u64::try_from(row.get::<_, i64>(1)?)
                    .ok()
                    .zip(head)
                    .map(|(entries, head)| AuditHead::new(entries, head))
                    .ok_or_else(|| damaged("the end of the audit log", ""));
                let readers = row.get_ref(3)?.as_blob().ok().and_then(Readers::from_bytes);
                let readers = readers.ok_or_else(|| damaged("the readers", ""));
                Ok((ScopeRow { number: row.get(0)?, head: head.clone() }, (head, readers)))
            },
        )?;
        let (row, read) = row.unzip();
        self.loaded.scope = row.map(|row| (*scope, row));
        Ok(read.unwrap_or_else(|| (Ok(AuditHead::EMPTY), Ok(Readers::default()))))
    }

    /// What is known of the row of a scope, read once in a transaction.
    pub(super) fn find_scope(&mut self, scope: &Scope) -> Result<Option<&ScopeRow>, VaultError> {
        if self.loaded.scope.as_ref().is_none_or(|(known, _)| known != scope) {
            drop(self.read_scope(scope)?);
        }
        Ok(self.loaded.scope.as_ref().map(|(_, row)| row))
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
