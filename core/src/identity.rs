//! Which scope, device, account and record something is about (protocol §1).
//!
//! Everything here is public data, inline and bounded, so that the rotation machine needs no heap.

use core::fmt;

use rand_core::TryCryptoRng;

use crate::calendar;
use crate::codec::{self, Hex, Input, Output, Sink};
use crate::error::Code;
use crate::random::{Generator, RandomError};

/// At most `BYTES` bytes of UTF-8 without control characters, inline.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Text<const BYTES: usize> {
    // Unused bytes are zero, so that the derived comparisons are those of the text, then of the
    // length.
    bytes: [u8; BYTES],
    len: u16,
}

/// A tenant, opaque; empty by default (protocol §1.3).
pub type Scope = Text<64>;
/// What the vault calls a device: the Entra device id, a name, a serial number.
pub type DeviceId = Text<128>;
/// The name of a local account: at most 64 characters (Windows itself stops at 20), so at most 256
/// bytes.
pub type AccountName = Text<256>;

impl<const BYTES: usize> Text<BYTES> {
    /// The empty text.
    pub const EMPTY: Self = Self { bytes: [0; BYTES], len: 0 };

    /// Takes a text over.
    ///
    /// # Errors
    /// [`InvalidText`] when it is longer than `BYTES` bytes or holds a control character.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        let mut bytes = [0; BYTES];
        let len = u16::try_from(text.len()).map_err(|_| InvalidText { max: BYTES })?;
        if text.chars().any(char::is_control) {
            return Err(InvalidText { max: BYTES });
        }
        bytes
            .get_mut(..text.len())
            .ok_or(InvalidText { max: BYTES })?
            .copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len })
    }

    /// Takes bytes over, when they are such a text.
    ///
    /// # Errors
    /// [`InvalidText`] when they are not UTF-8, longer than `BYTES`, or hold a control character.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidText> {
        Self::new(core::str::from_utf8(bytes).map_err(|_| InvalidText { max: BYTES })?)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<const BYTES: usize> Default for Text<BYTES> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const BYTES: usize> fmt::Debug for Text<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const BYTES: usize> fmt::Display for Text<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Not a text of this kind: too long, not UTF-8, or with control characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InvalidText {
    /// The most bytes that are accepted.
    pub max: usize,
}

impl InvalidText {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::InvalidArgument
    }
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not at most {} bytes of UTF-8 without control characters", self.max)
    }
}

impl core::error::Error for InvalidText {}

/// 128 random bits, drawn for every password made (protocol §1.1). Written as 32 lower-case
/// hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// Draws one, of fresh bytes of the generator's source.
    ///
    /// # Errors
    /// Those of [`Generator::reseed`].
    pub fn generate<S: TryCryptoRng>(generator: &mut Generator<S>) -> Result<Self, RandomError> {
        let mut bytes = [0; 16];
        generator.fill_fresh(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// From the bytes that were drawn or read.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From exactly 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        codec::from_hex(text).map(Self)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Seconds since 1970-01-01 UTC, without leap seconds; at most the end of the year 9999.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// From seconds; later times become [`Timestamp::MAX`].
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        if seconds > Self::MAX.0 { Self::MAX } else { Self(seconds) }
    }

    /// Seconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn as_unix_seconds(self) -> u64 {
        self.0
    }

    /// Later by so many seconds, at most [`Timestamp::MAX`].
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self::from_unix_seconds(self.0.saturating_add(seconds))
    }

    /// Earlier by so many seconds, at least zero.
    #[must_use]
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds since an earlier time; zero when that one is later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// RFC 3339 in UTC: `2026-11-22T21:04:05Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;
        /// From 1601-01-01 to 1970-01-01.
        const EPOCH_DAYS: u64 = 134_774;
        let (days, clock) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = calendar::date(days.saturating_add(EPOCH_DAYS));
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            clock.div_euclid(3600),
            clock.div_euclid(60).rem_euclid(60),
            clock.rem_euclid(60)
        )
    }
}

impl<S: Sink> Output<S> {
    pub(crate) fn time(&mut self, time: Timestamp) {
        self.u64(time.as_unix_seconds());
    }

    pub(crate) fn id(&mut self, id: RecordId) {
        self.bytes(id.as_bytes());
    }

    /// A length of two bytes, then the text.
    pub(crate) fn text<const N: usize>(&mut self, text: &Text<N>) {
        let bytes = text.as_str().as_bytes();
        self.u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        self.bytes(bytes);
    }
}

impl Input<'_> {
    /// A time that does not lie beyond the year 9999.
    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        let seconds = self.u64()?;
        let time = Timestamp::from_unix_seconds(seconds);
        (time.as_unix_seconds() == seconds).then_some(time)
    }

    pub(crate) fn id(&mut self) -> Option<RecordId> {
        self.array().map(RecordId::from_bytes)
    }

    /// A length of two bytes, then the text.
    pub(crate) fn text<const N: usize>(&mut self) -> Option<Text<N>> {
        Text::from_bytes(self.field()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString as _};

    #[test]
    fn texts_are_bounded_and_without_control_characters() {
        assert_eq!(Text::<4>::new("äöx"), Err(InvalidText { max: 4 }));
        assert_eq!(Text::<4>::new("äö").unwrap().as_str(), "äö");
        assert_eq!(Text::<4>::new("a\nb"), Err(InvalidText { max: 4 }));
        assert_eq!(Text::<4>::from_bytes(&[0xff]), Err(InvalidText { max: 4 }));
        assert!(DeviceId::EMPTY.is_empty());
    }

    #[test]
    fn record_ids_are_32_lower_case_digits() {
        let id = RecordId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string(), "ab".repeat(16));
        assert_eq!(RecordId::from_hex(&id.to_string()), Some(id));
        assert_eq!(RecordId::from_hex(&format!("{id}0")), None);
        assert_eq!(RecordId::from_hex(&"AB".repeat(16)), None);
    }

    #[test]
    fn times_are_written_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_000_000, "2026-11-18T11:06:40Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp::from_unix_seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn times_do_not_wrap() {
        assert_eq!(Timestamp::MAX.plus(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::default().minus(1), Timestamp::default());
        assert_eq!(
            Timestamp::from_unix_seconds(5).seconds_since(Timestamp::from_unix_seconds(9)),
            0
        );
    }
}
