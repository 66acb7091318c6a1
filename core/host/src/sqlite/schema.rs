//! The tables, and the versions of the schema.
//!
//! The tables are keyed by row number, so that a new record goes to the end of its table. `audit`
//! keeps the audit log; its number is the scope's number times 2^40 plus the entry's number, so no
//! column of it is free to be changed.
//!
//! A check-in finds its device at a random place of a large vault, and what it changes there is
//! written twice: to the log, and from the log to the file. So the latest pairs of the ancestry
//! stand in `recent`, in the row that is changed anyway, and go to `ancestry_part` sixteen at a
//! time, at its end; `older` tells which rows those are and which predecessors stand in none.
//! `places` tells which rows of `record` the sealed bytes of a device are. What an offer changes
//! stands in `in_flight` until the commit.

use std::path::Path;

use laps_core::error::Code;
use laps_core::vault::StoreError;
use rusqlite::Connection;

use super::fault::store_error;

/// `LAPS` in ASCII: tells our files from other SQLite files.
pub(super) const APPLICATION: i32 = 0x4c41_5053;

/// `LAPP`: a published snapshot. It has no records.
pub(super) const SNAPSHOT: i32 = 0x4c41_5050;

/// The schema that this version reads and writes.
pub(super) const VERSION: i32 = 1;

/// The oldest schema that can be migrated.
const OLDEST: i32 = if cfg!(feature = "migration-for-tests") { 0 } else { VERSION };

/// What brings a schema to the next one, from [`OLDEST`] on. There is none yet; the tests have one
/// of their own.
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
    places BLOB NOT NULL DEFAULT x'',
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
CREATE TABLE in_flight (
    device INTEGER PRIMARY KEY,
    state BLOB,
    places BLOB NOT NULL,
    recent BLOB NOT NULL
) STRICT;
CREATE TABLE ancestry_part (
    number INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    pairs BLOB NOT NULL
) STRICT;
CREATE TABLE ancestry (
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
CREATE INDEX audit_actor ON audit (actor, number);
CREATE INDEX audit_caller ON audit (caller, number);
";

/// Fills an empty file.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))
}

/// Makes a copy of a vault one that may be published: nothing in it opens a password, whoever has
/// which key.
pub(super) fn publish(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "application_id", SNAPSHOT)?;
    // What was deleted is in no page behind.
    connection.execute_batch("DELETE FROM record; VACUUM;")
}

/// Whether this version can use a snapshot.
pub(super) fn check_snapshot(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    check_version(found_as(SNAPSHOT, connection, path)?, path)?;
    compare(connection, path)
}

/// The schema of a vault's file.
pub(super) fn found(connection: &Connection, path: &Path) -> Result<i32, StoreError> {
    found_as(APPLICATION, connection, path)
}

fn found_as(kind: i32, connection: &Connection, path: &Path) -> Result<i32, StoreError> {
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i32>(0))
            .map_err(|error| store_error(path, &error))
    };
    if number("application_id")? != kind {
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
                "the vault {at} has schema {from}; schema {OLDEST} is the oldest that can be \
                 migrated"
            ),
        )
    })
}

/// Whether this version can use the file. Nothing is changed.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    check_version(found(connection, path)?, path)?;
    compare(connection, path)
}

fn check_version(found: i32, path: &Path) -> Result<(), StoreError> {
    let at = path.display();
    if found > VERSION {
        return Err(StoreError::new(
            Code::SchemaNewer,
            format!(
                "the vault {at} has schema {found}; this version of LAPS knows schema {VERSION}: \
                 use a later version"
            ),
        ));
    }
    if found < VERSION {
        return Err(StoreError::new(
            Code::SchemaOlder,
            format!(
                "the vault {at} has schema {found} and schema {VERSION} is needed: run `laps vault \
                 migrate --vault {at}`"
            ),
        ));
    }
    Ok(())
}

/// What is in a schema, in order: kind, name, table and text.
type SchemaParts = Vec<(String, String, String, Option<String>)>;

/// The whole schema is the one that this version makes. One trigger more could drop the entries of
/// one actor, one index more could refuse them, and verification of the log looks at content alone.
pub(super) fn compare(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| store_error(path, &error);
    // Made each time, which takes less than a millisecond: nothing is kept for the whole process.
    let memory = Connection::open_in_memory().map_err(failed)?;
    let ours = create(&memory).and_then(|()| parts(&memory)).map_err(failed)?;
    let found = parts(connection).map_err(failed)?;
    if found == ours {
        return Ok(());
    }
    let other = found.iter().find(|part| !ours.contains(part));
    let lacking = ours.iter().find(|part| !found.contains(part));
    let what = match (other, lacking) {
        (Some((kind, name, ..)), Some((known, same, ..))) if (kind, name) == (known, same) => {
            format!("has another {kind} {name}")
        }
        (Some((kind, name, ..)), _) => format!("has the {kind} {name}"),
        (None, Some((kind, name, ..))) => format!("lacks the {kind} {name}"),
        (None, None) => "has a part of its schema twice".to_owned(),
    };
    let at = path.display();
    Err(StoreError::new(
        Code::VaultDamaged,
        format!(
            "the vault {at} {what}, and no vault of this version does: somebody changed its \
             schema, and nothing in it can be \
             relied on; restore a back-up"
        ),
    ))
}

fn parts(connection: &Connection) -> rusqlite::Result<SchemaParts> {
    let mut statement = connection.prepare(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name, tbl_name, sql",
    )?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

/// A number that changes with the schema.
pub(super) fn cookie(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let read = || {
        let mut statement = connection.prepare_cached("PRAGMA schema_version")?;
        statement.query_row([], |row| row.get(0))
    };
    read().map_err(|error| store_error(path, &error))
}
