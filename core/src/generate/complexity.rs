//! The eight complexity levels of Windows LAPS, with Microsoft's exact sets.

use core::fmt;

use super::chars::CharSet;
use crate::error::Code;

/// `PasswordComplexity` of Windows LAPS.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[repr(u8)]
pub enum Complexity {
    /// Upper-case letters.
    Upper = 1,
    /// Upper-case and lower-case letters.
    UpperLower = 2,
    /// Upper-case and lower-case letters and digits.
    UpperLowerDigits = 3,
    /// Upper-case and lower-case letters, digits and 18 special characters. The default of Windows.
    Full = 4,
    /// As [`Complexity::Full`], without characters that are easily confused.
    Readable = 5,
    /// Words of the EFF's long list.
    LongWords = 6,
    /// Words of the EFF's short list.
    ShortWords = 7,
    /// Words of the EFF's short list whose first three letters are unique.
    ShortUniqueWords = 8,
}

impl Complexity {
    /// Every level, in order.
    pub const ALL: [Self; 8] = [
        Self::Upper,
        Self::UpperLower,
        Self::UpperLowerDigits,
        Self::Full,
        Self::Readable,
        Self::LongWords,
        Self::ShortWords,
        Self::ShortUniqueWords,
    ];

    /// The number, 1 to 8.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// Whether it makes passphrases (6 to 8).
    #[must_use]
    pub(crate) const fn is_passphrase(self) -> bool {
        self.as_u8() >= Self::LongWords.as_u8()
    }

    /// The sets of characters, each of which a password must use; none for passphrases.
    #[must_use]
    pub(crate) const fn sets(self) -> &'static [CharSet] {
        match self {
            Self::Upper => &[UPPER],
            Self::UpperLower => &[UPPER, LOWER],
            Self::UpperLowerDigits => &[UPPER, LOWER, DIGITS],
            Self::Full => &[UPPER, LOWER, DIGITS, SYMBOLS],
            Self::Readable => &[READABLE_UPPER, READABLE_LOWER, READABLE_DIGITS, READABLE_SYMBOLS],
            Self::LongWords | Self::ShortWords | Self::ShortUniqueWords => &[],
        }
    }
}

impl TryFrom<u8> for Complexity {
    type Error = UnknownComplexity;

    fn try_from(number: u8) -> Result<Self, UnknownComplexity> {
        Self::ALL.into_iter().find(|level| level.as_u8() == number).ok_or(UnknownComplexity)
    }
}

/// A number that is not a complexity level.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnknownComplexity;

impl UnknownComplexity {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::InvalidArgument
    }
}

impl fmt::Display for UnknownComplexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a complexity is a number from 1 to 8")
    }
}

impl core::error::Error for UnknownComplexity {}

// "Windows LAPS passwords and passphrases", learn.microsoft.com.
const UPPER: CharSet = CharSet::of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
const LOWER: CharSet = CharSet::of("abcdefghijklmnopqrstuvwxyz");
const DIGITS: CharSet = CharSet::of("0123456789");
const SYMBOLS: CharSet = CharSet::of(",.-+;!#&@{}[]$/()%");
const READABLE_UPPER: CharSet = CharSet::of("ABCDEFGHJKLMNPRSTUVWXYZ");
const READABLE_LOWER: CharSet = CharSet::of("abcdefghijkmnpqrstuvwxyz");
const READABLE_DIGITS: CharSet = CharSet::of("23456789");
const READABLE_SYMBOLS: CharSet = CharSet::of("!#%+@:=?*");

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_sets_have_the_sizes_that_microsoft_gives() {
        let sizes =
            |level: Complexity| -> Vec<u8> { level.sets().iter().map(|set| set.len()).collect() };
        assert_eq!(sizes(Complexity::Upper), [26]);
        assert_eq!(sizes(Complexity::UpperLower), [26, 26]);
        assert_eq!(sizes(Complexity::UpperLowerDigits), [26, 26, 10]);
        assert_eq!(sizes(Complexity::Full), [26, 26, 10, 18]);
        assert_eq!(sizes(Complexity::Readable), [23, 24, 8, 9]);
        assert!(sizes(Complexity::LongWords).is_empty());
    }

    #[test]
    fn numbers_go_there_and_back() {
        for number in 0..=u8::MAX {
            match Complexity::try_from(number) {
                Ok(level) => assert_eq!(level.as_u8(), number),
                Err(UnknownComplexity) => assert!(!(1..=8).contains(&number)),
            }
        }
        assert!(Complexity::LongWords.is_passphrase() && !Complexity::Readable.is_passphrase());
    }
}
