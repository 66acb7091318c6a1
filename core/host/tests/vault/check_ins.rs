//! The rules of a check-in (protocol §3), one test a rule.

use core::sync::atomic::{AtomicUsize, Ordering};

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope};
use laps_core::rotation::event::{Directory, EventKind, Outcome, Reason};
use laps_core::rotation::message::{Answer, AuditHead, CommitAnswer};
use laps_core::rotation::set::{IdSet, MayHold};
use laps_core::vault::Retention;
use laps_core::vault::audit::Action;
use laps_core::vault::{CandidateState, DeviceStatus, MemoryStore, Vault, VaultError};

use super::bed::{Bed, WHO, counting_from, deliver, encoded, id, scope};

/// The records of a device: state and version, in the order of the vault.
fn records(bed: &Bed, device: &str) -> Vec<(CandidateState, u64)> {
    let rows = bed.vault.history(&scope(), device).unwrap();
    rows.iter().map(|row| (row.state, row.version)).collect()
}

pub fn history(bed: &Bed, device: &str) -> Vec<u64> {
    let past = records(bed, device).into_iter();
    past.filter(|(state, _)| *state == CandidateState::History)
        .map(|(_, version)| version)
        .collect()
}

fn pending(bed: &Bed, device: &str) -> Vec<u64> {
    let past = records(bed, device).into_iter();
    past.filter(|(state, _)| *state == CandidateState::Pending)
        .map(|(_, version)| version)
        .collect()
}

pub fn a_rotation_goes_from_the_first_check_in_to_one_settled_record(bed: &Bed) {
    let mut device = bed.device("pc-1");
    let answer = device.check_in(bed);
    // The account may have the password that was there before.
    assert_eq!((answer.highest_version, answer.candidates), (0, 1));
    let row = bed.vault.show(&scope(), "pc-1").unwrap();
    assert_eq!((row.state, row.version), (DeviceStatus::Pending, None));
    let record = device.make();
    let answer = device.offer(bed, &[&record]);
    assert!(answer.stored.contains(id(&record)) && answer.candidates == 2);
    assert_eq!(records(bed, "pc-1"), [(CandidateState::Pending, 1)]);
    let answer = device.commit(bed, &record, true);
    assert_eq!(answer.commit, Some(CommitAnswer::Acknowledged));
    assert_eq!(records(bed, "pc-1"), [(CandidateState::Current, 1)]);
    device.may_hold = MayHold::exactly(id(&record));
    device.check_in(bed);
    let row = bed.vault.show(&scope(), "pc-1").unwrap();
    assert_eq!((row.state, row.version), (DeviceStatus::Settled, Some(1)));
    assert_eq!(bed.reveal("pc-1"), ["Secret-pc-1-1"]);
}

pub fn a_token_is_kept_exactly_when_a_check_in_carries_it_and_changes_nothing(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let token = device.token;
    assert_eq!(Some(device.check_in(bed).token), token, "carried, nothing changed");
    device.token = None;
    assert_ne!(Some(device.check_in(bed).token), token, "not carried");
    let token = device.token;
    device.token = Some([9; 16]);
    assert_ne!(Some(device.check_in(bed).token), token, "another one carried");
    let token = device.token;
    device.due = Some(bed.now());
    assert_ne!(Some(device.check_in(bed).token), token, "something changed");
    let token = device.token;
    let record = device.make();
    assert_ne!(Some(device.offer(bed, &[&record]).token), token, "a new record");
    let token = device.token;
    assert_eq!(Some(device.offer(bed, &[&record]).token), token, "a record that is there");
}

pub fn a_commit_needs_the_current_token_unless_the_record_is_current_already(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let record = device.make();
    device.offer(bed, &[&record]);
    device.token = None;
    let answer = device.commit(bed, &record, true);
    assert_eq!(answer.commit, Some(CommitAnswer::StaleToken));
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().version, Some(1));
    let answer = device.commit(bed, &record, true);
    assert_eq!(answer.commit, Some(CommitAnswer::Acknowledged));
    device.token = None;
    device.may_hold = MayHold::exactly(id(&record));
    let answer = device.commit(bed, &record, true);
    assert_eq!(answer.commit, Some(CommitAnswer::Acknowledged), "current already");
    assert_eq!(history(bed, "pc-1"), [1]);
}

pub fn a_commit_of_an_unknown_record_is_lacking_until_it_is_offered(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let record = device.make();
    let answer = device.commit(bed, &record, true);
    assert_eq!(answer.commit, Some(CommitAnswer::Lacking));
    assert_eq!(answer.lacking.as_slice(), [id(&record)]);
    assert!(device.offer(bed, &[&record]).lacking.is_empty());
    assert_eq!(device.commit(bed, &record, true).commit, Some(CommitAnswer::Acknowledged));
}

