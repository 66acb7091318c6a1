//! Key files: a reader's line, then its private key as PKCS#8 (FORMAT.md §7).

use alloc::string::String;

use rand_core::TryCryptoRng;

use super::{ReaderKey, SealError};

impl ReaderKey {
    /// The key as the text of a key file: encrypted under the passphrase, or in clear without one.
    ///
    /// # Errors
    /// [`SealError::Random`] when the source fails.
    pub fn to_key_file<R: TryCryptoRng>(
        &self,
        passphrase: Option<&[u8]>,
        rng: &mut R,
    ) -> Result<String, SealError> {
        let _ = (passphrase, rng, self.secret());
        Err(SealError::KeyFileMalformed("key files are not written yet"))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`SealError::KeyFileMalformed`] when the file does not parse; [`SealError::KeyFileRejected`] when the
    /// passphrase is wrong or the inside damaged; [`SealError::PassphraseMissing`],
    /// [`SealError::PassphraseUnexpected`].
    pub fn from_key_file(file: &[u8], passphrase: Option<&[u8]>) -> Result<Self, SealError> {
        let _ = (file, passphrase);
        Err(SealError::KeyFileMalformed("key files are not read yet"))
    }
}
