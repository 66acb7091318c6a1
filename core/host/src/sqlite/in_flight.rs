//! What is kept about devices in the middle of a rotation: they have offered a record and not yet
//! committed it.
//!
//! A commit follows within seconds, and changes the device's row all over. Until then the row stays
//! as it is, and what the offer changed stands in a table that is small while few devices rotate at
//! a time: its pages are shared by many offers, where each row of `device` is a page of its own to
//! be read, logged and folded. Whatever the row has and the table has not is written to the row:
//! what a device in flight does not change, and the ancestry that is filed away.

use laps_core::vault::VaultError;
use laps_core::vault::state::{Device, Digest};
use laps_core::vault::store::{DeviceKey, Places};
use laps_core::vault::unit::DeviceChange;
use rusqlite::types::ValueRef;
use rusqlite::{Row, named_params};

use super::latest::Latest;
use super::rows::{LoadedDevice, Tables};
use super::value::{damaged, due, to_i64};

/// What is kept about a device, where its due date stays.
const UPDATE_STATE: &str = "UPDATE device SET state = :state, places = :places
             WHERE number = :key AND due IS :due";
const UPDATE_DUE: &str = "UPDATE device SET due = :due, state = :state, places = :places
             WHERE number = :key";
/// The same, with what stands in the row about its ancestry.
const UPDATE_ANCESTRY: &str = "UPDATE device SET state = :state, places = :places,
             recent = :recent, older = :older WHERE number = :key AND due IS :due";
const UPDATE_ALL: &str = "UPDATE device SET due = :due, state = :state, places = :places,
             recent = :recent, older = :older WHERE number = :key";
const PUT: &str = "INSERT OR REPLACE INTO in_flight (device, state, places, recent)
             VALUES (:key, :state, :places, :recent)";
const REMOVE: &str = "DELETE FROM in_flight WHERE device = :key";
/// What the row of a device has besides its state.
const LOAD: &str = "SELECT device.places, device.recent, device.older,
             in_flight.places, in_flight.recent
             FROM device LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE device.number = :key";

/// The state of a device from `device.state` and `in_flight.state`; none when one of them is
/// damaged, or not even bytes.
pub(super) fn state(
    row: &Row<'_>,
    settled: usize,
    in_flight: usize,
) -> rusqlite::Result<Option<Box<Device>>> {
    let settled = row.get_ref(settled)?.as_blob().ok().and_then(Device::from_bytes);
    let Ok(in_flight) = row.get_ref(in_flight)?.as_blob_or_null() else { return Ok(None) };
    let device = match in_flight {
        None => settled,
        Some(bytes) => settled.and_then(|settled| Device::from_bytes_in_flight(bytes, settled)),
    };
    Ok(device.map(Box::new))
}

impl LoadedDevice {
    /// From five columns, this one the first: `places`, `recent` and `older` of `device`, `places`
    /// and `recent` of `in_flight`.
    pub(super) fn read(key: DeviceKey, row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let at = |more: usize| column.saturating_add(more);
        let places = |column: ValueRef<'_>| {
            let bytes = column.as_blob_or_null().ok()?;
            Places::from_bytes(bytes.unwrap_or_default())
        };
        let settled = places(row.get_ref(column)?);
        let fresh = places(row.get_ref(at(3))?);
        let (settled, fresh) = settled.zip(fresh).unzip();
        Ok(Self {
            apart: !matches!(row.get_ref(at(4))?, ValueRef::Null),
            settled,
            fresh: fresh.unwrap_or_default(),
            latest: Latest::read(key, row, at(1), at(4)),
        })
    }

    /// The places that stand in the row.
    pub(super) fn settled(&self) -> Result<&Places, VaultError> {
        self.settled.as_ref().ok_or_else(|| damaged("the places of the records", ""))
    }

    /// Where sealed bytes are.
    pub(super) fn place(&self, digest: Digest) -> Result<Option<u64>, VaultError> {
        let settled = self.settled()?;
        Ok(self.fresh.get(digest).or_else(|| settled.get(digest)))
    }
}

