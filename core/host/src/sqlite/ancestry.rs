//! Which record was made after which, for ever: the latest pairs in the row of their device, which
//! a check-in changes anyway; those before sixteen together, in rows at the end of a table; those
//! before these in a table that is searched by predecessor. A filter in the row tells of nearly
//! every new predecessor that it stands in none of these tables: a check-in would read
//! pages of theirs from all over a large file.

use laps_core::identity::RecordId;
use laps_core::vault::VaultError;
use laps_core::vault::store::DeviceKey;
use rusqlite::types::ValueRef;
use rusqlite::{Row, named_params};

use super::transaction::{Rows, damaged, to_i64};

type Pair = (RecordId, RecordId);

/// How many pairs of the ancestry stand in the row of their device; that many go to a row of
/// `ancestry_part` together.
const RECENT: usize = 16;

/// How many rows of `ancestry_part` a device has; that many go to `ancestry` together, after 256
/// rotations.
const PARTS: usize = 16;

/// One row of `ancestry_part`.
pub(super) const REMOVE_PART: &str =
    "DELETE FROM ancestry_part WHERE number = :part AND device = :device";
/// All that `ancestry` has of a device.
pub(super) const REMOVE_OLDEST: &str = "DELETE FROM ancestry WHERE device = :device";

/// What is known about a device's ancestry without looking into its tables: the columns `recent`
/// and `older` of its row, and what an offer that is in flight added.
pub(super) struct Latest {
    pub(super) device: DeviceKey,
    /// The latest pairs, the oldest first.
    recent: Vec<Pair>,
    /// How many of them are in the row.
    settled: usize,
    older: Older,
    /// Whether pairs were filed away that the row still has.
    filed: bool,
    /// Whether something of it is not written yet.
    changed: bool,
}

impl Latest {
    /// From `recent` and `older` in these columns and `in_flight.recent`; none when one is not what
    /// this version writes.
    pub(super) fn read(
        device: DeviceKey,
        row: &Row<'_>,
        column: usize,
        in_flight: usize,
    ) -> Option<Self> {
        let older = Older::read(row.get_ref(column.checked_add(1)?).ok()?)?;
        let recent = row.get_ref(column).ok()?.as_blob().ok()?;
        let mut recent = from_chain(recent)?;
        let settled = recent.len();
        let in_flight = row.get_ref(in_flight).ok()?.as_blob_or_null().ok()?;
        recent.extend(from_chain(in_flight.unwrap_or_default())?);
        Some(Self { device, recent, settled, older, filed: false, changed: false })
    }

    /// That of a device that has none.
    pub(super) fn none(device: DeviceKey) -> Self {
        let (recent, older) = (Vec::new(), Older::None);
        Self { device, recent, settled: 0, older, filed: false, changed: false }
    }

    pub(super) const fn is_filed(&self) -> bool {
        self.filed
    }

    /// What `in_flight` is to have, where it is written now.
    pub(super) fn in_flight(&mut self) -> Vec<u8> {
        self.changed = false;
        to_chain(self.recent.get(self.settled..).unwrap_or_default())
    }

    /// The columns `recent` and `older`, where they are written now; none when the row has them so.
    pub(super) fn settle(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        if !self.changed && !self.filed && self.settled == self.recent.len() {
            return None;
        }
        (self.changed, self.filed, self.settled) = (false, false, self.recent.len());
        Some((to_chain(&self.recent), self.older.to_bytes()))
    }
}

/// What is known about the pairs that are not in the row.
#[derive(Clone)]
enum Older {
    /// There are none.
    None,
    Known {
        filter: Filter,
        /// Rows of `ancestry_part`.
        parts: Vec<i64>,
    },
}

impl Older {
    fn read(column: ValueRef<'_>) -> Option<Self> {
        let bytes = match column {
            ValueRef::Blob([]) => return Some(Self::None),
            ValueRef::Blob(bytes) => bytes,
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => {
                return None;
            }
        };
        let (filter, parts) = bytes.split_first_chunk()?;
        let (parts, rest) = parts.as_chunks::<8>();
        let parts: Vec<i64> = parts.iter().map(|part| i64::from_be_bytes(*part)).collect();
        let whole = rest.is_empty() && parts.len() <= PARTS;
        whole.then_some(Self::Known { filter: Filter(*filter), parts })
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Known { filter, parts } => {
                let parts = parts.iter().flat_map(|part| part.to_be_bytes());
                filter.0.iter().copied().chain(parts).collect()
            }
        }
    }

    fn may_have(&self, predecessor: RecordId) -> bool {
        match self {
            Self::None => false,
            Self::Known { filter, .. } => filter.may_have(predecessor),
        }
    }

    fn parts(&self) -> &[i64] {
        if let Self::Known { parts, .. } = self { parts } else { &[] }
    }
}

/// A Bloom filter (B. H. Bloom, Communications of the ACM 13, 1970) of 512 bits, four for each
/// predecessor: of those that are not in it one in 40 is taken for one that is after 64 rotations,
/// one in 6 after 128. Whatever is taken for one is looked up.
#[derive(Clone)]
struct Filter([u8; 64]);

