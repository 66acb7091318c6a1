//! A reader of JSON that copies nothing: what it reads are passwords, and a parser's scratch memory
//! would keep them.
//!
//! It finds the members of an object and the elements of a list. What nobody asks for is passed
//! over by its brackets and quotes alone, at most 16 deep.

use super::DirectoryError;

/// The deepest nesting that is passed over.
const MAX_DEPTH: usize = 16;

const NOT_JSON: DirectoryError = DirectoryError::new("not the JSON that was expected");
const TOO_DEEP: DirectoryError = DirectoryError::new("JSON nested over 16 deep");

/// A text between its quotes, escapes and all.
#[derive(Clone, Copy)]
pub(super) struct JsonText<'a>(&'a str);

/// A value: the text from its first to its last character.
#[derive(Clone, Copy)]
pub(super) struct JsonValue<'a>(&'a str);

impl<'a> JsonValue<'a> {
    /// A whole document: one value, and nothing but space around it.
    pub(super) fn document(text: &'a str) -> Result<Self, DirectoryError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (value, rest) = value(skip_space(text))?;
        if skip_space(rest).is_empty() { Ok(value) } else { Err(NOT_JSON) }
    }

    /// Its members, when it is an object.
    pub(super) fn members(self) -> Result<Members<'a>, DirectoryError> {
        Ok(Members(Parts {
            rest: self.0.strip_prefix('{').ok_or(NOT_JSON)?,
            end: '}',
            first: true,
        }))
    }

    /// Its elements, when it is a list.
    pub(super) fn elements(self) -> Result<Elements<'a>, DirectoryError> {
        Ok(Elements(Parts {
            rest: self.0.strip_prefix('[').ok_or(NOT_JSON)?,
            end: ']',
            first: true,
        }))
    }

    /// Whether it is a list.
    pub(super) fn is_list(self) -> bool {
        self.0.starts_with('[')
    }

    /// The value as it stands, quotes and all.
    pub(super) const fn bare(self) -> &'a str {
        self.0
    }

    /// The text, when it is one; none for null.
    pub(super) fn text(self) -> Result<Option<JsonText<'a>>, DirectoryError> {
        if self.0 == "null" {
            return Ok(None);
        }
        let inside = self.0.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        inside.map(|inside| Some(JsonText(inside))).ok_or(NOT_JSON)
    }
}

impl JsonText<'_> {
    /// Decodes the escapes into a buffer.
    pub(super) fn decode(self, buffer: &mut [u8]) -> Result<&str, DirectoryError> {
        const TOO_LONG: DirectoryError =
            DirectoryError::new("a text is longer than such a value can be");
        let mut len = 0;
        let mut letters = self.0.chars();
        while let Some(letter) = letters.next() {
            let letter = if letter == '\\' { escaped(&mut letters)? } else { letter };
            if letter.is_control() {
                return Err(DirectoryError::new("a control character in a text"));
            }
            let place = buffer.get_mut(len..).filter(|rest| rest.len() >= letter.len_utf8());
            len += letter.encode_utf8(place.ok_or(TOO_LONG)?).len();
        }
        let text = buffer.get(..len).unwrap_or_default();
        core::str::from_utf8(text).map_err(|_| NOT_JSON)
    }

    /// Whether it is this name, which needs no escapes.
    pub(super) fn is(self, name: &str) -> bool {
        self.0 == name
    }
}

fn escaped(letters: &mut core::str::Chars<'_>) -> Result<char, DirectoryError> {
    Ok(match letters.next().ok_or(NOT_JSON)? {
        letter @ ('"' | '\\' | '/') => letter,
        'u' => {
            let unit = hex4(letters)?;
            if !(0xd800..0xdc00).contains(&unit) {
                return char::from_u32(unit).ok_or(NOT_JSON);
            }
            if (letters.next(), letters.next()) != (Some('\\'), Some('u')) {
                return Err(NOT_JSON);
            }
            let low = hex4(letters)?.checked_sub(0xdc00).filter(|low| *low < 0x400);
            let high = (unit - 0xd800) << 10;
            char::from_u32(0x1_0000 + high + low.ok_or(NOT_JSON)?).ok_or(NOT_JSON)?
        }
        // The others stand for control characters, and no name or password has one.
        _ => return Err(DirectoryError::new("a control character in a text")),
    })
}

