//! What belongs to the SQLite file alone: who may read it, which schema it has, what it holds and
//! when.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use laps_core::error::Code;
use laps_core::vault::{Confirmation, DiscloseOptions, Vault};
use laps_host::sqlite::{SqliteStore, back_up, restorable, restore};
use rusqlite::Connection;

use super::bed::{Bed, Device, WHO, counting, scope};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The file itself, past the vault.
pub fn raw(bed: &Bed) -> Connection {
    Connection::open(bed.path()).unwrap()
}

#[test]
fn a_vault_is_for_its_owner_alone_and_a_looser_one_is_refused_with_the_mending_command() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    let path = bed.path();
    for suffix in ["", "-wal", "-shm"] {
        let name = format!("{}{suffix}", path.display());
        assert_eq!(mode(Path::new(&name)), 0o600, "{name}");
        for loose in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&name, fs::Permissions::from_mode(loose)).unwrap();
            let refused = SqliteStore::open(&path).unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            assert!(refused.message.contains(&format!("chmod 600 {name}")), "{refused}");
        }
        fs::set_permissions(&name, fs::Permissions::from_mode(0o600)).unwrap();
    }
    SqliteStore::open(&path).unwrap();
}

#[test]
fn making_a_vault_replaces_nothing_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    fs::write(&path, b"something else").unwrap();
    assert_eq!(SqliteStore::init(&path).unwrap_err().code(), Code::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"something else");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(SqliteStore::open(&path).unwrap_err().code(), Code::VaultDamaged);
    // What is no vault has its own reasons to be readable.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(SqliteStore::open(&path).unwrap_err().code(), Code::VaultDamaged);
    let missing = folder.path().join("missing");
    let refused = SqliteStore::open(&missing).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message.contains("laps vault init"), "{refused}");
    assert!(!missing.exists());
    let nowhere = SqliteStore::init(folder.path().join("no/such/folder")).unwrap_err();
    assert_eq!(nowhere.code(), Code::NotFound);
    let directory = SqliteStore::open(folder.path()).unwrap_err();
    assert_eq!(directory.code(), Code::InvalidArgument);
}

#[test]
fn another_schema_is_refused_and_nothing_is_changed() {
    let bed = Bed::on_sqlite();
    let connection = raw(&bed);
    let version: i32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "user_version", version + 1).unwrap();
    let newer = SqliteStore::open(bed.path()).unwrap_err();
    assert_eq!(newer.code(), Code::SchemaNewer);
    connection.pragma_update(None, "user_version", version - 1).unwrap();
    let older = SqliteStore::open(bed.path()).unwrap_err();
    assert_eq!(older.code(), Code::SchemaOlder);
    assert!(older.message.contains("laps vault migrate"), "{older}");
    let still: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(still, version - 1);
    connection.pragma_update(None, "application_id", 7).unwrap();
    assert_eq!(SqliteStore::open(bed.path()).unwrap_err().code(), Code::VaultDamaged);
}

/// Two triggers kept one actor out of the log, through back-up and restore, and the log verified.
#[test]
fn what_somebody_put_into_the_schema_is_refused_by_name_and_runs_nowhere() {
    let suppress = "CREATE TRIGGER quiet AFTER INSERT ON audit WHEN NEW.actor = 'alice' BEGIN
        DELETE FROM audit WHERE number = NEW.number;
        UPDATE scope SET entries = entries - 1; END";
    let parts = [
        ("trigger quiet", suppress),
        ("trigger audit", "CREATE TRIGGER audit AFTER INSERT ON audit BEGIN SELECT 1; END"),
        ("view devices", "CREATE VIEW devices AS SELECT * FROM device"),
        ("index one", "CREATE UNIQUE INDEX one ON audit (actor)"),
        ("table more", "CREATE TABLE more (number INTEGER)"),
        ("index device_folded", "DROP INDEX device_folded"),
        ("table scope", "ALTER TABLE scope ADD COLUMN more INTEGER"),
        ("table ancestry", "ALTER TABLE ancestry RENAME COLUMN record TO other"),
    ];
    for (name, sql) in parts {
        let bed = Bed::on_sqlite();
        bed.settled("pc-1", 1);
        let before = bed.vault.audit_head(&scope()).unwrap().length;
        let copy = bed.path().with_extension("copy");
        let open = Vault::new(SqliteStore::open(bed.path()).unwrap(), counting());
        back_up(&open, &copy, &WHO, bed.now()).unwrap();
        Connection::open(&copy).unwrap().execute_batch(sql).unwrap();
        raw(&bed).execute_batch(sql).unwrap();
        let place = bed.path().with_extension("place");
        let found = [
            SqliteStore::open(bed.path()).map(drop).map_err(Into::into),
            restorable(&copy).map(drop),
            restore(&copy, &place, &WHO, bed.now()).map(drop),
            // It was open before: what was put in since then writes nothing and is written by
            // nothing.
            open.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), bed.now()).map(drop),
            back_up(&open, &place, &WHO, bed.now()),
        ];
        for (n, answer) in found.into_iter().enumerate() {
            let refused = answer.unwrap_err();
            assert_eq!(refused.code(), Code::VaultDamaged, "{name} {n}: {refused}");
            assert!(refused.to_string().contains(name), "{name} {n}: {refused}");
        }
        assert!(!place.exists());
        let entries: i64 =
            raw(&bed).query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
        assert_eq!(u64::try_from(entries).unwrap(), before + 1, "{name}: the back-up's");
    }
}

