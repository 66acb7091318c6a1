//! Nothing in a record can be changed, moved, swapped, stripped, cut off or appended (promise 9).
#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use laps_core::identity::{AccountName, DeviceId, RecordId, Scope};
use laps_core::seal::{Header, ReaderKey, Record, SealError, SignerKey, Suite};

use crate::common::{SUITES, header, key, password, readers, rng};

/// A signed record for two readers, so that every kind of field is there.
fn signed(keys: &[ReaderKey]) -> Record {
    let signer = SignerKey::generate("device", &mut rng(9)).expect("a key");
    let password = password("7kQ!x-räksmörgås");
    Record::seal_signed(&header(), &password, &readers(keys), &signer, &mut rng(1)).expect("sealed")
}

/// Nobody may get a password out of these bytes.
fn assert_refused(bytes: &[u8], keys: &[ReaderKey], what: &str) {
    let Ok(record) = Record::parse(bytes) else { return };
    for key in keys {
        let error = key.open(&record).expect_err(what);
        assert!(matches!(error, SealError::Rejected | SealError::NotAReader), "{what}: {error}");
    }
}

#[test]
fn every_single_changed_bit_is_refused() {
    for suite in SUITES {
        let keys = [key(suite, 1), key(suite, 2)];
        let record = signed(&keys);
        let mut bytes = record.as_bytes().to_vec();
        for bit in 0..bytes.len() * 8 {
            bytes[bit >> 3] ^= 1 << (bit & 7);
            assert_refused(&bytes, &keys, "a changed bit");
            bytes[bit >> 3] ^= 1 << (bit & 7);
        }
        assert!(keys[0].open(&Record::parse(&bytes).unwrap()).is_ok());
    }
}

#[test]
fn every_cut_and_every_appended_byte_is_malformed() {
    for suite in SUITES {
        let keys = [key(suite, 1), key(suite, 2)];
        let mut bytes = signed(&keys).as_bytes().to_vec();
        for len in 0..bytes.len() {
            let error = Record::parse(&bytes[..len]).unwrap_err();
            assert!(matches!(error, SealError::Malformed { .. }), "{len}: {error}");
        }
        bytes.push(0);
        let end = bytes.len() - 1;
        let what = "there are bytes after the end of the record";
        assert_eq!(Record::parse(&bytes), Err(SealError::Malformed { at: end, what }));
        bytes.resize(32 * 1024 + 1, 0);
        assert!(matches!(Record::parse(&bytes), Err(SealError::Malformed { at: 32768, .. })));
    }
}

#[test]
fn a_record_cannot_be_moved_to_another_place() {
    let other = header();
    let changes: [fn(&mut Header); 9] = [
        |header| header.scope = Scope::new("fabrikam").expect("text"),
        |header| header.device = DeviceId::new("another").expect("text"),
        |header| header.account = AccountName::new("Admin2").expect("text"),
        |header| header.sid = None,
        |header| header.id = RecordId::from_bytes([0xee; 16]),
        |header| header.previous = None,
        |header| header.version += 1,
        |header| header.made_at = header.made_at.plus(1),
        |header| header.policy_hash = [0; 32],
    ];
    for suite in SUITES {
        let keys = [key(suite, 1), key(suite, 2)];
        let here = Record::seal(&other, &password("secret"), &readers(&keys), &mut rng(1)).unwrap();
        for change in changes {
            let mut header = header();
            change(&mut header);
            // The same randomness: everything but the header is as alike as it can be.
            let password = password("secret");
            let there = Record::seal(&header, &password, &readers(&keys), &mut rng(1)).unwrap();
            let tail = here.as_bytes().len() - core_len(&here, &keys);
            let moved = [
                &there.as_bytes()[..there.as_bytes().len() - tail],
                &here.as_bytes()[here.as_bytes().len() - tail..],
            ]
            .concat();
            let record = Record::parse(&moved).unwrap();
            assert_eq!(record.header(), &header);
            assert_refused(&moved, &keys, "a moved record");
        }
    }
}

/// Where the core of an unsigned record ends: its rest has a known length.
fn core_len(record: &Record, keys: &[ReaderKey]) -> usize {
    let list = 1 + 2 + 4 + 1 + 32 * keys.len();
    record.as_bytes().len() - list - record.suite().wrap_len() * keys.len() - 177
}

