//! A vault's file, its log and the log's index are one thing. Whoever removes, replaces or cuts one
//! of them while the vault is open makes SQLite write into a file without a name: what is handed
//! out then is in no log. So each transaction looks whether the three are still those that were
//! opened, before it writes and before it answers, and a handle that lost one of them answers with
//! an error for good.
//!
//! While somebody has the vault open, nobody who keeps the rules replaces any of them; the last one
//! to close removes log and index. On Windows an open file cannot be removed or replaced, and
//! nothing is looked at.

use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::OnceLock;

#[cfg(unix)]
use laps_core::error::Code;
use laps_core::vault::StoreError;

use super::guard::Guard;

/// The three files as they were opened.
pub(super) struct Files {
    #[cfg(unix)]
    path: PathBuf,
    #[cfg(unix)]
    seen: unix::Seen,
    guard: Guard,
    lost: OnceLock<StoreError>,
}

impl Files {
    /// The files of a connection that has read: SQLite has all three open.
    pub(super) fn of(path: &Path, guard: Guard) -> Result<Self, StoreError> {
        #[cfg(unix)]
        let seen = unix::Seen::opened(path).map_err(|why| why.to_error(path))?;
        guard.opened(&std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()))?;
        Ok(Self {
            #[cfg(unix)]
            path: path.to_path_buf(),
            #[cfg(unix)]
            seen,
            guard,
            lost: OnceLock::new(),
        })
    }

    /// A file at rest, which nobody writes while it is read.
    pub(super) fn at_rest(path: &Path) -> Result<Self, StoreError> {
        #[cfg(unix)]
        let seen = unix::Seen::at_rest(path).map_err(|why| why.to_error(path))?;
        let _ = path;
        Ok(Self {
            #[cfg(unix)]
            path: path.to_path_buf(),
            #[cfg(unix)]
            seen,
            guard: Guard::none(),
            lost: OnceLock::new(),
        })
    }

    /// Whether something may be read: what was lost before stays lost, and an index that was cut
    /// must not be touched.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        if self.guard.index_is_whole() {
            self.lost.get().cloned().map_or(Ok(()), Err)
        } else {
            self.check()
        }
    }

    /// Whether they are still the same.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if let Some(lost) = self.lost.get() {
            return Err(lost.clone());
        }
        #[cfg(unix)]
        if let Err(why) = self.seen.again(&self.path, &self.guard) {
            let told = why.to_error(&self.path);
            if matches!(why, Why::Failed(..)) {
                return Err(told);
            }
            return Err(self.lost.get_or_init(|| told).clone());
        }
        Ok(())
    }

    pub(super) const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Lets go of them. `close` closes SQLite's handles, and is told whether the log may be folded
    /// and removed: nobody else has the vault open, and its files are those that were opened.
    pub(super) fn leave(self, close: impl FnOnce(bool)) {
        let whole = self.check().is_ok();
        self.guard.leave(|alone| close(alone && whole));
    }
}

/// What happened to one of the files.
#[cfg(unix)]
enum Why {
    /// The vault's own file.
    Replaced,
    /// The log or its index.
    Gone(PathBuf),
    Cut(PathBuf),
    Linked(PathBuf),
    /// A file at rest was written.
    Written,
    /// It could not be looked at.
    Failed(PathBuf, std::io::Error),
}

#[cfg(unix)]
impl Why {
    fn to_error(&self, path: &Path) -> StoreError {
        let at = path.display();
        let what = match self {
            Self::Failed(file, error) => {
                return super::fault::io_error(file, "cannot be looked at", error);
            }
            Self::Replaced => format!(
                "the vault {at} is not the file that was opened: it was removed, or another one \
                 was put in its place"
            ),
            Self::Gone(file) => format!(
                "the vault {at} has lost {}: it was removed or replaced while the vault was open, \
                 and what is in it is lost \
                 as far as it was not folded into the vault's file",
                file.display()
            ),
            Self::Cut(file) => {
                format!("the vault {at}: {} was cut short while the vault was open", file.display())
            }
            Self::Linked(file) => format!(
                "the vault {at}: {} was given a second name (a hard link) while the vault was \
                 open; remove that one",
                file.display()
            ),
            Self::Written => {
                format!("the vault {at} was opened as a file at rest, and somebody writes it")
            }
        };
        StoreError::new(
            Code::Unreachable,
            format!(
                "{what}; this handle answers nothing more: let go of every handle to it and open \
                 it again"
            ),
        )
    }
}

