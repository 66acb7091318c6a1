//! The one codec of canonical bytes: what each message, journal, row and file of ours is written
//! with and read by.
//!
//! Numbers are big-endian. In the *compact* form, that of the vault's rows, they take as many bytes
//! as they need (LEB128, the least byte first: DWARF 5, section 7.6). What was not written so is
//! not read: a value has one form.

#[cfg(feature = "vault")]
use alloc::{string::String, vec::Vec};
use core::fmt;

/// What takes bytes that are written.
pub(crate) trait Sink {
    /// Takes them, or remembers that it cannot.
    fn put(&mut self, bytes: &[u8]);
}

#[cfg(feature = "vault")]
impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A caller's buffer; it remembers when it was too small.
pub(crate) struct Buffer<'a> {
    bytes: &'a mut [u8],
    len: usize,
    full: bool,
}

impl Sink for Buffer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match self.bytes.get_mut(self.len..end) {
            Some(place) if !self.full => {
                place.copy_from_slice(bytes);
                self.len = end;
            }
            _ => self.full = true,
        }
    }
}

/// Writes.
#[derive(Default)]
pub(crate) struct Output<S> {
    sink: S,
    compact: bool,
}

impl<'a> Output<Buffer<'a>> {
    /// Writes into a caller's buffer.
    pub(crate) const fn into(bytes: &'a mut [u8]) -> Self {
        Self { sink: Buffer { bytes, len: 0, full: false }, compact: false }
    }

    /// What was written so far.
    pub(crate) fn written(&self) -> &[u8] {
        self.sink.bytes.get(..self.sink.len).unwrap_or_default()
    }

    /// The number of bytes written, or none when the buffer was too small.
    pub(crate) const fn finish(self) -> Option<usize> {
        if self.sink.full { None } else { Some(self.sink.len) }
    }
}

#[cfg(feature = "vault")]
impl Output<Vec<u8>> {
    /// In the compact form, with room for `len` bytes.
    pub(crate) fn compact(len: usize) -> Self {
        Self { sink: Vec::with_capacity(len), compact: true }
    }

    /// The bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.sink
    }
}

