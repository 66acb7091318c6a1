//! What a unit of work writes.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use crate::identity::{DeviceId, RecordId, Scope};
use crate::rotation::message::AuditHead;

use super::VaultError;
use super::audit::Entry;
use super::readers::Readers;
use super::state::{Device, Digest};
use super::stored::DeviceKey;

/// What is written in one go: all of it or none.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Writes {
    /// Devices by name; each stands here once, in the order in which they are written and locked.
    pub devices: BTreeMap<DeviceId, DeviceChange>,
    /// Entries for the audit log, in order. They are chained behind the head when they are written.
    pub append: Vec<Entry>,
    /// The readers and settings of the scope, when they changed.
    pub readers: Option<Readers>,
}

impl Writes {
    pub(super) fn change(&mut self, name: &DeviceId, key: Option<DeviceKey>) -> &mut DeviceChange {
        self.devices.entry(*name).or_insert_with(|| DeviceChange {
            key,
            purged: false,
            device: None,
            put: BTreeMap::new(),
            drop: Vec::new(),
            in_flight: false,
            parents: Vec::new(),
        })
    }
}

/// What is written about one device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeviceChange {
    /// Where the store keeps it; none for one that is new.
    pub key: Option<DeviceKey>,
    /// Whether what the store has of it is removed first, with its records and its ancestry: a
    /// device that is removed and added in the same unit of work is a new one.
    pub purged: bool,
    /// What is kept about it from now on; none when it is removed.
    pub device: Option<Box<Device>>,
    /// Sealed bytes to be stored, by record and digest.
    pub put: BTreeMap<(RecordId, Digest), Vec<u8>>,
    /// Sealed bytes that nobody needs any more.
    pub drop: Vec<(RecordId, Digest)>,
    /// Whether a commit is to come that changes the device all over, and until then all that
    /// [`Device::to_bytes_in_flight`] leaves out is as it was, as is the date when the device is
    /// due: a store may write what changed apart.
    pub in_flight: bool,
    /// Parents of records, for ever: (predecessor, record).
    pub parents: Vec<(RecordId, RecordId)>,
}

impl DeviceChange {
    /// All that there was is removed, also what this unit of work has put.
    pub(super) fn purge(&mut self) {
        (self.purged, self.device) = (true, None);
        self.put.clear();
        self.parents.clear();
    }

    /// And then this.
    pub(super) fn go_on_with(&mut self, later: Self) {
        if later.purged {
            self.purge();
        }
        self.device = later.device;
        self.put.extend(later.put);
        self.parents.extend(later.parents);
    }

    /// What follows from the device before and after.
    pub(super) fn follow(&mut self, before: Option<&Device>) {
        let sealed = |device: Option<&Device>| {
            let mut sealed: Vec<(RecordId, Digest)> = Vec::new();
            if let Some(device) = device {
                device.each_sealing(|id, sealing| sealed.push((id, sealing.digest)));
            }
            sealed
        };
        let (mut kept, mut known) = (sealed(self.device.as_deref()), sealed(before));
        if self.purged {
            self.put.retain(|key, _| kept.contains(key));
            self.drop = known;
            return;
        }
        self.put.retain(|key, _| kept.contains(key) && !known.contains(key));
        // Most changes add a record or two, and the others stand in their order: what both lists
        // begin with and end with needs no search.
        let same = |(one, other): &(&(RecordId, Digest), &(RecordId, Digest))| one == other;
        let front = known.iter().zip(&kept).take_while(same).count();
        let mut gone = known.split_off(front);
        let back = gone.iter().rev().zip(kept.iter().skip(front).rev()).take_while(same).count();
        gone.truncate(gone.len().saturating_sub(back));
        if !gone.is_empty() {
            kept.sort_unstable();
            gone.retain(|key| kept.binary_search(key).is_err());
        }
        self.drop = gone;
        let both = self.device.as_deref().zip(before);
        self.in_flight = both.is_some_and(|(device, before)| device.is_in_flight_since(before));
    }
}

/// What became of the entries that were appended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Appended {
    /// The head before them.
    pub before: Result<AuditHead, VaultError>,
    /// The head behind each.
    pub heads: Vec<AuditHead>,
}

impl Appended {
    /// Chains entries behind a head.
    ///
    /// # Errors
    /// `Internal` for a log that is full, and what kept the head from being read.
    pub fn behind(
        scope: &Scope,
        before: Result<AuditHead, VaultError>,
        entries: &[Entry],
    ) -> Result<Self, VaultError> {
        let mut heads = Vec::with_capacity(entries.len());
        if !entries.is_empty() {
            let mut head = before.clone()?;
            for entry in entries {
                let number = head.length.checked_add(1);
                let number = number.ok_or(VaultError::Internal("the audit log is full"))?;
                head = AuditHead::new(number, entry.hash(scope, number, &head.hash));
                heads.push(head);
            }
        }
        Ok(Self { before, heads })
    }

    /// The head behind the last one.
    pub(super) fn head(&self) -> Result<AuditHead, VaultError> {
        self.head_behind(self.heads.len())
    }

    /// The head behind that number of them.
    pub(super) fn head_behind(&self, count: usize) -> Result<AuditHead, VaultError> {
        match count.checked_sub(1).and_then(|last| self.heads.get(last)) {
            Some(head) => Ok(*head),
            None => self.before.clone(),
        }
    }
}
