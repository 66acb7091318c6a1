//! The locks, where they are.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::mem::forget;
use core::time::Duration;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::Instant;

use laps_core::error::Code;
use laps_core::vault::{StoreError, VaultError};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::super::fault::{self, io_error};
use super::super::media;
use super::super::open::{BUSY, with_suffix};
use super::index::{Beside, IN_FILE, IN_INDEX, LogIndex, again};
use super::{PIECE, holder};
use crate::stop;

type FileId = (u64, u64);

/// Of a thread that waits for a lock.
const STACK: usize = 128 << 10;

/// What this process holds of each file. A descriptor of ours is closed under this lock, and
/// only when no other handle of this process has the file open: closing it cancels SQLite's
/// locks.
static HELD: Mutex<Vec<Arc<FileLocks>>> = Mutex::new(Vec::new());

/// One file's locks in this process.
struct FileLocks {
    id: FileId,
    file: File,
    beside: OnceLock<Beside>,
    line: Mutex<WaitingLine>,
    moved: Condvar,
}

/// Who of this process waits for the turn.
#[derive(Default)]
struct WaitingLine {
    waiting: VecDeque<u64>,
    tickets: u64,
    /// Somebody of this process has the turn, or negotiates for it.
    busy: bool,
    door: Door,
    /// Turns since the last time at the door.
    goes: u8,
}

/// Where this process stands among the others.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
enum Door {
    #[default]
    Away,
    /// A thread waits for it, and then for the turn.
    Waiting,
    /// It has the turn, and whoever is first takes it.
    Through,
}

/// How many turns a process may take in a row without queueing at the door, if it finds the
/// turn free: what is ready goes on while the next one is still waking up. So nobody waits
/// for more than this many turns of each other process.
const AT_ONCE: u8 = 2;

/// How often whoever waits looks whether the call is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often whoever found no thread to wait for it tries.
const KNOCK: Duration = Duration::from_millis(1);

/// A share in the locks of one file; an empty one where there are none.
pub(in crate::sqlite) struct Guard(Option<Arc<FileLocks>>);

impl Clone for Guard {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Guard {
    pub(in crate::sqlite) const fn none() -> Self {
        Self(None)
    }

