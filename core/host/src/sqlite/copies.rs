//! Copies of a vault's file: backing up, and putting a copy in place.

use std::path::Path;

use laps_core::error::Code;
use laps_core::identity::{Scope, Timestamp};
use laps_core::seal::Reader;
use laps_core::vault::note;
use laps_core::vault::state::HistorySetting;
use laps_core::vault::trail::Action;
use laps_core::vault::{Request, StoreError, Vault, VaultError};
use rusqlite::Connection;

use super::fault::{run, store_error};
use super::process::Owner;
use super::transaction::Rows;
use super::{SqliteStore, open, schema};

/// Makes a vault with its first readers in a place where nothing is. It appears whole or not at all: there is never a vault
/// without readers.
///
/// # Errors
/// `AlreadyExists` when something is in the place; what setting up a scope says; and what the operating system says.
pub fn init_vault(
    path: &Path,
    scope: &Scope,
    readers: &[Reader],
    history: HistorySetting,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Vault<SqliteStore>, VaultError> {
    let made = open::make(path, |draft| {
        open::create(draft)?;
        let vault = Vault::from_system(SqliteStore::open(draft)?);
        vault.initialise(scope, readers, history, request, now).map(drop)
    });
    // Only a vault that stands in the place has a trail that can tell.
    noted(made, &[path], || "set up a vault in this place".to_owned(), request, now)?;
    Ok(Vault::from_system(SqliteStore::open(path)?))
}

/// Copies a vault to another file, whole and readable by its owner alone, while others work on it. It is in the trail of every
/// scope first, so the copy has that entry too. An attempt that fails is in the trail as well.
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
        vault.note_everywhere(Action::Exported, &detail, request, now)?;
        let connection = open::connect(vault.store().path())?;
        open::make(to, |draft| copy(&connection, vault.store().path(), draft))
    });
    if let Err(error) = &copied {
        let attempt = format!("back up to {}", to.display());
        // A disk that is full takes no entry either; the first error is the one to tell.
        let _ = vault.note_refusal(&attempt, error, request, now);
    }
    copied
}

/// Puts a copy of a vault in a place where none is, with a note of that in the trail of every scope. Agents that remember a
/// later head of the trail will say so at their next check-in. An attempt that fails is in the trail of the vault that stands
/// in the place, if there is one, and of the copy, if it can be written.
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
    let detail = format!("restored from {}", copy_of.display());
    let restored = request.check().and_then(|()| {
        open::check_free(to)?;
        let source = SqliteStore::open(copy_of)?;
        let connection = open::connect(source.path())?;
        open::make(to, |draft| {
            copy(&connection, copy_of, draft)?;
            let vault = Vault::from_system(SqliteStore::open(draft)?);
            vault.note_everywhere(Action::Restored, &detail, request, now)
        })
    });
    let attempt = || format!("restore {} to {}", copy_of.display(), to.display());
    noted(restored, &[to, copy_of], attempt, request, now)?;
    Ok(Vault::from_system(SqliteStore::open(to)?))
}

/// Passes a result on. A failure is first put into the trails of the vaults that stand in these places, as far as they can be
/// written: they may be of a later schema, read-only or full, and the first error is the one to tell.
pub(super) fn noted<T>(
    result: Result<T, VaultError>,
    places: &[&Path],
    attempt: impl FnOnce() -> String,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<T, VaultError> {
    if let Err(error) = &result {
        let detail = format!("{}: {error}", attempt());
        for place in places {
            let _ = note_refusal_in(place, &detail, request, now);
        }
    }
    result
}

fn note_refusal_in(
    path: &Path,
    detail: &str,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<(), VaultError> {
    let _owner = Owner::of(path)?;
    let connection = open::connect(path)?;
    if !schema::can_note(schema::found(&connection, path)?) {
        return Ok(());
    }
    run(&connection, path, "BEGIN IMMEDIATE")?;
    note(&mut Rows::new(&connection, path), Action::Refused, detail, request, now)?;
    run(&connection, path, "COMMIT")
}

/// One state of the vault, into an empty file.
pub(super) fn copy(connection: &Connection, path: &Path, draft: &Path) -> Result<(), VaultError> {
    let name = open::literal(draft);
    let text = name.to_str().ok_or_else(|| {
        StoreError::new(Code::InvalidArgument, format!("{} is not UTF-8", draft.display()))
    })?;
    connection.execute("VACUUM INTO ?1", [text]).map_err(|error| store_error(path, &error))?;
    Ok(())
}
