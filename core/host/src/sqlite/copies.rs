//! Copies of a vault's file: backing up, putting a copy in place, and migrating with a copy kept.

use std::fs;
use std::path::{Path, PathBuf};

use laps_core::error::Code;
use laps_core::identity::Timestamp;
use laps_core::vault::trail::Action;
use laps_core::vault::{Request, StoreError, Vault, VaultError};
use rusqlite::Connection;

use super::fault::store_error;
use super::{SqliteStore, open, schema};

/// What a migration did.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Migration {
    /// The schema before.
    pub from: i32,
    /// The schema now.
    pub to: i32,
    /// Where the copy of the file from before is, if one was asked for.
    pub copy: Option<PathBuf>,
}

/// Copies a vault to another file, whole and readable by its owner alone, while others work on it. It is in the trail of every
/// scope first, so the copy has that entry too.
///
/// # Errors
/// `AlreadyExists`, `ReasonRequired`, and what the operating system says.
pub fn back_up(
    vault: &Vault<SqliteStore>,
    to: &Path,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<(), VaultError> {
    open::check_free(to)?;
    let detail = format!("backed up to {}", to.display());
    vault.note_everywhere(Action::Exported, &detail, request, now)?;
    let connection = open::connect(vault.store().path())?;
    copy(&connection, vault.store().path(), to)?;
    Ok(())
}

/// Puts a copy of a vault in a place where none is, and notes that in the trail of every scope. Agents that remember a later
/// head of the trail will say so at their next check-in.
///
/// # Errors
/// `AlreadyExists` when something is in the place; what opening the copy says; `ReasonRequired`; and what the operating
/// system says.
pub fn restore(
    copy_of: &Path,
    to: &Path,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Vault<SqliteStore>, VaultError> {
    open::check_free(to)?;
    let source = SqliteStore::open(copy_of)?;
    let connection = open::connect(source.path())?;
    copy(&connection, copy_of, to)?;
    let vault = Vault::from_system(SqliteStore::open(to)?);
    let detail = format!("restored from {}", copy_of.display());
    vault.note_everywhere(Action::Restored, &detail, request, now)?;
    Ok(vault)
}

/// Brings a vault of an older schema to the one of this version, and notes that in the trail of every scope. With `keep`, the
/// file from before stays beside it, as `PATH.schema-N`.
///
/// # Errors
/// `InvalidArgument` when there is nothing to migrate, `SchemaNewer`, `ReasonRequired`, and what the operating system says.
pub fn migrate(
    path: &Path,
    keep: bool,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Migration, VaultError> {
    let connection = open::connect(path)?;
    let from = schema::found(&connection, path)?;
    if from >= schema::VERSION {
        schema::check(&connection, path)?;
        return Err(VaultError::InvalidArgument(
            "the vault has the schema of this version already",
        ));
    }
    let mut kept = None;
    if keep {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".schema-{from}"));
        let name = PathBuf::from(name);
        open::check_free(&name)?;
        copy(&connection, path, &name)?;
        kept = Some(name);
    }
    schema::migrate(&connection, path, from)?;
    drop(connection);
    let to = schema::VERSION;
    let vault = Vault::from_system(SqliteStore::open(path)?);
    let detail = format!("from schema {from} to schema {to}");
    vault.note_everywhere(Action::Migrated, &detail, request, now)?;
    Ok(Migration { from, to, copy: kept })
}

/// One state of the vault, as a file of its own. It appears whole or not at all.
fn copy(connection: &Connection, path: &Path, to: &Path) -> Result<(), StoreError> {
    let draft = open::draft(to)?;
    let text = draft.to_str().ok_or_else(|| {
        StoreError::new(Code::InvalidArgument, format!("{} is not UTF-8", to.display()))
    });
    let copied = text.and_then(|text| {
        connection.execute("VACUUM INTO ?1", [text]).map_err(|error| store_error(path, &error))?;
        let made = Connection::open(&draft).map_err(|error| store_error(&draft, &error))?;
        open::finish(made, &draft)
    });
    let placed = copied.and_then(|()| open::place(&draft, to));
    if placed.is_err() {
        // What could not be finished is not left behind; the first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    placed
}
