//! A 32-byte private key as PKCS#8 version 2 in PEM, encrypted or not (FORMAT.md §7).

use alloc::boxed::Box;
use alloc::vec::Vec;

use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::pem::LineEnding;
use pkcs8::der::{Decode as _, Encode as _, SecretDocument};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{self, Kdf, ScryptParams};
use pkcs8::spki::AlgorithmIdentifier;
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef};
use rand_core::TryCryptoRng;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::SealError;
use crate::random::Generator;
use crate::secret::SecretBytes;

/// What kind of private key it is, and how PKCS#8 holds it.
#[derive(Clone, Copy)]
pub(super) struct KeyKind {
    pub(super) oid: ObjectIdentifier,
    /// Whether the 32 bytes stand in an OCTET STRING of their own inside the key's (RFC 8410 §7).
    pub(super) nested: bool,
}

/// The cost of scrypt in what we write: N = 2^17, r = 8, p = 1, which takes 128 MiB (OWASP Password
/// Storage Cheat Sheet, its first choice for scrypt).
pub(super) const COST: Cost = Cost { n: 1 << 17, r: 8, p: 1 };

/// The most that a file may ask for: 128·N·r bytes is at most 256 MiB, and p at most 4. Without a
/// bound whoever writes the file could take all memory of whoever reads it.
const MOST: Cost = Cost { n: 1 << 18, r: 8, p: 4 };

/// RFC 7914 §2.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    pub(super) n: u64,
    pub(super) r: u16,
    pub(super) p: u16,
}

const PLAIN_LABEL: &str = "PRIVATE KEY";
const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// Tag and length of an OCTET STRING of 32 bytes.
const NESTED: [u8; 2] = [0x04, 0x20];

/// A private key and the public key that stands beside it.
pub(super) struct KeyPair {
    pub(super) secret: Box<SecretBytes<32>>,
    pub(super) public_key: Vec<u8>,
}

/// Writes the key as PEM: encrypted when there is a passphrase.
#[inline(never)]
pub(super) fn to_pem<S: TryCryptoRng>(
    kind: KeyKind,
    secret: &SecretBytes<32>,
    public_key: &[u8],
    passphrase: Option<&[u8]>,
    cost: Cost,
    generator: &mut Generator<S>,
) -> Result<Zeroizing<alloc::string::String>, SealError> {
    let mut private = Zeroizing::new(Vec::with_capacity(34));
    if kind.nested {
        private.extend_from_slice(&NESTED);
    }
    private.extend_from_slice(secret.expose_secret());
    let unwritable = |_| SealError::KeyFileMalformed("the key cannot be written as PKCS#8");
    let key = PrivateKeyInfoRef {
        algorithm: AlgorithmIdentifier { oid: kind.oid, parameters: None },
        private_key: OctetStringRef::new(&private).map_err(unwritable)?,
        public_key: Some(BitStringRef::from_bytes(public_key).map_err(unwritable)?),
    };
    let document = SecretDocument::encode_msg(&key).map_err(unwritable)?;
    let Some(passphrase) = passphrase else {
        return document.to_pem(PLAIN_LABEL, LineEnding::LF).map_err(unwritable);
    };
    if passphrase.is_empty() {
        return Err(SealError::PassphraseMissing);
    }
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    generator.fill_fresh(&mut salt)?;
    generator.fill(&mut iv)?;
    let scheme = pbes2::Parameters {
        kdf: Kdf::Scrypt(ScryptParams {
            salt: salt.as_slice().try_into().map_err(unwritable)?,
            cost_parameter: cost.n,
            block_size: cost.r,
            parallelization: cost.p,
            key_length: Some(32),
        }),
        encryption: pbes2::EncryptionScheme::Aes256Cbc { iv },
    };
    let unwritable = |_| SealError::KeyFileMalformed("the key cannot be encrypted");
    let [composed, ..] = forms(passphrase);
    let encrypted = scheme.encrypt(&composed, document.as_bytes()).map_err(unwritable)?;
    let unwritable = |_| SealError::KeyFileMalformed("the key cannot be written as PKCS#8");
    let file = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: scheme.into(),
        encrypted_data: OctetStringRef::new(&encrypted).map_err(unwritable)?,
    };
    let document = SecretDocument::encode_msg(&file).map_err(unwritable)?;
    document.to_pem(ENCRYPTED_LABEL, LineEnding::LF).map_err(unwritable)
}

/// Whether the PEM says that its key is encrypted.
pub(super) fn is_encrypted(pem: &str) -> bool {
    pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
}

