//! Migrations that keep a copy: killed in between, and beside a process of the earlier version that
//! still writes.

use core::time::Duration;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use laps_core::error::Code;
use laps_core::vault::Request;
use laps_core::vault::audit::Action;
use laps_host::sqlite::{SqliteStore, migrate};
use rusqlite::Connection;

use super::age::{EARLIER, age};
use super::bed::{Bed, WHO};
use super::copies::fill_the_audit_log;

/// A vault of an earlier version that nobody has open, and the place of the copy that a migration
/// keeps.
fn aged(bed: &Bed) -> (PathBuf, PathBuf) {
    bed.settled("pc-1", 2);
    // Somewhere else: the store of the bed has its own file open.
    let path = bed.path().with_extension("aged");
    laps_host::sqlite::back_up(&bed.on_file(), &path, &WHO, bed.now()).unwrap();
    age(&path);
    let copy = bed.path().with_extension("aged.schema-0");
    (path, copy)
}

fn beside(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("vault.aged"));
    names.sort();
    names
}

#[test]
fn a_migration_that_was_killed_behind_its_copy_works_the_next_time() {
    let bed = Bed::on_sqlite();
    let (path, copy) = aged(&bed);
    let before = fs::read(&path).unwrap();
    migrate(&path, true, &WHO, bed.now()).unwrap();
    let kept = fs::read(&copy).unwrap();
    // As a kill leaves it: the copy is whole, the vault as it was; and drafts of copies that were
    // never finished.
    fs::write(&path, before).unwrap();
    for left in ["", "-wal", "-shm", "-journal"] {
        let draft = format!("{}.new-4711-0{left}", copy.display());
        fs::write(&draft, b"half").unwrap();
    }
    // These are not ours.
    let others = [format!("{}.new-", copy.display()), format!("{}.new-1-x", copy.display())];
    others.iter().for_each(|other| fs::write(other, b"other").unwrap());
    let done = migrate(&path, true, &WHO, bed.now()).unwrap();
    assert_eq!((done.from, done.copy.as_ref()), (EARLIER, Some(&copy)));
    assert_eq!(fs::read(&copy).unwrap(), kept);
    others.iter().for_each(|other| fs::remove_file(other).unwrap());
    assert_eq!(beside(&path), ["vault.aged", "vault.aged.schema-0"]);
    SqliteStore::open(&path).unwrap();
}

#[test]
fn what_is_in_the_place_of_the_copy_and_is_not_this_vault_stays_as_it_is() {
    let bed = Bed::on_sqlite();
    let (path, copy) = aged(&bed);
    let before = fs::read(&path).unwrap();
    let refused = |what: &str| {
        let refused = migrate(&path, true, &WHO, bed.now()).unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists, "{what}: {refused}");
        let text = refused.to_string();
        assert!(text.contains(copy.to_str().unwrap()) && text.contains("move it away"), "{text}");
        assert_eq!(SqliteStore::open(&path).unwrap_err().code(), Code::SchemaOlder, "{what}");
    };
    for other in [&b"something else"[..], b"", &before[..before.len() / 2]] {
        fs::write(&copy, other).unwrap();
        refused("other bytes");
        assert_eq!(fs::read(&copy).unwrap(), other);
    }
    // The vault as it was at another time.
    fs::write(&path, &before).unwrap();
    fs::remove_file(&copy).unwrap();
    migrate(&path, true, &WHO, bed.now()).unwrap();
    let kept = fs::read(&copy).unwrap();
    fs::write(&path, &before).unwrap();
    Connection::open(&path).unwrap().execute("UPDATE device SET due = 17", []).unwrap();
    refused("an earlier state");
    assert_eq!(fs::read(&copy).unwrap(), kept);
    // The same bytes, with a log of somebody's, or behind a link.
    fs::write(&path, &before).unwrap();
    let log = PathBuf::from(format!("{}-wal", copy.display()));
    fs::write(&log, b"a log").unwrap();
    refused("a log");
    assert_eq!(fs::read(&log).unwrap(), b"a log");
    fs::remove_file(&log).unwrap();
    fs::write(&path, &before).unwrap();
    let elsewhere = bed.path().with_extension("elsewhere");
    fs::rename(&copy, &elsewhere).unwrap();
    symlink(&elsewhere, &copy).unwrap();
    refused("a link");
    fs::remove_file(&copy).unwrap();
    // One that others can read is named with what mends it.
    fs::rename(&elsewhere, &copy).unwrap();
    fs::write(&path, &before).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).unwrap();
    let loose = migrate(&path, true, &WHO, bed.now()).unwrap_err();
    assert_eq!(loose.code(), Code::PermissionDenied);
    assert!(loose.to_string().contains("chmod 600"), "{loose}");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(beside(&path), ["vault.aged", "vault.aged.schema-0"]);
}

