//! Passphrases: words of a list, read as a whole for each draw so that no address tells which word
//! it was.

#[cfg(feature = "alloc")]
mod ambiguous;
#[cfg(feature = "alloc")]
mod builder;
mod eff;
mod list;
mod phrase;

use core::fmt;

use super::error::{MAX_WORDS, MIN_WORDS};
use super::nat::Nat;
use super::rules::{Rule, RuleSet};
use super::sampler::{Range, Sampler};
use super::{Complexity, RecipeError, Strength};
use crate::random::RandomError;
use crate::secret::{Password, declassify};
#[cfg(feature = "alloc")]
pub use builder::PassphraseBuilder;
use list::List;
pub(super) use phrase::Phrase;
use zeroize::Zeroize as _;

/// A passphrase recipe.
#[derive(Clone, Debug)]
pub(super) struct PassphraseRecipe {
    list: List,
    range: Range,
    digit_range: Range,
    count: u8,
    /// Between two words; zero behind it.
    separator: [u8; MAX_SEPARATOR],
    separator_length: u8,
    /// One more character at the end, 0 to 9.
    digit: bool,
    /// Words that run together in more than one way are drawn letter by letter.
    #[cfg(feature = "alloc")]
    ambiguous: Option<alloc::sync::Arc<super::table::CountingTable>>,
}

impl PassphraseRecipe {
    fn new(list: List, count: u8) -> Self {
        Self {
            range: Range::new(list.len(), count),
            digit_range: Range::new(10, 1),
            list,
            count,
            separator: [0; MAX_SEPARATOR],
            separator_length: 0,
            digit: false,
            #[cfg(feature = "alloc")]
            ambiguous: None,
        }
    }

    /// Words of one of the EFF's lists, each with an upper-case first letter, nothing between them.
    pub(super) fn windows(complexity: Complexity, count: u8) -> Result<Self, RecipeError> {
        if !(MIN_WORDS..=MAX_WORDS).contains(&count) {
            return Err(RecipeError::WordCount { words: u32::from(count) });
        }
        let list = List::of(complexity).ok_or(RecipeError::Complexity {
            complexity: complexity.as_u8(),
            min: Complexity::LongWords.as_u8(),
            max: Complexity::ShortUniqueWords.as_u8(),
        })?;
        Ok(Self::new(list, count))
    }

    fn separator(&self) -> &[u8] {
        self.separator.get(..usize::from(self.separator_length)).unwrap_or_default()
    }

    /// The number of distinct texts.
    pub(super) fn strength(&self) -> Strength {
        let count = usize::from(self.count);
        let (shortest, longest) = self.list.lengths();
        let more = self.separator().len() * (count - 1) + usize::from(self.digit);
        // No two draws spell the same text, unless the words are ambiguous.
        let texts = Nat::power(u64::from(self.list.len()), count);
        #[cfg(feature = "alloc")]
        let texts = self.ambiguous.as_ref().map_or(texts, |table| table.total());
        let texts = texts.times(if self.digit { 10 } else { 1 });
        Strength::new(texts, shortest * count + more, longest * count + more)
    }

    /// The fewest lower-case letters of a word, and how often a character stands in a row at most.
    /// A word of Windows' lists begins with an upper-case letter and ends with a lower-case one, so
    /// no row goes on from one word into the next.
    pub(super) fn least_lower_and_longest_run(&self) -> (usize, u8) {
        self.list.words().fold((usize::MAX, 0), |(least, longest), (letters, length)| {
            let (mut lower, mut run, mut most, mut before) = (0_usize, 0_u8, 0_u8, 0);
            for letter in letters.take(length) {
                lower += usize::from(letter.is_ascii_lowercase());
                run = if letter == before { run.saturating_add(1) } else { 1 };
                most = most.max(run);
                before = letter;
            }
            (least.min(lower), longest.max(most))
        })
    }

