//! Which process opened a vault. SQLite's handles do not survive a fork: the child would believe
//! that it holds locks which only its parent holds, and closing a handle there touches the parent's
//! files. So a handle works in the process that opened it alone, the child leaks it, and the child
//! cannot open the same file while its parent's handles are in its memory.

use std::fs;
use std::path::Path;
use std::process;
use std::sync::{Mutex, TryLockError};
use std::thread;

use core::time::Duration;

use laps_core::error::Code;
use laps_core::vault::StoreError;

/// One open vault of this process, or of the one that it was forked from.
#[derive(Clone, Copy, Eq, PartialEq)]
struct OpenFile {
    process: u32,
    file: Option<(u64, u64)>,
    /// Without locks: nobody writes it.
    at_rest: bool,
}

static OPENED: Mutex<Vec<OpenFile>> = Mutex::new(Vec::new());

/// How often, every millisecond, the list is asked for. A fork in the wrong moment leaves it locked
/// for ever in the child.
const ATTEMPTS: u32 = 2_000;

/// The process that opened a vault.
pub(super) struct Owner(OpenFile);

impl Owner {
    /// This process, if it may open the file.
    pub(super) fn of(path: &Path, at_rest: bool) -> Result<Self, StoreError> {
        let opened = OpenFile { process: process::id(), file: file(path), at_rest };
        with_list(path, |list| {
            let parent = list.iter().find(|other| {
                other.process != opened.process && other.file.is_some() && other.file == opened.file
            });
            if let Some(parent) = parent {
                return Err(forked(path, parent.process));
            }
            list.push(opened);
            Ok(Self(opened))
        })?
    }

    /// Whether this is still the process that opened the vault.
    pub(super) fn check(&self, path: &Path) -> Result<(), StoreError> {
        if self.is_here() { Ok(()) } else { Err(forked(path, self.0.process)) }
    }

    pub(super) fn is_here(&self) -> bool {
        process::id() == self.0.process
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // In the child the entry stays: the handles are still in its memory.
        if self.is_here() {
            let _ = with_list(Path::new(""), |list| {
                if let Some(at) = list.iter().position(|opened| *opened == self.0) {
                    list.swap_remove(at);
                }
                if list.is_empty() {
                    // A process that closed every vault holds nothing of ours.
                    *list = Vec::new();
                }
            });
        }
    }
}

/// Whether this process has a vault open, with locks, that is this file: closing the file elsewhere
/// would cancel them.
pub(super) fn has_open(path: &Path) -> bool {
    let (process, file) = (process::id(), file(path));
    let has = |list: &mut Vec<OpenFile>| list.contains(&OpenFile { process, file, at_rest: false });
    file.is_some() && with_list(path, has).unwrap_or(true)
}

fn with_list<T>(path: &Path, work: impl FnOnce(&mut Vec<OpenFile>) -> T) -> Result<T, StoreError> {
    for _ in 0..ATTEMPTS {
        match OPENED.try_lock() {
            Ok(mut list) => return Ok(work(&mut list)),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(work(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
    let at = path.display();
    Err(StoreError::new(
        Code::Busy,
        format!(
            "the vault {at} cannot be opened: this process was forked while a vault was being \
             opened"
        ),
    ))
}

fn forked(path: &Path, owner: u32) -> StoreError {
    let (at, here) = (path.display(), process::id());
    StoreError::new(
        Code::InvalidArgument,
        format!(
            "the vault {at} was opened in process {owner} and this is process {here}, forked from \
             it: let go of \
             every handle to the vault before the fork, and open it after the fork in each process"
        ),
    )
}

#[cfg(unix)]
fn file(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// There is no fork.
#[cfg(not(unix))]
fn file(path: &Path) -> Option<(u64, u64)> {
    let _ = fs::metadata(path);
    None
}
