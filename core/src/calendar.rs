//! The Gregorian calendar, in days since 1601-01-01: the first day of a cycle of 400 years, the
//! year after a leap year that is divisible by 400.

/// Days in 400 years.
const CYCLE: u64 = 146_097;

/// Days from 1601-01-01; none for a date that is not in the calendar, and before that day.
pub(crate) fn days_since_1601(year: u64, month: u64, day: u64) -> Option<u64> {
    let before = year.checked_sub(1601)?;
    let leap_days = before.checked_div(4)? + before.checked_div(400)? - before.checked_div(100)?;
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    let lengths = month_lengths(year);
    let in_month = u64::from(*lengths.get(month)?);
    let months: u64 = lengths.iter().take(month).map(|days| u64::from(*days)).sum();
    (1..=in_month).contains(&day).then_some(before * 365 + leap_days + months + day - 1)
}

/// Year, month and day of so many days after 1601-01-01.
pub(crate) fn date(mut days: u64) -> (u64, u64, u64) {
    // Whole cycles of 400 years, then year by year.
    let mut year = 1601 + days.div_euclid(CYCLE) * 400;
    days = days.rem_euclid(CYCLE);
    loop {
        let length = month_lengths(year).iter().map(|days| u64::from(*days)).sum();
        if days < length {
            break;
        }
        (days, year) = (days - length, year + 1);
    }
    let mut month = 1;
    for length in month_lengths(year).map(u64::from) {
        if days < length {
            break;
        }
        (days, month) = (days - length, month + 1);
    }
    (year, month, days + 1)
}

const fn month_lengths(year: u64) -> [u8; 12] {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}