fn hex4(letters: &mut core::str::Chars<'_>) -> Result<u32, DirectoryError> {
    (0..4).try_fold(0, |value, _| {
        let digit = letters.next().and_then(|digit| digit.to_digit(16)).ok_or(NOT_JSON)?;
        Ok((value << 4) | digit)
    })
}

/// The members of an object, in order.
pub(super) struct Members<'a>(Parts<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = Result<(JsonText<'a>, JsonValue<'a>), DirectoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(|text| {
            let (name, rest) = value(text)?;
            let name = name.text()?.ok_or(NOT_JSON)?;
            let rest = skip_space(rest).strip_prefix(':').ok_or(NOT_JSON)?;
            let (value, rest) = value(skip_space(rest))?;
            Ok(((name, value), rest))
        })
    }
}

/// The elements of a list, in order.
pub(super) struct Elements<'a>(Parts<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Result<JsonValue<'a>, DirectoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(value)
    }
}

struct Parts<'a> {
    rest: &'a str,
    end: char,
    first: bool,
}

impl<'a> Parts<'a> {
    fn next<T>(
        &mut self,
        part: impl FnOnce(&'a str) -> Result<(T, &'a str), DirectoryError>,
    ) -> Option<Result<T, DirectoryError>> {
        let rest = skip_space(self.rest);
        if rest.is_empty() || (self.first && rest.starts_with(self.end)) {
            self.rest = "";
            return None;
        }
        self.first = false;
        let found = part(rest).and_then(|(found, rest)| {
            let rest = skip_space(rest);
            let next = if rest.strip_prefix(self.end).is_some_and(str::is_empty) {
                ""
            } else {
                let next = skip_space(rest.strip_prefix(',').ok_or(NOT_JSON)?);
                if next.is_empty() || next.starts_with(self.end) {
                    return Err(NOT_JSON);
                }
                next
            };
            Ok((found, next))
        });
        Some(match found {
            Ok((found, rest)) => {
                self.rest = rest;
                Ok(found)
            }
            Err(error) => {
                self.rest = "";
                Err(error)
            }
        })
    }
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
}

/// Splits the value at the front of a text from what follows it.
fn value(text: &str) -> Result<(JsonValue<'_>, &str), DirectoryError> {
    let mut open = [0_u8; MAX_DEPTH];
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let mut done = false;
        match byte {
            b'\\' if quoted => {
                bytes.next();
            }
            b'"' => {
                quoted = !quoted;
                done = !quoted && depth == 0;
            }
            _ if quoted => {}
            b'{' | b'[' => {
                // The closing partner stands two after the opening bracket in ASCII.
                *open.get_mut(depth).ok_or(TOO_DEEP)? = byte + 2;
                depth += 1;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                if open.get(depth) != Some(&byte) {
                    return Err(NOT_JSON);
                }
                done = depth == 0;
            }
            b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => {
                return split(text, at);
            }
            _ => {}
        }
        if done {
            return split(text, at + 1);
        }
    }
    // Only a bare word can end where the text ends.
    if depth > 0 || quoted { Err(NOT_JSON) } else { split(text, text.len()) }
}

fn split(text: &str, at: usize) -> Result<(JsonValue<'_>, &str), DirectoryError> {
    let (value, rest) =
        text.split_at_checked(at).filter(|(value, _)| !value.is_empty()).ok_or(NOT_JSON)?;
    Ok((JsonValue(value), rest))
}
