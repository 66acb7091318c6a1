//! Windows' clock: 100-nanosecond ticks since 1601-01-01 UTC.

use core::fmt;

use crate::calendar::{date, days_since_1601};
use crate::identity::Timestamp;

/// A time as Windows and Active Directory keep it, up to the end of the year 9999.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Filetime(u64);

const TICKS: u64 = 10_000_000;
const DAY: u64 = 86_400;
/// Seconds from 1601-01-01 to 1970-01-01: 134 774 days.
const EPOCH: u64 = 134_774 * DAY;

impl Filetime {
    /// The last tick of the year 9999.
    pub const MAX: Self = Self((253_402_300_800 + EPOCH) * TICKS - 1);

    /// From ticks; none when later than the year 9999. Active Directory's "never" (2^63 - 1) is.
    #[must_use]
    pub const fn from_ticks(ticks: u64) -> Option<Self> {
        if ticks <= Self::MAX.0 { Some(Self(ticks)) } else { None }
    }

    /// 100-nanosecond ticks since 1601-01-01 UTC.
    #[must_use]
    pub const fn as_ticks(self) -> u64 {
        self.0
    }

    /// The time in whole seconds, rounded down; what lies before 1970 becomes 1970.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        let seconds = self.0.checked_div(TICKS).unwrap_or_default();
        Timestamp::from_unix_seconds(seconds.saturating_sub(EPOCH))
    }

    /// The `t` of `msLAPS-Password`: lower-case hexadecimal without `0x` and without leading zeros.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
            && !text.starts_with('0');
        plain.then(|| u64::from_str_radix(text, 16).ok()).flatten().and_then(Self::from_ticks)
    }

    /// The time of a stored password however its writer spells it: in hexadecimal of either case,
    /// with or without `0x` and leading zeros, or in decimal. None for what is neither, or is
    /// no time at which Windows LAPS or its like could have run.
    pub(crate) fn from_any_digits(text: &str) -> Option<Self> {
        let text = text.trim();
        let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let plain = hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        let hex = plain.then(|| u64::from_str_radix(hex, 16).ok()).flatten();
        let plausible = |ticks| Self::from_ticks(ticks).filter(|time| time.is_plausible());
        hex.and_then(plausible)
            .or_else(|| Self::from_decimal(text).filter(|time| time.is_plausible()))
    }

    /// Whether a password can have been stored then: from the year 2000 to the end of 2199. A time
    /// whose halves were swapped is not.
    #[must_use]
    pub const fn is_plausible(self) -> bool {
        const FIRST: u64 = (946_684_800 + EPOCH) * TICKS;
        const END: u64 = (7_258_118_400 + EPOCH) * TICKS;
        FIRST <= self.0 && self.0 < END
    }

    /// An expiry time over LDAP: decimal digits.
    #[must_use]
    pub(crate) fn from_decimal(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|digit| digit.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten().and_then(Self::from_ticks)
    }

    /// Graph's `DateTimeOffset`: RFC 3339 with any number of digits in the fraction, of which seven
    /// count.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let (clock, rest) = rest.strip_prefix(['T', 't'])?.split_at_checked(8)?;
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let (digits, zone) = rest.split_at_checked(end)?;
                (Some(digits), zone)
            }
            None => (None, rest),
        };
        let ticks = match fraction {
            Some("") => return None,
            Some(digits) => (0..7).fold(0, |ticks, at| {
                let digit = digits.as_bytes().get(at).map_or(0, |digit| u64::from(*digit & 0xf));
                ticks * 10 + digit
            }),
            None => 0,
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = days_since_1601(year, month, day)? * DAY + hour * 3600 + minute * 60 + second;
        let seconds = match zone.split_at_checked(1)? {
            ("Z" | "z", "") => Some(seconds),
            ("+", offset) => seconds.checked_sub(zone_seconds(offset)?),
            ("-", offset) => seconds.checked_add(zone_seconds(offset)?),
            _ => None,
        }?;
        Self::from_ticks(seconds.checked_mul(TICKS)?.checked_add(ticks)?)
    }
}

