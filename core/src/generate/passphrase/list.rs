//! The EFF's lists, with large first letters, as words of 16 bytes.

use super::super::Complexity;

/// A word of at most 16 letters, zero behind them, as two little-endian numbers.
pub(super) type Entry = [u64; 2];

/// A list of words.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    entries: &'static [Entry],
}

impl List {
    pub(super) const fn of(complexity: Complexity) -> Option<Self> {
        match complexity {
            Complexity::LongWords => Some(Self { entries: &LONG }),
            Complexity::ShortWords => Some(Self { entries: &SHORT }),
            Complexity::ShortUniqueWords => Some(Self { entries: &SHORT_UNIQUE }),
            Complexity::Upper
            | Complexity::UpperLower
            | Complexity::UpperLowerDigits
            | Complexity::Full
            | Complexity::Readable => None,
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// The shortest and the longest word, in letters.
    pub(super) fn lengths(&self) -> (usize, usize) {
        self.words().fold((usize::MAX, 0), |(shortest, longest), (_, length)| {
            (shortest.min(length), longest.max(length))
        })
    }

    /// The word at a secret index: every word is read, one is kept.
    pub(super) fn select(&self, index: u16) -> Entry {
        let mut chosen = [0; 2];
        for (entry, position) in self.entries.iter().zip(0_u16..) {
            let mask = 0_u64.wrapping_sub(u64::from(position == index));
            for (limb, letters) in chosen.iter_mut().zip(entry) {
                *limb |= letters & mask;
            }
        }
        chosen
    }

    /// Every word, as its bytes and its length.
    pub(super) fn words(&self) -> impl Iterator<Item = (impl Iterator<Item = u8> + '_, usize)> {
        self.entries.iter().map(|entry| {
            let bytes = entry.iter().flat_map(|limb| limb.to_le_bytes());
            let length = bytes.clone().filter(|byte| *byte != 0).count();
            (bytes, length)
        })
    }
}

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
