//! Transactions that write. Writers of this process that wait at the same time share one
//! transaction of the file, and thus one sync: each decides and writes under the lock on its own,
//! and all of them return when the sync is done.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use laps_core::identity::Scope;
use laps_core::vault::plan::{Plan, Want};
use laps_core::vault::store::{Durability, Work};
use laps_core::vault::unit::{Appended, Rows, Writes};
use laps_core::vault::{StoreError, VaultError};
use rusqlite::Connection;

use super::files::Files;
use super::guard::WriteTurn;
use super::rows::{Loaded, Tables};
use super::{fault, schema};

/// The most writers that share one sync.
const MOST: usize = 64;

pub(super) struct WriteGroup {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Writers that wait for the lock.
    waiting: AtomicUsize,
    committed: Condvar,
    /// Who works under the lock.
    worker: Mutex<Option<u64>>,
}

struct Writer {
    connection: Connection,
    /// The transaction that is open, if one is.
    open: Option<Batch>,
    /// The right to write, while a transaction is open.
    turn: Option<WriteTurn>,
    relaxed: bool,
    /// The schema's number when the schema was compared.
    schema: i64,
}

#[derive(Clone)]
struct Batch {
    members: usize,
    end: Arc<OnceLock<Result<(), VaultError>>>,
}

impl WriteGroup {
    /// `schema` is the number of the schema that was compared.
    pub(super) fn new(connection: Connection, schema: i64, path: &Path) -> Self {
        let writer = Writer { connection, open: None, turn: None, relaxed: false, schema };
        Self {
            path: path.to_path_buf(),
            writer: Mutex::new(writer),
            waiting: AtomicUsize::new(0),
            committed: Condvar::new(),
            worker: Mutex::new(None),
        }
    }

    /// Begins a unit of work: waits for its turn, joins the transaction that is open or opens one,
    /// and reads what the plan names.
    pub(super) fn begin<'g>(
        &'g self,
        files: &'g Files,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(SqliteWork<'g>, Rows), VaultError> {
        // What a call tells while it works, and a signal's handler, may be code that asks for
        // another write here: it would wait for itself.
        if *self.worker() == Some(this_thread()) {
            return Err(fault::call_in_flight(&self.path).into());
        }
        let writer = self.turn();
        let joined = writer.open.is_some();
        let mut member = SqliteWork {
            group: self,
            files,
            writer: Some(writer),
            loaded: Loaded::default(),
            scope: plan.scope,
            alone: durability == Durability::Relaxed && !joined,
            writing: false,
        };
        // From here on: waiting for another process asks a signal's handler.
        *self.worker() = Some(this_thread());
        if !joined && let Some(writer) = &mut member.writer {
            self.open(files, writer, durability)?;
        }
        let rows = member.tables()?.read(plan)?;
        Ok((member, rows))
    }

    /// Whether nobody waits for the lock.
    fn is_last(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    fn worker(&self) -> MutexGuard<'_, Option<u64>> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the lock, and is counted while it waits.
    fn turn(&self) -> MutexGuard<'_, Writer> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        writer
    }

    fn open(
        &self,
        files: &Files,
        writer: &mut Writer,
        durability: Durability,
    ) -> Result<(), VaultError> {
        let turn = files.guard().turn(&self.path)?;
        files.check()?;
        let relaxed = durability == Durability::Relaxed;
        if relaxed != writer.relaxed {
            let pragma =
                if relaxed { "PRAGMA synchronous = NORMAL" } else { "PRAGMA synchronous = FULL" };
            fault::run(&writer.connection, &self.path, pragma)?;
            writer.relaxed = relaxed;
        }
        fault::run(&writer.connection, &self.path, "BEGIN IMMEDIATE")
            .map_err(|error| files.guard().named(&self.path, error))?;
        if let Err(error) = self.check_schema(writer) {
            // Nothing was written: the error is the one to tell.
            let _ = fault::run(&writer.connection, &self.path, "ROLLBACK");
            return Err(error.into());
        }
        writer.open = Some(Batch { members: 0, end: Arc::new(OnceLock::new()) });
        writer.turn = Some(turn);
        Ok(())
    }

    /// Somebody may have changed the schema since it was compared.
    fn check_schema(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let number = schema::cookie(&writer.connection, &self.path)?;
        if number != writer.schema {
            schema::compare(&writer.connection, &self.path)?;
            writer.schema = number;
        }
        Ok(())
    }

    /// The connection, to be closed.
    pub(super) fn into_connection(self) -> Connection {
        self.writer.into_inner().unwrap_or_else(PoisonError::into_inner).connection
    }

    /// Ends the open transaction: commits it, or rolls it back because of an error, and tells its
    /// members.
    fn end(&self, files: &Files, writer: &mut Writer, because: Option<VaultError>) {
        let Some(batch) = writer.open.take() else { return };
        let mut result = match because {
            None => fault::run(&writer.connection, &self.path, "COMMIT"),
            Some(error) => Err(error),
        };
        if result.is_err() && !writer.connection.is_autocommit() {
            // A transaction that cannot be rolled back either is rolled back by SQLite at the next
            // opening.
            let _ = fault::run(&writer.connection, &self.path, "ROLLBACK");
        }
        // The next one goes on meanwhile.
        writer.turn = None;
        // What was written counts only when it is in the files that others see.
        result = result.and_then(|()| Ok(files.check()?));
        let _ = batch.end.set(result);
        self.committed.notify_all();
    }
}

