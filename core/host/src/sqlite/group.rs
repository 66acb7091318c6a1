//! Transactions that write. Writers of this process that wait at the same time share one
//! transaction of the file, and thus one sync: each works under the lock on its own, inside a
//! savepoint, and all of them return when the sync is done.

use alloc::sync::Arc;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use laps_core::vault::store::{Durability, Transaction};
use laps_core::vault::{StoreError, VaultError};
use rusqlite::Connection;

use super::files::Files;
use super::guard::Turn;
use super::rows::Rows;
use super::{fault, schema};

/// The most writers that share one sync.
const MOST: usize = 64;

pub(super) struct Group {
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
    turn: Option<Turn>,
    relaxed: bool,
    /// The schema's number when the schema was compared.
    schema: i64,
}

#[derive(Clone)]
struct Batch {
    members: usize,
    end: Arc<OnceLock<Result<(), VaultError>>>,
}

impl Group {
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

    pub(super) fn run<T>(
        &self,
        files: &Files,
        durability: Durability,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        // What a call tells while it works, and a signal's handler, may be code that asks for
        // another write here: it would wait for itself.
        if *self.worker() == Some(this_thread()) {
            return Err(fault::call_in_flight(&self.path).into());
        }
        let mut writer = self.turn();
        let working = Working::new(self);
        let joined = writer.open.is_some();
        if joined {
            if let Err(error) = fault::run(&writer.connection, &self.path, "SAVEPOINT member") {
                self.end(files, &mut writer, Some(error.clone()));
                return Err(error);
            }
        } else {
            self.begin(files, &mut writer, durability)?;
        }
        let mut rows = Rows::new(&writer.connection, &self.path);
        let work = || {
            let done = work(&mut rows)?;
            rows.finish().map(|()| done)
        };
        let result = panic::catch_unwind(AssertUnwindSafe(work));
        drop(working);
        let result = match result {
            Ok(result) => result,
            Err(panicked) => {
                // Those who wait for this transaction are told, or they would wait for ever.
                self.end(
                    files,
                    &mut writer,
                    Some(VaultError::Internal("another operation panicked")),
                );
                drop(writer);
                panic::resume_unwind(panicked);
            }
        };
        if result.is_err() && !joined {
            self.end(files, &mut writer, Some(VaultError::Internal("no member")));
            return result;
        }
        if joined && let Err(error) = self.close_member(&writer, result.is_ok()) {
            // The savepoint cannot be closed: nobody's work is safe in this transaction.
            self.end(files, &mut writer, Some(error.clone()));
            return Err(error);
        }
        let Some(batch) = &mut writer.open else {
            return Err(VaultError::Internal("a transaction was lost"));
        };
        if result.is_ok() {
            batch.members = batch.members.saturating_add(1);
        }
        let batch = batch.clone();
        let last = self.waiting.load(Ordering::Acquire) == 0 || batch.members >= MOST;
        if last || durability == Durability::Relaxed && !joined {
            self.end(files, &mut writer, None);
        }
        if result.is_ok() {
            while batch.end.get().is_none() {
                writer = self.committed.wait(writer).unwrap_or_else(PoisonError::into_inner);
            }
            batch.end.get().cloned().unwrap_or(Err(VaultError::Internal("a commit was lost")))?;
        }
        result
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

    fn begin(
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

    fn close_member(&self, writer: &Writer, keep: bool) -> Result<(), VaultError> {
        if !keep {
            fault::run(&writer.connection, &self.path, "ROLLBACK TO member")?;
        }
        fault::run(&writer.connection, &self.path, "RELEASE member")
    }

    /// Ends the open transaction: commits it, or rolls it back because of an error, and tells its
    /// members.
    fn end(&self, files: &Files, writer: &mut Writer, because: Option<VaultError>) {
        let Some(batch) = writer.open.take() else { return };
        let result = match because {
            // What was written counts only when it is in the files that others see.
            None => fault::run(&writer.connection, &self.path, "COMMIT")
                .and_then(|()| Ok(files.check()?)),
            Some(error) => Err(error),
        };
        if result.is_err() && !writer.connection.is_autocommit() {
            // A transaction that cannot be rolled back either is rolled back by SQLite at the next
            // opening.
            let _ = fault::run(&writer.connection, &self.path, "ROLLBACK");
        }
        writer.turn = None;
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

/// This thread works under the lock.
struct Working<'g>(&'g Group);

impl<'g> Working<'g> {
    fn new(group: &'g Group) -> Self {
        *group.worker() = Some(this_thread());
        Self(group)
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        *self.0.worker() = None;
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_panic_ends_the_wait_of_the_group() {
        // Its transactions are in memory; what is looked at beside them lies still.
        let file = tempfile::NamedTempFile::new().unwrap();
        let files = Files::at_rest(file.path()).unwrap();
        let group = Group::new(Connection::open_in_memory().unwrap(), 0, Path::new("memory"));
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                group.run(&files, Durability::Durable, |_| {
                    // The second one waits by now, so this one leaves the transaction open for it.
                    scope.spawn(|| {
                        let work =
                            |_: &mut dyn Transaction| -> Result<(), _> { panic!("on purpose") };
                        let run = || group.run(&files, Durability::Durable, work);
                        assert!(panic::catch_unwind(AssertUnwindSafe(run)).is_err());
                    });
                    while group.waiting.load(Ordering::Acquire) == 0 {
                        thread::yield_now();
                    }
                    Ok(())
                })
            });
            // The first one's work is lost with the transaction, and it is told so.
            assert!(matches!(first.join().unwrap(), Err(VaultError::Internal(_))));
        });
    }
}
