//! Bounded draws: several to a word, exact, without a branch on what is drawn.

use rand_core::TryCryptoRng;

use crate::random::{Generator, RandomError};

/// Where bounded draws come from: the generator, or a harness that runs through every outcome.
pub(crate) trait Dice {
    /// Draws one index below the bound for every place of `out`. Not 0: all of them are to be thrown away.
    fn roll<I: Index>(&mut self, faces: &Faces, out: &mut [I]) -> Result<u64, RandomError>;
}

/// What a bounded draw gives: a byte for characters, two for words.
pub(crate) trait Index: Copy {
    /// From a number that is below the bound.
    fn new(value: u64) -> Self;
}

#[expect(clippy::cast_possible_truncation, reason = "bounds are at most 95")]
impl Index for u8 {
    #[inline]
    fn new(value: u64) -> Self {
        value as Self
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounds are at most 65,536")]
impl Index for u16 {
    #[inline]
    fn new(value: u64) -> Self {
        value as Self
    }
}

/// A bound, and how many draws below it one word of 64 bits gives.
///
/// Brackett-Rozinsky and Lemire, "Batched Ranged Random Integer Generation" (2024): one multiplication takes a
/// draw from the front of the word and leaves the rest behind. The draws are uniform when the last rest is not
/// below 2^64 mod bound^draws. That threshold is computed beforehand: the usual test, "is the rest below the
/// bound?" first, would branch on the draws that are kept (protocol §7 rule 2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faces {
    pub(crate) bound: u32,
    per_word: u8,
    threshold: u64,
    tail_threshold: u64,
}

impl Faces {
    /// For `count` draws below `bound`, which is at least 1.
    pub(crate) fn new(bound: u32, count: u8) -> Self {
        let bound = bound.max(1);
        let mut per_word = 0;
        let mut power = 1_u64;
        // At most one word in 2^10 is thrown away.
        while per_word < count && power.saturating_mul(u64::from(bound)) <= 1 << 54 {
            power *= u64::from(bound);
            per_word += 1;
        }
        let tail = count.checked_rem(per_word).unwrap_or(0);
        Self {
            bound,
            per_word,
            threshold: threshold(power),
            tail_threshold: threshold(u64::from(bound).pow(u32::from(tail))),
        }
    }
}

/// 2^64 mod `range`.
const fn threshold(range: u64) -> u64 {
    match range.wrapping_neg().checked_rem(range) {
        Some(threshold) => threshold,
        None => 0,
    }
}

/// The low and the high half of a product.
#[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
#[inline]
const fn wide(a: u64, b: u32) -> (u64, u64) {
    let product = a as u128 * b as u128;
    (product as u64, (product >> 64) as u64)
}

impl<S: TryCryptoRng> Dice for Generator<S> {
    #[inline]
    fn roll<I: Index>(&mut self, faces: &Faces, out: &mut [I]) -> Result<u64, RandomError> {
        let per_word = usize::from(faces.per_word).max(1);
        let mut reject = 0;
        for chunk in out.chunks_mut(per_word) {
            let threshold =
                if chunk.len() == per_word { faces.threshold } else { faces.tail_threshold };
            let mut rest = self.word()?;
            for place in chunk {
                let (low, high) = wide(rest, faces.bound);
                *place = I::new(high);
                rest = low;
            }
            reject |= u64::from(rest < threshold);
        }
        Ok(reject)
    }
}
