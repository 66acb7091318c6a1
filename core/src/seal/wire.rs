//! Reading bytes in order, with the place of whatever is wrong.

use super::SealError;

/// Bytes that are read from front to back.
pub(super) struct Input<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) const fn malformed(&self, what: &'static str) -> SealError {
        SealError::Malformed { at: self.at, what }
    }

    pub(super) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], SealError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.malformed(what))?;
        self.rest = rest;
        self.at = self.at.saturating_add(len);
        Ok(head)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], SealError> {
        let wrong = self.malformed(what);
        self.take(N, what)?.try_into().map_err(|_| wrong)
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, SealError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, SealError> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, SealError> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, SealError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// A field with its length, two bytes, in front.
    pub(super) fn field(&mut self, what: &'static str) -> Result<&'a [u8], SealError> {
        let len = self.u16(what)?;
        self.take(len.into(), what)
    }
}
