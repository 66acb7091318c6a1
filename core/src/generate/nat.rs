//! Natural numbers of a fixed width: enough for every string of 128 characters.

use core::cmp::Ordering;
use core::fmt;

/// 95^128, the largest number of strings, has 841 bits; 896 leave room for one multiplication by a
/// small number.
pub(crate) const LIMBS: usize = 14;

/// A natural number below 2^896, least significant limb first. Arithmetic wraps, which no count
/// reaches.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Nat(pub(crate) [u64; LIMBS]);

impl Nat {
    pub(crate) const ZERO: Self = Self([0; LIMBS]);

    pub(crate) fn from_u64(value: u64) -> Self {
        let mut nat = Self::ZERO;
        if let Some(limb) = nat.0.first_mut() {
            *limb = value;
        }
        nat
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.iter().all(|limb| *limb == 0)
    }

    pub(crate) fn add_assign(&mut self, other: &Self) {
        let mut carry = 0_u128;
        for (limb, more) in self.0.iter_mut().zip(other.0) {
            let sum = u128::from(*limb) + u128::from(more) + carry;
            *limb = low(sum);
            carry = sum >> 64;
        }
    }

    /// `self += other * factor`.
    pub(crate) fn add_product(&mut self, other: &Self, factor: u64) {
        let mut carry = 0_u128;
        for (limb, more) in self.0.iter_mut().zip(other.0) {
            // (2^64-1)^2 + 2 (2^64-1) = 2^128 - 1
            let sum = u128::from(more) * u128::from(factor) + u128::from(*limb) + carry;
            *limb = low(sum);
            carry = sum >> 64;
        }
    }

