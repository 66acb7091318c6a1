//! Secrets: inline, wiped when dropped, redacted when printed, read through one door.
//!
//! There is no `Clone`, `PartialEq`, `Display` or serialisation. [`Password::expose_secret`] is the
//! only way to the text, so that every use can be found with one search. A value that is moved
//! leaves its old bytes behind, as every Rust value does: what is long-lived belongs in a `Box`,
//! filled in place.

use core::fmt;
use core::hint::black_box;

use ctutils::CtEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password: at most [`Password::MAX_LEN`] bytes of UTF-8, inline.
///
/// The bytes behind the text are zero at all times.
///
/// ```
/// use laps_core::secret::Password;
///
/// let password = Password::try_from_str("correct horse")?;
/// assert_eq!(format!("{password:?}").contains("horse"), false);
/// assert_eq!(password.expose_secret(), "correct horse");
/// # Ok::<(), laps_core::secret::TooLong>(())
/// ```
pub struct Password {
    len: u8,
    bytes: [u8; Self::MAX_LEN],
}

impl Password {
    /// The longest password in bytes. Windows accepts 127 characters in its dialogs; a recipe makes
    /// at most 128.
    pub const MAX_LEN: usize = 128;

    /// An empty password, to be filled in place.
    #[must_use]
    pub const fn empty() -> Self {
        Self { bytes: [0; Self::MAX_LEN], len: 0 }
    }

    /// A password from text that came from elsewhere (a record, a prompt).
    ///
    /// # Errors
    /// [`TooLong`] above [`Password::MAX_LEN`] bytes.
    pub fn try_from_str(text: &str) -> Result<Self, TooLong> {
        let mut password = Self::empty();
        password.set(text)?;
        Ok(password)
    }

    /// Replaces the text in place.
    ///
    /// # Errors
    /// [`TooLong`] above [`Password::MAX_LEN`] bytes; the password is then empty.
    pub fn set(&mut self, text: &str) -> Result<(), TooLong> {
        self.zeroize();
        let len = u8::try_from(text.len()).map_err(|_| TooLong)?;
        self.bytes.get_mut(..text.len()).ok_or(TooLong)?.copy_from_slice(text.as_bytes());
        self.len = len;
        Ok(())
    }

    /// Lets `fill` write ASCII bytes into the first `most` bytes of the buffer, which hold what was
    /// there before; it returns how many make the text. The highest bit of every byte of the
    /// text is cleared, so that it is ASCII without a look at it, and what stands behind it is
    /// wiped. After an error the password is empty.
    #[inline]
    pub(crate) fn try_fill_ascii<E>(
        &mut self,
        most: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let most = most.min(Self::MAX_LEN);
        let len = match fill(self.bytes.get_mut(..most).unwrap_or_default()) {
            Ok(len) => u8::try_from(len.min(most)).unwrap_or(0),
            Err(error) => {
                self.zeroize();
                return Err(error);
            }
        };
        // Whatever was not written, now or before, is zero already: most texts fit into sixteen
        // bytes. The buffer stays in use, so that plain writes are not left out.
        let used = most.max(usize::from(self.len)).div_ceil(WIPED);
        let (chunks, _) = self.bytes.as_chunks_mut::<WIPED>();
        for (chunk, start) in chunks.iter_mut().take(used).zip((0_u8..).step_by(WIPED)) {
            let here = len.saturating_sub(start);
            for (byte, position) in chunk.iter_mut().zip(0_u8..) {
                *byte &= if position < here { 0x7f } else { 0 };
            }
        }
        self.len = len;
        Ok(())
    }

    /// The text. The one door.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        // Both ways in guarantee UTF-8.
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Length in bytes. The length of a password is not treated as secret.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether two passwords are equal, in a time that depends on nothing but the type.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        (self.bytes.ct_eq(&other.bytes) & self.len.ct_eq(&other.len)).to_bool()
    }
}

