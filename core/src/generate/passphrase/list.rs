//! Lists of words: the EFF's, with large first letters, or one's own; 16 bytes a word.

use core::fmt;
use core::hint::black_box;

use zeroize::Zeroize as _;

use super::super::Complexity;

/// A word of at most 16 letters, zero behind them, as two little-endian numbers.
pub(super) type Entry = [u64; 2];

/// A list of words.
#[derive(Clone)]
pub(super) struct List {
    entries: Entries,
    capitalised: bool,
}

#[derive(Clone)]
enum Entries {
    Eff(&'static [Entry]),
    #[cfg(feature = "alloc")]
    Own(alloc::sync::Arc<[Entry]>),
}

impl List {
    pub(super) const fn of(complexity: Complexity) -> Option<Self> {
        let entries: &[Entry] = match complexity {
            Complexity::LongWords => &LONG,
            Complexity::ShortWords => &SHORT,
            Complexity::ShortUniqueWords => &SHORT_UNIQUE,
            Complexity::Upper
            | Complexity::UpperLower
            | Complexity::UpperLowerDigits
            | Complexity::Full
            | Complexity::Readable => return None,
        };
        Some(Self { entries: Entries::Eff(entries), capitalised: true })
    }

    /// A list of one's own: distinct words of 1 to 16 characters.
    #[cfg(feature = "alloc")]
    pub(super) fn own(words: &[alloc::vec::Vec<u8>], capitalised: bool) -> Self {
        let entry = |word: &alloc::vec::Vec<u8>| {
            let mut entry = [0; 2];
            for (limb, bytes) in entry.iter_mut().zip(word.chunks(8)) {
                *limb = bytes.iter().rev().fold(0, |limb, byte| (limb << 8) | u64::from(*byte));
            }
            entry
        };
        Self { entries: Entries::Own(words.iter().map(entry).collect()), capitalised }
    }

    pub(super) const fn is_capitalised(&self) -> bool {
        self.capitalised
    }

    fn entries(&self) -> &[Entry] {
        match &self.entries {
            Entries::Eff(entries) => entries,
            #[cfg(feature = "alloc")]
            Entries::Own(entries) => entries,
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.entries().len()).unwrap_or(u32::MAX)
    }

    /// The shortest and the longest word, in letters.
    pub(super) fn lengths(&self) -> (usize, usize) {
        self.words().fold((usize::MAX, 0), |(shortest, longest), (_, length)| {
            (shortest.min(length), longest.max(length))
        })
    }

    /// The word at a secret index: every word is read, one is kept. First the row that holds it, then the word.
    pub(super) fn select(&self, index: u16) -> Entry {
        let mut row = [[0_u64; 2]; ROW];
        for (words, number) in self.entries().chunks(ROW).zip(0_u64..) {
            let mask = same(u64::from(index >> ROW_BITS), number);
            for (kept, word) in row.iter_mut().zip(words) {
                for (kept, letters) in kept.iter_mut().zip(word) {
                    *kept |= letters & mask;
                }
            }
        }
        let mut chosen = [0; 2];
        for (word, number) in row.iter().zip(0_u64..) {
            let mask = same(u64::from(index) & (ROW as u64 - 1), number);
            for (kept, letters) in chosen.iter_mut().zip(word) {
                *kept |= letters & mask;
            }
        }
        row.as_flattened_mut().zeroize();
        chosen
    }

    /// Every word, as its bytes and its length.
    pub(super) fn words(&self) -> impl Iterator<Item = (impl Iterator<Item = u8> + '_, usize)> {
        self.entries().iter().map(|entry| {
            let bytes = entry.iter().flat_map(|limb| limb.to_le_bytes());
            let length = bytes.clone().filter(|byte| *byte != 0).count();
            (bytes, length)
        })
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "List({} words)", self.len())
    }
}

/// All ones when two numbers are equal, and the compiler does not know.
fn same(a: u64, b: u64) -> u64 {
    let differ = a ^ b;
    black_box(((differ | differ.wrapping_neg()) >> 63).wrapping_sub(1))
}

/// Words in a row: 61 rows of 128 make the long list.
const ROW: usize = 1 << ROW_BITS;
const ROW_BITS: u32 = 7;

/// The lists as they are, one word a line; licence and sums in `wordlists/README.md`.
static LONG: [Entry; 7776] = parse(include_bytes!("../wordlists/eff-long.txt"));
static SHORT: [Entry; 1296] = parse(include_bytes!("../wordlists/eff-short.txt"));
static SHORT_UNIQUE: [Entry; 1296] =
    parse(include_bytes!("../wordlists/eff-short-unique-prefix.txt"));

/// Words with large first letters, read when the library is compiled.
const fn parse<const N: usize>(mut text: &[u8]) -> [Entry; N] {
    let mut entries = [[0; 2]; N];
    let mut rest: &mut [Entry] = &mut entries;
    let mut word = [0_u64; 2];
    let mut length = 0;
    while let [byte, tail @ ..] = text {
        text = tail;
        if *byte == b'\n' {
            let Some((place, more)) = rest.split_first_mut() else { break };
            *place = word;
            rest = more;
            word = [0; 2];
            length = 0;
            continue;
        }
        let letter = if length == 0 { byte.to_ascii_uppercase() } else { *byte } as u64;
        let [low, high] = &mut word;
        if length < 8 {
            *low |= letter << (8 * length);
        } else {
            *high |= letter << (8 * (length - 8));
        }
        length += 1;
    }
    entries
}