    /// Says that this process has the file open. Waits for whoever is closing it.
    pub(in crate::sqlite) fn of(path: &Path) -> Result<Self, StoreError> {
        if media::network(&fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())).is_some()
        {
            return Ok(Self::none());
        }
        let failed = |error: io::Error| io_error(path, "cannot be opened", &error);
        let until = Instant::now().checked_add(BUSY);
        loop {
            let mut list = list(path)?;
            let find = |id| list.iter().find(|held| held.id == id).cloned();
            if let Some(held) = find(id(&fs::metadata(path).map_err(failed)?)) {
                return Ok(Self(Some(held)));
            }
            // One that may only be read is opened all the same: SQLite says what cannot be done
            // with it.
            let file = File::options().read(true).write(true).open(path);
            let file = file.or_else(|_| File::open(path)).map_err(failed)?;
            let id = id(&file.metadata().map_err(failed)?);
            if let Some(held) = find(id) {
                // It was put in place in this moment, and closing it would cancel locks.
                forget(file);
                return Ok(Self(Some(held)));
            }
            match flock(&file, FlockOperation::NonBlockingLockShared) {
                Ok(()) => {
                    let (beside, line) = (OnceLock::new(), Mutex::default());
                    let held = FileLocks { id, file, beside, line, moved: Condvar::new() };
                    let held = Arc::new(held);
                    list.push(Arc::clone(&held));
                    return Ok(Self(Some(held)));
                }
                Err(Errno::WOULDBLOCK) if until.is_some_and(|until| Instant::now() < until) => {
                    drop(file);
                    drop(list);
                    thread::sleep(Duration::from_millis(2));
                }
                Err(Errno::WOULDBLOCK) => {
                    let holder = holder::of_flock(&file);
                    return Err(busy(path, "is being closed", holder));
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
    }

    /// SQLite has opened the log and its index.
    pub(in crate::sqlite) fn opened(&self, real: &Path) -> Result<(), StoreError> {
        let Some(held) = &self.0 else { return Ok(()) };
        let _list = list(real)?;
        let names = ["-wal", "-shm"].map(|suffix| with_suffix(real, suffix));
        if let Some(Beside { log, index }) = held.beside.get() {
            // SQLite goes on with the index that this process has: with another log it would be
            // nobody's.
            for (file, name) in [log, index].into_iter().zip(&names) {
                let same = file.metadata().is_ok_and(|file| {
                    fs::metadata(name).is_ok_and(|found| id(&found) == id(&file))
                });
                if !same {
                    return Err(lost(real, name));
                }
            }
            return Ok(());
        }
        let open = |name: &PathBuf| {
            let opened = File::options().read(true).write(true).open(name);
            opened.map_err(|error| io_error(name, "cannot be opened", &error))
        };
        let [log, index] = &names;
        let beside = Beside { log: open(log)?, index: open(index)? };
        for (file, name, bytes) in [(&held.file, real, IN_FILE), (&beside.index, index, IN_INDEX)] {
            again(file, libc::F_RDLCK, bytes).map_err(|error| {
                if error.kind() == io::ErrorKind::WouldBlock {
                    return busy(real, "is being closed", None);
                }
                io_error(name, "cannot be locked", &error)
            })?;
        }
        let _ = held.beside.set(beside);
        Ok(())
    }

    /// Whether the index has its first piece, as long as anybody has it open. SQLite reads it
    /// as memory: what was cut ends the process that touches it.
    pub(in crate::sqlite) fn index_is_whole(&self) -> bool {
        let beside = self.0.as_ref().and_then(|held| held.beside.get());
        beside.is_none_or(|beside| beside.index.metadata().is_ok_and(|found| found.len() >= PIECE))
    }

    /// Whether the log has everything that its index says. Whoever adds to the log writes the
    /// log first, and whoever begins it again writes the index first: an index that
    /// stays the same while the log is too short means that somebody cut it.
    /// Each repetition is due to somebody who changed the index, which is done once a
    /// transaction.
    pub(in crate::sqlite) fn log_is_whole(&self, mut bytes: u64) -> io::Result<bool> {
        let beside = self.0.as_ref().and_then(|held| held.beside.get());
        let Some(beside) = beside else { return Ok(true) };
        let mut before = beside.read()?;
        // The number is from before the index was read: a log that grew since is looked at
        // again.
        let mut looked = false;
        while bytes < before.log() {
            let now = beside.read()?;
            if looked && now == before {
                return Ok(false);
            }
            bytes = beside.log.metadata()?.len();
            (before, looked) = (now, true);
        }
        Ok(true)
    }

    /// An error of SQLite's; when somebody who has none of our locks holds its own, that one is
    /// named.
    pub(in crate::sqlite) fn named(&self, path: &Path, error: VaultError) -> VaultError {
        let beside = self.0.as_ref().and_then(|held| held.beside.get());
        match (beside, error.code()) {
            (Some(beside), Code::Busy) => {
                let holder = holder::of_turn(&beside.log, &beside.index);
                busy(path, "is in use", holder).into()
            }
            _ => error,
        }
    }

    /// Waits until it is this process's turn to write, as long as those before it get on.
    pub(in crate::sqlite) fn turn(&self, path: &Path) -> Result<WriteTurn, StoreError> {
        let Some(held) = &self.0 else { return Ok(WriteTurn(None)) };
        let Some(beside) = held.beside.get() else { return Ok(WriteTurn(None)) };
        let mut line = held.line();
        let ticket = line.tickets;
        line.tickets = line.tickets.wrapping_add(1);
        line.waiting.push_back(ticket);
        let mut look = Progress::at(beside);
        loop {
            let first = line.waiting.front() == Some(&ticket) && !line.busy;
            if first && self.step(&mut line, beside) {
                line.busy = true;
                line.waiting.pop_front();
                return Ok(WriteTurn(Some(Arc::clone(held))));
            }
            // No thread could be had that waits.
            let alone = first && line.door == Door::Away;
            let wait = if alone { KNOCK } else { look.left().min(LOOK_EVERY) };
            let waited = held.moved.wait_timeout(line, wait);
            let (next, ended) = waited.unwrap_or_else(PoisonError::into_inner);
            line = next;
            let mut over = ended.timed_out() && !look.moved(beside);
            let mut asked_to_end = false;
            if ended.timed_out() && !over {
                // Without the line: who is asked may ask for a turn.
                drop(line);
                asked_to_end = stop::is_ended();
                over = asked_to_end;
                line = held.line();
            }
            if over {
                line.waiting.retain(|waiting| *waiting != ticket);
                if line.waiting.is_empty() && line.door == Door::Through {
                    let _ = flock(&beside.log, FlockOperation::Unlock);
                    line.door = Door::Away;
                }
                held.moved.notify_all();
                drop(line);
                if asked_to_end {
                    return Err(fault::ended(path));
                }
                let holder = holder::of_turn(&beside.log, &beside.index);
                return Err(busy(path, "is in use", holder));
            }
        }
    }

    /// One step nearer to the turn, for whoever is first in the line of this process; whether
    /// it has the turn now.
    fn step(&self, line: &mut WaitingLine, beside: &Beside) -> bool {
        let enter = || flock(&beside.log, FlockOperation::NonBlockingLockExclusive).is_ok();
        if line.door == Door::Away && line.goes < AT_ONCE && enter() {
            line.goes = line.goes.saturating_add(1);
            return true;
        }
        if line.door == Door::Away {
            let at = flock(&beside.index, FlockOperation::NonBlockingLockExclusive).is_ok();
            if at && enter() {
                let _ = flock(&beside.index, FlockOperation::Unlock);
                line.goes = 1;
                return true;
            }
            let waiter = self.clone();
            let thread = thread::Builder::new().name("laps-turn".to_owned());
            if thread.stack_size(STACK).spawn(move || waiter.wait()).is_ok() {
                line.door = Door::Waiting;
            } else if at {
                // Whoever waits comes here again.
                let _ = flock(&beside.index, FlockOperation::Unlock);
            }
        }
        if line.door == Door::Through {
            (line.door, line.goes) = (Door::Away, 1);
            return true;
        }
        false
    }

    /// Waits at the door and for the turn, for whoever of this process is first in the line by
    /// then. The kernel wakes it at once: what passes between two turns is lost to all.
    fn wait(&self) {
        let Some(held) = &self.0 else { return };
        let Some(beside) = held.beside.get() else { return };
        // A signal does not end it.
        let lock = |file: &File| loop {
            match flock(file, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                done => return done.is_ok(),
            }
        };
        let through = lock(&beside.index) && lock(&beside.log);
        let _ = flock(&beside.index, FlockOperation::Unlock);
        let mut line = held.line();
        if through && !line.waiting.is_empty() {
            line.door = Door::Through;
            held.moved.notify_all();
        } else {
            // They have all given up; or the lock cannot be had, and whoever waits tries again.
            let _ = flock(&beside.log, FlockOperation::Unlock);
            line.door = Door::Away;
        }
    }

    /// Lets go of the file. `close` closes SQLite's handles, and is told whether nobody else
    /// has the file open.
    pub(in crate::sqlite) fn leave(mut self, close: impl FnOnce(bool)) {
        let Some(held) = self.0.take() else { return close(true) };
        let Ok(mut list) = list(Path::new("")) else {
            // A list that nobody gives back is that of a fork in the wrong moment: log and
            // descriptors stay.
            close(false);
            return forget(held);
        };
        let last = Arc::strong_count(&held) == SHARES;
        // What is shared is given back first, so that of two who leave at once one is the last.
        let alone = last
            && flock(&held.file, FlockOperation::Unlock).is_ok()
            && flock(&held.file, FlockOperation::NonBlockingLockExclusive).is_ok()
            && again(&held.file, libc::F_UNLCK, IN_FILE).is_ok()
            && held
                .beside
                .get()
                .is_none_or(|beside| again(&beside.index, libc::F_UNLCK, IN_INDEX).is_ok());
        close(alone);
        if last {
            list.retain(|other| !Arc::ptr_eq(other, &held));
            // Nothing is kept for the whole process.
            list.shrink_to_fit();
        }
        drop(held);
        drop(list);
    }
}

/// Those of the list and of the one that leaves.
const SHARES: usize = 2;

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(held) = self.0.take() else { return };
        let Ok(mut list) = list(Path::new("")) else { return forget(held) };
        if Arc::strong_count(&held) == SHARES {
            list.retain(|other| !Arc::ptr_eq(other, &held));
            // Nothing is kept for the whole process.
            list.shrink_to_fit();
        }
        drop(held);
        drop(list);
    }
}

/// The right to write, until it is dropped; its vault outlives it.
pub(in crate::sqlite) struct WriteTurn(Option<Arc<FileLocks>>);

impl Drop for WriteTurn {
    fn drop(&mut self) {
        let Some(held) = &self.0 else { return };
        let mut line = held.line();
        if let Some(beside) = held.beside.get() {
            let _ = flock(&beside.log, FlockOperation::Unlock);
        }
        line.busy = false;
        held.moved.notify_all();
    }
}

impl FileLocks {
    fn line(&self) -> MutexGuard<'_, WaitingLine> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether those who write get on.
struct Progress {
    since: Instant,
    index: Option<LogIndex>,
}

impl Progress {
    fn at(beside: &Beside) -> Self {
        Self { since: Instant::now(), index: beside.read().ok() }
    }

