//! Readers: set up, added, removed, and records re-sealed for them (protocol §4).

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::random::RandomError;
use laps_core::seal::{ReaderKey, Record, SealError, Suite};
use laps_core::vault::Retention;
use laps_core::vault::audit::Action;
use laps_core::vault::plan::Plan;
use laps_core::vault::run::look;
use laps_core::vault::{Confirmation, Request, ResealOptions, Resealing};

use super::bed::{Bed, Device, WHO, id, key, rng, scope};

pub fn set_up(bed: &Bed) {
    let readers = [bed.reader.reader().clone()];
    let history = Retention::default();
    bed.vault.initialise(&scope(), &readers, history, &WHO, bed.now()).unwrap();
}

pub fn a_scope_is_set_up_once_with_at_least_one_reader(bed: &Bed) {
    let history = Retention::default();
    let none = bed.vault.initialise(&scope(), &[], history, &WHO, bed.now()).unwrap_err();
    assert_eq!(none.code(), Code::InvalidArgument);
    let other = Scope::new("other").unwrap();
    let readers = [bed.reader.reader().clone()];
    // The refused attempts are in the audit logs, and keep nobody from setting up.
    bed.vault.initialise(&other, &[], history, &WHO, bed.now()).unwrap_err();
    bed.vault.initialise(&other, &readers, Retention::count(7), &WHO, bed.now()).unwrap();
    let again = bed.vault.initialise(&other, &readers, history, &WHO, bed.now()).unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    assert!(again.to_string().contains("for other, with 1 readers (reader)"), "{again}");
    assert_eq!(bed.vault.retention(&other).unwrap().count, 7);
    let rows = bed.vault.readers(&other).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].reader, rows[0].removed), (bed.reader.reader(), None));
}

pub fn readers_come_and_go_and_the_last_needs_the_word(bed: &Bed) {
    set_up(bed);
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let twice = bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap_err();
    assert_eq!(twice.code(), Code::AlreadyExists);
    assert!(twice.to_string().contains(&format!("{} other", other.reader().id())), "{twice}");
    let remove = |key: &ReaderKey, word| {
        bed.vault.remove_reader(&scope(), &key.id(), None, word, &WHO, bed.now())
    };
    remove(&bed.reader, Confirmation::NotGiven).unwrap();
    let gone = remove(&bed.reader, Confirmation::NotGiven).unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let last = remove(&other, Confirmation::NotGiven).unwrap_err();
    assert_eq!(last.code(), Code::ConfirmationRequired);
    remove(&other, Confirmation::Given).unwrap();
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let rows = bed.vault.readers(&scope()).unwrap();
    let removed: Vec<bool> = rows.iter().map(|row| row.removed.is_some()).collect();
    assert_eq!(removed, [true, false]);
    let actions: Vec<Action> = bed.audit_log().iter().map(|entry| entry.action).collect();
    use Action::{Initialised, ReaderAdded, ReaderRemoved, Refused};
    let expected = [
        Initialised,
        ReaderAdded,
        Refused,
        ReaderRemoved,
        Refused,
        Refused,
        ReaderRemoved,
        ReaderAdded,
    ];
    assert_eq!(actions, expected);
}

