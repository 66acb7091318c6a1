//! Sets of printable ASCII characters.

use core::fmt;

/// A set of printable ASCII characters, space included.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub(crate) struct CharSet(u128);

impl CharSet {
    /// No character.
    pub(crate) const EMPTY: Self = Self(0);
    /// All 95, from space to tilde.
    #[cfg(test)]
    pub(crate) const PRINTABLE: Self = Self((1 << 127) - (1 << 32));

    /// The characters of a text; a repeated one counts once.
    ///
    /// # Errors
    /// The first character that is not printable ASCII.
    pub(crate) fn new(text: &str) -> Result<Self, char> {
        let printable = |char: char| matches!(char, ' '..='~');
        match text.chars().find(|char| !printable(*char)) {
            Some(char) => Err(char),
            None => Ok(Self::of(text)),
        }
    }

    /// The characters of a text that are printable ASCII.
    pub(crate) const fn of(text: &str) -> Self {
        let mut rest = text.as_bytes();
        let mut set = Self::EMPTY;
        while let [byte, tail @ ..] = rest {
            set = set.with(*byte);
            rest = tail;
        }
        set
    }

    /// How many characters.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 95")]
    pub(crate) const fn len(self) -> u8 {
        self.0.count_ones() as u8
    }

    /// Whether there is none.
    #[must_use]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a character is in the set. For public characters: the address depends on nothing,
    /// the time might.
    #[must_use]
    pub(crate) const fn contains(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    /// The set with one more character; anything but printable ASCII changes nothing.
    #[must_use]
    pub(crate) const fn with(self, byte: u8) -> Self {
        if byte < FIRST || byte > LAST { self } else { Self(self.0 | 1 << byte) }
    }

    /// The characters of either.
    #[must_use]
    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The characters of both.
    #[must_use]
    pub(crate) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The characters of this set that are not in the other.
    #[must_use]
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The characters, in ASCII order.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> + Clone {
        (FIRST..=LAST).filter(move |byte| self.contains(*byte))
    }

    /// Ranges without gaps, as first character and number of further ones, in ASCII order.
    pub(crate) fn ranges(self) -> impl Iterator<Item = (u8, u8)> + Clone {
        let mut starts = self.0 & !(self.0 << 1);
        core::iter::from_fn(move || {
            if starts == 0 {
                return None;
            }
            let first = starts.trailing_zeros();
            starts &= starts - 1;
            let further = (self.0 >> first).trailing_ones() - 1;
            Some((u8::try_from(first).ok()?, u8::try_from(further).ok()?))
        })
    }
}

impl fmt::Debug for CharSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.iter().try_for_each(|byte| write!(f, "{}", char::from(byte).escape_debug()))?;
        f.write_str("\"")
    }
}

/// Space and tilde.
const FIRST: u8 = 0x20;
const LAST: u8 = 0x7e;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_character_outside_printable_ascii_is_named() {
        assert_eq!(CharSet::new("abc\u{e9}d"), Err('\u{e9}'));
        assert_eq!(CharSet::new("a\u{20ac}"), Err('\u{20ac}'));
        assert_eq!(CharSet::new("a\u{1f600}z"), Err('\u{1f600}'));
        assert_eq!(CharSet::new("a\tb"), Err('\t'));
        assert_eq!(CharSet::new("\u{7f}"), Err('\u{7f}'));
        assert_eq!(CharSet::new(" ~").map(CharSet::len), Ok(2));
        assert_eq!(CharSet::PRINTABLE.len(), 95);
    }

    #[test]
    fn ranges_cover_the_set_once() {
        for text in ["", "a", "abc", "acegz", "!\"#09AZaz~ ", "0123456789abcdef"] {
            let set = CharSet::of(text);
            let covered: Vec<u8> =
                set.ranges().flat_map(|(first, more)| first..=first + more).collect();
            assert_eq!(covered, set.iter().collect::<Vec<_>>());
        }
        assert_eq!(CharSet::PRINTABLE.ranges().count(), 1);
    }
}
