//! The state folder: the journal, the accepted policy, and the two locks.
//!
//! | file | what |
//! |---|---|
//! | `journal` | see [`journal`]; replaced by rename, never written in place |
//! | `policy` | the last accepted policy, as it was given |
//! | `readers` | the last accepted reader set as it was signed, behind its authority's public key |
//! | `demands` | what the device's own password policy asked for when it refused a password |
//! | `agent` | held by the running agent, not inherited |
//! | `setter` | held by the agent or the child that sets a password; has that child's group |
//!
//! The folder is made with 0700, files with 0600. A folder in which others may write is refused,
//! and so is one that somebody else made, or a link: whoever owns the folder could lead the agent's
//! writing to any file of the system. For the same reason no link in it is followed.

use core::time::Duration;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use laps_core::identity::AccountName;
use laps_core::refusal::Demands;

use super::error::{AgentError, StateError};
use super::journal::{self, JournalFile, MalformedJournal};
use super::status::{AgentStatus, no_finding};
use crate::account::setter::{SetterLock, private, try_lock};
use crate::trust::{self, Content};

/// A state folder, locked for one agent.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    /// Held until this is dropped.
    _agent: File,
}

/// What was found where the journal should be.
#[derive(Debug)]
#[non_exhaustive]
pub enum Found {
    /// Something that is no journal.
    Damaged(MalformedJournal),
    /// A journal.
    Journal(JournalFile),
    /// Nothing: the first run, or it was lost.
    Nothing,
}

impl StateFolder {
    /// How long a second agent waits (protocol §2 rule 9).
    pub const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

