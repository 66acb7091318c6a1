//! What the tests of this folder share.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use laps_core::account::Sid;
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::random::Generator;
use laps_core::seal::{Header, Reader, ReaderKey, Record, Suite};
use laps_core::secret::Password;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// Both suites.
pub(crate) const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];

/// A generator that gives the same bytes for the same number.
pub(crate) fn rng(seed: u64) -> Generator<ChaCha20Rng> {
    Generator::try_new(ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

/// A header with something in every field.
pub(crate) fn header() -> Header {
    Header {
        scope: Scope::new("contoso").unwrap(),
        device: DeviceId::new("5f0c4a0e-7f5b-4a8e-9a53-0d5a2d1e6c11").unwrap(),
        account: AccountName::new("Admin").unwrap(),
        sid: Some("S-1-5-21-1004336348-1177238915-682003330-500".parse::<Sid>().unwrap()),
        id: RecordId::from_bytes(*b"record id number"),
        previous: Some(RecordId::from_bytes(*b"the one before..")),
        version: 7,
        made_at: Timestamp::from_unix_seconds(1_790_000_000),
        policy_hash: [0x5a; 32],
    }
}

/// A password from text.
pub(crate) fn password(text: &str) -> Password {
    Password::try_from_str(text).unwrap()
}

/// A key of this suite, the same for the same number.
pub(crate) fn key(suite: Suite, seed: u64) -> ReaderKey {
    ReaderKey::generate(suite, "Helpdesk", &mut rng(seed)).unwrap()
}

/// The public halves.
pub(crate) fn readers(keys: &[ReaderKey]) -> Vec<Reader> {
    keys.iter().map(|key| key.reader().clone()).collect()
}

/// A record for these keys.
pub(crate) fn record(keys: &[ReaderKey]) -> Record {
    Record::seal(&header(), &password("7kQ!x-räksmörgås"), &readers(keys), &mut rng(1)).unwrap()
}