impl Zeroize for Password {
    fn zeroize(&mut self) {
        self.bytes = [0; Self::MAX_LEN];
        self.len = 0;
        // Whole words at once, and seen by the compiler as used: 128 volatile writes would take
        // longer than making a password does.
        zeroize::optimization_barrier(self);
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

#[cfg(feature = "secrecy")]
impl secrecy::ExposeSecret<str> for Password {
    fn expose_secret(&self) -> &str {
        Self::expose_secret(self)
    }
}

/// Bytes of a password that are masked together.
const WIPED: usize = 16;

/// Secret bytes of a fixed length: a key, a seed, the blind of a commitment.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct SecretBytes<const N: usize>([u8; N]);

impl<const N: usize> SecretBytes<N> {
    /// All zero, to be filled in place.
    #[must_use]
    pub(crate) const fn zeroed() -> Self {
        Self([0; N])
    }

    /// The bytes. The one door.
    #[must_use]
    pub(crate) const fn expose_secret(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be filled in place.
    #[must_use]
    pub(crate) const fn expose_secret_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> fmt::Debug for SecretBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes([redacted])")
    }
}

/// Makes one bit public: whether `bits` are all zero. Called for whether a whole redraw is kept,
/// for which rules a checked password breaks, and for whether a seed is stuck: nothing else.
///
/// The read at a secret address is deliberate: the valgrind test reports it here, and knows that it
/// may.
#[inline(never)]
pub(crate) fn declassify(bits: u64) -> bool {
    let answers = black_box([true, false]);
    answers.get(usize::from(bits != 0)).copied().unwrap_or(false)
}

/// Makes the length of a passphrase public, as [`declassify`] does with one bit.
#[cfg(feature = "passphrase")]
#[inline(never)]
pub(crate) fn declassify_length(length: u64) -> usize {
    let lengths: [u8; 129] = black_box(LENGTHS);
    let place = usize::try_from(length).unwrap_or(0);
    usize::from(lengths.get(place).copied().unwrap_or(0))
}

/// 0 to 128.
#[cfg(feature = "passphrase")]
const LENGTHS: [u8; 129] = {
    let mut lengths = [0; 129];
    let mut rest: &mut [u8] = &mut lengths;
    let mut length = 0;
    while let Some((place, more)) = rest.split_first_mut() {
        *place = length;
        length += 1;
        rest = more;
    }
    lengths
};

/// Text above [`Password::MAX_LEN`] bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TooLong;

impl TooLong {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> crate::error::Code {
        crate::error::Code::InvalidArgument
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a password has at most {} bytes", Password::MAX_LEN)
    }
}

impl core::error::Error for TooLong {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn debug_is_redacted() {
        let password = Password::try_from_str("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "Password([redacted])");
        assert_eq!(format!("{:?}", SecretBytes::<4>::zeroed()), "SecretBytes([redacted])");
    }

    #[test]
    fn text_survives_and_too_long_is_refused() {
        let mut password = Password::try_from_str("pässword").unwrap();
        assert_eq!(password.expose_secret(), "pässword");
        assert_eq!(password.len(), 9);
        let long = "a".repeat(Password::MAX_LEN + 1);
        assert_eq!(password.set(&long), Err(TooLong));
        assert!(password.is_empty());
        assert!(Password::try_from_str(&long[1..]).is_ok());
    }

    #[test]
    fn equality_sees_text_and_length() {
        let a = Password::try_from_str("abc").unwrap();
        assert!(a.equals(&Password::try_from_str("abc").unwrap()));
        assert!(!a.equals(&Password::try_from_str("abd").unwrap()));
        assert!(!a.equals(&Password::try_from_str("abc\0").unwrap()));
    }

    #[test]
    fn filling_leaves_ascii_and_zeros_behind_it() {
        let mut password = Password::try_from_str("a longer text").unwrap();
        let filled: Result<(), TooLong> = password.try_fill_ascii(16, |bytes| {
            bytes[..5].copy_from_slice(b"ab\xe3XX");
            Ok(3)
        });
        assert_eq!(filled, Ok(()));
        assert_eq!(password.expose_secret(), "abc");
        assert!(password.bytes[3..].iter().all(|b| *b == 0));
        let mut longer = Password::try_from_str(&"x".repeat(100)).unwrap();
        let refilled: Result<(), TooLong> = longer.try_fill_ascii(32, |bytes| {
            bytes.fill(b'y');
            Ok(31)
        });
        assert_eq!(refilled, Ok(()));
        assert_eq!(longer.expose_secret(), "y".repeat(31));
        assert!(longer.bytes[31..].iter().all(|b| *b == 0));
        let failed = password.try_fill_ascii(128, |bytes| {
            bytes[0] = b'x';
            Err(TooLong)
        });
        assert_eq!(failed, Err(TooLong));
        assert!(password.is_empty() && password.bytes.iter().all(|b| *b == 0));
    }
}
