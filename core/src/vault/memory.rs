//! The store in memory: for models, tests, and vaults that shall not outlive their process.

use alloc::{
    boxed::Box, collections::BTreeMap, collections::BTreeSet, format, string::String, sync::Arc,
    vec::Vec,
};
use core::fmt;
use core::ops::Bound;

use spin::{Mutex, MutexGuard};

use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::message::AuditHead;

use super::audit::Entry;
use super::plan::{DeviceRange, Entries, Plan, Want};
use super::readers::Readers;
use super::state::{Device, Digest};
use super::store::{DeviceKey, Durability, Store, StoredDevice, StoredEntry, Work};
use super::unit::{Appended, DeviceChange, Rows, Writes};
use super::{Nearest, VaultError, Who, folded};

/// A store in memory. A clone is another handle to the same one; [`MemoryStore::snapshot`] is a
/// copy.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Data>>);

/// Everything that the store keeps about one device: a value that can be compared, hashed and put
/// back.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct DeviceState {
    /// What is kept about it.
    pub(crate) device: Device,
    /// The predecessor of every record that it ever stored, as (predecessor, record).
    pub(crate) ancestry: BTreeSet<(RecordId, RecordId)>,
}

#[derive(Clone, Default)]
struct Data {
    scopes: BTreeMap<Scope, ScopeData>,
    devices: BTreeMap<DeviceKey, Arc<MemoryRow>>,
    records: BTreeMap<(DeviceKey, RecordId, Digest), Arc<[u8]>>,
    next_device: u64,
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

    /// What is kept about a device, as a value that the exploration compares.
    #[cfg(test)]
    pub(crate) fn device_state(&self, scope: &Scope, device: &DeviceId) -> Option<DeviceState> {
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
    type Work<'s> = MemoryWork<'s>;

    fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        Ok(self.0.lock().scopes.keys().copied().collect())
    }

    fn read(&self, plan: &Plan) -> Result<Rows, VaultError> {
        Ok(self.0.lock().read(plan))
    }

    fn begin(&self, plan: &Plan, _: Durability) -> Result<(MemoryWork<'_>, Rows), VaultError> {
        let data = self.0.lock();
        let rows = data.read(plan);
        Ok((MemoryWork { data, scope: plan.scope }, rows))
    }
}

/// A unit of work in memory: nobody else has the store until it is over.
pub struct MemoryWork<'s> {
    data: MutexGuard<'s, Data>,
    scope: Scope,
}

impl fmt::Debug for MemoryWork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryWork").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Work for MemoryWork<'_> {
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        wants.iter().for_each(|want| self.data.fetch(want, rows));
        Ok(())
    }

    fn write(mut self, writes: Writes) -> Result<Appended, VaultError> {
        let scope = self.scope;
        // What can be refused is refused before anything is written.
        let appended = Appended::behind(&scope, Ok(self.data.head(&scope)), &writes.append)?;
        let names = self.data.scopes.get(&scope).map(|data| &data.names);
        for (name, change) in &writes.devices {
            if change.key.is_none() && names.is_some_and(|names| names.contains_key(name)) {
                let text =
                    format!("device {name} is in this vault already; a new name is accepted");
                return Err(VaultError::AlreadyExists(text));
            }
        }
        for (name, change) in writes.devices {
            self.data.write_device(&scope, name, change);
        }
        if writes.readers.is_none() && writes.append.is_empty() {
            return Ok(appended);
        }
        let data = self.data.scopes.entry(scope).or_default();
        if let Some(readers) = writes.readers {
            data.readers = Arc::new(readers);
        }
        let entries = writes.append.into_iter().zip(&appended.heads);
        data.entries.extend(entries.map(|(entry, head)| (Arc::new(entry), head.hash)));
        Ok(appended)
    }
}

impl Data {
    fn read(&self, plan: &Plan) -> Rows {
        let readers = self.scopes.get(&plan.scope).map(|data| Readers::clone(&data.readers));
        let head = self.head(&plan.scope);
        let mut rows = Rows::new(plan.scope, Ok(head), Ok(readers.unwrap_or_default()));
        plan.wants.iter().for_each(|want| self.fetch(want, &mut rows));
        rows
    }

