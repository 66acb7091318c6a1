//! Wrapping a content key for one reader: HPKE base mode (RFC 9180 §5.1.1), one message, in both
//! suites.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::convert::Infallible;

use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable};
use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroize as _;

use super::field::is_reduced;
use super::xwing::{ExpandedKey, XWingExpanded};
use super::{SealError, Suite};
use crate::random::{Generator, RandomError};
use crate::secret::SecretBytes;

/// Whether these bytes are a public key of the suite, one that a content key can be wrapped for.
pub(super) fn check_public_key(suite: Suite, public_key: &[u8]) -> Result<(), SealError> {
    const LENGTH: SealError =
        SealError::ReaderMalformed("the key has another length than its suite's");
    const INVALID: SealError = SealError::ReaderMalformed("the key is not a valid public key");
    if public_key.len() != suite.public_key_len() {
        return Err(LENGTH);
    }
    let x25519: [u8; 32] = match suite {
        Suite::X25519 => public_key.try_into().map_err(|_| LENGTH)?,
        Suite::XWing => {
            // The ML-KEM half must be canonical: every coefficient below q (FIPS 203 §7.2).
            <XWing as Kem>::PublicKey::from_bytes(public_key).map_err(|_| INVALID)?;
            *public_key.last_chunk().ok_or(LENGTH)?
        }
    };
    // RFC 7748 §5 has receivers ignore bit 255 and reduce the rest: one key could be written in
    // several ways, and an X-Wing record sealed to another way than the reader's own opens for
    // nobody.
    if x25519[31] & 0x80 != 0 || !is_reduced(&x25519) {
        return Err(INVALID);
    }
    // A point of small order gives the same shared secret to everybody (RFC 7748 §6.1). The product
    // with any clamped scalar is then zero.
    if x25519_dalek::x25519([8; 32], x25519) == [0; 32] { Err(INVALID) } else { Ok(()) }
}

/// Wraps a content key and appends the encapsulated key, the wrapped key and its tag to `out`.
pub(super) fn wrap<S: TryCryptoRng>(
    suite: Suite,
    public_key: &[u8],
    info: &[u8],
    content_key: &SecretBytes<32>,
    generator: &mut Generator<S>,
    out: &mut Vec<u8>,
) -> Result<(), SealError> {
    match suite {
        Suite::XWing => wrap_with::<XWing, 64, S>(public_key, info, content_key, generator, out),
        Suite::X25519 => {
            wrap_with::<X25519HkdfSha256, 32, S>(public_key, info, content_key, generator, out)
        }
    }
}

// RFC 9180 §6.1, mode_base:
//   enc, ctx = SetupBaseS(pkR, info)
//   ct = ctx.Seal(aad = "", pt)
fn wrap_with<K: Kem, const DRAW: usize, S: TryCryptoRng>(
    public_key: &[u8],
    info: &[u8],
    content_key: &SecretBytes<32>,
    generator: &mut Generator<S>,
    out: &mut Vec<u8>,
) -> Result<(), SealError> {
    let public_key = K::PublicKey::from_bytes(public_key)
        .map_err(|_| SealError::ReaderMalformed("the key is not a valid public key"))?;
    // hpke takes a source that cannot fail, so the bytes are drawn first, from one that can.
    let mut drawn = Drawn::<DRAW>::try_new(generator)?;
    let sealed = hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeS::Base,
        &public_key,
        info,
        &mut drawn,
    );
    let exact = drawn.used == DRAW && !drawn.overdrawn;
    let (encapsulated, mut context) = sealed.map_err(|_| RandomError::Failed)?;
    if !exact {
        // The crate draws another number of bytes than the one that was read from its source.
        return Err(RandomError::Failed.into());
    }
    out.extend_from_slice(&encapsulated.to_bytes());
    let start = out.len();
    out.extend_from_slice(&[0; 32]);
    let place = out.get_mut(start..).unwrap_or_default();
    let wrapped = InOutBuf::new(content_key.expose_secret().as_slice(), place)
        .map_err(|_| HpkeError::SealError)
        .and_then(|buffer| context.seal_inout_detached(buffer, &[]));
    out.extend_from_slice(&wrapped.map_err(|_| RandomError::Failed)?.to_bytes());
    Ok(())
}

