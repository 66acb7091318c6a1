//! Key files: the reader's line, then its private key as PKCS#8 in PEM (FORMAT.md §7).
//!
//! The line tells whose key it is without the passphrase; tools that read PEM skip it
//! (RFC 7468 §5.2).

use alloc::string::{String, ToString as _};
use core::{fmt, str::FromStr};

use pkcs8::ObjectIdentifier;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::pkcs8::{COST, Cost, KeyKind, from_pem, is_encrypted, to_pem};
use super::{Reader, ReaderKey, SealError, Suite, burn_stack};
use crate::random::Generator;
use crate::text;

/// The most bytes of a key file that are looked at.
pub const MAX_KEY_FILE_LEN: usize = 16 * 1024;

impl ReaderKey {
    /// The key as the text of a key file: encrypted under the passphrase, or in clear without one.
    ///
    /// Encrypting takes 128 MiB of memory and about half a second, on purpose.
    ///
    /// # Errors
    /// [`SealError::Random`] when the source fails; [`SealError::PassphraseMissing`] for an empty
    /// passphrase.
    pub fn to_key_file<S: TryCryptoRng>(
        &self,
        passphrase: Option<&[u8]>,
        generator: &mut Generator<S>,
    ) -> Result<Zeroizing<String>, SealError> {
        self.to_key_file_at(passphrase, COST, generator)
    }

    fn to_key_file_at<S: TryCryptoRng>(
        &self,
        passphrase: Option<&[u8]>,
        cost: Cost,
        generator: &mut Generator<S>,
    ) -> Result<Zeroizing<String>, SealError> {
        let kind = kind(self.reader().suite());
        let key = self.reader().public_key();
        let pem = to_pem(kind, self.secret(), key, passphrase, cost, generator);
        burn_stack();
        Ok(join(self.reader(), &pem?))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`SealError::KeyFileMalformed`] when the file does not parse; [`SealError::KeyFileRejected`]
    /// when the passphrase is wrong or the inside damaged; [`SealError::PassphraseMissing`],
    /// [`SealError::PassphraseUnexpected`].
    pub fn from_key_file(file: &[u8], passphrase: Option<&[u8]>) -> Result<Self, SealError> {
        let text = text_of(file)?;
        let (reader, pem) = split::<Reader>(&text)?;
        let pair = from_pem(kind(reader.suite()), pem, passphrase);
        burn_stack();
        let pair = pair?;
        let key = Self::from_secret(reader.suite(), pair.secret, reader.name())
            .map_err(|_| SealError::KeyFileRejected)?;
        // AES-CBC authenticates nothing: that the public key belongs to the private one shows that
        // it is whole.
        if pair.public_key == key.reader().public_key() && *key.reader() == reader {
            Ok(key)
        } else {
            Err(SealError::KeyFileRejected)
        }
    }
}

impl Reader {
    /// The public half that a key file shows in clear, and whether its private half is encrypted.
    ///
    /// # Errors
    /// [`SealError::KeyFileMalformed`] when the file does not parse.
    pub fn from_key_file(file: &[u8]) -> Result<(Self, bool), SealError> {
        split::<Self>(&text_of(file)?).map(|(reader, pem)| (reader, is_encrypted(pem)))
    }
}

/// A key file from the line of its public half and its private half.
pub(super) fn join(public: &dyn fmt::Display, pem: &str) -> Zeroizing<String> {
    let mut file = Zeroizing::new(public.to_string());
    // The secret half goes into the room it needs at once: growing would leave a copy behind.
    file.reserve_exact(pem.len().saturating_add(1));
    file.push('\n');
    file.push_str(pem);
    file
}

/// The text of a key file, wiped when dropped: it may be a key in clear.
pub(super) fn text_of(file: &[u8]) -> Result<Zeroizing<String>, SealError> {
    if file.len() > MAX_KEY_FILE_LEN {
        return Err(SealError::KeyFileMalformed("it has more than 16 KiB"));
    }
    let text = text::decode(file).map_err(|_| SealError::KeyFileMalformed("it is not text"))?;
    Ok(Zeroizing::new(text.into_owned()))
}

/// The line of the public half and what follows it.
pub(super) fn split<P: FromStr<Err = SealError>>(text: &str) -> Result<(P, &str), SealError> {
    let (line, pem) = text.split_once('\n').ok_or(SealError::KeyFileMalformed(
        "the line of the public key and a PEM block are expected",
    ))?;
    match line.strip_suffix('\r').unwrap_or(line).parse() {
        Err(SealError::ReaderMalformed(what)) => Err(SealError::KeyFileMalformed(what)),
        public => Ok((public?, pem)),
    }
}

