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
use super::rows::Tables;
use super::value::{damaged, to_i64};

/// One row of `ancestry_part`.
pub(super) const REMOVE_PART: &str =
    "DELETE FROM ancestry_part WHERE number = :part AND device = :device";
/// What `ancestry` has of one predecessor.
pub(super) const CHILDREN: &str =
    "SELECT record FROM ancestry WHERE device = :device AND predecessor = :predecessor";
/// All that `ancestry` has of a device.
pub(super) const REMOVE_OLDEST: &str = "DELETE FROM ancestry WHERE device = :device";

impl Tables<'_> {
    /// What is known about the ancestry of a device.
    pub(super) fn latest_of(&mut self, device: DeviceKey) -> Result<&mut Latest, VaultError> {
        let latest = self.load(device)?.latest.as_mut();
        latest.ok_or_else(|| damaged("the ancestry", ""))
    }

    /// Every record that names this predecessor.
    pub(super) fn children(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
    ) -> Result<Vec<RecordId>, VaultError> {
        let latest = self.latest_of(device)?;
        let of = |pairs: &[Pair]| -> Vec<RecordId> {
            let named = pairs.iter().filter(|(one, _)| *one == predecessor);
            named.map(|(_, child)| *child).collect()
        };
        let mut children = of(&latest.recent);
        if !latest.older.may_have(predecessor) {
            return Ok(children);
        }
        for part in latest.older.parts().to_vec() {
            children.extend(of(&self.part(device, part)?));
        }
        let found: Vec<Vec<u8>> = self.many(
            CHILDREN,
            named_params! {
                ":device": to_i64(device.number()),
                ":predecessor": predecessor.as_bytes().as_slice(),
            },
            |row| row.get(0),
        )?;
        for bytes in found {
            children.push(record_id(&bytes)?);
        }
        Ok(children)
    }

    /// Whether these parents can be recorded: what has to be read for it is whole.
    pub(super) fn check_parents(
        &mut self,
        device: DeviceKey,
        parents: &[Pair],
    ) -> Result<(), VaultError> {
        let latest = self.latest_of(device)?;
        let parts = latest.older.parts().to_vec();
        if latest.recent.len().saturating_add(parents.len()) > RECENT && parts.len() >= PARTS {
            for part in parts {
                self.part(device, part)?;
            }
        }
        Ok(())
    }

    pub(super) fn add_pair(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<(), VaultError> {
        let latest = self.latest_of(device)?;
        if latest.recent.contains(&(predecessor, id)) {
            return Ok(());
        }
        if latest.recent.len() >= RECENT {
            let mut filed = latest.clone();
            self.file_away(&mut filed)?;
            *self.latest_of(device)? = filed;
        }
        let latest = self.latest_of(device)?;
        latest.recent.push((predecessor, id));
        latest.changed = true;
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
        self.loaded.devices.remove(&device);
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
