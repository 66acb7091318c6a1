//! Uniformity, proven: every outcome of every draw of small recipes, with exact probabilities.
#![cfg_attr(
    not(feature = "passphrase"),
    expect(irrefutable_let_patterns, reason = "without passphrases every recipe is of characters")
)]

use alloc::collections::BTreeMap;

use super::super::rank_range::RankRange;
use super::super::sampler::{Index, Range};
use super::super::{RecipeKind, plan::Method};
use super::brute::{Plain, family};
use super::*;

/// A sampler that gives every outcome in turn: the draws of one run are the digits of a number that
/// counts up.
#[derive(Default)]
pub(super) struct Every {
    digits: Vec<(u64, u64)>,
    next: usize,
}

impl Every {
    fn digit(&mut self, bound: u64) -> u64 {
        if self.next == self.digits.len() {
            self.digits.push((0, bound));
        }
        let (digit, known) = self.digits[self.next];
        assert_eq!(known, bound, "a bound depends on what was drawn");
        self.next += 1;
        digit
    }

    /// The next outcome; false after the last.
    pub(super) fn advance(&mut self) -> bool {
        assert_eq!(self.next, self.digits.len(), "the number of draws depends on what was drawn");
        self.next = 0;
        while let Some((digit, bound)) = self.digits.pop() {
            if digit + 1 < bound {
                self.digits.push((digit + 1, bound));
                return true;
            }
        }
        false
    }

    /// How many outcomes there are, each as likely as any other.
    fn outcomes(&self) -> u128 {
        self.digits.iter().map(|(_, bound)| u128::from(*bound)).product()
    }
}

impl Sampler for Every {
    fn draw<I: Index>(&mut self, range: &Range, out: &mut [I]) -> Result<u64, RandomError> {
        for place in out {
            *place = I::new(self.digit(u64::from(range.bound)));
        }
        Ok(0)
    }

    fn rank(&mut self, range: &RankRange, out: &mut [u64]) -> Result<u64, RandomError> {
        let total = range.total.0;
        assert!(total[1..].iter().all(|limb| *limb == 0), "a small total");
        out.fill(0);
        out[0] = self.digit(total[0]);
        Ok(0)
    }
}

/// Runs through every outcome of one attempt; how often each accepted string came, of how many
/// outcomes.
fn distribution(recipe: &Recipe) -> (BTreeMap<String, u128>, u128) {
    let RecipeKind::Characters { rules, method } = &recipe.kind else { panic!("a passphrase") };
    let mut sampler = Every::default();
    let mut seen = BTreeMap::new();
    let mut outcomes = 0;
    let length = usize::from(rules.length);
    let mut out = alloc::vec![0; spell::padded(length)];
    loop {
        let rejected = match method {
            Method::Redraw(redraw) => {
                let rejected = redraw.attempt(rules, &mut sampler, &mut out);
                redraw.finish(&mut out);
                rejected
            }
            Method::Counted(counted) => counted.attempt(rules, &mut sampler, &mut out[..length]),
        };
        if rejected == Ok(0) {
            *seen.entry(String::from_utf8(out[..length].to_vec()).unwrap()).or_insert(0) += 1;
        }
        outcomes = outcomes.max(sampler.outcomes());
        if !sampler.advance() {
            return (seen, outcomes);
        }
    }
}

/// Every admissible string gets exactly 1/N, and nothing else gets anything.
fn assert_uniform(plain: &Plain, recipe: &Recipe) {
    let (seen, outcomes) = distribution(recipe);
    let admissible = plain.admissible();
    assert_eq!(seen.keys().cloned().collect::<Vec<_>>(), sorted(admissible), "{plain:?}");
    let accepted: u128 = seen.values().sum();
    let strings = seen.len() as u128;
    for (text, times) in &seen {
        // times / accepted = 1 / N, without a division.
        assert_eq!(times * strings, accepted, "{text} {plain:?}");
    }
    // At least a quarter of what is drawn is kept: the bound on the number of redraws rests on it.
    assert!(4 * accepted >= outcomes, "{accepted} of {outcomes} {plain:?}");
}

