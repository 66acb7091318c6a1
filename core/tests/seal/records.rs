//! What a record promises: its readers open it, nobody else, and nothing in it can be changed.

use laps_core::seal::{OpenedProof, Record, SealError};

use crate::common::{SUITES, header, key, password, readers, record, rng};

#[test]
fn every_reader_opens_what_was_sealed_and_nobody_else() {
    for suite in SUITES {
        for count in [1, 2, 16] {
            let keys: Vec<_> = (0..count).map(|seed| key(suite, seed)).collect();
            let record = record(&keys);
            assert_eq!(record.header(), &header());
            assert_eq!(record.reader_ids().count(), keys.len());
            assert_eq!(Record::parse(record.as_bytes()).as_ref(), Ok(&record));
            for key in &keys {
                assert!(record.reader_ids().any(|id| id == key.id()));
                assert_eq!(key.open(&record).unwrap().password.expose_secret(), "7kQ!x-räksmörgås");
            }
            assert_eq!(key(suite, 99).open(&record).unwrap_err(), SealError::NotAReader);
        }
    }
}

#[test]
fn resealing_changes_the_readers_and_nothing_else() {
    for suite in SUITES {
        for other in SUITES {
            let keys = [key(suite, 1)];
            let others = [key(other, 2), key(other, 3)];
            let first = record(&keys);
            let second = keys[0].reseal(&first, &readers(&others), &mut rng(5)).unwrap();
            assert_eq!((first.sealing(), second.sealing()), (0, 1));
            assert_eq!((second.header(), second.suite()), (first.header(), other));
            assert_eq!(keys[0].open(&second).unwrap_err(), SealError::NotAReader);
            for key in &others {
                let opened = key.open(&second).unwrap();
                assert!(opened.password.equals(&keys[0].open(&first).unwrap().password));
                assert!(opened.proof == keys[0].open(&first).unwrap().proof);
            }
        }
    }
}

#[test]
fn a_proof_shows_that_this_record_was_opened_and_no_other() {
    for suite in SUITES {
        let keys = [key(suite, 1), key(suite, 2)];
        let seal = |seed| {
            let readers = readers(&keys);
            Record::seal(&header(), &password("secret"), &readers, &mut rng(seed)).unwrap()
        };
        let (mine, other) = (seal(1), seal(2));
        let proof = keys[0].open(&mine).unwrap().proof;
        assert_eq!(keys[1].open(&mine).unwrap().proof, proof);
        assert!(mine.is_proven_by(&OpenedProof::from_bytes(*proof.as_bytes())));
        assert!(!other.is_proven_by(&proof));
        assert!(!mine.is_proven_by(&keys[0].open(&other).unwrap().proof));
        for bit in 0..256 {
            let mut bytes = *proof.as_bytes();
            bytes[bit >> 3] ^= 1 << (bit & 7);
            assert!(!mine.is_proven_by(&OpenedProof::from_bytes(bytes)));
        }
        // The record itself does not hold it, and nobody prints it.
        assert!(!mine.as_bytes().windows(32).any(|window| window == proof.as_bytes()));
        assert_eq!(format!("{proof:?}"), "OpenedProof([redacted])");
    }
}

#[test]
fn a_record_has_one_to_sixteen_different_readers_of_one_suite() {
    let [x_wing, x25519] = SUITES;
    let seal = |readers: &[_]| Record::seal(&header(), &password("secret"), readers, &mut rng(1));
    assert_eq!(seal(&[]), Err(SealError::NoReaders));
    let mixed = readers(&[key(x_wing, 1), key(x25519, 2)]);
    assert_eq!(seal(&mixed), Err(SealError::MixedSuites));
    let twice = readers(&[key(x25519, 1), key(x25519, 2), key(x25519, 1)]);
    assert_eq!(seal(&twice), Err(SealError::DuplicateReader));
    let many: Vec<_> = (0..17).map(|seed| key(x25519, seed)).collect();
    assert_eq!(seal(&readers(&many)), Err(SealError::TooManyReaders));
}
