//! Settings that are numbers, as the accessors of a policy give them.

use super::{BackupDirectory, PostAuthenticationActions};
use crate::generate::Complexity;

/// What an accessor makes of the number behind its setting, which is in its range.
pub(super) trait FromNumber {
    fn from_number(number: u16) -> Self;
}

impl FromNumber for u8 {
    fn from_number(number: u16) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl FromNumber for u16 {
    fn from_number(number: u16) -> Self {
        number
    }
}

impl FromNumber for bool {
    fn from_number(number: u16) -> Self {
        number != 0
    }
}

impl FromNumber for BackupDirectory {
    fn from_number(number: u16) -> Self {
        match number {
            1 => Self::Entra,
            2 => Self::ActiveDirectory,
            _ => Self::Disabled,
        }
    }
}

impl FromNumber for Complexity {
    fn from_number(number: u16) -> Self {
        Self::try_from(u8::from_number(number)).unwrap_or(Self::Full)
    }
}

impl FromNumber for PostAuthenticationActions {
    fn from_number(number: u16) -> Self {
        Self(u8::from_number(number))
    }
}
