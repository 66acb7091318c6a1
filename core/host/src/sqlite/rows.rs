//! The rows that one transaction reads and writes, and what it remembers of the last ones.

use std::path::Path;

use laps_core::identity::Scope;
use laps_core::vault::readers::Readers;
use laps_core::vault::{AuditHead, VaultError};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, ToSql};

use super::fault::{self, explain};
use super::latest::Latest;
use super::settled::Settled;
use crate::stop;

/// The rows of one transaction.
pub(super) struct Rows<'c> {
    pub(super) connection: &'c Connection,
    path: &'c Path,
    /// The scope that was asked for last: a check-in asks for it five times. Nobody else writes
    /// while this transaction does, and one that only reads sees one state.
    pub(super) scope: Option<(Scope, ScopeRow)>,
    /// The ancestry of the device that was asked for last.
    pub(super) latest: Option<Latest>,
    /// The row of the device that was asked for last.
    pub(super) settled: Option<Settled>,
}

impl<'c> Rows<'c> {
    pub(super) const fn new(connection: &'c Connection, path: &'c Path) -> Self {
        Self { connection, path, scope: None, latest: None, settled: None }
    }

    /// A statement, unless the call is to end.
    fn prepared(&self, sql: &str) -> Result<CachedStatement<'c>, VaultError> {
        if stop::is_ended() {
            return Err(fault::ended(self.path).into());
        }
        self.connection.prepare_cached(sql).map_err(|error| self.explain(&error))
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        parameters: &[(&str, &dyn ToSql)],
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, VaultError> {
        let mut statement = self.prepared(sql)?;
        statement.query_row(parameters, read).optional().map_err(|e| self.explain(&e))
    }

    pub(super) fn many<T>(
        &self,
        sql: &str,
        parameters: &[(&str, &dyn ToSql)],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, VaultError> {
        let mut statement = self.prepared(sql)?;
        let rows = statement.query_map(parameters, read).map_err(|e| self.explain(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.explain(&e))
    }

    /// Runs a statement; how many rows it changed.
    pub(super) fn run(
        &self,
        sql: &str,
        parameters: &[(&str, &dyn ToSql)],
    ) -> Result<usize, VaultError> {
        let mut statement = self.prepared(sql)?;
        statement.execute(parameters).map_err(|e| self.explain(&e))
    }

    /// Runs a statement that must change a row.
    pub(super) fn change(
        &self,
        sql: &str,
        parameters: &[(&str, &dyn ToSql)],
    ) -> Result<(), VaultError> {
        match self.run(sql, parameters)? {
            0 => Err(VaultError::Internal("a row that should be there is not")),
            _ => Ok(()),
        }
    }

    fn explain(&self, error: &rusqlite::Error) -> VaultError {
        explain(self.path, error)
    }
}

/// The row of a scope.
#[derive(Clone)]
pub(super) struct ScopeRow {
    pub(super) number: i64,
    pub(super) head: Result<AuditHead, VaultError>,
    pub(super) readers: Result<Readers, VaultError>,
}
