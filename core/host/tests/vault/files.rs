//! The vault's file, its log and the log's index, removed, replaced, cut and linked under an open
//! vault; copies that nothing changes.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use laps_core::error::Code;
use laps_core::vault::{DiscloseOptions, RecordRow, Vault};
use laps_host::sqlite::{SqliteStore, back_up, publish, restorable, restore};

use super::bed::{Bed, WHO, counting, scope};
use super::copies::fill_the_audit_log;

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn cut(file: &Path) {
    File::options().write(true).open(file).unwrap().set_len(0).unwrap();
}

/// Disclosures were handed out, and were in no file that anybody reads.
#[test]
fn a_handle_that_lost_one_of_the_three_files_answers_nothing_more() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 4] = [
        ("removed", |file| fs::remove_file(file).unwrap()),
        ("replaced", |file| {
            let other = beside(file, ".other");
            fs::copy(file, &other).unwrap();
            fs::rename(&other, file).unwrap();
        }),
        ("cut", cut),
        ("linked", |file| fs::hard_link(file, beside(file, ".second")).unwrap()),
    ];
    for suffix in ["", "-wal", "-shm"] {
        for (name, harm) in harms {
            let bed = Bed::on_sqlite();
            let mut device = bed.settled("pc-1", 1);
            // Somebody reads, too, and the log has something.
            bed.vault.show(&scope(), "pc-1").unwrap();
            device.rotate(&bed);
            let file = beside(&bed.path(), suffix);
            let aside = beside(&bed.path(), ".aside");
            fs::copy(&file, &aside).unwrap();
            harm(&file);
            for attempt in 0..3 {
                let what = format!("{suffix} {name} {attempt}");
                let options = DiscloseOptions::default();
                let write = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now());
                let read = bed.vault.show(&scope(), "pc-1");
                for refused in [write.map(drop).unwrap_err(), read.map(drop).unwrap_err()] {
                    assert_eq!(refused.code(), Code::Unreachable, "{what}: {refused}");
                    assert!(refused.to_string().contains("open it again"), "{what}: {refused}");
                }
                let copy = beside(&bed.path(), ".copy");
                let refused = back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap_err();
                assert_eq!(refused.code(), Code::Unreachable, "{what}: {refused}");
                assert!(!copy.exists());
                // Also when the bytes are in the place again.
                fs::rename(&aside, &file).or_else(|_| fs::copy(&file, &aside).map(drop)).unwrap();
            }
        }
    }
}

#[test]
fn what_was_answered_before_the_log_was_removed_is_all_that_was_disclosed() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    bed.reveal("pc-1");
    let folded = bed.vault.audit_head(&scope()).unwrap();
    rusqlite::Connection::open(bed.path())
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    // The log was emptied by the rules: nothing is lost.
    bed.reveal("pc-1");
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(beside(&bed.path(), suffix)).unwrap();
    }
    let options = DiscloseOptions::default();
    bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap_err();
    // SQLite would go on with the index of the lost handle.
    let refused = SqliteStore::open(bed.path()).unwrap_err();
    assert_eq!(refused.code, Code::Unreachable);
    let (path, now) = (bed.path(), bed.now());
    drop(bed.vault);
    // The handle that lost its log folded nothing of it into the file.
    let vault = Vault::new(SqliteStore::open(&path).unwrap(), counting());
    let report = vault.audit_verify(&scope(), Some(folded)).unwrap();
    assert!(report.ok && report.entries == folded.length, "{report:?}");
    vault.disclose(&scope(), "pc-1", &WHO, options, now).unwrap();
}

/// Bytes, times and names in a folder.
fn look(folder: &Path) -> Vec<(PathBuf, Vec<u8>, (i64, i64))> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let metadata = fs::metadata(&path).unwrap();
            let bytes = fs::read(&path).unwrap();
            (path, bytes, (metadata.mtime(), metadata.mtime_nsec()))
        })
        .collect();
    found.sort();
    found
}

