//! How strong a recipe is: the size of its admissible set, exactly.

use core::fmt;

use super::nat::Nat;

/// The exact size of a recipe's admissible set. It belongs to the recipe, never to one password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Strength {
    admissible: Nat,
    min_length: usize,
    max_length: usize,
}

impl Strength {
    pub(crate) const fn new(admissible: Nat, min_length: usize, max_length: usize) -> Self {
        Self { admissible, min_length, max_length }
    }

    /// How many different passwords the recipe admits; prints as a decimal integer.
    #[must_use]
    pub const fn admissible(&self) -> Admissible {
        Admissible(self.admissible)
    }

    /// The binary logarithm of [`Strength::admissible`] times 10^6, rounded down. Computed with
    /// integers.
    #[must_use]
    pub fn bits_micro(&self) -> u64 {
        self.admissible.log2_micro()
    }

    /// The shortest password, in characters.
    #[must_use]
    pub const fn min_length(&self) -> usize {
        self.min_length
    }

    /// The longest password, in characters.
    #[must_use]
    pub const fn max_length(&self) -> usize {
        self.max_length
    }
}

/// Bits with six places, rounded down: `88.207138 bits`.
impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micro = self.bits_micro();
        let whole = micro.checked_div(1_000_000).unwrap_or(0);
        let rest = micro.checked_rem(1_000_000).unwrap_or(0);
        write!(f, "{whole}.{rest:06} bits")
    }
}

/// The size of an admissible set, an integer of up to 254 decimal digits.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Admissible(Nat);

impl fmt::Display for Admissible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
