//! The store in memory: for models, tests, and vaults that shall not outlive their process.

use alloc::{
    collections::BTreeMap, collections::BTreeSet, format, string::String, sync::Arc, vec::Vec,
};
use core::fmt;
use core::ops::Bound;

use spin::Mutex;

use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::message::AuditHead;

use super::audit::Entry;
use super::readers::Readers;
use super::state::Device;
use super::store::{DeviceKey, Durability, Store, StoredDevice, StoredEntry, Transaction};
use super::{VaultError, Who, folded};

/// A store in memory. A clone is another handle to the same one; [`MemoryStore::snapshot`] is a
/// copy.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Data>>);

/// Everything that the store keeps about one device: a value that can be compared, hashed and put
/// back.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct DeviceState {
    /// What is kept about it.
    pub device: Device,
    /// The predecessor of every record that it ever stored, as (predecessor, record).
    pub ancestry: BTreeSet<(RecordId, RecordId)>,
}

#[derive(Clone, Default)]
struct Data {
    scopes: BTreeMap<Scope, ScopeData>,
    devices: BTreeMap<DeviceKey, Arc<MemoryRow>>,
    records: BTreeMap<u64, (DeviceKey, Arc<[u8]>)>,
    next_device: u64,
    next_record: u64,
}

#[derive(Clone, Default)]
struct ScopeData {
    readers: Arc<Readers>,
    entries: Vec<(Arc<Entry>, [u8; 32])>,
    names: BTreeMap<DeviceId, DeviceKey>,
    /// The names as they are compared, in front.
    folded: BTreeSet<(String, DeviceId)>,
    due: BTreeSet<(Timestamp, DeviceKey)>,
}

#[derive(Clone)]
struct MemoryRow {
    scope: Scope,
    name: DeviceId,
    state: DeviceState,
}

/// What takes one step back.
enum Undo {
    Device(DeviceKey, Option<Arc<MemoryRow>>),
    Record(u64, Option<(DeviceKey, Arc<[u8]>)>),
    Readers(Scope, Arc<Readers>),
    Entry(Scope),
    Scope(Scope),
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store of its own with the same content. Sealed bytes and entries are shared, not copied.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().clone())))
    }

    /// What is kept about a device, as a value.
    #[must_use]
    pub fn device_state(&self, scope: &Scope, device: &DeviceId) -> Option<DeviceState> {
        let data = self.0.lock();
        let key = data.scopes.get(scope)?.names.get(device)?;
        data.devices.get(key).map(|row| row.state.clone())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.0.lock();
        f.debug_struct("MemoryStore")
            .field("devices", &data.devices.len())
            .field("records", &data.records.len())
            .finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn read<T>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let mut data = self.0.lock();
        work(&mut MemoryTransaction { data: &mut data, undo: Vec::new(), writing: false })
    }

    fn write<T>(
        &self,
        _: Durability,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let mut data = self.0.lock();
        let mut step = MemoryTransaction { data: &mut data, undo: Vec::new(), writing: true };
        let result = work(&mut step);
        if result.is_err() {
            step.roll_back();
        }
        result
    }
}

struct MemoryTransaction<'a> {
    data: &'a mut Data,
    undo: Vec<Undo>,
    writing: bool,
}

impl MemoryTransaction<'_> {
    fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Device(key, before) => drop(self.data.set_device(key, before)),
                Undo::Record(row, before) => drop(self.data.set_record(row, before)),
                Undo::Readers(scope, before) => {
                    if let Some(data) = self.data.scopes.get_mut(&scope) {
                        data.readers = before;
                    }
                }
                Undo::Entry(scope) => {
                    if let Some(data) = self.data.scopes.get_mut(&scope) {
                        data.entries.pop();
                    }
                }
                Undo::Scope(scope) => drop(self.data.scopes.remove(&scope)),
            }
        }
    }

    fn writable(&self) -> Result<(), VaultError> {
        if self.writing {
            Ok(())
        } else {
            Err(VaultError::Internal("a write in a read transaction"))
        }
    }

    fn set_device(
        &mut self,
        key: DeviceKey,
        row: Option<Arc<MemoryRow>>,
    ) -> Result<(), VaultError> {
        self.writable()?;
        let before = self.data.set_device(key, row);
        self.undo.push(Undo::Device(key, before));
        Ok(())
    }

    fn set_record(
        &mut self,
        row: u64,
        record: Option<(DeviceKey, Arc<[u8]>)>,
    ) -> Result<(), VaultError> {
        self.writable()?;
        let before = self.data.set_record(row, record);
        self.undo.push(Undo::Record(row, before));
        Ok(())
    }

    fn row(&self, key: DeviceKey) -> Result<&Arc<MemoryRow>, VaultError> {
        self.data.devices.get(&key).ok_or(VaultError::Internal("a device key without a device"))
    }

    fn scope_mut(&mut self, scope: &Scope) -> Result<&mut ScopeData, VaultError> {
        self.writable()?;
        if !self.data.scopes.contains_key(scope) {
            self.undo.push(Undo::Scope(*scope));
        }
        Ok(self.data.scopes.entry(*scope).or_default())
    }

    fn stored(&self, key: DeviceKey) -> Option<StoredDevice> {
        let row = self.data.devices.get(&key)?;
        Some(StoredDevice::new(key, row.name, Ok(row.state.device.clone())))
    }
}

