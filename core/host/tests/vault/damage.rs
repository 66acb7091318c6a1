//! What damage does to a file: it is found, and stays with the device that it is of.

use std::fs;
use std::os::unix::fs::FileExt as _;

use laps_core::error::Code;
use laps_core::rotation::message::Answer;
use laps_core::vault::{Confirmation, DiscloseOptions, Selection, Vault};
use laps_host::sqlite::{SqliteStore, reseal_all};

use super::bed::{Bed, Device, WHO, counting, encoded, id, key, scope};
use super::sqlite::raw;

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