/// Reads such a key. What is outside the encryption is malformed or not; everything inside is one
/// error.
#[inline(never)]
pub(super) fn from_pem(
    kind: KeyKind,
    pem: &str,
    passphrase: Option<&[u8]>,
) -> Result<KeyPair, SealError> {
    const PEM: SealError = SealError::KeyFileMalformed(
        "a PEM block PRIVATE KEY or ENCRYPTED PRIVATE KEY is expected after the first line",
    );
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| PEM)?;
    // The parser tolerates more than one way to write the block.
    let label = [PLAIN_LABEL, ENCRYPTED_LABEL].into_iter().find(|known| *known == label);
    let label = label.ok_or(PEM)?;
    let canonical = document.to_pem(label, LineEnding::LF).map_err(|_| PEM)?;
    if !canonical.lines().eq(pem.lines()) {
        return Err(PEM);
    }
    match (label, passphrase) {
        (PLAIN_LABEL, None) => from_der(kind, document.as_bytes()),
        (PLAIN_LABEL, Some(_)) => Err(SealError::PassphraseUnexpected),
        (ENCRYPTED_LABEL, None) => Err(SealError::PassphraseMissing),
        (ENCRYPTED_LABEL, Some(passphrase)) => {
            let mut tried: Vec<Zeroizing<Vec<u8>>> = Vec::with_capacity(3);
            for form in forms(passphrase) {
                if tried.contains(&form) {
                    continue;
                }
                match decrypt(document.as_bytes(), &form).and_then(|der| from_der(kind, &der)) {
                    Err(SealError::KeyFileRejected) => tried.push(form),
                    other => return other,
                }
            }
            Err(SealError::KeyFileRejected)
        }
        _ => Err(PEM),
    }
}

/// A passphrase as it is written in a file, then as other programs and keyboards may have written
/// it: composed (UAX 15, form C), decomposed, and as it was given. What is not text has one form.
fn forms(passphrase: &[u8]) -> [Zeroizing<Vec<u8>>; 3] {
    let given = || Zeroizing::new(passphrase.to_vec());
    let Ok(text) = core::str::from_utf8(passphrase) else { return [given(), given(), given()] };
    [normal(text.nfc(), text.len()), normal(text.nfd(), text.len()), given()]
}

/// The letters of a text of this length, in room that is never moved: no form has more than three
/// times as many bytes in UTF-8.
fn normal(letters: impl Iterator<Item = char>, length: usize) -> Zeroizing<Vec<u8>> {
    let mut form = Zeroizing::new(Vec::with_capacity(length.saturating_mul(3)));
    let mut buffer = Zeroizing::new([0; 4]);
    for letter in letters {
        form.extend_from_slice(letter.encode_utf8(&mut *buffer).as_bytes());
    }
    form
}

fn decrypt(document: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let fault = SealError::KeyFileMalformed;
    let file = EncryptedPrivateKeyInfoRef::from_der(document)
        .map_err(|_| fault("the PEM block is not a PKCS#8 encrypted private key"))?;
    let EncryptionScheme::Pbes2(scheme) = &file.encryption_algorithm else {
        return Err(fault("it is not encrypted with PBES2"));
    };
    let (Kdf::Scrypt(scrypt), pbes2::EncryptionScheme::Aes256Cbc { .. }) =
        (&scheme.kdf, &scheme.encryption)
    else {
        return Err(fault("it is not encrypted with scrypt and AES-256-CBC"));
    };
    // RFC 7914 §2. The crate panics at N = 0.
    if !scrypt.cost_parameter.is_power_of_two()
        || scrypt.cost_parameter < 2
        || scrypt.block_size == 0
        || scrypt.parallelization == 0
        || scrypt.key_length.is_some_and(|len| len != 32)
    {
        return Err(fault("the parameters of scrypt are not possible ones"));
    }
    let memory = u64::from(scrypt.block_size).saturating_mul(scrypt.cost_parameter);
    if memory > u64::from(MOST.r).saturating_mul(MOST.n) || scrypt.parallelization > MOST.p {
        return Err(fault("scrypt would take more than 256 MiB, or p is more than 4"));
    }
    let mut buffer = Zeroizing::new(file.encrypted_data.as_bytes().to_vec());
    let len = scheme
        .decrypt_in_place(passphrase, &mut buffer)
        .map_err(|_| SealError::KeyFileRejected)?
        .len();
    buffer.truncate(len);
    Ok(buffer)
}

fn from_der(kind: KeyKind, der: &[u8]) -> Result<KeyPair, SealError> {
    const REJECTED: SealError = SealError::KeyFileRejected;
    let key = PrivateKeyInfoRef::from_der(der).map_err(|_| REJECTED)?;
    if key.algorithm.oid != kind.oid || key.algorithm.parameters.is_some() {
        return Err(REJECTED);
    }
    let private = key.private_key.as_bytes();
    let private = if kind.nested { private.strip_prefix(&NESTED) } else { Some(private) };
    let private: &[u8; 32] = private.and_then(|bytes| bytes.try_into().ok()).ok_or(REJECTED)?;
    let public_key = key.public_key.and_then(|key| key.as_bytes()).ok_or(REJECTED)?;
    // One key has one file: what the parser tolerates (attributes, later fields) is not ours.
    if *key.to_der().map(Zeroizing::new).map_err(|_| REJECTED)? != *der {
        return Err(REJECTED);
    }
    let mut secret = Box::new(SecretBytes::zeroed());
    secret.expose_secret_mut().copy_from_slice(private);
    Ok(KeyPair { secret, public_key: public_key.to_vec() })
}
