//! What counting needs to know of the rules: characters that are alike, and group counts as far as
//! they matter.

use super::chars::CharSet;
use super::rules::{MAX_GROUPS, Rules};

/// Counts of the groups, each no further than it matters.
pub(crate) type Counts = [u8; MAX_GROUPS];

/// Characters that belong to the same groups and may stand in the same places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CharKind {
    pub(crate) chars: CharSet,
    /// Bit i: in group i.
    pub(crate) groups: u8,
    pub(crate) may_start: bool,
    pub(crate) may_end: bool,
}

/// How far the count of a group matters.
#[derive(Clone, Copy, Debug, Default)]
struct Limit {
    min: u8,
    /// Counting stops here.
    cap: u8,
    /// One more than `cap` breaks the rule.
    hard: bool,
}

/// The rules, as counting sees them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) length: u8,
    limits: [Limit; MAX_GROUPS],
    groups: [CharSet; MAX_GROUPS],
    at_least: u8,
    /// 0 where runs may have any length.
    pub(crate) max_run: u8,
    pub(crate) alphabet: CharSet,
    pub(crate) first: CharSet,
    pub(crate) last: CharSet,
}

impl Shape {
    pub(crate) fn new(rules: &Rules) -> Self {
        let (first, last) = rules.ends();
        let at_least = rules.at_least.unwrap_or(0);
        let mut limits = [Limit::default(); MAX_GROUPS];
        let mut groups = [CharSet::EMPTY; MAX_GROUPS];
        for ((group, limit), chars) in rules.effective().zip(&mut limits).zip(&mut groups) {
            let max = group.max.filter(|max| *max < rules.length);
            let present = u8::from(at_least > 0);
            limit.min = group.min;
            limit.cap = max.unwrap_or_else(|| group.min.max(present));
            limit.hard = max.is_some();
            *chars = group.chars;
        }
        Self {
            length: rules.length,
            limits,
            groups,
            at_least,
            max_run: rules.max_run.filter(|run| *run < rules.length).unwrap_or(0),
            alphabet: rules.alphabet(),
            first,
            last,
        }
    }

    /// The kinds of characters, each with at least one, disjoint, in a fixed order.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = CharKind> + '_ {
        let kind_of = |byte: u8| {
            let groups =
                self.groups.iter().zip(0_u8..).fold(0_u8, |mask, (group, index)| {
                    mask | u8::from(group.contains(byte)) << index
                });
            (groups, self.first.contains(byte), self.last.contains(byte))
        };
        self.alphabet.iter().filter_map(move |byte| {
            let (groups, may_start, may_end) = kind_of(byte);
            let alike = |other: &u8| kind_of(*other) == (groups, may_start, may_end);
            // Only the first of its kind stands for it.
            if self.alphabet.iter().find(alike) != Some(byte) {
                return None;
            }
            let chars = self.alphabet.iter().filter(alike).fold(CharSet::EMPTY, CharSet::with);
            Some(CharKind { chars, groups, may_start, may_end })
        })
    }

    /// The counts after one more character of these groups; none when a maximum is broken.
    pub(crate) fn step(&self, counts: Counts, groups: u8) -> Option<Counts> {
        self.step_by(counts, groups, 1)
    }

    /// The counts after `more` characters of these groups.
    pub(crate) fn step_by(&self, mut counts: Counts, groups: u8, more: u8) -> Option<Counts> {
        for ((count, limit), index) in counts.iter_mut().zip(self.limits).zip(0_u8..) {
            if groups >> index & 1 == 1 {
                let next = count.saturating_add(more);
                if next > limit.cap && limit.hard {
                    return None;
                }
                *count = next.min(limit.cap);
            }
        }
        Some(counts)
    }

    /// Forgets the counts of finished groups, and says how many of them are present; none when a
    /// minimum is not reached.
    #[cfg(feature = "alloc")]
    pub(crate) fn close(&self, mut counts: Counts, groups: u8) -> Option<(Counts, u8)> {
        let mut present = 0;
        for ((count, limit), index) in counts.iter_mut().zip(self.limits).zip(0_u8..) {
            if groups >> index & 1 == 1 {
                if *count < limit.min {
                    return None;
                }
                present += u8::from(*count > 0 && self.at_least > 0);
                *count = 0;
            }
        }
        Some((counts, present))
    }

    /// The groups to which no kind belongs.
    #[cfg(feature = "alloc")]
    pub(crate) fn groups_without(&self, kinds: &[CharKind]) -> u8 {
        !kinds.iter().fold(0, |mask, kind| mask | kind.groups)
    }

    /// The least number of characters that these counts still need.
    #[cfg(feature = "alloc")]
    pub(crate) fn missing(&self, counts: Counts) -> u32 {
        let pairs = counts.iter().zip(self.limits);
        // One character may belong to every group that lacks some.
        let most = pairs.clone().map(|(count, limit)| limit.min.saturating_sub(*count)).max();
        let present = pairs.filter(|(count, _)| **count > 0).count();
        u32::from(most.unwrap_or(0)).max(u32::from(present < usize::from(self.at_least)))
    }

    /// How many more characters of these groups no maximum forbids.
    #[cfg(feature = "alloc")]
    pub(crate) fn room(&self, counts: Counts, groups: u8) -> u8 {
        let pairs = counts.iter().zip(self.limits).zip(0_u8..);
        pairs
            .filter(|((_, limit), index)| limit.hard && groups >> index & 1 == 1)
            .map(|((count, limit), _)| limit.cap.saturating_sub(*count))
            .min()
            .unwrap_or(u8::MAX)
    }

    /// How many groups must be present.
    #[cfg(feature = "alloc")]
    pub(crate) const fn at_least(&self) -> u8 {
        self.at_least
    }

    /// Whether a whole password may have these counts.
    pub(crate) fn accepts(&self, counts: Counts) -> bool {
        let mut present = 0;
        for (count, limit) in counts.iter().zip(self.limits) {
            if *count < limit.min {
                return false;
            }
            present += u8::from(*count > 0);
        }
        present >= self.at_least
    }

    /// How many different counts there are, reachable or not.
    pub(crate) fn counts_size(&self) -> usize {
        self.limits
            .iter()
            .fold(1, |size: usize, limit| size.saturating_mul(usize::from(limit.cap) + 1))
    }

    /// The place of counts in a table of all.
    pub(crate) fn encode(&self, counts: Counts) -> usize {
        counts.iter().zip(self.limits).rev().fold(0, |code, (count, limit)| {
            code * (usize::from(limit.cap) + 1) + usize::from(*count)
        })
    }

    /// The counts at a place.
    pub(crate) fn decode(&self, mut code: usize) -> Counts {
        let mut counts = Counts::default();
        for (count, limit) in counts.iter_mut().zip(self.limits) {
            let size = usize::from(limit.cap) + 1;
            *count = u8::try_from(code.checked_rem(size).unwrap_or(0)).unwrap_or(0);
            code = code.checked_div(size).unwrap_or(0);
        }
        counts
    }
}