pub fn a_commit_below_the_current_version_is_acknowledged_and_displaces_nothing(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let low = device.make();
    let high = device.make();
    device.offer(bed, &[&low, &high]);
    device.commit(bed, &high, true);
    assert_eq!(history(bed, "pc-1"), [2, 1]);
    device.may_hold = MayHold::exactly(id(&high));
    let answer = device.commit(bed, &low, true);
    assert_eq!(answer.commit, Some(CommitAnswer::Acknowledged));
    let all = records(bed, "pc-1");
    assert_eq!(
        all,
        [(CandidateState::Pending, 2), (CandidateState::Current, 3), (CandidateState::History, 1)],
        "first the one that the device says it holds"
    );
}

pub fn an_offer_only_adds_and_a_stale_one_is_refused_with_the_highest_version(bed: &Bed) {
    let mut device = bed.settled("pc-1", 2);
    let stale = device.seal(2, None, "stale");
    let answer = device.offer(bed, &[&stale]);
    assert_eq!(answer.refused.stale.as_slice(), [id(&stale)]);
    assert_eq!(answer.highest_version, 2);
    // What the device may hold is taken whatever its version.
    device.holds(&stale);
    assert_eq!(device.check_in(bed).lacking.as_slice(), [id(&stale)]);
    assert_eq!(device.offer(bed, &[&stale]).stored.as_slice(), [id(&stale)]);
    let (one, two) = (device.make(), device.make());
    device.offer(bed, &[&one]);
    device.offer(bed, &[&two]);
    assert_eq!(pending(bed, "pc-1"), [2, 4, 3], "a new one never replaces another");
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().version, Some(2));
}

pub fn what_a_device_may_hold_is_taken_however_far_its_version_is_above(bed: &Bed) {
    let mut device = bed.settled("pc-1", 2);
    // The vault was put back from an old copy, and somebody had spent the device's versions before.
    for version in [3 + (1 << 33), 1 << 63, u64::MAX - 1] {
        let record = device.seal(version, device.last, "on the account");
        device.holds(&record);
        let answer = device.offer(bed, &[&record]);
        assert_eq!(answer.stored.as_slice(), [id(&record)], "{version}");
        assert_eq!(answer.highest_version, version);
    }
    // It can still rotate: it counts on from the higher of its own and the vault's.
    device.version = u64::MAX - 1;
    device.rotate(bed);
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().version, Some(u64::MAX));
}

pub fn candidates_are_kept_until_the_next_commit_and_refused_beyond_four_mebibytes(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let first = device.make();
    // As many as a device without a journal can bring; beyond that it is no device of ours.
    let room = (4 << 20) / first.as_bytes().len();
    let mut records = vec![first];
    for _ in 1..=room {
        records.push(device.make());
    }
    for page in records[..room].chunks(16) {
        let answer = device.offer(bed, &page.iter().collect::<Vec<_>>());
        assert_eq!(answer.stored.len(), page.len());
    }
    let last = &records[room];
    let answer = device.offer(bed, &[last]);
    assert_eq!(answer.refused.full.as_slice(), [id(last)]);
    assert_eq!(answer.candidates, u32::try_from(room + 1).unwrap());
    assert_eq!(bed.reveal("pc-1").len(), room + 1, "none was evicted");
    // What may be held is taken.
    device.holds(last);
    assert_eq!(device.offer(bed, &[last]).stored.as_slice(), [id(last)]);
    device.may_hold = MayHold::exactly(id(last));
    device.commit(bed, last, true);
    assert_eq!((pending(bed, "pc-1").len(), bed.reveal("pc-1").len()), (0, 1));
}

pub fn ruled_out_records_go_to_the_oldest_end_and_push_nothing_out(bed: &Bed) {
    let mut device = bed.settled("pc-1", 3);
    assert_eq!(history(bed, "pc-1"), [2, 1]);
    let never: Vec<_> = (0..3).map(|_| device.make()).collect();
    device.offer(bed, &never.iter().collect::<Vec<_>>());
    device.ruled_out = IdSet::collect_first(never.iter().map(id)).0;
    device.check_in(bed);
    assert_eq!(pending(bed, "pc-1"), [0; 0]);
    assert_eq!(history(bed, "pc-1"), [2, 1, 6], "one place was free");
    device.ruled_out = IdSet::EMPTY;
    device.rotate(bed);
    assert_eq!(history(bed, "pc-1"), [3, 2, 1], "it goes first");
}

