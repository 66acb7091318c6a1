//! What a plan names, read from the tables.

use laps_core::identity::{DeviceId, Scope, Timestamp};
use laps_core::vault::plan::{DeviceRange, Entries, Plan, Want};
use laps_core::vault::state::Digest;
use laps_core::vault::store::{DeviceKey, StoredDevice, StoredEntry};
use laps_core::vault::unit::Rows;
use laps_core::vault::{AuditHead, Nearest, VaultError, folded};
use rusqlite::{Row, named_params};

use super::entry::{ENTRIES_FROM, ENTRIES_OF_CALLER, ENTRIES_TYPED_AS, TIMES, base, stored_entry};
use super::in_flight::state;
use super::rows::{LoadedDevice, Tables};
use super::schema::ENTRIES;
use super::value::{damaged, from_i64, to_i64};

/// One device.
const DEVICE: &str = "SELECT device.number, device.state, in_flight.state, device.places, \
                      device.recent, device.older, in_flight.places, in_flight.recent
             FROM device LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE device.scope_number = :scope AND device.name = :name";
/// Another device whose name differs in case only.
const SIMILAR: &str = "SELECT name FROM device WHERE scope_number = :scope AND folded = :folded \
                       AND name <> :name LIMIT 1";
/// A page of devices by name.
const DEVICES: &str = "SELECT device.number, device.name, device.state, in_flight.state
             FROM device LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE device.scope_number = :scope AND device.name > :after
             ORDER BY device.name LIMIT :limit";
/// A page of names.
const NAMES: &str = "SELECT name FROM device WHERE scope_number = :scope AND name > :after
             ORDER BY name LIMIT :limit";
/// How many names are looked at in one go.
const PAGE: i64 = 1_000;
/// A page of devices by due date.
const DUE: &str = "SELECT device.number, device.name, device.state, in_flight.state, device.due
             FROM device LEFT JOIN in_flight ON in_flight.device = device.number
             WHERE device.scope_number = :scope AND device.due IS NOT NULL AND device.due <= :until
             AND (device.due, device.number) > (:due, :key)
             ORDER BY device.due, device.number LIMIT :limit";
fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Tables<'_> {
    /// Reads what a plan names.
    pub(super) fn read(&mut self, plan: &Plan) -> Result<Rows, VaultError> {
        let (head, readers) = self.read_scope(&plan.scope)?;
        let mut rows = Rows::new(plan.scope, head, readers);
        self.fetch(&plan.wants, &mut rows)?;
        Ok(rows)
    }

    /// Reads more.
    pub(super) fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        let scope = *rows.scope();
        let Some(number) = self.find_scope(&scope)?.map(|row| row.number) else {
            wants.iter().for_each(|want| add_nothing(want, rows));
            return if wants.contains(&Want::StrayEntries) {
                self.fetch_strays(rows)
            } else {
                Ok(())
            };
        };
        wants.iter().try_for_each(|want| self.fetch_one(number, want, rows))
    }

    fn fetch_one(&mut self, scope: i64, want: &Want, rows: &mut Rows) -> Result<(), VaultError> {
        match want {
            Want::Device(name) => {
                let mut found = self.device(scope, name)?;
                if found.is_none()
                    && let Some(other) = self.similar(scope, name)?
                {
                    found = self.device(scope, &other)?;
                }
                rows.add_device(*name, found);
            }
            Want::Devices(range) => rows.add_page(range.clone(), self.page(scope, range)?),
            Want::Sealed(device, id, digest) => {
                let found = match rows.read_device(device).map(|stored| stored.key) {
                    Some(key) => kept(self.sealed(key, *digest))?.unwrap_or_default(),
                    None => None,
                };
                rows.add_sealed(*device, *id, *digest, found);
            }
            Want::Children(device, parent) => {
                let found = match rows.read_device(device).map(|stored| stored.key) {
                    Some(key) => kept(self.children(key, *parent))?,
                    None => Ok(Vec::new()),
                };
                rows.add_children(*device, *parent, found);
            }
            Want::Ancestry(device) => {
                let found = match rows.read_device(device).map(|stored| stored.key) {
                    Some(key) => kept(self.pairs(key))?,
                    None => Ok(Vec::new()),
                };
                rows.add_ancestry(*device, found);
            }
            Want::Entry(number) => {
                let found = self.entries(scope, *number, 1)?.into_iter();
                rows.add_entry(*number, found.into_iter().find(|entry| entry.number == *number));
            }
            Want::EntryBeforeHead(number) => {
                let before = |head: &AuditHead| *number < head.length;
                if rows.read_head().as_ref().is_ok_and(before) {
                    self.fetch_one(scope, &Want::Entry(*number), rows)?;
                }
            }
            Want::Entries(which) => {
                let found = match which {
                    Entries::From { number, limit } => self.entries(scope, *number, *limit)?,
                    Entries::Of { name, typed, after, limit } => {
                        let sql = if *typed { ENTRIES_TYPED_AS } else { ENTRIES_OF_CALLER };
                        self.entries_of(scope, sql, name, *after, *limit)?
                    }
                };
                rows.add_entries(which.clone(), found);
            }
            Want::Times(from, most) => {
                let found = self.times(scope, *from, *most)?;
                rows.add_times(*from, *most, found);
            }
            Want::Nearest(asked) => {
                let found = self.nearest(scope, asked)?;
                rows.add_nearest(*asked, found);
            }
            Want::StrayEntries => self.fetch_strays(rows)?,
        }
        Ok(())
    }

    /// Every scope, in order.
    pub(super) fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        let names = self.many("SELECT name FROM scope ORDER BY name", &[], |row| row.get(0))?;
        names
            .into_iter()
            .map(|name: String| Scope::new(&name).map_err(|_| damaged("the name of a scope", "")))
            .collect()
    }

    fn device(&mut self, scope: i64, name: &DeviceId) -> Result<Option<StoredDevice>, VaultError> {
        let writes = self.writes;
        let read = |row: &Row<'_>| {
            let key = DeviceKey::new(from_i64(row.get(0)?));
            let device = state(row, 1, 2)?.ok_or_else(|| damaged("the state", name.as_str()));
            let loaded = if writes { Some(LoadedDevice::read(key, row, 3)?) } else { None };
            Ok((StoredDevice::new(key, *name, device), loaded))
        };
        let parameters = named_params! { ":scope": scope, ":name": name.as_str() };
        let Some((stored, loaded)) = self.one(DEVICE, parameters, read)? else { return Ok(None) };
        self.loaded.devices.extend(loaded.map(|loaded| (stored.key, loaded)));
        Ok(Some(stored))
    }

    fn similar(&self, scope: i64, name: &DeviceId) -> Result<Option<DeviceId>, VaultError> {
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

    fn nearest(&self, scope: i64, asked: &DeviceId) -> Result<Option<String>, VaultError> {
        let mut nearest = Nearest::to(asked.as_str());
        let mut after = String::new();
        loop {
            let names: Vec<String> = self.many(
                NAMES,
                named_params! { ":scope": scope, ":after": after, ":limit": PAGE },
                |row| row.get(0),
            )?;
            names.iter().for_each(|name| nearest.look(name));
            match names.into_iter().next_back() {
                Some(last) => after = last,
                None => return Ok(nearest.found()),
            }
        }
    }

    fn page(&self, scope: i64, range: &DeviceRange) -> Result<Vec<StoredDevice>, VaultError> {
        let stored = |row: &Row<'_>| {
            let (key, name): (i64, String) = (row.get(0)?, row.get(1)?);
            let device = state(row, 2, 3)?.ok_or_else(|| damaged("the state", &name));
            let name = DeviceId::new(&name).unwrap_or_default();
            Ok(StoredDevice::new(DeviceKey::new(from_i64(key)), name, device))
        };
        match range {
            DeviceRange::ByName { after, limit: most } => self.many(
                DEVICES,
                named_params! {
                    ":scope": scope,
                    // A device's name is not empty, so every name is behind the empty text.
                    ":after": after.as_deref().unwrap_or_default(),
                    ":limit": limit(*most),
                },
                stored,
            ),
            DeviceRange::ByDue { until, after, limit: most } => {
                let place = |(due, key): (Timestamp, DeviceKey)| {
                    (to_i64(due.as_unix_seconds()), to_i64(key.number()))
                };
                let (due, key) = after.map_or((-1, 0), place);
                self.many(
                    DUE,
                    named_params! {
                        ":scope": scope,
                        ":until": to_i64(until.as_unix_seconds()),
                        ":due": due,
                        ":key": key,
                        ":limit": limit(*most),
                    },
                    |row| {
                        let due = Timestamp::from_unix_seconds(from_i64(row.get(4)?));
                        Ok(stored(row)?.found_by(due))
                    },
                )
            }
        }
    }

    fn sealed(&mut self, key: DeviceKey, digest: Digest) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(row) = self.load(key)?.place(digest)? else { return Ok(None) };
        self.one(
            "SELECT sealed FROM record WHERE number = :row",
            named_params! { ":row": to_i64(row) },
            |row| row.get(0),
        )
    }

    fn entries(&self, scope: i64, from: u64, most: usize) -> Result<Vec<StoredEntry>, VaultError> {
        let base = base(scope)?;
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
        &self,
        scope: i64,
        from: u64,
        most: usize,
    ) -> Result<Vec<(u64, Timestamp)>, VaultError> {
        let base = base(scope)?;
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
        &self,
        scope: i64,
        sql: &str,
        name: &str,
        after: u64,
        most: usize,
    ) -> Result<Vec<StoredEntry>, VaultError> {
        let base = base(scope)?;
        self.many(
            sql,
            named_params! {
                ":name": name,
                ":after": base.saturating_add(to_i64(after)),
                ":end": base.saturating_add(ENTRIES),
                ":limit": limit(most),
            },
            |row| stored_entry(base, row),
        )
    }

    fn fetch_strays(&self, rows: &mut Rows) -> Result<(), VaultError> {
        let found: Option<i64> = self.one(
            "SELECT (SELECT count(*) FROM audit) -
                (SELECT coalesce(sum((SELECT count(*) FROM audit
                    WHERE audit.number >= scope.number * :room
                    AND audit.number < (scope.number + 1) * :room)), 0) FROM scope)",
            named_params! { ":room": ENTRIES },
            |row| row.get(0),
        )?;
        rows.add_stray_entries(from_i64(found.unwrap_or(0)));
        Ok(())
    }
}

