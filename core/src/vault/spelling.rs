//! How names are compared, and which is nearest to a mistyped one.

use alloc::{string::String, string::ToString as _, vec::Vec};

use crate::account::capital;

/// A name as names are compared: in capitals, letter by letter, as Windows does. A store finds
/// names that differ in case only by it.
#[must_use]
pub fn folded(name: &str) -> String {
    name.chars().map(capital).collect()
}

/// Which of many names is nearest to a mistyped one. A store shows it every name of a scope, in
/// order.
#[derive(Clone, Debug)]
pub struct Nearest {
    wanted: Vec<char>,
    least: usize,
    found: Option<String>,
}

impl Nearest {
    /// To this one.
    #[must_use]
    pub fn to(device: &str) -> Self {
        let wanted: Vec<char> = folded(device).chars().collect();
        // One letter in four may be wrong.
        let least = wanted.len().div_ceil(4).min(4);
        Self { wanted, least, found: None }
    }

    /// One name.
    pub fn look(&mut self, name: &str) {
        let distance = distance(&self.wanted, &folded(name));
        if distance < self.least || (distance == self.least && self.found.is_none()) {
            self.least = distance;
            self.found = Some(name.to_string());
        }
    }

    /// The nearest, where one is near.
    #[must_use]
    pub fn found(self) -> Option<String> {
        self.found
    }
}

/// How many letters have to be put in, taken out or changed (Levenshtein, 1965).
fn distance(one: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for letter in other.chars() {
        let mut diagonal = row.first().copied().unwrap_or_default();
        let mut left = diagonal.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (place, with) in row.iter_mut().skip(1).zip(one) {
            let above = *place;
            let replaced = diagonal.saturating_add(usize::from(*with != letter));
            left = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            *place = left;
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        let count = |one: &str, other: &str| distance(&one.chars().collect::<Vec<_>>(), other);
        assert_eq!(count("PC-0001", "PC-0001"), 0);
        assert_eq!(count("PC-0001", "PC-0010"), 2);
        assert_eq!(count("PC-001", "PC-0001"), 1);
        assert_eq!(count("", "ABC"), 3);
        assert_eq!(folded("pc-ü\u{df}"), "PC-Ü\u{df}");
    }
}
