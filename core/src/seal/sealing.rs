//! Sealing, opening and re-sealing (FORMAT.md §4 to §6).

use alloc::boxed::Box;
use alloc::vec::Vec;

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce, Tag};
use ctutils::CtEq as _;
use hkdf::HkdfExtract;
use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};

use super::plaintext::Plaintext;
use super::record::{ED25519, UNSIGNED};
use super::signer::core_message;
use super::{
    Header, MAX_READERS, Opened, Reader, ReaderId, ReaderKey, Record, SealError, SignerKey, Suite,
    burn_stack, kem,
};
use crate::random::{Generator, RandomError};
use crate::secret::{Password, SecretBytes};

impl Record {
    /// Seals a password for the readers, all of one suite, in any order.
    ///
    /// # Errors
    /// [`SealError::HeaderRefused`] for a header or password that cannot be sealed;
    /// [`SealError::NoReaders`], [`SealError::TooManyReaders`], [`SealError::DuplicateReader`],
    /// [`SealError::MixedSuites`] for the readers; [`SealError::Random`] when the source fails.
    pub fn seal<S: TryCryptoRng>(
        header: &Header,
        password: &Password,
        readers: &[Reader],
        generator: &mut Generator<S>,
    ) -> Result<Self, SealError> {
        let sealed = seal(header, password, readers, None, generator);
        burn_stack();
        sealed
    }
}

impl ReaderKey {
    /// Opens a record: the password, and the proof that it was opened.
    ///
    /// # Errors
    /// [`SealError::NotAReader`] when the record does not name this reader; [`SealError::Rejected`]
    /// when the key does not open it, or anything in it was changed.
    pub fn open(&self, record: &Record) -> Result<Opened, SealError> {
        let opened = self.open_plaintext(record).and_then(|plaintext| {
            Ok(Opened { password: plaintext.to_password()?, proof: plaintext.proof() })
        });
        burn_stack();
        opened
    }

    /// Opens a record and re-seals it for other readers, under another content key. The core, and
    /// with it the password, stays what it was; whoever has a copy from before still reads that
    /// copy.
    ///
    /// # Errors
    /// Those of [`ReaderKey::open`] and of [`Record::seal`]; [`SealError::ResealLimit`].
    pub fn reseal<S: TryCryptoRng>(
        &self,
        record: &Record,
        readers: &[Reader],
        generator: &mut Generator<S>,
    ) -> Result<Record, SealError> {
        self.reseal_above(record, 0, readers, generator)
    }

    /// As [`ReaderKey::reseal`], under a number above `kept` too: that of the newest sealing which
    /// the vault keeps and which may be one that nobody opens. An export for re-sealing names
    /// it; a vault takes nothing else than the number behind it.
    ///
    /// # Errors
    /// As there.
    pub fn reseal_above<S: TryCryptoRng>(
        &self,
        record: &Record,
        kept: u32,
        readers: &[Reader],
        generator: &mut Generator<S>,
    ) -> Result<Record, SealError> {
        let sealed = self.open_plaintext(record).and_then(|plaintext| {
            let newest = record.sealing().max(kept);
            let sealing = newest.checked_add(1).ok_or(SealError::ResealLimit)?;
            let head = [record.core(), record.signature()].concat();
            seal_plaintext(head, sealing, &plaintext, readers, generator)
        });
        burn_stack();
        sealed
    }

    fn unwrap(&self, record: &Record) -> Result<Box<SecretBytes<32>>, SealError> {
        let id = self.id();
        let place = record.reader_ids().position(|other| other == id);
        let place = place.ok_or(SealError::NotAReader)?;
        let wrap = record.wrap(place).ok_or(SealError::Rejected)?;
        let mut content_key = Box::new(SecretBytes::zeroed());
        let info = wrap_info(record.suite(), record.before_wraps(), &id);
        self.unwrapper().unwrap(&info, wrap, &mut content_key)?;
        Ok(content_key)
    }

    #[inline(never)]
    fn open_plaintext(&self, record: &Record) -> Result<Plaintext, SealError> {
        let content_key = self.unwrap(record)?;
        let mut plaintext = Plaintext::zeroed();
        let (body, tag) = record.body().split_last_chunk::<16>().ok_or(SealError::Rejected)?;
        let buffer = InOutBuf::new(body, plaintext.bytes_mut()).map_err(|_| SealError::Rejected)?;
        ChaCha20Poly1305::new(content_key.expose_secret().into())
            .decrypt_inout_detached(&NONCE, &digest(record.before_body()), buffer, &Tag::from(*tag))
            .map_err(|_| SealError::Rejected)?;
        // All readers get one password, the one that the core commits to, and one proof.
        let (found, said) = (plaintext.commitments(), record.commitments());
        if (found.password.ct_eq(&said.password) & found.opened.ct_eq(&said.opened)).to_bool() {
            Ok(plaintext)
        } else {
            Err(SealError::Rejected)
        }
    }
}

