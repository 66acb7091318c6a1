//! The counting samplers: a path through a counting table, spelled as characters.

use alloc::sync::Arc;
use alloc::vec::Vec;

use zeroize::Zeroize as _;

use super::machine::Choice;
use super::mask::{equal, hide};
use super::rules::{MAX_LENGTH, Rules};
use super::sampler::{Range, Sampler};
use super::spell::Alphabet;
use super::table::CountingTable;
use crate::random::RandomError;
use crate::secret::declassify;

/// Draws from a counting table, then redraws for the rules that the table does not know.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    table: Arc<CountingTable>,
    kinds: Arc<[Alphabet]>,
    way: Way,
    attempts: u16,
}

/// What a step of the table stands for.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// How many characters of a kind there are.
    Composition,
    /// The character at a position.
    Positions,
}

impl Counted {
    /// A table over the kinds.
    pub(super) fn composition(table: CountingTable, kinds: &[Alphabet], attempts: u16) -> Self {
        Self { table: Arc::new(table), kinds: kinds.into(), way: Way::Composition, attempts }
    }

    /// A table over the positions.
    pub(super) fn positions(table: CountingTable, kinds: &[Alphabet], attempts: u16) -> Self {
        Self { table: Arc::new(table), kinds: kinds.into(), way: Way::Positions, attempts }
    }

    /// One string into `out`, which is as long as the recipe says.
    ///
    /// # Errors
    /// The source failed, or it was rejected as often as no working source is.
    pub(super) fn sample<D: Sampler>(
        &self,
        rules: &Rules,
        sampler: &mut D,
        out: &mut [u8],
    ) -> Result<(), RandomError> {
        for _ in 0..self.attempts {
            if declassify(self.attempt(rules, sampler, out)?) {
                return Ok(());
            }
        }
        Err(RandomError::Stuck)
    }

    /// One draw of the whole string; not 0 when it is to be thrown away.
    pub(super) fn attempt<D: Sampler>(
        &self,
        rules: &Rules,
        sampler: &mut D,
        out: &mut [u8],
    ) -> Result<u64, RandomError> {
        let reject = match self.way {
            Way::Composition => self.compose(sampler, out)?,
            Way::Positions => self.place(sampler, out)?,
        };
        Ok(reject | rules.broken(out).bits())
    }

    /// How many of each kind, from the table; then a uniform arrangement; then a character of every
    /// kind for every place, of which one is kept.
    fn compose<D: Sampler>(&self, sampler: &mut D, out: &mut [u8]) -> Result<u64, RandomError> {
        let mut left = [0_u64; MAX_KINDS];
        let mut places = left.iter_mut();
        let mut reject = self.table.walk(sampler, |label, _| {
            if let Some(place) = places.next() {
                *place = u64::from(label);
            }
        })?;

        // The kind at each place: one of those that are left, by their number.
        let mut chosen = [0_u8; MAX_LENGTH as usize];
        let chosen = chosen.get_mut(..out.len()).unwrap_or_default();
        let length = u8::try_from(out.len()).unwrap_or(MAX_LENGTH);
        for (place, rest) in chosen.iter_mut().zip((1..=length).rev()) {
            let mut ticket = [0_u8];
            reject |= sampler.draw(&Range::new(u32::from(rest), 1), &mut ticket)?;
            let [ticket] = ticket;
            let mut before = 0_u64;
            let mut kind = 0;
            for (count, index) in left.iter_mut().zip(0_u8..).take(self.kinds.len()) {
                let up_to = before.wrapping_add(*count);
                let here = !less(u64::from(ticket), before) & less(u64::from(ticket), up_to);
                kind |= u64::from(index) & here;
                *count = count.wrapping_sub(here & 1);
                before = up_to;
            }
            #[expect(clippy::cast_possible_truncation, reason = "an index below 96")]
            {
                *place = kind as u8;
            }
        }
        left.zeroize();

        out.fill(0);
        for (alphabet, index) in self.kinds.iter().zip(0_u64..) {
            let mut drawn = [0_u8; MAX_LENGTH as usize];
            let drawn = drawn.get_mut(..out.len()).unwrap_or_default();
            reject |= sampler.draw(&Range::new(u32::from(alphabet.len()), length), drawn)?;
            alphabet.spell(drawn);
            for ((place, byte), kind) in out.iter_mut().zip(&*drawn).zip(&*chosen) {
                *place |= byte & mask(equal(u64::from(*kind), index));
            }
            drawn.zeroize();
        }
        chosen.zeroize();
        Ok(reject)
    }

    /// A character for each step of the table.
    fn place<D: Sampler>(&self, sampler: &mut D, out: &mut [u8]) -> Result<u64, RandomError> {
        let mut places = out.iter_mut();
        let mut before = 0_u64;
        self.table.walk(sampler, |label, way| {
            let same = equal(u64::from(label) & 3, Choice::Same as u64);
            let other = equal(u64::from(label) & 3, Choice::Other as u64);
            // Any but the one before: skip it.
            let skip = other & !less(way, before) & 1;
            let index = (way.wrapping_add(skip) & !same) | (before & same);
            let mut byte = 0;
            for (alphabet, kind) in self.kinds.iter().zip(0_u64..) {
                let mut spelled = [low(index)];
                alphabet.spell(&mut spelled);
                let [spelled] = spelled;
                byte |= spelled & mask(equal(u64::from(label) >> 2, kind));
            }
            before = index;
            if let Some(place) = places.next() {
                *place = byte;
            }
        })
    }
}

/// All ones when `a < b`.
fn less(a: u64, b: u64) -> u64 {
    hide(0_u64.wrapping_sub(u64::from(a < b)))
}

/// The low byte of a mask.
#[expect(clippy::cast_possible_truncation, reason = "all ones or none")]
const fn mask(wide: u64) -> u8 {
    wide as u8
}

/// The low byte of an index.
#[expect(clippy::cast_possible_truncation, reason = "an index below 95")]
const fn low(index: u64) -> u8 {
    index as u8
}

/// At most one kind for each printable character.
const MAX_KINDS: usize = 95;

/// The alphabets of kinds.
pub(super) fn alphabets(sets: impl Iterator<Item = super::chars::CharSet>) -> Vec<Alphabet> {
    sets.map(Alphabet::new).collect()
}
