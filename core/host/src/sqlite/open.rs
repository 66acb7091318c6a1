//! Making, opening and checking the file.

use core::ops::RangeInclusive;
use core::time::Duration;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;

use laps_core::error::Code;
use laps_core::vault::{StoreError, VaultError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault::{io_error, store_error};
use super::schema;
#[cfg(unix)]
use super::{media, process};
use crate::stop;
#[cfg(unix)]
use crate::trust::{self, Content, TrustError};

/// How long a writer waits for another process. Above the time that a page of a thousand orders
/// takes on a slow disk.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// The first pauses of a wait; after them come pauses of [`LONGEST_PAUSE`].
const PAUSES: [Duration; 8] = [
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(15),
    Duration::from_millis(20),
    Duration::from_millis(25),
    Duration::from_millis(25),
];

/// Short enough that whoever ends the call need not wait for it.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Steps of SQLite's machine between two looks at whether a long statement is to end: about a
/// millisecond.
const STEPS: i32 = 100_000;

/// Prepared statements that a connection keeps; there are about thirty.
const STATEMENTS: usize = 64;

/// The write-ahead log is folded into the file when it has so many pages (16 to 64 MiB): fewer
/// syncs than with SQLite's 1 000. A large file gets more, because check-ins of many devices touch
/// as many pages all over it, and those cost less the closer together they are written.
const CHECKPOINT_PAGES: RangeInclusive<i64> = 4_000..=16_000;

/// One page of the log for so many of the file.
const CHECKPOINT_SHARE: i64 = 4;

/// The page cache, in KiB (as SQLite counts them, negative).
const CACHE_KIB: i32 = -16_384;

/// Makes a file beside its place, then gives it its name: it appears whole, or not at all. `fill`
/// writes it and keeps no connection to it.
pub(super) fn make(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    check_free(path)?;
    make_at(path, fill, |draft| give_name(draft, path))
}

/// The same, but when the very same bytes are in the place already, they stay. Answers whether the
/// file was made now.
pub(super) fn make_or_find(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), VaultError>,
) -> Result<bool, VaultError> {
    if fs::symlink_metadata(path).is_err() {
        return make(path, fill).map(|()| true);
    }
    make_at(path, fill, |draft| {
        let bare = || LOGS.iter().all(|log| fs::symlink_metadata(with_suffix(path, log)).is_err());
        let same = || same_bytes(draft, path).unwrap_or(false);
        if !bare() || !same() {
            let at = path.display();
            return Err(StoreError::new(
                Code::AlreadyExists,
                format!(
                    "{at} exists already, is not the copy that would be made now, and is not \
                     overwritten: move it away, with \
                     a log that is beside it"
                ),
            ));
        }
        check_access(path)?;
        fs::remove_file(draft).map_err(|error| io_error(draft, "cannot be removed", &error))?;
        sync_folder(&folder(path))
    })?;
    Ok(false)
}

/// Fills a draft, makes it durable, and hands it to `settle`. What could not be finished is not
/// left behind.
fn make_at(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), VaultError>,
    settle: impl FnOnce(&Path) -> Result<(), StoreError>,
) -> Result<(), VaultError> {
    let draft = draft(path)?;
    let placed = fill(&draft).and_then(|()| {
        finish(bare(&draft)?, &draft)?;
        Ok(settle(&draft)?)
    });
    if placed.is_err() {
        // The first error is the one to tell.
        for suffix in [""].iter().chain(&LOGS) {
            let _ = fs::remove_file(with_suffix(&draft, suffix));
        }
    }
    placed
}

/// Whether two files are regular ones with the same content. A link is not one.
fn same_bytes(one: &Path, other: &Path) -> std::io::Result<bool> {
    use std::io::{BufReader, Read as _};
    let (first, second) = (fs::symlink_metadata(one)?, fs::symlink_metadata(other)?);
    if !first.is_file() || !second.is_file() || first.len() != second.len() {
        return Ok(false);
    }
    let (first, second) = (File::open(one)?, File::open(other)?);
    let mut bytes = BufReader::new(first).bytes().zip(BufReader::new(second).bytes());
    bytes.try_fold(true, |same, (one, other)| Ok(same && one? == other?))
}

/// Fills an empty file with the tables of an empty vault.
pub(super) fn create(draft: &Path) -> Result<(), StoreError> {
    schema::create(&bare(draft)?).map_err(|error| store_error(draft, &error))
}

/// Keeps the log as it is when the connection is closed.
pub(super) fn keep_log(connection: &Connection) {
    // It can fail for a closed connection only.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
}