pub fn ruled_out_needs_the_current_token_and_yields_to_the_may_hold_set(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let record = device.make();
    device.offer(bed, &[&record]);
    device.ruled_out = IdSet::one(id(&record));
    device.token = None;
    device.check_in(bed);
    assert_eq!(pending(bed, "pc-1"), [2], "without the token");
    device.holds(&record);
    device.check_in(bed);
    assert_eq!(pending(bed, "pc-1"), [2], "named by the may-hold set");
    device.may_hold.ids.remove(id(&record));
    device.check_in(bed);
    assert_eq!((pending(bed, "pc-1").len(), history(bed, "pc-1")), (0, vec![2]));
}

pub fn a_may_hold_set_brings_records_back_from_history(bed: &Bed) {
    let mut device = bed.device("pc-1");
    let first = device.rotate(bed);
    let second = device.rotate(bed);
    device.rotate(bed);
    assert_eq!(history(bed, "pc-1"), [2, 1]);
    // An image from before, with no token: it only adds.
    device.token = None;
    device.may_hold = MayHold::exactly(id(&first));
    device.check_in(bed);
    assert_eq!((pending(bed, "pc-1"), history(bed, "pc-1")), (vec![1], vec![2]));
    let answer = device.offer(bed, &[&second]);
    assert_eq!(answer.stored.as_slice(), [id(&second)]);
    assert_eq!((pending(bed, "pc-1"), history(bed, "pc-1")), (vec![1, 2], vec![]));
    // A ruled-out one comes back too.
    device.ruled_out = IdSet::one(id(&second));
    device.check_in(bed);
    assert_eq!(history(bed, "pc-1"), [2]);
    device.ruled_out = IdSet::EMPTY;
    device.holds(&second);
    device.check_in(bed);
    assert_eq!(pending(bed, "pc-1"), [2, 1]);
}

pub fn history_is_ordered_by_displacement_and_cut_to_its_setting(bed: &Bed) {
    let mut device = bed.settled("pc-1", 5);
    assert_eq!(history(bed, "pc-1"), [4, 3, 2, 1], "all of this month");
    bed.outlive(&mut device);
    assert_eq!(history(bed, "pc-1"), [4, 3, 2], "three by default");
    let (six, seven) = (device.make(), device.make());
    device.offer(bed, &[&six, &seven]);
    device.commit(bed, &seven, true);
    device.may_hold = MayHold::exactly(id(&seven));
    bed.outlive(&mut device);
    assert_eq!(history(bed, "pc-1"), [6, 5, 4]);
    bed.vault.set_retention(&scope(), Retention::count(1), &WHO, bed.now()).unwrap();
    device.rotate(bed);
    bed.outlive(&mut device);
    assert_eq!(history(bed, "pc-1"), [7]);
    let mut none = Retention::count(1);
    none.count = 0;
    let refused = bed.vault.set_retention(&scope(), none, &WHO, bed.now()).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(Retention::count(0).count, 1);
}

pub fn history_keeps_what_the_last_two_unverified_commits_displaced(bed: &Bed) {
    bed.vault.set_retention(&scope(), Retention::count(1), &WHO, bed.now()).unwrap();
    let mut device = bed.settled("pc-1", 1);
    // Four records that were perhaps never applied, and one that reported success.
    let records: Vec<_> = (0..5).map(|_| device.make()).collect();
    device.offer(bed, &records.iter().collect::<Vec<_>>());
    device.commit(bed, &records[4], false);
    assert_eq!(history(bed, "pc-1"), [5, 4, 3, 2, 1]);
    device.may_hold = MayHold::exactly(id(&records[4]));
    device.rotate_as(bed, false);
    assert_eq!(history(bed, "pc-1"), [6, 5, 4, 3, 2, 1], "the last two");
    device.rotate_as(bed, false);
    assert_eq!(
        history(bed, "pc-1"),
        [7, 6, 1],
        "the first is one too many; what was current has its month"
    );
    bed.outlive(&mut device);
    assert_eq!(history(bed, "pc-1"), [7, 6]);
}

pub fn history_by_days_keeps_the_young_ones(bed: &Bed) {
    let setting = Retention::count(1).with_days(50);
    bed.vault.set_retention(&scope(), setting, &WHO, bed.now()).unwrap();
    let mut device = bed.settled("pc-1", 4);
    assert_eq!(history(bed, "pc-1"), [3, 2, 1]);
    bed.outlive(&mut device);
    device.rotate(bed);
    assert_eq!(history(bed, "pc-1"), [4, 3, 2, 1], "longer than a month");
    bed.pass(20 * 86_400);
    device.check_in(bed);
    assert_eq!(
        history(bed, "pc-1"),
        [4, 3, 2, 1],
        "a clock that is once in the future removes nothing"
    );
    bed.pass(86_400);
    device.check_in(bed);
    assert_eq!(history(bed, "pc-1"), [4]);
}

