//! Sealing and opening records. The peer for opening is the HPKE crate's own single-shot call with its private
//! key parsed once, which is what one writes first: it unwraps one content key, we open the whole record.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

use core::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::seal::{Header, Reader, ReaderKey, Record, Suite};
use laps_core::secret::Password;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

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
    let mut rng = ChaCha20Rng::seed_from_u64(1);
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

fn peer(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (private, public) = XWing::gen_keypair_with_rng(&mut rng);
    let mut wrapped = [0x5a; 32];
    let info = [0; 78];
    let (enc, tag) =
        hpke::single_shot_seal_inout_detached_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &public,
            &info,
            InOutBuf::from(wrapped.as_mut_slice()),
            &[],
            &mut rng,
        )
        .expect("wrapped");
    let (enc, tag) = (enc.to_bytes(), tag.to_bytes());
    c.bench_function("x-wing/unwrap alone, hpke single shot", |b| {
        b.iter(|| {
            let enc = <XWing as Kem>::EncappedKey::from_bytes(black_box(&enc)).expect("a length");
            let tag = AeadTag::from_bytes(&tag).expect("a length");
            let mut key = wrapped;
            hpke::single_shot_open_inout_detached::<ChaCha20Poly1305, HkdfSha256, XWing>(
                &OpModeR::Base,
                &private,
                &enc,
                &info,
                InOutBuf::from(key.as_mut_slice()),
                &[],
                &tag,
            )
            .expect("unwrapped");
            key
        });
    });
}

criterion_group!(benches, seal_and_open, peer);
criterion_main!(benches);
