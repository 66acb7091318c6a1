//! What whoever can write the file, kill the process or put other files in place could try.

use core::panic::AssertUnwindSafe;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::panic;
use std::path::Path;

use laps_core::account::Sid;
use laps_core::error::Code;
use laps_core::identity::{AccountName, DeviceId};
use laps_core::rotation::event::{Directory, EventKind, Outcome, Reason};
use laps_core::seal::{Header, Record};
use laps_core::secret::Password;
use laps_core::vault::Retention;
use laps_core::vault::audit::Action;
use laps_core::vault::plan::Plan;
use laps_core::vault::run::{look, run};
use laps_core::vault::store::Durability;
use laps_core::vault::{AuditHead, Confirmation, DiscloseOptions, Resealing, Vault};
use laps_host::sqlite::{SqliteStore, back_up, restore};

use super::bed::{Bed, Device, WHO, counting, device_id, encoded, id, key, rng, scope};

fn set_up(bed: &Bed) {
    let readers = [bed.reader.reader().clone()];
    let history = Retention::default();
    bed.vault.initialise(&scope(), &readers, history, &WHO, bed.now()).unwrap();
}

/// Does something to what is stored about a device.
fn edit(bed: &Bed, name: &str, edit: impl Fn(&mut laps_core::vault::state::Device)) {
    let plan = Plan::device(&scope(), device_id(name));
    let edited = run(bed.vault.store(), &plan, Durability::Durable, |rows| {
        let (name, device) = rows.device(&device_id(name))?.unwrap();
        let mut device = device.clone();
        edit(&mut device);
        rows.put_device(&name, device);
        Ok(())
    });
    edited.unwrap();
}

pub fn a_record_put_in_the_place_of_another_is_not_disclosed(bed: &Bed) {
    set_up(bed);
    bed.settled("victim", 1);
    bed.settled("pc-1", 2);
    bed.settled("pc-2", 2);
    let disclose = |device: &str| {
        let options = DiscloseOptions::default().with_history();
        bed.vault.disclose(&scope(), device, &WHO, options, bed.now())
    };
    // Another device's record.
    let victim = device_id("victim");
    let other = look(bed.vault.store(), Plan::device(&scope(), victim), |rows| {
        Ok(rows.device(&victim)?.unwrap().1.clone())
    });
    let other = other.unwrap();
    edit(bed, "pc-1", |device| {
        let (mine, theirs) = (
            device.managed.candidates.current.as_mut().unwrap(),
            other.managed.candidates.current.clone().unwrap(),
        );
        mine.original = theirs.original;
    });
    // An older one of the same device, as the current one.
    edit(bed, "pc-2", |device| {
        let past = device.managed.candidates.history[0].held.clone();
        device.managed.candidates.current.as_mut().unwrap().original = past.original;
    });
    for device in ["pc-1", "pc-2"] {
        let found = disclose(device).unwrap();
        assert_eq!(found.damaged.len(), 1, "{device}");
        for candidate in found.candidates {
            let record = Record::parse(&candidate.sealed).unwrap();
            assert_eq!(record.header().device.as_str(), device);
            assert_eq!(
                (record.header().id, record.header().version),
                (candidate.record, candidate.version)
            );
        }
    }
    // Nor is it re-sealed or exported for the wrong device.
    bed.vault.add_reader(&scope(), key("other").reader(), &WHO, bed.now()).unwrap();
    let page = bed.vault.export_for_resealing(&scope(), None, 10, &WHO, bed.now()).unwrap();
    assert_eq!(page.damaged_records.len(), 2);
    assert_eq!(page.items.len(), 3);
}

pub fn one_id_in_two_accounts_is_two_records(bed: &Bed) {
    let mut device = bed.device("pc-1");
    let first = device.rotate(bed);
    let account = AccountName::new("Other").unwrap();
    let header = Header { account, ..*first.header() };
    let password = Password::try_from_str("the other one").unwrap();
    let readers = [bed.reader.reader().clone()];
    let second = Record::seal(&header, &password, &readers, &mut rng()).unwrap();
    let answer = device.offer(bed, &[&second]);
    assert!(answer.stored.contains(id(&second)));
    let rows = bed.vault.history(&scope(), "pc-1").unwrap();
    let mut accounts: Vec<_> = rows.iter().map(|row| row.account.unwrap().to_string()).collect();
    accounts.sort();
    assert_eq!(accounts, ["Admin", "Other"], "and the bytes of both can be read");
}