#[inline(never)]
pub(super) fn seal<S: TryCryptoRng>(
    header: &Header,
    password: &Password,
    readers: &[Reader],
    signer: Option<&SignerKey>,
    generator: &mut Generator<S>,
) -> Result<Record, SealError> {
    if password.is_empty() {
        return Err(SealError::HeaderRefused("the password is empty"));
    }
    let mut plaintext = Plaintext::zeroed();
    generator.fill_fresh(plaintext.blind_mut())?;
    plaintext.set_password(password);
    let mut head = header.encode(&plaintext.commitments())?;
    match signer {
        None => head.push(UNSIGNED),
        Some(key) => {
            let signature = key.sign(&core_message(&head));
            head.push(ED25519);
            head.extend_from_slice(key.signer().public_key());
            head.extend_from_slice(&signature);
        }
    }
    seal_plaintext(head, 0, &plaintext, readers, generator)
}

/// Seals a plaintext under `head`, the core and its signature.
#[inline(never)]
fn seal_plaintext<S: TryCryptoRng>(
    head: Vec<u8>,
    sealing: u32,
    plaintext: &Plaintext,
    readers: &[Reader],
    generator: &mut Generator<S>,
) -> Result<Record, SealError> {
    let (suite, readers) = in_order(readers)?;
    let mut bytes = head;
    bytes.extend_from_slice(&suite.as_u16().to_be_bytes());
    bytes.extend_from_slice(&sealing.to_be_bytes());
    bytes.push(u8::try_from(readers.len()).map_err(|_| SealError::TooManyReaders)?);
    readers.iter().for_each(|reader| bytes.extend_from_slice(reader.id().as_bytes()));

    let mut fresh = SecretBytes::zeroed();
    generator.fill_fresh(fresh.expose_secret_mut())?;
    let content_key = content_key(&fresh, plaintext, &bytes)?;
    let mut wraps = Vec::new();
    for reader in readers {
        let info = wrap_info(suite, &bytes, &reader.id());
        kem::wrap(suite, reader.public_key(), &info, &content_key, generator, &mut wraps)?;
    }
    bytes.append(&mut wraps);

    let associated = digest(&bytes);
    let start = bytes.len();
    bytes.extend_from_slice(&[0; Plaintext::LEN]);
    let place = bytes.get_mut(start..).unwrap_or_default();
    // Neither can fail: the lengths are equal and far below the cipher's limit (RFC 8439 §2.8).
    let tag = InOutBuf::new(plaintext.bytes().as_slice(), place)
        .ok()
        .and_then(|buffer| {
            ChaCha20Poly1305::new(content_key.expose_secret().into())
                .encrypt_inout_detached(&NONCE, &associated, buffer)
                .ok()
        })
        .ok_or(SealError::Rejected)?;
    bytes.extend_from_slice(&tag);
    Record::parse(&bytes)
}

// FORMAT.md §5:
//   content key = HKDF-SHA256(salt = "", IKM = fresh ‖ plaintext, info = label ‖ SHA-256(head), 32
// bytes)
#[inline(never)]
fn content_key(
    fresh: &SecretBytes<32>,
    plaintext: &Plaintext,
    head: &[u8],
) -> Result<Box<SecretBytes<32>>, SealError> {
    let mut extract = HkdfExtract::<Sha256>::new(None);
    extract.input_ikm(fresh.expose_secret());
    extract.input_ikm(plaintext.bytes());
    let (_, expand) = extract.finalize();
    let mut key = Box::new(SecretBytes::zeroed());
    let info: [&[u8]; 2] = [b"laps content key v1", &digest(head)];
    // It fails for more than 8160 bytes only (RFC 5869 §2.3).
    let made = expand.expand_multi_info(&info, key.expose_secret_mut());
    made.map(|()| key).map_err(|_| RandomError::Failed.into())
}

/// The readers' suite, and the readers in the order of their ids.
pub(super) fn in_order(readers: &[Reader]) -> Result<(Suite, Vec<&Reader>), SealError> {
    let suite = readers.first().ok_or(SealError::NoReaders)?.suite();
    if readers.len() > MAX_READERS {
        return Err(SealError::TooManyReaders);
    }
    if readers.iter().any(|reader| reader.suite() != suite) {
        return Err(SealError::MixedSuites);
    }
    let mut readers: Vec<&Reader> = readers.iter().collect();
    readers.sort_by_key(|reader| reader.id());
    if readers.iter().zip(readers.iter().skip(1)).any(|(one, next)| one.id() == next.id()) {
        return Err(SealError::DuplicateReader);
    }
    Ok((suite, readers))
}

