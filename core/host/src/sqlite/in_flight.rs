//! What is kept about devices in the middle of a rotation: they have offered a record and not yet
//! committed it.
//!
//! A commit follows within seconds, and changes the device's row all over. Until then the row stays
//! as it is, and what the offer changed stands in a table that is small while few devices rotate at
//! a time: its pages are shared by many offers, where each row of `device` is a page of its own to
//! be read, logged and folded. Whatever the row has and the table has not is written to the row:
//! history, former accounts, the date when the device is due, the ancestry that is filed away.

use laps_core::vault::VaultError;
use laps_core::vault::state::Device;
use laps_core::vault::store::DeviceKey;
use rusqlite::named_params;

use super::rows::{LoadedDevice, Tables};
use super::value::{due, to_i64};

/// What is kept about a device, where its due date stays.
const UPDATE_STATE: &str = "UPDATE device SET state = :state WHERE number = :key AND due IS :due";
const UPDATE_DUE: &str = "UPDATE device SET due = :due, state = :state WHERE number = :key";
/// The same, with what stands in the row about its ancestry.
const UPDATE_ANCESTRY: &str = "UPDATE device SET state = :state, recent = :recent, older = :older
             WHERE number = :key AND due IS :due";
const UPDATE_ALL: &str =
    "UPDATE device SET due = :due, state = :state, recent = :recent, older = :older
             WHERE number = :key";
const PUT: &str =
    "INSERT OR REPLACE INTO in_flight (device, state, recent) VALUES (:key, :state, :recent)";
const REMOVE: &str = "DELETE FROM in_flight WHERE device = :key";

impl Tables<'_> {
    pub(super) fn put_device(&mut self, key: DeviceKey, device: &Device) -> Result<(), VaultError> {
        if let Some(LoadedDevice { settled: Some(settled), latest: Some(ancestry) }) =
            self.loaded.devices.get_mut(&key)
            && !device.managed.candidates.pending.is_empty()
            && device.is_settled_as(&settled.history, &settled.former)
            && due(device) == settled.due
            && !ancestry.is_filed()
        {
            settled.apart = true;
            let recent = ancestry.in_flight();
            return self.change(
                PUT,
                named_params! {
                    ":key": to_i64(key.number()),
                    ":state": device.to_bytes_in_flight(),
                    ":recent": recent,
                },
            );
        }
        self.put_settled(key, device)
    }

    /// Writes all of it to the row.
    fn put_settled(&mut self, key: DeviceKey, device: &Device) -> Result<(), VaultError> {
        let loaded = self.loaded.devices.get_mut(&key);
        let settled = loaded.and_then(|loaded| loaded.settled.take());
        let apart = settled.is_none_or(|settled| settled.apart);
        let ancestry = match self.latest_of(key) {
            Ok(ancestry) => ancestry.settle(),
            // An ancestry that is damaged is the business of whoever asks for it.
            Err(VaultError::Damaged { .. }) => {
                self.put_state(key, device)?;
                let parameters = named_params! { ":key": to_i64(key.number()) };
                let sql = "UPDATE in_flight SET state = NULL WHERE device = :key";
                return self.run(sql, parameters).map(|_| ());
            }
            Err(error) => return Err(error),
        };
        match ancestry {
            None => self.put_state(key, device)?,
            Some((recent, older)) => {
                let (due, state) = (due(device), device.to_bytes());
                let parameters = named_params! {
                    ":due": due, ":state": state, ":key": to_i64(key.number()),
                    ":recent": recent, ":older": older,
                };
                if self.run(UPDATE_ANCESTRY, parameters)? == 0 {
                    self.change(UPDATE_ALL, parameters)?;
                }
            }
        }
        if apart { self.remove_in_flight(key) } else { Ok(()) }
    }

    fn put_state(&self, key: DeviceKey, device: &Device) -> Result<(), VaultError> {
        let (due, state) = (due(device), device.to_bytes());
        let parameters =
            named_params! { ":due": due, ":state": state, ":key": to_i64(key.number()) };
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
