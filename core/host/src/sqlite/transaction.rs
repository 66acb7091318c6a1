//! One transaction: the vault's rows in SQLite's tables.

use laps_core::identity::{DeviceId, RecordId, Scope, Timestamp};
use laps_core::vault::audit::Entry;
use laps_core::vault::readers::Readers;
use laps_core::vault::state::{Device, Held};
use laps_core::vault::store::{DeviceKey, StoredDevice, StoredEntry, Transaction};
use laps_core::vault::{AuditHead, VaultError, Who, folded};
use rusqlite::{Row, ToSql, named_params};

use super::entry::{ENTRIES_FROM, ENTRIES_OF_CALLER, ENTRIES_TYPED_AS, TIMES, stored_entry};
use super::latest::Latest;
use super::rows::{Rows, ScopeRow};
use super::schema::ENTRIES;
use super::settled::{Settled, state};
use super::value::{damaged, due, from_i64, to_i64};

/// One device.
const DEVICE: &str = "SELECT device.number, device.state, device.recent, device.older, \
                      in_flight.state, in_flight.recent
             FROM device JOIN scope ON scope.number = device.scope_number
             LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE scope.name = :scope AND device.name = :name";
/// One device of a scope whose number is known.
const DEVICE_OF_SCOPE: &str =
    "SELECT device.number, device.state, device.recent, device.older, in_flight.state, \
     in_flight.recent
             FROM device LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE device.scope_number = :scope AND device.name = :name";
/// What is kept about one device.
const STATE: &str = "SELECT device.state, in_flight.state
             FROM device LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE device.number = :key";
/// Another device whose name differs in case only.
const SIMILAR: &str = "SELECT name FROM device WHERE scope_number = :scope AND folded = :folded \
                       AND name <> :name LIMIT 1";
/// A page of devices by name.
const DEVICES: &str = "SELECT device.number, device.name, device.state, in_flight.state
             FROM device JOIN scope ON scope.number = device.scope_number
             LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE scope.name = :scope AND device.name > :after ORDER BY device.name LIMIT :limit";
/// A page of devices by due date.
const DUE: &str = "SELECT device.number, device.name, device.state, in_flight.state, device.due
             FROM device LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE device.scope_number = :scope AND device.due IS NOT NULL AND device.due <= :until
             AND (device.due, device.number) > (:due, :key)
             ORDER BY device.due, device.number LIMIT :limit";
/// One record of a device.
const REMOVE_RECORD: &str = "DELETE FROM record WHERE number = :row AND device = :device";

