//! Signed cores and signed reader sets.
#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use ed25519_dalek::VerifyingKey;
use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::seal::{ReaderSet, ReaderSetHead, Record, SealError, Signer, SignerKey, Suite};

use crate::common::{SUITES, header, key, password, readers, record, rng};

fn signer(seed: u64) -> SignerKey {
    SignerKey::generate("Authority", &mut rng(seed)).expect("a key")
}

#[test]
fn a_signature_names_its_signer_and_outlives_a_new_sealing() {
    for suite in SUITES {
        let keys = [key(suite, 1)];
        let device = signer(1);
        let password = password("secret");
        let record =
            Record::seal_signed(&header(), &password, &readers(&keys), &device, &mut rng(1))
                .unwrap();
        let again = keys[0].reseal(&record, &readers(&[key(suite, 2)]), &mut rng(2)).unwrap();
        for record in [&record, &again] {
            assert!(record.is_signed());
            assert_eq!(record.verify_signature(device.signer()), Ok(()));
            assert_eq!(record.verify_signature(signer(2).signer()), Err(SealError::Rejected));
        }
    }
    let unsigned = record(&[key(Suite::X25519, 1)]);
    assert!(!unsigned.is_signed());
    assert_eq!(unsigned.verify_signature(signer(1).signer()), Err(SealError::Rejected));
}

#[test]
fn a_signature_holds_for_its_own_core_only() {
    let keys = [key(Suite::X25519, 1)];
    let device = signer(1);
    let seal = |password, seed| {
        let password = crate::common::password(password);
        Record::seal_signed(&header(), &password, &readers(&keys), &device, &mut rng(seed)).unwrap()
    };
    let (mine, forged) = (seal("mine", 1), seal("forged", 2));
    // Take the signature of the one into the other: core, 1 + 32 + 64 bytes, list, wrap, body.
    let end = mine.as_bytes().len() - (2 + 4 + 1 + 32) - Suite::X25519.wrap_len() - 177;
    let mut bytes = forged.as_bytes().to_vec();
    bytes[end - 97..end].copy_from_slice(&mine.as_bytes()[end - 97..end]);
    let record = Record::parse(&bytes).unwrap();
    assert!(record.is_signed());
    assert_eq!(record.verify_signature(device.signer()), Err(SealError::Rejected));
}

#[test]
fn a_signers_key_survives_its_file_and_its_line() {
    let key = signer(1);
    for passphrase in [None, Some(b"passphrase".as_slice())] {
        let file = key.to_key_file(passphrase, &mut rng(1)).unwrap();
        let read = SignerKey::from_key_file(file.as_bytes(), passphrase).unwrap();
        assert_eq!(read.signer(), key.signer());
        let shown = Signer::from_key_file(file.as_bytes()).unwrap();
        assert_eq!(shown, (*key.signer(), passphrase.is_some()));
    }
    let line = key.signer().to_string();
    assert_eq!(line.parse::<Signer>().as_ref(), Ok(key.signer()));
    for wrong in [line.replace("ed25519", "rsa"), line.replace("signer-1", "signer-2")] {
        assert_eq!(wrong.parse::<Signer>().unwrap_err().code(), Code::ReaderMalformed);
    }
    let other = crate::common::key(Suite::X25519, 1).to_key_file(None, &mut rng(1)).unwrap();
    let error = SignerKey::from_key_file(other.as_bytes(), None).unwrap_err();
    assert_eq!(error.code(), Code::KeyFileMalformed);
    assert!(Signer::new(&[0; 32], "weak").is_err());
}

#[test]
fn a_signers_key_is_written_in_one_way() {
    let mut accepted_elsewhere = 0;
    // y = p + k means the same as y = k.
    for (k, sign) in (0..19).flat_map(|k| [(k, 0x7f), (k, 0xff)]) {
        let mut key = [0xff; 32];
        key[0] = 0xed + k;
        key[31] = sign;
        let point = VerifyingKey::from_bytes(&key);
        accepted_elsewhere += usize::from(point.is_ok_and(|point| !point.is_weak()));
        assert!(Signer::new(&key, "authority").is_err(), "p + {k}");
    }
    assert!(accepted_elsewhere > 10, "the test tries nothing");
}

fn set(version: u64, seeds: &[u64]) -> ReaderSet {
    let keys: Vec<_> = seeds.iter().map(|seed| key(Suite::X25519, *seed)).collect();
    ReaderSet::new(scope(), version, &readers(&keys)).expect("a set")
}

