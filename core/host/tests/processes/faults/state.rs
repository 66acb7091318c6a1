//! Everything that a vault keeps, as a value that two stores can be compared by.

use std::path::Path;

use laps_core::identity::RecordId;
use laps_core::vault::plan::{DeviceRange, Entries, Plan};
use laps_core::vault::readers::Readers;
use laps_core::vault::run::look;
use laps_core::vault::state::Device;
use laps_core::vault::store::{Store, StoredEntry};
use laps_core::vault::unit::Stop;
use laps_core::vault::{AuditHead, VaultError};
use rusqlite::Connection;

use super::super::bed::scope;

/// Whatever can be read through the store's trait, but for the numbers that a store gives to rows.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    readers: Readers,
    devices: Vec<StoredDevice>,
    pub head: AuditHead,
    entries: Vec<StoredEntry>,
    stray: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct StoredDevice {
    name: String,
    device: Device,
    sealed: Vec<Option<Vec<u8>>>,
    ancestry: Vec<(RecordId, RecordId)>,
}

impl State {
    pub fn of(store: &impl Store) -> Result<Self, VaultError> {
        let page = DeviceRange::by_name(None, 10_000);
        let all = Entries::From { number: 0, limit: 10_000 };
        look(store, Plan::page(&scope(), &page), |rows| {
            let entries = rows.entries(&all)?.to_vec();
            let (mut missing, mut devices) = (Vec::new(), Vec::new());
            for name in &rows.names(&page)? {
                let mut device = rows.stored(name)?.device.clone()?;
                let candidates = &mut device.managed.candidates;
                let past = candidates.history.iter_mut().map(|past| &mut past.held);
                let mut sealed = Vec::new();
                for held in candidates.current.iter_mut().chain(&mut candidates.pending).chain(past)
                {
                    for sealing in [&mut held.original].into_iter().chain(&mut held.resealed) {
                        match rows.sealed(name, held.id, sealing.digest) {
                            Err(Stop::Missing(wants)) => missing.extend(wants),
                            found => sealed.push(found?.map(<[u8]>::to_vec)),
                        }
                    }
                }
                let mut ancestry = match rows.ancestry(name) {
                    Err(Stop::Missing(wants)) => {
                        missing.extend(wants);
                        Vec::new()
                    }
                    found => found?.to_vec(),
                };
                ancestry.sort();
                let (name, device) = (name.to_string(), *device);
                devices.push(StoredDevice { name, device, sealed, ancestry });
            }
            if !missing.is_empty() {
                return Err(Stop::Missing(missing));
            }
            Ok(Self {
                readers: rows.readers()?.clone(),
                devices,
                head: rows.head()?,
                entries,
                stray: rows.stray_entries()?,
            })
        })
    }

    /// Whether everything but the audit log is the same, and the audit log begins with the other's.
    pub fn has_the_devices_of(&self, other: &Self) -> bool {
        // A copy that was restored says so.
        let mut readers = self.readers.clone();
        readers.restored.clone_from(&other.readers.restored);
        (&readers, &self.devices) == (&other.readers, &other.devices)
            && self.entries.starts_with(&other.entries)
    }

    /// Whether every device is as it was in one of these states, and the audit log has at most one
    /// entry more than the first: what is left when one page could not be read, and the rest
    /// was gone on with.
    pub fn is_mixed_of(&self, states: &[Self]) -> bool {
        let first = &states[0].entries;
        let longer = self.entries.len().checked_sub(first.len());
        // Tokens are drawn in turn, so they are others where one device is left out.
        let alike = |one: &StoredDevice, other: &StoredDevice| {
            let mut one = one.clone();
            one.device.managed.candidates.token = other.device.managed.candidates.token;
            one == *other
        };
        let known = |found: &StoredDevice| {
            let mut devices = states.iter().flat_map(|state| &state.devices);
            devices.any(|device| alike(found, device))
        };
        let gone = |name: &str| {
            states.iter().any(|state| state.devices.iter().all(|device| device.name != name))
        };
        let there = |name: &str| self.devices.iter().any(|device| device.name == name);
        self.entries.starts_with(first)
            && longer.is_some_and(|more| more <= 1)
            && states.iter().any(|state| state.readers.known == self.readers.known)
            && self.devices.iter().all(known)
            && states[0].devices.iter().all(|device| there(&device.name) || gone(&device.name))
    }
}

/// SQLite finds nothing wrong with the file.
pub fn assert_whole(path: &Path, what: &str) {
    let connection = Connection::open(path).unwrap();
    let wrong: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(wrong, "ok", "{what}");
}
