//! Times at the edge: aware `datetime` in Python, seconds in the core.

use laps_core::error::Code;
use laps_core::identity::Timestamp;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDelta, PyTzInfo};

use crate::error::raise;

/// A moment as an aware `datetime` in UTC.
pub(crate) fn to_python(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyDateTime>> {
    let seconds = i64::try_from(at.as_unix_seconds()).unwrap_or(i64::MAX);
    let utc = PyTzInfo::utc(py)?;
    let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
    let days = i32::try_from(seconds.div_euclid(86_400)).unwrap_or(i32::MAX);
    let rest = i32::try_from(seconds.rem_euclid(86_400)).unwrap_or(0);
    let delta = PyDelta::new(py, days, rest, 0, false)?;
    Ok(epoch.as_any().add(delta)?.cast_into::<PyDateTime>()?)
}

/// A moment in a row of an answer.
#[derive(Clone, Copy)]
pub(crate) struct When(pub(crate) Timestamp);

impl<'py> IntoPyObject<'py> for When {
    type Target = PyDateTime;
    type Output = Bound<'py, PyDateTime>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        to_python(py, self.0)
    }
}

/// A `timedelta` as whole seconds, not negative.
pub(crate) fn seconds(delay: &Bound<'_, PyDelta>) -> PyResult<u64> {
    let seconds: f64 = delay.call_method0("total_seconds")?.extract()?;
    if !(0.0..=Timestamp::MAX.as_unix_seconds() as f64).contains(&seconds) {
        return Err(raise(Code::InvalidArgument, "a negative or endless time; give one from 0"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the year 9999, as was just checked"
    )]
    Ok(seconds as u64)
}

/// An aware `datetime` as a moment, to the second, rounded down.
pub(crate) fn from_python(at: &Bound<'_, PyDateTime>) -> PyResult<Timestamp> {
    if at.getattr("tzinfo")?.is_none() {
        return Err(raise(
            Code::InvalidArgument,
            "a time without a time zone; give an aware datetime, such as \
             datetime.now(timezone.utc)",
        ));
    }
    let seconds: f64 = at.call_method0("timestamp")?.extract()?;
    if !(0.0..=Timestamp::MAX.as_unix_seconds() as f64).contains(&seconds) {
        return Err(raise(
            Code::InvalidArgument,
            "a time before 1970 or after 9999; give one between",
        ));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the year 9999, as was just checked"
    )]
    Ok(Timestamp::from_unix_seconds(seconds as u64))
}

/// The moment that was given, or now.
pub(crate) fn or_now(at: Option<&Bound<'_, PyDateTime>>) -> PyResult<Timestamp> {
    match at {
        Some(at) => from_python(at),
        None => Ok(now()),
    }
}

/// Now, by the system's clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_unix_seconds(since.map_or(0, |since| since.as_secs()))
}