#[cfg(unix)]
mod unix {
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::fs::{self, Metadata};
    use std::io::ErrorKind;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};
    use std::time::SystemTime;

    use super::super::guard::{self, Guard};
    use super::super::open;
    use super::Why;

    type FileId = (u64, u64);

    pub(super) struct Seen {
        file: FileId,
        /// The log and its index. None of a file at rest.
        beside: Option<[(PathBuf, FileId); 2]>,
        /// The most bytes that the vault's file was seen to have. It only grows.
        size: AtomicU64,
        /// When a file at rest was changed last, and where its log would be.
        at_rest: Option<(SystemTime, PathBuf)>,
    }

    impl Seen {
        pub(super) fn opened(path: &Path) -> Result<Self, Why> {
            let real = fs::canonicalize(path).map_err(|_| Why::Replaced)?;
            let found = look(path)?.ok_or(Why::Replaced)?;
            let mut beside = Vec::new();
            for suffix in ["-wal", "-shm"] {
                let name = open::with_suffix(&real, suffix);
                let id = look(&name)?.map(|found| id(&found));
                let id = id.filter(|id| is_open(*id)).ok_or_else(|| Why::Gone(name.clone()))?;
                beside.push((name, id));
            }
            let size = AtomicU64::new(found.len());
            Ok(Self { file: id(&found), beside: beside.try_into().ok(), size, at_rest: None })
        }

        pub(super) fn at_rest(path: &Path) -> Result<Self, Why> {
            let found = look(path)?.ok_or(Why::Replaced)?;
            let real = fs::canonicalize(path).map_err(|_| Why::Replaced)?;
            let changed =
                found.modified().map_err(|error| Why::Failed(path.to_path_buf(), error))?;
            let log = open::with_suffix(&real, "-wal");
            let size = AtomicU64::new(found.len());
            Ok(Self { file: id(&found), beside: None, size, at_rest: Some((changed, log)) })
        }

        pub(super) fn again(&self, path: &Path, guard: &Guard) -> Result<(), Why> {
            let found = look(path)?.filter(|found| id(found) == self.file).ok_or(Why::Replaced)?;
            let before = self.size.fetch_max(found.len(), Ordering::AcqRel);
            if let Some((changed, log)) = &self.at_rest {
                let written = look(log)?.is_some_and(|log| log.len() > 0);
                let same = found.len() == before && found.modified().is_ok_and(|at| at == *changed);
                return if same && !written { Ok(()) } else { Err(Why::Written) };
            }
            one_name(&found, path)?;
            if found.len() < before {
                return Err(Why::Cut(path.to_path_buf()));
            }
            let Some([(log, seen_log), (index, seen_index)]) = &self.beside else { return Ok(()) };
            let look = |name: &PathBuf, seen| {
                let found = look(name)?.filter(|found| id(found) == seen);
                let found = found.ok_or_else(|| Why::Gone(name.clone()))?;
                one_name(&found, name).map(|()| found.len())
            };
            let log_bytes = look(log, *seen_log)?;
            if look(index, *seen_index)? < guard::PIECE {
                return Err(Why::Cut(index.clone()));
            }
            match guard.log_is_whole(log_bytes) {
                Ok(true) => Ok(()),
                Ok(false) => Err(Why::Cut(log.clone())),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    Err(Why::Cut(index.clone()))
                }
                Err(error) => Err(Why::Failed(index.clone(), error)),
            }
        }
    }

    /// What is there; nothing where nothing is.
    fn look(path: &Path) -> Result<Option<Metadata>, Why> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(found)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(Why::Failed(path.to_path_buf(), error)),
        }
    }

    fn id(found: &Metadata) -> FileId {
        (found.dev(), found.ino())
    }

    fn one_name(found: &Metadata, name: &Path) -> Result<(), Why> {
        if found.nlink() > 1 { Err(Why::Linked(name.to_path_buf())) } else { Ok(()) }
    }

    /// Whether this process has the file open: what SQLite opened, and not what somebody put in its
    /// place since. Where nobody can tell (no `/proc`), it is taken for so.
    fn is_open(file: FileId) -> bool {
        let Ok(entries) = fs::read_dir("/proc/self/fd") else { return true };
        entries.flatten().any(|entry| fs::metadata(entry.path()).is_ok_and(|f| id(&f) == file))
    }
}
