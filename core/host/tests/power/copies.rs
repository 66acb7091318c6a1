//! New files: a vault that is set up, backed up, restored, migrated. Each is there whole or not at
//! all; once it was said to be done, it is there; and if it was not, the next try works.

use std::fs;
use std::path::Path;

use laps_core::error::Code;
use laps_core::seal::Reader;
use laps_core::vault::Retention;
use laps_core::vault::{Vault, VaultError};
use laps_host::sqlite::{SqliteStore, back_up, init_vault, migrate, restore};
use rusqlite::Connection;

use super::age::{EARLIER, age};
use super::bed::{Bed, NOW, WHO, counting, scope};
use super::disk::Disk;
use super::fail_everywhere;
use super::faults::state::{State, assert_whole};
use super::recorder::{mark, record};

/// Where the file from before a migration is kept.
const KEPT: &str = "aged.schema-0";

/// One kind of new file.
#[derive(Clone, Copy)]
enum Making<'a> {
    SetUp(&'a [Reader]),
    BackedUp,
    Restored,
    Migrated,
}

impl Making<'_> {
    const fn place(self) -> &'static str {
        match self {
            Self::SetUp(_) => "new",
            Self::BackedUp => "copy",
            Self::Restored => "restored",
            Self::Migrated => "aged",
        }
    }

    fn make(self, run: &Path) -> Result<(), VaultError> {
        let place = run.join(self.place());
        match self {
            Self::SetUp(readers) => {
                init_vault(&place, &scope(), readers, Retention::default(), &WHO, NOW).map(drop)
            }
            Self::BackedUp => {
                let vault = Vault::new(SqliteStore::open(run.join("vault"))?, counting());
                back_up(&vault, &place, &WHO, NOW)
            }
            Self::Restored => restore(&run.join("vault"), &place, &WHO, NOW).map(drop),
            Self::Migrated => migrate(&place, true, &WHO, NOW).map(drop),
        }
    }
}

pub fn work(folder: &Path) {
    let template = folder.join("template");
    fs::create_dir(&template).unwrap();
    let path = template.join("vault");
    let bed = Bed::over(SqliteStore::init(&path).unwrap());
    let readers = [bed.reader.reader().clone()];
    bed.vault.initialise(&scope(), &readers, Retention::default(), &WHO, NOW).unwrap();
    (0..12).for_each(|n| drop(bed.settled(&format!("pc-{n}"), 2)));
    let expected = State::of(bed.vault.store()).unwrap();
    drop(bed);
    fs::copy(&path, template.join("aged")).unwrap();
    age(&template.join("aged"));
    for making in [Making::SetUp(&readers), Making::BackedUp, Making::Restored, Making::Migrated] {
        let run = folder.join("run");
        fs::create_dir(&run).unwrap();
        for name in ["vault", "aged"] {
            fs::copy(template.join(name), run.join(name)).unwrap();
        }
        let before = Disk::of(&run);
        let events = record(&run, || {
            making.make(&run).unwrap();
            mark(1);
        });
        fs::remove_dir_all(&run).unwrap();
        fail_everywhere(before, &events, folder, |left, marks, what| {
            look(left, making, !marks.is_empty(), &expected, what);
        });
    }
}

fn look(left: &Path, making: Making<'_>, done: bool, expected: &State, what: &str) {
    let place = left.join(making.place());
    let migrated = |path: &Path| SqliteStore::open(path).map(drop);
    if let Making::Migrated = making {
        let found = migrated(&place).map_err(|error| error.code);
        assert!(found == Ok(()) || found == Err(Code::SchemaOlder) && !done, "{what}: {found:?}");
        let kept = left.join(KEPT);
        // Nothing is changed before the copy is safe.
        assert!(kept.exists() || found.is_err(), "{what}: no copy");
        if kept.exists() {
            let connection = Connection::open(&kept).unwrap();
            let schema: i32 =
                connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            assert_eq!(schema, EARLIER, "{what}");
            drop(connection);
            assert_whole(&kept, what);
        }
        if found.is_err() {
            making.make(left).unwrap();
        }
    } else if !place.exists() {
        assert!(!done, "{what}: what was done is not there");
        making.make(left).unwrap();
    }
    let vault = Vault::new(SqliteStore::open(&place).unwrap(), counting());
    assert!(vault.audit_verify(&scope(), None).unwrap().ok, "{what}");
    if let Making::SetUp(readers) = making {
        assert_eq!(vault.readers(&scope()).unwrap().len(), readers.len(), "{what}");
    } else {
        let found = State::of(vault.store()).unwrap();
        assert!(found.has_the_devices_of(expected), "{what}: {found:?}");
    }
    drop(vault);
    assert_whole(&place, what);
    // What it was made of is as it was, but for its audit log.
    let source = SqliteStore::open(left.join("vault")).unwrap();
    assert!(State::of(&source).unwrap().has_the_devices_of(expected), "{what}: the source");
}
