//! A random source that fails, and input of any shape: an error, never a weak record and never a crash.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use core::fmt;

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::seal::{Reader, ReaderKey, ReaderSet, Record, SealError, SignerKey, Suite};
use proptest::prelude::{Strategy, any, prop};
use proptest::{collection, prop_assert, proptest};
use rand_core::{TryCryptoRng, TryRng};

use crate::common::{SUITES, header, key, password, readers, record, rng};

/// A source that works so many times.
struct Failing(usize);

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl core::error::Error for Broken {}

impl TryRng for Failing {
    type Error = Broken;

    fn try_next_u32(&mut self) -> Result<u32, Broken> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Broken> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Broken> {
        self.0 = self.0.checked_sub(1).ok_or(Broken)?;
        out.fill(0x5a);
        Ok(())
    }
}

impl TryCryptoRng for Failing {}

/// Runs with a source that fails at the first draw, at the second, …, until it works; says how many it took.
fn draws<T>(mut run: impl FnMut(&mut Failing) -> Result<T, SealError>) -> usize {
    (0..100)
        .find(|count| match run(&mut Failing(*count)) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, SealError::Random);
                assert_eq!(error.code(), Code::RandomFailure);
                false
            }
        })
        .unwrap_or(100)
}

#[test]
fn a_source_that_fails_at_any_draw_is_an_error() {
    for suite in SUITES {
        let keys = [key(suite, 1), key(suite, 2)];
        let (readers, record) = (readers(&keys), record(&keys));
        // The blind, the content key, and one encapsulation for each reader.
        let seal = |rng: &mut Failing| Record::seal(&header(), &password("x"), &readers, rng);
        assert_eq!(draws(seal), 4);
        assert_eq!(draws(|rng| keys[0].reseal(&record, &readers, rng)), 3);
        assert_eq!(draws(|rng| ReaderKey::generate(suite, "name", rng)), 1);
        // A salt and an initialisation vector.
        assert_eq!(draws(|rng| keys[0].to_key_file(Some(b"passphrase"), rng)), 2);
        assert_eq!(draws(|rng| keys[0].to_key_file(None, rng)), 0);
    }
    assert_eq!(draws(|rng| SignerKey::generate("name", rng)), 1);
}

#[test]
fn every_number_of_the_last_sealing_is_reached_and_not_passed() {
    let keys = [key(Suite::X25519, 1)];
    let mut bytes = record(&keys).as_bytes().to_vec();
    // The number of the sealing stands before the count, one id, one wrap and the body.
    let at = bytes.len() - 177 - 80 - 32 - 1 - 4;
    bytes[at..at + 4].fill(0xff);
    let last = Record::parse(&bytes).unwrap();
    assert_eq!(last.sealing(), u32::MAX);
    // It was not sealed with this number, so it does not open; the vectors hold one that was.
    assert_eq!(
        keys[0].reseal(&last, &readers(&keys), &mut rng(1)).unwrap_err(),
        SealError::Rejected
    );
}

/// Bytes at random, or a good input with a few bytes changed, left out or put in.
fn inputs(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edits = collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 0..6);
    let edited = edits.prop_map(move |edits| {
        let mut bytes = good.clone();
        for (index, byte, what) in edits {
            let at = index.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match what {
                0 if !bytes.is_empty() => bytes[at] = byte,
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    });
    proptest::prop_oneof![1 => collection::vec(any::<u8>(), 0..400), 3 => edited]
}

proptest! {
    #[test]
    fn no_bytes_crash_the_record_parser(bytes in inputs(record(&[key(Suite::X25519, 1)]).as_bytes().to_vec())) {
        if let Ok(record) = Record::parse(&bytes) {
            prop_assert!(record.as_bytes() == bytes);
            prop_assert!(record.reader_ids().count() <= 16);
        }
    }

    #[test]
    fn no_bytes_crash_the_other_parsers(
        line in inputs(key(Suite::X25519, 1).reader().to_string().into_bytes()),
        file in inputs(key(Suite::X25519, 1).to_key_file(None, &mut rng(1)).unwrap().as_bytes().to_vec()),
        set in inputs(set().into_bytes()),
    ) {
        if let Ok(reader) = core::str::from_utf8(&line).unwrap_or_default().parse::<Reader>() {
            prop_assert!(reader.to_string().into_bytes() == line.trim_ascii_end());
        }
        for passphrase in [None, Some(b"x".as_slice())] {
            drop(ReaderKey::from_key_file(&file, passphrase));
        }
        let authority = SignerKey::generate("authority", &mut rng(1)).unwrap();
        drop(ReaderSet::verify(&set, authority.signer(), &Scope::EMPTY, None));
    }
}

fn set() -> String {
    let authority = SignerKey::generate("authority", &mut rng(1)).expect("drawn");
    let readers = readers(&[key(Suite::X25519, 1)]);
    ReaderSet::new(Scope::EMPTY, 1, &readers).expect("a set").sign(&authority)
}