impl Rows<'_> {
    /// Writes what still waits to be written. A transaction that writes ends with it.
    pub(super) fn finish(&mut self) -> Result<(), VaultError> {
        self.save_ancestry()
    }

    fn stored(row: &Row<'_>) -> rusqlite::Result<StoredDevice> {
        let (key, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let device = state(row, 2, 3)?.ok_or_else(|| damaged("the state", &name));
        let name = DeviceId::new(&name).unwrap_or_default();
        Ok(StoredDevice::new(DeviceKey::new(from_i64(key)), name, device))
    }
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Where the entries of a scope begin in `audit`.
fn base(scope: i64) -> Result<i64, VaultError> {
    scope.checked_mul(ENTRIES).ok_or(VaultError::Internal("too many scopes"))
}

impl Transaction for Rows<'_> {
    fn scopes(&mut self) -> Result<Vec<Scope>, VaultError> {
        let names = self.many("SELECT name FROM scope ORDER BY name", &[], |row| row.get(0))?;
        names
            .into_iter()
            .map(|name: String| Scope::new(&name).map_err(|_| damaged("the name of a scope", "")))
            .collect()
    }

    fn readers(&mut self, scope: &Scope) -> Result<Readers, VaultError> {
        self.find_scope(scope)?.map_or_else(|| Ok(Readers::default()), |row| row.readers.clone())
    }

    fn put_readers(&mut self, scope: &Scope, readers: &Readers) -> Result<(), VaultError> {
        let number = self.make_scope(scope)?;
        self.scope = None;
        self.change(
            "UPDATE scope SET readers = :readers WHERE number = :number",
            named_params! { ":readers": readers.to_bytes(), ":number": number },
        )
    }

    fn device(
        &mut self,
        scope: &Scope,
        name: &DeviceId,
    ) -> Result<Option<(DeviceKey, Device)>, VaultError> {
        let number = self.scope.as_ref().filter(|(known, _)| known == scope);
        let number = number.map(|(_, row)| row.number);
        let (sql, scope): (_, &dyn ToSql) = match &number {
            Some(number) => (DEVICE_OF_SCOPE, number),
            None => (DEVICE, &scope.as_str()),
        };
        // An ancestry that is damaged is the business of whoever asks for it.
        let read = |row: &Row<'_>| {
            let key = DeviceKey::new(from_i64(row.get(0)?));
            let Some(device) = state(row, 1, 4)? else { return Ok(None) };
            let settled = Settled::read(key, &device, row, 5)?;
            Ok(Some((key, device, settled, Latest::read(key, row, 2, 5))))
        };
        let parameters = named_params! { ":scope": scope, ":name": name.as_str() };
        self.save_ancestry()?;
        let Some(found) = self.one(sql, parameters, read)? else { return Ok(None) };
        let found = found.ok_or_else(|| damaged("the state", name.as_str()))?;
        let (key, device, settled, latest) = found;
        (self.settled, self.latest) = (Some(settled), latest);
        Ok(Some((key, device)))
    }

    fn similar(&mut self, scope: &Scope, name: &DeviceId) -> Result<Option<DeviceId>, VaultError> {
        let Some(row) = self.find_scope(scope)? else { return Ok(None) };
        let scope = row.number;
        let found: Option<String> = self.one(
            SIMILAR,
            named_params! {
                ":scope": scope, ":folded": folded(name.as_str()), ":name": name.as_str(),
            },
            |row| row.get(0),
        )?;
        found
            .map(|found| DeviceId::new(&found).map_err(|_| damaged("the name", &found)))
            .transpose()
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
        self.save_ancestry()?;
        self.latest = Some(Latest::none(key));
        Ok(key)
    }

    fn update_device(&mut self, key: DeviceKey, device: &Device) -> Result<(), VaultError> {
        self.put_device(key, device)
    }

    fn remove_device(&mut self, key: DeviceKey) -> Result<(), VaultError> {
        self.remove_ancestry(key)?;
        self.settled = None;
        let parameters = named_params! { ":key": to_i64(key.number()) };
        let known = self.one(STATE, parameters, |row| state(row, 0, 1))?;
        let known = known.flatten().ok_or_else(|| damaged("the state", ""))?;
        let held = known.accounts().flat_map(|account| account.candidates.all());
        for sealing in held.flat_map(Held::sealings) {
            self.remove_record(key, sealing.row)?;
        }
        self.remove_in_flight(key)?;
        self.change("DELETE FROM device WHERE number = :key", parameters)
    }

    fn devices(
        &mut self,
        scope: &Scope,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<StoredDevice>, VaultError> {
        self.many(
            DEVICES,
            named_params! {
                ":scope": scope.as_str(),
                // A device's name is not empty, so every name is behind the empty text.
                ":after": after.unwrap_or_default(),
                ":limit": limit(most),
            },
            Self::stored,
        )
    }

    fn due(
        &mut self,
        scope: &Scope,
        until: Timestamp,
        after: Option<(Timestamp, DeviceKey)>,
        most: usize,
    ) -> Result<Vec<StoredDevice>, VaultError> {
        let Some(row) = self.find_scope(scope)? else { return Ok(Vec::new()) };
        let scope = row.number;
        let (due, key) = after
            .map_or((-1, 0), |(due, key)| (to_i64(due.as_unix_seconds()), to_i64(key.number())));
        self.many(
            DUE,
            named_params! {
                ":scope": scope,
                ":until": to_i64(until.as_unix_seconds()),
                ":due": due,
                ":key": key,
                ":limit": limit(most),
            },
            |row| {
                let due = Timestamp::from_unix_seconds(from_i64(row.get(4)?));
                Ok(Self::stored(row)?.found_by(due))
            },
        )
    }

    fn record(&mut self, row: u64) -> Result<Option<Vec<u8>>, VaultError> {
        self.one(
            "SELECT sealed FROM record WHERE number = :row",
            named_params! { ":row": to_i64(row) },
            |row| row.get(0),
        )
    }

    fn insert_record(&mut self, device: DeviceKey, bytes: &[u8]) -> Result<u64, VaultError> {
        self.change(
            "INSERT INTO record (device, sealed) VALUES (:device, :sealed)",
            named_params! { ":device": to_i64(device.number()), ":sealed": bytes },
        )?;
        Ok(from_i64(self.connection.last_insert_rowid()))
    }

    fn replace_record(
        &mut self,
        device: DeviceKey,
        row: u64,
        bytes: &[u8],
    ) -> Result<(), VaultError> {
        self.change(
            "UPDATE record SET sealed = :sealed WHERE number = :row AND device = :device",
            named_params! {
                ":sealed": bytes,
                ":row": to_i64(row),
                ":device": to_i64(device.number()),
            },
        )
    }

    fn remove_record(&mut self, device: DeviceKey, row: u64) -> Result<(), VaultError> {
        self.run(
            REMOVE_RECORD,
            named_params! { ":row": to_i64(row), ":device": to_i64(device.number()) },
        )?;
        Ok(())
    }

    fn fork(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<Option<RecordId>, VaultError> {
        self.find_fork(device, predecessor, id)
    }

    fn record_parent(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<(), VaultError> {
        self.add_pair(device, predecessor, id)
    }

    fn ancestry(&mut self, device: DeviceKey) -> Result<Vec<(RecordId, RecordId)>, VaultError> {
        self.pairs(device)
    }

    fn audit_head(&mut self, scope: &Scope) -> Result<AuditHead, VaultError> {
        self.find_scope(scope)?.map_or(Ok(AuditHead::EMPTY), |row| row.head.clone())
    }

    fn append(&mut self, scope: &Scope, entry: &Entry, head: &AuditHead) -> Result<(), VaultError> {
        let scope = self.make_scope(scope)?;
        let known = self.scope.take();
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
        )?;
        self.change(
            "UPDATE scope SET entries = :entries, head = :head WHERE number = :scope",
            named_params! {
                ":entries": to_i64(head.length),
                ":head": head.hash.as_slice(),
                ":scope": scope,
            },
        )?;
        self.scope = known.map(|(name, row)| (name, ScopeRow { head: Ok(*head), ..row }));
        Ok(())
    }

    fn entries(
        &mut self,
        scope: &Scope,
        from: u64,
        most: usize,
    ) -> Result<Vec<StoredEntry>, VaultError> {
        let Some(row) = self.find_scope(scope)? else { return Ok(Vec::new()) };
        let base = base(row.number)?;
        self.many(
            ENTRIES_FROM,
            named_params! {
                ":from": base.saturating_add(to_i64(from)),
                ":end": base.saturating_add(ENTRIES),
                ":limit": limit(most),
            },
            |row| stored_entry(base, row),
        )
    }

    fn times(
        &mut self,
        scope: &Scope,
        from: u64,
        most: usize,
    ) -> Result<Vec<(u64, Timestamp)>, VaultError> {
        let Some(row) = self.find_scope(scope)? else { return Ok(Vec::new()) };
        let base = base(row.number)?;
        self.many(
            TIMES,
            named_params! {
                ":from": base.saturating_add(to_i64(from)),
                ":end": base.saturating_add(ENTRIES),
                ":limit": limit(most),
            },
            |row| {
                let number = row.get::<_, i64>(0)?.saturating_sub(base);
                // What is no number is no time, and the entry cannot be read anyway.
                let at = row.get::<_, i64>(1).map_or(0, from_i64);
                Ok((from_i64(number), Timestamp::from_unix_seconds(at)))
            },
        )
    }

    fn entries_of(
        &mut self,
        scope: &Scope,
        who: Who<'_>,
        after: u64,
        most: usize,
    ) -> Result<Vec<StoredEntry>, VaultError> {
        let Some(row) = self.find_scope(scope)? else { return Ok(Vec::new()) };
        let base = base(row.number)?;
        let sql = match who {
            Who::TypedAs(_) => ENTRIES_TYPED_AS,
            Who::Caller(_) | _ => ENTRIES_OF_CALLER,
        };
        self.many(
            sql,
            named_params! {
                ":name": who.name(),
                ":after": base.saturating_add(to_i64(after)),
                ":end": base.saturating_add(ENTRIES),
                ":limit": limit(most),
            },
            |row| stored_entry(base, row),
        )
    }

    fn stray_entries(&mut self) -> Result<u64, VaultError> {
        let found: Option<i64> = self.one(
            "SELECT (SELECT count(*) FROM audit) -
                (SELECT coalesce(sum((SELECT count(*) FROM audit
                    WHERE audit.number >= scope.number * :room
                    AND audit.number < (scope.number + 1) * :room)), 0) FROM scope)",
            named_params! { ":room": ENTRIES },
            |row| row.get(0),
        )?;
        Ok(from_i64(found.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ancestry::{REMOVE_OLDEST, REMOVE_PART};
    use super::super::schema;
    use super::*;
    use rusqlite::Connection;

    /// How SQLite finds the rows, a step each.
    fn plan(sql: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = statement.raw_query();
        rows.mapped(|row| row.get(3)).map(Result::unwrap).collect()
    }

    #[test]
    fn nothing_is_found_by_scanning_and_no_page_of_devices_is_sorted() {
        for (name, sql, index) in [
            ("DEVICE", DEVICE, "sqlite_autoindex_device_1"),
            ("DEVICE_OF_SCOPE", DEVICE_OF_SCOPE, "sqlite_autoindex_device_1"),
            ("STATE", STATE, "INTEGER PRIMARY KEY"),
            ("SIMILAR", SIMILAR, "device_folded"),
            ("DEVICES", DEVICES, "sqlite_autoindex_device_1"),
            ("DUE", DUE, "device_due"),
            ("REMOVE_RECORD", REMOVE_RECORD, "INTEGER PRIMARY KEY"),
            ("REMOVE_PART", REMOVE_PART, "INTEGER PRIMARY KEY"),
            ("REMOVE_OLDEST", REMOVE_OLDEST, "PRIMARY KEY (device=?)"),
            ("ENTRIES_FROM", ENTRIES_FROM, "INTEGER PRIMARY KEY"),
            ("ENTRIES_TYPED_AS", ENTRIES_TYPED_AS, "audit_actor"),
            ("ENTRIES_OF_CALLER", ENTRIES_OF_CALLER, "audit_caller"),
            ("TIMES", TIMES, "INTEGER PRIMARY KEY"),
        ] {
            let plan = plan(sql);
            assert!(plan.iter().any(|step| step.contains(index)), "{name}: {plan:?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN")), "{name}: {plan:?}");
            // What one caller did is found in two indexes and answered by number.
            let sorted = plan.iter().any(|step| step.contains("TEMP B-TREE"));
            assert!(name == "ENTRIES_OF_CALLER" || !sorted, "{name}: {plan:?}");
        }
        assert!(
            plan("SELECT * FROM device WHERE state = x'00'")[0].starts_with("SCAN"),
            "and it would be seen"
        );
    }
}