pub fn a_message_or_record_in_another_name_is_refused_and_noted(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let mut other = bed.device("pc-2");
    let stranger = other.make();
    let before = bed.vault.history(&scope(), "pc-1").unwrap();
    let mut message = device.message();
    message.device = DeviceId::new("pc-2").unwrap();
    let bytes = encoded(&message, &[]);
    let answer = bed.vault.check_in(&scope(), "pc-1", &bytes, bed.now());
    assert_eq!(answer, Err(VaultError::WrongDevice { authenticated: "pc-1".to_owned() }));
    let answer = deliver(bed, &device.message(), &[&stranger]);
    assert_eq!(answer.unwrap_err().code(), Code::MessageWrongDevice);
    let mut message = device.message();
    message.scope = Scope::new("elsewhere").unwrap();
    let bytes = encoded(&message, &[]);
    let answer = bed.vault.check_in(&scope(), "pc-1", &bytes, bed.now());
    assert_eq!(answer.unwrap_err().code(), Code::MessageWrongDevice);
    device.scope = Scope::new("elsewhere").unwrap();
    let abroad = device.seal(9, None, "abroad");
    device.scope = scope();
    let answer = deliver(bed, &device.message(), &[&abroad]);
    assert_eq!(answer.unwrap_err().code(), Code::MessageWrongDevice);
    let mut noted = bed.audit_log();
    noted.retain(|entry| entry.action == Action::WrongDevice);
    assert!(noted.len() == 4 && noted[3].actor == "pc-1");
    assert_eq!(bed.vault.history(&scope(), "pc-1").unwrap(), before);
    assert_eq!(bed.vault.show(&scope(), "pc-2").unwrap_err().code(), Code::NotFound);
}

pub fn malformed_messages_and_records_are_refused_and_change_nothing(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let record = device.make();
    let whole = encoded(&device.message(), &[&record]);
    let before = bed.vault.history(&scope(), "pc-1").unwrap();
    let length = bed.audit_log().len();
    for cut in (0..whole.len()).step_by(7) {
        let answer = bed.vault.check_in(&scope(), "pc-1", &whole[..cut], bed.now());
        assert_eq!(answer.unwrap_err().code(), Code::MessageMalformed, "cut at {cut}");
    }
    let mut record = record.as_bytes().to_vec();
    record[0] ^= 1;
    let at = whole.len() - record.len();
    let broken = [&whole[..at], &record].concat();
    let answer = bed.vault.check_in(&scope(), "pc-1", &broken, bed.now());
    assert_eq!(answer.unwrap_err().code(), Code::RecordMalformed);
    let unnamed = bed.vault.check_in(&scope(), "", &whole, bed.now());
    assert_eq!(unnamed.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(bed.vault.history(&scope(), "pc-1").unwrap(), before);
    assert_eq!(bed.audit_log().len(), length);
}

pub fn a_check_in_without_the_token_does_not_replace_a_later_outcome(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let old = device.message();
    bed.pass(60);
    device.outcome = Some(Outcome::new(
        EventKind::PasswordRefused,
        Directory::Entra,
        Reason::PasswordRefused,
        bed.now(),
    ));
    device.check_in(bed);
    assert_eq!(bed.vault.show(&scope(), "pc-1").unwrap().state, DeviceStatus::Failed);
    deliver(bed, &old, &[]).unwrap();
    let row = bed.vault.show(&scope(), "pc-1").unwrap();
    assert_eq!((row.state, row.outcome), (DeviceStatus::Failed, device.outcome));
}

pub fn last_seen_is_stored_by_the_hour(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    let seen = |bed: &Bed| bed.vault.show(&scope(), "pc-1").unwrap().last_seen;
    let first = seen(bed);
    bed.pass(1_800);
    device.check_in(bed);
    assert_eq!(seen(bed), first);
    bed.pass(1_801);
    let token = device.token;
    device.check_in(bed);
    assert_eq!((seen(bed), device.token), (bed.now(), token));
    // A clock that was once years ahead keeps no dead device alive.
    let ahead = 20 * 365 * 86_400;
    bed.pass(ahead);
    device.check_in(bed);
    bed.set_back(ahead);
    device.check_in(bed);
    assert_eq!(seen(bed), bed.now());
}

pub fn many_check_ins_share_one_transaction_and_fail_apart(bed: &Bed) {
    let devices: Vec<_> = (0..5).map(|n| bed.device(&format!("pc-{n}"))).collect();
    let mut messages: Vec<_> =
        devices.iter().map(|device| encoded(&device.message(), &[])).collect();
    messages[3].pop();
    let sent: Vec<(&str, &[u8])> = devices
        .iter()
        .zip(&messages)
        .map(|(device, bytes)| (device.name.as_str(), bytes.as_slice()))
        .collect();
    let answers = bed.vault.check_in_many(&scope(), &sent, bed.now()).unwrap();
    let good: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, true, true, false, true]);
    assert_eq!(bed.vault.list(&scope(), None, 10).unwrap().items.len(), 4);
}