impl Data {
    /// Puts a device in, or takes it out, with its places in the indexes; what was there before.
    fn set_device(
        &mut self,
        key: DeviceKey,
        row: Option<Arc<MemoryRow>>,
    ) -> Option<Arc<MemoryRow>> {
        let before = self.devices.remove(&key);
        if let Some(before) = &before
            && let Some(scope) = self.scopes.get_mut(&before.scope)
        {
            scope.names.remove(&before.name);
            scope.folded.remove(&(folded(before.name.as_str()), before.name));
            if let Some(due) = before.state.device.due() {
                scope.due.remove(&(due, key));
            }
        }
        if let Some(row) = row {
            let scope = self.scopes.entry(row.scope).or_default();
            scope.names.insert(row.name, key);
            scope.folded.insert((folded(row.name.as_str()), row.name));
            if let Some(due) = row.state.device.due() {
                scope.due.insert((due, key));
            }
            self.devices.insert(key, row);
        }
        before
    }

    fn set_record(
        &mut self,
        row: u64,
        record: Option<(DeviceKey, Arc<[u8]>)>,
    ) -> Option<(DeviceKey, Arc<[u8]>)> {
        match record {
            Some(record) => self.records.insert(row, record),
            None => self.records.remove(&row),
        }
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn scopes(&mut self) -> Result<Vec<Scope>, VaultError> {
        Ok(self.data.scopes.keys().copied().collect())
    }

    fn readers(&mut self, scope: &Scope) -> Result<Readers, VaultError> {
        Ok(self
            .data
            .scopes
            .get(scope)
            .map_or_else(Readers::default, |data| Readers::clone(&data.readers)))
    }

    fn put_readers(&mut self, scope: &Scope, readers: &Readers) -> Result<(), VaultError> {
        let data = self.scope_mut(scope)?;
        let before = core::mem::replace(&mut data.readers, Arc::new(readers.clone()));
        self.undo.push(Undo::Readers(*scope, before));
        Ok(())
    }

    fn device(
        &mut self,
        scope: &Scope,
        name: &DeviceId,
    ) -> Result<Option<(DeviceKey, Device)>, VaultError> {
        let key = self.data.scopes.get(scope).and_then(|data| data.names.get(name)).copied();
        let Some(key) = key else { return Ok(None) };
        Ok(Some((key, self.row(key)?.state.device.clone())))
    }

    fn similar(&mut self, scope: &Scope, name: &DeviceId) -> Result<Option<DeviceId>, VaultError> {
        let Some(data) = self.data.scopes.get(scope) else { return Ok(None) };
        let wanted = folded(name.as_str());
        let mut alike = data.folded.range((wanted.clone(), DeviceId::EMPTY)..);
        let alike = alike.by_ref().take_while(|(folded, _)| *folded == wanted);
        Ok(alike.map(|(_, other)| *other).find(|other| other != name))
    }

    fn insert_device(
        &mut self,
        scope: &Scope,
        name: &DeviceId,
        device: &Device,
    ) -> Result<DeviceKey, VaultError> {
        if self.scope_mut(scope)?.names.contains_key(name) {
            let text = format!("device {name} is in this vault already; a new name is accepted");
            return Err(VaultError::AlreadyExists(text));
        }
        self.data.next_device = self.data.next_device.saturating_add(1);
        let key = DeviceKey::new(self.data.next_device);
        let state = DeviceState { device: device.clone(), ancestry: BTreeSet::new() };
        self.set_device(key, Some(Arc::new(MemoryRow { scope: *scope, name: *name, state })))?;
        Ok(key)
    }

    fn update_device(&mut self, key: DeviceKey, device: &Device) -> Result<(), VaultError> {
        let mut row = MemoryRow::clone(self.row(key)?);
        row.state.device = device.clone();
        self.set_device(key, Some(Arc::new(row)))
    }

    fn remove_device(&mut self, key: DeviceKey) -> Result<(), VaultError> {
        let of_device =
            |(row, (owner, _)): (&u64, &(DeviceKey, _))| (*owner == key).then_some(*row);
        let rows: Vec<u64> = self.data.records.iter().filter_map(of_device).collect();
        for row in rows {
            self.set_record(row, None)?;
        }
        self.set_device(key, None)
    }

    fn devices(
        &mut self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredDevice>, VaultError> {
        let Some(data) = self.data.scopes.get(scope) else { return Ok(Vec::new()) };
        let after = after.and_then(|after| DeviceId::new(after).ok());
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys = data.names.range((from, Bound::Unbounded)).map(|(_, key)| *key);
        Ok(keys.filter_map(|key| self.stored(key)).take(limit).collect())
    }

    fn due(
        &mut self,
        scope: &Scope,
        until: Timestamp,
        after: Option<(Timestamp, DeviceKey)>,
        limit: usize,
    ) -> Result<Vec<StoredDevice>, VaultError> {
        let Some(data) = self.data.scopes.get(scope) else { return Ok(Vec::new()) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let due = data.due.range((from, Bound::Unbounded));
        let keys = due.take_while(|(due, _)| *due <= until).map(|(_, key)| *key);
        Ok(keys.filter_map(|key| self.stored(key)).take(limit).collect())
    }

    fn record(&mut self, row: u64) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(self.data.records.get(&row).map(|(_, bytes)| bytes.to_vec()))
    }

    fn insert_record(&mut self, device: DeviceKey, bytes: &[u8]) -> Result<u64, VaultError> {
        self.data.next_record = self.data.next_record.saturating_add(1);
        let row = self.data.next_record;
        self.set_record(row, Some((device, bytes.into())))?;
        Ok(row)
    }

    fn replace_record(
        &mut self,
        device: DeviceKey,
        row: u64,
        bytes: &[u8],
    ) -> Result<(), VaultError> {
        if self.data.records.get(&row).is_none_or(|(owner, _)| *owner != device) {
            return Err(VaultError::Internal("a row without a record"));
        }
        self.set_record(row, Some((device, bytes.into())))
    }

    fn remove_record(&mut self, device: DeviceKey, row: u64) -> Result<(), VaultError> {
        if self.data.records.get(&row).is_some_and(|(owner, _)| *owner != device) {
            return Ok(());
        }
        self.set_record(row, None)
    }

    fn fork(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<Option<RecordId>, VaultError> {
        let ancestry = &self.row(device)?.state.ancestry;
        let from = (predecessor, RecordId::from_bytes([0; 16]));
        let mut forks = ancestry.range(from..).take_while(|(other, _)| *other == predecessor);
        Ok(forks.find(|(_, other)| *other != id).map(|(_, other)| *other))
    }

    fn record_parent(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<(), VaultError> {
        let mut row = MemoryRow::clone(self.row(device)?);
        row.state.ancestry.insert((predecessor, id));
        self.set_device(device, Some(Arc::new(row)))
    }

    fn ancestry(&mut self, device: DeviceKey) -> Result<Vec<(RecordId, RecordId)>, VaultError> {
        Ok(self.row(device)?.state.ancestry.iter().copied().collect())
    }

    fn audit_head(&mut self, scope: &Scope) -> Result<AuditHead, VaultError> {
        let Some(data) = self.data.scopes.get(scope) else { return Ok(AuditHead::EMPTY) };
        Ok(data.entries.last().map_or(AuditHead::EMPTY, |(_, hash)| {
            AuditHead::new(u64::try_from(data.entries.len()).unwrap_or(u64::MAX), *hash)
        }))
    }

    fn append(&mut self, scope: &Scope, entry: &Entry, head: &AuditHead) -> Result<(), VaultError> {
        let data = self.scope_mut(scope)?;
        data.entries.push((Arc::new(entry.clone()), head.hash));
        self.undo.push(Undo::Entry(*scope));
        Ok(())
    }

    fn entries(
        &mut self,
        scope: &Scope,
        from: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, VaultError> {
        Ok(self.numbered(scope, from).take(limit).collect())
    }

    fn times(
        &mut self,
        scope: &Scope,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Timestamp)>, VaultError> {
        let times = self.numbered(scope, from);
        let times = times.filter_map(|stored| Some((stored.number, stored.entry.ok()?.at)));
        Ok(times.take(limit).collect())
    }

    fn entries_of(
        &mut self,
        scope: &Scope,
        who: Who<'_>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, VaultError> {
        let wanted =
            |stored: &StoredEntry| stored.entry.as_ref().is_ok_and(|entry| entry.is_of(who));
        Ok(self.numbered(scope, after.saturating_add(1)).filter(wanted).take(limit).collect())
    }

    fn stray_entries(&mut self) -> Result<u64, VaultError> {
        Ok(0)
    }
}

impl MemoryTransaction<'_> {
    fn numbered(&self, scope: &Scope, from: u64) -> impl Iterator<Item = StoredEntry> + '_ {
        let entries = self.data.scopes.get(scope).map_or(&[][..], |data| data.entries.as_slice());
        let skip = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        entries
            .iter()
            .zip(1_u64..)
            .skip(skip)
            .map(|((entry, hash), number)| StoredEntry::new(number, Ok(Entry::clone(entry)), *hash))
    }
}
