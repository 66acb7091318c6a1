//! Writing and reading canonical bytes: numbers big-endian, a length before everything that has one, a checksum at the end.

use alloc::{string::String, vec::Vec};

use sha2::{Digest as _, Sha256};
use twox_hash::XxHash3_64;

use crate::identity::{RecordId, Text, Timestamp};

/// The first bytes of SHA-256: they find damage, not malice.
pub(super) fn digest<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash = Sha256::digest(bytes);
    let mut short = [0; N];
    short.iter_mut().zip(hash).for_each(|(short, byte)| *short = byte);
    short
}

/// The first byte of a row.
pub(super) const ROW: u8 = 2;
/// The first byte of a row that a schema before 4 wrote. What follows is the same.
const OLD_ROW: u8 = 1;

/// How many bytes a checksum has.
const CHECK: usize = 8;

/// XXH3 with 64 bits, seed 0 (the xxHash specification), for what is read at every call: it finds damage as well as SHA-256 cut
/// to the same length, in a tenth of the time.
fn sum(bytes: &[u8]) -> [u8; CHECK] {
    XxHash3_64::oneshot(bytes).to_be_bytes()
}

/// Writes.
#[derive(Default)]
pub(super) struct Out(Vec<u8>);

impl Out {
    /// With room for so many bytes.
    pub(super) fn with_capacity(len: usize) -> Self {
        Self(Vec::with_capacity(len))
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        self.u64(time.as_unix_seconds());
    }

    pub(super) fn id(&mut self, id: RecordId) {
        self.bytes(id.as_bytes());
    }

    pub(super) fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.bytes(bytes);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    /// The bytes as they are.
    pub(super) fn plain(self) -> Vec<u8> {
        self.0
    }

    /// The bytes, with the beginning of their SHA-256.
    pub(super) fn sealed(mut self) -> Vec<u8> {
        let check: [u8; CHECK] = digest(&self.0);
        self.bytes(&check);
        self.0
    }

    /// The bytes, with their XXH3.
    pub(super) fn summed(mut self) -> Vec<u8> {
        let check = sum(&self.0);
        self.bytes(&check);
        self.0
    }
}

/// Reads; `None` for everything that was not written so.
#[derive(Clone, Copy)]
pub(super) struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    /// Bytes without a checksum.
    pub(super) const fn plain(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What was not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Checks what [`Out::sealed`] wrote.
    pub(super) fn checked(bytes: &'a [u8]) -> Option<Self> {
        let (bytes, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
        (digest::<CHECK>(bytes) == check).then_some(Self(bytes))
    }

    /// Checks what [`Out::summed`] wrote.
    fn summed(bytes: &'a [u8]) -> Option<Self> {
        let (bytes, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
        (sum(bytes) == check).then_some(Self(bytes))
    }

    /// A row: [`ROW`] in front and an XXH3 behind, or [`OLD_ROW`] and a SHA-256.
    pub(super) fn row(bytes: &'a [u8]) -> Option<Self> {
        let mut input = match *bytes.first()? {
            ROW => Self::summed(bytes)?,
            OLD_ROW => Self::checked(bytes)?,
            _ => return None,
        };
        input.u8()?;
        Some(input)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn time(&mut self) -> Option<Timestamp> {
        self.u64().map(Timestamp::from_unix_seconds)
    }

    pub(super) fn id(&mut self) -> Option<RecordId> {
        self.array().map(RecordId::from_bytes)
    }

    pub(super) fn blob(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u32()?).ok()?;
        self.bytes(len)
    }

    pub(super) fn string(&mut self) -> Option<String> {
        core::str::from_utf8(self.blob()?).ok().map(String::from)
    }

    pub(super) fn text<const N: usize>(&mut self) -> Option<Text<N>> {
        Text::from_bytes(self.blob()?).ok()
    }

    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    /// A list whose items take at least one byte each, so a wrong count cannot ask for memory.
    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.u32()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(read(self)?);
        }
        Some(items)
    }

    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
