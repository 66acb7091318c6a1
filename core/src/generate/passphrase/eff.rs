//! The EFF's lists, packed: five bits a letter, four to seven bytes a word.

use zeroize::Zeroize as _;

use super::super::mask::equal;

/// A word of at most 16 letters, zero behind them, as two little-endian numbers.
pub(super) type PackedWord = [u64; 2];

/// A list in rows of 32 words; every word takes the same number of bytes.
#[derive(Clone, Copy)]
pub(super) struct Eff {
    rows: &'static [u64],
    len: u16,
    /// Bytes a word.
    width: usize,
}

/// Complexity 6, 7 and 8. The lists as they are, one word a line; licence and sums in
/// `wordlists/README.md`.
pub(super) static LONG: Eff = Eff { rows: &LONG_ROWS, len: 7776, width: 6 };
pub(super) static SHORT: Eff = Eff { rows: &SHORT_ROWS, len: 1296, width: 4 };
pub(super) static SHORT_UNIQUE: Eff = Eff { rows: &SHORT_UNIQUE_ROWS, len: 1296, width: 7 };

static LONG_ROWS: [u64; limbs(7776, 6)] = pack(include_bytes!("../wordlists/eff-long.txt"), 6);
static SHORT_ROWS: [u64; limbs(1296, 4)] = pack(include_bytes!("../wordlists/eff-short.txt"), 4);
static SHORT_UNIQUE_ROWS: [u64; limbs(1296, 7)] =
    pack(include_bytes!("../wordlists/eff-short-unique-prefix.txt"), 7);

impl Eff {
    pub(super) const fn len(self) -> u16 {
        self.len
    }

    /// The word at a secret index: every word is read, one is kept. First the row that holds it,
    /// then the word.
    pub(super) fn select(self, index: u16) -> PackedWord {
        let mut row = [0_u64; ROW_LIMBS];
        for (limbs, number) in self.rows().zip(0_u64..) {
            let mask = equal(u64::from(index >> ROW_BITS), number);
            for (kept, limb) in row.iter_mut().zip(limbs) {
                *kept |= limb & mask;
            }
        }
        let mut chosen = 0;
        for (mut word, number) in words_of(&row, self.width).zip(0_u64..) {
            chosen |= word & equal(u64::from(index) & (ROW as u64 - 1), number);
            word.zeroize();
        }
        row.zeroize();
        let word = unpack(chosen);
        chosen.zeroize();
        word
    }

    /// Every word.
    pub(super) fn words(self) -> impl Iterator<Item = PackedWord> {
        let words = self.rows().flat_map(move |row| words_of(row, self.width));
        words.map(unpack).take(usize::from(self.len))
    }

    fn rows(self) -> core::slice::Chunks<'static, u64> {
        self.rows.chunks((ROW * self.width) >> 3)
    }
}

/// The words of a row, packed.
fn words_of(row: &[u64], width: usize) -> impl Iterator<Item = u64> {
    // A word starts in one limb and may end in the next.
    (0..ROW).map(move |number| {
        let start = number * width;
        let bits = u32::try_from((start & 7) << 3).unwrap_or(0);
        let limb = |place: usize| u128::from(row.get(place).copied().unwrap_or(0));
        let both = limb(start >> 3) | limb((start >> 3) + 1) << 64;
        #[expect(clippy::cast_possible_truncation, reason = "the word stands in the low bits")]
        let word = (both >> bits) as u64;
        word & (u64::MAX >> (64 - 8 * width))
    })
}

/// The letters of a word, the first one large; the same steps for every word.
fn unpack(word: u64) -> PackedWord {
    let mut entry = [0; 2];
    for place in 0..LETTERS {
        let code = (word >> (BITS * place)) & ((1 << BITS) - 1);
        let small = if place == 0 { 0x40 } else { 0x60 };
        let letter = (small + code) & !equal(code, 0);
        let letter = letter ^ ((letter ^ u64::from(b'-')) & equal(code, HYPHEN));
        let [low, high] = &mut entry;
        if place < 8 {
            *low |= letter << (8 * place);
        } else {
            *high |= letter << (8 * (place - 8));
        }
    }
    entry
}

/// Rows of packed words, made when the library is compiled. A letter is its place in the alphabet,
/// a hyphen 27, nothing 0; the first letter stands lowest.
const fn pack<const N: usize>(mut text: &[u8], width: usize) -> [u64; N] {
    let mut limbs = [0; N];
    let mut word = 0_u128;
    let mut letters = 0;
    let mut start = 0;
    while let [byte, tail @ ..] = text {
        text = tail;
        if *byte != b'\n' {
            let code = if *byte == b'-' { HYPHEN } else { (*byte - b'a' + 1) as u64 };
            word |= (code as u128) << (BITS * letters);
            letters += 1;
            continue;
        }
        assert!(letters <= LETTERS && word >> (8 * width) == 0, "a word is too long");
        let both = word << ((start & 7) << 3);
        let (_, rest) = limbs.split_at_mut(start >> 3);
        if let [low, rest @ ..] = rest {
            #[expect(clippy::cast_possible_truncation, reason = "the low half")]
            let half = both as u64;
            *low |= half;
            if let [high, ..] = rest {
                *high |= (both >> 64) as u64;
            }
        }
        word = 0;
        letters = 0;
        start += width;
    }
    assert!(start <= 8 * N, "more words than places");
    limbs
}

/// What a list takes.
const fn limbs(words: usize, width: usize) -> usize {
    (words.div_ceil(ROW) * ROW * width) >> 3
}

/// Words in a row: 243 rows of 32 make the long list.
const ROW: usize = 1 << ROW_BITS;
const ROW_BITS: u32 = 5;
/// A row of the widest words.
const ROW_LIMBS: usize = (ROW * 7) >> 3;
/// Bits a letter, and letters a word at most.
const BITS: u32 = 5;
const LETTERS: u32 = 10;
const HYPHEN: u64 = 27;

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::string::String;

    use super::*;

    fn spell(entry: PackedWord) -> String {
        let bytes = entry.into_iter().flat_map(u64::to_le_bytes);
        bytes.take_while(|byte| *byte != 0).map(char::from).collect()
    }

    #[test]
    fn the_packed_lists_are_the_files_with_upper_case_first_letters() {
        for (list, text) in [
            (LONG, include_str!("../wordlists/eff-long.txt")),
            (SHORT, include_str!("../wordlists/eff-short.txt")),
            (SHORT_UNIQUE, include_str!("../wordlists/eff-short-unique-prefix.txt")),
        ] {
            assert_eq!(text.lines().count(), usize::from(list.len()));
            assert_eq!(list.words().count(), usize::from(list.len()));
            for ((word, entry), index) in text.lines().zip(list.words()).zip(0..) {
                let large = word[..1].to_ascii_uppercase() + &word[1..];
                assert_eq!(spell(entry), large);
                assert_eq!(list.select(index), entry, "{word}");
            }
        }
    }
}
