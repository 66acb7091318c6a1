//! People doing ordinary things in an ordinary order: readers, accounts, sealings, clocks, names.

use laps_core::error::Code;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::rotation::message::CommitAnswer;
use laps_core::rotation::set::{IdSet, MayHold};
use laps_core::seal::{Reader, Record, SealError};
use laps_core::vault::Retention;
use laps_core::vault::audit::Action;
use laps_core::vault::plan::Plan;
use laps_core::vault::run::run;
use laps_core::vault::store::Durability;
use laps_core::vault::{
    CandidateState, Confirmation, DeviceStatus, DiscloseOptions, OpenedStatus, Request,
    ResealOptions, Resealing, Selection, VaultError, Who,
};

use super::bed::{Bed, Device, deliver, device_id, encoded, id, key, rng, scope};
use super::reading::set_up;

const WHO: Request<'_> = Request::new("alice", "ticket 7");
const DAY: u64 = 86_400;

fn row(bed: &Bed, device: &str) -> laps_core::vault::DeviceRow {
    bed.vault.show(&scope(), device).unwrap()
}

/// A device has the wrong public key: the vault used to commit what nobody can open, and to let go
/// of the last record that somebody could.
pub fn what_nobody_can_open_is_refused_while_somebody_can_open_what_is_held(bed: &Bed) {
    set_up(bed);
    bed.vault.set_retention(&scope(), Retention::count(1), &WHO, bed.now()).unwrap();
    let mut device = bed.settled("pc-1", 1);
    let wrong = key("wrong");
    device.readers = vec![wrong.reader().clone()];
    for _ in 0..3 {
        let record = device.make();
        let answer = device.offer(bed, &[&record]);
        assert_eq!(answer.refused.unreadable.as_slice(), [id(&record)]);
        assert_eq!(row(bed, "pc-1").state, DeviceStatus::Settled);
    }
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-1"]);
    // What the account may hold is taken, whoever can open it, and said.
    let held = device.make();
    device.holds(&held);
    assert_eq!(device.offer(bed, &[&held]).stored.as_slice(), [id(&held)]);
    device.may_hold = MayHold::exactly(id(&held));
    device.commit(bed, &held, true);
    let shown = row(bed, "pc-1");
    assert_eq!((shown.state, shown.findings.unreadable), (DeviceStatus::Unreadable, true));
    assert_eq!(bed.vault.stats(&scope(), bed.now()).unwrap().findings.unreadable, 1);
    // Nothing protects the password in use any more, so nothing is refused: a refusal never blocks
    // a rotation.
    for _ in 0..3 {
        device.rotate(bed);
        bed.pass(40 * DAY);
        device.check_in(bed);
    }
    let rows = bed.vault.history(&scope(), "pc-1").unwrap();
    let kept: Vec<u64> = rows.iter().filter(|row| !row.unreadable).map(|row| row.version).collect();
    assert_eq!(kept, [1], "the newest that was committed and that somebody can open");
    // The device is given the right key.
    device.readers = vec![bed.reader.reader().clone()];
    device.rotate(bed);
    assert_eq!(row(bed, "pc-1").state, DeviceStatus::Settled);
}

