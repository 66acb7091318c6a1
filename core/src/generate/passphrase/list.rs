//! Lists of words: the EFF's, with upper-case first letters, or one's own.

use core::fmt;

#[cfg(feature = "alloc")]
use zeroize::Zeroize as _;

use super::super::Complexity;
#[cfg(feature = "alloc")]
use super::super::mask::equal;
use super::eff::{self, Eff, PackedWord};

/// A list of words.
#[derive(Clone)]
pub(super) struct List {
    entries: PackedWords,
    capitalised: bool,
}

#[derive(Clone)]
enum PackedWords {
    Eff(Eff),
    /// 16 bytes a word.
    #[cfg(feature = "alloc")]
    Own(alloc::sync::Arc<[PackedWord]>),
}

impl List {
    pub(super) const fn of(complexity: Complexity) -> Option<Self> {
        let list = match complexity {
            Complexity::LongWords => eff::LONG,
            Complexity::ShortWords => eff::SHORT,
            Complexity::ShortUniqueWords => eff::SHORT_UNIQUE,
            Complexity::Upper
            | Complexity::UpperLower
            | Complexity::UpperLowerDigits
            | Complexity::Full
            | Complexity::Readable => return None,
        };
        Some(Self { entries: PackedWords::Eff(list), capitalised: true })
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
        Self { entries: PackedWords::Own(words.iter().map(entry).collect()), capitalised }
    }

    pub(super) const fn is_capitalised(&self) -> bool {
        self.capitalised
    }

    pub(super) fn len(&self) -> u32 {
        match &self.entries {
            PackedWords::Eff(list) => u32::from(list.len()),
            #[cfg(feature = "alloc")]
            PackedWords::Own(entries) => u32::try_from(entries.len()).unwrap_or(u32::MAX),
        }
    }

    /// The shortest and the longest word, in letters.
    pub(super) fn lengths(&self) -> (usize, usize) {
        self.words().fold((usize::MAX, 0), |(shortest, longest), (_, length)| {
            (shortest.min(length), longest.max(length))
        })
    }

    /// The word at a secret index: every word is read, one is kept.
    pub(super) fn select(&self, index: u16) -> PackedWord {
        match &self.entries {
            PackedWords::Eff(list) => list.select(index),
            #[cfg(feature = "alloc")]
            PackedWords::Own(entries) => select(entries, index),
        }
    }

    /// Every word, as its bytes and its length.
    pub(super) fn words(&self) -> impl Iterator<Item = (impl Iterator<Item = u8>, usize)> {
        let (eff, own): (_, &[PackedWord]) = match &self.entries {
            PackedWords::Eff(list) => (Some(*list), &[]),
            #[cfg(feature = "alloc")]
            PackedWords::Own(entries) => (None, entries),
        };
        let entries = eff.into_iter().flat_map(Eff::words).chain(own.iter().copied());
        entries.map(|entry| {
            let bytes = entry.into_iter().flat_map(u64::to_le_bytes);
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

/// First the row that holds the word, then the word.
#[cfg(feature = "alloc")]
fn select(entries: &[PackedWord], index: u16) -> PackedWord {
    let mut row = [[0_u64; 2]; ROW];
    for (words, number) in entries.chunks(ROW).zip(0_u64..) {
        let mask = equal(u64::from(index >> ROW_BITS), number);
        for (kept, word) in row.iter_mut().zip(words) {
            for (kept, letters) in kept.iter_mut().zip(word) {
                *kept |= letters & mask;
            }
        }
    }
    let mut chosen = [0; 2];
    for (word, number) in row.iter().zip(0_u64..) {
        let mask = equal(u64::from(index) & (ROW as u64 - 1), number);
        for (kept, letters) in chosen.iter_mut().zip(word) {
            *kept |= letters & mask;
        }
    }
    row.as_flattened_mut().zeroize();
    chosen
}

/// Words of one's own in a row.
#[cfg(feature = "alloc")]
const ROW: usize = 1 << ROW_BITS;
#[cfg(feature = "alloc")]
const ROW_BITS: u32 = 7;
