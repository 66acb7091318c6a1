//! After use no secret of a record or key is left in this process's memory (promise 6).
//!
//! Everything secret that the library draws is remembered masked; then the whole writable memory of
//! the live process is searched for it. A binary of its own with one test, so that nothing else
//! runs beside it.
#![cfg(all(feature = "seal", target_os = "linux"))]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

extern crate alloc;

use alloc::rc::Rc;
use core::cell::RefCell;
use core::convert::Infallible;
use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use hkdf::HkdfExtract;
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::random::Generator;
use laps_core::seal::{Header, ReaderKey, Record, SignerKey, Suite};
use laps_core::secret::Password;
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha256};
use shake::{ExtendableOutput as _, Shake256, Update as _, XofReader as _};
use zeroize::Zeroizing;

const MASK: u8 = 0xa5;

/// How much of what follows a seeding is looked for: more than any step draws from one.
const DRAWN: usize = 256;

/// A source that writes into the caller's buffer only, and remembers masked what it wrote.
struct Source {
    state: u64,
    seeds: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("the library draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("the library draws bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let mut masked = Vec::with_capacity(out.len());
        for byte in out {
            // An ordinary linear congruential generator: the test wants bytes that occur nowhere
            // else.
            self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            *byte = self.state.to_be_bytes()[0];
            masked.push(*byte ^ MASK);
        }
        self.seeds.borrow_mut().push(masked);
        Ok(())
    }
}

impl TryCryptoRng for Source {}

/// The generator that the library draws from, and a twin with the same source. The twin tells what
/// was drawn.
struct Watch {
    generator: Generator<Source>,
    seeds: Rc<RefCell<Vec<Vec<u8>>>>,
    twin: Generator<Source>,
    /// How many seedings the twin has followed.
    followed: usize,
    /// Seedings after which public bytes were drawn: a salt and an initialisation vector.
    public: Vec<usize>,
    /// What was drawn, and what follows from it, masked.
    drawn: Vec<Vec<u8>>,
}

impl Watch {
    fn new() -> Self {
        let generator = |seeds: &Rc<_>| {
            Generator::try_new(Source { state: 1, seeds: Rc::clone(seeds) }).unwrap()
        };
        let (seeds, others) = (Rc::default(), Rc::default());
        let (generator, twin) = (generator(&seeds), generator(&others));
        Self { generator, seeds, twin, followed: 1, public: vec![], drawn: vec![] }
    }

    /// The last bytes that were drawn are public.
    fn public(&mut self) {
        self.public.push(self.seeds.borrow().len());
    }

    /// Lets the twin draw what the library has drawn since the last time.
    #[inline(never)]
    fn follow(&mut self) {
        let seedings = self.seeds.borrow().len();
        while self.followed < seedings {
            self.twin.reseed().unwrap();
            self.followed += 1;
            if !self.public.contains(&self.followed) {
                let mut bytes = Zeroizing::new([0; DRAWN]);
                self.twin.fill(bytes.as_mut_slice()).unwrap();
                self.drawn.push(masked(bytes.as_slice()));
            }
        }
        zeroize::zeroize_stack::<16_384>();
    }

    /// Seeds both, so that nothing of what was drawn is left in the buffers, used or not.
    fn forget(&mut self) {
        self.generator.reseed().unwrap();
        self.twin.reseed().unwrap();
        self.followed += 1;
    }

    /// The first 32 bytes after the seeding that is `back` before the last.
    fn first(&self, back: usize) -> &[u8] {
        &self.drawn[self.drawn.len() - 1 - back][..32]
    }

    /// All seeds, everything drawn so far and the password, in pieces of 16 bytes: half a key is
    /// enough to matter. The first and the last byte of a key are left out, because X25519 sets
    /// bits in them.
    fn secrets(&self) -> Vec<[u8; 16]> {
        let seeds = self.seeds.borrow();
        let all = seeds.iter().chain(&self.drawn).flat_map(|bytes| bytes.chunks_exact(32));
        let pieces = all.flat_map(|bytes| [&bytes[1..17], &bytes[15..31]]);
        pieces.chain([&PASSWORD[..16]]).map(|piece| piece.try_into().unwrap()).collect()
    }

    /// Runs one step of the test; afterwards nothing that was drawn up to now is in memory.
    fn step<T>(&mut self, what: &str, step: impl FnOnce(&mut Self) -> T) -> T {
        let result = step(self);
        self.follow();
        self.forget();
        assert_eq!(found(&self.secrets()), Vec::<usize>::new(), "after {what}");
        result
    }
}

/// Which of the masked needles, 16 bytes each, occur unmasked in the writable memory of this
/// process.
fn found(needles: &[[u8; 16]]) -> Vec<usize> {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let start = |bytes: &[u8], mask: u8| {
        let bytes: [u8; 4] = core::array::from_fn(|at| bytes[at] ^ mask);
        u32::from_le_bytes(bytes)
    };
    let begins: HashSet<u32> = needles.iter().map(|needle| start(needle, 0)).collect();
    let mut chunk = vec![0_u8; 1 << 16];
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let mut from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        while from < to {
            let len = usize::try_from(to - from).unwrap().min(chunk.len());
            // Some regions of the kernel's cannot be read.
            let Ok(len) = memory.read_at(&mut chunk[..len], from) else { break };
            let windows = chunk[..len].windows(16);
            for window in windows.filter(|window| begins.contains(&start(window, MASK))) {
                let same =
                    |needle: &[u8; 16]| window.iter().zip(needle).all(|(a, b)| *a == b ^ MASK);
                found.extend(needles.iter().position(same));
            }
            // Chunks overlap, so that nothing hides at their edges.
            from += u64::try_from(len.saturating_sub(15).max(1)).unwrap();
        }
    }
    chunk.fill(0);
    found
}