#[test]
fn wraps_cannot_be_swapped_stripped_or_taken_from_another_sealing() {
    for suite in SUITES {
        let keys = [key(suite, 1), key(suite, 2)];
        let seal = |seed| {
            Record::seal(&header(), &password("secret"), &readers(&keys), &mut rng(seed)).unwrap()
        };
        let (first, second) = (seal(1), seal(2));
        let (len, wrap) = (first.as_bytes().len(), suite.wrap_len());
        let wraps = len - 177 - 2 * wrap;
        let [one, two] = [wraps..wraps + wrap, wraps + wrap..len - 177];

        let mut swapped = first.as_bytes().to_vec();
        swapped[one.clone()].copy_from_slice(&first.as_bytes()[two.clone()]);
        swapped[two.clone()].copy_from_slice(&first.as_bytes()[one.clone()]);
        assert_refused(&swapped, &keys, "swapped wraps");

        let mut mixed = first.as_bytes().to_vec();
        mixed[two.clone()].copy_from_slice(&second.as_bytes()[two.clone()]);
        assert_refused(&mixed, &keys, "a wrap of another sealing");

        let mut body = first.as_bytes().to_vec();
        body[len - 177..].copy_from_slice(&second.as_bytes()[len - 177..]);
        assert_refused(&body, &keys, "the body of another sealing");

        // Take either reader out of the list, with its wrap.
        let ids = wraps - 64;
        for (id, wrap) in [(ids, one), (ids + 32, two)] {
            let mut stripped = first.as_bytes().to_vec();
            stripped.drain(wrap);
            stripped.drain(id..id + 32);
            stripped[ids - 1] = 1;
            assert_eq!(Record::parse(&stripped).unwrap().reader_ids().count(), 1);
            assert_refused(&stripped, &keys, "a stripped reader");
        }

        // The ids in the other order, or one of them twice.
        let mut unordered = first.as_bytes().to_vec();
        unordered[ids..ids + 64].rotate_left(32);
        let mut twice = first.as_bytes().to_vec();
        twice.copy_within(ids..ids + 32, ids + 32);
        for bytes in [unordered, twice] {
            let what = "the reader ids do not increase";
            assert_eq!(Record::parse(&bytes), Err(SealError::Malformed { at: ids + 32, what }));
        }
    }
}

#[test]
fn a_later_format_kind_or_suite_is_named() {
    let keys = [key(Suite::X25519, 1)];
    let record = crate::common::record(&keys);
    let mut bytes = record.as_bytes().to_vec();
    bytes[5] = 2;
    let unsupported = |what, found| Err(SealError::UnsupportedVersion { what, found });
    assert_eq!(Record::parse(&bytes), unsupported("format", 2));
    for kind in [0, 2, 255] {
        let mut bytes = record.as_bytes().to_vec();
        bytes[6] = kind;
        assert_eq!(Record::parse(&bytes), unsupported("kind", kind.into()));
    }
    let mut bytes = record.as_bytes().to_vec();
    let suite = core_len(&record, &keys) + 1;
    bytes[suite..suite + 2].copy_from_slice(&[1, 0]);
    assert_eq!(Record::parse(&bytes), unsupported("suite", 256));
}

#[test]
fn a_header_that_cannot_be_sealed_is_refused() {
    let keys = [key(Suite::X25519, 1)];
    let changes: [fn(&mut Header); 4] = [
        |header| header.device = DeviceId::EMPTY,
        |header| header.account = AccountName::EMPTY,
        |header| header.account = AccountName::new(&"ä".repeat(65)).expect("text"),
        |header| header.previous = Some(header.id),
    ];
    for change in changes {
        let mut header = header();
        change(&mut header);
        let error = Record::seal(&header, &password("secret"), &readers(&keys), &mut rng(1));
        assert!(matches!(error, Err(SealError::HeaderRefused(_))));
    }
    let empty = Record::seal(&header(), &password(""), &readers(&keys), &mut rng(1));
    assert_eq!(empty, Err(SealError::HeaderRefused("the password is empty")));
}