/// A restore that failed rewrote the copy.
#[test]
fn no_byte_of_a_copy_changes_whether_it_is_restored_or_not() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    bed.reveal("pc-1");
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = elsewhere.path().join("vault");
    let copy = folder.path().join("copy");
    back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap();
    let before = look(folder.path());
    restorable(&copy).unwrap();
    let restored = restore(&copy, &place, &WHO, bed.now()).unwrap();
    assert!(restored.audit_verify(&scope(), None).unwrap().ok);
    restore(&copy, &place, &WHO, bed.now()).unwrap_err();
    assert!(look(folder.path()) == before);
    fill_the_audit_log(&copy);
    let before = look(folder.path());
    let other = elsewhere.path().join("other");
    restore(&copy, &other, &WHO, bed.now()).unwrap_err();
    assert!(look(folder.path()) == before && !other.exists());
    // What a crash left, with its log.
    let crashed = folder.path().join("crashed");
    let pieces = ["", "-wal"].map(|suffix| {
        let to = beside(&crashed, suffix);
        fs::copy(beside(&bed.path(), suffix), &to).unwrap();
        fs::read(to).unwrap()
    });
    let restored = restore(&crashed, &other, &WHO, bed.now()).unwrap();
    assert!(restored.audit_verify(&scope(), None).unwrap().ok);
    let after = ["", "-wal"].map(|suffix| fs::read(beside(&crashed, suffix)).unwrap());
    assert!(after == pieces, "the log was folded into the copy");
}

/// What another user of the machine reads: everything but records.
#[test]
fn a_published_snapshot_is_read_and_has_no_records() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = Bed::on_sqlite();
    let mut device = bed.settled("pc-1", 3);
    bed.reveal("pc-1");
    let pending = device.make();
    device.offer(&bed, &[&pending]);
    let snapshot = bed.path().with_extension("snapshot");
    publish(&bed.on_file(), &snapshot).unwrap();
    let found = fs::metadata(&snapshot).unwrap();
    assert_eq!(found.permissions().mode() & 0o7777, 0o640);
    let bytes = fs::read(&snapshot).unwrap();
    let sealed = pending.as_bytes();
    assert!(!bytes.windows(32).any(|window| window == &sealed[sealed.len() - 32..]));
    let published = Vault::new(SqliteStore::open(&snapshot).unwrap(), counting());
    let list = |vault: &Vault<SqliteStore>| vault.list(&scope(), None, 10).unwrap().items;
    assert_eq!(list(&published), list(&bed.on_file()));
    let head = bed.vault.audit_head(&scope()).unwrap();
    assert!(published.audit_verify(&scope(), Some(head)).unwrap().ok);
    let history = |rows: Vec<RecordRow>| -> Vec<_> {
        rows.into_iter().map(|row| (row.record, row.version, row.state)).collect()
    };
    let known = bed.vault.history(&scope(), "pc-1").unwrap();
    assert_eq!(history(published.history(&scope(), "pc-1").unwrap()), history(known));
    let options = DiscloseOptions::default();
    let refused = published.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.to_string().contains("published snapshot"), "{refused}");
    let refused = restorable(&snapshot).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    // Refreshed: whoever has the earlier one open is told.
    bed.settled("pc-2", 1);
    publish(&bed.on_file(), &snapshot).unwrap();
    let refused = published.list(&scope(), None, 10).unwrap_err();
    assert_eq!(refused.code(), Code::Unreachable, "{refused}");
    let published = Vault::new(SqliteStore::open(&snapshot).unwrap(), counting());
    assert_eq!(list(&published).len(), 2);
    // Nothing else is overwritten.
    let other = bed.path().with_extension("other");
    back_up(&bed.on_file(), &other, &WHO, bed.now()).unwrap();
    for place in [&other, &bed.path()] {
        let refused = publish(&bed.on_file(), place).unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
    }
    let names = fs::read_dir(bed.path().parent().unwrap()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_str().unwrap().contains(".new-")), "{names:?}");
}
