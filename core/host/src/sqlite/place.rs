//! How a file is opened: to work on it, or at rest. A file at rest is one on read-only media, a
//! copy, or a snapshot that was published for other users.

use std::fs::{self, File};
use std::path::Path;

use laps_core::error::Code;
use laps_core::vault::{StoreError, VaultError};
use rusqlite::{Connection, OpenFlags};

use super::fault::{io_error, store_error};
#[cfg(unix)]
use super::open::judge;
use super::open::{LOGS, MAGIC, check_file, draft, folder, set_up, sync_folder, with_suffix};
use super::{media, process, schema};
use crate::trust;
#[cfg(unix)]
use crate::trust::Content;

/// How a file is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum At {
    /// By several, with its log.
    Work,
    /// On media that nobody can write, or as a copy: without locks, without a log, and without a
    /// change of a single byte.
    Rest,
    /// As what another user published: the same, of a file that is replaced and never written.
    Snapshot,
}

/// How a vault is opened.
pub(super) fn of_vault(path: &Path) -> Result<At, StoreError> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if is_snapshot(&real) {
        trust::judge_published(path)
            .map_err(|error| StoreError::new(error.code(), error.to_string()))?;
        return Ok(At::Snapshot);
    }
    if !media::is_read_only(&real) {
        return Ok(At::Work);
    }
    check_at_rest(path, &real)?;
    Ok(At::Rest)
}

/// How a copy is opened. Whoever has it open as a vault keeps an index beside it.
pub(super) fn of_copy(path: &Path) -> Result<At, StoreError> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if is_snapshot(&real) {
        let at = path.display();
        return Err(StoreError::new(
            Code::InvalidArgument,
            format!("{at} is a published snapshot, which has no passwords; restore a back-up"),
        ));
    }
    let bare =
        ["-wal", "-shm"].iter().all(|s| fs::symlink_metadata(with_suffix(&real, s)).is_err());
    if bare && !process::has_open(path) {
        check_file(path)?;
        #[cfg(unix)]
        if !media::is_read_only(&real) {
            judge(path, path)?;
        }
        check_at_rest(path, &real)?;
        return Ok(At::Rest);
    }
    of_vault(path)
}

/// Whether the file is a published snapshot, as its header says.
fn is_snapshot(path: &Path) -> bool {
    use std::io::Read as _;
    if process::has_open(path) || !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    let kind = header.get(68..72).and_then(|kind| kind.try_into().ok()).map(i32::from_be_bytes);
    read.is_ok() && header.starts_with(MAGIC) && kind == Some(schema::SNAPSHOT)
}

/// Puts a published snapshot in a place where nothing is, or an earlier one. `fill` writes it and
/// keeps no connection to it. The owner may write it and the group may read it; the group is that
/// of the one before.
pub(super) fn publish(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let before = fs::symlink_metadata(path).ok();
    if before.is_some() && !is_snapshot(path) {
        let at = path.display();
        let text =
            format!("{at} exists already, is not a published snapshot, and is not overwritten");
        return Err(StoreError::new(Code::AlreadyExists, text).into());
    }
    let draft = draft(path)?;
    let placed = fill(&draft).and_then(|()| {
        let failed = |error: std::io::Error| io_error(path, "cannot be published", &error);
        let file = File::options().read(true).write(true).open(&draft).map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
            if let Some(before) = &before {
                fchown(&file, None, Some(before.gid())).map_err(failed)?;
            }
            file.set_permissions(fs::Permissions::from_mode(0o640)).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        drop(file);
        fs::rename(&draft, path).map_err(failed)?;
        Ok(sync_folder(&folder(path))?)
    });
    if placed.is_err() {
        for suffix in [""].iter().chain(&LOGS) {
            let _ = fs::remove_file(with_suffix(&draft, suffix));
        }
    }
    placed
}

/// A file at rest has no log: what is in a log that cannot be read is what the vault said last.
fn check_at_rest(path: &Path, real: &Path) -> Result<(), StoreError> {
    check_file(path)?;
    media::check_mount(real)?;
    #[cfg(unix)]
    if media::is_read_only(real) {
        // Its mode cannot be changed, and everything secret in it is sealed. What others may write
        // is not trusted.
        trust::judge(path, Content::Public)
            .map_err(|error| StoreError::new(error.code(), error.to_string()))?;
    }
    let log = with_suffix(real, "-wal");
    if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        let (at, log) = (path.display(), log.display());
        return Err(StoreError::new(
            Code::PermissionDenied,
            format!(
                "the vault {at} has a log ({log}) that is not folded into it, and cannot be where \
                 it is read-only: copy both files into a \
                 folder of your own that can be written, and open the copy"
            ),
        ));
    }
    Ok(())
}

/// A connection that changes nothing at all, to a file at rest.
pub(super) fn connect_at_rest(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| store_error(path, &error);
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut name = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            name.push(char::from(*byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        .union(OpenFlags::SQLITE_OPEN_URI)
        .union(OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .union(OpenFlags::SQLITE_OPEN_EXRESCODE);
    let mut connection = Connection::open_with_flags(name, flags).map_err(failed)?;
    set_up(&mut connection).map_err(failed)?;
    Ok(connection)
}

/// A file at rest takes nothing.
pub(super) fn at_rest(path: &Path, kind: At) -> StoreError {
    let what = if kind == At::Snapshot {
        "is a published snapshot: it can be listed, reported and verified, and has no passwords; \
         ask at the vault that it is of"
    } else {
        "is on read-only media: it can be listed, verified and copied, and nothing that goes into \
         its log can be done; \
         `laps vault restore` makes a vault of it that can be written"
    };
    StoreError::new(Code::PermissionDenied, format!("the vault {} {what}", path.display()))
}