impl Tables<'_> {
    /// What the row of a device has besides its state, read once in a transaction.
    pub(super) fn load(&mut self, key: DeviceKey) -> Result<&mut LoadedDevice, VaultError> {
        const GONE: VaultError = VaultError::Internal("a row that should be there is not");
        if !self.loaded.devices.contains_key(&key) {
            let parameters = named_params! { ":key": to_i64(key.number()) };
            let loaded = self.one(LOAD, parameters, |row| LoadedDevice::read(key, row, 0))?;
            self.loaded.devices.insert(key, loaded.ok_or(GONE)?);
        }
        self.loaded.devices.get_mut(&key).ok_or(GONE)
    }

    /// Where the sealed bytes of a device are.
    pub(super) fn places(&mut self, key: DeviceKey) -> Result<Places, VaultError> {
        let loaded = self.load(key)?;
        let mut places = loaded.settled()?.clone();
        places.extend(&loaded.fresh);
        Ok(places)
    }

    /// Writes what is kept about a device from now on, with the places of its sealed bytes.
    pub(super) fn put_device(
        &mut self,
        key: DeviceKey,
        change: &DeviceChange,
        places: Places,
    ) -> Result<(), VaultError> {
        let Some(device) = &change.device else { return Ok(()) };
        let places = places.of(device);
        let loaded = self.load(key)?;
        if change.in_flight
            && let LoadedDevice { apart, settled: Some(settled), fresh, latest: Some(ancestry) } =
                loaded
            && !ancestry.is_filed()
        {
            *apart = true;
            *fresh = places.without(settled);
            let (fresh, recent) = (fresh.to_bytes(), ancestry.in_flight());
            return self.change(
                PUT,
                named_params! {
                    ":key": to_i64(key.number()),
                    ":state": device.to_bytes_in_flight(),
                    ":places": fresh,
                    ":recent": recent,
                },
            );
        }
        self.put_settled(key, device, places)
    }

    /// Writes all of it to the row.
    fn put_settled(
        &mut self,
        key: DeviceKey,
        device: &Device,
        places: Places,
    ) -> Result<(), VaultError> {
        let bytes = places.to_bytes();
        let loaded = self.load(key)?;
        let apart = loaded.apart;
        (loaded.settled, loaded.fresh) = (Some(places), Places::default());
        // An ancestry that is damaged is the business of whoever asks for it.
        let Some(ancestry) = &mut loaded.latest else {
            self.put_state(key, device, &bytes)?;
            let parameters = named_params! { ":key": to_i64(key.number()) };
            let sql = "UPDATE in_flight SET state = NULL, places = x'' WHERE device = :key";
            return self.run(sql, parameters).map(|_| ());
        };
        loaded.apart = false;
        match ancestry.settle() {
            None => self.put_state(key, device, &bytes)?,
            Some((recent, older)) => {
                let (due, state) = (due(device), device.to_bytes());
                let parameters = named_params! {
                    ":due": due, ":state": state, ":places": bytes, ":key": to_i64(key.number()),
                    ":recent": recent, ":older": older,
                };
                if self.run(UPDATE_ANCESTRY, parameters)? == 0 {
                    self.change(UPDATE_ALL, parameters)?;
                }
            }
        }
        if apart { self.remove_in_flight(key) } else { Ok(()) }
    }

    fn put_state(&self, key: DeviceKey, device: &Device, places: &[u8]) -> Result<(), VaultError> {
        let (due, state) = (due(device), device.to_bytes());
        let parameters = named_params! {
            ":due": due, ":state": state, ":places": places, ":key": to_i64(key.number()),
        };
        // An assignment alone, even of the same value, would have the index of due dates written
        // again.
        match self.run(UPDATE_STATE, parameters)? {
            0 => self.change(UPDATE_DUE, parameters),
            _ => Ok(()),
        }
    }

    pub(super) fn remove_in_flight(&self, key: DeviceKey) -> Result<(), VaultError> {
        self.run(REMOVE, named_params! { ":key": to_i64(key.number()) })?;
        Ok(())
    }
}
