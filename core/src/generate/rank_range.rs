//! Ranks below a large total: how many binary digits are drawn, and what of a draw is kept.

use zeroize::Zeroize as _;

use super::mask::{equal, hide};
use super::nat::{LIMBS, Nat};

/// A range of ranks, and the numbers that are drawn for it: 8 binary digits more, cut to a multiple
/// of the total.
#[derive(Clone, Debug)]
pub(crate) struct RankRange {
    pub(crate) total: Nat,
    /// The largest multiple of the total that is not above 2^(bits + 8).
    multiple: Nat,
    /// Which bits of the last limb are drawn.
    top: u64,
    pub(super) limbs: usize,
}

impl RankRange {
    pub(super) fn new(total: &Nat) -> Self {
        let bits = total.bits() + SPARE;
        let limbs = usize::try_from(bits.div_ceil(64)).unwrap_or(LIMBS);
        // The quotient of 2^bits by the total, digit by digit; it is at most 2^9.
        let mut multiple = Nat::ZERO;
        for digit in (0..=SPARE + 1).rev() {
            let mut next = multiple;
            next.add_assign(&total.times(1 << digit));
            let fits = next.bits() <= bits || (next.bits() == bits + 1 && next.is_power_of_two());
            if fits {
                multiple = next;
            }
        }
        let top = u64::MAX >> (64_u32.wrapping_mul(u32::try_from(limbs).unwrap_or(0)) - bits);
        Self { total: *total, multiple, top, limbs }
    }

    /// A rank from as many random limbs, in place; not 0 when they are to be thrown away.
    pub(crate) fn reduce(&self, limbs: &mut [u64]) -> u64 {
        if let Some(top) = limbs.last_mut() {
            *top &= self.top;
        }
        // Where the multiple is 2^bits itself, its last limb may lie beyond the limbs: then all are
        // below.
        let whole = self.multiple.0.iter().skip(self.limbs).fold(0, |any, limb| any | limb) != 0;
        let below = below(limbs, &self.multiple.0) | 0_u64.wrapping_sub(u64::from(whole));
        divide(limbs, &self.total.0, SPARE + 1);
        !below
    }
}

/// `limbs %= divisor`; the quotient has at most so many binary digits.
pub(super) fn divide(limbs: &mut [u64], divisor: &[u64], digits: u32) -> u64 {
    let mut quotient = 0;
    let mut shifted = [0; LIMBS];
    for digit in (0..digits).rev() {
        let mut carried = 0;
        let mut lost = 0;
        for (place, limb) in shifted.iter_mut().zip(divisor).take(limbs.len()) {
            *place = limb << digit | carried;
            carried = (limb >> 1) >> (63 - digit);
            lost = carried;
        }
        let shifted = shifted.get(..limbs.len()).unwrap_or_default();
        // What is shifted out makes the divisor larger than the limbs.
        let fits = !below(limbs, shifted) & equal(lost, 0);
        subtract(limbs, shifted, fits);
        quotient |= (fits & 1) << digit;
    }
    shifted.zeroize();
    quotient
}

/// All ones when `a < b`, over the limbs of `a`.
pub(super) fn below(a: &[u64], b: &[u64]) -> u64 {
    let borrow = a.iter().zip(b).fold(false, |borrow, (a, b)| {
        let (part, first) = a.overflowing_sub(*b);
        let (_, second) = part.overflowing_sub(u64::from(borrow));
        first | second
    });
    hide(0_u64.wrapping_sub(u64::from(borrow)))
}

/// `a -= b` where the mask is set, over the limbs of `a`.
pub(super) fn subtract(a: &mut [u64], b: &[u64], mask: u64) {
    let mut borrow = false;
    for (a, b) in a.iter_mut().zip(b) {
        let (part, first) = a.overflowing_sub(b & mask);
        let (rest, second) = part.overflowing_sub(u64::from(borrow));
        *a = rest;
        borrow = first | second;
    }
}

/// Binary digits that are drawn beyond the size of the total: at most one draw in 2^8 is thrown
/// away.
const SPARE: u32 = 8;
