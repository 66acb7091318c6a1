//! Comparisons that are masks: no branch and no address depends on what is compared.

use core::hint::black_box;

/// All ones when two numbers are equal.
#[inline]
pub(super) fn equal(a: u64, b: u64) -> u64 {
    let differ = a ^ b;
    hide(((differ | differ.wrapping_neg()) >> 63).wrapping_sub(1))
}

/// Hides from the compiler that a mask is all ones or none, so that it does not turn it into a
/// branch or a choice between two addresses.
#[inline]
pub(super) fn hide(mask: u64) -> u64 {
    black_box(mask)
}
