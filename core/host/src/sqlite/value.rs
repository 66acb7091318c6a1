//! Values as SQLite has them, and as it must not have them.

use laps_core::vault::VaultError;
use laps_core::vault::state::Device;

pub(super) fn damaged(what: &'static str, device: &str) -> VaultError {
    VaultError::Damaged { what, device: device.to_owned() }
}

/// Our numbers never have the sign bit: they are rows, seconds and counts.
pub(super) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_i64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn due(device: &Device) -> Option<i64> {
    device.due().map(|due| to_i64(due.as_unix_seconds()))
}