/// The order that our guide teaches: the reader is removed before the devices follow.
pub fn a_removal_orders_once_and_asks_where_nobody_else_could_open(bed: &Bed) {
    set_up(bed);
    let other = key("other");
    bed.vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let mut both = bed.settled("pc-1", 1);
    both.readers.push(other.reader().clone());
    both.rotate(bed);
    let mut alone = bed.device("pc-2");
    alone.readers = vec![other.reader().clone()];
    alone.rotate(bed);
    let remove =
        |word| bed.vault.remove_reader(&scope(), &other.id(), Some(0), word, &WHO, bed.now());
    let refused = remove(Confirmation::NotGiven).unwrap_err();
    assert_eq!(refused, VaultError::WouldLose { records: 1, devices: 1 });
    assert_eq!(refused.code(), Code::ConfirmationRequired);
    let loss = bed.vault.reader_loss(&scope(), &other.id()).unwrap();
    assert_eq!((loss.records, loss.devices), (1, 1));
    assert_eq!(remove(Confirmation::Given).unwrap().devices, 2);
    assert_eq!(row(bed, "pc-2").state, DeviceStatus::Unreadable);
    // The device still seals to both. It is ordered once, and told what to change.
    assert!(!both.check_in(bed).orders.is_empty());
    for _ in 0..4 {
        both.rotate(bed);
        let answer = both.check_in(bed);
        assert!(answer.orders.is_empty() && answer.order_at.is_none());
        assert_eq!(answer.removed_readers.as_slice(), [*other.id().as_bytes()]);
        assert!(row(bed, "pc-1").findings.stale_readers);
    }
    let late = bed.audit_log().iter().filter(|entry| entry.action == Action::LateRecord).count();
    assert_eq!(late, 1, "one cause, one entry");
    both.readers.pop();
    both.rotate(bed);
    assert!(
        !row(bed, "pc-1").findings.stale_readers && both.check_in(bed).removed_readers.is_empty()
    );
}

fn turn(device: &mut Device, account: &str) {
    device.account = AccountName::new(account).unwrap();
    (device.token, device.may_hold, device.last, device.outcome) =
        (None, MayHold::UNKNOWN, None, None);
    device.version = 0;
}

pub fn accounts_of_one_device_are_kept_apart(bed: &Bed) {
    set_up(bed);
    let mut device = bed.settled("pc-1", 3);
    bed.vault.order_rotation(&scope(), Selection::Devices(&["pc-1"]), &WHO, bed.now()).unwrap();
    turn(&mut device, "NewAdmin");
    let delayed = device.message();
    device.check_in(bed);
    assert_eq!(row(bed, "pc-1").account.as_str(), "Admin", "without a token it may be an old one");
    device.check_in(bed);
    let shown = row(bed, "pc-1");
    assert_eq!((shown.account.as_str(), shown.version, shown.ordered), ("NewAdmin", None, false));
    let [former] = shown.accounts.as_slice() else { panic!("{shown:?}") };
    assert_eq!((former.account.as_str(), former.version, former.ordered), ("Admin", Some(3), true));
    // Its version counts from the beginning, and nothing of Admin is shown under another name.
    let refused = bed.vault.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), bed.now());
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    device.rotate(bed);
    let open = |options: DiscloseOptions<'_>| {
        let found = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
        let record = Record::parse(&found.candidates[0].sealed).unwrap();
        (found.account.to_string(), record.header().account.to_string(), record.header().version)
    };
    assert_eq!(open(DiscloseOptions::default()), ("NewAdmin".into(), "NewAdmin".into(), 1));
    let of = DiscloseOptions::default().of_account("admin");
    assert_eq!(open(of), ("Admin".into(), "Admin".into(), 3));
    let rows = bed.vault.history(&scope(), "pc-1").unwrap();
    let accounts: Vec<_> = rows.iter().map(|row| row.account.unwrap().to_string()).collect();
    assert_eq!(accounts, ["NewAdmin", "Admin", "Admin", "Admin"]);
    // And back: the order of before is open still.
    turn(&mut device, "Admin");
    device.version = 3;
    device.check_in(bed);
    assert_eq!(
        row(bed, "pc-1").account.as_str(),
        "NewAdmin",
        "without a token it may be an old one"
    );
    assert!(!device.check_in(bed).orders.is_empty());
    let shown = row(bed, "pc-1");
    assert_eq!((shown.account.as_str(), shown.version, shown.ordered), ("Admin", Some(3), true));
    device.rotate(bed);
    let ordered: Vec<bool> =
        row(bed, "pc-1").accounts.iter().map(|former| former.ordered).collect();
    assert_eq!((row(bed, "pc-1").ordered, ordered), (false, vec![true]), "NewAdmin was shown");
    // What was under way for long, or comes twice, turns nothing.
    deliver(bed, &delayed, &[]).unwrap();
    let mut other = delayed;
    other.account = AccountName::new("Third").unwrap();
    for _ in 0..2 {
        deliver(bed, &other, &[]).unwrap();
    }
    assert_eq!(row(bed, "pc-1").account.as_str(), "Admin");
}

