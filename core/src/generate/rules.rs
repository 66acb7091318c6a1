//! The rules of a character recipe, and the one place that evaluates them.

use core::fmt;

use super::chars::CharSet;
use super::forbid::{Forbidden, fold};

/// The longest password that a recipe can make, in characters.
pub const MAX_LENGTH: u8 = 128;
/// The largest number of groups in a recipe.
pub const MAX_GROUPS: usize = 8;

/// A group of characters, of which a password must use at least `min` and at most `max`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Group {
    pub(crate) chars: CharSet,
    pub(crate) min: u8,
    /// None above the length.
    pub(crate) max: Option<u8>,
}

/// Everything that a character recipe asks for.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) length: u8,
    groups: [Group; MAX_GROUPS],
    used: u8,
    pub(crate) at_least: Option<u8>,
    pub(crate) exclude: CharSet,
    pub(crate) max_run: Option<u8>,
    pub(crate) first: Option<CharSet>,
    pub(crate) last: Option<CharSet>,
    pub(crate) forbid: Forbidden,
}

impl Rules {
    pub(crate) const fn new(length: u8) -> Self {
        Self {
            length,
            groups: [Group { chars: CharSet::EMPTY, min: 0, max: None }; MAX_GROUPS],
            used: 0,
            at_least: None,
            exclude: CharSet::EMPTY,
            max_run: None,
            first: None,
            last: None,
            forbid: Forbidden::NONE,
        }
    }

    /// One more group; false when there is no room.
    pub(crate) fn push(&mut self, group: Group) -> bool {
        match self.groups.get_mut(usize::from(self.used)) {
            Some(place) => {
                *place = group;
                self.used += 1;
                true
            }
            None => false,
        }
    }

    /// The groups as they were given.
    pub(crate) fn groups(&self) -> &[Group] {
        self.groups.get(..usize::from(self.used)).unwrap_or_default()
    }

