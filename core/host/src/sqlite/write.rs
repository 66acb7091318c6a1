//! What decisions answer, written into the tables.

use laps_core::identity::{DeviceId, RecordId, Scope};
use laps_core::vault::audit::Entry;
use laps_core::vault::state::Device;
use laps_core::vault::store::{DeviceKey, Places};
use laps_core::vault::unit::{Appended, DeviceChange, Writes};
use laps_core::vault::{AuditHead, VaultError, folded};
use rusqlite::named_params;

use super::entry::base;
use super::latest::Latest;
use super::rows::{LoadedDevice, Tables};
use super::schema::ENTRIES;
use super::value::{due, from_i64, to_i64};

/// One record of a device.
pub(super) const REMOVE_RECORD: &str =
    "DELETE FROM record WHERE number = :row AND device = :device";

impl Tables<'_> {
    /// Whether what has to be read to write this is whole. Afterwards only the file itself can be
    /// in the way.
    pub(super) fn check(&mut self, writes: &Writes) -> Result<(), VaultError> {
        for change in writes.devices.values() {
            let stays = change.device.is_some() && !change.purged;
            let Some(key) = change.key.filter(|_| stays) else { continue };
            self.load(key)?.settled()?;
            if !change.parents.is_empty() {
                self.check_parents(key, &change.parents)?;
            }
        }
        Ok(())
    }

    /// Writes all of it.
    pub(super) fn write(&mut self, scope: &Scope, writes: Writes) -> Result<Appended, VaultError> {
        for (name, change) in writes.devices {
            self.write_device(scope, &name, change)?;
        }
        if let Some(readers) = &writes.readers {
            let number = self.make_scope(scope)?;
            self.change(
                "UPDATE scope SET readers = :readers WHERE number = :number",
                named_params! { ":readers": readers.to_bytes(), ":number": number },
            )?;
        }
        let head = match self.find_scope(scope)? {
            Some(row) => row.head.clone(),
            None => Ok(AuditHead::EMPTY),
        };
        let appended = Appended::behind(scope, head, &writes.append)?;
        if let Some(head) = appended.heads.last() {
            let number = self.make_scope(scope)?;
            for (entry, head) in writes.append.iter().zip(&appended.heads) {
                self.append(number, entry, head)?;
            }
            self.change(
                "UPDATE scope SET entries = :entries, head = :head WHERE number = :scope",
                named_params! {
                    ":entries": to_i64(head.length),
                    ":head": head.hash.as_slice(),
                    ":scope": number,
                },
            )?;
        }
        Ok(appended)
    }

    fn write_device(
        &mut self,
        scope: &Scope,
        name: &DeviceId,
        change: DeviceChange,
    ) -> Result<(), VaultError> {
        if let Some(key) = change.key.filter(|_| change.purged) {
            self.remove_device(key)?;
        }
        let key = match (change.key.filter(|_| !change.purged), &change.device) {
            (_, None) => return Ok(()),
            (Some(key), Some(_)) => key,
            (None, Some(device)) => {
                let key = self.insert_device(scope, name, device)?;
                if change.put.is_empty() && change.parents.is_empty() {
                    return Ok(());
                }
                key
            }
        };
        let mut places = self.places(key)?;
        let mut gone: Vec<(RecordId, u64)> = Vec::new();
        for (id, digest) in &change.drop {
            gone.extend(places.take(*digest).map(|row| (*id, row)));
        }
        for ((id, digest), bytes) in &change.put {
            // A record that is re-sealed again stays in its place.
            let row = match gone.iter().position(|(other, _)| other == id) {
                Some(at) => {
                    let (_, row) = gone.swap_remove(at);
                    self.replace_record(key, row, bytes)?;
                    row
                }
                None => self.insert_record(key, bytes)?,
            };
            places.put(*digest, row);
        }
        gone.iter().try_for_each(|(_, row)| self.remove_record(key, *row))?;
        for (predecessor, id) in &change.parents {
            self.add_pair(key, *predecessor, *id)?;
        }
        self.put_device(key, &change, places)
    }

    fn insert_device(
        &mut self,
        scope: &Scope,
        name: &DeviceId,
        device: &Device,
    ) -> Result<DeviceKey, VaultError> {
        let scope = self.make_scope(scope)?;
        self.change(
            "INSERT INTO device (scope_number, name, folded, due, state) VALUES (:scope, :name, \
             :folded, :due, :state)",
            named_params! {
                ":scope": scope,
                ":name": name.as_str(),
                ":folded": folded(name.as_str()),
                ":due": due(device),
                ":state": device.to_bytes(),
            },
        )?;
        let key = DeviceKey::new(from_i64(self.connection.last_insert_rowid()));
        let (settled, latest) = (Some(Places::default()), Some(Latest::none(key)));
        let loaded = LoadedDevice { apart: false, settled, fresh: Places::default(), latest };
        self.loaded.devices.insert(key, loaded);
        Ok(key)
    }

    /// Removes a device with all that is kept of it.
    fn remove_device(&mut self, key: DeviceKey) -> Result<(), VaultError> {
        match self.places(key) {
            Ok(places) => places.all().try_for_each(|row| self.remove_record(key, row))?,
            // Which rows they are is lost: they are looked for.
            Err(VaultError::Damaged { .. }) => {
                let parameters = named_params! { ":key": to_i64(key.number()) };
                self.run("DELETE FROM record WHERE device = :key", parameters)?;
            }
            Err(error) => return Err(error),
        }
        self.remove_ancestry(key)?;
        self.remove_in_flight(key)?;
        let parameters = named_params! { ":key": to_i64(key.number()) };
        self.change("DELETE FROM device WHERE number = :key", parameters)
    }

    fn insert_record(&self, device: DeviceKey, bytes: &[u8]) -> Result<u64, VaultError> {
        self.change(
            "INSERT INTO record (device, sealed) VALUES (:device, :sealed)",
            named_params! { ":device": to_i64(device.number()), ":sealed": bytes },
        )?;
        Ok(from_i64(self.connection.last_insert_rowid()))
    }

    fn replace_record(&self, device: DeviceKey, row: u64, bytes: &[u8]) -> Result<(), VaultError> {
        self.change(
            "UPDATE record SET sealed = :sealed WHERE number = :row AND device = :device",
            named_params! {
                ":sealed": bytes,
                ":row": to_i64(row),
                ":device": to_i64(device.number()),
            },
        )
    }

    /// A row that is gone, or another device's, is left as it is.
    fn remove_record(&self, device: DeviceKey, row: u64) -> Result<(), VaultError> {
        self.run(
            REMOVE_RECORD,
            named_params! { ":row": to_i64(row), ":device": to_i64(device.number()) },
        )?;
        Ok(())
    }

    /// Appends one entry; the row of the scope is the caller's.
    fn append(&self, scope: i64, entry: &Entry, head: &AuditHead) -> Result<(), VaultError> {
        let number = base(scope)?
            .checked_add(to_i64(head.length))
            .filter(|_| to_i64(head.length) < ENTRIES)
            .ok_or(VaultError::Internal("the audit log is full"))?;
        let records: Vec<u8> = entry.records.iter().flat_map(|id| *id.as_bytes()).collect();
        self.change(
            "INSERT INTO audit (number, at, action, caller, actor, reader, reason, context, \
             device, records, refers_to, detail, hash)
             VALUES (:number, :at, :action, :caller, :actor, :reader, :reason, :context, :device, \
             :records, :refers_to, :detail, :hash)",
            named_params! {
                ":number": number,
                ":at": to_i64(entry.at.as_unix_seconds()),
                ":action": entry.action.as_u16(),
                ":caller": entry.caller,
                ":actor": entry.actor,
                ":reader": entry.reader.as_ref().map_or(&[][..], <[u8; 32]>::as_slice),
                ":reason": entry.reason,
                ":context": entry.context,
                ":device": entry.device,
                ":records": records,
                ":refers_to": to_i64(entry.refers_to),
                ":detail": entry.detail,
                ":hash": head.hash.as_slice(),
            },
        )
    }
}
