//! Rules about groups, judged on indices: the alphabet is sorted by kind, so that a kind is a range
//! of indices.

use super::rules::{MAX_GROUPS, Rules};
use super::shape::Shape;
use super::spell::{Alphabet, LOW, each_lane, padded, reaches, reaches_all, sum};

/// Kinds that this serves; more are left to the general rules.
const KINDS: usize = 8;

/// The groups of a recipe that asks for nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classes {
    pub(super) alphabet: Alphabet,
    /// Where each kind but the last ends, as an index.
    ends: [u8; KINDS - 1],
    kinds: u8,
    /// For each group: its kinds as bits, least and largest count.
    groups: [(u8, u8, u8); MAX_GROUPS],
    used: u8,
    at_least: u8,
    /// Where every kind has to be there and nothing else is asked for: where each kind ends, in
    /// every byte.
    presence: Option<[u64; KINDS]>,
}

impl Classes {
    /// None when more than groups are asked for, or when there are too many kinds.
    pub(super) fn new(rules: &Rules, shape: &Shape) -> Option<Self> {
        let only_groups = rules.forbid.iter().next().is_none()
            && shape.max_run == 0
            && rules.first.is_none()
            && rules.last.is_none();
        let kinds = shape.kinds().count();
        if !only_groups || kinds > KINDS || rules.length < 2 {
            return None;
        }
        let mut classes = Self {
            alphabet: Alphabet::of(shape.kinds().map(|kind| kind.chars)),
            ends: [0; KINDS - 1],
            kinds: u8::try_from(kinds).ok()?,
            groups: [(0, 0, u8::MAX); MAX_GROUPS],
            used: 0,
            at_least: rules.at_least.unwrap_or(0),
            presence: None,
        };
        let mut end = 0;
        for (place, kind) in classes.ends.iter_mut().zip(shape.kinds()) {
            end += kind.chars.len();
            *place = end;
        }
        for ((group, place), index) in rules.groups().iter().zip(&mut classes.groups).zip(0_u8..) {
            let members = shape
                .kinds()
                .zip(0_u8..)
                .fold(0, |members, (kind, bit)| members | (kind.groups >> index & 1) << bit);
            *place = (members, group.min, group.max.unwrap_or(u8::MAX));
            classes.used += 1;
        }
        classes.presence = classes.is_presence(rules.length).then(|| {
            let mut presence = [0; KINDS];
            let ends = classes.ends.iter().take(kinds.saturating_sub(1));
            for (place, end) in presence.iter_mut().zip(ends.chain([&classes.alphabet.len()])) {
                *place = u64::from(*end) * LOW;
            }
            presence
        });
        Some(classes)
    }

    /// Whether the groups ask for one of every kind and for nothing else, as Windows' levels do.
    fn is_presence(&self, length: u8) -> bool {
        let groups = self.groups.get(..usize::from(self.used)).unwrap_or_default();
        let single = |(members, min, max): &(u8, u8, u8)| {
            members.is_power_of_two() && *min == 1 && *max >= length
        };
        let all = groups.iter().fold(0, |all, (members, ..)| all | members);
        groups.iter().all(single)
            && all.count_ones() == u32::from(self.kinds)
            && self.at_least <= self.used
    }

    /// Not 0 when one of the kinds is not there. Eight bytes of a word are worked on together.
    #[inline]
    fn missing(&self, presence: &[u64; KINDS], indices: &mut [u8]) -> u64 {
        let ends = presence.get(..usize::from(self.kinds)).unwrap_or_default();
        let mut present = [0_u64; KINDS];
        each_lane(indices, |lane| {
            let mut before = lane.map(|_| LOW);
            for (present, end) in present.iter_mut().zip(ends) {
                for (before, bytes) in before.iter_mut().zip(&*lane) {
                    let reached = reaches_all(*bytes, *end);
                    *present |= *before ^ reached;
                    *before = reached;
                }
            }
        });
        // 0 - 1 alone has the highest bit: what is present has the lowest of each byte only.
        let missing = present.iter().take(ends.len());
        missing.fold(0, |missing, present| missing | present.wrapping_sub(1)) >> 63
    }

    /// Not 0 when a rule is broken. No branch and no address depends on the indices, of which there
    /// are `length`; what fills the last lane is beyond every kind.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "lengths are at most 128")]
    pub(super) fn broken(&self, indices: &mut [u8], length: u8) -> u64 {
        if let Some(presence) = &self.presence {
            return self.missing(presence, indices);
        }
        let padding = (padded(indices.len()) as u8).wrapping_sub(length);
        // How many indices lie below the end of each kind; then how many of each kind.
        let inner = usize::from(self.kinds).saturating_sub(1);
        let ends = self.ends.get(..inner).unwrap_or_default();
        let mut reached = [0_u64; KINDS];
        each_lane(indices, |lane| {
            for (count, end) in reached.iter_mut().zip(ends) {
                for bytes in *lane {
                    *count = count.wrapping_add(reaches(bytes, *end));
                }
            }
        });
        let mut counts = [0_u8; KINDS];
        let mut before = length.wrapping_add(padding);
        for ((count, reached), index) in counts.iter_mut().zip(reached).zip(0..=inner) {
            let beyond = if index < inner { sum(reached) } else { padding };
            *count = before.wrapping_sub(beyond);
            before = beyond;
        }
        let mut broken = 0_u8;
        let mut present = 0_u8;
        for (members, min, max) in self.groups.iter().take(usize::from(self.used)) {
            let mut found = 0_u8;
            for (count, bit) in counts.iter().take(inner + 1).zip(0_u32..) {
                found = found.wrapping_add(count & 0_u8.wrapping_sub(members >> bit & 1));
            }
            // Counts are at most 128: a difference is negative in 16 bits when it is.
            broken |= negative(found, *min) | negative(*max, found);
            present = present.wrapping_add(negative(0, found));
        }
        broken |= negative(present, self.at_least);
        u64::from(broken)
    }
}

/// 1 when `a < b`, else 0.
#[inline]
const fn negative(a: u8, b: u8) -> u8 {
    ((a as u16).wrapping_sub(b as u16) >> 15) as u8
}
