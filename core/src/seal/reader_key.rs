//! The private half of a reader.

use alloc::boxed::Box;
use core::fmt;

use rand_core::TryCryptoRng;

use super::kem::Unwrapper;
use super::{Reader, ReaderId, SealError, Suite, burn_stack};
use crate::random::Generator;
use crate::secret::SecretBytes;

/// A reader's private key, set up once for any number of records and wiped when dropped.
///
/// There is no `Clone`, and `Debug` shows the public half only.
pub struct ReaderKey {
    secret: Box<SecretBytes<32>>,
    unwrapper: Unwrapper,
    reader: Reader,
}

impl ReaderKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`SealError::ReaderMalformed`] for a name that is not one; [`SealError::Random`] when the
    /// source fails.
    pub fn generate<S: TryCryptoRng>(
        suite: Suite,
        name: &str,
        generator: &mut Generator<S>,
    ) -> Result<Self, SealError> {
        let mut secret = Box::new(SecretBytes::zeroed());
        generator.fill_fresh(secret.expose_secret_mut())?;
        if suite == Suite::X25519 {
            // RFC 7748 §5: a scalar is used with these bits set so, and kept so: one key has one
            // file.
            let bytes = secret.expose_secret_mut();
            bytes[0] &= 0xf8;
            bytes[31] = (bytes[31] & 0x7f) | 0x40;
        }
        Self::from_secret(suite, secret, name)
    }

    /// From the 32 bytes that a key file holds (FORMAT.md §7).
    pub(super) fn from_secret(
        suite: Suite,
        secret: Box<SecretBytes<32>>,
        name: &str,
    ) -> Result<Self, SealError> {
        let [first, .., last] = *secret.expose_secret();
        if suite == Suite::X25519 && (first & 0x07, last & 0xc0) != (0, 0x40) {
            return Err(SealError::KeyFileRejected);
        }
        let unwrapper = Unwrapper::new(suite, &secret)?;
        let reader = Reader::new(suite, &unwrapper.public_key(), name);
        burn_stack();
        Ok(Self { secret, unwrapper, reader: reader? })
    }

    /// The public half.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The identity, by which records name it.
    #[must_use]
    pub const fn id(&self) -> ReaderId {
        self.reader.id()
    }

    pub(super) const fn unwrapper(&self) -> &Unwrapper {
        &self.unwrapper
    }

    pub(super) const fn secret(&self) -> &SecretBytes<32> {
        &self.secret
    }
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderKey").field("reader", &self.reader).finish_non_exhaustive()
    }
}
