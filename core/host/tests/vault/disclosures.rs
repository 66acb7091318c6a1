//! Disclosure and its audit log (protocol §6).

use laps_core::error::Code;
use laps_core::identity::Timestamp;
use laps_core::rotation::set::MayHold;
use laps_core::seal::Record;
use laps_core::vault::audit::Action;
use laps_core::vault::{
    AuditHead, CandidateState, DiscloseOptions, Request, Selection, StoreError, VaultError, Who,
};

use super::bed::{Bed, WHO, id, scope};

pub fn a_disclosure_hands_out_what_a_reader_can_open_and_notes_it_first(bed: &Bed) {
    let mut device = bed.device("pc-1");
    let record = device.rotate(bed);
    let request = WHO.with_context("root@ops, laps 1234");
    let disclosure = bed
        .vault
        .disclose(&scope(), "pc-1", &request, DiscloseOptions::default(), bed.now())
        .unwrap();
    assert_eq!((disclosure.device.as_str(), disclosure.account.as_str()), ("pc-1", "Admin"));
    let [candidate] = disclosure.candidates.as_slice() else { panic!("one candidate") };
    assert_eq!((candidate.record, candidate.version), (id(&record), 1));
    let opened = bed.reader.open(&Record::parse(&candidate.sealed).unwrap()).unwrap().password;
    assert_eq!(opened.expose_secret(), "Secret-pc-1-1");
    let log = bed.audit_log();
    let entry = log.last().unwrap();
    assert_eq!(disclosure.entry, log.len() as u64);
    assert_eq!((entry.action, entry.actor.as_str()), (Action::Disclosed, "alice"));
    assert_eq!(
        (entry.reason.as_str(), entry.context.as_str()),
        ("ticket 4711", "root@ops, laps 1234")
    );
    assert_eq!((entry.device.as_str(), entry.records.as_slice()), ("pc-1", &[id(&record)][..]));
    assert_eq!(disclosure.head, bed.vault.audit_head(&scope()).unwrap());
    assert_eq!(disclosure.head.length, disclosure.entry);
}