/// The private half of a reader, ready to unwrap.
pub(super) enum Unwrapper {
    XWing(Box<ExpandedKey>),
    X25519(Box<<X25519HkdfSha256 as Kem>::PrivateKey>),
}

impl Unwrapper {
    /// From the 32 bytes that a key file holds.
    pub(super) fn new(suite: Suite, secret: &SecretBytes<32>) -> Result<Self, SealError> {
        match suite {
            Suite::XWing => Ok(Self::XWing(ExpandedKey::new(secret.expose_secret()))),
            Suite::X25519 => {
                <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(secret.expose_secret())
                    .map(|key| Self::X25519(Box::new(key)))
                    .map_err(|_| SealError::KeyFileRejected)
            }
        }
    }

    /// The public key that belongs to it.
    pub(super) fn public_key(&self) -> Vec<u8> {
        match self {
            Self::XWing(key) => key.public_key().to_vec(),
            Self::X25519(key) => X25519HkdfSha256::sk_to_pk(key).to_bytes().to_vec(),
        }
    }

    /// Unwraps a content key; a wrap of another length, for another key, or changed, is rejected.
    pub(super) fn unwrap(
        &self,
        info: &[u8],
        wrap: &[u8],
        content_key: &mut SecretBytes<32>,
    ) -> Result<(), SealError> {
        match self {
            Self::XWing(key) => unwrap_with::<XWingExpanded>(key, info, wrap, content_key),
            Self::X25519(key) => unwrap_with::<X25519HkdfSha256>(key, info, wrap, content_key),
        }
    }
}

// RFC 9180 §6.1, mode_base:
//   ctx = SetupBaseR(enc, skR, info)
//   return ctx.Open(aad = "", ct)
fn unwrap_with<K: Kem>(
    private_key: &K::PrivateKey,
    info: &[u8],
    wrap: &[u8],
    content_key: &mut SecretBytes<32>,
) -> Result<(), SealError> {
    let rejected = |_| SealError::Rejected;
    let (encapsulated, wrapped) =
        wrap.split_at_checked(K::EncappedKey::size()).ok_or(SealError::Rejected)?;
    let (wrapped, tag) = wrapped.split_at_checked(32).ok_or(SealError::Rejected)?;
    let encapsulated = K::EncappedKey::from_bytes(encapsulated).map_err(rejected)?;
    let tag = AeadTag::<ChaCha20Poly1305>::from_bytes(tag).map_err(rejected)?;
    let mut context = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeR::Base,
        private_key,
        &encapsulated,
        info,
    )
    .map_err(rejected)?;
    content_key.expose_secret_mut().copy_from_slice(wrapped);
    let buffer = InOutBuf::from(content_key.expose_secret_mut().as_mut_slice());
    let opened = context.open_inout_detached(buffer, &[], &tag);
    if opened.is_err() {
        content_key.zeroize();
    }
    opened.map_err(rejected)
}

/// Random bytes, drawn beforehand, in the dress of a source that cannot fail.
struct Drawn<const N: usize> {
    bytes: SecretBytes<N>,
    used: usize,
    overdrawn: bool,
}

impl<const N: usize> Drawn<N> {
    fn try_new<S: TryCryptoRng>(generator: &mut Generator<S>) -> Result<Self, SealError> {
        let mut bytes = SecretBytes::zeroed();
        generator.fill(bytes.expose_secret_mut())?;
        Ok(Self { bytes, used: 0, overdrawn: false })
    }
}

impl<const N: usize> TryRng for Drawn<N> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used.saturating_add(out.len());
        match self.bytes.expose_secret().get(self.used..end) {
            Some(bytes) => out.copy_from_slice(bytes),
            // What is sealed with this is thrown away: `wrap_with` looks at the mark.
            None => self.overdrawn = true,
        }
        self.used = end;
        Ok(())
    }
}

impl<const N: usize> TryCryptoRng for Drawn<N> {}
