//! Copies: exported and imported devices (every store), and copies of the SQLite file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use laps_core::error::Code;
use laps_core::identity::Timestamp;
use laps_core::rotation::set::MayHold;
use laps_core::vault::Retention;
use laps_core::vault::audit::Action;
use laps_core::vault::{DeviceStatus, DiscloseOptions, Request, Selection};
use laps_host::sqlite::{back_up, init_vault, restorable, restore, restore_with};
use rusqlite::Connection;

use super::bed::{Bed, WHO, id, scope};

fn export(bed: &Bed) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = bed.vault.export(&scope(), after.as_deref(), 2, &WHO, bed.now()).unwrap();
        page.items.iter().for_each(|frame| bytes.extend(frame));
        after = page.next;
        if after.is_none() {
            return bytes;
        }
    }
}

pub fn exported_devices_are_the_same_in_another_vault(bed: &Bed) {
    let mut devices: Vec<_> = (0..5).map(|n| bed.settled(&format!("pc-{n}"), 3)).collect();
    let first = devices[1].last;
    let pending = devices[2].make();
    devices[2].offer(bed, &[&pending]);
    let order = Selection::Devices(&["pc-3"]);
    bed.vault.order_rotation(&scope(), order, &WHO, bed.now()).unwrap();
    let frames = export(bed);
    for mut other in [Bed::in_memory(), Bed::on_sqlite()] {
        assert_eq!(other.vault.import(&scope(), &frames, &WHO, bed.now()), Ok(5));
        let list = |bed: &Bed| bed.vault.list(&scope(), None, 10).unwrap().items;
        assert_eq!(list(bed), list(&other));
        let options = DiscloseOptions::default().without_rotation().with_history();
        for n in 0..5 {
            let device = format!("pc-{n}");
            let disclose = |bed: &Bed| {
                bed.vault.disclose(&scope(), &device, &WHO, options, bed.now()).unwrap().candidates
            };
            assert_eq!(disclose(bed), disclose(&other));
        }
        let again = other.vault.import(&scope(), &frames, &WHO, bed.now()).unwrap_err();
        assert_eq!(again.code(), Code::AlreadyExists);
        let taken = "device pc-0 (account Admin) is in this vault already; nothing was taken in";
        assert!(again.to_string().starts_with(taken), "{again}");
        let elsewhere = Bed::in_memory();
        let twice = frames.repeat(2);
        let twice = elsewhere.vault.import(&scope(), &twice, &WHO, bed.now()).unwrap_err();
        assert_eq!(twice.code(), Code::AlreadyExists);
        assert!(twice.to_string().starts_with("device pc-0 stands twice in the export"), "{twice}");
        assert!(list(&elsewhere).is_empty(), "all or none");
        // Orders and predecessors travel, tokens do not.
        other.pass(3_600);
        let mut device = other.device("pc-3");
        device.token = devices[3].token;
        device.may_hold = devices[3].may_hold;
        assert!(!device.check_in(&other).orders.is_empty());
        assert_ne!(device.token, devices[3].token);
        other.reader = super::bed::key("another");
        let mut device = other.device("pc-1");
        let twin = device.seal(9, first, "twin");
        device.offer(&other, &[&twin]);
        let next = device.seal(10, first, "and another");
        device.offer(&other, &[&next]);
        assert!(other.audit_log().iter().any(|entry| entry.action == Action::Fork));
        assert!(other.audit_log().iter().any(|entry| entry.action == Action::Imported));
    }
    assert!(bed.audit_log().iter().any(|entry| entry.action == Action::Exported));
}

pub fn a_changed_export_is_refused_as_a_whole(bed: &Bed) {
    bed.settled("pc-1", 1);
    bed.settled("pc-2", 1);
    let frames = export(bed);
    let other = Bed::in_memory();
    for at in (0..frames.len()).step_by(41) {
        let mut changed = frames.clone();
        changed[at] ^= 0x10;
        other.vault.import(&scope(), &changed, &WHO, bed.now()).unwrap_err();
        other.vault.import(&scope(), &frames[..at.max(1)], &WHO, bed.now()).err();
        let devices = other.vault.list(&scope(), None, 10).unwrap().items.len();
        if devices > 0 {
            // Cut exactly between two frames: the first device alone.
            assert_eq!(devices, 1);
            let word = laps_core::vault::Confirmation::Given;
            other.vault.purge(&scope(), "pc-1", word, &WHO, bed.now()).unwrap();
        }
    }
    let elsewhere = laps_core::identity::Scope::new("elsewhere").unwrap();
    let refused = other.vault.import(&elsewhere, &frames, &WHO, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::MessageWrongDevice);
}

