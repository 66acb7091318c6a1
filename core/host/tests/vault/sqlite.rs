//! What belongs to the SQLite file alone: who may read it, which schema it has, what editing and
//! damage do to it.

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use laps_core::error::Code;
use laps_core::rotation::message::Answer;
use laps_core::vault::audit::Action;
use laps_core::vault::{AuditHead, Confirmation, DiscloseOptions, Selection, Vault};
use laps_host::sqlite::{SqliteStore, back_up, reseal_all, restorable, restore};
use rusqlite::Connection;

use super::bed::{Bed, Device, WHO, counting, encoded, id, key, scope};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn raw(bed: &Bed) -> Connection {
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

/// An audit log of six entries and its heads.
fn audit_log() -> (Bed, Vec<AuditHead>) {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    let request = WHO.with_context("root@ops");
    let heads = (0..6)
        .map(|_| {
            let options = DiscloseOptions::default().with_rotation_after(60);
            bed.vault.disclose(&scope(), "pc-1", &request, options, bed.now()).unwrap().head
        })
        .collect();
    (bed, heads)
}

fn first_bad(bed: &Bed, expect: Option<AuditHead>) -> Option<u64> {
    let report = bed.vault.audit_verify(&scope(), expect).unwrap();
    assert_eq!(report.ok, report.first_bad.is_none());
    report.first_bad
}

#[test]
fn every_column_of_every_entry_is_covered_and_the_first_bad_one_is_named() {
    let (bed, _) = audit_log();
    let connection = raw(&bed);
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%audit%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(tables, ["audit"], "the only table with that word in its name");
    let columns: Vec<(String, String)> = connection
        .prepare("SELECT name, type FROM pragma_table_info('audit')")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(columns.len(), 13);
    let rows: Vec<i64> = connection
        .prepare("SELECT number FROM audit ORDER BY number")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (place, row) in (1_u64..).zip(&rows) {
        for (column, kind) in &columns {
            let changes: &[&str] = match kind.as_str() {
                "INTEGER" => &["+ 1000", "- 1000"],
                "TEXT" => &["|| 'x'", "|| ' '"],
                _ => &["|| x'00'", "|| zeroblob(16)"],
            };
            for change in changes {
                connection.execute_batch("SAVEPOINT edit").unwrap();
                let cast = if kind == "BLOB" {
                    format!("CAST({column} {change} AS BLOB)")
                } else {
                    format!("{column} {change}")
                };
                let sql = format!("UPDATE audit SET {column} = {cast} WHERE number = {row}");
                assert_eq!(connection.execute(&sql, []).unwrap(), 1, "{sql}");
                connection.execute_batch("RELEASE edit").unwrap();
                let bad = first_bad(&bed, None);
                assert_eq!(bad, Some(place), "{sql}");
                let back = match change.chars().next() {
                    Some('+') => format!(
                        "{column} = {column} - 1000 WHERE number = {}",
                        if column == "number" { row + 1000 } else { *row }
                    ),
                    Some('-') => format!(
                        "{column} = {column} + 1000 WHERE number = {}",
                        if column == "number" { row - 1000 } else { *row }
                    ),
                    _ if kind == "TEXT" => format!(
                        "{column} = substr({column}, 1, length({column}) - 1) WHERE number = {row}"
                    ),
                    _ => format!(
                        "{column} = substr({column}, 1, length({column}) - {}) WHERE number = \
                         {row}",
                        if change.contains("16") { 16 } else { 1 }
                    ),
                };
                connection.execute(&format!("UPDATE audit SET {back}"), []).unwrap();
                assert_eq!(first_bad(&bed, None), None, "mended {sql}");
            }
        }
    }
}

#[test]
fn removed_inserted_swapped_and_cut_entries_are_found() {
    let edits = [
        ("DELETE FROM audit WHERE number % 1099511627776 = 3", Some(3), Some(3)),
        ("DELETE FROM audit WHERE number % 1099511627776 = 1", Some(1), Some(1)),
        ("DELETE FROM audit", Some(1), Some(1)),
        // The end was cut: the scope's own count tells.
        ("DELETE FROM audit WHERE number % 1099511627776 = 6", Some(6), Some(6)),
        // A copy behind the end.
        ("INSERT INTO audit SELECT number + 1, at, action, caller, actor, reader, reason, context, \
          device, records, refers_to, detail, hash
          FROM audit WHERE number % 1099511627776 = 6", Some(7), Some(7)),
        // Entries that belong to no scope.
        ("INSERT INTO audit SELECT number + 1099511627776, at, action, caller, actor, reader, \
          reason, context, device, records, refers_to, detail, hash
          FROM audit WHERE number % 1099511627776 = 2", Some(7), Some(7)),
        // The end was cut and the count with it: only an earlier head tells.
        ("DELETE FROM audit WHERE number % 1099511627776 > 4;
          UPDATE scope SET entries = 4, head = (SELECT hash FROM audit WHERE number % \
          1099511627776 = 4)", None, Some(5)),
        // Two entries change places.
        ("UPDATE audit SET number = -1 WHERE number % 1099511627776 = 2;
          UPDATE audit SET number = number - 1 WHERE number % 1099511627776 = 3;
          UPDATE audit SET number = (SELECT number + 1 FROM audit WHERE number % 1099511627776 = \
          2) WHERE number = -1", Some(2), Some(2)),
    ];
    for (sql, alone, expected) in edits {
        let (bed, heads) = audit_log();
        raw(&bed).execute_batch(sql).unwrap();
        assert_eq!(first_bad(&bed, None), alone, "{sql}");
        assert_eq!(first_bad(&bed, Some(heads[5])), expected, "{sql}");
    }
}

#[test]
fn an_audit_log_that_was_recomputed_is_found_by_an_earlier_head() {
    let (bed, heads) = audit_log();
    // Whoever writes the file can do this: another vault's audit log in its place.
    let (other, _) = audit_log();
    let mut connection = raw(&bed);
    connection.execute("ATTACH ?1 AS other", [other.path().to_str().unwrap()]).unwrap();
    let change = connection.transaction().unwrap();
    change
        .execute_batch(
            "DELETE FROM main.audit; INSERT INTO main.audit SELECT * FROM other.audit;
             UPDATE main.scope SET entries = (SELECT entries FROM other.scope), head = (SELECT \
             head FROM other.scope)",
        )
        .unwrap();
    change.commit().unwrap();
    assert_eq!(first_bad(&bed, None), None);
    assert_eq!(first_bad(&bed, Some(heads[2])), Some(3));
    let mut device = bed.device("pc-1");
    device.audit = Some(heads[5]);
    let answer = device.check_in(&bed);
    assert!(answer.audit_at.is_some_and(|hash| hash != heads[5].hash), "the device notices too");
    assert!(bed.audit_log().iter().any(|entry| entry.action == Action::HeadMismatch));
}

#[test]
fn damaged_bytes_are_found_and_the_rest_can_be_had() {
    let bed = Bed::on_sqlite();
    for n in 0..20 {
        bed.settled(&format!("pc-{n:02}"), 2);
    }
    let connection = raw(&bed);
    connection
        .execute("UPDATE record SET sealed = zeroblob(length(sealed)) WHERE number = 6", [])
        .unwrap();
    connection
        .execute(
            "UPDATE device SET state = CAST(substr(state, 1, length(state) - 1) || \
             x'ff' AS BLOB) WHERE name = 'pc-05'",
            [],
        )
        .unwrap();
    let disclose =
        |device: &str, options| bed.vault.disclose(&scope(), device, &WHO, options, bed.now());
    let lost = disclose("pc-02", DiscloseOptions::default()).unwrap_err();
    assert_eq!(lost.code(), Code::VaultDamaged);
    let rest = disclose("pc-02", DiscloseOptions::default().with_history()).unwrap();
    assert_eq!((rest.candidates.len(), rest.damaged.len()), (1, 1));
    let broken = disclose("pc-05", DiscloseOptions::default()).unwrap_err();
    assert_eq!(broken.code(), Code::VaultDamaged);
    assert!(broken.to_string().contains("pc-05"), "{broken}");
    assert_eq!(bed.reveal("pc-06"), ["Secret-pc-06-2"]);
    assert_eq!(bed.vault.stats(&scope(), bed.now()).unwrap().damaged, 1);
    let page = bed.vault.list(&scope(), None, 100).unwrap();
    assert_eq!((page.items.len(), page.damaged.len()), (19, 1));
    assert_eq!(page.damaged[0].as_str(), "pc-05");
    // Check-ins that are taken together do not suffer from the damaged one among them.
    let devices = ["pc-05", "pc-06"].map(|name| bed.device(name));
    let messages = devices.each_ref().map(|device| encoded(&device.message(), &[]));
    let sent = [("pc-05", messages[0].as_slice()), ("pc-06", messages[1].as_slice())];
    let answers = bed.vault.check_in_many(&scope(), &sent, bed.now()).unwrap();
    assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::VaultDamaged);
    assert!(answers[1].is_ok());
    assert_eq!(
        bed.vault.order_rotation(&scope(), Selection::All, &WHO, bed.now()).unwrap().devices,
        19
    );
}

#[test]
fn columns_that_are_not_bytes_any_more_are_damage_of_their_device_alone() {
    let bed = Bed::on_sqlite();
    for name in ["pc-1", "pc-2", "pc-3"] {
        bed.settled(name, 1);
    }
    let file = raw(&bed);
    // A changed byte in a row's header is another type, whatever the table allows.
    file.pragma_update(None, "writable_schema", true).unwrap();
    let whole: String = file
        .query_row("SELECT sql FROM sqlite_schema WHERE name = 'device'", [], |row| row.get(0))
        .unwrap();
    let change = "UPDATE sqlite_schema SET sql = ? WHERE name = 'device'";
    assert_eq!(file.execute(change, [whole.replace(") STRICT", ")")]).unwrap(), 1);
    drop(file);
    let file = raw(&bed);
    file.execute("UPDATE device SET recent = 7 WHERE name = 'pc-1'", []).unwrap();
    file.execute("UPDATE device SET state = 'text' WHERE name = 'pc-2'", []).unwrap();
    let refused = SqliteStore::open(bed.path()).unwrap_err();
    assert_eq!(refused.code(), Code::VaultDamaged);
    assert!(refused.message.contains("has another table device"), "{refused}");
    file.pragma_update(None, "writable_schema", true).unwrap();
    assert_eq!(file.execute(change, [whole]).unwrap(), 1);
    drop(file);
    let vault = Vault::new(SqliteStore::open(bed.path()).unwrap(), counting());
    // The ancestry is not needed to give a password out.
    let options = DiscloseOptions::default().without_rotation();
    let disclosed = vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
    assert_eq!(disclosed.candidates.len(), 1);
    let order = Selection::Devices(&["pc-1"]);
    let refused = vault.order_rotation(&scope(), order, &WHO, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::VaultDamaged, "its row cannot be written: {refused}");
    let refused = vault.disclose(&scope(), "pc-2", &WHO, options, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::VaultDamaged, "{refused}");
    let page = vault.list(&scope(), None, 10).unwrap();
    let names: Vec<&str> = page.items.iter().map(|row| row.device.as_str()).collect();
    assert_eq!(names, ["pc-1", "pc-3"]);
    assert_eq!(page.damaged.iter().map(ToString::to_string).collect::<Vec<_>>(), ["pc-2"]);
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
fn a_purge_leaves_nothing_of_a_device_even_when_its_ancestry_is_damaged() {
    let bed = Bed::on_sqlite();
    let names = ["pc-1", "pc-2", "pc-3", "pc-4"];
    for name in names {
        bed.settled(name, 40);
    }
    let file = raw(&bed);
    let count = |table: &str| -> i64 {
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let (records, parts) = (count("record") / 4, count("ancestry_part") / 4);
    assert!(records > 1 && parts > 1);
    for (name, damage) in [("pc-2", "x'07'"), ("pc-3", "zeroblob(64 + 8 * 17)")] {
        let damage = format!("UPDATE device SET older = {damage} WHERE name = ?");
        assert_eq!(file.execute(&damage, [name]).unwrap(), 1);
    }
    // Of another device a part is gone, which is found when it is needed.
    let gone = "DELETE FROM ancestry_part WHERE number = (SELECT max(number) FROM ancestry_part)";
    assert_eq!(file.execute(gone, []).unwrap(), 1);
    let vault = Vault::new(SqliteStore::open(bed.path()).unwrap(), counting());
    let export = vault.export(&scope(), None, 10, &WHO, bed.now()).unwrap();
    let damaged: Vec<String> = export.damaged.iter().map(ToString::to_string).collect();
    assert_eq!(
        (export.items.len(), damaged.iter().map(String::as_str).collect()),
        (4, names[1..].to_vec())
    );
    for (left, name) in (0..4).rev().zip(names) {
        vault.purge(&scope(), name, Confirmation::Given, &WHO, bed.now()).unwrap();
        assert_eq!((count("device"), count("record")), (left, left * records), "{name}");
    }
    assert_eq!((count("ancestry_part"), count("ancestry")), (0, 0));
}

#[test]
fn damaged_places_of_records_are_damage_of_their_device_alone_and_it_can_be_purged() {
    let bed = Bed::on_sqlite();
    for name in ["pc-1", "pc-2"] {
        bed.settled(name, 3);
    }
    let file = raw(&bed);
    let records =
        || -> i64 { file.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap() };
    assert_eq!(records(), 6);
    let sql = "UPDATE device SET places = ? WHERE name = 'pc-1'";
    let places = "SELECT places FROM device WHERE name = 'pc-1'";
    let mut bytes: Vec<u8> = file.query_row(places, [], |row| row.get(0)).unwrap();
    let last = bytes.len() - 9;
    bytes[last] ^= 1;
    assert_eq!(file.execute(sql, [bytes]).unwrap(), 1);
    let vault = Vault::new(SqliteStore::open(bed.path()).unwrap(), counting());
    let options = DiscloseOptions::default().without_rotation();
    let lost = vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap_err();
    assert_eq!(lost.code(), Code::VaultDamaged, "{lost}");
    let order = Selection::Devices(&["pc-1"]);
    let refused = vault.order_rotation(&scope(), order, &WHO, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::VaultDamaged, "nothing of it is written: {refused}");
    assert_eq!(vault.list(&scope(), None, 10).unwrap().items.len(), 2);
    vault.disclose(&scope(), "pc-2", &WHO, options, bed.now()).unwrap();
    vault.purge(&scope(), "pc-1", Confirmation::Given, &WHO, bed.now()).unwrap();
    assert_eq!(records(), 3, "and nothing of the other device went with it");
    vault.disclose(&scope(), "pc-2", &WHO, options.with_history(), bed.now()).unwrap();
}

#[test]
fn damage_that_shows_only_while_writing_stays_with_its_check_in() {
    let bed = Bed::on_sqlite();
    let mut damaged = bed.device("pc-1");
    let first = damaged.rotate(&bed);
    damaged.rotate(&bed);
    let mut others = ["pc-0", "pc-2"].map(|name| bed.settled(name, 1));
    raw(&bed).execute("UPDATE device SET recent = x'00' WHERE name = 'pc-1'", []).unwrap();
    // This record names the same predecessor as one before, so the vault reads the ancestry of
    // that one.
    damaged.last = Some(id(&first));
    let offer = |device: &mut Device| {
        let record = device.make();
        encoded(&device.message(), &[&record])
    };
    let [before, behind] = &mut others;
    let messages = [offer(before), offer(&mut damaged), offer(behind)];
    let names = ["pc-0", "pc-1", "pc-2"];
    let sent: Vec<(&str, &[u8])> =
        names.into_iter().zip(messages.iter().map(Vec::as_slice)).collect();
    let answers = bed.vault.check_in_many(&scope(), &sent, bed.now()).unwrap();
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::VaultDamaged);
    for (name, answer) in [(names[0], &answers[0]), (names[2], &answers[2])] {
        assert_eq!(Answer::decode(answer.as_ref().unwrap()).unwrap().stored.len(), 1);
        assert_eq!(bed.vault.history(&scope(), name).unwrap().len(), 2, "{name}");
    }
    assert_eq!(bed.vault.history(&scope(), names[1]).unwrap().len(), 2, "nothing was added");
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
}

#[test]
fn records_are_resealed_on_all_cores_past_damaged_ones() {
    let bed = Bed::on_sqlite();
    let readers = [bed.reader.reader().clone()];
    let history = laps_core::vault::Retention::default();
    bed.vault.initialise(&scope(), &readers, history, &WHO, bed.now()).unwrap();
    for n in 0..20 {
        bed.settled(&format!("pc-{n:02}"), 2);
    }
    let connection = raw(&bed);
    connection
        .execute("UPDATE record SET sealed = zeroblob(length(sealed)) WHERE number = 6", [])
        .unwrap();
    connection.execute("UPDATE device SET state = x'ff' WHERE name = 'pc-05'", []).unwrap();
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let vault = Vault::new(SqliteStore::open(bed.path()).unwrap(), counting());
    let done = reseal_all(&vault, &scope(), &bed.reader, &WHO, bed.now()).unwrap();
    assert_eq!((done.replaced, done.not_ours), (37, 0));
    assert_eq!(done.damaged, [super::bed::device_id("pc-05")]);
    let failed: Vec<_> =
        done.failed.iter().map(|one| (one.device.to_string(), one.why.code())).collect();
    assert_eq!(failed, [("pc-02".to_owned(), Code::VaultDamaged)]);
    let stranger = reseal_all(&vault, &scope(), &key("stranger"), &WHO, bed.now()).unwrap();
    assert_eq!((stranger.replaced, stranger.not_ours), (0, 0), "nothing is left to be done");
}

#[test]
fn due_devices_are_paged_past_a_damaged_one() {
    let bed = Bed::on_sqlite();
    for n in 0..3 {
        bed.settled(&format!("pc-{n}"), 1);
    }
    let connection = raw(&bed);
    connection.execute("UPDATE device SET due = number", []).unwrap();
    connection.execute("UPDATE device SET state = x'ff' WHERE name = 'pc-1'", []).unwrap();
    let mut after = None;
    let mut found = (0, 0);
    for _ in 0..4 {
        let page = bed.vault.due(&scope(), bed.now(), after.as_deref(), 1).unwrap();
        found = (found.0 + page.items.len() + page.damaged.len(), found.1 + page.damaged.len());
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, (3, 1));
    assert_eq!(after, None);
}

#[test]
fn a_page_that_is_overwritten_is_found_and_other_devices_can_be_had() {
    let bed = Bed::on_sqlite();
    for n in 0..200 {
        bed.settled(&format!("pc-{n:03}"), 1);
    }
    let path = bed.path();
    let size: u32 = raw(&bed).pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    raw(&bed).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    // A leaf of the table of records.
    let root: u32 = raw(&bed)
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'record'", [], |row| row.get(0))
        .unwrap();
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut page = vec![0; usize::try_from(size).unwrap()];
    file.read_exact_at(&mut page, u64::from((root - 1) * size)).unwrap();
    let child = u32::from_be_bytes(page[8..12].try_into().unwrap());
    assert_eq!(page[0], 5, "an inner page of a table");
    file.write_all_at(&vec![0x5a; page.len()], u64::from((child - 1) * size)).unwrap();
    let vault = Vault::new(SqliteStore::open(&path).unwrap(), counting());
    let mut lost = 0;
    for n in 0..200 {
        let device = format!("pc-{n:03}");
        match vault.disclose(&scope(), &device, &WHO, DiscloseOptions::default(), bed.now()) {
            Ok(disclosure) => assert_eq!(disclosure.candidates.len(), 1),
            Err(error) => {
                assert_eq!(error.code(), Code::VaultDamaged, "{error}");
                lost += 1;
            }
        }
    }
    assert!((1..100).contains(&lost), "{lost}");
    assert!(vault.audit_verify(&scope(), None).unwrap().ok);
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
