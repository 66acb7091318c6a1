//! Signers: the authority that signs reader sets, and devices that sign their records' cores
//! (Ed25519, RFC 8032).

use alloc::boxed::Box;
use alloc::string::String;
use core::{fmt, str::FromStr};

use ::pkcs8::ObjectIdentifier;
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use rand_core::TryCryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::field::is_reduced;
use super::line::{self, LineKind, Name};
use super::{SealError, burn_stack, key_file, pkcs8};
use crate::codec::Hex;
use crate::random::Generator;
use crate::secret::SecretBytes;

/// SHA-256 of a signer's public key. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SignerId([u8; 32]);

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The public half of a signer. As text it is one line: `laps-signer-1 ed25519 ID KEY NAME`.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Signer {
    key: VerifyingKey,
    name: Name,
}

impl Signer {
    /// A signer from its parts.
    ///
    /// # Errors
    /// [`SealError::ReaderMalformed`] when the key is not an Ed25519 public key, or the name not a
    /// name.
    pub fn new(public_key: &[u8], name: &str) -> Result<Self, SealError> {
        const INVALID: SealError = SealError::ReaderMalformed("the key is not a valid public key");
        let public_key = public_key.try_into().map_err(|_| INVALID)?;
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| INVALID)?;
        // The crate accepts a y of p or more; one key has one identity.
        if key.is_weak() || !is_reduced(public_key) {
            return Err(INVALID);
        }
        Ok(Self { key, name: line::name(name).map_err(SealError::ReaderMalformed)? })
    }

    /// The public half that a key file shows in clear, and whether its private half is encrypted.
    ///
    /// # Errors
    /// [`SealError::KeyFileMalformed`] when the file does not parse.
    pub fn from_key_file(file: &[u8]) -> Result<(Self, bool), SealError> {
        key_file::split::<Self>(&key_file::text_of(file)?)
            .map(|(signer, pem)| (signer, pkcs8::is_encrypted(pem)))
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> SignerId {
        SignerId(Sha256::digest(self.key.as_bytes()).into())
    }

    /// Its public key.
    #[must_use]
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Whether it signed this message; one that other implementations could see otherwise does not
    /// count (RFC 8032 §5.1.7, without the cofactor, and no points of small order).
    pub(super) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

const LINE: LineKind = LineKind {
    prefix: "laps-signer-1",
    begins: "a signer's line begins with laps-signer-1",
    parts: "a signer's line has five parts: laps-signer-1 ed25519 ID KEY NAME",
};

/// The one algorithm of signers.
const ALGORITHM: &str = "ed25519";

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LINE.write(f, ALGORITHM, &self.id(), self.public_key(), self.name())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("id", &self.id())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl FromStr for Signer {
    type Err = SealError;

    /// Reads one line; one newline at its end is dropped, and nothing else is tolerated.
    fn from_str(text: &str) -> Result<Self, SealError> {
        let fault = SealError::ReaderMalformed;
        let line = LINE.parse(text).map_err(fault)?;
        if line.algorithm != ALGORITHM {
            return Err(fault("the algorithm is not known; ed25519 is accepted"));
        }
        let signer = Self::new(&line.key, line.name)?;
        line.check(&signer.id(), &signer).map_err(fault)?;
        Ok(signer)
    }
}

/// A signer's private key, wiped when dropped.
///
/// There is no `Clone`, and `Debug` shows the public half only.
pub struct SignerKey {
    key: Box<SigningKey>,
    signer: Signer,
}

impl SignerKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`SealError::ReaderMalformed`] for a name that is not one; [`SealError::Random`] when the
    /// source fails.
    pub fn generate<S: TryCryptoRng>(
        name: &str,
        generator: &mut Generator<S>,
    ) -> Result<Self, SealError> {
        let mut secret = SecretBytes::zeroed();
        generator.fill_fresh(secret.expose_secret_mut())?;
        Self::from_secret(&secret, name)
    }

    fn from_secret(secret: &SecretBytes<32>, name: &str) -> Result<Self, SealError> {
        let key = Box::new(SigningKey::from_bytes(secret.expose_secret()));
        burn_stack();
        let signer = Signer::new(key.verifying_key().as_bytes(), name)?;
        Ok(Self { key, signer })
    }

    /// The public half.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The key as the text of a key file: encrypted under the passphrase, or in clear without one.
    ///
    /// # Errors
    /// [`SealError::Random`] when the source fails; [`SealError::PassphraseMissing`] for an empty
    /// passphrase.
    pub fn to_key_file<S: TryCryptoRng>(
        &self,
        passphrase: Option<&[u8]>,
        generator: &mut Generator<S>,
    ) -> Result<Zeroizing<String>, SealError> {
        let mut secret = SecretBytes::zeroed();
        secret.expose_secret_mut().copy_from_slice(self.key.as_bytes());
        let public_key = self.signer.public_key();
        let pem = pkcs8::to_pem(KIND, &secret, public_key, passphrase, pkcs8::COST, generator);
        burn_stack();
        Ok(key_file::join(&self.signer, &pem?))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// Those of [`ReaderKey::from_key_file`](super::ReaderKey::from_key_file).
    pub fn from_key_file(file: &[u8], passphrase: Option<&[u8]>) -> Result<Self, SealError> {
        let text = key_file::text_of(file)?;
        let (signer, pem) = key_file::split::<Signer>(&text)?;
        let pair = pkcs8::from_pem(KIND, pem, passphrase);
        burn_stack();
        let pair = pair?;
        let key = Self::from_secret(&pair.secret, signer.name())
            .map_err(|_| SealError::KeyFileRejected)?;
        if pair.public_key == key.signer.public_key() && key.signer == signer {
            Ok(key)
        } else {
            Err(SealError::KeyFileRejected)
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = ed25519_dalek::Signer::sign(&*self.key, message).to_bytes();
        burn_stack();
        signature
    }
}

/// RFC 8410 §3 and §7: id-Ed25519.
const KIND: pkcs8::KeyKind =
    pkcs8::KeyKind { oid: ObjectIdentifier::new_unwrap("1.3.101.112"), nested: true };

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerKey").field("signer", &self.signer).finish_non_exhaustive()
    }
}

/// What is signed for a record: a label and the core (protocol §5.5).
pub(super) fn core_message(core: &[u8]) -> alloc::vec::Vec<u8> {
    [b"laps core v1".as_slice(), core].concat()
}