/// A connection without any settings.
pub(super) fn bare(path: &Path) -> Result<Connection, StoreError> {
    Connection::open_with_flags(literal(path), flags()).map_err(|error| store_error(path, &error))
}

/// The same file under a name that SQLite does not take for a URI.
pub(super) fn literal(path: &Path) -> PathBuf {
    let uri = path.as_os_str().as_encoded_bytes().starts_with(b"file:");
    if uri { Path::new(".").join(path) } else { path.to_path_buf() }
}

/// Nothing is in this place yet: no file, and no log that another one left. SQLite would write such
/// a log into the new file.
pub(super) fn check_free(path: &Path) -> Result<(), StoreError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(exists(path));
    }
    for suffix in LOGS {
        let left = with_suffix(path, suffix);
        if fs::symlink_metadata(&left).is_ok() {
            let (at, left) = (path.display(), left.display());
            return Err(StoreError::new(
                Code::AlreadyExists,
                format!(
                    "{left} exists already: it is left of a vault that was at {at}, and may hold \
                     what that vault had not \
                     written yet; move it away together with that vault"
                ),
            ));
        }
    }
    Ok(())
}

/// How a file of SQLite's begins.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// A name beside the file's: of its log, its index, its draft.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn exists(path: &Path) -> StoreError {
    StoreError::new(
        Code::AlreadyExists,
        format!(
            "{} exists already and is not overwritten; give the path of a new file",
            path.display()
        ),
    )
}

/// Closes a draft and makes it durable.
fn finish(connection: Connection, draft: &Path) -> Result<(), StoreError> {
    use_log(&connection)
        .and_then(|()| connection.close().map_err(|(_, error)| error))
        .map_err(|error| store_error(draft, &error))?;
    // Windows flushes only what is open for writing.
    let opened = File::options().read(true).write(true).open(draft);
    let synced = opened.and_then(|file| file.sync_all());
    synced.map_err(|error| io_error(draft, "cannot be synced", &error))
}

/// Whether a file has a write-ahead log; one that somebody copied with other tools may not.
pub(super) fn ensure_log(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mode: rusqlite::Result<String> =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
    let mode = mode.map_err(|error| store_error(path, &error))?;
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    use_log(connection).map_err(|error| store_error(path, &error))
}

/// Gives a file its write-ahead log. The answer is a row, and the file is written after it: only
/// who asks for the next one is told when that fails.
fn use_log(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// What stands behind the name of a file while it is made.
pub(super) const DRAFT: &str = ".new-";

/// What SQLite keeps beside a file.
pub(super) const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Gives a draft its name, if the name is free.
fn give_name(draft: &Path, path: &Path) -> Result<(), StoreError> {
    // A link fails when the name is taken, where a rename would replace what is there.
    fs::hard_link(draft, path).map_err(|error| {
        let taken = error.kind() == ErrorKind::AlreadyExists;
        if taken { exists(path) } else { io_error(path, "cannot be made", &error) }
    })?;
    match fs::remove_file(draft) {
        // Somebody opened the file already, and tidied up: `check_one_name`.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        removed => removed.map_err(|error| io_error(draft, "cannot be removed", &error))?,
    }
    sync_folder(&folder(path))
}

/// An empty file beside the place, for its owner alone.
pub(super) fn draft(path: &Path) -> Result<PathBuf, StoreError> {
    let mut attempt = 0_u32;
    loop {
        let draft = with_suffix(path, &format!("{DRAFT}{}-{attempt}", std::process::id()));
        match private().create_new(true).open(&draft) {
            Ok(_) => return Ok(draft),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 100 => {
                attempt = attempt.saturating_add(1);
            }
            Err(error) => return Err(io_error(path, "cannot be made", &error)),
        }
    }
}

/// Opening for writing, readable by the owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The folder that the file is in.
pub(super) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Makes new names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| io_error(folder, "cannot be synced", &error))?;
    let _ = folder;
    Ok(())
}

const fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE
        .union(OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .union(OpenFlags::SQLITE_OPEN_EXRESCODE)
}

/// A connection for writing.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    check_access(path)?;
    let mut connection = bare(path)?;
    set_up(&mut connection).map_err(|error| store_error(path, &error))?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn connect_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| store_error(path, &error))?;
    Ok(connection)
}

pub(super) fn set_up(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(wait))?;
    // What is one long statement: a copy of the whole file.
    connection.progress_handler(STEPS, Some(stop::is_ended))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On Apple's systems a sync reaches the disk only when it is asked for so; elsewhere these
    // change nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    // The schema is ours alone: nothing in it runs by itself, and nobody changes it through this
    // connection.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Without it, a SQLite that can plan by statistics prepares a statement again for every value
    // that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let (least, most) = CHECKPOINT_PAGES.into_inner();
    let pages = pages.div_euclid(CHECKPOINT_SHARE).clamp(least, most);
    connection.pragma_update_and_check(None, "wal_autocheckpoint", pages, |_| Ok(()))
}