    fn fetch(&self, want: &Want, rows: &mut Rows) {
        let scope = *rows.scope();
        match want {
            Want::Device(name) => {
                let found = self.find(&scope, name).and_then(|key| self.stored(key));
                rows.add_device(*name, found);
            }
            Want::Devices(range) => rows.add_page(range.clone(), self.page(&scope, range)),
            Want::Sealed(device, id, digest) => {
                let key = rows.read_device(device).map(|stored| (stored.key, *id, *digest));
                let bytes = key.and_then(|key| self.records.get(&key));
                rows.add_sealed(*device, *id, *digest, bytes.map(|bytes| bytes.to_vec()));
            }
            Want::Children(device, parent) => {
                let first = RecordId::from_bytes([0; 16]);
                let named = self.ancestry(&scope, device).into_iter().flat_map(|ancestry| {
                    ancestry.range((*parent, first)..).take_while(|(one, _)| one == parent)
                });
                let children = named.map(|(_, child)| *child).collect();
                rows.add_children(*device, *parent, Ok(children));
            }
            Want::Ancestry(device) => {
                let ancestry = self.ancestry(&scope, device).into_iter().flatten().copied();
                rows.add_ancestry(*device, Ok(ancestry.collect()));
            }
            Want::Entry(number) => rows.add_entry(*number, self.entry(&scope, *number)),
            Want::EntryBeforeHead(number) => {
                if *number < self.head(&scope).length {
                    rows.add_entry(*number, self.entry(&scope, *number));
                }
            }
            Want::Entries(which) => {
                let found = match which {
                    Entries::From { number, limit } => {
                        self.numbered(&scope, *number).take(*limit).collect()
                    }
                    Entries::Of { name, typed, after, limit } => {
                        let who = if *typed { Who::TypedAs(name) } else { Who::Caller(name) };
                        let of = |stored: &StoredEntry| {
                            stored.entry.as_ref().is_ok_and(|entry| entry.is_of(who))
                        };
                        let behind = self.numbered(&scope, after.saturating_add(1));
                        behind.filter(of).take(*limit).collect()
                    }
                };
                rows.add_entries(which.clone(), found);
            }
            Want::Times(from, limit) => {
                let time = |stored: StoredEntry| Some((stored.number, stored.entry.ok()?.at));
                let times = self.numbered(&scope, *from).filter_map(time);
                rows.add_times(*from, *limit, times.take(*limit).collect());
            }
            Want::Nearest(asked) => {
                let mut nearest = Nearest::to(asked.as_str());
                let names = self.scopes.get(&scope).into_iter().flat_map(|data| data.names.keys());
                names.for_each(|name| nearest.look(name.as_str()));
                rows.add_nearest(*asked, nearest.found());
            }
            Want::StrayEntries => rows.add_stray_entries(0),
        }
    }

    /// The device of that name; of one that differs in case only when there is no other.
    fn find(&self, scope: &Scope, name: &DeviceId) -> Option<DeviceKey> {
        let data = self.scopes.get(scope)?;
        if let Some(key) = data.names.get(name) {
            return Some(*key);
        }
        let wanted = folded(name.as_str());
        let mut alike = data.folded.range((wanted.clone(), DeviceId::EMPTY)..);
        let (_, other) = alike.next().filter(|(folded, _)| *folded == wanted)?;
        data.names.get(other).copied()
    }

    fn stored(&self, key: DeviceKey) -> Option<StoredDevice> {
        let row = self.devices.get(&key)?;
        Some(StoredDevice::new(key, row.name, Ok(Box::new(row.state.device.clone()))))
    }

    fn page(&self, scope: &Scope, range: &DeviceRange) -> Vec<StoredDevice> {
        let Some(data) = self.scopes.get(scope) else { return Vec::new() };
        match range {
            DeviceRange::ByName { after, limit } => {
                let after = after.as_deref().and_then(|after| DeviceId::new(after).ok());
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                let keys = data.names.range((from, Bound::Unbounded)).map(|(_, key)| *key);
                keys.filter_map(|key| self.stored(key)).take(*limit).collect()
            }
            DeviceRange::ByDue { until, after, limit } => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                let due = data.due.range((from, Bound::Unbounded));
                let keys = due.take_while(|(due, _)| due <= until).map(|(_, key)| *key);
                keys.filter_map(|key| self.stored(key)).take(*limit).collect()
            }
        }
    }

    fn ancestry(
        &self,
        scope: &Scope,
        device: &DeviceId,
    ) -> Option<&BTreeSet<(RecordId, RecordId)>> {
        let key = self.scopes.get(scope)?.names.get(device)?;
        Some(&self.devices.get(key)?.state.ancestry)
    }

    fn head(&self, scope: &Scope) -> AuditHead {
        let Some(data) = self.scopes.get(scope) else { return AuditHead::EMPTY };
        data.entries.last().map_or(AuditHead::EMPTY, |(_, hash)| {
            AuditHead::new(u64::try_from(data.entries.len()).unwrap_or(u64::MAX), *hash)
        })
    }

    fn numbered(&self, scope: &Scope, from: u64) -> impl Iterator<Item = StoredEntry> + '_ {
        let entries = self.scopes.get(scope).map_or(&[][..], |data| data.entries.as_slice());
        let skip = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        entries
            .iter()
            .zip(1_u64..)
            .skip(skip)
            .map(|((entry, hash), number)| StoredEntry::new(number, Ok(Entry::clone(entry)), *hash))
    }

    fn entry(&self, scope: &Scope, number: u64) -> Option<StoredEntry> {
        self.numbered(scope, number).next().filter(|found| found.number == number)
    }

    fn write_device(&mut self, scope: &Scope, name: DeviceId, change: DeviceChange) {
        if let Some(key) = change.key {
            for (id, digest) in change.drop {
                self.records.remove(&(key, id, digest));
            }
            if change.purged {
                self.set_device(key, None);
            }
        }
        let key = change.key.filter(|_| !change.purged).unwrap_or_else(|| {
            self.next_device = self.next_device.saturating_add(1);
            DeviceKey::new(self.next_device)
        });
        for ((id, digest), bytes) in change.put {
            self.records.insert((key, id, digest), bytes.into());
        }
        let Some(device) = change.device else { return };
        let before = self.devices.get(&key).map(|row| row.state.ancestry.clone());
        let mut ancestry = before.unwrap_or_default();
        ancestry.extend(change.parents);
        let state = DeviceState { device: *device, ancestry };
        self.set_device(key, Some(Arc::new(MemoryRow { scope: *scope, name, state })));
    }

    /// Puts a device in, or takes it out, with its places in the indexes.
    fn set_device(&mut self, key: DeviceKey, row: Option<Arc<MemoryRow>>) {
        if let Some(before) = self.devices.remove(&key)
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
    }
}
