//! Orders, and devices that come and go.

use laps_core::error::Code;
use laps_core::identity::Timestamp;
use laps_core::rotation::message::CommitAnswer;
use laps_core::rotation::set::MayHold;
use laps_core::vault::audit::Action;
use laps_core::vault::{
    Confirmation, DeviceStatus, DiscloseOptions, Request, Selection, VaultError, Who,
};

use super::bed::{Bed, Device, WHO, id, scope};

fn order(bed: &Bed, selection: Selection<'_>) -> Result<u64, VaultError> {
    bed.vault.order_rotation(&scope(), selection, &WHO, bed.now()).map(|ordered| ordered.devices)
}

fn ordered(bed: &Bed) -> Vec<String> {
    let page = bed.vault.list(&scope(), None, 100).unwrap();
    let ordered = page.items.iter().filter(|row| row.ordered);
    ordered.map(|row| row.device.to_string()).collect()
}

pub fn an_order_names_candidates_and_a_later_commit_fulfils_it(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let before = device.make();
    device.offer(bed, &[&before]);
    assert_eq!(order(bed, Selection::Devices(&["pc-1"])), Ok(1));
    assert_eq!(order(bed, Selection::Devices(&["pc-1"])), Ok(0), "ordered already");
    assert_eq!(device.check_in(bed).orders, device.may_hold.ids);
    // Somebody may have seen the pending one too: its commit does not fulfil the order.
    device.commit(bed, &before, true);
    device.may_hold = MayHold::exactly(id(&before));
    assert_eq!(device.check_in(bed).orders, device.may_hold.ids);
    let after = device.make();
    device.offer(bed, &[&after]);
    let answer = device.commit(bed, &after, true);
    assert_eq!(answer.commit, Some(CommitAnswer::Acknowledged));
    assert!(answer.orders.is_empty() && ordered(bed).is_empty());
    // A device that holds none of the named records does not obey; one that knows nothing does.
    device.may_hold = MayHold::exactly(id(&after));
    order(bed, Selection::Devices(&["pc-1"])).unwrap();
    let later = device.make();
    device.may_hold = MayHold::exactly(id(&later));
    // With the token, what it is certain of would be committed and fulfil the order.
    device.token = None;
    assert!(device.offer(bed, &[&later]).orders.is_empty());
    device.may_hold = MayHold::UNKNOWN;
    assert!(device.check_in(bed).orders.contains(id(&after)));
}

pub fn orders_for_all_and_for_the_overdue(bed: &Bed) {
    for n in 0..4 {
        bed.settled(&format!("pc-{n}"), 1);
    }
    bed.device("empty").check_in(bed);
    bed.vault.retire(&scope(), "pc-3", &WHO, bed.now()).unwrap();
    bed.pass(29 * 86_400);
    let mut fresh = bed.settled("fresh", 1);
    bed.pass(2 * 86_400);
    assert_eq!(order(bed, Selection::Overdue), Ok(3));
    assert_eq!(ordered(bed), ["pc-0", "pc-1", "pc-2"]);
    // The retired one's waits.
    assert_eq!(order(bed, Selection::All), Ok(2));
    assert_eq!(ordered(bed), ["fresh", "pc-0", "pc-1", "pc-2"]);
    assert_eq!(fresh.check_in(bed).orders, fresh.may_hold.ids);
    let entry = bed.audit_log().pop().unwrap();
    assert_eq!(
        (entry.action, entry.detail.as_str()),
        (Action::RotationOrdered, "all devices: 5 devices")
    );
}

pub fn orders_for_what_somebody_saw(bed: &Bed) {
    let mut devices: Vec<Device> = (0..5).map(|n| bed.settled(&format!("pc-{n}"), 1)).collect();
    let mallory = Request::new("mallory", "curious");
    let see = |device: &str| {
        let options = DiscloseOptions::default().without_rotation();
        bed.vault.disclose(&scope(), device, &mallory, options, bed.now()).unwrap().entry
    };
    see("pc-0");
    bed.pass(100);
    let since = bed.now();
    see("pc-1");
    see("pc-2");
    let unopened = see("pc-3");
    bed.reveal("pc-4");
    bed.vault.record_outcome(&scope(), unopened, false, &[], &mallory, bed.now()).unwrap();
    devices[2].rotate(bed);
    let selection = Selection::RevealedBy { who: Who::Caller("mallory"), since };
    let read = bed.audit_log().len();
    assert_eq!(order(bed, selection), Ok(2));
    // Too early, seen, rotated since, not opened as mallory says, seen by somebody else.
    assert_eq!(ordered(bed), ["pc-1", "pc-3"]);
    let at = laps_host::time::rfc3339(since);
    let said = format!("what mallory was shown since {at}, by entry {read}: 2 devices");
    assert_eq!(bed.audit_log().last().unwrap().detail, said);
    let since = Timestamp::default();
    assert_eq!(order(bed, Selection::RevealedBy { who: Who::Caller("mallory"), since }), Ok(1));
    assert_eq!(ordered(bed), ["pc-0", "pc-1", "pc-3"]);
    assert_eq!(order(bed, Selection::RevealedBy { who: Who::Caller("nobody"), since }), Ok(0));
}

