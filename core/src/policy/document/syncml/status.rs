//! How a rotation went that a device was asked for, as it answers.

use core::fmt;

/// How the last Exec of `ResetPassword` went: its HRESULT.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResetStatus {
    /// Anything else: this error.
    Failed(u32),
    /// The device did not answer the question: the status of `SyncML` with which it refused, such
    /// as 404.
    NoAnswer(u16),
    /// `E_PENDING`, 0x8000000A: still running.
    Pending,
    /// `S_OK`, 0.
    Succeeded,
}

impl ResetStatus {
    /// From an HRESULT.
    #[must_use]
    pub const fn from_hresult(code: u32) -> Self {
        match code {
            0 => Self::Succeeded,
            0x8000_000A => Self::Pending,
            code => Self::Failed(code),
        }
    }

    /// The HRESULT; none where the device gave none.
    #[must_use]
    pub const fn hresult(self) -> Option<u32> {
        match self {
            Self::Failed(code) => Some(code),
            Self::NoAnswer(_) => None,
            Self::Pending => Some(0x8000_000A),
            Self::Succeeded => Some(0),
        }
    }
}

impl fmt::Display for ResetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(0x8007_0005) => f.write_str("failed with 0x80070005: access is denied"),
            Self::Failed(code) => write!(f, "failed with {code:#010x}"),
            Self::NoAnswer(404) => f.write_str(
                "the device has no such node (404): its Windows is \
                 older than the updates of April 2023, or has no LAPS",
            ),
            Self::NoAnswer(status) => write!(
                f,
                "the device refused the question with status \
                 {status}"
            ),
            Self::Pending => f.write_str("still running"),
            Self::Succeeded => f.write_str("succeeded"),
        }
    }
}

/// HRESULTs travel as signed or unsigned decimals, or in hexadecimal.
pub(super) fn hresult(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x") {
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return plain.then(|| u32::from_str_radix(digits, 16).ok()).flatten();
    }
    text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}
