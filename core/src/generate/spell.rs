//! From an index to its character, without a table.

use zeroize::Zeroize as _;

use super::chars::CharSet;

/// Sets of characters one behind the other, each in ASCII order, as arithmetic over the gaps
/// between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alphabet {
    len: u8,
    /// The first character.
    base: u8,
    /// From index `.0` on, what is added to the index changes by `.1`, an exclusive or.
    gaps: [(u8, u8); MAX_GAPS],
    used: u8,
}

impl Alphabet {
    /// One set.
    pub(crate) fn new(set: CharSet) -> Self {
        Self::of([set].into_iter())
    }

    /// Disjoint sets, in their order.
    pub(crate) fn of(sets: impl Iterator<Item = CharSet>) -> Self {
        let mut alphabet = Self { len: 0, base: 0, gaps: [(0, 0); MAX_GAPS], used: 0 };
        let mut before = 0_u8;
        for (first, more) in sets.flat_map(CharSet::ranges) {
            if alphabet.len == 0 {
                alphabet.base = first;
                before = first;
            } else if let Some(gap) = alphabet.gaps.get_mut(usize::from(alphabet.used)) {
                let offset = first.wrapping_sub(alphabet.len);
                *gap = (alphabet.len, before ^ offset);
                before = offset;
                alphabet.used += 1;
            }
            alphabet.len += more + 1;
        }
        alphabet
    }

    /// How many characters.
    pub(crate) const fn len(&self) -> u8 {
        self.len
    }

    /// Characters for indices, in place. No table is read at an index, and nothing is compared:
    /// eight bytes of a word are worked on together, so that there is nothing that a compiler
    /// could turn into a branch.
    #[inline]
    pub(crate) fn spell(&self, indices: &mut [u8]) {
        let gaps = self.gaps.get(..usize::from(self.used)).unwrap_or_default();
        each_lane(indices, |lane| {
            let index = *lane;
            let mut offset = index.map(|_| u64::from(self.base) * LOW);
            for (start, change) in gaps {
                for (offset, index) in offset.iter_mut().zip(index) {
                    *offset ^= at_least(index, *start) & (u64::from(*change) * LOW);
                }
            }
            for (place, offset) in lane.iter_mut().zip(offset) {
                *place = add(*place, offset);
            }
        });
    }
}

/// Sixteen bytes, each below 128.
pub(crate) type Lane = [u64; 2];

/// A length, rounded up to whole lanes: then nothing is copied to fill the last one.
pub(crate) const fn padded(length: usize) -> usize {
    length.next_multiple_of(size_of::<Lane>())
}

/// What stands where there is no index: above every bound but 127.
pub(crate) const BEYOND: u8 = 127;

/// Shows every sixteen bytes as a lane; what is missing at the end is 127, and is not written back.
#[inline]
pub(crate) fn each_lane(bytes: &mut [u8], mut work: impl FnMut(&mut Lane)) {
    let (whole, rest) = bytes.as_chunks_mut::<16>();
    for chunk in whole {
        let mut lane = pack(chunk);
        work(&mut lane);
        *chunk = unpack(lane);
    }
    if !rest.is_empty() {
        let mut chunk = [BEYOND; 16];
        for (place, byte) in chunk.iter_mut().zip(&*rest) {
            *place = *byte;
        }
        let mut lane = pack(&chunk);
        work(&mut lane);
        chunk = unpack(lane);
        for (byte, place) in rest.iter_mut().zip(chunk) {
            *byte = place;
        }
        chunk.zeroize();
    }
}

#[inline]
fn pack(bytes: &[u8; 16]) -> Lane {
    let (words, _) = bytes.as_chunks::<8>();
    let mut lane = [0; 2];
    for (place, word) in lane.iter_mut().zip(words) {
        *place = u64::from_le_bytes(*word);
    }
    lane
}

#[inline]
fn unpack(lane: Lane) -> [u8; 16] {
    let mut bytes = [0; 16];
    let (words, _) = bytes.as_chunks_mut::<8>();
    for (word, place) in words.iter_mut().zip(lane) {
        *word = place.to_le_bytes();
    }
    bytes
}

/// For each byte: 255 when it is at least `bound`, else 0. All bytes and the bound are below 128.
#[inline]
pub(crate) const fn at_least(bytes: u64, bound: u8) -> u64 {
    let reached = reaches(bytes, bound);
    (reached << 8).wrapping_sub(reached)
}

/// For each byte: 1 when it is at least `bound`, else 0. All bytes and the bound are below 128.
#[inline]
pub(crate) const fn reaches(bytes: u64, bound: u8) -> u64 {
    reaches_all(bytes, bound as u64 * LOW)
}

/// The same with a bound for each byte.
#[inline]
pub(crate) const fn reaches_all(bytes: u64, bounds: u64) -> u64 {
    // The highest bit of each byte is what is left of a borrow; none crosses into the next byte.
    ((bytes | (LOW << 7)).wrapping_sub(bounds) >> 7) & LOW
}

/// The sum of the eight bytes, which is below 256.
#[inline]
pub(crate) const fn sum(bytes: u64) -> u8 {
    (bytes.wrapping_mul(LOW) >> 56) as u8
}

/// Adds bytes modulo 256, without a carry into the next.
#[inline]
const fn add(a: u64, b: u64) -> u64 {
    let high = LOW << 7;
    ((a & !high).wrapping_add(b & !high)) ^ ((a ^ b) & high)
}

/// 1 in each byte.
pub(crate) const LOW: u64 = 0x0101_0101_0101_0101;
/// At most 95 ranges.
const MAX_GAPS: usize = 94;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_index_is_spelled_as_the_character_of_its_set() {
        let sets = ["ABCXYZ", "acegikm", "!", " ~", "0123456789", "z", "#$%+-/:;"].map(CharSet::of);
        for count in 1..=sets.len() {
            let chosen = &sets[..count];
            let expected: Vec<u8> = chosen.iter().flat_map(|set| set.iter()).collect();
            let alphabet = Alphabet::of(chosen.iter().copied());
            assert_eq!(usize::from(alphabet.len()), expected.len());
            for padding in 0..20 {
                let mut bytes: Vec<u8> = (0..alphabet.len()).chain(0..padding.min(1)).collect();
                let mut wanted = expected.clone();
                wanted.extend(expected.iter().take(usize::from(padding.min(1))));
                alphabet.spell(&mut bytes);
                assert_eq!(bytes, wanted);
            }
        }
        let all = Alphabet::new(CharSet::PRINTABLE);
        let mut bytes: Vec<u8> = (0..95).collect();
        all.spell(&mut bytes);
        assert_eq!(bytes, (32..127).collect::<Vec<u8>>());
    }

    #[test]
    fn bytes_are_compared_and_added_one_by_one() {
        for byte in 0..128_u8 {
            for bound in 0..128_u8 {
                let expected = if byte >= bound { 0xff } else { 0 };
                assert_eq!(
                    at_least(u64::from_le_bytes([byte, 0, 127, byte, 1, 2, 3, byte]), bound)
                        .to_le_bytes()[3],
                    expected
                );
                let lanes = u64::from_le_bytes([byte; 8]);
                assert_eq!(sum(reaches(lanes, bound)), 8 * (expected & 1));
                assert_eq!(
                    add(lanes, u64::from_le_bytes([bound ^ 0x80; 8])).to_le_bytes(),
                    [byte.wrapping_add(bound ^ 0x80); 8]
                );
            }
        }
    }
}