pub fn a_reader_that_no_record_could_be_sealed_to_is_refused(bed: &Bed) {
    set_up(bed);
    let add = |reader: &ReaderKey| bed.vault.add_reader(&scope(), reader.reader(), &WHO, bed.now());
    let other_suite = ReaderKey::generate(Suite::XWing, "xwing", &mut rng()).unwrap();
    assert_eq!(add(&other_suite).unwrap_err().code(), Code::InvalidArgument);
    let active = bed.vault.readers(&scope()).unwrap().len();
    for n in active..16 {
        add(&key(&format!("reader-{n}"))).unwrap();
    }
    let seventeenth = key("seventeenth");
    assert_eq!(add(&seventeenth).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(bed.audit_log().last().unwrap().action, Action::Refused);
    // A removed one leaves its place.
    let first = bed.vault.readers(&scope()).unwrap()[0].reader.id();
    bed.vault
        .remove_reader(&scope(), &first, None, Confirmation::NotGiven, &WHO, bed.now())
        .unwrap();
    add(&seventeenth).unwrap();
    // At the beginning, too.
    let elsewhere = Scope::new("elsewhere").unwrap();
    let many: Vec<_> = (0..17).map(|n| key(&format!("{n}")).reader().clone()).collect();
    let history = Retention::default();
    let refused = bed.vault.initialise(&elsewhere, &many, history, &WHO, bed.now());
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    assert!(bed.vault.readers(&elsewhere).unwrap().is_empty());
}

pub fn removing_a_reader_orders_what_it_can_open_over_the_window(bed: &Bed) {
    set_up(bed);
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let mut devices: Vec<Device> = Vec::new();
    for n in 0..20 {
        let mut device = bed.device(&format!("pc-{n}"));
        if n % 2 == 0 {
            device.readers.push(other.reader().clone());
        }
        device.rotate(bed);
        devices.push(device);
    }
    let now = bed.now();
    let removed = bed
        .vault
        .remove_reader(&scope(), &other.id(), Some(1_000), Confirmation::NotGiven, &WHO, now)
        .unwrap();
    assert_eq!(removed.devices, 10);
    let due = bed.vault.due(&scope(), now.plus(1_000), None, 100).unwrap().items;
    assert_eq!(due.len(), 10);
    let times: alloc::collections::BTreeSet<_> = due.iter().map(|row| row.due).collect();
    assert!(times.len() > 5, "spread over the window");
    let again = bed.vault.order_readable(&scope(), &other.id(), 1_000, &WHO, now).unwrap();
    assert_eq!(again.devices, 0, "nothing is ordered twice");
    bed.pass(1_000);
    assert!(!devices[0].check_in(bed).orders.is_empty());
    assert!(devices[1].check_in(bed).orders.is_empty());
}

pub fn a_late_record_for_a_removed_reader_is_flagged_and_ordered(bed: &Bed) {
    set_up(bed);
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    bed.vault
        .remove_reader(&scope(), &other.id(), None, Confirmation::NotGiven, &WHO, bed.now())
        .unwrap();
    let mut device = bed.device("pc-1");
    device.check_in(bed);
    device.readers.push(other.reader().clone());
    let record = device.make();
    assert!(device.offer(bed, &[&record]).stored.contains(id(&record)), "it is kept");
    let answer = device.commit(bed, &record, true);
    assert_eq!(answer.removed_readers.as_slice(), [*other.id().as_bytes()]);
    let row = &bed.vault.history(&scope(), "pc-1").unwrap()[0];
    assert!(row.stale_readers && row.readers.contains(other.id().as_bytes()));
    // It is for whoever gives the device its readers: an order would be followed by the next such
    // record.
    let late = || bed.audit_log().iter().filter(|entry| entry.action == Action::LateRecord).count();
    for _ in 0..3 {
        device.rotate(bed);
        let row = bed.vault.show(&scope(), "pc-1").unwrap();
        assert!(row.findings.stale_readers && !row.ordered);
    }
    assert_eq!(late(), 1);
    device.readers.pop();
    device.rotate(bed);
    let row = bed.vault.show(&scope(), "pc-1").unwrap();
    assert!(!row.findings.stale_readers && !row.ordered);
}

pub fn strangers_among_the_readers_are_told_and_do_not_pile_up(bed: &Bed) {
    set_up(bed);
    let mut device = bed.device("pc-1");
    for _ in 0..5 {
        let stranger = key("stranger");
        device.readers = vec![bed.reader.reader().clone(), stranger.reader().clone()];
        device.rotate(bed);
        let row = &bed.vault.history(&scope(), "pc-1").unwrap()[0];
        assert!(row.readers.contains(stranger.id().as_bytes()) && row.readers.len() == 2);
    }
    let read = look(bed.vault.store(), Plan::of(&scope()), |rows| Ok(rows.readers()?.clone()));
    let readers = read.unwrap();
    assert!(readers.sets.is_empty());
    let window = Some(0);
    let removed = bed
        .vault
        .remove_reader(&scope(), &bed.reader.id(), window, Confirmation::Given, &WHO, bed.now())
        .unwrap();
    assert_eq!(removed.devices, 1, "what it can open is known all the same");
}

pub fn a_record_of_a_stranger_is_resealed_only_on_a_word(bed: &Bed) {
    set_up(bed);
    let mut device = bed.device("pc-1");
    let stranger = key("stranger");
    device.readers = vec![bed.reader.reader().clone(), stranger.reader().clone()];
    device.rotate(bed);
    let export = |options| {
        bed.vault.export_for_resealing_with(&scope(), None, 10, options, &WHO, bed.now()).unwrap()
    };
    let page = export(ResealOptions::default());
    assert_eq!((page.items.len(), page.strangers.len()), (0, 1));
    let page = export(ResealOptions::default().with_strangers());
    assert_eq!((page.items.len(), page.strangers.len()), (1, 0));
    let item = &page.items[0];
    assert!(item.word, "and it may come back as it is");
    let record = Record::parse(&item.sealed).unwrap();
    let readers = [bed.reader.reader().clone()];
    let record = bed.reader.reseal(&record, &readers, &mut rng()).unwrap();
    let resealed = Resealing::new(item.device, item.record, record.as_bytes().to_vec());
    let import = |item| bed.vault.import_resealed(&scope(), &[item], &WHO, bed.now());
    let refused = import(resealed.clone()).unwrap_err();
    assert_eq!(refused.code(), Code::ConfirmationRequired);
    assert_eq!(import(resealed.with_word()).unwrap(), 1);
    let row = &bed.vault.history(&scope(), "pc-1").unwrap()[0];
    assert_eq!(row.readers, [*bed.reader.id().as_bytes()]);
}

/// Everything that is to be re-sealed, page by page, as a tool does it.
fn reseal_all(bed: &Bed, readers: &[laps_core::seal::Reader], pages: usize) -> usize {
    let mut after: Option<String> = None;
    let mut replaced = 0;
    for _ in 0..pages {
        let page =
            bed.vault.export_for_resealing(&scope(), after.as_deref(), 2, &WHO, bed.now()).unwrap();
        let resealed: Vec<Resealing> = page
            .items
            .iter()
            .map(|item| {
                let record = Record::parse(&item.sealed).unwrap();
                let record = bed.reader.reseal(&record, readers, &mut rng()).unwrap();
                Resealing::new(item.device, item.record, record.as_bytes().to_vec())
            })
            .collect();
        replaced += bed.vault.import_resealed(&scope(), &resealed, &WHO, bed.now()).unwrap();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    replaced
}

pub fn records_are_resealed_without_rotating(bed: &Bed) {
    set_up(bed);
    for n in 0..5 {
        bed.settled(&format!("pc-{n}"), 3);
    }
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let readers = [bed.reader.reader().clone(), other.reader().clone()];
    // A run that stops after one page, and one that goes on.
    assert_eq!(reseal_all(bed, &readers, 1), 6);
    assert_eq!(reseal_all(bed, &readers, 99), 9);
    assert_eq!(reseal_all(bed, &readers, 99), 0);
    let options = laps_core::vault::DiscloseOptions::default().without_rotation().with_history();
    for n in 0..5 {
        let device = format!("pc-{n}");
        let disclosure = bed.vault.disclose(&scope(), &device, &WHO, options, bed.now()).unwrap();
        assert_eq!(disclosure.candidates.len(), 3);
        for candidate in disclosure.candidates {
            let record = Record::parse(&candidate.sealed).unwrap();
            let expected = format!("Secret-{device}-{}", candidate.version);
            assert_eq!(other.open(&record).unwrap().password.expose_secret(), expected);
            assert_eq!(bed.reader.open(&record).unwrap().password.expose_secret(), expected);
        }
        assert!(!bed.vault.show(&scope(), &device).unwrap().ordered);
    }
    assert!(bed.audit_log().iter().any(|entry| entry.action == Action::ExportedForResealing));
    assert!(bed.audit_log().iter().any(|entry| entry.action == Action::Resealed));
}

pub fn resealing_cannot_change_the_password_or_add_strangers(bed: &Bed) {
    set_up(bed);
    let mut device = bed.device("pc-1");
    let record = device.rotate(bed);
    let stranger = key("stranger");
    let give = |record: &Record| {
        let item = Resealing::new(device.name, id(record), record.as_bytes().to_vec());
        bed.vault.import_resealed(&scope(), &[item], &WHO, bed.now())
    };
    let other = bed.reader.reseal(&record, &[stranger.reader().clone()], &mut rng()).unwrap();
    assert_eq!(give(&other).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(give(&record).unwrap_err().code(), Code::InvalidArgument, "not re-sealed");
    let readers = [bed.reader.reader().clone()];
    let other = device.seal(1, None, "another password");
    let other = bed.reader.reseal(&other, &readers, &mut rng()).unwrap();
    let disguised = Resealing::new(device.name, id(&record), other.as_bytes().to_vec());
    let refused = bed.vault.import_resealed(&scope(), &[disguised], &WHO, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let resealed = bed.reader.reseal(&record, &readers, &mut rng()).unwrap();
    assert_eq!(give(&resealed), Ok(1));
    let gone = device.seal(9, None, "unknown");
    let gone = bed.reader.reseal(&gone, &readers, &mut rng()).unwrap();
    assert_eq!(give(&gone), Ok(0), "what is not there any more is left out");
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-1"]);
}

/// Re-seals everything in this thread.
fn reseal_whole(bed: &Bed) -> laps_core::vault::Resealed {
    bed.vault
        .reseal_all(&scope(), &WHO, bed.now(), |items, readers| {
            let resealed = |item: &Resealing| {
                let record = Record::parse(&item.sealed)?;
                Ok(bed.reader.reseal(&record, readers, &mut rng())?.as_bytes().to_vec())
            };
            items.iter().map(resealed).collect()
        })
        .unwrap()
}

pub fn one_hostile_record_does_not_keep_the_others_from_being_resealed(bed: &Bed) {
    set_up(bed);
    let other = key("other");
    for n in 0..4 {
        bed.settled(&format!("pc-{n}"), 1);
    }
    // Well-formed, sealed to our reader by name, and impossible to open: one bit of the body
    // differs.
    let mut hostile = bed.device("pc-1-hostile");
    hostile.check_in(bed);
    let mut bytes = hostile.make().as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let broken = Record::parse(&bytes).unwrap();
    assert!(hostile.offer(bed, &[&broken]).stored.contains(id(&broken)));
    // Sealed to nobody that we know.
    let mut strange = bed.device("pc-2-strange");
    strange.readers = vec![key("stranger").reader().clone()];
    strange.rotate(bed);
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let done = reseal_whole(bed);
    assert_eq!((done.replaced, done.not_ours, done.damaged.len()), (4, 0, 0));
    // Whoever that is would lose it.
    assert_eq!(done.strangers.len(), 1);
    assert_eq!(done.strangers[0].0, strange.name);
    let failed: Vec<_> = done.failed.iter().map(|one| (one.device, one.record)).collect();
    assert_eq!(failed, [(hostile.name, id(&broken))]);
    assert_eq!(done.failed[0].why.code(), Code::Rejected);
    for n in 0..4 {
        let rows = bed.vault.history(&scope(), &format!("pc-{n}")).unwrap();
        assert!(rows[0].readers.contains(other.id().as_bytes()));
    }
    let again = reseal_whole(bed);
    assert_eq!((again.replaced, again.strangers.len(), again.failed.len()), (0, 1, 1));
}

pub fn what_the_vault_does_not_import_is_named_and_the_rest_is_taken(bed: &Bed) {
    set_up(bed);
    for n in 0..3 {
        bed.settled(&format!("pc-{n}"), 1);
    }
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    // Somebody imports a record of another device, an unreadable one, and a source of randomness
    // fails.
    let mut turn = 0;
    let done = bed.vault.reseal_all(&scope(), &WHO, bed.now(), |items, readers| {
        let mut resealed: Vec<Result<Vec<u8>, SealError>> = items
            .iter()
            .map(|item| {
                let record = Record::parse(&item.sealed)?;
                Ok(bed.reader.reseal(&record, readers, &mut rng())?.as_bytes().to_vec())
            })
            .collect();
        turn += 1;
        resealed[0] = resealed[1].clone();
        resealed[2] = Ok(vec![0; 100]);
        resealed
    });
    let done = done.unwrap();
    assert_eq!((turn, done.replaced), (1, 1));
    let failed: Vec<_> =
        done.failed.iter().map(|one| (one.device.to_string(), one.why.code())).collect();
    let expected = [("pc-0", Code::InvalidArgument), ("pc-2", Code::RecordMalformed)];
    assert_eq!(failed, expected.map(|(device, code)| (device.to_owned(), code)));
    let failing = bed.vault.reseal_all(&scope(), &WHO, bed.now(), |items, _| {
        items.iter().map(|_| Err(SealError::Random(RandomError::Failed))).collect()
    });
    assert_eq!(failing.unwrap_err().code(), Code::RandomFailure);
    assert_eq!(reseal_whole(bed).replaced, 2);
}

pub fn a_page_is_imported_record_by_record_and_again_when_the_answer_was_lost(bed: &Bed) {
    set_up(bed);
    for n in 0..4 {
        bed.settled(&format!("pc-{n}"), 1);
    }
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let readers = [bed.reader.reader().clone(), other.reader().clone()];
    let page = bed.vault.export_for_resealing(&scope(), None, 10, &WHO, bed.now()).unwrap();
    let resealed = |item: &Resealing| {
        let record = Record::parse(&item.sealed).unwrap();
        let record = bed.reader.reseal(&record, &readers, &mut rng()).unwrap();
        Resealing::new(item.device, item.record, record.as_bytes().to_vec())
    };
    let mut resealed: Vec<Resealing> = page.items.iter().map(resealed).collect();
    let begun = bed.audit_log().pop().unwrap();
    assert_eq!(begun.action, Action::ExportedForResealing);
    assert_eq!(begun.records, page.items.iter().map(|item| item.record).collect::<Vec<_>>());
    // One comes back as it went out, and one under the name of another device.
    resealed[1] = page.items[1].clone();
    resealed[2].device = resealed[3].device;
    resealed[2].record = resealed[3].record;
    let give =
        |who: &Request<'_>| bed.vault.import_resealed_each(&scope(), &resealed, who, bed.now());
    let done = give(&WHO).unwrap();
    assert_eq!((done.replaced, done.not_ours), (2, 0));
    let failed: Vec<_> =
        done.failed.iter().map(|one| (one.device.to_string(), one.why.code())).collect();
    let refused = ["pc-1", "pc-3"].map(|device| (device.to_owned(), Code::InvalidArgument));
    assert_eq!(failed, refused);
    let again = give(&WHO).unwrap();
    assert_eq!((again.replaced, again.failed.len()), (0, 2), "what was taken is not refused");
    assert_eq!(bed.vault.import_resealed(&scope(), &resealed[3..], &WHO, bed.now()), Ok(0));
    // A request that is not to be answered is refused once, not record by record.
    let entries = bed.audit_log().len();
    let long = "a".repeat(300);
    let error = give(&Request::new(&long, "why")).unwrap_err();
    assert_eq!((error.code(), bed.audit_log().len()), (Code::InvalidArgument, entries + 1));
    let left = bed.vault.export_for_resealing(&scope(), None, 10, &WHO, bed.now()).unwrap();
    let left: Vec<_> = left.items.iter().map(|item| item.device.to_string()).collect();
    assert_eq!(left, ["pc-1", "pc-2"]);
}

pub fn two_who_reseal_at_once_do_not_disturb_each_other(bed: &Bed) {
    set_up(bed);
    let mut device = bed.device("pc-1");
    let record = device.rotate(bed);
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let readers = [bed.reader.reader().clone(), other.reader().clone()];
    let give = |record: &Record| {
        let item = Resealing::new(device.name, id(record), record.as_bytes().to_vec());
        bed.vault.import_resealed(&scope(), &[item], &WHO, bed.now())
    };
    let one = bed.reader.reseal(&record, &readers, &mut rng()).unwrap();
    let two = bed.reader.reseal(&record, &readers, &mut rng()).unwrap();
    assert_eq!(give(&one), Ok(1));
    assert_eq!(give(&two), Ok(0), "somebody else was faster");
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-1"]);
}