    pub(crate) fn times(&self, factor: u64) -> Self {
        let mut product = Self::ZERO;
        product.add_product(self, factor);
        product
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn product(&self, other: &Self) -> Self {
        // Horner, from the most significant limb.
        let mut product = Self::ZERO;
        for limb in other.0.iter().rev() {
            product.0.rotate_right(1);
            if let Some(low) = product.0.first_mut() {
                *low = 0;
            }
            product.add_product(self, *limb);
        }
        product
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn is_power_of_two(&self) -> bool {
        self.0.iter().map(|limb| limb.count_ones()).sum::<u32>() == 1
    }

    pub(crate) fn power(base: u64, exponent: usize) -> Self {
        (0..exponent).fold(Self::from_u64(1), |power, _| power.times(base))
    }

    /// Significant bits; 0 for zero.
    pub(crate) fn bits(&self) -> u32 {
        let mut bits = 0;
        for (limb, start) in self.0.iter().zip((0..).step_by(64)) {
            if *limb != 0 {
                bits = start + 64 - limb.leading_zeros();
            }
        }
        bits
    }

    /// Quotient in place; the remainder is returned. `divisor` is not zero.
    pub(crate) fn divide(&mut self, divisor: u64) -> u64 {
        let mut remainder = 0_u128;
        for limb in self.0.iter_mut().rev() {
            let part = (remainder << 64) | u128::from(*limb);
            *limb = low(part.checked_div(u128::from(divisor)).unwrap_or(0));
            remainder = part.checked_rem(u128::from(divisor)).unwrap_or(0);
        }
        low(remainder)
    }

    /// The 128 most significant bits, the first of them 1; zero for zero.
    fn leading(&self) -> u128 {
        let mut limbs = self.0.iter().rev().skip_while(|limb| **limb == 0);
        let mut next = || limbs.next().map_or(0, |limb| u128::from(*limb));
        let (first, second, third) = (next(), next(), next());
        let top = (first << 64) | second;
        // The shift is below 64, because the first limb is not zero.
        let shift = top.leading_zeros() & 63;
        if top == 0 { 0 } else { (top << shift) | ((third << shift) >> 64) }
    }

    /// The binary logarithm times 10^6, rounded down; 0 for zero.
    ///
    /// Integers only: 100 binary digits of the fraction by repeated squaring of a 128-bit mantissa,
    /// each step rounded down. The sum of all rounding is below 2^-99, so that only a logarithm
    /// that lies within 2^-79 of a multiple of 10^-6 could come out one too low, and none too
    /// high.
    pub(crate) fn log2_micro(&self) -> u64 {
        let mut mantissa = self.leading();
        if mantissa == 0 {
            return 0;
        }
        let mut fraction = 0_u128;
        for _ in 0..FRACTION_BITS {
            let (high, carry) = square(mantissa);
            fraction = (fraction << 1) | u128::from(carry);
            mantissa = high;
        }
        let whole = u64::from(self.bits() - 1) * MICRO;
        whole + low((fraction * u128::from(MICRO)) >> FRACTION_BITS)
    }
}

impl Ord for Nat {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Nat {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Decimal digits.
impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 2^896 has 270 digits: at most 15 groups of 19.
        let mut rest = *self;
        let mut groups = [0_u64; 15];
        let mut used = 0;
        for group in &mut groups {
            *group = rest.divide(GROUP);
            used += 1;
            if rest.is_zero() {
                break;
            }
        }
        let mut groups = groups.iter().take(used).rev();
        write!(f, "{}", groups.next().unwrap_or(&0))?;
        groups.try_for_each(|group| write!(f, "{group:019}"))
    }
}

impl fmt::Debug for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The square of a mantissa in [1, 2), as a mantissa again, and whether it had to be halved.
fn square(mantissa: u128) -> (u128, bool) {
    let (a, b) = (mantissa >> 64, mantissa & u128::from(u64::MAX));
    // mantissa^2 = a^2 2^128 + 2ab 2^64 + b^2
    let ab = a * b;
    let (middle, middle_carry) = (ab << 65).overflowing_add(b * b);
    let high = a * a + (ab >> 63) + u128::from(middle_carry);
    // The value is high:middle with 254 fraction bits: in [1, 4).
    let carry = high >> 127 == 1;
    (if carry { high } else { (high << 1) | (middle >> 127) }, carry)
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
const fn low(value: u128) -> u64 {
    value as u64
}

const FRACTION_BITS: u32 = 100;
const MICRO: u64 = 1_000_000;
/// 10^19, the largest power of ten in a limb.
const GROUP: u64 = 10_000_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn decimal_digits_are_exact() {
        assert_eq!(Nat::ZERO.to_string(), "0");
        assert_eq!(Nat::power(10, 19).to_string(), "10000000000000000000");
        assert_eq!(Nat::power(10, 100).to_string(), "1".to_string() + &"0".repeat(100));
        assert_eq!(Nat::power(3, 90).to_string(), "8727963568087712425891397479476727340041449");
    }

    #[test]
    fn logarithms_are_exact_and_rounded_down() {
        assert_eq!(Nat::ZERO.log2_micro(), 0);
        for exponent in [0_u32, 1, 63, 64, 65, 127, 128, 840] {
            let power = Nat::power(2, exponent as usize);
            assert_eq!(power.log2_micro(), u64::from(exponent) * MICRO);
            assert_eq!(power.bits(), exponent + 1);
        }
        // From an arbitrary-precision calculator.
        for (base, exponent, micro) in [
            (10, 1, 3_321_928),
            (3, 1, 1_584_962),
            (7776, 6, 77_548_875),
            (95, 128, 840_941_517),
            (80, 14, 88_506_993),
            (3, 90, 142_646_625),
        ] {
            assert_eq!(Nat::power(base, exponent).log2_micro(), micro, "{base}^{exponent}");
        }
        // One below a power of two is below, and one above is not less.
        for exponent in [60, 64, 128, 192, 500, 841] {
            let mut below = Nat::power(2, exponent);
            let mut borrow = true;
            for limb in &mut below.0 {
                let (next, carry) = limb.overflowing_sub(u64::from(borrow));
                *limb = next;
                borrow = carry;
            }
            assert_eq!(below.log2_micro(), exponent as u64 * MICRO - 1);
            let mut above = Nat::power(2, exponent);
            above.add_assign(&Nat::from_u64(1));
            assert_eq!(above.log2_micro(), exponent as u64 * MICRO);
        }
    }
}
