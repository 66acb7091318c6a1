//! What opening a record gives: the password, and evidence that it was opened.

use alloc::boxed::Box;
use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::secret::Password;

/// Evidence that somebody opened a record (FORMAT.md §4). Only who opens it, or made it, can know
/// these bytes; whoever has the record can check them. They tell nothing about the password.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct OpenedProof([u8; 32]);

impl OpenedProof {
    /// From the bytes that were stored or sent.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What stands in the core of the record.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

/// Whoever reads it could claim to have opened the record.
impl fmt::Debug for OpenedProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenedProof([redacted])")
    }
}

/// What [`ReaderKey::open`](super::ReaderKey::open) gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The password.
    pub password: Box<Password>,
    /// Evidence that the record was opened, for whoever stores it.
    pub proof: OpenedProof,
}
