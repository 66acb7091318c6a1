//! Which record was made after which, for ever: the latest pairs in the row of their device, which
//! a check-in changes anyway; those before sixteen together, in rows at the end of a table; those
//! before these in a table that is searched by predecessor. A filter in the row tells of nearly
//! every new predecessor that it stands in none of these tables: a check-in would read
//! pages of theirs from all over a large file.

use laps_core::identity::RecordId;
use laps_core::vault::VaultError;
use laps_core::vault::store::DeviceKey;
use rusqlite::named_params;

use super::latest::{Filter, Latest, Older, PARTS, Pair, RECENT, from_chain, to_chain};
use super::rows::Rows;
use super::value::{damaged, to_i64};

/// One row of `ancestry_part`.
pub(super) const REMOVE_PART: &str =
    "DELETE FROM ancestry_part WHERE number = :part AND device = :device";
/// All that `ancestry` has of a device.
pub(super) const REMOVE_OLDEST: &str = "DELETE FROM ancestry WHERE device = :device";

impl Rows<'_> {
    /// What is known about the ancestry of a device.
    pub(super) fn latest_of(&mut self, device: DeviceKey) -> Result<&mut Latest, VaultError> {
        if self.latest.as_ref().is_none_or(|latest| latest.device != device) {
            self.save_ancestry()?;
            let found = self.one(
                "SELECT device.recent, device.older, in_flight.recent
                 FROM device LEFT JOIN in_flight ON in_flight.device = device.number
                 WHERE device.number = :device",
                named_params! { ":device": to_i64(device.number()) },
                |row| Ok(Latest::read(device, row, 0, 2)),
            )?;
            let found = found.ok_or(VaultError::Internal("a row that should be there is not"))?;
            self.latest = Some(found.ok_or_else(|| damaged("the ancestry", ""))?);
        }
        self.latest.as_mut().ok_or(VaultError::Internal("a row that was read is not there"))
    }

    /// Writes what `record_parent` left to be written with the state of the device, which nearly
    /// always follows.
    pub(super) fn save_ancestry(&mut self) -> Result<(), VaultError> {
        let Some(latest) = self.latest.as_mut().filter(|latest| latest.changed) else {
            return Ok(());
        };
        let device = to_i64(latest.device.number());
        let Some((recent, older)) = latest.settle() else { return Ok(()) };
        self.change(
            "UPDATE device SET recent = :recent, older = :older WHERE number = :device",
            named_params! { ":recent": recent, ":older": older, ":device": device },
        )?;
        self.run(
            "UPDATE in_flight SET recent = x'' WHERE device = :device",
            named_params! { ":device": device },
        )?;
        Ok(())
    }

    pub(super) fn find_fork(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<Option<RecordId>, VaultError> {
        let latest = self.latest_of(device)?;
        let among = |pairs: &[Pair]| {
            let fork = pairs.iter().find(|(one, other)| *one == predecessor && *other != id);
            fork.map(|(_, fork)| *fork)
        };
        if let Some(fork) = among(&latest.recent) {
            return Ok(Some(fork));
        }
        if !latest.older.may_have(predecessor) {
            return Ok(None);
        }
        for part in latest.older.parts().to_vec() {
            if let Some(fork) = among(&self.part(device, part)?) {
                return Ok(Some(fork));
            }
        }
        let found: Option<Vec<u8>> = self.one(
            "SELECT record FROM ancestry
             WHERE device = :device AND predecessor = :predecessor AND record != :id LIMIT 1",
            named_params! {
                ":device": to_i64(device.number()),
                ":predecessor": predecessor.as_bytes().as_slice(),
                ":id": id.as_bytes().as_slice(),
            },
            |row| row.get(0),
        )?;
        found.map(|bytes| record_id(&bytes)).transpose()
    }

    pub(super) fn add_pair(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<(), VaultError> {
        if self.latest_of(device)?.recent.contains(&(predecessor, id)) {
            return Ok(());
        }
        let Some(mut latest) = self.latest.take() else {
            return Err(VaultError::Internal("a row that was read is not there"));
        };
        if latest.recent.len() >= RECENT {
            self.file_away(&mut latest)?;
        }
        latest.recent.push((predecessor, id));
        latest.changed = true;
        self.latest = Some(latest);
        Ok(())
    }

    /// Moves the recent pairs out of the row.
    fn file_away(&self, latest: &mut Latest) -> Result<(), VaultError> {
        let device = latest.device;
        let (mut filter, mut parts) = match &latest.older {
            Older::Known { filter, parts } => (filter.clone(), parts.clone()),
            Older::None => (Filter([0; 64]), Vec::new()),
        };
        latest.recent.iter().for_each(|(predecessor, _)| filter.add(*predecessor));
        if parts.len() >= PARTS {
            for part in parts.drain(..) {
                for pair in self.part(device, part)? {
                    self.put_oldest(device, pair)?;
                }
                self.remove_part(device, part)?;
            }
        }
        self.change(
            "INSERT INTO ancestry_part (device, pairs) VALUES (:device, :pairs)",
            named_params! {
                ":device": to_i64(device.number()),
                ":pairs": to_chain(&latest.recent),
            },
        )?;
        parts.push(self.connection.last_insert_rowid());
        latest.recent.clear();
        (latest.settled, latest.filed) = (0, true);
        latest.older = Older::Known { filter, parts };
        Ok(())
    }

    fn part(&self, device: DeviceKey, part: i64) -> Result<Vec<Pair>, VaultError> {
        let pairs: Option<Vec<u8>> = self.one(
            "SELECT pairs FROM ancestry_part WHERE number = :part AND device = :device",
            named_params! { ":part": part, ":device": to_i64(device.number()) },
            |row| row.get(0),
        )?;
        let pairs = pairs.as_deref().and_then(from_chain);
        pairs.ok_or_else(|| damaged("the ancestry", ""))
    }

    fn remove_part(&self, device: DeviceKey, part: i64) -> Result<(), VaultError> {
        self.run(REMOVE_PART, named_params! { ":part": part, ":device": to_i64(device.number()) })?;
        Ok(())
    }

    /// The pairs in `ancestry`.
    fn oldest(&self, device: DeviceKey) -> Result<Vec<Pair>, VaultError> {
        let pairs: Vec<(Vec<u8>, Vec<u8>)> = self.many(
            "SELECT predecessor, record FROM ancestry WHERE device = :device",
            named_params! { ":device": to_i64(device.number()) },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        pairs.iter().map(|(one, other)| Ok((record_id(one)?, record_id(other)?))).collect()
    }

    fn put_oldest(&self, device: DeviceKey, (predecessor, id): Pair) -> Result<usize, VaultError> {
        self.run(
            "INSERT OR IGNORE INTO ancestry (device, predecessor, record)
             VALUES (:device, :predecessor, :id)",
            named_params! {
                ":device": to_i64(device.number()),
                ":predecessor": predecessor.as_bytes().as_slice(),
                ":id": id.as_bytes().as_slice(),
            },
        )
    }

    pub(super) fn pairs(&mut self, device: DeviceKey) -> Result<Vec<Pair>, VaultError> {
        let latest = self.latest_of(device)?;
        let (recent, older) = (latest.recent.clone(), latest.older.clone());
        let mut pairs = self.oldest(device)?;
        for part in older.parts() {
            pairs.append(&mut self.part(device, *part)?);
        }
        if !pairs.iter().all(|(predecessor, _)| older.may_have(*predecessor)) {
            return Err(damaged("the ancestry", ""));
        }
        pairs.extend(recent);
        pairs.sort_unstable();
        pairs.dedup();
        Ok(pairs)
    }

    /// Removes everything that is kept of a device's ancestry, but for its row.
    pub(super) fn remove_ancestry(&mut self, device: DeviceKey) -> Result<(), VaultError> {
        let parts = self.latest_of(device).map(|latest| latest.older.parts().to_vec());
        self.latest = None;
        let parameters = named_params! { ":device": to_i64(device.number()) };
        match parts {
            Ok(parts) => parts.iter().try_for_each(|part| self.remove_part(device, *part))?,
            // Which they are is lost: they are looked for.
            Err(VaultError::Damaged { .. }) => {
                self.run("DELETE FROM ancestry_part WHERE device = :device", parameters)?;
            }
            Err(error) => return Err(error),
        }
        self.run(REMOVE_OLDEST, parameters)?;
        Ok(())
    }
}

fn record_id(bytes: &[u8]) -> Result<RecordId, VaultError> {
    let bytes = bytes.try_into().map_err(|_| damaged("the ancestry", ""))?;
    Ok(RecordId::from_bytes(bytes))
}