fn scope() -> Scope {
    Scope::new("contoso").expect("text")
}

#[test]
fn a_signed_set_is_accepted_once_it_is_not_older() {
    let authority = signer(1);
    let verify = |text: &str, head: Option<&ReaderSetHead>| {
        ReaderSet::verify(text.as_bytes(), authority.signer(), &scope(), head)
    };
    let (first, second) = (set(1, &[1, 2]), set(2, &[2, 3]));
    let (read, head) = verify(&first.sign(&authority), None).unwrap();
    assert_eq!((&read, head.version()), (&first, 1));
    assert_eq!(ReaderSetHead::from_bytes(&head.to_bytes()), head);
    assert_eq!(verify(&first.sign(&authority), Some(&head)).unwrap().1, head);

    let (read, head) = verify(&second.sign(&authority), Some(&head)).unwrap();
    assert_eq!((&read, head.version()), (&second, 2));
    let refused = SealError::ReaderSetRefused;
    assert_eq!(
        verify(&first.sign(&authority), Some(&head)),
        Err(refused("it is older than the one in force"))
    );
    assert_eq!(
        verify(&set(2, &[4]).sign(&authority), Some(&head)),
        Err(refused("another set with this version is in force"))
    );
}

#[test]
fn a_set_of_another_authority_or_scope_is_refused() {
    let authority = signer(1);
    let text = set(1, &[1]).sign(&authority);
    let refused = |what| Err(SealError::ReaderSetRefused(what));
    assert_eq!(
        ReaderSet::verify(text.as_bytes(), signer(2).signer(), &scope(), None),
        refused("this authority did not sign it")
    );
    assert_eq!(
        ReaderSet::verify(text.as_bytes(), authority.signer(), &Scope::EMPTY, None),
        refused("it is for another scope")
    );
    let empty = ReaderSet::new(Scope::EMPTY, 1, set(1, &[1]).readers()).unwrap();
    let text = empty.sign(&authority);
    let read = ReaderSet::verify(text.as_bytes(), authority.signer(), &Scope::EMPTY, None);
    assert_eq!(read.unwrap().0, empty);
    // As it comes out of a mail from Windows.
    let text = text.replace('\n', "\r\n");
    assert!(ReaderSet::verify(text.as_bytes(), authority.signer(), &Scope::EMPTY, None).is_ok());
}

#[test]
fn every_single_changed_bit_of_a_set_is_refused() {
    let authority = signer(1);
    let mut text = set(1, &[1, 2]).sign(&authority).trim_end().as_bytes().to_vec();
    let verify =
        |text: &[u8]| ReaderSet::verify(text, authority.signer(), &scope(), None).map(|_| ());
    assert_eq!(verify(&text), Ok(()));
    for bit in 0..text.len() * 8 {
        text[bit >> 3] ^= 1 << (bit & 7);
        let error = verify(&text).unwrap_err();
        let code = error.code();
        assert!(matches!(code, Code::ReaderSetMalformed | Code::ReaderSetRefused), "{error}");
        text[bit >> 3] ^= 1 << (bit & 7);
    }
}

#[test]
fn a_set_that_does_not_parse_names_the_line() {
    let authority = signer(1);
    let text = set(1, &[1, 2]).sign(&authority);
    let lines: Vec<_> = text.lines().collect();
    let malformed = |lines: &[&str], line| {
        let text = lines.join("\n");
        let error = ReaderSet::verify(text.as_bytes(), authority.signer(), &scope(), None);
        let found = error.unwrap_err();
        assert!(
            matches!(found, SealError::ReaderSetMalformed { line: at, .. } if at == line),
            "{found}"
        );
    };
    malformed(&["laps-reader-set-2"], 1);
    malformed(&lines[..1], 2);
    malformed(&[lines[0], lines[1], "version x"], 3);
    malformed(&lines[..6], 7);
    malformed(&[lines[0], lines[1], lines[2], lines[3], lines[6]], 5);
    malformed(&[lines[0], lines[1], lines[2], lines[3], lines[5], lines[4], lines[6]], 5);
    malformed(&[lines[0], lines[1], lines[2], lines[3], "laps-reader-1", lines[6]], 5);
    let mut long = lines.clone();
    long.push("");
    long.push("more");
    malformed(&long, 8);
    assert!(ReaderSet::new(scope(), 0, set(1, &[1]).readers()).is_err());
    assert_eq!(ReaderSet::new(scope(), 1, &[]), Err(SealError::NoReaders));
}
