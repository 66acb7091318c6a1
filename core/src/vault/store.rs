//! What the rules need from a store. A database is added by implementing these two traits; nothing
//! else changes.

use alloc::{string::String, vec::Vec};

use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::message::AuditHead;

use super::audit::Entry;
use super::readers::Readers;
use super::state::Device;
use super::{VaultError, Who};

/// How soon a write must be on the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every one")]
pub enum Durability {
    /// Before the call returns.
    Durable,
    /// Some time later; it may be lost, but never half of it.
    Relaxed,
}

/// A place that keeps vaults. A clone is another handle to the same place.
///
/// Every operation of the vault is one call of `read` or `write`, and thus one transaction: it sees
/// one state, its writes appear together or not at all, and two writes never interleave.
pub trait Store: Clone + Send + Sync {
    /// Reads one state of the store. Writing in it is an error.
    ///
    /// # Errors
    /// What `work` answers, or what keeps the store from being read.
    fn read<T>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError>;

    /// Reads and writes. When `work` answers an error, nothing was written.
    ///
    /// # Errors
    /// What `work` answers, or what keeps the store from being written.
    fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError>;
}

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
    pub device: Result<Device, VaultError>,
    /// The due date by which [`Transaction::due`] found it; it is there for a damaged device too.
    pub due: Option<Timestamp>,
}

impl StoredDevice {
    /// From its parts.
    #[must_use]
    pub const fn new(key: DeviceKey, name: DeviceId, device: Result<Device, VaultError>) -> Self {
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
        let due = self.due.or_else(|| self.device.as_ref().ok().and_then(Device::due))?;
        Some((due, self.key))
    }
}

/// One transaction. Everything is per scope; a scope that was never written to is empty.
///
/// # Errors
/// Every method: whatever keeps the store from doing it, `Damaged` for what cannot be read back.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Transaction {
    /// Every scope that was ever written to, in order.
    fn scopes(&mut self) -> Result<Vec<Scope>, VaultError>;
    /// Readers and settings of a scope.
    fn readers(&mut self, scope: &Scope) -> Result<Readers, VaultError>;
    /// Replaces them.
    fn put_readers(&mut self, scope: &Scope, readers: &Readers) -> Result<(), VaultError>;

    /// A device by name.
    fn device(
        &mut self,
        scope: &Scope,
        name: &DeviceId,
    ) -> Result<Option<(DeviceKey, Device)>, VaultError>;
    /// The name of another device that differs from this one in case only:
    /// [`folded`](super::folded) they are the same.
    fn similar(&mut self, scope: &Scope, name: &DeviceId) -> Result<Option<DeviceId>, VaultError>;
    /// Adds a device that is not there.
    fn insert_device(
        &mut self,
        scope: &Scope,
        name: &DeviceId,
        device: &Device,
    ) -> Result<DeviceKey, VaultError>;
    /// Replaces what is kept about a device.
    fn update_device(&mut self, key: DeviceKey, device: &Device) -> Result<(), VaultError>;
    /// Removes a device with its records and its ancestry.
    fn remove_device(&mut self, key: DeviceKey) -> Result<(), VaultError>;
    /// Devices by name, those behind `after`.
    fn devices(
        &mut self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredDevice>, VaultError>;
    /// Devices by due date, then by key; those due no later than `until`, behind `after`. Costs
    /// grow with the answer.
    fn due(
        &mut self,
        scope: &Scope,
        until: Timestamp,
        after: Option<(Timestamp, DeviceKey)>,
        limit: usize,
    ) -> Result<Vec<StoredDevice>, VaultError>;

    /// The sealed bytes of a record; none when they are gone.
    fn record(&mut self, row: u64) -> Result<Option<Vec<u8>>, VaultError>;
    /// Stores sealed bytes; the row.
    fn insert_record(&mut self, device: DeviceKey, bytes: &[u8]) -> Result<u64, VaultError>;
    /// Replaces sealed bytes of this device in place; an error for a row of another one.
    fn replace_record(
        &mut self,
        device: DeviceKey,
        row: u64,
        bytes: &[u8],
    ) -> Result<(), VaultError>;
    /// Removes sealed bytes of this device. A row that is gone, or another device's, is left as it
    /// is.
    fn remove_record(&mut self, device: DeviceKey, row: u64) -> Result<(), VaultError>;

    /// Another record of this device that names the same predecessor, stored now or ever
    /// (protocol §3.7).
    fn fork(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<Option<RecordId>, VaultError>;
    /// Records the parent of a record, its predecessor, for ever. Recording it again changes
    /// nothing.
    fn record_parent(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<(), VaultError>;
    /// The ancestry of a device: every (predecessor, record) that was recorded.
    fn ancestry(&mut self, device: DeviceKey) -> Result<Vec<(RecordId, RecordId)>, VaultError>;

    /// Length and head of the audit log.
    fn audit_head(&mut self, scope: &Scope) -> Result<AuditHead, VaultError>;
    /// Appends the entry with the number of `head`, whose hash it has.
    fn append(&mut self, scope: &Scope, entry: &Entry, head: &AuditHead) -> Result<(), VaultError>;
    /// Stored entries by number, from `from` on, as they are: number, entry, hash.
    fn entries(
        &mut self,
        scope: &Scope,
        from: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, VaultError>;
    /// The times of entries by number, from `from` on, as they are.
    fn times(
        &mut self,
        scope: &Scope,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Timestamp)>, VaultError>;
    /// Entries of somebody, those behind number `after`.
    fn entries_of(
        &mut self,
        scope: &Scope,
        who: Who<'_>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, VaultError>;
    /// How many rows of the audit log belong to no scope. None was written by us.
    fn stray_entries(&mut self) -> Result<u64, VaultError>;
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