    /// What can be left out of the rules, most special first.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = Rule> + '_ {
        let forbid = (0..).zip(self.forbid.iter()).map(|(index, _)| Rule::Forbid(index));
        let groups = (0..).zip(self.groups());
        let max = groups.clone().filter(|(_, group)| group.max.is_some());
        let min = groups.filter(|(_, group)| group.min > 0);
        [
            self.last.map(|_| Rule::Last),
            self.first.map(|_| Rule::First),
            self.max_run.map(|_| Rule::MaxRun),
            self.at_least.map(|_| Rule::AtLeast),
        ]
        .into_iter()
        .flatten()
        .chain(forbid)
        .chain(max.map(|(index, _)| Rule::GroupMax(index)))
        .chain((!self.exclude.is_empty()).then_some(Rule::Exclude))
        .chain(min.map(|(index, _)| Rule::GroupMin(index)))
        .chain([Rule::Length])
    }

    /// The rules without some of them. Without [`Rule::Length`] the length stays, for the caller to
    /// vary.
    pub(crate) fn without(&self, left_out: RuleSet) -> Self {
        let mut rules = self.clone();
        let out = |rule| left_out.contains(rule);
        for (group, index) in rules.groups.iter_mut().zip(0..) {
            if out(Rule::GroupMin(index)) {
                group.min = 0;
            }
            group.max = group.max.filter(|_| !out(Rule::GroupMax(index)));
        }
        rules.at_least = rules.at_least.filter(|_| !out(Rule::AtLeast));
        rules.max_run = rules.max_run.filter(|_| !out(Rule::MaxRun));
        rules.first = rules.first.filter(|_| !out(Rule::First));
        rules.last = rules.last.filter(|_| !out(Rule::Last));
        if out(Rule::Exclude) {
            rules.exclude = CharSet::EMPTY;
        }
        rules.forbid = Forbidden::NONE;
        for (word, index) in self.forbid.iter().zip(0..) {
            if !out(Rule::Forbid(index)) {
                rules.forbid.push(word);
            }
        }
        rules
    }

    /// The groups without the excluded characters.
    pub(crate) fn effective(&self) -> impl Iterator<Item = Group> + Clone {
        let exclude = self.exclude;
        self.groups()
            .iter()
            .map(move |group| Group { chars: group.chars.without(exclude), ..*group })
    }

    /// Every character that a password may use.
    pub(crate) fn alphabet(&self) -> CharSet {
        self.effective().fold(CharSet::EMPTY, |all, group| all.union(group.chars))
    }

    /// The characters that may stand first, and those that may stand last. A single character is
    /// both.
    pub(crate) fn ends(&self) -> (CharSet, CharSet) {
        let alphabet = self.alphabet();
        let first = self.first.map_or(alphabet, |set| set.intersection(alphabet));
        let last = self.last.map_or(alphabet, |set| set.intersection(alphabet));
        if self.length == 1 {
            let both = first.intersection(last);
            return (both, both);
        }
        (first, last)
    }

    /// The rules that a text breaks. Every rule is evaluated over every byte, without a branch on
    /// them; time depends on the rules and the length of the text.
    pub(crate) fn broken(&self, text: &[u8]) -> RuleSet {
        let length = text
            .iter()
            .fold(0_u32, |count, byte| count.wrapping_add(u32::from(byte & 0xc0 != 0x80)));
        let mut broken = RuleSet::when(Rule::Length, length != u32::from(self.length));
        broken.add(Rule::Characters, count(text, self.alphabet()) != text.len());
        let mut present = 0_u32;
        for (group, index) in self.effective().zip(0_u8..) {
            let found = count(text, group.chars);
            present = present.wrapping_add(u32::from(found > 0));
            broken.add(Rule::GroupMin(index), found < usize::from(group.min));
            broken.add(Rule::GroupMax(index), found > group.max.map_or(usize::MAX, usize::from));
        }
        broken.add(Rule::AtLeast, present < self.at_least.map_or(0, u32::from));
        if let Some(longest) = self.max_run {
            broken.add(Rule::MaxRun, has_run(text, usize::from(longest) + 1));
        }
        if let Some(set) = self.first {
            broken.add(Rule::First, count(text.get(..1).unwrap_or_default(), set) != 1);
        }
        if let Some(set) = self.last {
            let start = text.len().saturating_sub(1);
            broken.add(Rule::Last, count(text.get(start..).unwrap_or_default(), set) != 1);
        }
        for (word, index) in self.forbid.iter().zip(0_u8..) {
            broken.add(Rule::Forbid(index), holds(text, word));
        }
        broken
    }
}

/// How many bytes belong to a set: every range over every byte.
fn count(text: &[u8], set: CharSet) -> usize {
    set.ranges().fold(0, |count, (first, more)| {
        text.iter().fold(count, |count: usize, byte| {
            count.wrapping_add(usize::from(byte.wrapping_sub(first) <= more))
        })
    })
}

/// Whether some byte stands `length` times in a row.
fn has_run(text: &[u8], length: usize) -> bool {
    text.windows(length).fold(false, |any, window| {
        let first = window.first().unwrap_or(&0);
        any | (window.iter().fold(0, |differ, byte| differ | (byte ^ first)) == 0)
    })
}

/// Whether a folded word occurs, in whatever ASCII case.
fn holds(text: &[u8], word: &[u8]) -> bool {
    if word.is_empty() {
        return false;
    }
    text.windows(word.len()).fold(false, |any, window| {
        let differ =
            window.iter().zip(word).fold(0, |all, (byte, letter)| all | (fold(*byte) ^ letter));
        any | (differ == 0)
    })
}

/// One rule of a recipe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rule {
    Length,
    Characters,
    GroupMin(u8),
    GroupMax(u8),
    AtLeast,
    MaxRun,
    First,
    Last,
    Exclude,
    /// The words of a passphrase, its separator and its digit.
    Words,
    Forbid(u8),
}

