//! Writing and reading canonical bytes: a length before everything that has one, a checksum at the
//! end. Numbers are big-endian; in the rows of a store, which a check-in reads and writes whole,
//! they take as many bytes as they need (LEB128, the least byte first: DWARF 5, section 7.6).

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
const ROW: u8 = 1;

/// How many bytes a checksum has.
const CHECK: usize = 8;

/// XXH3 with 64 bits, seed 0 (the xxHash specification), for what is read at every call: it finds
/// damage as well as SHA-256 cut to the same length, in a tenth of the time.
fn sum(bytes: &[u8]) -> [u8; CHECK] {
    XxHash3_64::oneshot(bytes).to_be_bytes()
}

/// Writes.
#[derive(Default)]
pub(super) struct Out {
    bytes: Vec<u8>,
    /// Whether numbers take as many bytes as they need.
    short: bool,
}

impl Out {
    /// A row, with room for so many bytes.
    pub(super) fn row(len: usize) -> Self {
        let mut out = Self { bytes: Vec::with_capacity(len), short: true };
        out.u8(ROW);
        out
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn short(&mut self, mut value: u64) {
        while value > 0x7f {
            self.u8(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.u8(value.to_le_bytes()[0]);
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    pub(super) fn u16(&mut self, value: u16) {
        if self.short { self.short(value.into()) } else { self.bytes(&value.to_be_bytes()) }
    }

    pub(super) fn u32(&mut self, value: u32) {
        if self.short { self.short(value.into()) } else { self.bytes(&value.to_be_bytes()) }
    }

    pub(super) fn u64(&mut self, value: u64) {
        if self.short { self.short(value) } else { self.bytes(&value.to_be_bytes()) }
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
        self.bytes
    }

    /// The bytes, with the beginning of their SHA-256.
    pub(super) fn sealed(mut self) -> Vec<u8> {
        let check: [u8; CHECK] = digest(&self.bytes);
        self.bytes(&check);
        self.bytes
    }

    /// The bytes, with their XXH3.
    pub(super) fn summed(mut self) -> Vec<u8> {
        let check = sum(&self.bytes);
        self.bytes(&check);
        self.bytes
    }
}

/// Reads; `None` for everything that was not written so.
#[derive(Clone, Copy)]
pub(super) struct In<'a> {
    rest: &'a [u8],
    /// Whether numbers take as many bytes as they need.
    short: bool,
}

impl<'a> In<'a> {
    /// Bytes without a checksum.
    pub(super) const fn plain(rest: &'a [u8]) -> Self {
        Self { rest, short: false }
    }

    /// What was not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Checks what [`Out::sealed`] wrote.
    pub(super) fn checked(bytes: &'a [u8]) -> Option<Self> {
        let (bytes, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
        (digest::<CHECK>(bytes) == check).then_some(Self::plain(bytes))
    }

    /// Checks what [`Out::summed`] wrote.
    fn summed(bytes: &'a [u8]) -> Option<Self> {
        let (bytes, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
        (sum(bytes) == check).then_some(Self::plain(bytes))
    }

    /// A row: [`ROW`] in front and an XXH3 behind.
    pub(super) fn row(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Self::summed(bytes)?;
        input.short = true;
        (input.u8()? == ROW).then_some(input)
    }

    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// A number in as many bytes as it needs, and no more.
    fn short(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            value |= bits << shift;
            // What does not fit would be shifted out.
            if value >> shift != bits {
                return None;
            }
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(value);
            }
        }
        None
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
        if self.short {
            u16::try_from(self.short()?).ok()
        } else {
            self.array().map(u16::from_be_bytes)
        }
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        if self.short {
            u32::try_from(self.short()?).ok()
        } else {
            self.array().map(u32::from_be_bytes)
        }
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        if self.short { self.short() } else { self.array().map(u64::from_be_bytes) }
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
        self.rest.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<u64> {
        let mut input = In { rest: bytes, short: true };
        let value = input.u64()?;
        input.end().map(|()| value)
    }

    #[test]
    fn a_number_takes_the_bytes_it_needs_and_is_written_in_one_way_only() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut out = Out { short: true, ..Out::default() };
                out.u64(value);
                let bits = 64 - (value | 1).leading_zeros();
                assert_eq!(out.bytes.len(), bits.div_ceil(7) as usize, "{value}");
                assert_eq!(read(&out.bytes), Some(value));
                // One byte more that adds nothing.
                let last = out.bytes.len() - 1;
                let mut longer = out.bytes.clone();
                longer[last] |= 0x80;
                longer.push(0);
                assert_eq!(read(&longer), None, "{value}");
                assert_eq!(read(&longer[..=last]), None, "cut");
            }
        }
        let mut most = [0xff_u8; 10];
        most[9] = 1;
        assert_eq!(read(&most), Some(u64::MAX));
        most[9] = 2;
        assert_eq!(read(&most), None, "2^64 and more");
        // A number that its field has no room for.
        let mut input = In { rest: &[0xff, 0xff, 4], short: true };
        assert_eq!(input.u16(), None);
    }
}
