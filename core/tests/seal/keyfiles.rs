//! Key files and readers' lines, as people handle them.

use laps_core::error::Code;
use laps_core::seal::{Reader, ReaderId, ReaderKey, SealError};

use crate::common::{SUITES, key, record, rng};

#[test]
fn a_key_survives_its_file_and_still_opens_records() {
    for suite in SUITES {
        let key = key(suite, 1);
        for passphrase in [None, Some("correct horse, größer".as_bytes())] {
            let file = key.to_key_file(passphrase, &mut rng(3)).unwrap();
            let label = if passphrase.is_some() { "ENCRYPTED PRIVATE KEY" } else { "PRIVATE KEY" };
            assert!(file.contains(&format!("\n-----BEGIN {label}-----\n")));
            let read = ReaderKey::from_key_file(file.as_bytes(), passphrase).unwrap();
            assert_eq!(read.reader(), key.reader());
            let record = record(core::slice::from_ref(&key));
            assert_eq!(read.open(&record).unwrap().password.expose_secret(), "7kQ!x-räksmörgås");
            let (reader, encrypted) = Reader::from_key_file(file.as_bytes()).unwrap();
            assert_eq!((&reader, encrypted), (key.reader(), passphrase.is_some()));
        }
    }
}

#[test]
fn a_wrong_passphrase_is_refused_and_so_is_none_or_one_too_many() {
    let key = key(SUITES[1], 1);
    let file = key.to_key_file(Some(b"right"), &mut rng(3)).unwrap();
    let read = |passphrase| ReaderKey::from_key_file(file.as_bytes(), passphrase).unwrap_err();
    assert_eq!(read(Some(b"wrong".as_slice())), SealError::KeyFileRejected);
    assert_eq!(read(None), SealError::PassphraseMissing);
    assert_eq!(read(None).code(), Code::KeyFileRejected);
    let plain = key.to_key_file(None, &mut rng(3)).unwrap();
    assert_eq!(
        ReaderKey::from_key_file(plain.as_bytes(), Some(b"right")).unwrap_err(),
        SealError::PassphraseUnexpected
    );
    assert_eq!(key.to_key_file(Some(b""), &mut rng(3)).unwrap_err(), SealError::PassphraseMissing);
}

#[test]
fn what_is_not_a_key_file_is_refused_with_a_reason() {
    for file in ["", "no key\n", "laps-reader-1 x25519\n", "-----BEGIN PRIVATE KEY-----\n"] {
        let error = ReaderKey::from_key_file(file.as_bytes(), None).unwrap_err();
        assert_eq!(error.code(), Code::KeyFileMalformed, "{error}");
    }
    assert_eq!(
        ReaderKey::from_key_file(&[b'a'; 20_000], None).unwrap_err(),
        SealError::KeyFileMalformed("it has more than 16 KiB")
    );
    let (line, _) = {
        let file = key(SUITES[1], 1).to_key_file(None, &mut rng(3)).unwrap();
        file.split_once('\n').map(|(line, pem)| (line.to_owned(), pem.to_owned())).unwrap()
    };
    let error = ReaderKey::from_key_file(format!("{line}\nnothing\n").as_bytes(), None);
    assert_eq!(error.unwrap_err().code(), Code::KeyFileMalformed);
}

#[test]
fn a_readers_line_is_read_only_as_it_is_written() {
    for suite in SUITES {
        let reader = key(suite, 1).reader().clone();
        let line = reader.to_string();
        assert_eq!(line.parse::<Reader>().as_ref(), Ok(&reader));
        for end in ["\n", "\r\n", "\n\n"] {
            assert_eq!(format!("{line}{end}").parse::<Reader>().as_ref(), Ok(&reader));
        }
        let id = reader.id().to_string();
        assert_eq!(ReaderId::from_hex(&id), Some(reader.id()));
        for wrong in [&id[1..], &id.to_uppercase(), &format!("{id}0"), &id.replace('f', "g")] {
            assert_eq!(ReaderId::from_hex(wrong).filter(|id| *id == reader.id()), None);
        }
        for wrong in [
            line.replace(&id, &id.to_uppercase()),
            line.replace("reader-1 ", "reader-2 "),
            line.replace("reader-1 ", "reader-1  "),
            line.replace(suite.name(), "rsa"),
            line.replace("= Helpdesk", " Helpdesk"),
            line.replace(" Helpdesk", ""),
            format!("{line} "),
            format!(" {line}"),
            format!("{line}\n{line}"),
            format!("\n{line}"),
            format!("{line}\u{7}"),
        ] {
            let error = wrong.parse::<Reader>().unwrap_err();
            assert_eq!(error.code(), Code::ReaderMalformed, "{wrong}");
        }
    }
}

#[test]
fn a_line_with_one_changed_character_of_the_key_or_id_is_refused() {
    let line = key(SUITES[1], 1).reader().to_string();
    let end = line.len() - " Helpdesk".len();
    for (place, old) in line.char_indices().take_while(|(place, _)| *place < end) {
        let mut changed = line.clone();
        let new = if old == 'A' { "B" } else { "A" };
        changed.replace_range(place..=place, new);
        assert!(changed.parse::<Reader>().is_err(), "{changed}");
    }
}

#[test]
fn public_keys_that_give_everybody_the_same_secret_are_refused() {
    // The points of small order (RFC 7748 §6.1): 0, 1, and -1.
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut one = [0; 32];
    one[0] = 1;
    for point in [[0; 32], one, minus_one] {
        assert_eq!(
            Reader::new(SUITES[1], &point, "Helpdesk").unwrap_err(),
            SealError::ReaderMalformed("the key is not a valid public key")
        );
        let mut hybrid = key(SUITES[0], 1).reader().public_key().to_vec();
        hybrid[1184..].copy_from_slice(&point);
        assert!(Reader::new(SUITES[0], &hybrid, "Helpdesk").is_err());
    }
    // An ML-KEM coefficient of q or more (FIPS 203 §7.2).
    let mut hybrid = key(SUITES[0], 1).reader().public_key().to_vec();
    hybrid[..2].copy_from_slice(&[0xff, 0xff]);
    assert!(Reader::new(SUITES[0], &hybrid, "Helpdesk").is_err());
}