pub fn what_was_disclosed_stays_revealed_whatever_is_noted(bed: &Bed) {
    let mallory = Request::new("mallory", "curious");
    for (device, outcomes) in
        [("pc-0", [true, false]), ("pc-1", [false, true]), ("pc-2", [false, false])]
    {
        bed.settled(device, 1);
        let options = DiscloseOptions::default().without_rotation();
        let shown = bed.vault.disclose(&scope(), device, &mallory, options, bed.now()).unwrap();
        for opened in outcomes {
            bed.vault
                .record_outcome(&scope(), shown.entry, opened, &[], &mallory, bed.now())
                .unwrap();
        }
    }
    let since = Timestamp::default();
    assert_eq!(order(bed, Selection::RevealedBy { who: Who::Caller("mallory"), since }), Ok(3));
    assert_eq!(ordered(bed), ["pc-0", "pc-1", "pc-2"]);
}

pub fn orders_for_what_left_the_vault_in_an_export_or_for_resealing(bed: &Bed) {
    let readers = [bed.reader.reader().clone()];
    let history = laps_core::vault::Retention::default();
    bed.vault.initialise(&scope(), &readers, history, &WHO, bed.now()).unwrap();
    let mut devices: Vec<Device> = (0..4).map(|n| bed.settled(&format!("pc-{n}"), 2)).collect();
    let mallory = Request::new("mallory", "leaves soon");
    let since = bed.now();
    let shown = Selection::RevealedBy { who: Who::Caller("mallory"), since };
    // A page of an export names what is in it: an hour, a page, an import of old times say nothing.
    assert_eq!(
        bed.vault.export(&scope(), Some("pc-3"), 9, &mallory, bed.now()).unwrap().items.len(),
        0
    );
    assert_eq!(
        bed.vault.export(&scope(), Some("pc-1"), 1, &WHO, bed.now()).unwrap().items.len(),
        1
    );
    assert_eq!(order(bed, shown), Ok(0));
    assert_eq!(bed.vault.export(&scope(), None, 2, &mallory, bed.now()).unwrap().items.len(), 2);
    let entry = bed.audit_log().pop().unwrap();
    assert_eq!(
        (entry.records.len(), entry.detail.as_str()),
        (4, "4 records of 2 devices, from \"pc-0\"")
    );
    devices[0].rotate(bed);
    assert_eq!(order(bed, shown), Ok(1));
    assert_eq!(ordered(bed), ["pc-1"], "made after the export, in the export, not in it");
    devices[1].rotate(bed);
    assert_eq!(ordered(bed), [""; 0]);
    assert_eq!(order(bed, shown), Ok(0), "rotated since");
    // Records that were exported for re-sealing, and those that were imported re-sealed.
    let other = super::bed::key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    bed.pass(10);
    let since = bed.now();
    let shown = Selection::RevealedBy { who: Who::Caller("mallory"), since };
    let page =
        bed.vault.export_for_resealing(&scope(), Some("pc-2"), 9, &mallory, bed.now()).unwrap();
    assert_eq!(page.items.len(), 2);
    let page = bed.vault.export_for_resealing(&scope(), Some("pc-1"), 1, &WHO, bed.now()).unwrap();
    assert_eq!(order(bed, shown), Ok(1));
    assert_eq!(ordered(bed), ["pc-3"]);
    let to = [bed.reader.reader().clone(), other.reader().clone()];
    let resealed: Vec<_> = page
        .items
        .iter()
        .map(|item| {
            let record = laps_core::seal::Record::parse(&item.sealed).unwrap();
            let resealed = bed.reader.reseal(&record, &to, &mut super::bed::rng()).unwrap();
            let sealed = resealed.as_bytes().to_vec();
            laps_core::vault::Resealing::new(item.device, item.record, sealed)
        })
        .collect();
    assert_eq!(bed.vault.import_resealed(&scope(), &resealed, &mallory, bed.now()), Ok(2));
    assert_eq!(bed.vault.import_resealed(&scope(), &resealed, &mallory, bed.now()), Ok(0));
    assert_eq!(order(bed, shown), Ok(1));
    assert_eq!(ordered(bed), ["pc-2", "pc-3"]);
}

