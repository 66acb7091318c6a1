//! What is inside a record: the blind and the password, in a buffer that is wiped.

use alloc::boxed::Box;

use sha2::{Digest as _, Sha256};

use super::header::Commitments;
use super::{OpenedProof, SealError};
use crate::secret::{Password, SecretBytes};

/// Length of the blind r.
const BLIND: usize = 32;

/// r (32) ‖ length of the password (1) ‖ password ‖ zeros up to 128: always 161 bytes, so that a
/// record does not tell how long its password is (the length of a passphrase tells something about
/// its words).
pub(super) struct Plaintext(Box<SecretBytes<{ Self::LEN }>>);

impl Plaintext {
    pub(super) const LEN: usize = BLIND + 1 + Password::MAX_LEN;

    pub(super) fn zeroed() -> Self {
        Self(Box::new(SecretBytes::zeroed()))
    }

    pub(super) const fn bytes(&self) -> &[u8; Self::LEN] {
        self.0.expose_secret()
    }

    pub(super) const fn bytes_mut(&mut self) -> &mut [u8; Self::LEN] {
        self.0.expose_secret_mut()
    }

    fn blind(&self) -> &[u8] {
        self.bytes().get(..BLIND).unwrap_or_default()
    }

    /// The place of the blind.
    pub(super) fn blind_mut(&mut self) -> &mut [u8] {
        self.bytes_mut().get_mut(..BLIND).unwrap_or_default()
    }

    pub(super) fn set_password(&mut self, password: &Password) {
        let text = password.expose_secret().as_bytes();
        let Some((len, place)) =
            self.bytes_mut().get_mut(BLIND..).and_then(|rest| rest.split_first_mut())
        else {
            return;
        };
        *len = u8::try_from(text.len()).unwrap_or(0);
        place.fill(0);
        place.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    }

    /// The password's bytes, or nothing when the plaintext is not in the one accepted form.
    fn text(&self) -> Option<&str> {
        let (len, rest) = self.bytes().get(BLIND..)?.split_first()?;
        let (text, padding) = rest.split_at_checked(usize::from(*len))?;
        // Every byte is looked at, so that time tells nothing but the length.
        let clean = padding.iter().fold(0, |all, byte| all | byte) == 0;
        (clean && !text.is_empty()).then(|| core::str::from_utf8(text).ok()).flatten()
    }

    // FORMAT.md §4:
    //   commitment    = SHA-256("laps password v1" ‖ r ‖ password)
    //   opened digest = SHA-256(p)
    pub(super) fn commitments(&self) -> Commitments {
        let text = self.text().unwrap_or_default();
        let password = Sha256::new()
            .chain_update(b"laps password v1")
            .chain_update(self.blind())
            .chain_update(text)
            .finalize()
            .into();
        Commitments { password, opened: self.proof().digest() }
    }

    // FORMAT.md §4: p = SHA-256("laps opened v1" ‖ r)
    pub(super) fn proof(&self) -> OpenedProof {
        let hash = Sha256::new().chain_update(b"laps opened v1").chain_update(self.blind());
        OpenedProof::from_bytes(hash.finalize().into())
    }

    /// The password, in its own box.
    pub(super) fn to_password(&self) -> Result<Box<Password>, SealError> {
        let mut password = Box::new(Password::empty());
        password.set(self.text().ok_or(SealError::Rejected)?).map_err(|_| SealError::Rejected)?;
        Ok(password)
    }
}