impl Filter {
    /// Where the bits of a predecessor are, as a byte and a mask. Whoever makes records chooses
    /// their identities, and can at most have those of its own device looked up.
    fn places(predecessor: &RecordId) -> impl Iterator<Item = (usize, u8)> + '_ {
        let parts = predecessor.as_bytes().as_chunks::<4>().0.iter();
        parts.map(|[byte, bit, ..]| (usize::from(byte & 63), 1 << (bit & 7)))
    }

    fn may_have(&self, predecessor: RecordId) -> bool {
        let mut places = Self::places(&predecessor);
        places.all(|(byte, mask)| self.0.get(byte).is_none_or(|bits| bits & mask != 0))
    }

    fn add(&mut self, predecessor: RecordId) {
        for (byte, mask) in Self::places(&predecessor) {
            if let Some(bits) = self.0.get_mut(byte) {
                *bits |= mask;
            }
        }
    }
}

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
            named_params! { ":device": to_i64(device.number()), ":pairs": to_chain(&latest.recent) },
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

/// Pairs in 17 bytes each where every record was made after the one of the pair before: 0 and the
/// record; and otherwise in 33: 1, the predecessor and the record.
fn to_chain(pairs: &[Pair]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(pairs.len().saturating_mul(17));
    let mut last = None;
    for (predecessor, record) in pairs {
        if last == Some(predecessor) {
            bytes.push(0);
        } else {
            bytes.push(1);
            bytes.extend(predecessor.as_bytes());
        }
        bytes.extend(record.as_bytes());
        last = Some(record);
    }
    bytes
}

fn from_chain(mut bytes: &[u8]) -> Option<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::new();
    let take = |bytes: &mut &[u8]| {
        let (id, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(RecordId::from_bytes(*id))
    };
    while let Some((how, rest)) = bytes.split_first() {
        bytes = rest;
        let predecessor = match how {
            0 => pairs.last()?.1,
            1 => take(&mut bytes)?,
            _ => return None,
        };
        pairs.push((predecessor, take(&mut bytes)?));
    }
    Some(pairs)
}

fn record_id(bytes: &[u8]) -> Result<RecordId, VaultError> {
    let bytes = bytes.try_into().map_err(|_| damaged("the ancestry", ""))?;
    Ok(RecordId::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An identity like those that are drawn.
    fn id(n: u64) -> RecordId {
        let mix = |n: u64| {
            // Splitmix64 (Steele, Lea and Flood, 2014).
            let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            n ^ (n >> 31)
        };
        let halves = [mix(2 * n + 1), mix(2 * n + 2)].map(u64::to_be_bytes);
        RecordId::from_bytes(halves.as_flattened().try_into().unwrap())
    }

    #[test]
    fn a_filter_has_what_was_added_and_little_else() {
        let mut filter = Filter([0; 64]);
        let mut allowed = [(16, 1_000), (64, 40), (128, 6)].into_iter();
        let mut next = allowed.next();
        for n in 1..=128 {
            filter.add(id(n));
            assert!((1..=n).all(|known| filter.may_have(id(known))));
            if let Some((_, one_in)) = next.filter(|(at, _)| *at == n) {
                let taken = (1_000..11_000).filter(|other| filter.may_have(id(*other))).count();
                assert!(taken * one_in <= 10_000, "{taken} of 10000 after {n}");
                next = allowed.next();
            }
        }
        assert!(next.is_none());
    }

    #[test]
    fn pairs_are_written_in_one_way_and_read_back() {
        let chain: Vec<Pair> = (0..16).map(|n| (id(n), id(n + 1))).collect();
        let mut forked = chain.clone();
        forked[5].0 = id(2);
        for (pairs, len) in [(&chain, 16 * 17 + 16), (&forked, 16 * 17 + 2 * 16), (&Vec::new(), 0)]
        {
            let bytes = to_chain(pairs);
            assert_eq!(bytes.len(), len);
            assert_eq!(from_chain(&bytes).as_ref(), Some(pairs));
            for cut in 1..bytes.len() {
                assert!(from_chain(&bytes[..cut]).is_none_or(|less| pairs.starts_with(&less)));
            }
        }
        assert_eq!(from_chain(&[&[0], [7; 16].as_slice()].concat()), None, "after nothing");
        assert_eq!(from_chain(&[&[2], [7; 32].as_slice()].concat()), None);
    }

    #[test]
    fn what_a_row_says_of_the_tables_is_read_back() {
        let read = |bytes: &[u8]| Older::read(ValueRef::Blob(bytes));
        let known = Older::Known { filter: Filter([7; 64]), parts: (1..=16).collect() };
        for older in [Older::None, known] {
            let bytes = older.to_bytes();
            assert_eq!(read(&bytes).unwrap().to_bytes(), bytes);
        }
        for other in [ValueRef::Null, ValueRef::Integer(7)] {
            assert!(Older::read(other).is_none());
        }
        for len in [1, 63, 65, 64 + 8 * 17] {
            assert!(read(&vec![7; len]).is_none(), "{len}");
        }
    }
}
