//! From an index to its character, without a table.

use super::chars::CharSet;

/// The characters of a set in ASCII order, as arithmetic over its gaps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alphabet {
    base: u8,
    #[cfg(feature = "alloc")]
    len: u8,
    /// From index `.0` on, `.1` is added.
    gaps: [(u8, u8); 48],
    used: u8,
}

impl Alphabet {
    pub(crate) fn new(set: CharSet) -> Self {
        let mut alphabet = Self {
            base: 0,
            #[cfg(feature = "alloc")]
            len: set.len(),
            gaps: [(0, 0); 48],
            used: 0,
        };
        let mut index = 0;
        let mut end = 0;
        for (first, more) in set.ranges() {
            if end == 0 {
                alphabet.base = first;
            } else if let Some(gap) = alphabet.gaps.get_mut(usize::from(alphabet.used)) {
                *gap = (index, first - end);
                alphabet.used += 1;
            }
            index += more + 1;
            end = first + more + 1;
        }
        alphabet
    }

    /// How many characters.
    #[cfg(feature = "alloc")]
    pub(crate) const fn len(&self) -> u8 {
        self.len
    }

    /// Characters for indices, in place. No table is read at an index.
    pub(crate) fn spell(&self, indices: &mut [u8]) {
        for place in indices {
            let index = *place;
            *place = self.gaps.iter().take(usize::from(self.used)).fold(
                self.base.wrapping_add(index),
                |byte, (start, gap)| {
                    byte.wrapping_add(gap & 0_u8.wrapping_sub(u8::from(index >= *start)))
                },
            );
        }
    }
}
