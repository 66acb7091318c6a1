//! Records that a device signed, and who checks that it did.

use rand_core::TryCryptoRng;

use super::record::ED25519;
use super::signer::core_message;
use super::{Header, Reader, Record, SealError, Signer, SignerKey, burn_stack, sealing};
use crate::random::Generator;
use crate::secret::Password;

impl Record {
    /// Seals a password and signs the core, so that a reader who knows the device's key can tell
    /// that the device made the password and nobody in between. The signature is classical;
    /// whoever is root on the device can make it, and a cloned image holds the same key.
    ///
    /// # Errors
    /// Those of [`Record::seal`].
    pub fn seal_signed<S: TryCryptoRng>(
        header: &Header,
        password: &Password,
        readers: &[Reader],
        signer: &SignerKey,
        generator: &mut Generator<S>,
    ) -> Result<Self, SealError> {
        let sealed = sealing::seal(header, password, readers, Some(signer), generator);
        burn_stack();
        sealed
    }

    /// Whether the core is signed, by whomever.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.signature().first() == Some(&ED25519)
    }

    /// Checks that this signer signed the core. Re-sealing keeps the signature.
    ///
    /// # Errors
    /// [`SealError::Rejected`] when there is no signature, it is another signer's, or it does not
    /// hold.
    pub fn verify_signature(&self, signer: &Signer) -> Result<(), SealError> {
        let signature = self.signature().strip_prefix(&[ED25519]);
        let signature = signature.and_then(|bytes| bytes.strip_prefix(signer.public_key()));
        let signature = signature.and_then(|bytes| bytes.try_into().ok());
        let message = core_message(self.core());
        if signature.is_some_and(|signature| signer.signed(&message, signature)) {
            Ok(())
        } else {
            Err(SealError::Rejected)
        }
    }
}
