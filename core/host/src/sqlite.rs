//! The embedded store: one SQLite file (WAL, synchronous FULL), for a vault of ten devices or ten
//! million.
//!
//! | module | what it does |
//! |---|---|
//! | `copies` | backing up, restoring, publishing a snapshot |
//! | `migrate` | bringing an earlier schema to this one |
//! | `files` | whether the vault, its log and the log's index are those that were opened |
//! | `guard` | locks of our own: who has the vault open, whose turn it is to write |
//! | `media` | network file systems, read-only media, mounts of single files |
//! | `open` | making, opening and checking the file |
//! | `place` | whether a file is worked on or at rest; what is published |
//! | `schema` | tables, and what their versions mean |
//! | `process` | what a fork does to open handles |
//! | `resealing` | re-sealing records, on all cores |
//! | `group` | transactions; writers that wait at the same time share one sync |
//! | `read`, `write` | what plans name and decisions answer, over the rows |
//! | `scope` | the row of a scope |
//! | `entry` | the rows of the audit log |
//! | `in_flight` | devices in the middle of a rotation |
//! | `ancestry` | which record was made after which |
//! | `fault` | SQLite's errors in our words |
//!
//! Build it with the environment variable `LIBSQLITE3_FLAGS=-DHAVE_FDATASYNC` (in Cargo's
//! configuration, `[env]`): without it the bundled SQLite syncs with fsync, which also writes the
//! time of the last change to the disk.
//!
//! Opening never migrates. The file and its companions are readable by their owner alone, or the
//! vault is refused. What becomes of them while they are open is seen on Unix; on Windows the
//! system keeps open files from being removed or replaced.

mod ancestry;
mod copies;
mod entry;
mod fault;
mod files;
mod group;
mod guard;
mod in_flight;
mod latest;
mod media;
mod migrate;
mod open;
mod place;
mod process;
mod read;
mod resealing;
mod rows;
mod schema;
mod scope;
mod value;
mod write;

use alloc::sync::Arc;
use core::fmt;
use core::mem::forget;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::vault::plan::Plan;
use laps_core::vault::store::{Durability, Store};
use laps_core::vault::unit::Rows;
use laps_core::vault::{StoreError, VaultError};
use rusqlite::Connection;

pub use copies::{back_up, init_vault, publish, restorable, restore, restore_with};
use files::Files;
pub use group::SqliteWork;
use group::WriteGroup;
use guard::Guard;
pub use media::allow_network_file_systems;
pub use migrate::{Migration, migrate};
use place::At;
use process::Owner;
pub use resealing::{reseal_all, reseal_all_watched};
use rows::{Loaded, Tables};

/// A vault's store in one SQLite file. A clone is another handle to the same one; threads share it,
/// and processes share the file, each with a store that it opened itself. After a fork the child's
/// copy of a handle answers every call with an error.
///
/// ```
/// use laps_core::identity::Scope;
/// use laps_core::vault::Vault;
/// use laps_host::sqlite::SqliteStore;
///
/// let folder = tempfile::tempdir()?;
/// SqliteStore::init(folder.path().join("fleet.vault"))?;
/// let vault = Vault::from_system(SqliteStore::open(folder.path().join("fleet.vault"))?);
/// assert!(vault.list(&Scope::EMPTY, None, 100)?.items.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<OpenVault>);

struct OpenVault {
    path: PathBuf,
    owner: Owner,
    handles: Option<Handles>,
}

/// What SQLite gave us. It must not be touched, not even closed, by a process that was forked from
/// ours.
struct Handles {
    /// None for a file at rest.
    writer: Option<WriteGroup>,
    at: At,
    idle: Mutex<Vec<Connection>>,
    files: Files,
    /// The log stays as it is, whoever closes the file last.
    keep_log: bool,
}

impl Drop for OpenVault {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            return forget(self.handles.take());
        }
        let Some(Handles { writer, idle, files, keep_log, .. }) = self.handles.take() else {
            return;
        };
        let idle = idle.into_inner().unwrap_or_else(PoisonError::into_inner);
        let connections = writer.map(WriteGroup::into_connection).into_iter().chain(idle);
        files.leave(|last| {
            let connections: Vec<Connection> = connections.collect();
            if keep_log || !last {
                connections.iter().for_each(open::keep_log);
            }
        });
    }
}

/// How many check-ins of a group are decided together: what they touch is half a megabyte.
const AHEAD: usize = 32;

/// The most connections for reading that are kept open while nobody reads.
const IDLE: usize = 8;

