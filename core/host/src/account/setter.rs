//! The setter lock (protocol §2 rule 9): held by whatever may still be changing the account.
//!
//! A child that sets a password inherits the lock and has a process group of its own, which is
//! recorded in the lock's file. An agent that is killed leaves the child behind; the next agent
//! cannot take the lock until the child has ended. After the setter's time-out it ends the child's
//! group, and waits again.

use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::stop;

/// The lock, held or lent to a child.
#[derive(Debug)]
pub struct SetterLock {
    path: Option<PathBuf>,
    held: Option<File>,
    timeout: Duration,
}

impl SetterLock {
    /// How long a setter may take before it is ended (protocol §2 rule 9).
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// Takes the lock; waits for a setter that an earlier agent left behind, and ends it after
    /// `timeout`.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when the lock is still held after that, or this call is to end
    /// ([`crate::stop`]); others from the file system.
    pub fn acquire(path: &Path, timeout: Duration) -> io::Result<Self> {
        let mut lock = Self { path: Some(path.to_owned()), held: None, timeout };
        lock.take(Instant::now() + timeout, &stop::is_ended)?;
        Ok(lock)
    }

    /// A lock that protects nothing: for stores that change the account within the call, and for
    /// tests.
    #[must_use]
    pub const fn unlocked() -> Self {
        Self { path: None, held: None, timeout: Self::TIMEOUT }
    }

    /// Whether nothing that sets a password can be running.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held.is_some() || self.path.is_none()
    }

    /// How long a setter may take.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Takes the lock back from a program that was left behind: waits until `deadline`, ends
    /// whoever holds it, waits five seconds more.
    #[cfg(unix)]
    pub(crate) fn reclaim(&mut self, deadline: Instant) -> io::Result<()> {
        self.take(deadline, &|| false)
    }

    fn take(&mut self, deadline: Instant, ended: &dyn Fn() -> bool) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        if self.held.is_some() {
            return Ok(());
        }
        let file = open(path)?;
        if !wait(&file, deadline, ended)? {
            if ended() {
                let text = "asked to end while a setter that was left behind still runs";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, text));
            }
            holders::end(path, &file);
            if !wait(&file, Instant::now() + AFTER_KILL, &|| false)? {
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    "the process that sets the password does not end",
                ));
            }
        }
        self.held = Some(file);
        Ok(())
    }

    /// Gives the lock away, to be inherited by a child.
    #[cfg(unix)]
    pub(crate) const fn lend(&mut self) -> Option<File> {
        self.held.take()
    }
}

/// Records the process group that has the lock, in the lock's file.
#[cfg(unix)]
pub(crate) fn record(mut file: &File, group: u32) -> io::Result<()> {
    use std::io::{Seek as _, Write as _};
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{group}\n").as_bytes())
}

fn open(path: &Path) -> io::Result<File> {
    private().read(true).write(true).create(true).truncate(false).open(path)
}

/// For a file in the state folder: a new one is for nobody else, and no link is followed.
pub(crate) fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "nothing to set there"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW.bits();
        options.mode(0o600).custom_flags(flags.cast_signed());
    }
    options
}

/// Tries until the deadline, or until `ended`; whether the lock was taken.
fn wait(file: &File, deadline: Instant, ended: &dyn Fn() -> bool) -> io::Result<bool> {
    loop {
        if try_lock(file)? {
            return Ok(true);
        }
        if Instant::now() >= deadline || ended() {
            return Ok(false);
        }
        std::thread::sleep(STEP);
    }
}

/// Takes an exclusive lock if nobody has it. On Unix this is `flock`, whose lock belongs to the
/// open file and is therefore inherited by children that inherit the file.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
    #[cfg(not(unix))]
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Who has the lock, and how to end it.
mod holders {
    use super::{File, Path};

    /// Ends the recorded process group if one of its members has the lock, and every other process
    /// that has it.
    ///
    /// A process that has the lock proves that it is the setter or came from it: a number that was
    /// recorded before a restart, and belongs to somebody else now, is never a reason to end
    /// anybody.
    #[cfg(target_os = "linux")]
    pub(super) fn end(path: &Path, file: &File) {
        use rustix::process::{Pid, Signal, getpgid, getpid, kill_process, kill_process_group};
        use std::os::unix::fs::MetadataExt as _;

        let recorded: Option<Pid> = std::fs::read_to_string(path)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .and_then(Pid::from_raw);
        let Ok(lock) = file.metadata() else { return };
        let Ok(processes) = std::fs::read_dir("/proc") else { return };
        for process in processes.flatten() {
            let Some(pid) = process
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
                .and_then(Pid::from_raw)
            else {
                continue;
            };
            if pid == getpid() {
                continue;
            }
            let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
            let has_lock = files.flatten().any(|fd| {
                std::fs::metadata(fd.path())
                    .is_ok_and(|other| other.dev() == lock.dev() && other.ino() == lock.ino())
                    && std::fs::read_to_string(process.path().join("fdinfo").join(fd.file_name()))
                        .is_ok_and(|info| info.contains("\nlock:"))
            });
            if !has_lock {
                continue;
            }
            // The group is the setter's own when it was recorded, or when its first process has the
            // lock.
            if let Ok(group) = getpgid(Some(pid))
                && (Some(group) == recorded || group == pid)
            {
                let _ended = kill_process_group(group, Signal::KILL);
            }
            let _ended = kill_process(pid, Signal::KILL);
        }
    }

    /// Nothing: on Windows the account is changed within the call, and elsewhere there is no proof
    /// of who has the lock. A recorded number may belong to somebody else by now, so the agent
    /// rather waits, and then refuses to start.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn end(_path: &Path, _file: &File) {}
}

/// How often the lock is tried.
const STEP: Duration = Duration::from_millis(20);
/// How long an ended process may take to be gone.
const AFTER_KILL: Duration = Duration::from_secs(5);