/// Back-up, `readers remove`, loss of the file, `restore`: the reader was active again, the order
/// gone, and nobody was told.
#[test]
fn what_a_copy_revives_is_said_before_and_a_list_of_readers_wins() {
    let bed = Bed::on_sqlite();
    super::reading::set_up(&bed);
    let other = super::bed::key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let mut device = bed.device("pc-1");
    device.readers.push(other.reader().clone());
    device.rotate(&bed);
    let copy = bed.path().with_extension("copy");
    back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap();
    let made = bed.now();
    bed.pass(86_400);
    bed.vault
        .remove_reader(&scope(), &other.id(), Some(0), Default::default(), &WHO, bed.now())
        .unwrap();
    device.readers.pop();
    device.rotate(&bed);
    device.audit = Some(device.check_in(&bed).audit);
    let [found] = restorable(&copy).unwrap().try_into().unwrap();
    assert_eq!(found.readers.len(), 2, "who was removed is a reader again");
    assert_eq!((found.devices, found.ordered, found.last_entry), (1, 0, Some(made)));
    // As it is: the device is told that its head was lost with the restore, and shown as such until
    // it takes the new one.
    let place = bed.path().with_extension("as-it-is");
    let vault = restore(&copy, &place, &WHO, bed.now()).unwrap();
    let after = Bed::over(vault.store().clone());
    let said = after.audit_log().pop().unwrap();
    assert_eq!(said.action, Action::Restored);
    assert!(said.detail.contains(&found.head.to_string()), "{}", said.detail);
    let answer = device.check_in(&after);
    assert_eq!(answer.restored, Some(found.head.length));
    let row = after.vault.show(&scope(), "pc-1").unwrap();
    assert!(row.findings.log_restored && !row.findings.log_differs);
    assert_eq!(row.state, DeviceStatus::Pending, "the account holds what this vault lacks");
    // What the device holds comes first as soon as it is there.
    let held = device.last.unwrap();
    let options = DiscloseOptions::default().without_rotation();
    let record = device.seal(2, None, "held");
    device.may_hold = MayHold::exactly(id(&record));
    device.token = None;
    device.offer(&after, &[&record]);
    let shown = after.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
    assert_eq!(shown.candidates[0].record, id(&record));
    assert_ne!(held, id(&record));
    device.audit = Some(device.check_in(&after).audit);
    assert_eq!(device.check_in(&after).restored, None);
    assert!(!after.vault.show(&scope(), "pc-1").unwrap().findings.log_restored);
    // A signed reader set wins over the copy's list.
    let place = bed.path().with_extension("with-readers");
    let list = [bed.reader.reader().clone()];
    let vault = restore_with(&copy, &place, Some((&scope(), &list)), &WHO, bed.now()).unwrap();
    let readers = vault.readers(&scope()).unwrap();
    assert_eq!(readers.iter().filter(|row| row.removed.is_none()).count(), 1);
    let row = vault.show(&scope(), "pc-1").unwrap();
    assert!(row.ordered && row.order_at.unwrap() <= bed.now(), "what the other one can open");
    assert!(vault.audit_verify(&scope(), None).unwrap().ok);
}

