//! New files while calls fail: a vault that is set up, backed up, restored, migrated. Each is there
//! whole or not at all, nothing half done stays beside it, and the next try works.

use std::fs;
use std::path::{Path, PathBuf};

use laps_core::error::Code;
use laps_core::seal::Reader;
use laps_core::vault::Retention;
use laps_core::vault::{Vault, VaultError};
use laps_host::sqlite::{SqliteStore, back_up, init_vault, migrate, restore};

use super::super::age::age;
use super::super::bed::{Bed, NOW, WHO, counting, scope};
use super::library::{self, FAULTS, Fault, How};
use super::state::State;

/// One kind of new file: what makes it, and where it is.
struct Making<'a> {
    name: &'static str,
    make: &'a dyn Fn(&Path) -> Result<(), VaultError>,
    place: &'static str,
    /// Whether it has the devices of the template.
    copies: bool,
}

/// Lets every call, or every `step`-th, of each kind fail.
pub fn fail_in_turn(folder: &Path, most: usize) {
    let template = folder.join("template");
    fs::create_dir(&template).unwrap();
    let path = template.join("vault");
    let bed = Bed::over(SqliteStore::init(&path).unwrap());
    let readers = [bed.reader.reader().clone()];
    bed.vault.initialise(&scope(), &readers, Retention::default(), &WHO, NOW).unwrap();
    (0..40).for_each(|n| drop(bed.settled(&format!("pc-{n}"), 2)));
    let expected = State::of(bed.vault.store()).unwrap();
    drop(bed);
    fs::copy(&path, template.join("aged")).unwrap();
    age(&template.join("aged"));
    let set_up = |run: &Path| set_up(run, &readers);
    for making in [
        Making { name: "set up", make: &set_up, place: "new", copies: false },
        Making { name: "backed up", make: &backed_up, place: "copy", copies: true },
        Making { name: "restored", make: &restored, place: "restored", copies: true },
        Making { name: "migrated", make: &migrated, place: "aged", copies: true },
    ] {
        for (kind, how) in FAULTS {
            for for_ever in [false, true] {
                let bench = (folder, template.as_path());
                let never = Fault { kind, how, at: usize::MAX >> 1, for_ever };
                let calls = run(bench, &making, never, &expected);
                let step = calls.div_ceil(most).max(1);
                for at in (usize::from(for_ever) % step..calls).step_by(step) {
                    run(bench, &making, Fault { kind, how, at, for_ever }, &expected);
                }
            }
        }
    }
}

fn set_up(run: &Path, readers: &[Reader]) -> Result<(), VaultError> {
    init_vault(&run.join("new"), &scope(), readers, Retention::default(), &WHO, NOW).map(drop)
}

fn backed_up(run: &Path) -> Result<(), VaultError> {
    let vault = Vault::new(SqliteStore::open(run.join("vault"))?, counting());
    back_up(&vault, &run.join("copy"), &WHO, NOW)
}

fn restored(run: &Path) -> Result<(), VaultError> {
    restore(&run.join("vault"), &run.join("restored"), &WHO, NOW).map(drop)
}

fn migrated(run: &Path) -> Result<(), VaultError> {
    migrate(&run.join("aged"), true, &WHO, NOW).map(drop)
}

/// How many calls of the kind there were.
fn run(bench: (&Path, &Path), making: &Making<'_>, fault: Fault, expected: &State) -> usize {
    let (folder, template) = bench;
    let run = folder.join("run");
    fs::create_dir(&run).unwrap();
    for name in ["vault", "aged"] {
        fs::copy(template.join(name), run.join(name)).unwrap();
    }
    library::arm(&run, fault);
    let made = (making.make)(&run);
    let (calls, met) = library::disarm();
    assert_eq!(met, fault.at < calls, "{fault:?}");
    let what = format!("{} {fault:?}: {made:?}", making.name);
    let place = run.join(making.place);
    if made.is_ok() {
        let connection = rusqlite::Connection::open(&place).unwrap();
        let mode: String =
            connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal", "{what}");
    }
    let left: Vec<PathBuf> = fs::read_dir(&run).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(
        !left.iter().any(|file| file.display().to_string().contains(".new-")),
        "{what}: {left:?}"
    );
    if let Err(error) = &made {
        assert!(met, "{what}");
        assert!(
            error.to_string().contains(&run.display().to_string()) || fault.is_damage(),
            "{what}"
        );
        let code = error.code();
        let said = match fault.how {
            How::Full | How::Short => code == Code::StorageFull,
            How::Nothing if fault.is_damage() => matches!(code, Code::Io | Code::VaultDamaged),
            How::Nothing | How::Torn | How::Stale => matches!(code, Code::Io | Code::StorageFull),
        };
        assert!(said, "{what}");
        // The next try works, unless the file is there: then it is whole, as is looked at below.
        let again = (making.make)(&run);
        match again.as_ref().map_err(VaultError::code) {
            Ok(()) => {}
            Err(Code::AlreadyExists) if making.name != "migrated" => {}
            Err(Code::InvalidArgument) if making.name == "migrated" => {}
            // Of a commit that failed the copy stays, and the entry about the failure makes it
            // another one: as the message says.
            Err(Code::AlreadyExists) => {
                fs::rename(run.join("aged.schema-0"), run.join("moved away")).unwrap();
                (making.make)(&run).unwrap();
            }
            Err(_) => panic!("{what}, and then {again:?}"),
        }
    }
    let vault = Vault::new(SqliteStore::open(&place).unwrap(), counting());
    assert!(vault.audit_verify(&scope(), None).unwrap().ok, "{what}");
    if making.copies {
        let found = State::of(vault.store()).unwrap();
        assert!(found.has_the_devices_of(expected), "{what}");
    }
    drop(vault);
    // What it was made of is as it was, but for its audit log.
    let source = SqliteStore::open(run.join("vault")).unwrap();
    assert!(State::of(&source).unwrap().has_the_devices_of(expected), "{what}");
    drop(source);
    fs::remove_dir_all(&run).unwrap();
    calls
}