    fn left(&self) -> Duration {
        BUSY.saturating_sub(self.since.elapsed())
    }

    /// Whether there is time left, or somebody committed since.
    fn moved(&mut self, beside: &Beside) -> bool {
        if !self.left().is_zero() {
            return true;
        }
        let now = Self::at(beside);
        let moved = now.index != self.index;
        *self = now;
        moved
    }
}

fn id(found: &fs::Metadata) -> FileId {
    (found.dev(), found.ino())
}

/// A fork in the wrong moment leaves the list locked for ever in the child; closing a large
/// vault takes a while.
fn list(path: &Path) -> Result<MutexGuard<'static, Vec<Arc<FileLocks>>>, StoreError> {
    let until = Instant::now().checked_add(BUSY);
    loop {
        match HELD.try_lock() {
            Ok(list) => return Ok(list),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if until.is_some_and(|until| Instant::now() < until) => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(busy(path, "is being opened or closed by another thread", None));
            }
        }
    }
}

fn lost(path: &Path, name: &Path) -> StoreError {
    let (at, name) = (path.display(), name.display());
    StoreError::new(
        Code::Unreachable,
        format!(
            "the vault {at}: {name} was removed or replaced while another handle of this \
             process had it open; let go of every \
             handle to it and open it again"
        ),
    )
}

/// Says who holds the lock, and how to end it.
fn busy(path: &Path, doing: &str, holder: Option<String>) -> StoreError {
    let at = path.display();
    let by = holder.unwrap_or_else(|| "by somebody else; try again".to_owned());
    StoreError::new(Code::Busy, format!("the vault {at} {doing} {by}"))
}
