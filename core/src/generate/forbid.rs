//! Forbidden substrings, folded to lower-case letters and kept in one run of bytes.

/// The largest number of forbidden substrings in a recipe.
pub const MAX_FORBIDDEN: usize = 32;
/// The longest forbidden substring, in characters.
pub const MAX_FORBIDDEN_LENGTH: usize = 64;

#[cfg(feature = "alloc")]
type Bytes = alloc::vec::Vec<u8>;

/// At most 32 substrings of 1 to 64 printable ASCII characters, without regard to ASCII case.
#[derive(Clone, Debug)]
pub(crate) struct Forbidden {
    #[cfg(feature = "alloc")]
    bytes: Bytes,
    #[cfg(not(feature = "alloc"))]
    bytes: [u8; MAX_FORBIDDEN * MAX_FORBIDDEN_LENGTH],
    lengths: [u8; MAX_FORBIDDEN],
    count: u8,
}

impl Forbidden {
    pub(crate) const NONE: Self = Self {
        #[cfg(feature = "alloc")]
        bytes: Bytes::new(),
        #[cfg(not(feature = "alloc"))]
        bytes: [0; MAX_FORBIDDEN * MAX_FORBIDDEN_LENGTH],
        lengths: [0; MAX_FORBIDDEN],
        count: 0,
    };

    /// One more word. False when there is no room, or when it is empty or too long.
    pub(crate) fn push(&mut self, word: &[u8]) -> bool {
        let used: usize = self.lengths.iter().map(|length| usize::from(*length)).sum();
        let (Some(place), 1..=MAX_FORBIDDEN_LENGTH) =
            (self.lengths.get_mut(usize::from(self.count)), word.len())
        else {
            return false;
        };
        *place = u8::try_from(word.len()).unwrap_or(0);
        self.count += 1;
        #[cfg(feature = "alloc")]
        self.bytes.extend_from_slice(word);
        if let Some(tail) = self.bytes.get_mut(used..) {
            for (byte, letter) in tail.iter_mut().zip(word) {
                *byte = fold(*letter);
            }
        }
        true
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let mut rest = &self.bytes[..];
        self.lengths.iter().take(usize::from(self.count)).map_while(move |length| {
            let (word, more) = rest.split_at_checked(usize::from(*length))?;
            rest = more;
            Some(word)
        })
    }
}

/// ASCII lower-case letters for upper-case ones; every other byte as it is.
pub(crate) const fn fold(byte: u8) -> u8 {
    byte | ((byte.wrapping_sub(b'A') < 26) as u8) << 5
}
