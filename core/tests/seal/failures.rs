//! A random source that fails, and input of any shape: an error, never a weak record and never a
//! crash.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

use laps_core::error::Code;
use laps_core::identity::{RecordId, Scope};
use laps_core::random::{Generator, RandomError};
use laps_core::seal::{Reader, ReaderKey, ReaderSet, Record, SealError, SignerKey, Suite};
use proptest::prelude::{Strategy, any, prop};
use proptest::{collection, prop_assert, proptest};
use rand_core::{TryCryptoRng, TryRng};

use crate::common::{SUITES, header, key, password, readers, record, rng};

/// What a source does when its good seeds are used up.
#[derive(Clone, Copy)]
enum End {
    Fails,
    /// The same byte again and again.
    Constant(u8),
    /// The same 32 bytes again and again.
    Equal,
}

/// A source that gives so many good seeds.
struct Limited {
    left: u8,
    end: End,
}

impl TryRng for Limited {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let counting = self.left.checked_sub(1);
        self.left = counting.unwrap_or_default();
        for (at, byte) in (0_u8..).zip(out) {
            *byte = match (counting, self.end) {
                (Some(left), _) => at ^ left,
                (None, End::Fails) => return Err(RandomError::Failed),
                (None, End::Constant(byte)) => byte,
                (None, End::Equal) => at & 31,
            };
        }
        Ok(())
    }
}

impl TryCryptoRng for Limited {}

/// Runs with a source that ends at the first seeding after the generator's own, at the second, …,
/// until it works; says how many it took.
fn seedings<T, E: Into<SealError>>(
    mut run: impl FnMut(&mut Generator<Limited>) -> Result<T, E>,
) -> u8 {
    let mut count = |end, expected| {
        (0..100)
            .find(|left| {
                let source = Limited { left: 1 + left, end };
                let mut generator = Generator::try_new(source).expect("one good seed");
                match run(&mut generator).map_err(Into::into) {
                    Ok(_) => true,
                    Err(error) => {
                        assert_eq!(error, SealError::Random(expected));
                        assert_eq!(error.code(), Code::RandomFailure);
                        false
                    }
                }
            })
            .expect("it works in the end")
    };
    let failing = count(End::Fails, RandomError::Failed);
    for end in [End::Constant(0), End::Constant(0x5a), End::Equal] {
        assert_eq!(count(end, RandomError::Stuck), failing);
    }
    failing
}

#[test]
fn a_source_that_fails_or_repeats_itself_is_an_error_everywhere() {
    for suite in SUITES {
        let keys = [key(suite, 1), key(suite, 2)];
        let (readers, record) = (readers(&keys), record(&keys));
        let signer = SignerKey::generate("device", &mut rng(1)).expect("drawn");
        let (header, password) = (header(), password("x"));
        // Fresh bytes for the blind and for the content key.
        assert_eq!(seedings(|rng| Record::seal(&header, &password, &readers, rng)), 2);
        let signed = |rng: &mut _| Record::seal_signed(&header, &password, &readers, &signer, rng);
        assert_eq!(seedings(signed), 2);
        assert_eq!(seedings(|rng| keys[0].reseal(&record, &readers, rng)), 1);
        assert_eq!(seedings(|rng| ReaderKey::generate(suite, "name", rng)), 1);
        // Salt and initialisation vector.
        assert_eq!(seedings(|rng| keys[0].to_key_file(Some(b"passphrase"), rng)), 1);
        assert_eq!(seedings(|rng| keys[0].to_key_file(None, rng)), 0);
    }
    let signer = SignerKey::generate("name", &mut rng(1)).expect("drawn");
    assert_eq!(seedings(|rng| signer.to_key_file(Some(b"passphrase"), rng)), 1);
    assert_eq!(seedings(|rng| SignerKey::generate("name", rng)), 1);
    assert_eq!(seedings(RecordId::generate), 1);
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
    fn no_bytes_crash_the_record_parser(
        bytes in inputs(record(&[key(Suite::X25519, 1)]).as_bytes().to_vec()),
    ) {
        if let Ok(record) = Record::parse(&bytes) {
            prop_assert!(record.as_bytes() == bytes);
            prop_assert!(record.reader_ids().count() <= 16);
        }
    }

    #[test]
    fn no_bytes_crash_the_other_parsers(
        line in inputs(key(Suite::X25519, 1).reader().to_string().into_bytes()),
        file in inputs(
            key(Suite::X25519, 1).to_key_file(None, &mut rng(1)).unwrap().as_bytes().to_vec(),
        ),
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
