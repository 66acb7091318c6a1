//! Bounded reading and writing of canonical bytes. Numbers are big-endian.

use super::set::{IdSet, ReaderIds};
use crate::identity::{RecordId, Text, Timestamp};

/// Writes into a caller's buffer; remembers when it was too small.
pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0, full: false }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match self.out.get_mut(self.len..end) {
            Some(place) if !self.full => {
                place.copy_from_slice(bytes);
                self.len = end;
            }
            _ => self.full = true,
        }
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
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

    /// A flag, 0 or 1, then the value when there is one.
    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// A length of two bytes, then the text.
    pub(super) fn text<const N: usize>(&mut self, text: &Text<N>) {
        let bytes = text.as_str().as_bytes();
        self.u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        self.bytes(bytes);
    }

    pub(super) fn id(&mut self, id: RecordId) {
        self.bytes(id.as_bytes());
    }

    /// A count of one byte, then the ids in increasing order.
    pub(super) fn ids(&mut self, ids: &IdSet) {
        self.u8(u8::try_from(ids.len()).unwrap_or(u8::MAX));
        for id in ids.iter() {
            self.id(id);
        }
    }

    /// A count of one byte, then the reader ids in increasing order.
    pub(super) fn readers(&mut self, ids: &ReaderIds) {
        self.u8(u8::try_from(ids.as_slice().len()).unwrap_or(u8::MAX));
        for id in ids.as_slice() {
            self.bytes(id);
        }
    }

    /// What was written so far.
    pub(super) fn written(&self) -> &[u8] {
        self.out.get(..self.len).unwrap_or_default()
    }

    /// The number of bytes written, or none when the buffer was too small.
    pub(super) const fn finish(self) -> Option<usize> {
        if self.full { None } else { Some(self.len) }
    }
}

/// Reads canonical bytes; `None` for everything that is not.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
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

    /// A flag: 0 or 1, nothing else.
    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A time that does not lie beyond the year 9999.
    pub(super) fn time(&mut self) -> Option<Timestamp> {
        let seconds = self.u64()?;
        let time = Timestamp::from_unix_seconds(seconds);
        (time.as_unix_seconds() == seconds).then_some(time)
    }

    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    pub(super) fn text<const N: usize>(&mut self) -> Option<Text<N>> {
        let len = usize::from(self.u16()?);
        Text::from_bytes(self.bytes(len)?).ok()
    }

    pub(super) fn id(&mut self) -> Option<RecordId> {
        self.array().map(RecordId::from_bytes)
    }

    /// At most sixteen ids, strictly increasing.
    pub(super) fn ids(&mut self) -> Option<IdSet> {
        let count = self.u8()?;
        let mut set = IdSet::EMPTY;
        for _ in 0..count {
            let id = self.id()?;
            if set.as_slice().last().is_some_and(|last| *last >= id) {
                return None;
            }
            set.insert(id).ok()?;
        }
        Some(set)
    }

    /// At most sixteen reader ids, strictly increasing.
    pub(super) fn readers(&mut self) -> Option<ReaderIds> {
        let count = self.u8()?;
        let mut set = ReaderIds::EMPTY;
        for _ in 0..count {
            let id: [u8; 32] = self.array()?;
            if set.as_slice().last().is_some_and(|last| *last >= id) {
                return None;
            }
            set.insert(id).ok()?;
        }
        Some(set)
    }

    /// Nothing is left.
    pub(super) fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}
