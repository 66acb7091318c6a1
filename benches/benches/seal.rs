//! Sealing and opening records. The peer for opening is what one writes first: the HPKE crate's own
//! single-shot call with its private key parsed once, then the body.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

use core::hint::black_box;

use chacha20poly1305::{AeadInOut as _, KeyInit as _};
use criterion::{Criterion, criterion_group, criterion_main};
use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem, OpModeR, Serializable as _};
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::random::Generator;
use laps_core::seal::{Header, Reader, ReaderKey, Record, Suite};
use laps_core::secret::Password;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};

fn header() -> Header {
    Header {
        scope: Scope::EMPTY,
        device: DeviceId::new("5f0c4a0e-7f5b-4a8e-9a53-0d5a2d1e6c11").expect("text"),
        account: AccountName::new("Admin").expect("text"),
        sid: None,
        id: RecordId::from_bytes([7; 16]),
        previous: None,
        version: 1,
        made_at: Timestamp::from_unix_seconds(1_790_000_000),
        policy_hash: [0; 32],
    }
}

fn seal_and_open(c: &mut Criterion) {
    let mut rng = Generator::from_system().expect("a system source");
    let password = Password::try_from_str("correct horse").expect("short");
    for suite in [Suite::XWing, Suite::X25519] {
        let keys: Vec<ReaderKey> =
            (0..3).map(|_| ReaderKey::generate(suite, "r", &mut rng).expect("drawn")).collect();
        let readers: Vec<Reader> = keys.iter().map(|key| key.reader().clone()).collect();
        let mut group = c.benchmark_group(suite.name());
        for count in [1, 3] {
            let readers = readers.get(..count).expect("three readers");
            group.bench_function(format!("seal for {count}"), |b| {
                b.iter(|| Record::seal(&header(), &password, readers, &mut rng));
            });
        }
        let record = Record::seal(&header(), &password, &readers, &mut rng).expect("sealed");
        let key = keys.first().expect("three keys");
        group.bench_function("open", |b| b.iter(|| key.open(black_box(&record))));
        group.bench_function("parse", |b| b.iter(|| Record::parse(black_box(record.as_bytes()))));
    }
}

/// Opens a record of one reader as one would with hpke's single-shot call (FORMAT.md §5 and §6).
fn open_single_shot(private: &<XWing as Kem>::PrivateKey, record: &Record) -> Option<[u8; 161]> {
    let (front, body) = record.as_bytes().split_at_checked(record.as_bytes().len() - 177)?;
    let (head, wrap) = front.split_at_checked(front.len() - 1168)?;
    let id = record.reader_ids().next()?;
    let digest = Sha256::digest(head);
    let info = [b"laps wrap v1\0\x01".as_slice(), &digest, id.as_bytes()].concat();
    let (enc, wrapped) = wrap.split_at_checked(1120)?;
    let (wrapped, tag) = wrapped.split_first_chunk::<32>()?;
    let mut key = *wrapped;
    hpke::single_shot_open_inout_detached::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        private,
        &<XWing as Kem>::EncappedKey::from_bytes(enc).ok()?,
        &info,
        InOutBuf::from(key.as_mut_slice()),
        &[],
        &AeadTag::from_bytes(tag).ok()?,
    )
    .ok()?;
    let (body, tag) = body.split_first_chunk::<161>()?;
    let (mut plain, tag): ([u8; 161], [u8; 16]) = (*body, tag.try_into().ok()?);
    chacha20poly1305::ChaCha20Poly1305::new(&key.into())
        .decrypt_inout_detached(
            &[0; 12].into(),
            &Sha256::digest(front),
            InOutBuf::from(plain.as_mut_slice()),
            &tag.into(),
        )
        .ok()?;
    let length = usize::from(*plain.get(32)?);
    let commitment = Sha256::new()
        .chain_update(b"laps password v1")
        .chain_update(plain.get(..32)?)
        .chain_update(plain.get(33..33 + length)?)
        .finalize();
    // Behind the commitment stand the digest of the proof, mark, suite, sealing, count and one id.
    let committed = head.get(head.len() - 104..head.len() - 72)?;
    (commitment.as_slice() == committed).then_some(plain)
}

fn peer(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut generator = Generator::from_system().expect("a system source");
    let (private, public) = XWing::gen_keypair_with_rng(&mut rng);
    let reader = Reader::new(Suite::XWing, &public.to_bytes(), "r").expect("a key");
    let password = Password::try_from_str("correct horse").expect("short");
    let record = Record::seal(&header(), &password, &[reader], &mut generator).expect("sealed");
    assert!(open_single_shot(&private, &record).is_some(), "the peer opens the record");
    c.bench_function("x-wing/open with hpke's single shot", |b| {
        b.iter(|| open_single_shot(&private, black_box(&record)));
    });
}

criterion_group!(benches, seal_and_open, peer);
criterion_main!(benches);