pub fn a_removal_that_stops_anywhere_is_gone_on_with_and_orders_all_that_could_be_opened(
    bed: &Bed,
) {
    set_up(bed);
    let mut stopped = 0;
    for writes in 0..6 {
        let other = key("other");
        bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
        let names = [0, 1, 2].map(|n| format!("pc-{writes}-{n}"));
        for name in &names {
            let mut device = bed.device(name);
            device.readers.push(other.reader().clone());
            device.rotate(bed);
        }
        let stopping = Vault::new(bed.vault.store().clone().stopping(writes), counting());
        let (window, word) = (Some(60), Confirmation::NotGiven);
        let removed = stopping.remove_reader(&scope(), &other.id(), window, word, &WHO, bed.now());
        if removed.is_err() {
            stopped += 1;
            // What an administrator who sees that the reader is gone may do first.
            let page =
                bed.vault.export_for_resealing(&scope(), None, 100, &WHO, bed.now()).unwrap();
            let readers: Vec<_> = bed.vault.readers(&scope()).unwrap();
            let readers: Vec<_> = readers
                .into_iter()
                .filter(|row| row.removed.is_none())
                .map(|row| row.reader)
                .collect();
            let resealed: Vec<Resealing> = page
                .items
                .iter()
                .map(|item| {
                    let record = Record::parse(&item.sealed).unwrap();
                    let record = bed.reader.reseal(&record, &readers, &mut rng()).unwrap();
                    Resealing::new(item.device, item.record, record.as_bytes().to_vec())
                })
                .collect();
            bed.vault.import_resealed(&scope(), &resealed, &WHO, bed.now()).unwrap();
            let again =
                bed.vault.remove_reader(&scope(), &other.id(), window, word, &WHO, bed.now());
            if let Err(error) = again {
                assert_eq!(error.code(), Code::NotFound, "it is removed already");
                bed.vault.order_readable(&scope(), &other.id(), 60, &WHO, bed.now()).unwrap();
            }
        }
        let rows = bed.vault.readers(&scope()).unwrap();
        assert!(rows.last().unwrap().removed.is_some());
        for name in &names {
            assert!(bed.vault.is_ordered(&scope(), name).unwrap(), "{name}, after {writes} writes");
        }
    }
    assert!(stopped >= 4, "{stopped}");
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
}

pub fn records_of_readers_beyond_the_list_are_resealed_once(bed: &Bed) {
    set_up(bed);
    let full = run(bed.vault.store(), &Plan::of(&scope()), Durability::Durable, |rows| {
        let mut readers = rows.readers()?.clone();
        readers.sets = (0..=255).map(|n| vec![[n; 32]]).collect();
        rows.put_readers(readers);
        Ok(())
    });
    full.unwrap();
    bed.settled("pc-1", 2);
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let page = bed.vault.export_for_resealing(&scope(), None, 10, &WHO, bed.now()).unwrap();
    assert_eq!(page.items.len(), 2);
    let readers = [bed.reader.reader().clone(), other.reader().clone()];
    let resealed: Vec<Resealing> = page
        .items
        .iter()
        .map(|item| {
            let record = Record::parse(&item.sealed).unwrap();
            let record = bed.reader.reseal(&record, &readers, &mut rng()).unwrap();
            Resealing::new(item.device, item.record, record.as_bytes().to_vec())
        })
        .collect();
    assert_eq!(bed.vault.import_resealed(&scope(), &resealed, &WHO, bed.now()), Ok(2));
    let page = bed.vault.export_for_resealing(&scope(), None, 10, &WHO, bed.now()).unwrap();
    assert_eq!(page.items.len(), 0, "what was re-sealed is done");
}

pub fn an_export_says_which_devices_are_not_whole(bed: &Bed) {
    set_up(bed);
    for n in 0..3 {
        bed.settled(&format!("pc-{n}"), 2);
    }
    edit(bed, "pc-1", |device| {
        device.managed.candidates.current.as_mut().unwrap().original.digest = [0; 16];
    });
    let page = bed.vault.export(&scope(), None, 10, &WHO, bed.now()).unwrap();
    assert_eq!((page.items.len(), page.damaged), (3, vec![device_id("pc-1")]));
    let last = bed.audit_log().pop().unwrap();
    assert_eq!(last.action, Action::Exported);
    assert!(last.detail.contains("without 1 damaged"), "{}", last.detail);
}

