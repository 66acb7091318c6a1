//! The embedded store: one SQLite file (WAL, synchronous FULL), for a vault of ten devices or ten million.
//!
//! | module | what it does |
//! |---|---|
//! | `copies` | backing up, restoring |
//! | `migrate` | bringing an earlier schema to this one |
//! | `open` | making, opening and checking the file |
//! | `schema` | tables, and what their versions mean |
//! | `process` | what a fork does to open handles |
//! | `reseal` | sealing records anew, on all cores |
//! | `group` | transactions; writers that wait at the same time share one sync |
//! | `transaction` | the rows |
//! | `scope` | the row of a scope |
//! | `entry` | the rows of the trail |
//! | `underway` | devices in the middle of a rotation |
//! | `lineage` | which record was made after which |
//! | `fault` | SQLite's errors in our words |
//!
//! Build it with the environment variable `LIBSQLITE3_FLAGS=-DHAVE_FDATASYNC` (in Cargo's configuration, `[env]`): without it the
//! bundled SQLite syncs with fsync, which also writes the time of the last change to the disk.
//!
//! Opening never migrates. The file and its companions are readable by their owner alone, or the vault is refused.

mod copies;
mod entry;
mod fault;
mod group;
mod lineage;
mod migrate;
mod open;
mod process;
mod reseal;
mod schema;
mod scope;
mod transaction;
mod underway;

use alloc::sync::Arc;
use core::fmt;
use core::mem::forget;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use laps_core::error::Code;
use laps_core::vault::store::{Durability, Store, Transaction};
use laps_core::vault::{StoreError, VaultError};
use rusqlite::Connection;

pub use copies::{back_up, init_vault, restorable, restore, restore_with};
use group::Group;
pub use migrate::{Migration, migrate};
use process::Owner;
pub use reseal::{reseal_all, reseal_all_watched};
use transaction::Rows;

/// A vault's store in one SQLite file. A clone is another handle to the same one; threads share it, and processes share the
/// file, each with a store that it opened itself. After a fork the child's copy of a handle answers every call with an error.
#[derive(Clone)]
pub struct SqliteStore(Arc<Shared>);

struct Shared {
    path: PathBuf,
    owner: Owner,
    handles: Option<Handles>,
}

/// What SQLite gave us. It must not be touched, not even closed, by a process that was forked from ours.
struct Handles {
    writer: Group,
    idle: Mutex<Vec<Connection>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            forget(self.handles.take());
        }
    }
}

/// The most connections for reading that are kept open while nobody reads.
const IDLE: usize = 8;

impl SqliteStore {
    /// Makes a new, empty vault file, which only its owner can read. It appears whole or not at all.
    ///
    /// # Errors
    /// `AlreadyExists` when something is there, and what the operating system says.
    pub fn init(path: impl AsRef<Path>) -> Result<Self, VaultError> {
        open::make(path.as_ref(), |draft| Ok(open::create(draft)?))?;
        Ok(Self::open(path)?)
    }

    /// Opens a vault file.
    ///
    /// # Errors
    /// `NotFound`; `PermissionDenied` for a file that others can read, with the command that mends it; `SchemaOlder` and
    /// `SchemaNewer`; `VaultDamaged` for what is not a vault; and what the operating system says.
    ///
    /// Every call on it answers `Unreachable` once the file was removed or another one was put in its place.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let owner = Owner::of(path)?;
        let writer = open::connect(path)?;
        schema::check(&writer, path)?;
        // More connections are opened later, when the program may be in another folder.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let handles = Handles { writer: Group::new(writer, &path), idle: Mutex::new(Vec::new()) };
        Ok(Self(Arc::new(Shared { path, owner, handles: Some(handles) })))
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The handles, in the process that opened them.
    fn handles(&self) -> Result<&Handles, StoreError> {
        self.0.owner.check(&self.0.path)?;
        let gone = || StoreError::new(Code::Internal, "the vault is closed".to_owned());
        self.0.handles.as_ref().ok_or_else(gone)
    }

    fn reader(&self, handles: &Handles) -> Result<Connection, StoreError> {
        let idle = handles.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => open::connect_reader(&self.0.path),
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteStore").field(&self.0.path).finish()
    }
}

impl Store for SqliteStore {
    fn read<T>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let handles = self.handles()?;
        let connection = self.reader(handles)?;
        let path = self.path();
        let run = |sql| fault::run(&connection, path, sql);
        run("BEGIN")?;
        let result = work(&mut Rows::new(&connection, path));
        // Nothing was written: whichever way it ends, only the snapshot is given back.
        if !connection.is_autocommit() {
            run("ROLLBACK")?;
        }
        let mut idle = handles.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        result
    }

    fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        self.handles()?.writer.run(durability, work)
    }
}