/// Damage is a finding about what was read.
fn kept<T>(result: Result<T, VaultError>) -> Result<Result<T, VaultError>, VaultError> {
    match result {
        Err(error @ VaultError::Damaged { .. }) => Ok(Err(error)),
        result => result.map(Ok),
    }
}

/// What is in a scope that was never written to.
fn add_nothing(want: &Want, rows: &mut Rows) {
    match want {
        Want::Device(name) => rows.add_device(*name, None),
        Want::Devices(range) => rows.add_page(range.clone(), Vec::new()),
        Want::Sealed(device, id, digest) => rows.add_sealed(*device, *id, *digest, None),
        Want::Children(device, parent) => rows.add_children(*device, *parent, Ok(Vec::new())),
        Want::Ancestry(device) => rows.add_ancestry(*device, Ok(Vec::new())),
        Want::Entry(number) => rows.add_entry(*number, None),
        Want::Entries(which) => rows.add_entries(which.clone(), Vec::new()),
        Want::Times(from, most) => rows.add_times(*from, *most, Vec::new()),
        Want::Nearest(asked) => rows.add_nearest(*asked, None),
        // Every scope's.
        Want::EntryBeforeHead(_) | Want::StrayEntries => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::ancestry::{CHILDREN, REMOVE_OLDEST, REMOVE_PART};
    use super::super::schema;
    use super::super::write::REMOVE_RECORD;
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
            ("SIMILAR", SIMILAR, "device_folded"),
            ("DEVICES", DEVICES, "sqlite_autoindex_device_1"),
            ("NAMES", NAMES, "sqlite_autoindex_device_1"),
            ("DUE", DUE, "device_due"),
            ("CHILDREN", CHILDREN, "PRIMARY KEY (device=? AND predecessor=?"),
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
