//! Sealing, opening and sealing anew (FORMAT.md §4 to §6).

use alloc::boxed::Box;
use alloc::vec::Vec;

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce, Tag};
use ctutils::CtEq as _;
use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};

use super::plaintext::Plaintext;
use super::record::UNSIGNED;
use super::{
    Header, MAX_READERS, Reader, ReaderId, ReaderKey, Record, SealError, Suite, burn_stack, kem,
};
use crate::secret::{Password, SecretBytes};

impl Record {
    /// Seals a password for the readers, all of one suite, in any order.
    ///
    /// # Errors
    /// [`SealError::HeaderRefused`] for a header or password that cannot be sealed; [`SealError::NoReaders`],
    /// [`SealError::TooManyReaders`], [`SealError::DuplicateReader`], [`SealError::MixedSuites`] for the
    /// readers; [`SealError::Random`] when the source fails.
    pub fn seal<R: TryCryptoRng>(
        header: &Header,
        password: &Password,
        readers: &[Reader],
        rng: &mut R,
    ) -> Result<Self, SealError> {
        let sealed = seal(header, password, readers, rng);
        burn_stack();
        sealed
    }
}

impl ReaderKey {
    /// Opens a record.
    ///
    /// # Errors
    /// [`SealError::NotAReader`] when the record does not name this reader; [`SealError::Rejected`] when the
    /// key does not open it, or anything in it was changed.
    pub fn open(&self, record: &Record) -> Result<Box<Password>, SealError> {
        let password = self.open_plaintext(record).and_then(|plaintext| plaintext.to_password());
        burn_stack();
        password
    }

    /// Opens a record and seals it for other readers, under a fresh key. The core, and with it the password,
    /// stays what it was; whoever has a copy from before still reads that copy.
    ///
    /// # Errors
    /// Those of [`ReaderKey::open`] and of [`Record::seal`]; [`SealError::ResealLimit`].
    pub fn reseal<R: TryCryptoRng>(
        &self,
        record: &Record,
        readers: &[Reader],
        rng: &mut R,
    ) -> Result<Record, SealError> {
        let sealed = self.open_plaintext(record).and_then(|plaintext| {
            let sealing = record.sealing().checked_add(1).ok_or(SealError::ResealLimit)?;
            let head = [record.core(), record.signature()].concat();
            seal_plaintext(head, sealing, &plaintext, readers, rng)
        });
        burn_stack();
        sealed
    }

    #[inline(never)]
    fn open_plaintext(&self, record: &Record) -> Result<Plaintext, SealError> {
        let id = self.id();
        let place = record.reader_ids().position(|other| other == id);
        let place = place.ok_or(SealError::NotAReader)?;
        let wrap = record.wrap(place).ok_or(SealError::Rejected)?;
        let mut content_key = Box::new(SecretBytes::zeroed());
        let info = wrap_info(record.suite(), record.before_wraps(), &id);
        self.unwrapper().unwrap(&info, wrap, &mut content_key)?;

        let mut plaintext = Plaintext::zeroed();
        let (body, tag) = record.body().split_last_chunk::<16>().ok_or(SealError::Rejected)?;
        let buffer = InOutBuf::new(body, plaintext.bytes_mut()).map_err(|_| SealError::Rejected)?;
        ChaCha20Poly1305::new(content_key.expose_secret().into())
            .decrypt_inout_detached(&NONCE, &digest(record.before_body()), buffer, &Tag::from(*tag))
            .map_err(|_| SealError::Rejected)?;
        // All readers get one password: the one that the core commits to.
        if plaintext.commitment().ct_eq(record.commitment()).to_bool() {
            Ok(plaintext)
        } else {
            Err(SealError::Rejected)
        }
    }
}

#[inline(never)]
fn seal<R: TryCryptoRng>(
    header: &Header,
    password: &Password,
    readers: &[Reader],
    rng: &mut R,
) -> Result<Record, SealError> {
    if password.is_empty() {
        return Err(SealError::HeaderRefused("the password is empty"));
    }
    let mut plaintext = Plaintext::zeroed();
    rng.try_fill_bytes(plaintext.blind_mut()).map_err(|_| SealError::Random)?;
    plaintext.set_password(password);
    let mut head = header.encode(&plaintext.commitment())?;
    head.push(UNSIGNED);
    seal_plaintext(head, 0, &plaintext, readers, rng)
}

/// Seals a plaintext under `head`, the core and its signature.
#[inline(never)]
fn seal_plaintext<R: TryCryptoRng>(
    head: Vec<u8>,
    sealing: u32,
    plaintext: &Plaintext,
    readers: &[Reader],
    rng: &mut R,
) -> Result<Record, SealError> {
    let (suite, readers) = in_order(readers)?;
    let mut bytes = head;
    bytes.extend_from_slice(&suite.as_u16().to_be_bytes());
    bytes.extend_from_slice(&sealing.to_be_bytes());
    bytes.push(u8::try_from(readers.len()).map_err(|_| SealError::TooManyReaders)?);
    readers.iter().for_each(|reader| bytes.extend_from_slice(reader.id().as_bytes()));

    let mut content_key = Box::new(SecretBytes::zeroed());
    rng.try_fill_bytes(content_key.expose_secret_mut()).map_err(|_| SealError::Random)?;
    let mut wraps = Vec::new();
    for reader in readers {
        let info = wrap_info(suite, &bytes, &reader.id());
        kem::wrap(suite, reader.public_key(), &info, &content_key, rng, &mut wraps)?;
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

/// The readers' suite, and the readers in the order of their ids.
fn in_order(readers: &[Reader]) -> Result<(Suite, Vec<&Reader>), SealError> {
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

/// The nonce of the body. A content key is drawn for one sealing or re-sealing and encrypts this one body, so
/// key and nonce never meet another message; a random nonce would add bytes and no safety.
const NONCE: Nonce = hpke::hybrid_array::Array([0; 12]);