impl<S: Sink> Output<S> {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.sink.put(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    fn number(&mut self, mut value: u64, fixed: &[u8]) {
        if !self.compact {
            return self.bytes(fixed);
        }
        while value > 0x7f {
            self.u8(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.u8(value.to_le_bytes()[0]);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.number(value.into(), &value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.number(value.into(), &value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.number(value, &value.to_be_bytes());
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// A flag, then the value where there is one.
    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

#[cfg(feature = "vault")]
impl<S: Sink> Output<S> {
    /// A length or count of four bytes.
    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// A count of the bytes, then they.
    pub(crate) fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.bytes(bytes);
    }

    /// A count of the items, then they.
    pub(crate) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }
}

/// Reads from front to back; `None` for everything that was not written so.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
    at: usize,
    compact: bool,
}

impl<'a> Input<'a> {
    pub(crate) const fn new(rest: &'a [u8]) -> Self {
        Self { rest, at: 0, compact: false }
    }

    /// In the compact form.
    #[cfg(feature = "vault")]
    pub(crate) const fn compact(rest: &'a [u8]) -> Self {
        Self { rest, at: 0, compact: true }
    }

    /// How many bytes were read.
    #[cfg(feature = "seal")]
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// What was not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.at = self.at.saturating_add(len);
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// A number in as many bytes as it needs, and no more.
    fn number(&mut self) -> Option<u64> {
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

    pub(crate) fn u16(&mut self) -> Option<u16> {
        if self.compact {
            return self.number()?.try_into().ok();
        }
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        if self.compact {
            return self.number()?.try_into().ok();
        }
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        if self.compact { self.number() } else { self.array().map(u64::from_be_bytes) }
    }

    /// A flag: 0 or 1, nothing else.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    /// A length of two bytes, then that many bytes.
    pub(crate) fn field(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.bytes(len.into())
    }

    /// Nothing is left.
    pub(crate) fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

#[cfg(feature = "vault")]
impl<'a> Input<'a> {
    pub(crate) fn blob(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.u32()?).ok()?;
        self.bytes(len)
    }

    pub(crate) fn string(&mut self) -> Option<String> {
        core::str::from_utf8(self.blob()?).ok().map(String::from)
    }

    /// A list whose items take at least one byte each, so a wrong count cannot ask for memory.
    pub(crate) fn list<T>(
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
}

/// Bytes as lower-case hexadecimal digits, two for each.
///
/// ```
/// use laps_core::codec::{Hex, from_hex};
///
/// assert_eq!(Hex(&[0x0f, 0xa0]).to_string(), "0fa0");
/// assert_eq!(from_hex("0fa0"), Some([0x0f, 0xa0]));
/// assert_eq!(from_hex::<2>("0FA0"), None);
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it is its bytes")]
pub struct Hex<'a>(
    /// The bytes.
    pub &'a [u8],
);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads exactly `N` bytes from lower-case hexadecimal digits; none for anything else.
#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    const fn digit(digit: u8) -> Option<u8> {
        match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        }
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = [0; N];
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;

    fn read(bytes: &[u8]) -> Option<u64> {
        let mut input = Input { rest: bytes, at: 0, compact: true };
        let value = input.u64()?;
        input.end().map(|()| value)
    }

    #[test]
    fn a_compact_number_takes_the_bytes_it_needs_and_is_written_in_one_way_only() {
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut buffer = [0; 11];
                let mut out = Output { compact: true, ..Output::into(&mut buffer) };
                out.u64(value);
                let len = out.finish().unwrap();
                let bits = 64 - (value | 1).leading_zeros();
                assert_eq!(len, bits.div_ceil(7) as usize, "{value}");
                assert_eq!(read(&buffer[..len]), Some(value));
                // One byte more that adds nothing.
                buffer[len - 1] |= 0x80;
                buffer[len] = 0;
                assert_eq!(read(&buffer[..=len]), None, "{value}");
                assert_eq!(read(&buffer[..len]), None, "cut");
            }
        }
        let mut most = [0xff_u8; 10];
        most[9] = 1;
        assert_eq!(read(&most), Some(u64::MAX));
        most[9] = 2;
        assert_eq!(read(&most), None, "2^64 and more");
        // A number that its field has no room for.
        let mut input = Input { rest: &[0xff, 0xff, 4], at: 0, compact: true };
        assert_eq!(input.u16(), None);
    }

    #[test]
    fn what_has_no_room_is_not_written_and_nothing_after_it_is() {
        let mut buffer = [9; 3];
        let mut out = Output::into(&mut buffer);
        out.u16(0x0102);
        out.u16(0x0304);
        out.u8(5);
        assert_eq!(out.written(), [1, 2]);
        assert_eq!(out.finish(), None);
        assert_eq!(buffer, [1, 2, 9]);
    }

    #[test]
    fn a_flag_and_a_time_have_one_form() {
        for byte in 0..=u8::MAX {
            let flag = Input::new(&[byte]).flag();
            assert_eq!(flag, [Some(false), Some(true)].get(usize::from(byte)).copied().flatten());
        }
        let last = Timestamp::MAX.as_unix_seconds();
        assert_eq!(Input::new(&last.to_be_bytes()).time(), Some(Timestamp::MAX));
        assert_eq!(Input::new(&(last + 1).to_be_bytes()).time(), None);
    }

    #[test]
    fn hexadecimal_digits_have_one_form() {
        extern crate alloc;
        use alloc::string::ToString as _;
        let all: [u8; 256] = core::array::from_fn(|byte| byte.to_le_bytes()[0]);
        let text = Hex(&all).to_string();
        assert_eq!(from_hex(&text), Some(all));
        assert_eq!(from_hex::<255>(&text), None);
        assert_eq!(from_hex::<256>(&text[1..]), None);
        for wrong in ["0A", "0g", " 0", "0x", "é"] {
            assert_eq!(from_hex::<1>(wrong), None, "{wrong}");
        }
    }
}