pub fn a_disclosure_lists_current_then_pending_then_history(bed: &Bed) {
    let mut device = bed.settled("pc-1", 3);
    let (four, five) = (device.make(), device.make());
    device.offer(bed, &[&four, &five]);
    let options = DiscloseOptions::default();
    let states = |options| {
        let disclosure = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
        let rows = disclosure.candidates.iter().map(|one| (one.state.as_str(), one.version));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(states(options), [("current", 3), ("pending", 5), ("pending", 4)]);
    let all = [("current", 3), ("pending", 5), ("pending", 4), ("history", 2), ("history", 1)];
    assert_eq!(states(options.with_history()), all);
    assert_eq!(CandidateState::History.as_str(), "history");
}

pub fn refused_attempts_are_in_the_audit_log(bed: &Bed) {
    bed.device("new").check_in(bed);
    let options = DiscloseOptions::default();
    let disclose = |device| bed.vault.disclose(&scope(), device, &WHO, options, bed.now());
    assert_eq!(disclose("nowhere"), Err(VaultError::NotFound("device")));
    assert_eq!(disclose("new"), Err(VaultError::NotFound("record of this device")));
    let unnamed = disclose("").unwrap_err();
    assert_eq!(unnamed.code(), Code::InvalidArgument);
    let log = bed.audit_log();
    let refused: Vec<_> = log.iter().filter(|entry| entry.action == Action::Refused).collect();
    assert_eq!(refused.len(), 3);
    assert_eq!((refused[0].actor.as_str(), refused[0].device.as_str()), ("alice", "nowhere"));
    assert_eq!(refused[0].detail, "disclose: there is no such device");
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
}

pub fn an_actor_and_a_reason_are_required(bed: &Bed) {
    bed.settled("pc-1", 1);
    let long = "x".repeat(257);
    let options = DiscloseOptions::default();
    let cases = [
        (Request::new("", "why"), Code::ReasonRequired),
        (Request::new("who", " \t"), Code::ReasonRequired),
        (Request::new("who", "line\nbreak"), Code::InvalidArgument),
        (Request::new(&long, "why"), Code::InvalidArgument),
        (Request::new("who", "why").with_context("\u{7}"), Code::InvalidArgument),
    ];
    for (request, code) in cases {
        let refused = bed.vault.disclose(&scope(), "pc-1", &request, options, bed.now());
        assert_eq!(refused.unwrap_err().code(), code, "{request:?}");
        let order = Selection::Devices(&["pc-1"]);
        let refused = bed.vault.order_rotation(&scope(), order, &request, bed.now());
        assert_eq!(refused.unwrap_err().code(), code, "{request:?}");
    }
    let log = bed.audit_log();
    assert_eq!(log.iter().filter(|entry| entry.action == Action::Refused).count(), 10);
    assert!(log.iter().all(|entry| entry.actor.len() <= 256));
    assert!(!bed.vault.is_ordered(&scope(), "pc-1").unwrap());
}

pub fn the_outcome_of_a_disclosure_refers_to_it(bed: &Bed) {
    bed.settled("pc-1", 1);
    let options = DiscloseOptions::default();
    let disclosure = bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
    let head =
        bed.vault.record_outcome(&scope(), disclosure.entry, true, &[], &WHO, bed.now()).unwrap();
    assert_eq!(head.length, disclosure.entry + 1);
    let entry = bed.audit_log().pop().unwrap();
    assert_eq!((entry.action, entry.refers_to), (Action::Outcome, disclosure.entry));
    assert_eq!((entry.device.as_str(), entry.detail.as_str()), ("pc-1", "opened"));
    for wrong in [0, head.length, 99] {
        let refused = bed.vault.record_outcome(&scope(), wrong, true, &[], &WHO, bed.now());
        assert_eq!(refused, Err(VaultError::NotFound("disclosure")));
    }
}

pub fn rotation_after_a_disclosure_only_when_asked_for(bed: &Bed) {
    let mut device = bed.settled("pc-1", 1);
    bed.reveal("pc-1");
    assert!(device.check_in(bed).orders.is_empty());
    let options = DiscloseOptions::default().with_rotation_after(3_600);
    bed.vault.disclose(&scope(), "pc-1", &WHO, options, bed.now()).unwrap();
    assert!(bed.vault.show(&scope(), "pc-1").unwrap().ordered);
    assert!(device.check_in(bed).orders.is_empty(), "not yet");
    bed.pass(3_600);
    assert_eq!(device.check_in(bed).orders, device.may_hold.ids);
    let due = bed.vault.due(&scope(), bed.now(), None, 10).unwrap();
    assert!(due.items.len() == 1 && due.items[0].ordered);
    device.rotate(bed);
    assert!(!bed.vault.show(&scope(), "pc-1").unwrap().ordered);
    assert!(device.check_in(bed).orders.is_empty());
}

pub fn the_audit_log_verifies_and_an_earlier_head_is_in_it(bed: &Bed) {
    let empty = bed.vault.audit_verify(&scope(), Some(AuditHead::EMPTY)).unwrap();
    assert!(empty.ok && empty.entries == 0 && empty.head == AuditHead::EMPTY);
    let mut device = bed.settled("pc-1", 1);
    let heads: Vec<AuditHead> = (0..5)
        .map(|_| {
            bed.reveal("pc-1");
            bed.vault.audit_head(&scope()).unwrap()
        })
        .collect();
    device.may_hold = MayHold::UNKNOWN;
    for head in &heads {
        let report = bed.vault.audit_verify(&scope(), Some(*head)).unwrap();
        assert!(report.ok && report.entries == 5 && report.first_bad.is_none());
        assert_eq!(report.head, heads[4]);
    }
    let other = AuditHead::new(3, [1; 32]);
    let report = bed.vault.audit_verify(&scope(), Some(other)).unwrap();
    assert_eq!((report.ok, report.first_bad), (false, Some(3)), "another history");
    let later = AuditHead::new(9, [1; 32]);
    let report = bed.vault.audit_verify(&scope(), Some(later)).unwrap();
    assert_eq!((report.ok, report.first_bad), (false, Some(6)), "the end was cut");
}

pub fn heads_are_written_and_read_in_one_way(_: &Bed) {
    let head = AuditHead::new(12, [0xab; 32]);
    let text = head.to_string();
    assert_eq!(text, format!("12-{}", "ab".repeat(32)));
    assert_eq!(text.parse(), Ok(head));
    let hash = "ab".repeat(32);
    for wrong in [
        "",
        "12",
        &format!("+12-{hash}"),
        &format!("012-{hash}"),
        &format!("12-{hash}0"),
        &format!("12-{}", hash.to_uppercase()),
        &format!("-{hash}"),
        &format!("99999999999999999999-{hash}"),
    ] {
        assert!(wrong.parse::<AuditHead>().is_err(), "{wrong}");
    }
}

/// Paths and names come from whoever calls, and the audit log is for ever.
pub fn what_a_caller_says_is_bounded_and_steers_no_terminal(bed: &Bed) {
    bed.settled("pc-1", 1);
    let long = "x".repeat(1 << 20);
    let note = |detail: &str| {
        bed.vault.note_in(&[scope()], Action::Exported, detail, &WHO, bed.now()).unwrap();
    };
    note("backed up to /tmp/\u{1b}[2J\nforged\u{7f}é");
    let said = |back: usize| bed.audit_log().into_iter().rev().nth(back).unwrap().detail;
    assert_eq!(said(0), "backed up to /tmp/\\u{1b}[2J\\nforged\\u{7f}é");
    note(&"é".repeat(2_047));
    assert_eq!(said(0).len(), 4_094, "as it was");
    note(&format!("backed up to {long}"));
    assert!(
        said(0).starts_with("backed up to xxx") && said(0).ends_with("x…"),
        "{}",
        said(0).len()
    );
    assert!((4_090..=4_096).contains(&said(0).len()), "{}", said(0).len());
    note(&"é".repeat(4_000));
    assert!(said(0).ends_with("é…") && said(0).len() <= 4_096);
    let error = VaultError::Store(StoreError::new(Code::Io, format!("{long}\r")));
    bed.vault.note_refusal(&format!("back up to {long}"), &error, &WHO, bed.now()).unwrap();
    assert!(said(0).len() <= 4_096);
    for actor in ["mal\nlory", long.as_str()] {
        let selection =
            Selection::RevealedBy { who: Who::Caller(actor), since: Timestamp::default() };
        bed.vault.order_rotation(&scope(), selection, &WHO, bed.now()).unwrap();
        assert!(said(0).ends_with(": 0 devices"), "how many is still said");
        assert!(said(0).len() <= 4_096 && !said(0).contains('\n'));
    }
    // One device that is named again and again is one device.
    let names = vec!["pc-1"; 10_000];
    let ordered = bed.vault.order_rotation(&scope(), Selection::Devices(&names), &WHO, bed.now());
    assert_eq!(ordered.unwrap().devices, 1);
    let entry = bed.audit_log().pop().unwrap();
    assert_eq!((entry.device.as_str(), entry.detail.as_str()), ("pc-1", ""));
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
}