#[test]
fn the_copy_has_what_was_written_until_the_migration_has_the_vault() {
    let bed = Bed::on_sqlite();
    let (path, copy) = aged(&bed);
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|threads| {
        let migrating = threads.spawn(|| migrate(&path, true, &WHO, bed.now()).unwrap());
        // A copy that is made too early is made in this time; one that is made in time has none.
        let start = Instant::now();
        while !copy.exists() && start.elapsed() < Duration::from_millis(500) {
            thread::yield_now();
        }
        writer.execute("UPDATE device SET due = 17", []).unwrap();
        writer.execute_batch("COMMIT").unwrap();
        migrating.join().unwrap();
    });
    let due = |path: &Path| -> i64 {
        let connection = Connection::open(path).unwrap();
        connection.query_row("SELECT due FROM device", [], |row| row.get(0)).unwrap()
    };
    assert_eq!((due(&path), due(&copy)), (17, 17));
}

#[test]
fn an_older_schema_is_migrated_when_asked_and_a_copy_is_kept() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 20);
    bed.reveal("pc-1");
    let path = bed.path();
    let current = migrate(&path, false, &WHO, bed.now()).unwrap_err();
    assert_eq!(current.code(), Code::InvalidArgument);
    age(&path);
    assert_eq!(SqliteStore::open(&path).unwrap_err().code(), Code::SchemaOlder);
    let done = migrate(&path, true, &WHO, bed.now()).unwrap();
    assert_eq!((done.from, done.to), (EARLIER, 1));
    let copy = done.copy.unwrap();
    assert_eq!(SqliteStore::open(&copy).unwrap_err().code(), Code::SchemaOlder, "from before");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let after = Bed::over(SqliteStore::open(&path).unwrap());
    assert!(after.vault.audit_verify(&super::bed::scope(), None).unwrap().ok);
    assert_eq!(after.audit_log().last().unwrap().action, Action::Migrated);
    assert_eq!(after.vault.show(&super::bed::scope(), "pc-1").unwrap().version, Some(20));
    for version in [EARLIER - 1, 99] {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
        let refused = migrate(&path, false, &WHO, bed.now()).unwrap_err();
        let expected = if version < 0 { Code::SchemaOlder } else { Code::SchemaNewer };
        assert_eq!(refused.code(), expected);
    }
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let bed = Bed::on_sqlite();
    let (path, copy) = aged(&bed);
    fill_the_audit_log(&path);
    let before = fs::read(&path).unwrap();
    let unreasoned = Request::new("mallory", "");
    let refused = migrate(&path, true, &unreasoned, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::ReasonRequired);
    // The migration does not happen without its entry.
    assert!(migrate(&path, true, &WHO, bed.now()).is_err());
    assert!(fs::read(&path).unwrap() == before && !copy.exists());
    assert_eq!(beside(&path), ["vault.aged"]);
    assert_eq!(SqliteStore::open(&path).unwrap_err().code(), Code::SchemaOlder);
}
