//! How names are compared, and which is nearest to a mistyped one.

use alloc::{string::String, string::ToString as _, vec::Vec};

use crate::account::capital;
use crate::text::distance;

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
        let distance = distance(&self.wanted, name.chars().map(capital));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_in_capitals_letter_by_letter() {
        assert_eq!(folded("pc-ü\u{df}"), "PC-Ü\u{df}");
    }
}
