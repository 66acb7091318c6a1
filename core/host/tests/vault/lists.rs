//! Lists, work queues, figures, scopes.

use alloc::sync::Arc;
use std::sync::Mutex;

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::rotation::event::{Directory, EventKind, Outcome, Reason};
use laps_core::vault::audit::{Action, Entry};
use laps_core::vault::plan::Plan;
use laps_core::vault::readers::Readers;
use laps_core::vault::run::run;
use laps_core::vault::store::Durability;
use laps_core::vault::unit::Stop;
use laps_core::vault::{DeviceStatus, DiscloseOptions, Observed, Selection, Vault, VaultError};

use super::bed::{Bed, Device, WHO, counting, device_id, encoded, scope};

pub fn devices_are_listed_by_name_in_pages(bed: &Bed) {
    for name in ["b", "ä", "a", "D", "c"] {
        bed.settled(name, 1);
    }
    let mut names = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = bed.vault.list(&scope(), after.as_deref(), 2).unwrap();
        assert!(page.items.len() <= 2);
        names.extend(page.items.iter().map(|row| row.device.to_string()));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(names, ["D", "a", "b", "c", "ä"]);
    let row = bed.vault.metadata().show(&scope(), "a").unwrap();
    assert_eq!((row.account.as_str(), row.version, row.ordered), ("Admin", Some(1), false));
    assert!(row.updated.is_some() && row.expires.is_some() && row.outcome.is_some());
    let unknown = bed.vault.metadata().show(&scope(), "e").unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

pub fn the_soonest_due_come_first_in_pages(bed: &Bed) {
    let mut devices: Vec<Device> = (0..7).map(|n| bed.settled(&format!("pc-{n}"), 1)).collect();
    let start = bed.now();
    for (device, due) in devices.iter_mut().zip([50, 20, 20, 60, 10, 20, 90]) {
        device.due = Some(start.plus(due));
        device.check_in(bed);
    }
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = bed.vault.due(&scope(), start.plus(60), after.as_deref(), 2).unwrap();
        found.extend(page.items.iter().map(|row| row.device.to_string()));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, ["pc-4", "pc-1", "pc-2", "pc-5", "pc-0", "pc-3"]);
    let wrong = bed.vault.due(&scope(), start, Some("pc-1"), 2).unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
    let order = Selection::Devices(&["pc-6"]);
    bed.vault.order_rotation(&scope(), order, &WHO, start).unwrap();
    let page = bed.vault.due(&scope(), start, None, 10).unwrap();
    assert!(page.items.len() == 1 && page.items[0].ordered);
}

pub fn scopes_do_not_see_each_other(bed: &Bed) {
    bed.settled("pc-1", 1);
    let other = Scope::new("tenant b").unwrap();
    let mut device = bed.device("pc-1");
    device.scope = other;
    device.check_in(bed);
    let record = device.make();
    device.offer(bed, &[&record]);
    bed.vault.disclose(&other, "pc-1", &WHO, DiscloseOptions::default(), bed.now()).unwrap();
    bed.reveal("pc-1");
    bed.reveal("pc-1");
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().state, DeviceStatus::Settled);
    assert_eq!(bed.vault.show(&other, "pc-1").unwrap().state, DeviceStatus::Pending);
    let lengths = [scope(), other].map(|scope| bed.vault.audit_verify(&scope, None).unwrap());
    assert!(lengths[0].ok && lengths[1].ok);
    assert_eq!((lengths[0].entries, lengths[1].entries), (2, 1));
    let all = Selection::All;
    let ordered = bed.vault.order_rotation(&other, all, &WHO, bed.now()).unwrap();
    assert_eq!(ordered.devices, 1);
    assert!(!bed.vault.show(&scope(), "pc-1").unwrap().ordered);
    let nothing = Scope::new("tenant c").unwrap();
    assert!(bed.vault.list(&nothing, None, 10).unwrap().items.is_empty());
    assert!(bed.vault.due(&nothing, bed.now(), None, 10).unwrap().items.is_empty());
    assert!(bed.vault.audit_verify(&nothing, None).unwrap().ok);
}