pub fn a_long_group_sees_itself_and_is_taken_as_a_whole(bed: &Bed) {
    let mut device = bed.device("pc-0");
    let first = device.rotate(bed);
    let [one, other] = [2, 3].map(|version| device.seal(version, Some(id(&first)), "forked"));
    let first_time = (1..100).map(|n| bed.device(&format!("pc-{n}")));
    let mut sent: Vec<(String, Vec<u8>)> = first_time
        .map(|device| (device.name.to_string(), encoded(&device.message(), &[])))
        .collect();
    sent.insert(0, ("pc-0".to_owned(), encoded(&device.message(), &[&one])));
    sent.push(("pc-0".to_owned(), encoded(&device.message(), &[&other])));
    let sent: Vec<(&str, &[u8])> =
        sent.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let (left, source) = (AtomicUsize::new(60), counting_from(1 << 40));
    let failing = Vault::new(bed.vault.store().clone(), move |out: &mut [u8]| {
        let next = |left: usize| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok() && source(out)
    });
    let heads = || bed.vault.audit_head(&scope()).unwrap();
    let before = heads();
    assert_eq!(failing.check_in_many(&scope(), &sent, bed.now()), Err(VaultError::Random));
    assert_eq!(bed.vault.list(&scope(), None, 1_000).unwrap().items.len(), 1, "none was taken");
    assert_eq!(heads(), before);
    let answers = bed.vault.check_in_many(&scope(), &sent, bed.now()).unwrap();
    let head = |answer: &Vec<u8>| Answer::decode(answer).unwrap().audit;
    let seen: Vec<AuditHead> =
        answers.iter().map(|answer| head(answer.as_ref().unwrap())).collect();
    assert_eq!(bed.vault.list(&scope(), None, 1_000).unwrap().items.len(), 100);
    let forks = bed.audit_log().iter().filter(|entry| entry.action == Action::Fork).count();
    assert_eq!(forks, 1, "the last one is decided on what the first one left");
    assert_eq!((seen[0], seen[99], seen[100]), (before, before, heads()));
}

pub fn a_random_source_that_fails_or_repeats_stops_the_check_in(bed: &Bed) {
    let message = bed.device("pc-1").message();
    let bytes = encoded(&message, &[]);
    let check_in = |vault: &Vault<MemoryStore>| vault.check_in(&scope(), "pc-1", &bytes, bed.now());
    let failing = Vault::new(MemoryStore::new(), |_: &mut [u8]| false);
    assert_eq!(check_in(&failing), Err(VaultError::Random));
    let zero = Vault::new(MemoryStore::new(), |_: &mut [u8]| true);
    assert_eq!(check_in(&zero), Err(VaultError::Random));
    let stuck = Vault::new(MemoryStore::new(), |out: &mut [u8]| {
        out.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
        true
    });
    assert!(check_in(&stuck).is_ok());
    assert_eq!(check_in(&stuck), Err(VaultError::Random));
}

pub fn a_device_that_remembers_another_audit_log_is_noted_once(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    bed.reveal("pc-1");
    let answer = device.check_in(bed);
    let head = answer.audit;
    bed.reveal("pc-1");
    device.audit = Some(head);
    let answer = device.check_in(bed);
    assert_eq!(answer.audit_at, Some(head.hash));
    let noted = |bed: &Bed| {
        bed.audit_log().iter().filter(|entry| entry.action == Action::HeadMismatch).count()
    };
    assert_eq!(noted(bed), 0);
    // The vault was put back to an older copy, and went on from there.
    device.audit = Some(AuditHead::new(1, [7; 32]));
    let answer = device.check_in(bed);
    assert!(answer.audit_at.is_some_and(|hash| hash != [7; 32]));
    device.audit = Some(AuditHead::new(50, [7; 32]));
    assert_eq!(device.check_in(bed).audit_at, None);
    device.check_in(bed);
    assert_eq!(noted(bed), 2, "each once");
}