fn sorted(mut strings: Vec<String>) -> Vec<String> {
    strings.sort_unstable();
    strings
}

#[test]
fn every_admissible_string_of_the_family_is_equally_likely() {
    let (mut redrawn, mut counted) = (0, 0);
    for plain in family().into_iter().filter(|plain| plain.length <= 3).step_by(3) {
        let Ok(recipe) = plain.builder().build() else { continue };
        match &recipe.kind {
            RecipeKind::Characters { method: Method::Redraw(_), .. } => redrawn += 1,
            RecipeKind::Characters { method: Method::Counted(_), .. } => counted += 1,
            #[cfg(feature = "passphrase")]
            RecipeKind::Words(_) => {}
        }
        assert_uniform(&plain, &recipe);
    }
    assert!(redrawn > 100 && counted > 50, "{redrawn} redrawn, {counted} counted");
}

/// The samplers that a recipe can have, whichever the plan would take.
#[test]
fn both_counting_tables_are_uniform_on_their_own() {
    let mut seen = [0, 0];
    for plain in family().into_iter().filter(|plain| plain.length <= 3).step_by(11) {
        let Ok(recipe) = plain.builder().build() else { continue };
        let RecipeKind::Characters { rules, .. } = &recipe.kind else { continue };
        let admissible = plan::count(rules).unwrap();
        let tables =
            [plan::by_composition(rules, &admissible), plan::by_position(rules, &admissible)];
        for (table, seen) in tables.into_iter().zip(&mut seen) {
            let Some(counted) = table else { continue };
            *seen += 1;
            let mut forced = recipe.clone();
            forced.kind =
                RecipeKind::Characters { rules: rules.clone(), method: Method::Counted(counted) };
            assert_uniform(&plain, &forced);
        }
    }
    assert!(seen[0] > 50 && seen[1] > 50, "{seen:?}");
}

#[test]
fn every_word_gives_uniform_batches() {
    // The arithmetic of the bounded draws, over every word of 12 bits.
    for bound in 1..=40_u32 {
        for count in 1..=6_u8 {
            let range = Range::of_width::<12>(bound, count);
            let sizes =
                [range.per_word(), usize::from(count).checked_rem(range.per_word()).unwrap()];
            for size in sizes.into_iter().filter(|size| *size > 0) {
                let mut times = BTreeMap::new();
                for word in 0..1_u64 << 12 {
                    let mut out = alloc::vec![0_u16; size];
                    if range.split::<12, u16>(word, &mut out) == 0 {
                        *times.entry(out).or_insert(0) += 1;
                    }
                }
                let tuples = usize::try_from(bound).unwrap().pow(u32::try_from(size).unwrap());
                assert_eq!(times.len(), tuples, "{bound} {size}");
                let each = times.values().next().unwrap();
                assert!(times.values().all(|count| count == each), "{bound} {size}");
                assert!((1 << 12) - each * tuples < tuples, "as few as possible are thrown away");
            }
        }
    }
}

#[test]
fn every_draw_for_a_rank_is_uniform() {
    for total in (1..=40_u64).chain([63, 64, 65, 100, 127, 128, 129, 255, 256, 257]) {
        let range = RankRange::new(&nat::Nat::from_u64(total));
        let bits = u64::BITS - total.leading_zeros() + 8;
        let mut times = BTreeMap::new();
        for drawn in 0..1_u64 << bits {
            // Bits above those that are drawn do not matter.
            let mut limbs = [drawn | 1 << 63];
            if range.reduce(&mut limbs) == 0 {
                *times.entry(limbs[0]).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(times.keys().copied().collect::<Vec<_>>(), (0..total).collect::<Vec<_>>());
        assert!(times.values().all(|count| count == &times[&0]), "{total}");
    }
}