/// A number of this thread. The standard library's id makes a handle of a thread that it did not
/// start, and keeps it until the thread ends: of a program's first thread for ever.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    std::thread_local! {
        static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

/// One unit of work under the lock. What it decides writes nothing, so whoever is refused leaves
/// the transaction as it was for the others.
pub struct SqliteWork<'g> {
    group: &'g WriteGroup,
    files: &'g Files,
    /// Until the work is over.
    writer: Option<MutexGuard<'g, Writer>>,
    loaded: Loaded,
    scope: Scope,
    /// It neither waits for others nor has others wait.
    alone: bool,
    /// It has begun to write: half of it must not be kept.
    writing: bool,
}

impl fmt::Debug for SqliteWork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteWork").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl SqliteWork<'_> {
    /// Writes; what was half written is rolled back for all that share the transaction.
    fn write_now(&mut self, writes: Writes) -> Result<Appended, VaultError> {
        if let Err(error) = self.tables()?.check(&writes) {
            return Err(self.failed(error));
        }
        self.writing = true;
        let scope = self.scope;
        self.tables()?.write(&scope, writes).map_err(|error| self.failed(error))
    }

    /// Ends the transaction when something of this work was written.
    fn failed(&mut self, error: VaultError) -> VaultError {
        if self.writing
            && let Some(mut writer) = self.writer.take()
        {
            *self.group.worker() = None;
            self.group.end(self.files, &mut writer, Some(error.clone()));
        }
        error
    }

    fn tables(&mut self) -> Result<Tables<'_>, VaultError> {
        let writer = self.writer.as_ref().ok_or(VaultError::Internal("a transaction was lost"))?;
        Ok(Tables::new(&writer.connection, &self.group.path, &mut self.loaded))
    }
}

impl Work for SqliteWork<'_> {
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        self.tables()?.fetch(wants, rows)
    }

    fn write_part(&mut self, writes: Writes, next: &Plan) -> Result<(Appended, Rows), VaultError> {
        let appended = self.write_now(writes)?;
        // What was read is read again: it was written.
        self.loaded = Loaded::default();
        let rows = self.tables()?.read(next).map_err(|error| self.failed(error))?;
        Ok((appended, rows))
    }

    fn write(mut self, writes: Writes) -> Result<Appended, VaultError> {
        let appended = self.write_now(writes)?;
        let (group, files) = (self.group, self.files);
        let Some(mut writer) = self.writer.take() else {
            return Err(VaultError::Internal("a transaction was lost"));
        };
        *group.worker() = None;
        let Some(batch) = &mut writer.open else {
            return Err(VaultError::Internal("a transaction was lost"));
        };
        batch.members = batch.members.saturating_add(1);
        let batch = batch.clone();
        if self.alone || batch.members >= MOST || group.is_last() {
            group.end(files, &mut writer, None);
        }
        while batch.end.get().is_none() {
            writer = group.committed.wait(writer).unwrap_or_else(PoisonError::into_inner);
        }
        batch.end.get().cloned().unwrap_or(Err(VaultError::Internal("a commit was lost")))?;
        Ok(appended)
    }
}

impl Drop for SqliteWork<'_> {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else { return };
        *self.group.worker() = None;
        let members = writer.open.as_ref().map_or(0, |batch| batch.members);
        if self.writing {
            // Those who wait for this transaction are told, or they would wait for ever.
            let error = VaultError::Internal("another operation failed half-way");
            self.group.end(self.files, &mut writer, Some(error));
        } else if members == 0 {
            self.group.end(self.files, &mut writer, Some(VaultError::Internal("no member")));
        } else if self.group.is_last() {
            self.group.end(self.files, &mut writer, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::panic::AssertUnwindSafe;
    use std::panic::catch_unwind;
    use std::thread;

    use super::*;

    #[test]
    fn whoever_leaves_a_group_leaves_it_to_the_others() {
        // Its transactions are in memory; what is looked at beside them lies still.
        let file = tempfile::NamedTempFile::new().unwrap();
        let files = Files::at_rest(file.path()).unwrap();
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        let number = schema::cookie(&connection, Path::new("memory")).unwrap();
        let group = WriteGroup::new(connection, number, Path::new("memory"));
        let plan = Plan::of(&Scope::EMPTY);
        for panics in [false, true] {
            thread::scope(|scope| {
                let (first, _) = group.begin(&files, &plan, Durability::Durable).unwrap();
                // The second one waits, so the first one leaves the transaction open for it.
                scope.spawn(|| {
                    let work = || {
                        let _second = group.begin(&files, &plan, Durability::Durable).unwrap();
                        assert!(!panics, "on purpose");
                    };
                    assert_eq!(catch_unwind(AssertUnwindSafe(work)).is_err(), panics);
                });
                while group.is_last() {
                    thread::yield_now();
                }
                first.write(Writes::default()).unwrap();
            });
        }
    }
}