    /// One passphrase into `out`; its length in bytes.
    pub(super) fn sample<D: Sampler>(
        &self,
        sampler: &mut D,
        out: &mut [u8],
    ) -> Result<usize, RandomError> {
        for _ in 0..ATTEMPTS {
            let mut text = Phrase::default();
            if declassify(self.attempt(sampler, &mut text)?) {
                text.write(out);
                return Ok(text.len());
            }
        }
        Err(RandomError::Stuck)
    }

    /// One draw of the whole text; not 0 when it is to be thrown away.
    pub(super) fn attempt<D: Sampler>(
        &self,
        sampler: &mut D,
        text: &mut Phrase,
    ) -> Result<u64, RandomError> {
        let mut reject = 0;
        if self.digit {
            let mut digit = [0_u8];
            reject |= sampler.draw(&self.digit_range, &mut digit)?;
            text.put_before(&digit.map(|digit| b'0' + (digit & 15)));
            digit.zeroize();
        }
        #[cfg(feature = "alloc")]
        if let Some(table) = &self.ambiguous {
            let mut letters = [0_u8; Password::MAX_LEN];
            reject |= ambiguous::draw(table, sampler, &mut letters)?;
            text.put_before(&letters);
            letters.zeroize();
            return Ok(reject);
        }
        let mut indices = [0_u16; MAX_WORDS as usize];
        let indices = indices.get_mut(..usize::from(self.count)).unwrap_or_default();
        reject |= sampler.draw(&self.range, indices)?;
        for (index, after) in indices.iter().rev().zip(0_u8..) {
            if after > 0 {
                text.put_before(self.separator());
            }
            let mut word = self.list.select(*index);
            text.put_word(word);
            word.zeroize();
        }
        indices.zeroize();
        Ok(reject)
    }

    /// Whether a text is not a passphrase of this recipe: every word of the list at every place.
    pub(super) fn broken(&self, text: &[u8]) -> RuleSet {
        // Bit i of a place: its character stands at i. What is longer than the recipe allows is
        // broken anyway.
        let fits = text.len() < Password::MAX_LEN;
        let mut places = [0_u128; 128];
        for (byte, position) in text.iter().take(127).zip(0_u32..) {
            for (place, letter) in places.iter_mut().zip(0_u8..) {
                *place |= u128::from(*byte == letter) << position;
            }
        }
        let at = |starts: u128, letter: u8, offset: u32| {
            starts & places.get(usize::from(letter)).copied().unwrap_or(0) >> offset
        };
        // Bit i: the text up to i is so many words.
        let mut ends = 1_u128;
        for done in 0..self.count {
            let mut next = 0;
            for (letters, length) in self.list.words() {
                let starts = letters
                    .take(length)
                    .zip(0_u32..)
                    .fold(ends, |starts, (letter, offset)| at(starts, letter, offset));
                next |= starts << length;
            }
            if done + 1 < self.count {
                let separator = self.separator().iter().zip(0_u32..);
                next = separator.fold(next, |starts, (byte, offset)| at(starts, *byte, offset));
                next <<= self.separator_length;
            }
            ends = next;
        }
        if self.digit {
            ends = (b'0'..=b'9').fold(0, |any, digit| any | at(ends, digit, 0)) << 1;
        }
        let whole =
            ends.checked_shr(u32::try_from(text.len()).unwrap_or(u32::MAX)).unwrap_or(0) & 1;
        RuleSet::when(Rule::Words, !fits | (whole == 0))
    }

    /// What the recipe asks for.
    pub(super) fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter =
            if self.list.is_capitalised() { ", each with an upper-case first letter" } else { "" };
        write!(f, "it must be {} words of the list of {}{letter}", self.count, self.list.len())?;
        match core::str::from_utf8(self.separator()) {
            Ok("") | Err(_) => f.write_str(", nothing between them")?,
            Ok(separator) => write!(f, ", {separator:?} between them")?,
        }
        f.write_str(if self.digit { ", and a digit at the end" } else { "" })
    }
}

/// The longest separator, in characters.
const MAX_SEPARATOR: usize = 4;
/// Draws that are thrown away in a row before the source is called broken: each happens at most
/// once in 2^7.
const ATTEMPTS: u32 = 128;