impl Rule {
    const COUNT: u32 = 56;

    const fn bit(self) -> u32 {
        match self {
            Self::Length => 0,
            Self::Characters => 1,
            Self::AtLeast => 2,
            Self::MaxRun => 3,
            Self::First => 4,
            Self::Last => 5,
            Self::Exclude => 6,
            Self::Words => 7,
            Self::GroupMin(index) => 8 + (index as u32 & 7),
            Self::GroupMax(index) => 16 + (index as u32 & 7),
            Self::Forbid(index) => 24 + (index as u32 & 31),
        }
    }

    fn from_bit(bit: u32) -> Self {
        let index = |start: u32| u8::try_from(bit - start).unwrap_or(0);
        match bit {
            0 => Self::Length,
            1 => Self::Characters,
            2 => Self::AtLeast,
            3 => Self::MaxRun,
            4 => Self::First,
            5 => Self::Last,
            6 => Self::Exclude,
            7 => Self::Words,
            8..=15 => Self::GroupMin(index(8)),
            16..=23 => Self::GroupMax(index(16)),
            _ => Self::Forbid(index(24)),
        }
    }

    /// The name, as a recipe file spells it.
    pub(crate) fn name(self) -> &'static str {
        let indexed = |names: &'static [&'static str], index: u8| {
            names.get(usize::from(index)).copied().unwrap_or_default()
        };
        match self {
            Self::Length => "length",
            Self::Characters => "characters",
            Self::AtLeast => "at_least",
            Self::MaxRun => "max_run",
            Self::First => "first",
            Self::Last => "last",
            Self::Exclude => "exclude",
            Self::Words => "words",
            Self::GroupMin(index) => indexed(&GROUP_MIN, index),
            Self::GroupMax(index) => indexed(&GROUP_MAX, index),
            Self::Forbid(index) => indexed(&FORBID, index),
        }
    }
}

/// A set of rules.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(crate) struct RuleSet(u64);

impl RuleSet {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn when(rule: Rule, broken: bool) -> Self {
        Self(u64::from(broken) << rule.bit())
    }

    pub(crate) fn add(&mut self, rule: Rule, broken: bool) {
        self.0 |= Self::when(rule, broken).0;
    }

    pub(crate) fn contains(self, rule: Rule) -> bool {
        self.0 >> rule.bit() & 1 == 1
    }

    /// Whether all of the others are in this set.
    #[cfg(feature = "alloc")]
    pub(crate) const fn holds(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub(crate) fn remove(&mut self, rule: Rule) {
        self.0 &= !(1 << rule.bit());
    }

    /// The bits, 0 when no rule is in the set. For masks; not to be branched on before it is
    /// declassified.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// Makes public which rules are in the set, one by one.
    pub(crate) fn declassify(self) -> Self {
        let bits = (0..Rule::COUNT).filter(|bit| !crate::secret::declassify(self.0 & 1 << bit));
        Self(bits.fold(0, |set, bit| set | 1 << bit))
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Rule> + Clone {
        (0..Rule::COUNT).filter(move |bit| self.0 >> bit & 1 == 1).map(Rule::from_bit)
    }
}

/// The names, as a recipe file spells them, between commas.
impl fmt::Display for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        self.iter().try_for_each(|rule| {
            write!(f, "{between}{}", rule.name())?;
            between = ", ";
            Ok(())
        })
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

macro_rules! indexed {
    ($start:literal, $end:literal: $($index:literal)*) => { [$(concat!($start, $index, $end)),*] };
}

const GROUP_MIN: [&str; 8] = indexed!("groups[", "].min": 0 1 2 3 4 5 6 7);
const GROUP_MAX: [&str; 8] = indexed!("groups[", "].max": 0 1 2 3 4 5 6 7);
const FORBID: [&str; 32] = indexed!("forbid[", "]":
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
