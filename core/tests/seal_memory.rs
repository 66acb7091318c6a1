//! After use no secret of a record or key is left in this process's memory (promise 6).
//!
//! Everything secret that the library draws is remembered masked; then the whole writable memory of the live
//! process is searched for it. A binary of its own with one test, so that nothing else runs beside it.
#![cfg(all(feature = "seal", target_os = "linux"))]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use core::convert::Infallible;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::seal::{Header, ReaderKey, Record, SignerKey, Suite};
use laps_core::secret::Password;
use rand_core::{TryCryptoRng, TryRng};
use shake::{ExtendableOutput as _, Shake256, Update as _, XofReader as _};
use zeroize::Zeroizing;

const MASK: u8 = 0xa5;

/// A source that writes into the caller's buffer only, and remembers masked what it wrote.
struct Source {
    state: u64,
    drawn: Vec<Vec<u8>>,
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
            // An ordinary linear congruential generator: the test wants bytes that occur nowhere else.
            self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            *byte = self.state.to_be_bytes()[0];
            masked.push(*byte ^ MASK);
        }
        // 16 bytes are a salt or an initialisation vector, which are public.
        if masked.len() > 16 {
            self.drawn.push(masked);
        }
        Ok(())
    }
}

impl TryCryptoRng for Source {}

/// Which of the masked needles, 16 bytes each, occur unmasked in the writable memory of this process.
fn found(needles: &[[u8; 16]]) -> Vec<usize> {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut begins = [false; 256];
    needles.iter().for_each(|needle| begins[usize::from(needle[0] ^ MASK)] = true);
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
            for window in chunk[..len].windows(16).filter(|w| begins[usize::from(w[0])]) {
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

impl Source {
    /// Everything drawn so far and the password, in pieces of 16 bytes: half a key is enough to matter. The first
    /// and the last byte are left out, because X25519 sets bits in them.
    fn secrets(&self) -> Vec<[u8; 16]> {
        let drawn = self.drawn.iter().flat_map(|bytes| bytes.chunks_exact(32));
        let drawn = drawn.flat_map(|bytes| [&bytes[1..17], &bytes[15..31]]);
        drawn.chain([&PASSWORD[..16]]).map(|piece| piece.try_into().unwrap()).collect()
    }

    /// Runs one step of the test; afterwards nothing that was drawn up to now is in memory.
    fn step<T>(&mut self, what: &str, step: impl FnOnce(&mut Self) -> T) -> T {
        let result = step(self);
        assert_eq!(found(&self.secrets()), Vec::<usize>::new(), "after {what}");
        result
    }
}

#[inline(never)]
fn records(source: &mut Source, suite: Suite) {
    let (record, file) = source.step("making a key, a file and a record", |source| {
        let key = ReaderKey::generate(suite, "reader", source).unwrap();
        assert!(!found(&source.secrets()).is_empty(), "the search does not find a key in use");
        if suite == Suite::XWing {
            let expanded = expanded(source.drawn.last().unwrap());
            source.drawn.push(expanded);
        }
        let record = Record::seal(&header(), &password(), &[key.reader().clone()], source).unwrap();
        (record, masked(key.to_key_file(None, source).unwrap().as_bytes()))
    });
    let key = || ReaderKey::from_key_file(&unmasked(&file), None).unwrap();
    source.step("reading a key file", |_| drop(key()));
    source.step("opening", |source| {
        let password = key().open(&record).unwrap().password;
        let place = source.secrets().len() - 1;
        assert!(found(&source.secrets()).contains(&place), "the search does not find a password");
        drop(password);
    });
    source.step("sealing anew", |source| {
        let key = key();
        drop(key.reseal(&record, &[key.reader().clone()], source).unwrap());
    });
}

#[inline(never)]
fn key_files(source: &mut Source, suite: Suite) {
    let passphrase = Some(b"passphrase".as_slice());
    let file = source.step("encrypting a key file", |source| {
        let key = ReaderKey::generate(suite, "reader", source).unwrap();
        key.to_key_file(passphrase, source).unwrap()
    });
    source.step("decrypting a key file", |_| {
        drop(ReaderKey::from_key_file(file.as_bytes(), passphrase).unwrap());
    });
    source.step("a wrong passphrase", |_| {
        assert!(ReaderKey::from_key_file(file.as_bytes(), Some(b"wrong")).is_err());
    });
}

#[inline(never)]
fn signatures(source: &mut Source) {
    source.step("signing", |source| {
        let key = ReaderKey::generate(Suite::X25519, "reader", source).unwrap();
        let signer = SignerKey::generate("signer", source).unwrap();
        let readers = [key.reader().clone()];
        drop(Record::seal_signed(&header(), &password(), &readers, &signer, source).unwrap());
        drop(signer.to_key_file(None, source).unwrap());
    });
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
    let mut source = Source { state: 1, drawn: Vec::new() };
    for suite in [Suite::XWing, Suite::X25519] {
        records(&mut source, suite);
        key_files(&mut source, suite);
    }
    signatures(&mut source);
}