fn zone_seconds(text: &str) -> Option<u64> {
    let [hours, minutes] = numbers(text, ':', [2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(hours * 3600 + minutes * 60)
}

/// Numbers of so many digits, with one separator between them.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u64; N]> {
    let mut out = [0; N];
    let mut fields = text.split(separator);
    for (number, width) in out.iter_mut().zip(widths) {
        let field = fields.next()?;
        let plain = field.len() == width && field.bytes().all(|digit| digit.is_ascii_digit());
        *number = plain.then(|| field.parse().ok()).flatten()?;
    }
    fields.next().is_none().then_some(out)
}

/// RFC 3339 in UTC, with the seven digits of a tick.
impl fmt::Display for Filetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(TICKS);
        let (days, clock) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = date(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:07}Z",
            clock.div_euclid(3600),
            clock.div_euclid(60).rem_euclid(60),
            clock.rem_euclid(60),
            self.0.rem_euclid(TICKS)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    fn of(time: Timestamp) -> Filetime {
        Filetime((time.as_unix_seconds() + EPOCH) * TICKS)
    }

    #[test]
    fn the_samples_of_the_documentation_agree() {
        let time = Filetime::from_hex("1d8161b41c41cde").unwrap();
        assert_eq!(time.as_ticks(), 132_880_495_330_729_182);
        assert_eq!(time.to_string(), "2022-01-30T20:52:13.0729182Z");
        assert_eq!(Filetime::from_decimal("132880495330729182"), Some(time));
        assert_eq!(Filetime::from_rfc3339("2022-01-30T20:52:13.0729182Z"), Some(time));
        assert_eq!(Filetime::from_rfc3339("2022-01-30T22:52:13.0729182+02:00"), Some(time));
        assert_eq!(Filetime::from_rfc3339("2022-01-30T15:22:13.07291829999-05:30"), Some(time));
        assert_eq!(time.timestamp().as_unix_seconds(), 1_643_575_933);
    }

    #[test]
    fn the_ends_of_the_calendar_are_right() {
        assert_eq!(Filetime(0).to_string(), "1601-01-01T00:00:00.0000000Z");
        assert_eq!(Filetime::MAX.to_string(), "9999-12-31T23:59:59.9999999Z");
        assert_eq!(of(Timestamp::default()).to_string(), "1970-01-01T00:00:00.0000000Z");
        assert_eq!(Filetime(0).timestamp(), Timestamp::default());
        assert_eq!(Filetime::MAX.timestamp(), Timestamp::MAX);
        for day in [
            "2000-02-29",
            "2024-02-29",
            "1600-12-31",
            "1900-02-29",
            "2023-02-29",
            "2023-04-31",
            "2023-13-01",
            "2023-00-01",
            "2023-01-00",
        ] {
            let read = Filetime::from_rfc3339(&alloc::format!("{day}T00:00:00Z"));
            assert_eq!(
                read.is_some(),
                day.starts_with('2') && day.ends_with("02-29") && day != "2023-02-29",
                "{day}"
            );
        }
        assert_eq!(Filetime::from_ticks(u64::MAX >> 1), None);
        assert_eq!(Filetime::from_decimal("9223372036854775807"), None);
    }

    #[test]
    fn other_ways_of_writing_are_refused() {
        for text in [
            "",
            "0",
            "01d8161b41c41cde",
            "0x1d8161b41c41cde",
            "1D8161B41C41CDE",
            "1d8161b41c41cde ",
            "ffffffffffffffff",
        ] {
            assert_eq!(Filetime::from_hex(text), None, "{text}");
        }
        for text in [
            "",
            "2022-01-30",
            "2022-01-30T20:52:13",
            "2022-01-30T20:52:13.Z",
            "2022-01-30 20:52:13Z",
            "2022-01-30T20:52:13+0200",
            "2022-01-30T24:00:00Z",
            "2022-01-30T20:60:00Z",
            "2022-01-30T20:52:60Z",
            "22-01-30T20:52:13Z",
            "2022-01-30T20:52:13ZZ",
            "+022-01-30T20:52:13Z",
            "2022-01-30T20:52:13é",
            "1601-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(Filetime::from_rfc3339(text), None, "{text}");
        }
        assert_eq!(Filetime::from_decimal("-1"), None);
        assert_eq!(Filetime::from_decimal(""), None);
    }

    proptest! {
        #[test]
        fn every_time_survives_its_text(ticks in 0..=Filetime::MAX.0) {
            let time = Filetime(ticks);
            prop_assert_eq!(Filetime::from_rfc3339(&time.to_string()), Some(time));
            prop_assert_eq!(Filetime::from_decimal(&ticks.to_string()), Some(time));
            prop_assert_eq!(Filetime::from_hex(&alloc::format!("{ticks:x}")).is_some(), ticks > 0);
            let seconds = of(time.timestamp());
            let before = time < of(Timestamp::default());
            prop_assert!(before || (seconds <= time && time.0 - seconds.0 < TICKS));
        }

        #[test]
        fn any_text_is_a_time_or_not(text in "[0-9TZ:.+-]{0,32}|\\PC{0,32}") {
            let _ = Filetime::from_rfc3339(&text).map(|time| time.to_string());
            let _ = Filetime::from_hex(&text);
        }
    }
}