#[test]
fn an_offer_leaves_the_row_of_its_device_as_it_is_until_the_commit() {
    let bed = Bed::on_sqlite();
    let mut device = bed.settled("pc-1", 3);
    let mut other = bed.settled("pc-2", 3);
    let file = raw(&bed);
    let row = || -> (Vec<u8>, Vec<u8>) {
        let sql = "SELECT state, recent FROM device WHERE name = 'pc-1'";
        file.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let in_flight = || -> i64 {
        file.query_row("SELECT count(*) FROM in_flight", [], |row| row.get(0)).unwrap()
    };
    let before = row();
    device.token = None;
    device.check_in(&bed);
    let record = device.make();
    device.offer(&bed, &[&record]);
    assert_eq!(in_flight(), 1);
    assert_ne!(before, row(), "a token alone is written to the row");
    let before = row();
    let next = device.make();
    device.offer(&bed, &[&next]);
    assert_eq!((in_flight(), row()), (1, before), "and an offer is not");
    let options = DiscloseOptions::default().without_rotation().with_history();
    let found = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
    assert_eq!(found.candidates.len(), 5, "current, two pending, two in history");
    // What is damaged there is damage of that device alone.
    other.check_in(&bed);
    let offered = other.make();
    other.offer(&bed, &[&offered]);
    assert_eq!(in_flight(), 2);
    let number = "(SELECT number FROM device WHERE name = 'pc-2')";
    let damage = format!("UPDATE in_flight SET state = x'ff' WHERE device = {number}");
    assert_eq!(file.execute(&damage, []).unwrap(), 1);
    let refused = bed.vault.disclose(&scope(), "pc-2", &WHO, options, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::VaultDamaged, "{refused}");
    let page = bed.vault.list(&scope(), None, 10).unwrap();
    assert_eq!((page.items.len(), page.damaged.len()), (1, 1));
    let page = bed.vault.due(&scope(), laps_core::identity::Timestamp::MAX, None, 10).unwrap();
    assert_eq!((page.items.len(), page.damaged.len()), (1, 1));
    device.commit(&bed, &next, true);
    assert_eq!(in_flight(), 1, "that of the damaged one");
    bed.vault.purge(&scope(), "pc-1", Confirmation::Given, &WHO, bed.now()).unwrap();
    assert_eq!(in_flight(), 1);
}

#[test]
fn clear_text_is_in_no_file_of_the_vault() {
    let bed = Bed::on_sqlite();
    let reader = bed.reader.reader().clone();
    let history = laps_core::vault::Retention::count(1);
    bed.vault.initialise(&scope(), &[reader], history, &WHO, bed.now()).unwrap();
    let mut devices: Vec<Device> = (0..40).map(|n| bed.device(&format!("pc-{n}"))).collect();
    let mut operations = 0;
    for round in 0..15 {
        for (n, device) in devices.iter_mut().enumerate() {
            device.rotate(&bed);
            operations += 4;
            if (n + round) % 5 == 0 {
                let passwords = bed.reveal(device.name.as_str());
                assert!(passwords[0].starts_with("Secret-"));
                operations += 1;
            }
        }
    }
    bed.vault.purge(&scope(), "pc-7", Confirmation::Given, &WHO, bed.now()).unwrap();
    assert!(operations > 2_000);
    let mut searched = 0;
    for file in fs::read_dir(bed.path().parent().unwrap()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        searched += bytes.len();
        assert!(!bytes.windows(7).any(|window| window == b"Secret-"));
        assert!(!bytes.windows(12).any(|window| window == b"S\0e\0c\0r\0e\0t\0"));
    }
    assert!(searched > 100_000);
}

#[test]
fn threads_share_one_vault_and_lose_nothing() {
    let bed = Bed::on_sqlite();
    std::thread::scope(|threads| {
        for thread in 0..8 {
            let bed = &bed;
            threads.spawn(move || {
                for n in 0..6 {
                    let mut device = bed.device(&format!("pc-{thread}-{n}"));
                    device.rotate(bed);
                    bed.reveal(device.name.as_str());
                    let unknown = bed.vault.show(&scope(), "unknown").unwrap_err();
                    assert_eq!(unknown.code(), Code::NotFound);
                    let refused = bed.vault.retire(&scope(), "unknown", &WHO, bed.now());
                    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
                }
            });
        }
    });
    let rows = bed.vault.list(&scope(), None, 100).unwrap().items;
    assert!(rows.len() == 48 && rows.iter().all(|row| row.version == Some(1)));
    let report = bed.vault.audit_verify(&scope(), None).unwrap();
    assert!(report.ok && report.entries == 96);
}

#[test]
fn a_panic_inside_an_operation_does_not_stop_the_vault() {
    use laps_core::vault::{plan::Plan, run::run, store::Durability};
    let bed = Bed::on_sqlite();
    let mut device = bed.settled("pc-1", 1);
    let store = bed.vault.store().clone();
    let panicked = std::thread::spawn(move || {
        let _ = run(&store, &Plan::of(&scope()), Durability::Durable, |rows| -> Result<(), _> {
            let account = laps_core::identity::AccountName::EMPTY;
            let at = laps_core::identity::Timestamp::default();
            let device = laps_core::vault::state::Device::first_seen(account, None, at);
            rows.put_device(&super::bed::device_id("half"), device);
            panic!("on purpose")
        });
    });
    assert!(panicked.join().is_err());
    device.rotate(&bed);
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-2"]);
    assert!(bed.vault.show(&scope(), "half").is_err());
}