const fn kind(suite: Suite) -> KeyKind {
    match suite {
        // draft-connolly-cfrg-xwing-kem: id-XWing; the private key is the seed, without wrapping of
        // its own.
        Suite::XWing => {
            KeyKind { oid: ObjectIdentifier::new_unwrap("1.3.6.1.4.1.62253.25722"), nested: false }
        }
        // RFC 8410 §3 and §7: id-X25519.
        Suite::X25519 => KeyKind { oid: ObjectIdentifier::new_unwrap("1.3.101.110"), nested: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    fn rng(seed: u64) -> Generator<ChaCha20Rng> {
        Generator::try_new(ChaCha20Rng::seed_from_u64(seed)).unwrap()
    }

    const CHEAP: Cost = Cost { n: 2, r: 1, p: 1 };

    fn file(suite: Suite, passphrase: Option<&[u8]>, cost: Cost) -> Zeroizing<String> {
        let mut rng = rng(7);
        let key = ReaderKey::generate(suite, "Helpdesk", &mut rng).unwrap();
        key.to_key_file_at(passphrase, cost, &mut rng).unwrap()
    }

    fn flips(file: &str, from: usize) -> impl Iterator<Item = Vec<u8>> {
        let bits = (from * 8)..(file.len() * 8);
        bits.map(|bit| {
            let mut changed = file.as_bytes().to_vec();
            changed[bit >> 3] ^= 1 << (bit & 7);
            changed
        })
    }

    #[test]
    fn no_changed_bit_behind_the_name_is_accepted() {
        for passphrase in [None, Some(b"passphrase".as_slice())] {
            let file = file(Suite::X25519, passphrase, CHEAP);
            assert!(ReaderKey::from_key_file(file.as_bytes(), passphrase).is_ok());
            // The name is a label. The newline at the end of the file may be of any kind
            // (RFC 7468 §3).
            let begin = file.find("-----BEGIN").unwrap();
            for changed in flips(file.trim_end(), begin) {
                let error = ReaderKey::from_key_file(&changed, passphrase).unwrap_err();
                let known =
                    matches!(error, SealError::KeyFileMalformed(_) | SealError::KeyFileRejected);
                assert!(known, "{error}");
            }
        }
    }

    #[test]
    fn a_passphrase_opens_its_file_however_a_keyboard_composes_it() {
        let (composed, decomposed) =
            ("Gr\u{fc}\u{df}e \u{1e69}", "Gru\u{308}\u{df}e s\u{323}\u{307}");
        for made in [composed, decomposed] {
            let file = file(Suite::X25519, Some(made.as_bytes()), CHEAP);
            for typed in [composed, decomposed, "Gr\u{fc}\u{df}e s\u{307}\u{323}"] {
                let opened = ReaderKey::from_key_file(file.as_bytes(), Some(typed.as_bytes()));
                assert!(opened.is_ok(), "{made:?} {typed:?}");
            }
            for wrong in
                ["Gruse \u{1e69}", "Gr\u{fc}\u{df}e \u{1e69} ", "\u{feff}Gr\u{fc}\u{df}e \u{1e69}"]
            {
                let opened = ReaderKey::from_key_file(file.as_bytes(), Some(wrong.as_bytes()));
                assert_eq!(opened.unwrap_err(), SealError::KeyFileRejected, "{wrong:?}");
            }
        }
        // What another program wrote as it was typed there, and bytes that are no text.
        for passphrase in [decomposed.as_bytes(), b"\xff\x00"] {
            let other = encrypted_as_given(passphrase);
            let typed: &[u8] =
                if passphrase == b"\xff\x00" { passphrase } else { composed.as_bytes() };
            assert!(ReaderKey::from_key_file(other.as_bytes(), Some(typed)).is_ok());
        }
    }

    /// What a program makes that does not compose a passphrase.
    fn encrypted_as_given(passphrase: &[u8]) -> String {
        use pkcs8::der::SecretDocument;
        use pkcs8::der::asn1::OctetStringRef;
        use pkcs8::der::pem::LineEnding;
        use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, ScryptParams};

        let plain = file(Suite::X25519, None, CHEAP);
        let (line, pem) = plain.split_once('\n').unwrap();
        let (_, document) = SecretDocument::from_pem(pem).unwrap();
        let scheme = Parameters {
            kdf: Kdf::Scrypt(ScryptParams {
                salt: [1; 16].as_slice().try_into().unwrap(),
                cost_parameter: CHEAP.n,
                block_size: CHEAP.r,
                parallelization: CHEAP.p,
                key_length: Some(32),
            }),
            encryption: EncryptionScheme::Aes256Cbc { iv: [2; 16] },
        };
        let data = scheme.encrypt(passphrase, document.as_bytes()).unwrap();
        let info = pkcs8::EncryptedPrivateKeyInfoRef {
            encryption_algorithm: scheme.into(),
            encrypted_data: OctetStringRef::new(&data).unwrap(),
        };
        let document = SecretDocument::encode_msg(&info).unwrap();
        let pem = document.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
        alloc::format!("{line}\n{}", *pem)
    }

    #[test]
    fn a_file_that_another_program_saved_in_its_own_way_is_read() {
        let file = file(Suite::X25519, None, CHEAP);
        let crlf = file.replace('\n', "\r\n");
        for text in [file.as_str(), &crlf] {
            let wide = |bytes: fn(u16) -> [u8; 2]| {
                "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
            };
            let forms: [Vec<u8>; 4] = [
                text.into(),
                alloc::format!("\u{feff}{text}").into(),
                wide(u16::to_le_bytes),
                wide(u16::to_be_bytes),
            ];
            for form in forms {
                assert!(ReaderKey::from_key_file(&form, None).is_ok(), "{form:?}");
                assert!(Reader::from_key_file(&form).is_ok());
            }
        }
    }

    #[test]
    fn a_file_that_asks_for_too_much_memory_is_refused_before_it_gets_any() {
        for (n, r, p) in [(1 << 19, 8, 1), (1 << 18, 9, 1), (2, 1, 5)] {
            let cost = Cost { n, r, p };
            // Nobody can afford to write such a file here, so a cheap one is made to claim it.
            let file = forged(cost);
            assert_eq!(
                ReaderKey::from_key_file(file.as_bytes(), Some(b"passphrase")).unwrap_err(),
                SealError::KeyFileMalformed(
                    "scrypt would take more than 256 MiB, or p is more than 4"
                )
            );
        }
    }

    #[test]
    fn impossible_costs_are_refused() {
        for (n, r, p) in [(0, 8, 1), (1, 8, 1), (3, 8, 1), (2, 0, 1), (2, 8, 0)] {
            let file = forged(Cost { n, r, p });
            assert_eq!(
                ReaderKey::from_key_file(file.as_bytes(), Some(b"passphrase")).unwrap_err(),
                SealError::KeyFileMalformed("the parameters of scrypt are not possible ones")
            );
        }
    }

    fn forged(cost: Cost) -> String {
        use pkcs8::der::asn1::OctetStringRef;
        use pkcs8::der::pem::LineEnding;
        use pkcs8::der::{Decode as _, SecretDocument};
        use pkcs8::pkcs5::EncryptionScheme;
        use pkcs8::pkcs5::pbes2::Kdf;

        let file = file(Suite::X25519, Some(b"passphrase"), CHEAP);
        let (line, pem) = file.split_once('\n').unwrap();
        let (_, document) = SecretDocument::from_pem(pem).unwrap();
        let mut info = pkcs8::EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).unwrap();
        let EncryptionScheme::Pbes2(mut scheme) = info.encryption_algorithm else { unreachable!() };
        let Kdf::Scrypt(mut scrypt) = scheme.kdf else { unreachable!() };
        (scrypt.cost_parameter, scrypt.block_size, scrypt.parallelization) =
            (cost.n, cost.r, cost.p);
        scheme.kdf = Kdf::Scrypt(scrypt);
        info.encryption_algorithm = EncryptionScheme::Pbes2(scheme);
        info.encrypted_data = OctetStringRef::new(info.encrypted_data.as_bytes()).unwrap();
        let document = SecretDocument::encode_msg(&info).unwrap();
        let pem = document.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
        alloc::format!("{line}\n{}", *pem)
    }

    #[test]
    fn a_key_beside_another_keys_line_is_refused() {
        for suite in Suite::ALL {
            let mine = file(*suite, None, CHEAP);
            let other = ReaderKey::generate(*suite, "Helpdesk", &mut rng(8));
            let line = other.unwrap().reader().to_string();
            let pem = mine.split_once('\n').unwrap().1;
            let mixed = alloc::format!("{line}\n{pem}");
            assert_eq!(
                ReaderKey::from_key_file(mixed.as_bytes(), None).unwrap_err(),
                SealError::KeyFileRejected
            );
        }
    }
}
