//! Text from outside: the one decoder of every file and answer that people and other programs
//! write.
//!
//! UTF-8 with or without a byte order mark, or UTF-16 with one, as Windows `PowerShell` writes
//! files. What is one line may end as lines do anywhere. Beside it: how far apart two names are.

#[cfg(any(feature = "documents", feature = "vault"))]
use alloc::vec::Vec;
use alloc::{borrow::Cow, string::String};
use core::fmt;

/// The text of a file, without its byte order mark.
///
/// # Errors
/// [`TextError`] says where it is not UTF-8, not UTF-16, or holds a NUL character.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, TextError> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)?),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(utf8(rest)?),
        _ => Cow::Borrowed(utf8(bytes)?),
    };
    match text.find('\0') {
        // What UTF-16 without its mark looks like: every second byte of ASCII is zero.
        Some(0 | 1) => Err(TextError {
            line: 1,
            column: 1,
            message: "a NUL character: UTF-16 is read with a byte order mark only; add one, or \
                      save as UTF-8",
        }),
        Some(at) => Err(TextError::at(&text, at, "a NUL character; remove it")),
        None => Ok(text),
    }
}

/// The one line of a text, without the ends of lines behind it.
///
/// # Errors
/// [`TextError`] when something stands on a second line.
pub fn line(text: &str) -> Result<&str, TextError> {
    let line = text.trim_end_matches(['\r', '\n']);
    match line.find(['\r', '\n']) {
        Some(at) => Err(TextError::at(text, at, "more than one line; one is accepted")),
        None => Ok(line),
    }
}

/// Why something is not text, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
    /// What is wrong, and what would be accepted.
    pub message: &'static str,
}

impl TextError {
    fn at(text: &str, byte: usize, message: &'static str) -> Self {
        let (line, column) = position(text, byte);
        Self { line, column, message }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl core::error::Error for TextError {}

/// Line and column, from 1, of a byte of the text.
pub(crate) fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let column = before.get(start..).unwrap_or_default().chars().count().saturating_add(1);
    (line, column)
}

fn utf8(bytes: &[u8]) -> Result<&str, TextError> {
    core::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = core::str::from_utf8(good).unwrap_or_default();
        let message = "not UTF-8; accepted are UTF-8, and UTF-16 with a byte order mark";
        TextError::at(good, good.len(), message)
    })
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<String, TextError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    // A unit becomes at most three bytes: the text is never moved, and a secret in it leaves
    // nothing behind.
    let mut text = String::with_capacity(pairs.len().saturating_mul(3));
    let half = |text: &str, message| TextError::at(text, text.len(), message);
    for letter in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let message = "half a character: a UTF-16 surrogate without its partner";
        text.push(letter.map_err(|_| half(&text, message))?);
    }
    if rest.is_empty() {
        Ok(text)
    } else {
        Err(half(&text, "half a character: UTF-16 has an even number of bytes"))
    }
}

/// How many letters have to be put in, taken out or changed to make one name of another
/// (Levenshtein, 1965).
#[cfg(any(feature = "documents", feature = "vault"))]
pub(crate) fn distance(one: &[char], other: impl Iterator<Item = char>) -> usize {
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for letter in other {
        let mut diagonal = row.first().copied().unwrap_or_default();
        let mut left = diagonal.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (place, with) in row.iter_mut().skip(1).zip(one) {
            let above = *place;
            let replaced = diagonal.saturating_add(usize::from(*with != letter));
            left = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            *place = left;
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn wide(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn utf8_and_both_utf16_with_their_marks_are_read() {
        assert_eq!(decode("ä\u{1f511}".as_bytes()).ok().unwrap(), "ä\u{1f511}");
        assert_eq!(decode("\u{feff}{}".as_bytes()).ok().unwrap(), "{}");
        for wide in [wide("ä\u{1f511}", u16::to_le_bytes), wide("ä\u{1f511}", u16::to_be_bytes)] {
            assert_eq!(decode(&wide).ok().unwrap(), "ä\u{1f511}");
        }
    }

    #[test]
    fn other_encodings_are_refused_with_the_position() {
        let at =
            |bytes: &[u8]| decode(bytes).map(drop).map_err(|e| (e.line, e.column)).unwrap_err();
        assert_eq!(at(b"{\n \"a\": \"\xe4\"}"), (2, 8));
        assert_eq!(at(b"{\n\0}"), (2, 1));
        assert_eq!(at(&wide("{}", u16::to_le_bytes)[2..]), (1, 1));
        assert_eq!(at(&wide("{}", u16::to_be_bytes)[2..]), (1, 1));
        assert_eq!(at(&wide("{\n}", u16::to_le_bytes)[..7]), (2, 1));
        assert_eq!(at(b"\xff\xfe{\0\x00\xd8}\0"), (1, 2));
    }

    #[test]
    fn one_line_may_end_as_lines_do_anywhere() {
        for end in ["", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n"] {
            assert_eq!(line(&alloc::format!(" one {end}")), Ok(" one "));
        }
        let error = line("one\r\n two\n").unwrap_err();
        assert_eq!((error.line, error.column), (1, 4));
        assert_eq!(line("\none").unwrap_err().line, 1);
    }
    #[cfg(any(feature = "documents", feature = "vault"))]
    #[test]
    fn distances_are_counted_in_letters() {
        let count =
            |one: &str, other: &str| distance(&one.chars().collect::<Vec<_>>(), other.chars());
        assert_eq!(count("PC-0001", "PC-0001"), 0);
        assert_eq!(count("PC-0001", "PC-0010"), 2);
        assert_eq!(count("PC-001", "PC-0001"), 1);
        assert_eq!(count("kitten", "sitting"), 3);
        assert_eq!(count("", "ABC"), 3);
        assert_eq!(count("ABC", ""), 3);
    }
}