// protocol §5.2: info = label ‖ suite ‖ SHA-256(core ‖ reader list ‖ re-seal number) ‖ reader id
// The reader list in our encoding holds the number of the sealing (FORMAT.md §2).
fn wrap_info(suite: Suite, before_wraps: &[u8], id: &ReaderId) -> Vec<u8> {
    [
        b"laps wrap v1".as_slice(),
        &suite.as_u16().to_be_bytes(),
        &digest(before_wraps),
        id.as_bytes(),
    ]
    .concat()
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The nonce of the body. A content key belongs to one plaintext, core, list of readers and sealing
/// number, so key and nonce never meet another message; a random nonce would add bytes and no
/// safety.
const NONCE: Nonce = hpke::hybrid_array::Array([0; 12]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    fn rng(seed: u64) -> Generator<ChaCha20Rng> {
        Generator::try_new(ChaCha20Rng::seed_from_u64(seed)).unwrap()
    }

    fn header() -> Header {
        Header {
            scope: Scope::EMPTY,
            device: DeviceId::new("d").unwrap(),
            account: AccountName::new("a").unwrap(),
            sid: None,
            id: RecordId::from_bytes([1; 16]),
            previous: None,
            version: 1,
            made_at: Timestamp::default(),
            policy_hash: [0; 32],
        }
    }

    /// A source that repeats itself in the worst way: every generator over it draws the same.
    #[test]
    fn repeated_randomness_gives_another_content_key_for_anything_else() {
        for suite in Suite::ALL {
            let [a, b] =
                [1, 2].map(|seed| ReaderKey::generate(*suite, "r", &mut rng(seed)).unwrap());
            let (one, both) = ([a.reader().clone()], [a.reader().clone(), b.reader().clone()]);
            let key = |record: &Record| *a.unwrap(record).unwrap().expose_secret();
            let seal = |header: &Header, password: &str, readers: &[Reader]| {
                let password = Password::try_from_str(password).unwrap();
                Record::seal(header, &password, readers, &mut rng(7)).unwrap()
            };
            let first = seal(&header(), "password", &one);
            assert!(first == seal(&header(), "password", &one), "the randomness is not repeated");
            let later = Header { version: 2, ..header() };
            let again = |record: &Record, readers: &[Reader]| {
                a.reseal(record, readers, &mut rng(8)).unwrap()
            };
            let (second, wider) = (again(&first, &one), again(&first, &both));
            let third = again(&second, &one);
            let keys = [
                key(&first),
                key(&seal(&header(), "password", &both)),
                key(&seal(&header(), "passworD", &one)),
                key(&seal(&later, "password", &one)),
                key(&second),
                key(&wider),
                key(&third),
            ];
            for (at, one) in keys.iter().enumerate() {
                assert!(keys[at + 1..].iter().all(|other| other != one), "{suite:?} {at}");
            }
        }
    }

    /// The number under a name in `content_key.txt`, which the second implementation computes, too.
    fn vector(name: &str) -> Vec<u8> {
        let text = include_str!("content_key.txt");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let (pairs, _) = value.unwrap().as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16);
        pairs.iter().map(|pair| byte(pair).unwrap()).collect()
    }

    #[test]
    fn the_content_key_is_what_the_format_says() {
        let mut fresh = SecretBytes::zeroed();
        fresh.expose_secret_mut().copy_from_slice(&vector("fresh"));
        let mut plaintext = Plaintext::zeroed();
        plaintext.bytes_mut().copy_from_slice(&vector("plaintext"));
        let key = content_key(&fresh, &plaintext, &vector("head")).unwrap();
        assert_eq!(key.expose_secret().as_slice(), vector("content-key"));
    }

    #[test]
    fn another_password_under_the_same_core_is_refused_by_every_reader() {
        let mut rng = rng(1);
        for suite in Suite::ALL {
            let key = ReaderKey::generate(*suite, "r", &mut rng).unwrap();
            let readers = [key.reader().clone()];
            let password = Password::try_from_str("the right one").unwrap();
            let record = Record::seal(&header(), &password, &readers, &mut rng).unwrap();
            // What somebody with the key can do: everything right but the password.
            let mut plaintext = key.open_plaintext(&record).unwrap();
            plaintext.set_password(&Password::try_from_str("the wrong one").unwrap());
            let head = [record.core(), record.signature()].concat();
            let forged = seal_plaintext(head, 1, &plaintext, &readers, &mut rng).unwrap();
            assert_eq!(key.open(&forged).unwrap_err(), SealError::Rejected);
            assert!(key.open(&record).is_ok());
        }
    }

    #[test]
    fn a_plaintext_in_another_form_is_refused() {
        // Padding that is not zero, an empty password, a length above 128, text that is not UTF-8.
        for (place, value) in [(160, 1), (32, 0), (32, 129), (33, 0xff)] {
            let mut plaintext = Plaintext::zeroed();
            plaintext.set_password(&Password::try_from_str("password").unwrap());
            assert!(plaintext.to_password().is_ok());
            plaintext.bytes_mut()[place] = value;
            assert_eq!(plaintext.to_password().unwrap_err(), SealError::Rejected);
        }
    }
}
