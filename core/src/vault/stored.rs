//! Rows as a store has them.

use alloc::{boxed::Box, string::String};

use crate::identity::{DeviceId, Timestamp};

use super::VaultError;
use super::audit::Entry;
use super::state::Device;

/// Where a store keeps a device: its own number for it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceKey(u64);

impl DeviceKey {
    /// From the store's number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The store's number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// One row of a list of devices.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredDevice {
    /// Its key.
    pub key: DeviceKey,
    /// Its name.
    pub name: DeviceId,
    /// What is kept about it, or that it cannot be read.
    pub device: Result<Box<Device>, VaultError>,
    /// The due date by which a page found it; it is there for a damaged device too.
    pub due: Option<Timestamp>,
}

impl StoredDevice {
    /// From its parts.
    #[must_use]
    pub const fn new(
        key: DeviceKey,
        name: DeviceId,
        device: Result<Box<Device>, VaultError>,
    ) -> Self {
        Self { key, name, device, due: None }
    }

    /// With the due date by which it was found.
    #[must_use]
    pub fn found_by(mut self, due: Timestamp) -> Self {
        self.due = Some(due);
        self
    }

    /// Its place in the order of due dates: the `after` of the next page.
    pub(super) fn due_place(&self) -> Option<(Timestamp, DeviceKey)> {
        let due = self.due.or_else(|| self.device.as_ref().ok().and_then(|device| device.due()))?;
        Some((due, self.key))
    }
}

/// One row of the audit log, as it is stored. It may have been edited: only a verification tells.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoredEntry {
    /// The number, from 1.
    pub number: u64,
    /// The entry; an error text when a column cannot be read.
    pub entry: Result<Entry, String>,
    /// The hash stored with it.
    pub hash: [u8; 32],
    /// Whether its time is before that of the entry in front of it: a clock was set back, or had
    /// been wrong. A store leaves it false;
    /// [`Vault::audit_entries`](super::Vault::audit_entries) says it.
    pub earlier: bool,
}

impl StoredEntry {
    /// From its parts.
    #[must_use]
    pub const fn new(number: u64, entry: Result<Entry, String>, hash: [u8; 32]) -> Self {
        Self { number, entry, hash, earlier: false }
    }
}
