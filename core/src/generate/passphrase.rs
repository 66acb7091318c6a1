//! Passphrases: words of a list, read as a whole for each draw so that no address tells which word it was.

mod list;

use core::fmt;
use core::hint::black_box;

use super::dice::{Dice, Faces};
use super::error::{MAX_WORDS, MIN_WORDS};
use super::nat::Nat;
use super::rules::{Rule, RuleSet};
use super::{Complexity, RecipeError, Strength};
use crate::random::RandomError;
use crate::secret::{Password, declassify, declassify_length};
use list::{Entry, List};
use zeroize::Zeroize as _;

/// A passphrase recipe.
#[derive(Clone, Debug)]
pub(super) struct Words {
    list: List,
    faces: Faces,
    count: u8,
}

impl Words {
    /// Words of one of the EFF's lists, each with a large first letter, nothing between them.
    pub(super) fn windows(complexity: Complexity, count: u8) -> Result<Self, RecipeError> {
        if !(MIN_WORDS..=MAX_WORDS).contains(&count) {
            return Err(RecipeError::WordCount { words: u32::from(count) });
        }
        let list = List::of(complexity).ok_or(RecipeError::Complexity {
            complexity: complexity.as_u8(),
            min: Complexity::LongWords.as_u8(),
            max: Complexity::ShortUniqueWords.as_u8(),
        })?;
        Ok(Self { list, faces: Faces::new(list.len(), count), count })
    }

    /// Every word has its only large letter at its start, so that no two draws spell the same text.
    pub(super) fn strength(&self) -> Strength {
        let count = usize::from(self.count);
        let admissible = Nat::power(u64::from(self.list.len()), count);
        let (shortest, longest) = self.list.lengths();
        Strength::new(admissible, shortest * count, longest * count)
    }

    /// One passphrase into `out`; its length in bytes.
    pub(super) fn sample<D: Dice>(
        &self,
        dice: &mut D,
        out: &mut [u8; Password::MAX_LEN],
    ) -> Result<usize, RandomError> {
        for _ in 0..ATTEMPTS {
            let mut indices = [0_u16; MAX_WORDS as usize];
            let indices = indices.get_mut(..usize::from(self.count)).unwrap_or_default();
            let rejected = dice.roll(&self.faces, indices)?;
            if !declassify(rejected) {
                continue;
            }
            let mut text = Text::default();
            for index in indices.iter().rev() {
                let mut word = self.list.select(*index);
                text.put_before(word);
                word.zeroize();
            }
            indices.zeroize();
            text.write(out);
            return Ok(text.len());
        }
        Err(RandomError::Stuck)
    }

    /// Whether a text is not a passphrase of this recipe: every word of the list at every place.
    pub(super) fn broken(&self, text: &[u8]) -> RuleSet {
        // Too long for the positions below is too long for the recipe.
        let fits = text.len() <= Password::MAX_LEN;
        let mut places = [0_u128; 128];
        for (byte, position) in text.iter().take(127).zip(0_u32..) {
            for (place, letter) in places.iter_mut().zip(0_u8..) {
                *place |= u128::from(*byte == letter) << position;
            }
        }
        // Bit i: the text up to i is so many words.
        let mut ends = 1_u128;
        for _ in 0..self.count {
            let mut next = 0;
            for (letters, length) in self.list.words() {
                let mut starts = ends;
                for (letter, offset) in letters.take(length).zip(0_u32..) {
                    let at = places.get(usize::from(letter)).copied().unwrap_or(0);
                    starts &= at >> offset;
                }
                next |= starts << length;
            }
            ends = next;
        }
        let whole =
            ends.checked_shr(u32::try_from(text.len()).unwrap_or(u32::MAX)).unwrap_or(0) & 1;
        RuleSet::when(Rule::Words, !fits | (whole == 0))
    }

    /// What the recipe asks for.
    pub(super) fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it must be {} words of the list of {}, each with a large first letter, nothing between them",
            self.count,
            self.list.len()
        )
    }
}

/// A text that grows at its front by words of secret length.
#[derive(Default)]
struct Text([u64; TEXT_LIMBS]);

impl Text {
    /// Moves the text behind the word: one conditional move for each binary digit of the length.
    fn put_before(&mut self, word: Entry) {
        let length = word.iter().fold(0_u64, |count, limb| count.wrapping_add(bytes_in(*limb)));
        for digit in 0..5_u32 {
            let mask = black_box(0_u64.wrapping_sub(length >> digit & 1));
            self.shift(1 << digit, mask);
        }
        for (limb, letters) in self.0.iter_mut().zip(word) {
            *limb |= letters;
        }
    }

    /// Moves the text by so many bytes where the mask is set.
    fn shift(&mut self, bytes: usize, mask: u64) {
        let (limbs, bits) = (bytes >> 3, u32::try_from((bytes & 7) << 3).unwrap_or(0));
        let before = self.0;
        let mut below = 0;
        for (position, limb) in self.0.iter_mut().enumerate() {
            let source =
                position.checked_sub(limbs).and_then(|place| before.get(place)).unwrap_or(&0);
            let carried = if bits == 0 { 0 } else { below >> (64 - bits) };
            let moved = source << bits | carried;
            below = *source;
            *limb ^= (*limb ^ moved) & mask;
        }
    }

    fn write(&self, out: &mut [u8]) {
        let (places, _) = out.as_chunks_mut::<8>();
        for (bytes, limb) in places.iter_mut().zip(self.0) {
            *bytes = limb.to_le_bytes();
        }
    }

    /// The length of the whole, which is public.
    fn len(&self) -> usize {
        let length = self.0.iter().fold(0_u64, |count, limb| count.wrapping_add(bytes_in(*limb)));
        declassify_length(length)
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// How many bytes are not zero; letters are ASCII.
const fn bytes_in(limb: u64) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let present = (limb.wrapping_add(0x7f * LOW) >> 7) & LOW;
    present.wrapping_mul(LOW) >> 56
}

/// A passphrase in words of 64 bits.
const TEXT_LIMBS: usize = Password::MAX_LEN >> 3;
/// Draws that are thrown away in a row before the source is called broken: each happens at most once in 2^9.
const ATTEMPTS: u32 = 128;