pub fn history_ends_to_the_second_and_a_clock_that_jumps_keeps_it(bed: &Bed) {
    set_up(bed);
    let setting = Retention::count(1).with_days(1);
    bed.vault.set_retention(&scope(), setting, &WHO, bed.now()).unwrap();
    let start = bed.now().as_unix_seconds();
    let mut device = bed.settled("pc-1", 3);
    // Versions 1 and 2 were displaced one and two seconds after the beginning.
    let versions = |device: &mut Device, at: u64| {
        let clock = laps_core::identity::Timestamp::from_unix_seconds(at);
        let bytes = encoded(&device.message(), &[]);
        let answer = bed.vault.check_in(&scope(), "pc-1", &bytes, clock).unwrap();
        device.token = Some(laps_core::rotation::message::Answer::decode(&answer).unwrap().token);
        let rows = bed.vault.history(&scope(), "pc-1").unwrap();
        rows.iter().map(|row| row.version).collect::<Vec<_>>()
    };
    let displaced = bed
        .vault
        .history(&scope(), "pc-1")
        .unwrap()
        .iter()
        .filter_map(|row| row.displaced)
        .map(laps_core::identity::Timestamp::as_unix_seconds)
        .min()
        .unwrap();
    assert!(displaced >= start);
    let month = displaced + 30 * 86_400;
    assert_eq!(versions(&mut device, month - 1), [3, 2, 1]);
    assert_eq!(versions(&mut device, u64::from(u32::MAX)), [3, 2, 1], "a clock that is once ahead");
    assert_eq!(versions(&mut device, displaced - 1_000), [3, 2, 1], "the clock was set back");
    assert_eq!(versions(&mut device, month), [3, 2, 1], "seen for the first time");
    assert_eq!(versions(&mut device, month + 86_399), [3, 2, 1]);
    assert_eq!(versions(&mut device, month + 86_400), [3, 2], "the count keeps one");
    assert_eq!(versions(&mut device, displaced + 99_999_999), [3, 2]);
}

pub fn an_observer_that_panics_undoes_nothing(bed: &Bed) {
    set_up(bed);
    bed.settled("pc-1", 1);
    let vault =
        Vault::new(bed.vault.store().clone(), counting()).with_observer(|_| panic!("on purpose"));
    let before = bed.vault.audit_head(&scope()).unwrap().length;
    let disclose = || {
        let options = DiscloseOptions::default();
        vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).map(drop)
    };
    assert!(panic::catch_unwind(AssertUnwindSafe(disclose)).is_err());
    assert_eq!(bed.vault.audit_head(&scope()).unwrap().length, before + 1);
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-1"]);
}

#[test]
fn a_file_that_was_replaced_or_removed_under_an_open_vault_takes_no_more() {
    let bed = Bed::on_sqlite();
    let mut device = bed.settled("pc-1", 1);
    let copy = bed.path().with_extension("copy");
    back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap();
    let rotated = device.rotate(&bed);
    // An older copy is put in the place, and this process has not heard of it.
    let aside = bed.path().with_extension("aside");
    fs::rename(bed.path(), &aside).unwrap();
    fs::rename(&copy, bed.path()).unwrap();
    let record = device.make();
    let mut message = device.message();
    message.token = None;
    let refused = super::bed::deliver(&bed, &message, &[&record]).unwrap_err();
    assert_eq!(refused.code(), Code::Unreachable, "{refused}");
    let options = DiscloseOptions::default();
    let refused = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::Unreachable, "{refused}");
    // Nothing is in the place.
    fs::remove_file(bed.path()).unwrap();
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap_err().code(), Code::Unreachable);
    // The file is back, and this handle has lost it for good.
    fs::rename(&aside, bed.path()).unwrap();
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap_err().code(), Code::Unreachable);
    let vault = Vault::new(SqliteStore::open(bed.path()).unwrap(), counting());
    let rows = vault.history(&scope(), "pc-1").unwrap();
    assert!(rows.iter().any(|row| row.record == id(&rotated)));
    let bytes = encoded(&message, &[&record]);
    vault.check_in(&scope(), "pc-1", &bytes, bed.now()).unwrap();
}

#[test]
fn the_log_of_another_vault_is_never_written_into_a_new_one() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    let copy = bed.path().with_extension("copy");
    back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap();
    bed.settled("pc-2", 1);
    // The disk is damaged after a crash; the file is removed, its log is forgotten.
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("vault");
    let beside = |suffix: &str| format!("{}{suffix}", place.display());
    for left in ["-wal", "-shm", "-journal"] {
        let source = format!("{}-wal", bed.path().display());
        fs::copy(source, beside(left)).unwrap();
        fs::set_permissions(beside(left), fs::Permissions::from_mode(0o600)).unwrap();
        let refused = restore(&copy, &place, &WHO, bed.now()).unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists);
        assert!(refused.to_string().contains(&format!("vault{left} exists")), "{refused}");
        assert_eq!(SqliteStore::init(&place).unwrap_err().code(), Code::AlreadyExists);
        let backed_up = back_up(&bed.on_file(), &place, &WHO, bed.now()).unwrap_err();
        assert_eq!(backed_up.code(), Code::AlreadyExists);
        assert!(!place.exists());
        fs::remove_file(beside(left)).unwrap();
    }
    let restored = restore(&copy, &place, &WHO, bed.now()).unwrap();
    assert!(restored.audit_verify(&scope(), None).unwrap().ok);
}

