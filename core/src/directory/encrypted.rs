//! `msLAPS-EncryptedPassword` (`[MS-ADA2]` 2.65, windows-laps §5.3): a header in clear, then a
//! DPAPI-NG blob.

use super::{DirectoryError, Filetime};

/// One value of `msLAPS-EncryptedPassword` or of its history.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EncryptedPassword<'a> {
    /// When the password was set: readable without any right to decrypt. None where no such time
    /// can have been, as when a writer swapped its halves; the blob is whole all the same.
    pub updated: Option<Filetime>,
    /// The DPAPI-NG blob; [`super::ProtectedBlob`] reads what is in clear.
    pub blob: &'a [u8],
}

impl<'a> EncryptedPassword<'a> {
    /// Reads the attribute's value: time (the high half before the low one), size, reserved zero,
    /// blob; little-endian.
    ///
    /// # Errors
    /// [`DirectoryError`] says which part is wrong.
    pub fn read(bytes: &'a [u8]) -> Result<Self, DirectoryError> {
        const SHORT: DirectoryError =
            DirectoryError::new("msLAPS-EncryptedPassword is shorter than its header of 16 bytes");
        let (head, blob) = bytes.split_first_chunk::<16>().ok_or(SHORT)?;
        let mut words = head.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
        let mut word = || words.next().ok_or(SHORT);
        let (high, low, size, reserved) = (word()?, word()?, word()?, word()?);
        if reserved != 0 {
            return Err(DirectoryError::new(
                "the reserved word of msLAPS-EncryptedPassword is not zero",
            ));
        }
        if usize::try_from(size) != Ok(blob.len()) {
            return Err(DirectoryError::new(
                "msLAPS-EncryptedPassword has another size than it says",
            ));
        }
        let updated = Filetime::from_ticks((u64::from(high) << 32) | u64::from(low));
        Ok(Self { updated: updated.filter(|time| time.is_plausible()), blob })
    }
}