pub fn orders_for_a_back_up_are_for_all_that_was_stored_by_then(bed: &Bed) {
    let mut devices: Vec<Device> = (0..3).map(|n| bed.settled(&format!("pc-{n}"), 1)).collect();
    let mallory = Request::new("mallory", "leaves soon");
    let since = bed.now();
    let shown = Selection::RevealedBy { who: Who::Caller("mallory"), since };
    bed.vault
        .note_in(&[scope()], Action::Exported, "backed up to /tmp/copy", &WHO, bed.now())
        .unwrap();
    assert_eq!(order(bed, shown), Ok(0));
    bed.vault
        .note_in(&[scope()], Action::Exported, "backed up to /tmp/copy", &mallory, bed.now())
        .unwrap();
    // The entry is first: what came in while it was copied may be in the copy.
    bed.pass(3_600);
    devices[1].rotate(bed);
    bed.pass(1);
    devices[2].rotate(bed);
    bed.settled("pc-3", 1);
    assert_eq!(order(bed, shown), Ok(2));
    assert_eq!(ordered(bed), ["pc-0", "pc-1"]);
}

pub fn an_order_for_an_unknown_device_orders_nothing(bed: &Bed) {
    bed.settled("pc-1", 1);
    bed.device("empty").check_in(bed);
    for unknown in ["nowhere", "empty"] {
        let refused = order(bed, Selection::Devices(&["pc-1", unknown])).unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        assert!(refused.to_string().starts_with(&format!("device {unknown}: ")), "{refused}");
        assert_eq!(ordered(bed), [""; 0], "all of them or none");
    }
    assert_eq!(order(bed, Selection::Devices(&[])).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(bed.audit_log().last().unwrap().action, Action::Refused);
}

pub fn retired_devices_are_not_due_and_come_back_by_checking_in(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    bed.pass(40 * 86_400);
    order(bed, Selection::All).unwrap();
    bed.vault.retire(&scope(), "pc-1", &WHO, bed.now()).unwrap();
    let again = bed.vault.retire(&scope(), "pc-1", &WHO, bed.now()).unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    let said = "device pc-1 (account Admin) is retired already, since ";
    assert!(again.to_string().starts_with(said), "{again}");
    let row = bed.vault.show(&scope(), "pc-1").unwrap();
    assert_eq!((row.state, row.ordered), (DeviceStatus::Retired, false));
    assert!(bed.vault.due(&scope(), bed.now(), None, 10).unwrap().items.is_empty());
    assert_eq!(bed.reveal("pc-1").len(), 1, "what is stored can be had");
    device.check_in(bed);
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().state, DeviceStatus::Settled);
    assert_eq!(bed.audit_log().last().unwrap().action, Action::Reenrolled);
    // By hand, for a new installation with another account.
    bed.vault.retire(&scope(), "pc-1", &WHO, bed.now()).unwrap();
    bed.vault.re_enrol(&scope(), "pc-1", &WHO, bed.now()).unwrap();
    let refused = bed.vault.re_enrol(&scope(), "pc-1", &WHO, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    device.sid = Some(laps_core::account::Sid::unix_user(1000));
    device.may_hold = MayHold::UNKNOWN;
    device.last = None;
    device.check_in(bed);
    device.rotate(bed);
    assert!(bed.audit_log().iter().all(|entry| entry.action != Action::SidChanged));
    device.sid = Some(laps_core::account::Sid::unix_user(1001));
    device.check_in(bed);
    assert_ne!(
        bed.audit_log().last().unwrap().action,
        Action::SidChanged,
        "it may be an old message"
    );
    device.check_in(bed);
    assert_eq!(bed.audit_log().last().unwrap().action, Action::SidChanged);
}

pub fn orders_wait_for_a_retired_device(bed: &Bed) {
    let ids = |device: &Device| device.may_hold.ids;
    let retire = |name: &String| {
        bed.vault.retire(&scope(), name, &WHO, bed.now()).unwrap();
    };
    let readers = [bed.reader.reader().clone()];
    let history = laps_core::vault::Retention::default();
    bed.vault.initialise(&scope(), &readers, history, &WHO, bed.now()).unwrap();
    let names: Vec<String> = (0..6).map(|n| format!("pc-{n}")).collect();
    let mut devices: Vec<Device> = names.iter().map(|name| bed.settled(name, 1)).collect();
    // Ordered before it was retired, or afterwards, in every way that there is.
    assert_eq!(order(bed, Selection::Devices(&["pc-0"])), Ok(1));
    names.iter().for_each(retire);
    assert_eq!(order(bed, Selection::Devices(&["pc-1"])), Ok(1));
    let rotate = DiscloseOptions::default().with_rotation_after(60);
    bed.vault.disclose(&scope(), "pc-2", &WHO, rotate, bed.now()).unwrap();
    let mallory = Request::new("mallory", "leaves soon");
    let options = DiscloseOptions::default().without_rotation();
    bed.vault.disclose(&scope(), "pc-3", &mallory, options, bed.now()).unwrap();
    let since = Timestamp::default();
    assert_eq!(order(bed, Selection::RevealedBy { who: Who::Caller("mallory"), since }), Ok(1));
    assert_eq!(order(bed, Selection::Overdue), Ok(0), "a retired one is never due");
    // It is nobody's work meanwhile.
    assert_eq!(ordered(bed), [""; 0]);
    assert_eq!(bed.vault.stats(&scope(), bed.now()).unwrap().ordered, 0);
    bed.pass(90 * 86_400);
    assert!(bed.vault.due(&scope(), bed.now(), None, 10).unwrap().items.is_empty());
    // Back in service, what was known to somebody is replaced.
    for device in &mut devices[..4] {
        device.token = None;
        let held = ids(device);
        assert_eq!(device.check_in(bed).orders, held, "{}", device.name);
    }
    assert_eq!(ordered(bed), names[..4]);
    assert_eq!(bed.vault.stats(&scope(), bed.now()).unwrap().ordered, 4);
    bed.vault.re_enrol(&scope(), "pc-4", &WHO, bed.now()).unwrap();
    assert!(devices[4].check_in(bed).orders.is_empty(), "nobody ordered that");
    let reader = bed.reader.reader().id();
    let removed = bed.vault.order_readable(&scope(), &reader, 0, &WHO, bed.now()).unwrap();
    assert_eq!(removed.devices, 2, "one in service, one retired");
    assert_eq!(order(bed, Selection::All), Ok(0), "ordered already, the retired one too");
    let held = ids(&devices[5]);
    assert_eq!(devices[5].check_in(bed).orders, held);
}

pub fn purging_needs_the_word_and_removes_everything(bed: &Bed) {
    let mut device = bed.settled("pc-1", 3);
    let purge = |word| bed.vault.purge(&scope(), "pc-1", word, &WHO, bed.now());
    assert_eq!(purge(Confirmation::NotGiven).unwrap_err().code(), Code::ConfirmationRequired);
    assert_eq!(bed.reveal("pc-1").len(), 1);
    purge(Confirmation::Given).unwrap();
    assert_eq!(purge(Confirmation::Given).unwrap_err().code(), Code::NotFound);
    let options = DiscloseOptions::default().without_rotation().with_history();
    let gone = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now());
    assert_eq!(gone.unwrap_err().code(), Code::NotFound);
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
    // The device is still there: it offers what it may hold, and all is well again.
    let held = device.may_hold.ids;
    assert_eq!(device.check_in(bed).lacking, held);
    device.rotate(bed);
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().version, Some(4));
}

pub fn a_record_is_removed_only_with_the_word(bed: &Bed) {
    let mut device = bed.settled("pc-1", 2);
    let record = device.make();
    device.offer(bed, &[&record]);
    let remove =
        |record, word| bed.vault.remove_record(&scope(), "pc-1", record, word, &WHO, bed.now());
    let refused = remove(id(&record), Confirmation::NotGiven).unwrap_err();
    assert_eq!(refused.code(), Code::ConfirmationRequired);
    remove(id(&record), Confirmation::Given).unwrap();
    assert_eq!(remove(id(&record), Confirmation::Given), Err(VaultError::NotFound("record")));
    let rows = bed.vault.history(&scope(), "pc-1").unwrap();
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [2, 1]);
    // The device may hold it after all.
    device.holds(&record);
    assert_eq!(device.check_in(bed).lacking.as_slice(), [id(&record)]);
    assert_eq!(device.offer(bed, &[&record]).stored.as_slice(), [id(&record)]);
}
