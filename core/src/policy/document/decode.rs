//! Bytes to text: UTF-8, or UTF-16 with a byte order mark.

use alloc::{borrow::Cow, format, string::String};

use super::{MAX_DOCUMENT_BYTES, Position};

/// The text of a document, without its byte order mark.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Position> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(Position::whole(&format!(
            "the document has {} bytes; at most {MAX_DOCUMENT_BYTES} are accepted",
            bytes.len()
        )));
    }
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)?),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(utf8(rest)?),
        _ => Cow::Borrowed(utf8(bytes)?),
    };
    match text.find('\0') {
        // What UTF-16 without its mark looks like: every second byte of ASCII is zero.
        Some(0 | 1) => Err(Position::on(
            1,
            1,
            "a NUL character: UTF-16 is read with a byte order mark only; add one, or save as UTF-8",
        )),
        Some(at) => Err(Position::at(&text, at, "a NUL character; remove it")),
        None => Ok(text),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Position> {
    core::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = core::str::from_utf8(good).unwrap_or_default();
        Position::at(
            good,
            good.len(),
            "not UTF-8; accepted are UTF-8, and UTF-16 with a byte order mark",
        )
    })
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<String, Position> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    for letter in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        text.push(letter.map_err(|_| {
            Position::at(
                &text,
                text.len(),
                "half a character: a UTF-16 surrogate without its partner",
            )
        })?);
    }
    if rest.is_empty() {
        Ok(text)
    } else {
        Err(Position::at(&text, text.len(), "half a character: UTF-16 has an even number of bytes"))
    }
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
        assert_eq!(text("ä\u{1f511}".as_bytes()).ok().unwrap(), "ä\u{1f511}");
        assert_eq!(text("\u{feff}{}".as_bytes()).ok().unwrap(), "{}");
        for wide in [wide("ä\u{1f511}", u16::to_le_bytes), wide("ä\u{1f511}", u16::to_be_bytes)] {
            assert_eq!(text(&wide).ok().unwrap(), "ä\u{1f511}");
        }
    }

    #[test]
    fn other_encodings_are_refused_with_the_position() {
        let at = |bytes: &[u8]| text(bytes).map(drop).map_err(|e| (e.line, e.column)).unwrap_err();
        assert_eq!(at(b"{\n \"a\": \"\xe4\"}"), (2, 8));
        assert_eq!(at(b"{\n\0}"), (2, 1));
        assert_eq!(at(&wide("{}", u16::to_le_bytes)[2..]), (1, 1));
        assert_eq!(at(&wide("{}", u16::to_be_bytes)[2..]), (1, 1));
        assert_eq!(at(&wide("{\n}", u16::to_le_bytes)[..7]), (2, 1));
        assert_eq!(at(b"\xff\xfe{\0\x00\xd8}\0"), (1, 2));
        assert_eq!(at(&[b' '; MAX_DOCUMENT_BYTES + 1]), (0, 0));
    }
}
