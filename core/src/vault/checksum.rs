//! Checksums, and the rows of a store: they find damage, not malice.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};
use twox_hash::XxHash3_64;

use crate::codec::{Input, Output};

/// The first bytes of SHA-256.
pub(super) fn digest<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash = Sha256::digest(bytes);
    let mut short = [0; N];
    short.iter_mut().zip(hash).for_each(|(short, byte)| *short = byte);
    short
}

/// The first byte of a row.
const ROW: u8 = 1;

/// How many bytes a checksum has.
const CHECK: usize = 8;

/// XXH3 with 64 bits, seed 0 (the xxHash specification), for what is read at every call: it finds
/// damage as well as SHA-256 cut to the same length, in a tenth of the time.
fn sum(bytes: &[u8]) -> [u8; CHECK] {
    XxHash3_64::oneshot(bytes).to_be_bytes()
}

/// The bytes before the checksum, where it is theirs.
fn checked(bytes: &[u8], check: impl FnOnce(&[u8]) -> [u8; CHECK]) -> Option<&[u8]> {
    let (bytes, found) = bytes.split_last_chunk()?;
    (check(bytes) == *found).then_some(bytes)
}

impl Output<Vec<u8>> {
    /// A row, with room for `len` bytes.
    pub(super) fn row(len: usize) -> Self {
        let mut out = Self::compact(len);
        out.u8(ROW);
        out
    }

    /// The bytes, with the beginning of their SHA-256.
    pub(super) fn sealed(self) -> Vec<u8> {
        let mut bytes = self.into_bytes();
        bytes.extend(digest::<CHECK>(&bytes));
        bytes
    }

    /// The bytes, with their XXH3.
    pub(super) fn summed(self) -> Vec<u8> {
        let mut bytes = self.into_bytes();
        bytes.extend(sum(&bytes));
        bytes
    }
}

impl<'a> Input<'a> {
    /// Checks what [`Output::sealed`] wrote.
    pub(super) fn sealed(bytes: &'a [u8]) -> Option<Self> {
        checked(bytes, digest).map(Self::new)
    }

    /// A row: [`ROW`] in front and an XXH3 behind.
    pub(super) fn row(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Self::compact(checked(bytes, sum)?);
        (input.u8()? == ROW).then_some(input)
    }
}
