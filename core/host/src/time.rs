//! The clock, and times as text.

use std::time::{SystemTime, UNIX_EPOCH};

use laps_core::identity::Timestamp;

/// The time now. Before 1970 it is 1970.
#[must_use]
pub fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Timestamp::from_unix_seconds(seconds)
}

/// RFC 3339 in UTC: `2026-11-22T21:04:05Z`.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    i64::try_from(at.as_unix_seconds())
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "9999-12-30T22:00:00Z".to_owned(), |time| time.to_string())
}

/// Reads an RFC 3339 time with any offset; fractions of a second are dropped.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_second()).ok().map(Timestamp::from_unix_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_writing_and_reading() {
        let at = Timestamp::from_unix_seconds(1_795_000_000);
        assert_eq!(rfc3339(at), "2026-11-18T11:06:40Z");
        assert_eq!(parse_rfc3339(&rfc3339(at)), Some(at));
        assert_eq!(parse_rfc3339("2026-11-18T12:06:40.5+01:00"), Some(at));
        assert_eq!(parse_rfc3339("yesterday"), None);
        assert_eq!(parse_rfc3339("1969-12-31T23:59:59Z"), None);
        assert!(rfc3339(Timestamp::MAX).starts_with("9999-12-3"));
    }
}
