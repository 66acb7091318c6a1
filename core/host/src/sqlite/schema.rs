//! The tables, and the versions of the schema.
//!
//! The tables are keyed by row number, so that a new record goes to the end of its table. `audit` keeps the trail; its number
//! is the scope's number times 2^40 plus the entry's number, so no column of it is free to be changed.
//!
//! A check-in finds its device at a random place of a large vault, and what it changes there is written twice: to the log, and
//! from the log to the file. So the latest pairs of the lineage stand in `recent`, in the row that is changed anyway, and go to
//! `lineage_part` sixteen at a time, at its end; `older` tells which rows those are and which predecessors stand in none. What
//! an offer changes stands in `underway` until the commit.

use std::path::Path;

use laps_core::error::Code;
use laps_core::vault::StoreError;
use rusqlite::Connection;

use super::fault::store_error;

/// `LAPS` in ASCII: tells our files from other SQLite files.
pub(super) const APPLICATION: i32 = 0x4c41_5053;

/// The schema that this version reads and writes.
pub(super) const VERSION: i32 = 1;

/// The oldest schema that can be migrated.
const OLDEST: i32 = if cfg!(feature = "migration-for-tests") { 0 } else { VERSION };

/// What brings a schema to the next one, from [`OLDEST`] on. There is none yet; the tests have one of their own.
const STEPS: &[&str] =
    if cfg!(feature = "migration-for-tests") { &["DROP TABLE version_0;"] } else { &[] };

/// How many entries a scope can have; the room that each scope has in the numbers of `audit`.
pub(super) const ENTRIES: i64 = 1 << 40;

const TABLES: &str = "
CREATE TABLE scope (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    entries INTEGER NOT NULL,
    head BLOB NOT NULL,
    readers BLOB NOT NULL
) STRICT;
CREATE TABLE device (
    number INTEGER PRIMARY KEY,
    scope_number INTEGER NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    due INTEGER,
    state BLOB NOT NULL,
    recent BLOB NOT NULL DEFAULT x'',
    older BLOB NOT NULL DEFAULT x'',
    UNIQUE (scope_number, name)
) STRICT;
CREATE INDEX device_folded ON device (scope_number, folded);
CREATE INDEX device_due ON device (scope_number, due) WHERE due IS NOT NULL;
CREATE TABLE record (
    number INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE underway (
    device INTEGER PRIMARY KEY,
    state BLOB,
    recent BLOB NOT NULL
) STRICT;
CREATE TABLE lineage_part (
    number INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    pairs BLOB NOT NULL
) STRICT;
CREATE TABLE lineage (
    device INTEGER NOT NULL,
    predecessor BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (device, predecessor, record)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    action INTEGER NOT NULL,
    caller TEXT NOT NULL,
    actor TEXT NOT NULL,
    reader BLOB NOT NULL,
    reason TEXT NOT NULL,
    context TEXT NOT NULL,
    device TEXT NOT NULL,
    records BLOB NOT NULL,
    refers_to INTEGER NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX trail_actor ON audit (actor, number);
CREATE INDEX trail_caller ON audit (caller, number);
";

/// Fills an empty file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))
}

/// The schema of a vault's file.
pub(super) fn found(connection: &Connection, path: &Path) -> Result<i32, StoreError> {
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i32>(0))
            .map_err(|error| store_error(path, &error))
    };
    if number("application_id")? != APPLICATION {
        let at = path.display();
        return Err(StoreError::new(Code::VaultDamaged, format!("{at} is not a vault")));
    }
    number("user_version")
}

/// What brings a schema to this one, in order.
pub(super) fn steps(from: i32, path: &Path) -> Result<&'static [&'static str], StoreError> {
    let skip = from.checked_sub(OLDEST).and_then(|skip| usize::try_from(skip).ok());
    skip.and_then(|skip| STEPS.get(skip..)).ok_or_else(|| {
        let at = path.display();
        StoreError::new(
            Code::SchemaOlder,
            format!(
                "the vault {at} has schema {from}; schema {OLDEST} is the oldest that can be migrated"
            ),
        )
    })
}

/// Whether this version can use the file. Nothing is changed.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let at = path.display();
    let found = found(connection, path)?;
    if found > VERSION {
        return Err(StoreError::new(
            Code::SchemaNewer,
            format!(
                "the vault {at} has schema {found}; this version of LAPS knows schema {VERSION}: use a later version"
            ),
        ));
    }
    if found < VERSION {
        return Err(StoreError::new(
            Code::SchemaOlder,
            format!(
                "the vault {at} has schema {found} and schema {VERSION} is needed: run `laps vault migrate {at}`"
            ),
        ));
    }
    Ok(())
}