#[test]
fn a_vault_with_two_names_is_refused_and_a_draft_is_not_a_name() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    let second = bed.path().with_extension("second");
    fs::hard_link(bed.path(), &second).unwrap();
    for name in [bed.path(), second.clone()] {
        let refused = SqliteStore::open(&name).unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert!(refused.message.contains("-samefile"), "{refused}");
    }
    fs::remove_file(&second).unwrap();
    // A process was killed between giving the file its name and taking the draft's away.
    let draft = format!("{}.new-4711-0", bed.path().display());
    fs::hard_link(bed.path(), &draft).unwrap();
    SqliteStore::open(bed.path()).unwrap();
    assert!(!Path::new(&draft).exists());
    // Another draft, of a file that is not there yet, is left alone.
    fs::write(&draft, b"").unwrap();
    SqliteStore::open(bed.path()).unwrap();
    assert!(Path::new(&draft).exists());
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-1"]);
}

#[test]
fn a_link_to_a_vault_is_looked_through() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    symlink(bed.path(), &link).unwrap();
    let through = Vault::new(SqliteStore::open(&link).unwrap(), counting());
    through.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), bed.now()).unwrap();
    assert_eq!(bed.audit_log().last().unwrap().action, Action::Disclosed, "one log for both names");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let log = format!("{}-wal", bed.path().display());
    fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = SqliteStore::open(&link).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message.contains("chmod 600"), "{refused}");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    // The link shows another vault now.
    let other = Bed::on_sqlite();
    fs::remove_file(&link).unwrap();
    symlink(other.path(), &link).unwrap();
    assert_eq!(through.show(&scope(), "pc-1").unwrap_err().code(), Code::Unreachable);
}

pub fn a_device_appends_one_entry_for_one_cause_and_few_of_a_kind(bed: &Bed) {
    const TIMES: u8 = 250;
    set_up(bed);
    let mut device = bed.settled("pc-1", 1);
    let mut other = bed.settled("pc-2", 1);
    let length = || bed.audit_log().len();
    let count =
        |action: Action| bed.audit_log().iter().filter(|each| each.action == action).count();
    // A thousand times the same: one entry.
    let mut message = device.message();
    message.device = DeviceId::new("pc-9").unwrap();
    let wrong = encoded(&message, &[]);
    let before = length();
    for _ in 0..1_000 {
        let answer = bed.vault.check_in(&scope(), "pc-1", &wrong, bed.now());
        assert_eq!(answer.unwrap_err().code(), Code::MessageWrongDevice);
    }
    assert_eq!((length() - before, count(Action::WrongDevice)), (1, 1));
    // The same of another device is another cause.
    bed.vault.check_in(&scope(), "pc-2", &wrong, bed.now()).unwrap_err();
    assert_eq!(count(Action::WrongDevice), 2);
    // Something else each time: four.
    for number in 0..TIMES {
        message.device = DeviceId::new(&format!("pc-{}", 10 + u32::from(number))).unwrap();
        let wrong = encoded(&message, &[]);
        bed.vault.check_in(&scope(), "pc-1", &wrong, bed.now()).unwrap_err();
    }
    assert_eq!(count(Action::WrongDevice), 5);
    // Heads that are not ours, to and fro, and as many others.
    for number in 0..TIMES {
        for head in [AuditHead::new(50, [7; 32]), AuditHead::new(51, [number; 32])] {
            device.audit = Some(head);
            device.check_in(bed);
        }
    }
    assert_eq!(count(Action::HeadMismatch), 4);
    // The account has another SID each time.
    for number in 0..u32::from(TIMES) {
        other.sid = Some(Sid::unix_user(1_000 + number));
        let at = bed.now().plus(u64::from(number));
        other.outcome = Some(Outcome::new(EventKind::Committed, Directory::Entra, Reason::Age, at));
        other.check_in(bed);
    }
    assert!(count(Action::SidChanged) <= 4, "{}", count(Action::SidChanged));
    // Twins without end.
    let first = device.make();
    for number in 0..20 {
        let twin = device.seal(100 + number, Some(id(&first)), "twin");
        device.offer(bed, &[&twin]);
    }
    assert_eq!(count(Action::Fork), 4);
    // A day later it is said again, once.
    bed.pass(86_400);
    for _ in 0..TIMES {
        bed.vault.check_in(&scope(), "pc-1", &wrong, bed.now()).unwrap_err();
    }
    assert_eq!(count(Action::WrongDevice), 6);
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
}