impl SqliteStore {
    /// Makes a new, empty vault file, which only its owner can read. It appears whole or not at
    /// all.
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
    /// `NotFound`; `PermissionDenied` for a file that others can read, with the command that mends
    /// it; `SchemaOlder` and `SchemaNewer`; `VaultDamaged` for what is not a vault; and what
    /// the operating system says.
    ///
    /// A file on a network file system is refused ([`allow_network_file_systems`]), and so is one
    /// with two names or mounted by itself. One on read-only media can be read, where it has no
    /// log; whoever wants to write is refused.
    ///
    /// Every call on it answers `Unreachable`, for good, once the file, its log or the log's index
    /// was removed, replaced or cut.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        match place::of_vault(path)? {
            At::Work => Self::open_at_work(path, false),
            at @ (At::Rest | At::Snapshot) => Self::open_at_rest(path, at),
        }
    }

    /// Opens a copy to read from it. No byte of it changes.
    pub(crate) fn open_copy(path: &Path) -> Result<Self, StoreError> {
        match place::of_copy(path)? {
            At::Work => Self::open_at_work(path, true),
            at @ (At::Rest | At::Snapshot) => Self::open_at_rest(path, at),
        }
    }

    fn open_at_work(path: &Path, keep_log: bool) -> Result<Self, StoreError> {
        open::check_access(path)?;
        let owner = Owner::of(path, false)?;
        let guard = Guard::of(path)?;
        let writer = open::connect(path)?;
        // Files are looked at, and more connections opened, when the program may be in another
        // folder.
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let ready = || {
            open::ensure_log(&writer, path)?;
            schema::check(&writer, path)?;
            Ok((schema::cookie(&writer, path)?, Files::of(&whole, guard.clone())?))
        };
        let (schema, files) = match ready() {
            Ok(ready) => ready,
            Err(error) => {
                guard.leave(|last| {
                    if keep_log || !last {
                        open::keep_log(&writer);
                    }
                    drop(writer);
                });
                return Err(error);
            }
        };
        let writer = Some(WriteGroup::new(writer, schema, &whole));
        let handles =
            Handles { writer, at: At::Work, idle: Mutex::new(Vec::new()), files, keep_log };
        Ok(Self(Arc::new(OpenVault { path: whole, owner, handles: Some(handles) })))
    }

    fn open_at_rest(path: &Path, at: At) -> Result<Self, StoreError> {
        let owner = Owner::of(path, true)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let connection = place::connect_at_rest(&path)?;
        if at == At::Snapshot {
            schema::check_snapshot(&connection, &path)?;
        } else {
            schema::check(&connection, &path)?;
        }
        let files = Files::at_rest(&path)?;
        let idle = Mutex::new(vec![connection]);
        let handles = Handles { writer: None, at, idle, files, keep_log: true };
        Ok(Self(Arc::new(OpenVault { path, owner, handles: Some(handles) })))
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
            None if handles.writer.is_none() => place::connect_at_rest(&self.0.path),
            None => open::connect_reader(&self.0.path),
        }
    }

    fn read_through<T>(
        &self,
        handles: &Handles,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let connection = self.reader(handles)?;
        let path = self.path();
        let run = |sql| fault::run(&connection, path, sql);
        run("BEGIN")?;
        let result = work(&mut Tables::to_read(&connection, path, &mut Loaded::default()));
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

    /// A connection of its own, to copy from.
    pub(crate) fn connect(&self) -> Result<Connection, StoreError> {
        let handles = self.handles()?;
        handles.files.check()?;
        if handles.writer.is_none() {
            return place::connect_at_rest(&self.0.path);
        }
        let connection = open::connect(&self.0.path)?;
        schema::check(&connection, &self.0.path)?;
        Ok(connection)
    }

    /// Whether the files are those that were opened.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.handles()?.files.check()
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteStore").field(&self.0.path).finish()
    }
}

impl SqliteStore {
    fn read_files<T>(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let handles = self.handles()?;
        handles.files.begin()?;
        let result = self.read_through(handles, work);
        // What was read counts only when it is what others see.
        handles.files.check()?;
        result
    }
}

impl Store for SqliteStore {
    type Work<'s> = SqliteWork<'s>;

    fn ahead(&self) -> usize {
        AHEAD
    }

    fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        self.read_files(|tables| tables.scopes())
    }

    fn read(&self, plan: &Plan) -> Result<Rows, VaultError> {
        self.read_files(|tables| tables.read(plan))
    }

    fn begin(
        &self,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(SqliteWork<'_>, Rows), VaultError> {
        let handles = self.handles()?;
        match &handles.writer {
            Some(writer) => writer.begin(&handles.files, plan, durability),
            None => Err(place::at_rest(self.path(), handles.at).into()),
        }
    }
}
