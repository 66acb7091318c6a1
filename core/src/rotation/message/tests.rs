//! What the messages accept, and that they accept nothing else.

use alloc::vec::Vec;

use super::*;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::event::{Directory, EventKind, Outcome, Reason};
use crate::rotation::set::{IdSet, MayHold};

fn id(byte: u8) -> RecordId {
    RecordId::from_bytes([byte; 16])
}

fn ids(bytes: impl IntoIterator<Item = u8>) -> IdSet {
    IdSet::collect_first(bytes.into_iter().map(id)).0
}

/// A check-in with every field at its longest.
fn longest() -> CheckIn {
    let text = |c: &str, n: usize| c.repeat(n);
    let mut check_in = CheckIn::new(
        Scope::new(&text("s", 64)).unwrap(),
        DeviceId::new(&text("d", 128)).unwrap(),
        AccountName::new(&text("\u{10348}", 64)).unwrap(),
        [7; 16],
    );
    let mut sid = [0xaa; 68];
    sid[..2].copy_from_slice(&[1, 15]);
    check_in.token = Some([8; 16]);
    check_in.may_hold = MayHold::new(ids(1..17), true);
    check_in.highest_version = u64::MAX;
    check_in.sid = Some(SidBytes::from_bytes(&sid).unwrap());
    check_in.due = Some(Timestamp::MAX);
    check_in.reset_at = Some(Timestamp::MAX);
    check_in.waits_until = Some(Timestamp::MAX);
    check_in.account_missing = true;
    check_in.last = Some(Outcome::new(
        EventKind::Committed,
        Directory::ActiveDirectory,
        Reason::Age,
        Timestamp::MAX,
    ));
    check_in.audit = Some(AuditHead::new(u64::MAX, [9; 32]));
    check_in.ruled_out = ids(20..36);
    check_in.ruled_out_on_word = ids(40..56);
    check_in.offers = ids(1..17);
    check_in.commit = Some(Commit::new(id(16), true));
    check_in
}

fn longest_answer() -> Answer {
    let mut answer = Answer::new([1; 16], [2; 16], AuditHead::new(4, [5; 32]));
    answer.stored = ids(1..17);
    answer.lacking = ids(1..17);
    answer.refused = Refusals { stale: ids(17..33), full: ids(33..49), unreadable: ids(49..65) };
    answer.commit = Some(CommitAnswer::StaleToken);
    answer.highest_version = u64::MAX;
    answer.candidates = 16;
    answer.orders = ids(1..17);
    answer.order_at = Some(Timestamp::MAX);
    for byte in 0..16 {
        answer.removed_readers.insert([byte; 32]).unwrap();
    }
    answer.restored = Some(u64::MAX);
    answer.audit_at = Some([6; 32]);
    answer
}

fn head(check_in: &CheckIn) -> Vec<u8> {
    let mut out = [0; MAX_HEAD];
    let len = check_in.encode(&mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn the_longest_messages_fit_and_come_back_equal() {
    let check_in = longest();
    let mut bytes = head(&check_in);
    for id in check_in.offers.iter() {
        let record = [id.as_bytes()[0]; 5];
        bytes.extend(record_prefix(&record).unwrap());
        bytes.extend(record);
    }
    let (read, records) = CheckIn::decode(&bytes).unwrap();
    assert_eq!(read, check_in);
    let records: Vec<_> = records.collect();
    assert_eq!(records.len(), 16);
    assert_eq!(records[4], (id(5), &[5; 5][..]));

    let mut out = [0; MAX_ANSWER];
    let len = longest_answer().encode(&mut out).unwrap();
    assert_eq!(Answer::decode(&out[..len]), Ok(longest_answer()));
}

#[test]
fn every_cut_and_every_byte_more_is_refused() {
    let mut bytes = head(&longest());
    for id in longest().offers.iter() {
        bytes.extend(record_prefix(id.as_bytes()).unwrap());
        bytes.extend(id.as_bytes());
    }
    assert!(CheckIn::decode(&bytes).is_ok());
    for len in 0..bytes.len() {
        assert!(CheckIn::decode(&bytes[..len]).is_err(), "{len}");
    }
    bytes.push(0);
    assert_eq!(CheckIn::decode(&bytes).err(), Some(malformed("records")));

    let mut out = [0; MAX_ANSWER + 1];
    let len = longest_answer().encode(&mut out).unwrap();
    for cut in 0..len {
        assert!(Answer::decode(&out[..cut]).is_err(), "{cut}");
    }
    assert_eq!(Answer::decode(&out[..=len]), Err(malformed("the end")));
}

#[test]
fn whatever_a_decoder_accepts_encodes_to_the_same_bytes() {
    // Every bit of both messages, flipped.
    let bytes = head(&CheckIn { offers: IdSet::EMPTY, ..longest() });
    let mut accepted = 0;
    for at in 0..bytes.len() {
        for change in (0..8).map(|bit| 1 << bit) {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            if let Ok((check_in, _)) = CheckIn::decode(&changed) {
                assert_eq!(head(&check_in), changed);
                accepted += 1;
            }
        }
    }
    assert!(accepted > 100);
    let mut out = [0; MAX_ANSWER];
    let len = longest_answer().encode(&mut out).unwrap();
    for at in 0..len {
        for change in (0..8).map(|bit| 1 << bit) {
            let mut changed = out[..len].to_vec();
            changed[at] ^= change;
            if let Ok(answer) = Answer::decode(&changed) {
                let mut again = [0; MAX_ANSWER];
                let len = answer.encode(&mut again).unwrap();
                assert_eq!(again[..len], changed);
            }
        }
    }
}

#[test]
fn a_buffer_that_is_too_short_is_said_to_be() {
    let len = head(&longest()).len();
    let mut out = [0; MAX_HEAD];
    assert_eq!(longest().encode(&mut out[..len - 1]), Err(MessageError::BufferTooSmall));
    assert_eq!(longest().encode(&mut out[..len]), Ok(len));
}

#[test]
fn values_outside_the_limits_are_neither_written_nor_read() {
    let refused = |change: &dyn Fn(&mut CheckIn)| {
        let mut check_in = longest();
        change(&mut check_in);
        assert!(check_in.encode(&mut [0; MAX_HEAD]).is_err(), "{check_in:?}");
    };
    refused(&|c| c.device = DeviceId::EMPTY);
    refused(&|c| c.account = AccountName::EMPTY);
    refused(&|c| c.account = AccountName::new(&"x".repeat(65)).unwrap());
    refused(&|c| c.may_hold = MayHold::new(IdSet::EMPTY, false));
    refused(&|c| c.commit = Some(Commit::new(id(99), true)));
    refused(&|c| c.ruled_out_on_word = ids([20]));
    let mut answer = longest_answer();
    answer.refused.stale = ids([1]);
    assert!(answer.encode(&mut [0; MAX_ANSWER]).is_err());
    assert_eq!(record_prefix(&[]), Err(MessageError::RecordTooLong));
    assert_eq!(record_prefix(&[0; MAX_RECORD + 1]), Err(MessageError::RecordTooLong));
}

#[test]
fn a_later_format_is_told_from_a_malformed_one() {
    let mut bytes = head(&longest());
    bytes[4] = 2;
    assert_eq!(CheckIn::decode(&bytes).err(), Some(MessageError::UnsupportedVersion));
    bytes[0] = b'X';
    assert_eq!(CheckIn::decode(&bytes).err(), Some(malformed("the beginning")));
}