pub fn what_is_imported_resealed_never_replaces_what_the_device_sealed(bed: &Bed) {
    set_up(bed);
    let next = key("next");
    bed.settled("pc-1", 1);
    bed.vault.add_reader(&scope(), next.reader(), &WHO, bed.now()).unwrap();
    let readers = [bed.reader.reader().clone(), next.reader().clone()];
    let page = bed.vault.export_for_resealing(&scope(), None, 10, &WHO, bed.now()).unwrap();
    let [item] = page.items.as_slice() else { panic!("one record") };
    let stored = Record::parse(&item.sealed).unwrap();
    let seal = |record: &Record, to: &[Reader]| bed.reader.reseal(record, to, &mut rng()).unwrap();
    let give = |record: &Record| {
        let item = Resealing::new(item.device, item.record, record.as_bytes().to_vec());
        bed.vault.import_resealed(&scope(), &[item], &WHO, bed.now())
    };
    // For fewer readers than the active ones.
    assert_eq!(give(&seal(&stored, &readers[..1])).unwrap_err().code(), Code::InvalidArgument);
    // A number that leaps: the wraps are bound to it, so nobody can open this, and the vault cannot
    // tell.
    let first = seal(&stored, &readers);
    let at = first.as_bytes().windows(4).position(|bytes| bytes == [0, 0, 0, 1]);
    for number in [2_u32, 7, u32::MAX] {
        let mut bytes = first.as_bytes().to_vec();
        let places = (0..bytes.len() - 4).filter(|at| bytes[*at..*at + 4] == [0, 0, 0, 1]);
        for place in places.collect::<Vec<_>>() {
            bytes[place..place + 4].copy_from_slice(&number.to_be_bytes());
            if let Ok(leap) = Record::parse(&bytes)
                && leap.sealing() == number
            {
                assert_eq!(give(&leap).unwrap_err().code(), Code::InvalidArgument, "{number}");
            }
            bytes[place..place + 4].copy_from_slice(&[0, 0, 0, 1]);
        }
    }
    assert!(at.is_some());
    // Spoilt, but with the right number and readers: it is taken, and hides nothing for good.
    let mut spoilt = first.as_bytes().to_vec();
    *spoilt.last_mut().unwrap() ^= 1;
    let spoilt = Record::parse(&spoilt).unwrap();
    assert_eq!(give(&spoilt), Ok(1));
    let disclose =
        |options| bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
    let shown = disclose(DiscloseOptions::default());
    let opens = |sealed: &[u8]| bed.reader.open(&Record::parse(sealed).unwrap()).is_ok();
    assert!(!opens(&shown.candidates[0].sealed));
    assert!(
        opens(shown.candidates[0].before.as_ref().unwrap()),
        "the device's, which names no other"
    );
    // The device's is exported for re-sealing, on request, and rotated.
    let options = ResealOptions::default().from_devices();
    let page =
        bed.vault.export_for_resealing_with(&scope(), None, 10, options, &WHO, bed.now()).unwrap();
    let record = Record::parse(&page.items[0].sealed).unwrap();
    assert_eq!((record.sealing(), page.items[0].above), (0, 1));
    assert!(row(bed, "pc-1").order_at.unwrap() <= bed.now());
    assert!(
        bed.audit_log().iter().any(|entry| entry.detail.contains("as the devices sealed them"))
    );
    // Re-sealed without a look at what the vault keeps, it has the number of the spoilt one, and
    // changes nothing.
    assert_eq!(give(&seal(&record, &readers)), Ok(0));
    let above = page.items[0].above;
    let honest = bed.reader.reseal_above(&record, above, &readers, &mut rng()).unwrap();
    assert_eq!((honest.sealing(), give(&honest)), (2, Ok(1)));
    let shown = disclose(DiscloseOptions::default());
    assert!(opens(&shown.candidates[0].sealed), "an honest one takes the place of a spoilt one");
    assert_eq!(
        bed.reader.reseal_above(&record, u32::MAX, &readers, &mut rng()).unwrap_err(),
        SealError::ResealLimit
    );
}