const PASSWORD: &[u8] =
    b"\xec\xd7\xc4\xd6\xd6\xd2\xca\xd7\xc1\x85\xcc\xcb\x85\xc8\xc0\xc8\xca\xd7\xdc";

fn password() -> Password {
    let text = unmasked(PASSWORD);
    Password::try_from_str(core::str::from_utf8(&text).unwrap()).unwrap()
}

fn header() -> Header {
    Header {
        scope: Scope::EMPTY,
        device: DeviceId::new("device").unwrap(),
        account: AccountName::new("Admin").unwrap(),
        sid: None,
        id: RecordId::from_bytes([7; 16]),
        previous: None,
        version: 1,
        made_at: Timestamp::default(),
        policy_hash: [0; 32],
    }
}

#[inline(never)]
fn records(watch: &mut Watch, suite: Suite) {
    let (record, file) = watch.step("making a key, a file and a record", |watch| {
        let key = ReaderKey::generate(suite, "reader", &mut watch.generator).unwrap();
        watch.follow();
        assert!(!found(&watch.secrets()).is_empty(), "the search does not find a key in use");
        if suite == Suite::XWing {
            let expanded = expanded(watch.first(0));
            watch.drawn.push(expanded);
        }
        let readers = [key.reader().clone()];
        let record = Record::seal(&header(), &password(), &readers, &mut watch.generator).unwrap();
        watch.follow();
        let derived = content_key(watch.first(0), watch.first(1), &record);
        watch.drawn.push(derived);
        let file = masked(key.to_key_file(None, &mut watch.generator).unwrap().as_bytes());
        (record, file)
    });
    let key = || ReaderKey::from_key_file(&unmasked(&file), None).unwrap();
    watch.step("reading a key file", |_| drop(key()));
    watch.step("opening", |watch| {
        let opened = key().open(&record).unwrap();
        let place = watch.secrets().len() - 1;
        assert!(found(&watch.secrets()).contains(&place), "the search does not find a password");
        drop(opened);
    });
    watch.step("re-sealing", |watch| {
        let key = key();
        drop(key.reseal(&record, &[key.reader().clone()], &mut watch.generator).unwrap());
    });
}

#[inline(never)]
fn key_files(watch: &mut Watch, suite: Suite) {
    let passphrase = Some(b"passphrase".as_slice());
    let file = watch.step("encrypting a key file", |watch| {
        let key = ReaderKey::generate(suite, "reader", &mut watch.generator).unwrap();
        let file = key.to_key_file(passphrase, &mut watch.generator).unwrap();
        watch.public();
        file
    });
    watch.step("decrypting a key file", |_| {
        drop(ReaderKey::from_key_file(file.as_bytes(), passphrase).unwrap());
    });
    watch.step("a wrong passphrase", |_| {
        assert!(ReaderKey::from_key_file(file.as_bytes(), Some(b"wrong")).is_err());
    });
}

#[inline(never)]
fn signatures(watch: &mut Watch) {
    watch.step("signing", |watch| {
        let rng = &mut watch.generator;
        let key = ReaderKey::generate(Suite::X25519, "reader", rng).unwrap();
        let signer = SignerKey::generate("signer", rng).unwrap();
        let readers = [key.reader().clone()];
        drop(Record::seal_signed(&header(), &password(), &readers, &signer, rng).unwrap());
        drop(signer.to_key_file(None, rng).unwrap());
    });
}

/// The content key of an unsigned record for one reader (FORMAT.md §5), from masked bytes to masked
/// bytes. That it is the right one shows below: it decrypts the body.
#[inline(never)]
fn content_key(fresh: &[u8], blind: &[u8], record: &Record) -> Vec<u8> {
    let text = unmasked(PASSWORD);
    let mut plaintext = unmasked(blind);
    plaintext.push(u8::try_from(text.len()).unwrap());
    plaintext.extend_from_slice(&text);
    plaintext.resize(161, 0);
    let bytes = record.as_bytes();
    let (front, body) = bytes.split_at(bytes.len() - 177);
    let head = Sha256::digest(&front[..front.len() - record.suite().wrap_len()]);
    let mut extract = HkdfExtract::<Sha256>::new(None);
    extract.input_ikm(&unmasked(fresh));
    extract.input_ikm(&plaintext);
    let mut key = Zeroizing::new([0; 32]);
    let info: [&[u8]; 2] = [b"laps content key v1", &head];
    extract.finalize().1.expand_multi_info(&info, key.as_mut_slice()).unwrap();

    let cipher = ChaCha20Poly1305::new((&*key).into());
    let payload = Payload { msg: body, aad: &Sha256::digest(front) };
    let opened = Zeroizing::new(cipher.decrypt(&[0; 12].into(), payload).unwrap());
    assert!(*opened == *plaintext, "another content key");
    let key = masked(key.as_slice());
    zeroize::zeroize_stack::<16_384>();
    key
}

/// The keys inside an X-Wing seed (FORMAT.md §10), from masked bytes to masked bytes.
#[inline(never)]
fn expanded(seed: &[u8]) -> Vec<u8> {
    let mut expanded = Zeroizing::new([0; 96]);
    Shake256::default().chain(unmasked(seed)).finalize_xof().read(expanded.as_mut_slice());
    let expanded = masked(expanded.as_slice());
    zeroize::zeroize_stack::<16_384>();
    expanded
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

fn unmasked(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(masked(bytes))
}

#[test]
fn nothing_secret_is_left_in_memory_after_use() {
    let mut watch = Watch::new();
    for suite in [Suite::XWing, Suite::X25519] {
        records(&mut watch, suite);
        key_files(&mut watch, suite);
    }
    signatures(&mut watch);
}
