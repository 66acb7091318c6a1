//! The tables as one transaction sees them, and what it has read of their rows.

use alloc::collections::BTreeMap;
use std::path::Path;

use laps_core::identity::Scope;
use laps_core::vault::store::{DeviceKey, Places};
use laps_core::vault::{AuditHead, VaultError};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, ToSql};

use super::fault::{self, explain};
use super::latest::Latest;
use crate::stop;

/// The tables, in one transaction.
pub(super) struct Tables<'c> {
    pub(super) connection: &'c Connection,
    path: &'c Path,
    pub(super) loaded: &'c mut Loaded,
    /// Whether it may write what it has read.
    pub(super) writes: bool,
}

/// What one transaction has read. Nobody else writes while it does, and one that only reads sees
/// one state.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) scope: Option<(Scope, ScopeRow)>,
    /// Devices that were found by name.
    pub(super) devices: BTreeMap<DeviceKey, LoadedDevice>,
}

/// What the row of a device has besides its state, with what `in_flight` has of it.
pub(super) struct LoadedDevice {
    /// Whether `in_flight` has a row.
    pub(super) apart: bool,
    /// The places that stand in the row; none when they are damaged.
    pub(super) settled: Option<Places>,
    /// Those that stand in `in_flight`.
    pub(super) fresh: Places,
    /// None for an ancestry that is damaged.
    pub(super) latest: Option<Latest>,
}

impl<'c> Tables<'c> {
    /// In a transaction that may write.
    pub(super) const fn new(
        connection: &'c Connection,
        path: &'c Path,
        loaded: &'c mut Loaded,
    ) -> Self {
        Self { connection, path, loaded, writes: true }
    }

    /// In one that only reads.
    pub(super) const fn to_read(
        connection: &'c Connection,
        path: &'c Path,
        loaded: &'c mut Loaded,
    ) -> Self {
        Self { connection, path, loaded, writes: false }
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

/// What the rest of a transaction needs of the row of a scope.
#[derive(Clone)]
pub(super) struct ScopeRow {
    pub(super) number: i64,
    pub(super) head: Result<AuditHead, VaultError>,
}