/// Waits for another process, for the time that the number of this try says; whether to try again.
fn wait(tries: i32) -> bool {
    let tries = usize::try_from(tries).unwrap_or(usize::MAX);
    let short: Duration = PAUSES.iter().take(tries).sum();
    let long = u32::try_from(tries.saturating_sub(PAUSES.len())).unwrap_or(u32::MAX);
    if short.saturating_add(LONGEST_PAUSE.saturating_mul(long)) >= BUSY || stop::is_ended() {
        return false;
    }
    thread::sleep(PAUSES.get(tries).copied().unwrap_or(LONGEST_PAUSE));
    !stop::is_ended()
}

/// The file is there.
pub(super) fn check_file(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(|error| {
        if error.kind() != ErrorKind::NotFound {
            return io_error(path, "cannot be opened", &error);
        }
        let at = path.display();
        let message = format!(
            "there is no vault at {at}; `laps vault init --vault {at} --reader FILE` makes one"
        );
        StoreError::new(Code::NotFound, message)
    })?;
    if !metadata.is_file() {
        return Err(StoreError::new(
            Code::InvalidArgument,
            format!("{} is not a file", path.display()),
        ));
    }
    Ok(())
}

/// The file is there, and nobody but its owner can read it.
pub(super) fn check_access(path: &Path) -> Result<(), StoreError> {
    check_file(path)?;
    #[cfg(unix)]
    {
        // SQLite follows a link, and keeps the log beside the file itself.
        let real = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        media::check(real)?;
        check_one_name(real)?;
        judge(path, path)?;
        for suffix in ["", "-wal", "-shm"] {
            let name = with_suffix(real, suffix);
            if fs::symlink_metadata(&name).is_ok() {
                media::check_mount(&name)?;
                judge(&name, path)?;
            }
        }
    }
    Ok(())
}

/// One of the three files is its owner's alone, and so is the way to it.
#[cfg(unix)]
pub(super) fn judge(file: &Path, vault: &Path) -> Result<(), StoreError> {
    trust::judge(file, Content::Secret).map_err(|error| {
        if let TrustError::Io { error, .. } = &error {
            return io_error(file, "cannot be opened", error);
        }
        // A file that is no vault has its own reasons to be readable: nothing is said of its
        // permissions.
        if !begins_as_a_database(vault) {
            let at = vault.display();
            let text = format!("{at} is not a vault, or its beginning is damaged");
            return StoreError::new(Code::VaultDamaged, text);
        }
        StoreError::new(error.code(), error.to_string())
    })
}

/// Also when it cannot be read, or is empty: then something else is said of it.
#[cfg(unix)]
fn begins_as_a_database(path: &Path) -> bool {
    use std::io::Read as _;
    if process::has_open(path) {
        // Closing it here would cancel the locks of those who have it open, who know what it is.
        return true;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_err() || start.is_empty() || start == MAGIC
}

/// The file has one name. SQLite keeps a log for each name that a file is opened by: what is
/// written through one of them is overwritten through the other.
#[cfg(unix)]
fn check_one_name(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if metadata.nlink() <= 1 {
        return Ok(());
    }
    // A process that was killed while it gave the file its name has left the other one behind.
    let same = |name: &Path| {
        fs::symlink_metadata(name)
            .is_ok_and(|other| (other.dev(), other.ino()) == (metadata.dev(), metadata.ino()))
    };
    let draft = path.file_name().map(|name| [name.as_encoded_bytes(), DRAFT.as_bytes()].concat());
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        let left = draft.as_ref().is_some_and(|draft| {
            entry.file_name().as_encoded_bytes().starts_with(draft) && same(&entry.path())
        });
        if left {
            let _ = fs::remove_file(entry.path());
        }
    }
    let names = fs::metadata(path).map_or(1, |metadata| metadata.nlink());
    if names <= 1 {
        return Ok(());
    }
    let at = path.display();
    Err(StoreError::new(
        Code::PermissionDenied,
        format!(
            "{at} has {names} names (hard links), and what is written through one of them can be \
             lost through another: remove \
             the others, which `find FOLDER -samefile {at}` tells"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_uri() {
        for (name, expected) in [
            ("file:vault?mode=memory", "./file:vault?mode=memory"),
            ("vault", "vault"),
            ("/a/file:b", "/a/file:b"),
        ] {
            assert_eq!(literal(Path::new(name)), Path::new(expected));
        }
    }
}
