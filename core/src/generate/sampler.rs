//! Bounded draws: several to a word, exact, without a branch on what is drawn.

use rand_core::TryCryptoRng;

#[cfg(feature = "alloc")]
use super::rank_range::RankRange;
use crate::random::{Generator, RandomError};

/// Where bounded draws come from: the generator, or a harness that runs through every outcome.
pub(crate) trait Sampler {
    /// Draws one index below the bound for every place of `out`. Not 0: all of them are to be
    /// thrown away.
    fn draw<I: Index>(&mut self, range: &Range, out: &mut [I]) -> Result<u64, RandomError>;

    /// Draws a rank below a large total. Not 0: it is to be thrown away.
    #[cfg(feature = "alloc")]
    fn rank(&mut self, range: &RankRange, out: &mut [u64]) -> Result<u64, RandomError>;
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
/// Brackett-Rozinsky and Lemire, "Batched Ranged Random Integer Generation" (2024): one
/// multiplication takes a draw from the front of the word and leaves the rest behind. The draws are
/// uniform when the last rest is not below 2^64 mod bound^draws. That threshold is computed
/// beforehand: the usual test, "is the rest below the bound?" first, would branch on the draws that
/// are kept (protocol §7 rule 2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) bound: u32,
    per_word: u8,
    threshold: u64,
    tail_threshold: u64,
}

impl Range {
    /// For `count` draws below `bound`, which is at least 1.
    pub(crate) fn new(bound: u32, count: u8) -> Self {
        Self::of_width::<64>(bound, count)
    }

    /// The same for words of so many bits. The proof of uniformity runs through every word of a
    /// narrow width.
    pub(crate) fn of_width<const BITS: u32>(bound: u32, count: u8) -> Self {
        let bound = bound.max(1);
        let mut per_word = 0;
        let mut power = 1_u64;
        // At most one word in 2^10 is thrown away.
        while per_word < count && power.saturating_mul(u64::from(bound)) <= 1 << (BITS - 10) {
            power *= u64::from(bound);
            per_word += 1;
        }
        if per_word == 0 && count > 0 {
            // A narrow width only: one draw a word.
            power = u64::from(bound);
            per_word = 1;
        }
        let tail = count.checked_rem(per_word).unwrap_or(0);
        Self {
            bound,
            per_word,
            threshold: threshold::<BITS>(power),
            tail_threshold: threshold::<BITS>(u64::from(bound).pow(u32::from(tail))),
        }
    }

    /// How many draws one word gives.
    pub(crate) fn per_word(&self) -> usize {
        usize::from(self.per_word).max(1)
    }

    /// Splits a word into draws. 1: they are to be thrown away.
    #[inline]
    pub(crate) fn split<const BITS: u32, I: Index>(&self, word: u64, out: &mut [I]) -> u64 {
        let threshold =
            if out.len() == self.per_word() { self.threshold } else { self.tail_threshold };
        let mut rest = word;
        for place in out {
            let (low, high) = wide::<BITS>(rest, self.bound);
            *place = I::new(high);
            rest = low;
        }
        u64::from(rest < threshold)
    }
}

/// 2^BITS mod `range`.
fn threshold<const BITS: u32>(range: u64) -> u64 {
    let words = 1_u128 << BITS;
    words.checked_rem(u128::from(range)).and_then(|rest| u64::try_from(rest).ok()).unwrap_or(0)
}

/// The low and the high part of a product.
#[expect(clippy::cast_possible_truncation, reason = "the parts are meant")]
#[inline]
const fn wide<const BITS: u32>(a: u64, b: u32) -> (u64, u64) {
    let product = a as u128 * b as u128;
    (product as u64 & (u64::MAX >> (64 - BITS)), (product >> BITS) as u64)
}

impl<S: TryCryptoRng> Sampler for Generator<S> {
    #[inline]
    fn draw<I: Index>(&mut self, range: &Range, out: &mut [I]) -> Result<u64, RandomError> {
        let mut reject = 0;
        for chunk in out.chunks_mut(range.per_word()) {
            reject |= range.split::<64, I>(self.word()?, chunk);
        }
        Ok(reject)
    }

    #[cfg(feature = "alloc")]
    fn rank(&mut self, range: &RankRange, out: &mut [u64]) -> Result<u64, RandomError> {
        for limb in &mut *out {
            *limb = self.word()?;
        }
        Ok(range.reduce(out))
    }
}