pub fn what_was_shown_is_rotated_after_a_day_and_a_second_look_changes_nothing(bed: &Bed) {
    set_up(bed);
    let mut device = bed.settled("pc-1", 1);
    let disclose = |options| bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now());
    assert_eq!(bed.vault.rotate_after(&scope()), Ok(Some(DAY)));
    let start = bed.now();
    disclose(DiscloseOptions::default()).unwrap();
    let deadline = Some(start.plus(DAY));
    assert_eq!(row(bed, "pc-1").order_at, deadline);
    let answer = device.check_in(bed);
    assert!(answer.orders.is_empty());
    assert_eq!(answer.order_at, deadline, "the device is told");
    bed.pass(3_600);
    disclose(DiscloseOptions::default()).unwrap();
    assert_eq!(row(bed, "pc-1").order_at, deadline, "a second look does not move it");
    // Later, or not at all, needs a word, and says so in its entry.
    for options in [
        DiscloseOptions::default().with_rotation_after(2 * DAY),
        DiscloseOptions::default().without_rotation(),
    ] {
        let mut without = options;
        without.longer = Confirmation::NotGiven;
        assert_eq!(disclose(without).unwrap_err().code(), Code::ConfirmationRequired);
        disclose(options.with_word()).unwrap();
        assert!(bed.audit_log().pop().unwrap().detail.ends_with("by word"));
    }
    assert_eq!(row(bed, "pc-1").order_at, deadline);
    // Earlier is anybody's.
    disclose(DiscloseOptions::default().with_rotation_after(60)).unwrap();
    assert_eq!(row(bed, "pc-1").order_at, Some(bed.now().plus(60)));
    bed.pass(60);
    assert!(!device.check_in(bed).orders.is_empty());
    device.rotate(bed);
    assert_eq!(row(bed, "pc-1").order_at, None);
    bed.vault.set_rotate_after(&scope(), None, &WHO, bed.now()).unwrap();
    disclose(DiscloseOptions::default()).unwrap();
    assert_eq!(row(bed, "pc-1").order_at, None);
}

