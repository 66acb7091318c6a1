//! Bringing a vault of an earlier schema to the one of this version, with a copy from before.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use laps_core::identity::Timestamp;
use laps_core::vault::audit::{Action, Entry};
use laps_core::vault::unit::Writes;
use laps_core::vault::{Request, VaultError, finding};
use rusqlite::Connection;

use super::copies::copy;
use super::fault::{explain, run};
use super::files::Files;
use super::guard::Guard;
use super::rows::{Loaded, Tables};
use super::{open, schema};

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

/// Brings a vault of an older schema to the one of this version, and notes that in the audit log of
/// every scope, in one transaction. With `keep`, the file from before stays beside it, as
/// `PATH.schema-N`: it has everything that was written before the migration. A copy that a killed
/// migration left there stays when it is the same, byte for byte. An attempt that fails changes
/// nothing.
///
/// # Errors
/// `InvalidArgument` when there is nothing to migrate, `SchemaNewer`, `AlreadyExists` for anything
/// else in the place of the copy, `ReasonRequired`, and what the operating system says.
pub fn migrate(
    path: &Path,
    keep: bool,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Migration, VaultError> {
    request.check()?;
    open::check_access(path)?;
    let guard = Guard::of(path)?;
    let connection = open::connect(path)?;
    let done = migrate_alone(path, &connection, &guard, keep, request, now);
    guard.leave(|last| {
        if !last {
            open::keep_log(&connection);
        }
        drop(connection);
    });
    done
}

fn migrate_alone(
    path: &Path,
    connection: &Connection,
    guard: &Guard,
    keep: bool,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Migration, VaultError> {
    // Before anything is locked: it may not be ours.
    outdated(connection, path)?;
    open::ensure_log(connection, path)?;
    let files = Files::of(path, guard.clone())?;
    let _turn = guard.turn(path)?;
    // From here on nobody else writes, so the copy is what the migration begins with. An open
    // transaction ends with its connection.
    run(connection, path, "BEGIN IMMEDIATE").map_err(|error| guard.named(path, error))?;
    let from = outdated(connection, path)?;
    let steps = schema::steps(from, path)?;
    let kept = if keep { Some(SafetyCopy::of(path, from)?) } else { None };
    let to = schema::VERSION;
    let detail = format!("from schema {from} to schema {to}");
    let steps = format!("{} PRAGMA user_version = {to};", steps.concat());
    let changed =
        connection.execute_batch(&steps).map_err(|error| explain(path, &error)).and_then(|()| {
            schema::compare(connection, path)?;
            note(connection, path, &finding(Action::Migrated, &detail, request, now))
        });
    if let Err(error) = changed {
        if let Some(SafetyCopy { copy, made: true }) = kept {
            // Nothing was changed, and the name is free for the next attempt.
            let _ = fs::remove_file(copy);
        }
        return Err(error);
    }
    // Of a commit that failed nobody knows whether it is on the disk: the copy stays.
    run(connection, path, "COMMIT")?;
    files.check()?;
    Ok(Migration { from, to, copy: kept.map(|kept| kept.copy) })
}

/// Appends an entry to the audit log of every scope, in the transaction that is open.
fn note(connection: &Connection, path: &Path, entry: &Entry) -> Result<(), VaultError> {
    let mut loaded = Loaded::default();
    let mut tables = Tables::new(connection, path, &mut loaded);
    for scope in tables.scopes()? {
        let mut writes = Writes::default();
        writes.append.push(entry.clone());
        tables.write(&scope, writes)?;
    }
    Ok(())
}

/// The schema of a vault that can be migrated.
fn outdated(connection: &Connection, path: &Path) -> Result<i32, VaultError> {
    let found = schema::found(connection, path)?;
    if found >= schema::VERSION {
        schema::check(connection, path)?;
        return Err(VaultError::InvalidArgument(
            "the vault has the schema of this version already",
        ));
    }
    Ok(found)
}

/// The copy of a vault from before.
struct SafetyCopy {
    copy: PathBuf,
    /// Whether it was not there before.
    made: bool,
}

impl SafetyCopy {
    /// Under the lock of the migration.
    fn of(path: &Path, from: i32) -> Result<Self, VaultError> {
        let copy_to = open::with_suffix(path, &format!(".schema-{from}"));
        tidy(&copy_to);
        let connection = open::connect(path)?;
        let made = open::make_or_find(&copy_to, |draft| copy(&connection, path, draft))?;
        Ok(Self { copy: copy_to, made })
    }
}

/// Removes what killed migrations have left of unfinished copies. Whoever holds the lock of the
/// vault is the only one to make one.
fn tidy(copy: &Path) {
    let Some(name) = copy.file_name() else { return };
    for entry in fs::read_dir(open::folder(copy)).into_iter().flatten().flatten() {
        if is_draft(&entry.file_name(), name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a name is `COPY.new-PROCESS-ATTEMPT`, or that of a log beside it.
fn is_draft(name: &OsStr, copy: &OsStr) -> bool {
    let rest = name.as_encoded_bytes().strip_prefix(copy.as_encoded_bytes());
    let rest = rest.and_then(|rest| rest.strip_prefix(open::DRAFT.as_bytes()));
    let Some(rest) = rest.and_then(|rest| core::str::from_utf8(rest).ok()) else { return false };
    let logs = open::LOGS.iter().filter_map(|log| rest.strip_suffix(log));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    logs.chain([rest]).any(|rest| {
        rest.split_once('-').is_some_and(|(process, attempt)| number(process) && number(attempt))
    })
}