pub fn states_are_told_apart(bed: &Bed) {
    let mut device = bed.device("pc-1");
    device.check_in(bed);
    let state = |bed: &Bed| bed.vault.show(&scope(), "pc-1").unwrap().state;
    assert_eq!(state(bed), DeviceStatus::Pending, "nothing yet");
    device.rotate(bed);
    assert_eq!(state(bed), DeviceStatus::Settled);
    let record = device.make();
    device.offer(bed, &[&record]);
    assert_eq!(state(bed), DeviceStatus::Pending, "on its way");
    let failed = EventKind::AccountUpdateFailed;
    device.outcome = Some(Outcome::new(failed, Directory::Entra, Reason::SetterFailed, bed.now()));
    device.check_in(bed);
    assert_eq!(state(bed), DeviceStatus::Failed);
    device.holds(&record);
    device.check_in(bed);
    assert_eq!(state(bed), DeviceStatus::Uncertain, "one of two");
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().candidates, 2);
    let text = [DeviceStatus::Settled, DeviceStatus::Uncertain].map(DeviceStatus::as_str);
    assert_eq!(text, ["settled", "uncertain"]);
}

pub fn figures_add_up(bed: &Bed) {
    for n in 0..3 {
        bed.settled(&format!("pc-{n}"), 2);
    }
    bed.device("new").check_in(bed);
    bed.vault.retire(&scope(), "pc-0", &WHO, bed.now()).unwrap();
    let order = Selection::Devices(&["pc-1"]);
    bed.vault.order_rotation(&scope(), order, &WHO, bed.now()).unwrap();
    let stats = bed.vault.metadata().stats(&scope(), bed.now()).unwrap();
    assert_eq!((stats.devices, stats.settled, stats.pending, stats.retired), (4, 2, 1, 1));
    assert_eq!((stats.ordered, stats.overdue, stats.entries), (1, 1, 2));
    assert_eq!((stats.candidates, stats.history, stats.damaged), (3, 3, 0));
}

pub fn an_observer_hears_what_happened(bed: &Bed) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    let vault = Vault::new(bed.vault.store().clone(), counting())
        .with_observer(move |observed| ear.lock().unwrap().push(observed.clone()));
    bed.settled("pc-1", 1);
    vault.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), bed.now()).unwrap();
    vault.order_rotation(&scope(), Selection::All, &WHO, bed.now()).unwrap();
    vault.disclose(&scope(), "pc-2", &WHO, DiscloseOptions::default(), bed.now()).unwrap_err();
    let mut device = bed.device("pc-3");
    let record = device.make();
    let bytes = encoded(&device.message(), &[&record]);
    vault.check_in(&scope(), "pc-3", &bytes, bed.now()).unwrap();
    let heard = heard.lock().unwrap();
    assert!(matches!(heard[0], Observed::Disclosed { records: 1, .. }));
    assert_eq!(heard[1], Observed::Ordered { devices: 1 });
    assert_eq!(heard[2], Observed::Refused { code: Code::NotFound });
    assert!(matches!(heard[3], Observed::CheckIn { changed: true, added: 1, .. }));
    assert_eq!(heard.len(), 4);
}

pub fn a_failed_operation_leaves_nothing_behind(bed: &Bed) {
    bed.settled("pc-1", 2);
    let view = |bed: &Bed| {
        let vault = &bed.vault;
        (
            vault.list(&scope(), None, 10),
            vault.history(&scope(), "pc-1"),
            vault.audit_head(&scope()),
        )
    };
    let before = view(bed);
    let plan = Plan::device(&scope(), device_id("pc-1"));
    let result = run(bed.vault.store(), &plan, Durability::Durable, |rows| {
        let (name, device) = rows.device(&device_id("pc-1"))?.unwrap();
        let mut device = device.clone();
        let id = device.managed.candidates.current.take().unwrap().id;
        device.managed.candidates.pending.clear();
        device.managed.report.due = None;
        rows.put_records(&name, device.clone(), [((id, [0; 16]), b"other".to_vec())], [(id, id)]);
        rows.put_device(&device_id("x"), device);
        rows.remove_device(&name);
        rows.append(Entry::new(Action::Purged, bed.now()));
        rows.put_readers(Readers::default());
        Err::<(), _>(Stop::Refused(VaultError::Internal("on purpose")))
    });
    assert!(result.is_err());
    assert_eq!(view(bed), before);
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-2"]);
}
