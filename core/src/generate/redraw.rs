//! The redrawing method: draw a whole string, keep it when it breaks no rule.

use super::chars::CharSet;
use super::classes::Classes;
use super::nat::Nat;
use super::rules::Rules;
use super::sampler::{Range, Sampler};
use super::shape::Shape;
use super::spell::{Alphabet, BEYOND};
use crate::random::RandomError;
use crate::secret::declassify;

/// Draws every character on its own and redraws the whole string until no rule is broken.
///
/// Exactly uniform: every string of the base is equally likely, and the number of redraws does not
/// depend on the string that is accepted (protocol §7 rule 1).
#[derive(Clone, Debug)]
pub(crate) struct Redraw {
    middle: SetDraw,
    first: Option<SetDraw>,
    last: Option<SetDraw>,
    /// Judges indices where only groups are asked for; the general rules judge characters.
    classes: Option<Classes>,
    attempts: u16,
}

/// Where characters of one set are drawn.
#[derive(Clone, Copy, Debug)]
struct SetDraw {
    range: Range,
    alphabet: Alphabet,
}

impl SetDraw {
    fn new(set: CharSet, count: u8) -> Self {
        Self { range: Range::new(u32::from(set.len()), count), alphabet: Alphabet::new(set) }
    }

    fn fill<D: Sampler>(&self, sampler: &mut D, out: &mut [u8]) -> Result<u64, RandomError> {
        let reject = sampler.draw(&self.range, out)?;
        self.alphabet.spell(out);
        Ok(reject)
    }
}

impl Redraw {
    /// The method, when at least a quarter of the base is admissible.
    pub(crate) fn new(rules: &Rules, admissible: &Nat) -> Option<Self> {
        let (first, last) = rules.ends();
        let ends = usize::from(rules.first.is_some() || rules.length == 1)
            + usize::from(rules.last.is_some() && rules.length > 1);
        let middle = usize::from(rules.length).saturating_sub(ends);
        let alphabet = rules.alphabet();
        let mut base = Nat::power(u64::from(alphabet.len()), middle);
        let single = rules.length == 1;
        let first = (rules.first.is_some() || single).then_some(first);
        let last = (rules.last.is_some() && !single).then_some(last);
        for set in [first, last].into_iter().flatten() {
            base = base.times(u64::from(set.len()));
        }
        let classes = Classes::new(rules, &Shape::new(rules));
        let mut place = SetDraw::new(alphabet, u8::try_from(middle).unwrap_or(0));
        if let Some(classes) = &classes {
            place.alphabet = classes.alphabet;
        }
        Some(Self {
            middle: place,
            classes,
            first: first.map(|set| SetDraw::new(set, 1)),
            last: last.map(|set| SetDraw::new(set, 1)),
            attempts: attempts(admissible, &base)?,
        })
    }

    /// One string at the front of `out`, which is as long as the recipe says, or padded to whole
    /// lanes.
    ///
    /// # Errors
    /// The source failed, or it was rejected as often as no working source is.
    pub(crate) fn sample<D: Sampler>(
        &self,
        rules: &Rules,
        sampler: &mut D,
        out: &mut [u8],
    ) -> Result<(), RandomError> {
        for _ in 0..self.attempts {
            if declassify(self.attempt(rules, sampler, out)?) {
                self.finish(out);
                return Ok(());
            }
        }
        Err(RandomError::Stuck)
    }

    /// Characters for what an attempt drew. Only what is kept is spelled.
    #[inline]
    pub(super) fn finish(&self, out: &mut [u8]) {
        if self.classes.is_some() {
            self.middle.alphabet.spell(out);
        }
    }

    /// One draw of the whole string, to be finished; not 0 when it is to be thrown away. Where
    /// there is padding, it is no part of the string.
    #[inline]
    pub(super) fn attempt<D: Sampler>(
        &self,
        rules: &Rules,
        sampler: &mut D,
        out: &mut [u8],
    ) -> Result<u64, RandomError> {
        let length = usize::from(rules.length);
        if let Some(classes) = &self.classes {
            let (drawn, padding) = out.split_at_mut_checked(length).unwrap_or_default();
            let reject = sampler.draw(&self.middle.range, drawn)?;
            padding.fill(BEYOND);
            return Ok(reject | classes.broken(out, rules.length));
        }
        let out = out.get_mut(..length).unwrap_or_default();
        let mut reject = 0;
        let mut middle = &mut *out;
        if let Some(place) = &self.first {
            let (head, rest) = middle.split_at_mut_checked(1).unwrap_or_default();
            reject |= place.fill(sampler, head)?;
            middle = rest;
        }
        if let Some(place) = &self.last {
            let length = middle.len();
            let (rest, tail) =
                middle.split_at_mut_checked(length.saturating_sub(1)).unwrap_or_default();
            reject |= place.fill(sampler, tail)?;
            middle = rest;
        }
        reject |= self.middle.fill(sampler, middle)?;
        Ok(reject | rules.broken(out).bits())
    }
}

/// How often a working source may be rejected in a row; none when less than a quarter is accepted.
///
/// A false alarm has a probability of at most 2^-128 (protocol §7 rule 4). Beside what breaks a
/// rule, an attempt is thrown away for its words: one in 2^10 at most for each, and there are at
/// most 127 of them (a counting table over 31 kinds of three characters, 128 characters long), and
/// one in 2^8 for a rank. That leaves 7/8 and a little more. So 37/64 admissible means more than
/// 1/2 (37/64 * 7/8) kept, and 128 rejections in a row are rarer than 2^-128; 1/4 means 7/32 kept,
/// and (25/32)^360 < 2^-128.
pub(crate) fn attempts(admissible: &Nat, base: &Nat) -> Option<u16> {
    let share = admissible.times(64);
    if share >= base.times(37) {
        Some(128)
    } else if share >= base.times(16) {
        Some(360)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_alarm_is_rarer_than_one_in_two_to_the_128() {
        let share = |admissible: u64| attempts(&Nat::from_u64(admissible), &Nat::from_u64(64));
        assert_eq!(share(64), Some(128));
        assert_eq!(share(37), Some(128));
        assert_eq!(share(36), Some(360));
        assert_eq!(share(16), Some(360));
        assert_eq!(share(15), None);

        let powers = |base: f64, times: u16| (0..times).fold(1.0, |product, _| product * base);
        let limit = powers(0.5, 128);
        let words = powers(1.0 - 1.0 / 1024.0, 127) * (1.0 - 1.0 / 256.0);
        assert!(words > 7.0 / 8.0, "{words}");
        for (least, times) in [(37.0, 128), (16.0, 360)] {
            assert!(powers(1.0 - least / 64.0 * 7.0 / 8.0, times) <= limit, "{least}");
        }
    }

    #[test]
    fn no_attempt_draws_more_than_127_words_that_may_be_thrown_away() {
        // A word for a power of two is never thrown away. Of the others, none needs more than four
        // words for every three characters of the alphabet, which has at most 95: 126 words
        // at most.
        for size in (1..=95_u32).filter(|size| !size.is_power_of_two()) {
            let words = 128_usize.div_ceil(Range::new(size, 128).per_word());
            assert!(3 * words <= 4 * usize::try_from(size).unwrap(), "{size}: {words}");
        }
    }
}
