//! Counting without a heap: two rows of at most 64 states, one position after the other.

use super::nat::Nat;
use super::shape::Shape;

/// States in a row: group counts times what the last character was.
const STATES: usize = 64;
/// Kinds of characters.
const KINDS: usize = 32;

/// The number of strings that the shape admits; none when a row does not fit.
pub(crate) fn count(shape: &Shape) -> Option<Nat> {
    let mut kinds = [None; KINDS];
    let mut used = 0;
    for kind in shape.kinds() {
        *kinds.get_mut(used)? = Some(kind);
        used += 1;
    }
    let run = usize::from(shape.max_run);
    // A tail is 0 before the first character and where runs do not matter, else 1 + kind * longest
    // run + run - 1.
    let tails = 1 + used * run;
    if shape.counts_size().checked_mul(tails)? > STATES {
        return None;
    }
    let mut row = [Nat::ZERO; STATES];
    *row.first_mut()? = Nat::from_u64(1);
    for position in 0..shape.length {
        let mut next = [Nat::ZERO; STATES];
        for (ways, state) in row.iter().zip(0_usize..) {
            if ways.is_zero() {
                continue;
            }
            let counts = shape.decode(state.checked_div(tails)?);
            let tail = state.checked_rem(tails)?;
            for (kind, index) in kinds.iter().flatten().zip(0_usize..) {
                let allowed = (position > 0 || kind.may_start)
                    && (position + 1 < shape.length || kind.may_end);
                let Some(stepped) = shape.step(counts, kind.groups).filter(|_| allowed) else {
                    continue;
                };
                let base = shape.encode(stepped) * tails;
                let size = u64::from(kind.chars.len());
                if run == 0 {
                    next.get_mut(base)?.add_product(ways, size);
                    continue;
                }
                let fresh = 1 + index * run;
                let same = tail >= fresh && tail < fresh + run;
                next.get_mut(base + fresh)?.add_product(ways, size - u64::from(same));
                if same && tail + 1 < fresh + run {
                    next.get_mut(base + tail + 1)?.add_assign(ways);
                }
            }
        }
        row = next;
    }
    let mut total = Nat::ZERO;
    for (ways, state) in row.iter().zip(0_usize..) {
        if shape.accepts(shape.decode(state.checked_div(tails)?)) {
            total.add_assign(ways);
        }
    }
    Some(total)
}