    /// Makes the folder if need be, and takes the agent's lock and then the setter's.
    ///
    /// Waits `lock_timeout` for another agent; then `setter_timeout` for a setter that an ended
    /// agent left behind, which is ended after that.
    ///
    /// # Errors
    /// [`StateError::Busy`] while another agent has the folder; others from the file system.
    pub fn open(
        path: &Path,
        lock_timeout: Duration,
        setter_timeout: Duration,
    ) -> Result<(Self, SetterLock), StateError> {
        // Without a slash at the end, which would follow a link.
        let path = path.components().collect::<PathBuf>();
        let path = path.as_path();
        let failed = |what| move |error| StateError::io(what, path, error);
        make_folder(path).map_err(failed("make the state folder"))?;
        refuse_if_not_ours(path)?;
        let lock = private().write(true).create(true).truncate(false).open(path.join("agent"));
        let agent = lock.map_err(failed("open the lock in the state folder"))?;
        let deadline = Instant::now() + lock_timeout;
        while !try_lock(&agent).map_err(failed("lock the state folder"))? {
            if Instant::now() >= deadline || crate::stop::is_ended() {
                return Err(StateError::Busy { folder: path.to_owned(), waited: lock_timeout });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let setter = SetterLock::acquire(&path.join("setter"), setter_timeout)
            .map_err(failed("take the setter's lock in the state folder"))?;
        Ok((Self { path: path.to_owned(), _agent: agent }, setter))
    }

    /// Reads the journal.
    ///
    /// # Errors
    /// [`StateError::Io`] when there is one that cannot be read.
    pub fn load(&self) -> Result<Found, StateError> {
        load(&self.path)
    }

    /// The account that the journal is about; none when there is no journal that can be read.
    pub(super) fn account(&self) -> Result<Option<AccountName>, StateError> {
        let Found::Journal(file) = self.load()? else { return Ok(None) };
        let status = AgentStatus::from_json(&file.status);
        let name = status.and_then(|status| AccountName::new(&status.account).ok());
        Ok(name.filter(|name| !name.is_empty()))
    }

    /// Replaces the journal; when this returns, the new one is durable.
    ///
    /// # Errors
    /// [`StateError`]; the old journal is then still there, or the new one is, but never a part of
    /// either.
    pub fn save(&self, file: &JournalFile) -> Result<(), StateError> {
        let bytes = file.to_bytes().map_err(StateError::Malformed)?;
        replace(&self.path, "journal", &bytes)
    }

    /// The last accepted policy, as it was given.
    ///
    /// # Errors
    /// [`StateError::Io`] when there is one that cannot be read.
    pub fn policy(&self) -> Result<Option<Vec<u8>>, StateError> {
        read(&self.path, "policy")
    }

    /// Keeps a policy that was accepted.
    ///
    /// # Errors
    /// [`StateError`] when it could not be made durable.
    pub fn keep_policy(&self, bytes: &[u8]) -> Result<(), StateError> {
        replace(&self.path, "policy", bytes)
    }

    /// The last accepted reader set, behind the line of its authority.
    ///
    /// # Errors
    /// [`StateError::Io`] when there is one that cannot be read.
    pub fn readers(&self) -> Result<Option<Vec<u8>>, StateError> {
        read(&self.path, "readers")
    }

    /// Keeps a reader set that was accepted.
    ///
    /// # Errors
    /// [`StateError`] when it could not be made durable.
    pub fn keep_readers(&self, bytes: &[u8]) -> Result<(), StateError> {
        replace(&self.path, "readers", bytes)
    }

    /// What the device's own password policy asked for.
    ///
    /// # Errors
    /// [`StateError::Io`] when there is such a file that cannot be read.
    pub fn demands(&self) -> Result<Option<Vec<u8>>, StateError> {
        demands(&self.path)
    }

    /// Keeps what the device's own password policy asked for.
    ///
    /// # Errors
    /// [`StateError`] when it could not be made durable.
    pub fn keep_demands(&self, bytes: &[u8]) -> Result<(), StateError> {
        replace(&self.path, "demands", bytes)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Reads the journal of a state folder without a lock: it is only ever replaced as a whole.
///
/// # Errors
/// [`StateError::Io`] when there is one that cannot be read.
pub fn load(folder: &Path) -> Result<Found, StateError> {
    Ok(match read(folder, "journal")? {
        None => Found::Nothing,
        Some(bytes) => match journal::read(&bytes) {
            Ok(file) => Found::Journal(file),
            Err(error) => Found::Damaged(error),
        },
    })
}

/// Reads the status of a state folder.
///
/// # Errors
/// [`AgentError::State`] when the journal cannot be read.
pub fn status(folder: &Path) -> Result<AgentStatus, AgentError> {
    let mut status = match load(folder)? {
        Found::Nothing => AgentStatus {
            state: "new".to_owned(),
            audit: no_finding(),
            may_hold: vec!["unknown".to_owned()],
            ..AgentStatus::default()
        },
        Found::Damaged(_) => AgentStatus {
            state: "damaged".to_owned(),
            audit: no_finding(),
            may_hold: vec!["unknown".to_owned()],
            ..AgentStatus::default()
        },
        Found::Journal(file) => AgentStatus::from_json(&file.status)
            .ok_or(AgentError::Internal("the journal has no status that can be read"))?,
    };
    let demands = demands(folder)?.and_then(|bytes| Demands::from_json(&bytes));
    status.demands = demands.map(|demands| demands.list()).unwrap_or_default();
    Ok(status)
}

/// As [`StateFolder::demands`], without a lock.
fn demands(folder: &Path) -> Result<Option<Vec<u8>>, StateError> {
    read(folder, "demands")
}

fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, StateError> {
    let path = folder.join(name);
    let mut bytes = Vec::new();
    match private().read(true).open(&path) {
        Ok(mut file) => {
            trust::judge_open(&file, &path, Content::Public).map_err(StateError::Untrusted)?;
            file.read_to_end(&mut bytes).map_err(|error| StateError::io("read", &path, error))?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::io("read", &path, error)),
    }
}

/// Temporary file, sync, rename, sync of the folder.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StateError> {
    let path = folder.join(name);
    let failed = |error| StateError::io("write", &path, error);
    let temporary = folder.join(format!("{name}.new"));
    let mut file =
        private().write(true).create(true).truncate(true).open(&temporary).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    drop(file);
    fs::rename(&temporary, &path).map_err(failed)?;
    sync_folder(folder).map_err(failed)
}

fn make_folder(path: &Path) -> io::Result<()> {
    // A link, too: it is refused by what comes next.
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        fs::DirBuilder::new().mode(0o700).create(path)?;
    }
    #[cfg(not(unix))]
    fs::create_dir(path)?;
    // The folder itself must survive a power loss, or a journal in it is lost with it.
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

fn refuse_if_not_ours(path: &Path) -> Result<(), StateError> {
    let failed = |error| StateError::io("look at the state folder", path, error);
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_dir() {
        return Err(StateError::NoFolder { folder: path.to_owned() });
    }
    trust::judge(path, Content::Public).map_err(StateError::Untrusted)?;
    Ok(())
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows has no sync of a folder; NTFS journals the rename.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
