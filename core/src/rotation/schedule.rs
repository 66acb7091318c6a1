//! When: due dates, back-offs, and a clock that does not run backwards.

use crate::identity::Timestamp;

/// 2025-01-01T00:00:00Z. A device whose clock says less has not set it: it starts at 1970 until the
/// network has told it the time.
pub(super) const PLAUSIBLE: Timestamp = Timestamp::from_unix_seconds(1_735_689_600);

/// A clock may run back this many seconds without being said to jump.
pub(super) const TOLERANCE: u64 = 300;

/// The first back-off, in seconds; each further one is twice as long.
const FIRST: u64 = 60;
/// The longest back-off, in seconds: Windows LAPS tries once an hour, too.
const LONGEST: u64 = 3600;

/// A number below `bound` from 64 random bits; 0 for a bound of 0. No number is more likely than
/// another by more than bound / 2^64.
pub(super) fn below(entropy: u64, bound: u64) -> u64 {
    let product = u128::from(entropy) * u128::from(bound);
    u64::try_from(product >> 64).unwrap_or(0)
}

/// When a password made now is due: the age less a jitter that is uniform over its share of the
/// age.
pub(super) fn due(now: Timestamp, max_age: u64, jitter_percent: u8, entropy: u64) -> Timestamp {
    let share = max_age.saturating_mul(u64::from(jitter_percent)).checked_div(100).unwrap_or(0);
    let jitter = below(entropy, share.saturating_add(1));
    now.plus(max_age.saturating_sub(jitter))
}

/// How long to wait after so many failures in a row: uniform between a half and the whole of 1, 2,
/// 4 … 60 minutes.
pub(super) fn back_off(failures: u8, entropy: u64) -> u64 {
    let whole = whole_back_off(failures);
    let half = whole >> 1;
    half.saturating_add(below(entropy, whole.saturating_sub(half).saturating_add(1)))
}

/// The longest that [`back_off`] gives.
pub(super) fn whole_back_off(failures: u8) -> u64 {
    FIRST.saturating_mul(1 << failures.min(6)).min(LONGEST)
}

/// How long after a commit the next rotation may start whose reason is a conflict: another device
/// with this identity, a rolled-back image, an uncertain outcome. Three go at once; then 1, 2, 4 …
/// 24 hours, so that two clones do not chase each other.
pub(super) fn calm(conflicts: u8) -> u64 {
    match conflicts.checked_sub(3) {
        None => 0,
        Some(more) => 3600_u64.saturating_mul(1 << more.min(5)).min(24 * 3600),
    }
}

/// How long after so many commits in a row that rested on the vault's word the next of that kind
/// waits: 1, 2, 4 … 60 minutes.
pub(super) fn word(commits: u8) -> u64 {
    commits.checked_sub(1).map_or(0, whole_back_off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::integer_division_remainder_used, reason = "public times")]
    fn a_due_date_lies_between_nine_tenths_and_the_whole_of_the_age() {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let age = 30 * 86_400;
        assert_eq!(due(now, age, 10, 0), now.plus(age));
        assert_eq!(due(now, age, 10, u64::MAX), now.plus(age - age / 10));
        assert_eq!(due(now, age, 0, u64::MAX), now.plus(age));
        let step = u64::MAX / 1000;
        let mut last = now.plus(age);
        for part in 1..1000 {
            let at = due(now, age, 10, part * step);
            assert!(at < last && at >= now.plus(age * 9 / 10));
            last = at;
        }
    }

    #[test]
    fn back_offs_double_up_to_an_hour_and_are_spread_over_their_upper_half() {
        assert_eq!((back_off(0, 0), back_off(0, u64::MAX)), (30, 60));
        assert_eq!((back_off(3, 0), back_off(3, u64::MAX)), (240, 480));
        assert_eq!((back_off(6, 0), back_off(255, u64::MAX)), (1800, 3600));
    }

    #[test]
    fn what_rests_on_a_word_waits_from_a_minute_up_to_an_hour() {
        assert_eq!([0, 1, 2, 3, 7, 8, 255].map(word), [0, 60, 120, 240, 3600, 3600, 3600]);
    }

    #[test]
    fn conflicts_are_answered_at_once_three_times_and_then_ever_more_slowly() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 255].map(calm), {
            let hour = 3600;
            [0, 0, 0, hour, 2 * hour, 4 * hour, 8 * hour, 16 * hour, 24 * hour, 24 * hour]
        });
    }
}
