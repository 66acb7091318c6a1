//! Which record was made after which, for ever: the latest pairs in the row of their device, which a check-in changes anyway, the
//! others in a table of their own.

use laps_core::identity::RecordId;
use laps_core::vault::VaultError;
use laps_core::vault::store::DeviceKey;
use rusqlite::named_params;

use super::transaction::{Rows, damaged, to_i64};

/// How many pairs of the lineage stand in the row of their device; that many go to `lineage` together.
const RECENT: usize = 16;

impl Rows<'_> {
    /// The latest pairs of a device's lineage, the oldest first.
    fn recent(&mut self, device: DeviceKey) -> Result<Vec<(RecordId, RecordId)>, VaultError> {
        if self.recent.as_ref().is_none_or(|(known, _)| *known != device) {
            let bytes: Option<Vec<u8>> = self.one(
                "SELECT recent FROM device WHERE number = :device",
                named_params! { ":device": to_i64(device.number()) },
                |row| row.get(0),
            )?;
            self.recent = bytes.map(|bytes| (device, bytes));
        }
        let bytes = self.recent.as_ref().map(|(_, bytes)| bytes.as_slice());
        let bytes = bytes.ok_or(VaultError::Internal("a row that should be there is not"))?;
        let (ids, rest) = bytes.as_chunks::<16>();
        let (pairs, odd) = ids.as_chunks::<2>();
        if !rest.is_empty() || !odd.is_empty() {
            return Err(damaged("the lineage", ""));
        }
        let pair = |[one, other]: &[[u8; 16]; 2]| {
            (RecordId::from_bytes(*one), RecordId::from_bytes(*other))
        };
        Ok(pairs.iter().map(pair).collect())
    }

    pub(super) fn find_sibling(
        &mut self,
        device: DeviceKey,
        predecessor: RecordId,
        id: RecordId,
    ) -> Result<Option<RecordId>, VaultError> {
        let recent = self.recent(device)?;
        let sibling = recent.iter().find(|(one, other)| *one == predecessor && *other != id);
        if let Some((_, sibling)) = sibling {
            return Ok(Some(*sibling));
        }
        let found: Option<Vec<u8>> = self.one(
            "SELECT record FROM lineage
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
        let mut recent = self.recent(device)?;
        if recent.contains(&(predecessor, id)) {
            return Ok(());
        }
        if recent.len() >= RECENT {
            for (predecessor, id) in recent.drain(..) {
                self.run(
                    "INSERT OR IGNORE INTO lineage (device, predecessor, record)
                     VALUES (:device, :predecessor, :id)",
                    named_params! {
                        ":device": to_i64(device.number()),
                        ":predecessor": predecessor.as_bytes().as_slice(),
                        ":id": id.as_bytes().as_slice(),
                    },
                )?;
            }
        }
        recent.push((predecessor, id));
        let bytes: Vec<u8> = recent
            .iter()
            .flat_map(|(one, other)| [*one.as_bytes(), *other.as_bytes()])
            .flatten()
            .collect();
        self.recent = None;
        self.change(
            "UPDATE device SET recent = :recent WHERE number = :device",
            named_params! { ":recent": bytes, ":device": to_i64(device.number()) },
        )?;
        self.recent = Some((device, bytes));
        Ok(())
    }

    pub(super) fn pairs(
        &mut self,
        device: DeviceKey,
    ) -> Result<Vec<(RecordId, RecordId)>, VaultError> {
        let pairs: Vec<(Vec<u8>, Vec<u8>)> = self.many(
            "SELECT predecessor, record FROM lineage WHERE device = :device",
            named_params! { ":device": to_i64(device.number()) },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let old = pairs.iter().map(|(one, other)| Ok((record_id(one)?, record_id(other)?)));
        let mut pairs = old.collect::<Result<Vec<_>, VaultError>>()?;
        pairs.append(&mut self.recent(device)?);
        pairs.sort_unstable();
        pairs.dedup();
        Ok(pairs)
    }
}

fn record_id(bytes: &[u8]) -> Result<RecordId, VaultError> {
    let bytes = bytes.try_into().map_err(|_| damaged("the lineage", ""))?;
    Ok(RecordId::from_bytes(bytes))
}
