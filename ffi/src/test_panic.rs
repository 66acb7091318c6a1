//! Panics on demand, at every point where the edge takes an object or an out parameter. Only with
//! the feature `panic-for-tests`, never in what is installed.

#[cfg(feature = "panic-for-tests")]
mod points {
    #![expect(unreachable_pub, reason = "exported to C only")]

    use core::cell::Cell;

    thread_local! { static LEFT: Cell<i32> = const { Cell::new(-1) }; }

    /// Panics at the point with this number from now on (0: the start of the next call); -1:
    /// nowhere. Answers how many points were left until then, or -1 where it has happened.
    #[unsafe(no_mangle)]
    pub extern "C" fn laps_test_panic(point: i32) -> i32 {
        LEFT.replace(point)
    }

    pub(crate) fn point() {
        let left = LEFT.get();
        if left >= 0 {
            LEFT.set(left.saturating_sub(1));
        }
        assert!(left != 0, "forced by a test");
    }
}

#[cfg(feature = "panic-for-tests")]
pub(crate) use points::point;

/// A point where a test may force a panic.
#[cfg(not(feature = "panic-for-tests"))]
#[inline(always)]
pub(crate) const fn point() {}
