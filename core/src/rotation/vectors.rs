//! The vectors of `MESSAGES.md`, made from values and read back.

use alloc::{format, string::String, vec::Vec};

use super::config::Config;
use super::event::{Directory, EventKind, Outcome, Reason};
use super::journal::{
    Attempt, AuditFinding, Following, HeldIds, Journal, Phase, Reasons, RuledOutIds, Settled, Use,
};
use super::machine::Rotation;
use super::message::{
    Answer, AuditHead, CheckIn, Commit, CommitAnswer, MAX_ANSWER, MAX_HEAD, Refusals, record_prefix,
};
use super::set::{IdSet, MayHold};
use super::wait::{Cause, Wait, WaitKind};
use super::{MAX_JOURNAL, RotationError, State};
use crate::account::Sid;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};

const DOCUMENT: &str = include_str!("MESSAGES.md");

/// The bytes of the block that follows this heading.
fn documented(heading: &str) -> Vec<u8> {
    let heading = format!("### {heading}\n");
    let (_, rest) = DOCUMENT.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
    let (_, rest) = rest.split_once("```hex\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let digits: String = block
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(str::chars)
        .filter(|digit| !digit.is_whitespace())
        .collect();
    assert!(digits.len().is_multiple_of(2));
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn compare(heading: &str, bytes: &[u8]) {
    assert_eq!(hex(&documented(heading)), hex(bytes), "{heading}");
}

fn id(byte: u8) -> RecordId {
    RecordId::from_bytes([byte; 16])
}

fn ids(bytes: &[u8]) -> IdSet {
    IdSet::collect_first(bytes.iter().map(|byte| id(*byte))).0
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn device() -> DeviceId {
    DeviceId::new("pc-7").unwrap()
}

fn account() -> AccountName {
    AccountName::new("Admin").unwrap()
}

fn first_check_in() -> CheckIn {
    CheckIn::new(Scope::EMPTY, device(), account(), [0x0a; 16])
}

fn full_check_in() -> CheckIn {
    let mut check_in =
        CheckIn::new(Scope::new("contoso").unwrap(), device(), account(), [0x0b; 16]);
    check_in.token = Some([0x70; 16]);
    check_in.may_hold = MayHold::new(ids(&[0x11, 0x22]), false);
    check_in.highest_version = 2;
    check_in.sid = Some(Sid::unix_user(1001));
    check_in.due = Some(time(1_802_000_000));
    check_in.reset_at = Some(time(1_801_500_000));
    check_in.waits_until = Some(time(1_800_000_300));
    check_in.account_missing = true;
    check_in.last = Some(Outcome::new(
        EventKind::Committed,
        Directory::Entra,
        Reason::Enrolment,
        time(1_800_000_000),
    ));
    check_in.audit = Some(AuditHead::new(3, [0xaa; 32]));
    check_in.ruled_out = ids(&[0x33]);
    check_in.ruled_out_on_word = ids(&[0x34]);
    check_in.offers = ids(&[0x22]);
    check_in.commit = Some(Commit::new(id(0x22), true));
    check_in
}

fn answer() -> Answer {
    let mut answer = Answer::new([0x0b; 16], [0x71; 16], AuditHead::new(5, [0xbb; 32]));
    answer.stored = ids(&[0x22]);
    answer.lacking = ids(&[0x11]);
    answer.refused = Refusals { stale: ids(&[0x44]), full: ids(&[0x55]), unreadable: ids(&[0x66]) };
    answer.commit = Some(CommitAnswer::Acknowledged);
    answer.highest_version = 2;
    answer.candidates = 1;
    answer.orders = ids(&[0x22]);
    answer.order_at = Some(time(1_801_000_000));
    answer.removed_readers.insert([0x99; 32]).unwrap();
    answer.audit_at = Some([0xaa; 32]);
    answer.restored = Some(4);
    answer
}

/// What may be held, in the order of age.
fn held(bytes: &[u8]) -> HeldIds {
    let mut held = HeldIds { ids: super::set::ByAge::EMPTY, unknown: false };
    bytes.iter().for_each(|byte| held.ids.push(id(*byte)).unwrap());
    held
}

fn journal() -> (Journal, Phase) {
    let scope = Scope::new("contoso").unwrap();
    let now = time(1_800_000_900);
    let mut journal = Journal::new(&scope, &device(), account(), Some(Sid::unix_user(1001)), now);
    let attempt = Attempt {
        id: id(0x44),
        version: 3,
        cause: Cause { reason: Reason::Order, kind: Some(WaitKind::Order) },
        demand: [0xee; 8],
        change_stamp: Some([0xcc; 32]),
    };
    (journal.highest, journal.committed) = (3, 2);
    journal.held = held(&[0x44, 0x22]);
    journal.ruled_out.push_out(id(0x33));
    journal.ruled_out_on_word.push_out(id(0x34));
    journal.due = Some(time(1_802_000_000));
    journal.committed_at = Some(time(1_800_000_000));
    journal.covered = time(1_799_999_999);
    journal.last = Some(Outcome::new(
        EventKind::Committed,
        Directory::Entra,
        Reason::Enrolment,
        time(1_800_000_000),
    ));
    journal.audit = Some(AuditHead::new(5, [0xbb; 32]));
    journal.audit_finding = AuditFinding::Restored;
    journal.reasons = Reasons { ordered: true, ..Reasons::default() };
    journal.on_word = true;
    let [order, ..] = &mut journal.waits;
    *order = Wait { count: 2, since: time(1_800_000_000) };
    journal.failures = 1;
    journal.not_before = Some(time(1_800_000_600));
    journal.refused_readers = Some([0xab; 8]);
    journal.used =
        Some(Use { deadline: time(1_800_004_400), latest: time(1_800_000_800), tries: 0 });
    journal.following = Some(Following { actions: 2, at: time(1_800_000_120) });
    journal.demand = [0xdd; 8];
    (journal, Phase::Applying(attempt))
}

/// A settled one with little in it.
fn settled_journal() -> (Journal, Phase) {
    let now = time(1_800_000_900);
    let mut journal = Journal::new(&Scope::EMPTY, &device(), account(), None, now);
    (journal.highest, journal.committed) = (1, 1);
    journal.held = HeldIds::exactly(id(0x11));
    journal.missing = true;
    let settled = Settled { last_made: Some(id(0x11)), change_stamp: Some([0xcc; 32]) };
    (journal, Phase::Settled(settled))
}

fn encoded((journal, phase): &(Journal, Phase)) -> Vec<u8> {
    let mut out = [0; MAX_JOURNAL];
    let len = journal.encode(phase, &mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn the_check_ins_are_the_documented_bytes() {
    for (heading, check_in) in
        [("A first check-in", first_check_in()), ("A check-in with everything", full_check_in())]
    {
        let mut out = [0; MAX_HEAD];
        let len = check_in.encode(&mut out).unwrap();
        let mut bytes = out[..len].to_vec();
        for _ in check_in.offers.iter() {
            bytes.extend(record_prefix(b"sealed").unwrap());
            bytes.extend(b"sealed");
        }
        compare(heading, &bytes);
        let bytes = documented(heading);
        let (read, records) = CheckIn::decode(&bytes).unwrap();
        assert_eq!(read, check_in);
        assert!(records.eq(check_in.offers.iter().map(|id| (id, &b"sealed"[..]))));
    }
}

#[test]
fn the_answer_is_the_documented_bytes() {
    let mut out = [0; MAX_ANSWER];
    let len = answer().encode(&mut out).unwrap();
    compare("An answer", &out[..len]);
    assert_eq!(Answer::decode(&documented("An answer")), Ok(answer()));
}

#[test]
fn the_journal_is_the_documented_bytes_and_a_later_version_can_read_it() {
    compare("A settled journal", &encoded(&settled_journal()));
    assert_eq!(Journal::decode(&documented("A settled journal")), Ok(settled_journal()));
    compare("A journal", &encoded(&journal()));
    let bytes = documented("A journal");
    assert_eq!(Journal::decode(&bytes), Ok(journal()));
    let config = Config::new(Scope::new("contoso").unwrap(), device(), account(), journal().0.sid);
    let rotation = Rotation::resume(&bytes, config, Some([1; 32]), time(1_800_001_000)).unwrap();
    assert_eq!(rotation.state(), State::Starting);
    assert_eq!(rotation.retained(), ids(&[0x22, 0x44]));
    let mut other = config;
    other.device = DeviceId::new("pc-8").unwrap();
    let resumed = Rotation::resume(&bytes, other, None, time(1_800_001_000));
    assert_eq!(resumed.err(), Some(RotationError::JournalOfAnotherDevice));
}

#[test]
fn a_journal_that_was_cut_or_changed_is_refused() {
    let bytes = documented("A journal");
    for len in 0..bytes.len() {
        assert_eq!(Journal::decode(&bytes[..len]).err(), Some(RotationError::JournalMalformed));
    }
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit >> 3] ^= 1 << (bit & 7);
        assert_eq!(Journal::decode(&changed).err(), Some(RotationError::JournalMalformed));
    }
}

/// Puts the right checksum behind a changed journal.
fn mended(mut journal: Vec<u8>) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    journal.truncate(journal.len() - 32);
    let check = Sha256::digest(&journal);
    journal.extend(check);
    journal
}

#[test]
fn a_journal_with_a_right_checksum_is_read_only_when_it_is_canonical_and_consistent() {
    let bytes = documented("A journal");
    let mut later = bytes.clone();
    later[4] = 2;
    assert_eq!(Journal::decode(&mended(later)), Err(RotationError::JournalUnsupported));
    let mut read = 0;
    for at in 5..bytes.len() - 32 {
        for change in [1, 2, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            let changed = mended(changed);
            if let Ok(journal) = Journal::decode(&changed) {
                assert_eq!(hex(&encoded(&journal)), hex(&changed));
                read += 1;
            }
        }
    }
    assert!(read > 100);
    let wrong = |change: &dyn Fn(&mut Journal, &mut Attempt)| {
        let (mut journal, phase) = journal();
        let Phase::Applying(mut attempt) = phase else { return };
        change(&mut journal, &mut attempt);
        let changed = encoded(&(journal, Phase::Applying(attempt)));
        assert_eq!(Journal::decode(&changed), Err(RotationError::JournalMalformed));
    };
    wrong(&|journal, _| journal.held = held(&[]));
    wrong(&|journal, _| journal.held = held(&[0x22]));
    wrong(&|journal, _| journal.ruled_out.push_out(id(0x22)));
    wrong(&|journal, _| journal.ruled_out_on_word.push_out(id(0x22)));
    wrong(&|journal, _| journal.ruled_out_on_word.push_out(id(0x33)));
    wrong(&|_, attempt| attempt.version = 4);
    wrong(&|_, attempt| attempt.version = 1);
    wrong(&|journal, _| journal.committed = 4);
    wrong(&|journal, _| journal.account = AccountName::EMPTY);
    let (kept, phase) = journal();
    let Phase::Applying(attempt) = phase else { return };
    let backing_up = encoded(&(kept, Phase::BackingUp(attempt)));
    assert_eq!(Journal::decode(&backing_up), Err(RotationError::JournalMalformed));
}

#[test]
fn the_longest_journal_fits() {
    let (mut journal, phase) = journal();
    journal.account = AccountName::new(&"\u{10348}".repeat(64)).unwrap();
    let mut sid = [0xaa; 68];
    sid[..2].copy_from_slice(&[1, 15]);
    journal.sid = Some(Sid::from_bytes(&sid).unwrap());
    journal.held = held(&[0x44; 1]);
    (0x50..0x5f).for_each(|byte| journal.held.ids.push(id(byte)).unwrap());
    (journal.ruled_out, journal.ruled_out_on_word) = (RuledOutIds::EMPTY, RuledOutIds::EMPTY);
    for byte in 0..20 {
        journal.ruled_out.push_out(id(byte));
        journal.ruled_out_on_word.push_out(id(0x80 + byte));
    }
    let bytes = encoded(&(journal, phase));
    assert_eq!(Journal::decode(&bytes), Ok((journal, phase)));
    assert_eq!(journal.ruled_out.set(), ids(&[12, 13, 14, 15, 16, 17, 18, 19]));
    let mut out = [0; MAX_JOURNAL];
    let short = &mut out[..bytes.len() - 1];
    assert_eq!(journal.encode(&phase, short), Err(RotationError::BufferTooSmall));
}

#[test]
fn the_tables_name_every_event_and_every_reason_with_its_number() {
    for kind in EventKind::ALL {
        let row = format!("| {} | `{}` |", kind.as_u8(), kind.name());
        assert!(DOCUMENT.contains(&row), "{row}");
    }
    for reason in Reason::ALL {
        let entry = format!("{} `{}`", reason.as_u8(), reason.name());
        assert!(DOCUMENT.contains(&entry), "{entry}");
    }
}