pub fn opened_is_claimed_or_proven_and_the_outcome_is_the_disclosers(bed: &Bed) {
    set_up(bed);
    bed.settled("pc-1", 1);
    let opened = |place: usize| bed.vault.history(&scope(), "pc-1").unwrap()[place].opened;
    let unproven = |days: u64| row(bed, "pc-1").findings_at(bed.now().plus(days * DAY)).unproven;
    assert_eq!((opened(0), unproven(89), unproven(91)), (OpenedStatus::No, false, true));
    let disclose = |request: &Request<'_>| {
        let options = DiscloseOptions::default().without_rotation();
        bed.vault.disclose(&scope(), "pc-1", request, options, bed.now()).unwrap()
    };
    let ann =
        Request::new("typed", "ticket").with_caller("ann").with_reader(*bed.reader.id().as_bytes());
    let found = disclose(&ann);
    let note = |opened, proofs: &[_], who: &Request<'_>| {
        bed.vault.record_outcome(&scope(), found.entry, opened, proofs, who, bed.now())
    };
    for other in [ann.with_caller("bob"), ann.with_caller(""), Request::new("ann", "ticket")] {
        assert_eq!(note(false, &[], &other).unwrap_err().code(), Code::InvalidArgument);
    }
    note(true, &[], &ann).unwrap();
    assert_eq!((opened(0), unproven(91)), (OpenedStatus::Claimed, true), "a claim proves nothing");
    let record = Record::parse(&found.candidates[0].sealed).unwrap();
    let proof = bed.reader.open(&record).unwrap().proof;
    let stranger = {
        let record = bed.device("pc-1").seal(9, None, "another one");
        bed.reader.open(&record).unwrap().proof
    };
    assert_eq!(note(true, &[stranger], &ann).unwrap_err().code(), Code::InvalidArgument);
    bed.pass(60 * DAY);
    note(true, &[proof], &ann).unwrap();
    assert_eq!((opened(0), unproven(90), unproven(91)), (OpenedStatus::Proven, false, true));
    // A later word is added and replaces nothing.
    note(false, &[], &ann).unwrap();
    assert_eq!(opened(0), OpenedStatus::Proven);
    let log = bed.audit_log();
    let outcome = log.iter().filter(|entry| entry.action == Action::Outcome);
    let said: Vec<_> =
        outcome.map(|entry| (entry.detail.as_str(), entry.caller.as_str())).collect();
    assert_eq!(said, [("opened", "ann"), ("opened, proven", "ann"), ("not opened", "ann")]);
    assert_eq!(log.last().unwrap().reader, Some(*bed.reader.id().as_bytes()));
    // Orders about what somebody was shown go by whom the program authenticated.
    let order = |who| {
        let selection = Selection::RevealedBy { who, since: Timestamp::default() };
        bed.vault.order_rotation(&scope(), selection, &WHO, bed.now()).unwrap().devices
    };
    assert_eq!((order(Who::Caller("typed")), order(Who::TypedAs("ann"))), (0, 0));
    assert_eq!(order(Who::TypedAs("typed")), 1);
    let plan = Plan::device(&scope(), device_id("pc-1"));
    let rotated = run(bed.vault.store(), &plan, Durability::Durable, |rows| {
        let (name, device) = rows.device(&device_id("pc-1"))?.unwrap();
        let mut device = device.clone();
        device.managed.candidates.orders.clear();
        rows.put_device(&name, device);
        Ok(())
    });
    rotated.unwrap();
    assert_eq!(order(Who::Caller("ann")), 1);
}

pub fn orders_and_what_was_shown_survive_a_clock_that_is_wrong(bed: &Bed) {
    set_up(bed);
    let mut device = bed.settled("pc-1", 1);
    let mallory = Request::new("mallory", "curious");
    let years_ago = Timestamp::from_unix_seconds(1_300_000_000);
    let options = DiscloseOptions::default().without_rotation();
    bed.vault.disclose(&scope(), "pc-1", &mallory, options, years_ago).unwrap();
    bed.pass(DAY);
    let since = bed.now();
    let order = |since| {
        let selection = Selection::RevealedBy { who: Who::Caller("mallory"), since };
        bed.vault.order_rotation(&scope(), selection, &WHO, bed.now()).unwrap().devices
    };
    assert_eq!(order(since), 1, "an entry that is earlier than its predecessor is taken in");
    device.rotate(bed);
    // Once in the future: neither what was shown later nor the deadline is lost in it.
    let future = bed.now().plus(10_000 * DAY);
    bed.vault.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), future).unwrap();
    assert!(!device.check_in(bed).orders.is_empty(), "an order from the future is due");
    device.rotate(bed);
    bed.pass(DAY);
    bed.vault.disclose(&scope(), "pc-1", &mallory, options, bed.now()).unwrap();
    device.rotate(bed);
    bed.pass(DAY);
    assert_eq!(order(bed.now()), 0, "it was rotated since");
}

