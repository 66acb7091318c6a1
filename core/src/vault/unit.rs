//! A unit of work: the rows that decisions read, and what they write. Decisions are pure: they read
//! and change this value, and nothing else.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec, vec::Vec};

use crate::identity::{DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::message::AuditHead;

use super::VaultError;
use super::audit::Entry;
use super::plan::{DeviceRange, Entries, Want};
use super::readers::Readers;
use super::spelling::folded;
use super::state::{Device, Digest};
use super::stored::{StoredDevice, StoredEntry};
pub use super::writes::{Appended, DeviceChange, Writes};

/// Why a decision ends without one.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the driver must handle every one")]
pub enum Stop {
    /// It needs rows that were not fetched. With them it is asked again, from its beginning.
    Missing(Vec<Want>),
    /// It is refused.
    Refused(VaultError),
}

impl From<VaultError> for Stop {
    fn from(error: VaultError) -> Self {
        Self::Refused(error)
    }
}

/// The rows of a scope that were fetched, and what decisions changed of them. Several decisions in
/// turn see each other's.
#[derive(Clone, Debug)]
pub struct Rows {
    scope: Scope,
    head: Result<AuditHead, VaultError>,
    readers: Result<Readers, VaultError>,
    /// The names that devices have, by those that were asked for.
    named: BTreeMap<DeviceId, Option<DeviceId>>,
    /// Devices as they were read, in one piece: a page of them is moved once.
    devices: Vec<StoredDevice>,
    /// Where each stands.
    places: BTreeMap<DeviceId, usize>,
    /// Pages: where each begins among the devices, and how many it has.
    pages: Vec<(DeviceRange, usize, usize)>,
    sealed: BTreeMap<(DeviceId, RecordId, Digest), Option<Vec<u8>>>,
    children: BTreeMap<(DeviceId, RecordId), Result<Vec<RecordId>, VaultError>>,
    ancestry: BTreeMap<DeviceId, Result<Vec<(RecordId, RecordId)>, VaultError>>,
    entry: BTreeMap<u64, Option<StoredEntry>>,
    entries: Vec<(Entries, Vec<StoredEntry>)>,
    times: BTreeMap<(u64, usize), Vec<(u64, Timestamp)>>,
    nearest: BTreeMap<DeviceId, Option<String>>,
    stray_entries: Option<u64>,
    /// What earlier decisions write.
    accepted: Writes,
    /// Devices that they add, by their folded names.
    added: BTreeMap<String, DeviceId>,
    /// What the present one writes.
    draft: Writes,
}

/// What a store fetched.
impl Rows {
    /// With what comes with every plan.
    #[must_use]
    pub fn new(
        scope: Scope,
        head: Result<AuditHead, VaultError>,
        readers: Result<Readers, VaultError>,
    ) -> Self {
        Self {
            scope,
            head,
            readers,
            named: BTreeMap::new(),
            devices: Vec::new(),
            places: BTreeMap::new(),
            pages: Vec::new(),
            sealed: BTreeMap::new(),
            children: BTreeMap::new(),
            ancestry: BTreeMap::new(),
            entry: BTreeMap::new(),
            entries: Vec::new(),
            times: BTreeMap::new(),
            nearest: BTreeMap::new(),
            stray_entries: None,
            accepted: Writes::default(),
            added: BTreeMap::new(),
            draft: Writes::default(),
        }
    }

    /// The scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The head of the audit log as it was read.
    pub const fn read_head(&self) -> &Result<AuditHead, VaultError> {
        &self.head
    }

    /// A device as it was read.
    #[must_use]
    pub fn read_device(&self, name: &DeviceId) -> Option<&StoredDevice> {
        self.places.get(name).and_then(|place| self.devices.get(*place))
    }

    fn keep(&mut self, found: StoredDevice) {
        self.places.insert(found.name, self.devices.len());
        self.devices.push(found);
    }

    /// For [`Want::Device`].
    pub fn add_device(&mut self, asked: DeviceId, found: Option<StoredDevice>) {
        if found.as_ref().is_none_or(|found| found.name != asked) {
            self.named.insert(asked, found.as_ref().map(|found| found.name));
        }
        found.into_iter().for_each(|found| self.keep(found));
    }

    /// For [`Want::Devices`].
    pub fn add_page(&mut self, range: DeviceRange, found: Vec<StoredDevice>) {
        self.pages.push((range, self.devices.len(), found.len()));
        found.into_iter().for_each(|found| self.keep(found));
    }

    /// For [`Want::Sealed`]; none for what is gone or damaged.
    pub fn add_sealed(
        &mut self,
        device: DeviceId,
        id: RecordId,
        digest: Digest,
        found: Option<Vec<u8>>,
    ) {
        self.sealed.insert((device, id, digest), found);
    }

    /// For [`Want::Children`].
    pub fn add_children(
        &mut self,
        device: DeviceId,
        parent: RecordId,
        found: Result<Vec<RecordId>, VaultError>,
    ) {
        self.children.insert((device, parent), found);
    }

    /// For [`Want::Ancestry`].
    pub fn add_ancestry(
        &mut self,
        device: DeviceId,
        found: Result<Vec<(RecordId, RecordId)>, VaultError>,
    ) {
        self.ancestry.insert(device, found);
    }

    /// For [`Want::Entry`].
    pub fn add_entry(&mut self, number: u64, found: Option<StoredEntry>) {
        self.entry.insert(number, found);
    }

    /// For [`Want::Entries`].
    pub fn add_entries(&mut self, which: Entries, found: Vec<StoredEntry>) {
        self.entries.push((which, found));
    }

    /// For [`Want::Times`].
    pub fn add_times(&mut self, from: u64, limit: usize, found: Vec<(u64, Timestamp)>) {
        self.times.insert((from, limit), found);
    }

    /// For [`Want::Nearest`].
    pub fn add_nearest(&mut self, asked: DeviceId, found: Option<String>) {
        self.nearest.insert(asked, found);
    }

    /// For [`Want::StrayEntries`].
    pub const fn add_stray_entries(&mut self, found: u64) {
        self.stray_entries = Some(found);
    }

    /// What the decisions write, as a store takes it.
    #[must_use]
    pub fn into_writes(self) -> Writes {
        let Self { devices, places, mut accepted, .. } = self;
        for (name, change) in &mut accepted.devices {
            let before = places.get(name).and_then(|place| devices.get(*place));
            let before = before.and_then(|stored| stored.device.as_ref().ok());
            change.follow(before.map(|device| &**device));
        }
        accepted
    }
}

/// What a decision reads: after what it and earlier ones changed.
///
/// # Errors
/// Every method: damage that was found, and [`Stop::Missing`] for what was not fetched.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
impl Rows {
    /// The readers and settings of the scope.
    pub fn readers(&self) -> Result<&Readers, VaultError> {
        let changed = self.draft.readers.as_ref().or(self.accepted.readers.as_ref());
        changed.map_or_else(|| self.readers.as_ref().map_err(Clone::clone), Ok)
    }

    /// The head as it was read. What is appended has none before it is written.
    pub fn head(&self) -> Result<AuditHead, VaultError> {
        self.head.clone()
    }

    /// How many entries are appended so far.
    pub(super) fn appended(&self) -> usize {
        self.accepted.append.len().saturating_add(self.draft.append.len())
    }

    /// The entries that are appended so far.
    pub(super) fn fresh_entries(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.accepted.append.iter().chain(&self.draft.append)
    }

    /// What decisions changed of a device since it was removed, if it was: the present one first.
    fn changes(&self, device: &DeviceId) -> impl Iterator<Item = &DeviceChange> {
        let changes = [&self.draft, &self.accepted].map(|writes| writes.devices.get(device));
        let [draft, accepted] = changes;
        let accepted = accepted.filter(|_| draft.is_none_or(|draft| !draft.purged));
        draft.into_iter().chain(accepted)
    }

    /// Whether a decision removed the device that was read.
    fn is_purged(&self, device: &DeviceId) -> bool {
        self.changes(device).any(|change| change.purged)
    }

    /// What is kept about the device that has this name, after earlier decisions.
    fn now(&self, name: &DeviceId) -> Result<Option<&Device>, VaultError> {
        let changed = self.draft.devices.get(name).or_else(|| self.accepted.devices.get(name));
        match changed {
            Some(change) => Ok(change.device.as_deref()),
            None => self
                .read_device(name)
                .map(|stored| stored.device.as_deref().map_err(Clone::clone))
                .transpose(),
        }
    }

    /// The device of that name; of one that differs in case only when there is no other.
    pub fn device(&self, asked: &DeviceId) -> Result<Option<(DeviceId, &Device)>, Stop> {
        let exact = self.places.contains_key(asked).then_some(*asked);
        let named = exact.map_or_else(|| self.named.get(asked).copied(), |name| Some(Some(name)));
        let Some(named) = named else {
            return Err(Stop::Missing(vec![Want::Device(*asked)]));
        };
        let name = match named {
            Some(name) => name,
            None => match self.added.get(&folded(asked.as_str())) {
                Some(name) => *name,
                None => return Ok(None),
            },
        };
        Ok(self.now(&name)?.map(|device| (name, device)))
    }

    /// A page of devices as they were read.
    pub fn page(&self, range: &DeviceRange) -> Result<&[StoredDevice], Stop> {
        let found = self.pages.iter().find(|(known, _, _)| known == range);
        let found = found.and_then(|(_, first, count)| self.devices.get(*first..)?.get(..*count));
        found.ok_or_else(|| Stop::Missing(vec![Want::Devices(range.clone())]))
    }

    /// Their names: a decision that goes over a page changes what it goes over.
    pub fn names(&self, range: &DeviceRange) -> Result<Vec<DeviceId>, Stop> {
        Ok(self.page(range)?.iter().map(|stored| stored.name).collect())
    }

    /// A device as it was read.
    pub fn stored(&self, name: &DeviceId) -> Result<&StoredDevice, VaultError> {
        self.read_device(name).ok_or(VaultError::Internal("a device that was not read"))
    }

    /// Ends the decision, unless all of these sealed bytes were fetched.
    pub fn need_sealed<'a>(
        &self,
        sealed: impl IntoIterator<Item = (&'a DeviceId, RecordId, Digest)>,
    ) -> Result<(), Stop> {
        let keys = sealed.into_iter().map(|(device, id, digest)| (*device, id, digest));
        let missing = keys.filter(|key| !self.sealed.contains_key(key));
        let missing: Vec<Want> =
            missing.map(|(device, id, digest)| Want::Sealed(device, id, digest)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Missing(missing)) }
    }

    /// Sealed bytes as they were read; none when they are gone or damaged.
    pub fn sealed(
        &self,
        device: &DeviceId,
        id: RecordId,
        digest: Digest,
    ) -> Result<Option<&[u8]>, Stop> {
        for change in self.changes(device) {
            if let Some(bytes) = change.put.get(&(id, digest)) {
                return Ok(Some(bytes));
            }
            if change.purged {
                return Ok(None);
            }
        }
        match self.sealed.get(&(*device, id, digest)) {
            Some(found) => Ok(found.as_deref()),
            None => Err(Stop::Missing(vec![Want::Sealed(*device, id, digest)])),
        }
    }

    /// Another record of this device that names the same predecessor, stored now or ever.
    pub fn fork(
        &self,
        device: &DeviceId,
        parent: RecordId,
        id: RecordId,
    ) -> Result<Option<RecordId>, Stop> {
        let mut fresh = self.changes(device).flat_map(|change| &change.parents);
        let read = match (self.children.get(&(*device, parent)), self.read_device(device)) {
            _ if self.is_purged(device) => &[],
            (Some(found), _) => found.as_ref().map_err(Clone::clone)?.as_slice(),
            // A new device has no ancestry.
            (None, None) => &[],
            (None, Some(_)) => return Err(Stop::Missing(vec![Want::Children(*device, parent)])),
        };
        let other = read.iter().copied().find(|other| *other != id);
        Ok(other.or_else(|| {
            let fork = fresh.find(|(one, other)| *one == parent && *other != id);
            fork.map(|(_, other)| *other)
        }))
    }

    /// The ancestry of a device, as it was read; that of one that was removed since is gone.
    pub fn ancestry(&self, device: &DeviceId) -> Result<&[(RecordId, RecordId)], Stop> {
        if self.is_purged(device) {
            return Ok(&[]);
        }
        let missing = || Stop::Missing(vec![Want::Ancestry(*device)]);
        let found = self.ancestry.get(device).ok_or_else(missing)?;
        Ok(found.as_ref().map_err(Clone::clone)?)
    }

    /// The entry with this number, as it is stored.
    pub fn entry(&self, number: u64) -> Result<Option<&StoredEntry>, Stop> {
        let missing = || Stop::Missing(vec![Want::Entry(number)]);
        self.entry.get(&number).map(Option::as_ref).ok_or_else(missing)
    }

    /// Entries as they are stored.
    pub fn entries(&self, which: &Entries) -> Result<&[StoredEntry], Stop> {
        let found = self.entries.iter().find(|(known, _)| known == which);
        let missing = || Stop::Missing(vec![Want::Entries(which.clone())]);
        found.map(|(_, entries)| entries.as_slice()).ok_or_else(missing)
    }

    /// The same, taken out: who only looks copies no entry.
    pub(super) fn take_entries(&mut self, which: &Entries) -> Result<Vec<StoredEntry>, Stop> {
        let place = self.entries.iter().position(|(known, _)| known == which);
        let missing = || Stop::Missing(vec![Want::Entries(which.clone())]);
        place.map(|place| self.entries.swap_remove(place).1).ok_or_else(missing)
    }

    /// The times of entries.
    pub fn times(&self, from: u64, limit: usize) -> Result<&[(u64, Timestamp)], Stop> {
        let missing = || Stop::Missing(vec![Want::Times(from, limit)]);
        self.times.get(&(from, limit)).map(Vec::as_slice).ok_or_else(missing)
    }

    /// The name that is nearest to a mistyped one, where one is near.
    pub fn nearest(&self, asked: DeviceId) -> Result<Option<&str>, Stop> {
        let missing = || Stop::Missing(vec![Want::Nearest(asked)]);
        self.nearest.get(&asked).map(Option::as_deref).ok_or_else(missing)
    }

    /// How many rows of the audit log belong to no scope.
    pub fn stray_entries(&self) -> Result<u64, Stop> {
        self.stray_entries.ok_or_else(|| Stop::Missing(vec![Want::StrayEntries]))
    }
}

