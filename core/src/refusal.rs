//! A device's own password policy refused a password: what it asks for beyond ours, and what of
//! that is followed (protocol §2.6).
//!
//! | module | what |
//! |---|---|
//! | [`Stricter`] | what is asked for, in numbers |
//! | `follow` | recipes that do it and are never weaker; [`NotStricter`] where there is none |
//! | [`Demands`] | what was asked for so far, for the agent to keep (feature `documents`) |
//! | [`parse_demands`] | what a text asks for; nothing without the feature `refusal-texts` |
//!
//! ```
//! # #[cfg(feature = "refusal-texts")] {
//! use laps_core::policy::Policy;
//! use laps_core::refusal::parse_demands;
//!
//! let policy = Policy::default();
//! let asked = parse_demands("BAD PASSWORD: The password is shorter than 20 characters", 14);
//! assert_eq!(asked.to_string(), "at least 20 characters");
//! assert_eq!(policy.recipe_and(&asked)?.strength().min_length(), 20);
//! // What would make passwords weaker than our policy is not followed.
//! let short = parse_demands("too long: at most 12 characters", 14);
//! assert!(policy.recipe_and(&short).is_err());
//! # }
//! # Ok::<(), laps_core::refusal::NotStricter>(())
//! ```

#[cfg(feature = "documents")]
mod demands;
mod follow;
#[cfg(feature = "refusal-texts")]
mod sentences;
#[cfg(all(test, feature = "alloc", feature = "getrandom"))]
mod tests;
#[cfg(all(feature = "alloc", not(feature = "refusal-texts")))]
mod unread;

use core::fmt;

#[cfg(feature = "documents")]
pub use demands::{Demand, Demands};
pub use follow::NotStricter;
#[cfg(feature = "refusal-texts")]
pub use sentences::{known_troubles, parse_demands, worded};
#[cfg(all(feature = "alloc", not(feature = "refusal-texts")))]
pub use unread::{known_troubles, parse_demands, worded};

/// What a device asks of a password beyond its policy. It only ever adds to a policy.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "documents",
    derive(serde::Deserialize, serde::Serialize),
    serde(deny_unknown_fields)
)]
#[non_exhaustive]
pub struct Stricter {
    /// At least so many characters; 0: no more than the policy says.
    pub length: u8,
    /// At most so many characters.
    pub max_length: Option<u8>,
    /// At least so many upper-case letters.
    pub upper: u8,
    /// At least so many lower-case letters.
    pub lower: u8,
    /// At least so many digits.
    pub digits: u8,
    /// At least so many other characters.
    pub symbols: u8,
    /// No character more often than so many times in a row; 0 is taken as 1.
    pub max_run: Option<u8>,
}

impl Stricter {
    /// What both ask for.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            length: self.length.max(other.length),
            max_length: smaller(self.max_length, other.max_length),
            upper: self.upper.max(other.upper),
            lower: self.lower.max(other.lower),
            digits: self.digits.max(other.digits),
            symbols: self.symbols.max(other.symbols),
            max_run: smaller(self.max_run, other.max_run),
        }
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is asked for, one demand at a time.
    pub fn parts(self) -> impl Iterator<Item = Self> {
        let none = Self::default();
        [
            Self { max_length: self.max_length, ..none },
            Self { length: self.length, ..none },
            Self { upper: self.upper, ..none },
            Self { lower: self.lower, ..none },
            Self { digits: self.digits, ..none },
            Self { symbols: self.symbols, ..none },
            Self { max_run: self.max_run, ..none },
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
    }
}

/// `at least 20 characters, at least 4 digits`; nothing where nothing is asked for.
impl fmt::Display for Stricter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = [
            (self.length, "characters"),
            (self.upper, "upper-case letters"),
            (self.lower, "lower-case letters"),
            (self.digits, "digits"),
            (self.symbols, "symbols"),
        ];
        let mut comma = "";
        for (number, what) in least.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "{comma}at least {number} {what}")?;
            comma = ", ";
        }
        if let Some(most) = self.max_length {
            write!(f, "{comma}at most {most} characters")?;
            comma = ", ";
        }
        if let Some(times) = self.max_run {
            write!(f, "{comma}no character more than {times} times in a row")?;
        }
        Ok(())
    }
}

fn smaller(one: Option<u8>, two: Option<u8>) -> Option<u8> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}

/// What is said of a refusal without a known word in it.
#[cfg(feature = "alloc")]
const UNKNOWN: &str = "for a reason that is not known here";