pub fn names_ignore_case_for_people_and_a_check_in_that_differs_in_case_is_refused(bed: &Bed) {
    set_up(bed);
    bed.settled("PC-0001", 1);
    assert_eq!(row(bed, "pc-0001").device.as_str(), "PC-0001");
    assert_eq!(bed.reveal("Pc-0001"), ["Secret-PC-0001-1"]);
    let missing = bed.vault.show(&scope(), "PC-001").unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert!(missing.to_string().contains("PC-0001"), "{missing}");
    assert_eq!(bed.vault.show(&scope(), "server").unwrap_err(), VaultError::NotFound("device"));
    let mut twin = bed.device("pc-0001");
    let refused = deliver(bed, &twin.message(), &[]).unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert!(refused.to_string().contains("PC-0001"), "{refused}");
    assert_eq!(bed.vault.list(&scope(), None, 10).unwrap().items.len(), 1);
    // One refused in a batch does not keep the others from being answered.
    let other = bed.device("pc-2");
    let (twins, others) = (encoded(&twin.message(), &[]), encoded(&other.message(), &[]));
    let batch = [("pc-0001", twins.as_slice()), ("pc-2", others.as_slice())];
    let answers = bed.vault.check_in_many(&scope(), &batch, bed.now()).unwrap();
    assert!(answers[0].is_err() && answers[1].is_ok());
    // Where the embedder says that names are those of computers, it is the same device.
    let vault = bed.vault.clone().with_names_ignoring_case();
    twin.version = 1;
    let bytes = encoded(&twin.message(), &[]);
    vault.check_in(&scope(), "pc-0001", &bytes, bed.now()).unwrap();
    let record = twin.make();
    let bytes = encoded(&twin.message(), &[&record]);
    vault.check_in(&scope(), "pc-0001", &bytes, bed.now()).unwrap();
    assert_eq!(row(bed, "PC-0001").candidates, 2);
    assert_eq!(bed.reveal("PC-0001").len(), 2);
    assert_eq!(bed.vault.list(&scope(), None, 10).unwrap().items.len(), 2);
}

pub fn a_thief_of_a_token_does_not_push_the_true_password_out(bed: &Bed) {
    set_up(bed);
    let mut device = bed.settled("pc-1", 1);
    for _ in 0..20 {
        device.rotate(bed);
    }
    let rows = bed.vault.history(&scope(), "pc-1").unwrap();
    assert_eq!(rows.len(), 21, "all of this month");
    assert!(rows.iter().all(|row| row.confirmed && row.opened == OpenedStatus::No));
    // A record that the device never named is a candidate only in name.
    let record = device.make();
    device.offer(bed, &[&record]);
    let options = DiscloseOptions::default();
    let found = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
    let states: Vec<_> = found.candidates.iter().map(|one| (one.state, one.confirmed)).collect();
    assert_eq!(states, [(CandidateState::Current, true), (CandidateState::Pending, false)]);
    for _ in 0..80 {
        device.rotate(bed);
    }
    assert_eq!(bed.vault.history(&scope(), "pc-1").unwrap().len(), 65, "and it is bounded");
    // A version that leaps uses the numbers up: the whole message is refused.
    let leap = device.seal(device.version + (1 << 33), None, "leap");
    let refused = deliver(bed, &device.message(), &[&leap]).unwrap_err();
    assert_eq!(refused.code(), Code::MessageMalformed);
}

pub fn what_was_ruled_out_on_a_word_can_be_revealed_until_the_next_commit(bed: &Bed) {
    set_up(bed);
    bed.vault.set_retention(&scope(), Retention::count(1), &WHO, bed.now()).unwrap();
    let mut device = bed.settled("pc-1", 1);
    let records: Vec<_> = (0..4).map(|_| device.make()).collect();
    device.offer(bed, &records.iter().collect::<Vec<_>>());
    let mut message = device.message();
    message.ruled_out_on_word = IdSet::collect_first(records.iter().map(id)).0;
    let answer = device.send(bed, &message, &[]);
    assert_eq!(answer.candidates, 1);
    let shown = || {
        let options = DiscloseOptions::default().without_rotation();
        let found = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
        found.candidates.iter().map(|one| (one.state, one.version)).collect::<Vec<_>>()
    };
    let word = CandidateState::RuledOut;
    assert_eq!(shown(), [(CandidateState::Current, 1), (word, 5), (word, 4), (word, 3)]);
    let next = device.make();
    device.offer(bed, &[&next]);
    assert_eq!(device.commit(bed, &next, true).commit, Some(CommitAnswer::Acknowledged));
    assert_eq!(shown(), [(CandidateState::Current, 6)]);
}