/// What a decision writes.
impl Rows {
    /// What is kept about a device from now on. One that is not there is added.
    pub fn put_device(&mut self, name: &DeviceId, device: impl Into<Box<Device>>) {
        self.put_records(name, device, [], []);
    }

    /// The same, with sealed bytes of it, by record and digest, and with the parents of records.
    pub fn put_records(
        &mut self,
        name: &DeviceId,
        device: impl Into<Box<Device>>,
        sealed: impl IntoIterator<Item = ((RecordId, Digest), Vec<u8>)>,
        parents: impl IntoIterator<Item = (RecordId, RecordId)>,
    ) {
        let key = self.read_device(name).map(|stored| stored.key);
        if key.is_none() {
            self.added.insert(folded(name.as_str()), *name);
        }
        let change = self.draft.change(name, key);
        change.device = Some(device.into());
        change.put.extend(sealed);
        change.parents.extend(parents);
    }

    /// Removes a device, with its records and its ancestry.
    pub fn remove_device(&mut self, name: &DeviceId) {
        let key = self.read_device(name).map(|stored| stored.key);
        self.draft.change(name, key).purge();
    }

    /// The readers and settings of the scope from now on.
    pub fn put_readers(&mut self, readers: Readers) {
        self.draft.readers = Some(readers);
    }

    /// Appends an entry to the audit log.
    pub fn append(&mut self, entry: Entry) {
        self.draft.append.push(entry);
    }

    /// The decision stands: the next one sees what it changed.
    pub(super) fn accept(&mut self) {
        let draft = core::mem::take(&mut self.draft);
        for (name, change) in draft.devices {
            match self.accepted.devices.get_mut(&name) {
                Some(earlier) => earlier.go_on_with(change),
                None => drop(self.accepted.devices.insert(name, change)),
            }
        }
        self.accepted.append.extend(draft.append);
        if draft.readers.is_some() {
            self.accepted.readers = draft.readers;
        }
    }

    /// The decision does not stand: nothing of it is left.
    pub(super) fn discard(&mut self) {
        let draft = core::mem::take(&mut self.draft);
        for name in draft.devices.keys() {
            if !self.places.contains_key(name) && !self.accepted.devices.contains_key(name) {
                self.added.remove(&folded(name.as_str()));
            }
        }
    }
}
