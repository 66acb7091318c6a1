//! Copies of a vault's file: backing up, and putting a copy in place.

use std::path::Path;

use laps_core::identity::{Scope, Timestamp};
use laps_core::seal::Reader;
use laps_core::vault::Retention;
use laps_core::vault::audit::Action;
use laps_core::vault::{Request, Restorable, Store as _, Vault, VaultError};
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

use super::fault::store_error;
use super::{SqliteStore, open, place, schema};

/// Makes a vault with its first readers in a place where nothing is. It appears whole or not at
/// all: there is never a vault without readers.
///
/// # Errors
/// `AlreadyExists` when something is in the place; what setting up a scope says; and what the
/// operating system says.
pub fn init_vault(
    path: &Path,
    scope: &Scope,
    readers: &[Reader],
    history: Retention,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Vault<SqliteStore>, VaultError> {
    open::make(path, |draft| {
        open::create(draft)?;
        let vault = Vault::from_system(SqliteStore::open(draft)?);
        vault.initialise(scope, readers, history, request, now).map(drop)
    })?;
    Ok(Vault::from_system(SqliteStore::open(path)?))
}

/// Copies a vault to another file, whole and readable by its owner alone, while others work on it.
/// It is in the audit log of every scope first, so the copy has that entry too; in that of a scope
/// which comes meanwhile it is before the copy is in its place. An attempt that fails is in the
/// audit log as well.
///
/// # Errors
/// `AlreadyExists`, `ReasonRequired`, and what the operating system says.
pub fn back_up(
    vault: &Vault<SqliteStore>,
    to: &Path,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<(), VaultError> {
    let copied = request.check().and_then(|()| {
        open::check_free(to)?;
        let detail = format!("backed up to {}", to.display());
        let store = vault.store();
        let noted = store.scopes()?;
        vault.note_in(&noted, Action::Exported, &detail, request, now)?;
        let connection = store.connect()?;
        open::make(to, |draft| {
            copy(&connection, store.path(), draft)?;
            // What was copied is what others see.
            store.check()?;
            let mut late = store.scopes()?;
            late.retain(|scope| !noted.contains(scope));
            vault.note_in(&late, Action::Exported, &detail, request, now)
        })
    });
    if let Err(error) = &copied {
        let attempt = format!("back up to {}", to.display());
        // A disk that is full takes no entry either; the first error is the one to tell.
        let _ = vault.note_refusal(&attempt, error, request, now);
    }
    copied
}

/// Publishes a snapshot of a vault for other users of the machine: the devices, how they stand, and
/// the whole log, without a single record. Its owner may write it and its group may read it; one
/// that is there is replaced as a whole. Whoever may read it lists, reports and verifies, and
/// cannot write.
///
/// # Errors
/// `AlreadyExists` when something else is in the place, and what the operating system says.
pub fn publish(vault: &Vault<SqliteStore>, to: &Path) -> Result<(), VaultError> {
    let (store, path) = (vault.store(), vault.store().path());
    let connection = store.connect()?;
    place::publish(to, |draft| {
        copy(&connection, path, draft)?;
        // What was copied is what others see.
        store.check()?;
        let copied = open::bare(draft)?;
        schema::publish(&copied).map_err(|error| store_error(draft, &error))?;
        copied.close().map_err(|(_, error)| store_error(draft, &error))?;
        Ok(())
    })
}

/// Puts a copy of a vault in a place where none is, with a note of that in the audit log of every
/// scope. Agents that remember a later head of the audit log will say so at their next check-in. No
/// byte of the copy changes, and an attempt that fails does not change a vault that stands in the
/// place.
///
/// # Errors
/// `AlreadyExists` when something is in the place; what opening the copy says; `ReasonRequired`;
/// and what the operating system says.
pub fn restore(
    copy_of: &Path,
    to: &Path,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Vault<SqliteStore>, VaultError> {
    restore_with(copy_of, to, None, request, now)
}

/// What a copy would bring back, scope by scope: to be shown before it is restored.
///
/// # Errors
/// What opening the copy says, and what the operating system says.
pub fn restorable(copy_of: &Path) -> Result<Vec<Restorable>, VaultError> {
    Vault::from_system(SqliteStore::open_copy(copy_of)?).restorable()
}

/// As [`restore`], and a list of readers wins over the copy's in its scope: that of a signed reader
/// set, say, which knows of readers that were removed since.
///
/// # Errors
/// As there, and `InvalidArgument` for a list that is empty or that one record cannot be sealed to.
pub fn restore_with(
    copy_of: &Path,
    to: &Path,
    readers: Option<(&Scope, &[Reader])>,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Vault<SqliteStore>, VaultError> {
    request.check()?;
    open::check_free(to)?;
    let source = SqliteStore::open_copy(copy_of)?;
    let connection = source.connect()?;
    open::make(to, |draft| {
        copy(&connection, copy_of, draft)?;
        source.check()?;
        let vault = Vault::from_system(SqliteStore::open(draft)?);
        vault.note_restored(&copy_of.display().to_string(), readers, request, now)
    })?;
    Ok(Vault::from_system(SqliteStore::open(to)?))
}

/// One state of the vault, into an empty file.
pub(super) fn copy(connection: &Connection, path: &Path, draft: &Path) -> Result<(), VaultError> {
    let name = open::literal(draft);
    // SQLite takes the bytes as they are: the name of a file on Unix need not be UTF-8.
    let name = ToSqlOutput::Borrowed(ValueRef::Text(name.as_os_str().as_encoded_bytes()));
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| store_error(path, &error))?;
    Ok(())
}