#[test]
fn a_copy_can_be_put_in_place_and_agents_notice() {
    let bed = Bed::on_sqlite();
    let mut device = bed.settled("pc-1", 1);
    let copy = bed.path().with_extension("copy");
    back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let again = back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    // Later the vault goes on, and the device remembers.
    bed.reveal("pc-1");
    let later = device.rotate(&bed);
    device.audit = Some(device.check_in(&bed).audit);
    let place = bed.path().with_extension("restored");
    let restored = restore(&copy, &place, &WHO, bed.now()).unwrap();
    assert!(restored.audit_verify(&scope(), None).unwrap().ok);
    let entries = restored.audit_entries(&scope(), 0, 100).unwrap();
    let last = entries.last().unwrap().entry.clone().unwrap();
    assert_eq!(last.action, Action::Restored);
    assert!(entries.iter().any(|stored| stored.entry.as_ref().unwrap().action == Action::Exported));
    let head = device.audit.unwrap();
    assert!(!restored.audit_verify(&scope(), Some(head)).unwrap().ok, "the receipt is from later");
    let after = Bed::over(restored.store().clone());
    let answer = device.check_in(&after);
    assert!(answer.audit_at != Some(head.hash));
    assert_eq!(answer.lacking.as_slice(), [id(&later)], "and the password is offered again");
    assert_eq!(device.offer(&after, &[&later]).stored.as_slice(), [id(&later)]);
    assert!(after.audit_log().iter().any(|entry| entry.action == Action::HeadMismatch));
    let files = fs::read_dir(bed.path().parent().unwrap()).unwrap();
    let names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains(".new-")), "{names:?}");
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_refused_beginning_leaves_no_vault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let (one, two) = (super::bed::key("one"), super::bed::key("two"));
    let init = |readers: &[&laps_core::seal::ReaderKey], request: &Request<'_>| {
        let readers: Vec<_> = readers.iter().map(|key| key.reader().clone()).collect();
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        init_vault(&path, &scope(), &readers, Retention::default(), request, now)
    };
    assert_eq!(init(&[], &WHO).unwrap_err().code(), Code::InvalidArgument);
    let twice = init(&[&one, &one], &WHO).unwrap_err();
    assert_eq!(twice.code(), Code::AlreadyExists);
    assert!(twice.to_string().contains(&format!("reader {} one", one.id())), "{twice}");
    let unreasoned = Request::new("alice", "");
    assert_eq!(init(&[&one], &unreasoned).unwrap_err().code(), Code::ReasonRequired);
    assert_eq!(names(folder.path()), [""; 0]);
    let made = init(&[&one, &two], &WHO).unwrap();
    assert_eq!(made.readers(&scope()).unwrap().len(), 2);
    assert_eq!(made.audit_head(&scope()).unwrap().length, 1);
    assert_eq!(init(&[&one], &WHO).unwrap_err().code(), Code::AlreadyExists);
}

#[test]
fn a_refused_copy_leaves_nothing_and_a_refused_back_up_is_in_the_audit_log() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    bed.reveal("pc-1");
    let folder = bed.path().parent().unwrap().to_path_buf();
    let copy = folder.join("copy");
    let unreasoned = Request::new("alice", " ");
    let refused = back_up(&bed.on_file(), &copy, &unreasoned, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::ReasonRequired);
    back_up(&bed.on_file(), &bed.path(), &WHO, bed.now()).unwrap_err();
    back_up(&bed.on_file(), &folder.join("no/such"), &WHO, bed.now()).unwrap_err();
    let actions: Vec<Action> = bed.audit_log().iter().rev().map(|entry| entry.action).collect();
    // The third one was announced before its folder was found missing.
    let expected = [Action::Refused, Action::Exported, Action::Refused, Action::Refused];
    assert_eq!(actions[..4], expected);
    back_up(&bed.on_file(), &copy, &WHO, bed.now()).unwrap();
    let place = folder.join("place");
    assert!(restore(&copy, &place, &unreasoned, bed.now()).is_err());
    assert!(!place.exists());
    fill_the_audit_log(&copy);
    assert!(restore(&copy, &place, &WHO, bed.now()).is_err());
    assert!(!place.exists(), "a copy without its entry is not put in place");
    let left = names(&folder);
    assert!(!left.iter().any(|name| name.contains(".new-")), "{left:?}");
}

/// Makes a vault's file one whose audit log takes no entry any more.
pub fn fill_the_audit_log(path: &Path) {
    let file = Connection::open(path).unwrap();
    assert_eq!(file.execute("UPDATE scope SET entries = (1 << 40) - 1", []).unwrap(), 1);
}

#[test]
fn a_restore_or_a_beginning_that_fails_changes_nothing() {
    let bed = Bed::on_sqlite();
    bed.settled("pc-1", 1);
    bed.reveal("pc-1");
    let path = bed.path().with_extension("standing");
    let copy = bed.path().with_extension("copy");
    let place = bed.path().with_extension("place");
    for to in [&path, &copy] {
        back_up(&bed.on_file(), to, &WHO, bed.now()).unwrap();
    }
    let folder = path.parent().unwrap();
    let look = || {
        let files = names(folder).into_iter().map(|name| {
            let file = folder.join(&name);
            (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap(), name)
        });
        files.collect::<Vec<_>>()
    };
    let before = look();
    let unreasoned = Request::new("mallory", "");
    let readers = [bed.reader.reader().clone()];
    let history = Retention::default();
    let taken = restore(&copy, &path, &WHO, bed.now()).unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists);
    restore(&copy, &place, &unreasoned, bed.now()).unwrap_err();
    init_vault(&path, &scope(), &readers, history, &WHO, bed.now()).unwrap_err();
    assert!(look() == before);
}
