//! What is known about the ancestry of a device without looking into its tables (`ancestry.rs`).

use laps_core::identity::RecordId;
use laps_core::vault::store::DeviceKey;
use rusqlite::Row;
use rusqlite::types::ValueRef;

pub(super) type Pair = (RecordId, RecordId);

/// How many pairs of the ancestry stand in the row of their device; that many go to a row of
/// `ancestry_part` together.
pub(super) const RECENT: usize = 16;

/// How many rows of `ancestry_part` a device has; that many go to `ancestry` together, after 256
/// rotations.
pub(super) const PARTS: usize = 16;

/// What is known about a device's ancestry without looking into its tables: the columns `recent`
/// and `older` of its row, and what an offer that is in flight added.
#[derive(Clone)]
pub(super) struct Latest {
    pub(super) device: DeviceKey,
    /// The latest pairs, the oldest first.
    pub(super) recent: Vec<Pair>,
    /// How many of them are in the row.
    pub(super) settled: usize,
    pub(super) older: Older,
    /// Whether pairs were filed away that the row still has.
    pub(super) filed: bool,
    /// Whether something of it is not written yet.
    pub(super) changed: bool,
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
pub(super) enum Older {
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

    pub(super) fn may_have(&self, predecessor: RecordId) -> bool {
        match self {
            Self::None => false,
            Self::Known { filter, .. } => filter.may_have(predecessor),
        }
    }

    pub(super) fn parts(&self) -> &[i64] {
        if let Self::Known { parts, .. } = self { parts } else { &[] }
    }
}

/// A Bloom filter (B. H. Bloom, Communications of the ACM 13, 1970) of 512 bits, four for each
/// predecessor: of those that are not in it one in 40 is taken for one that is after 64 rotations,
/// one in 6 after 128. Whatever is taken for one is looked up.
#[derive(Clone)]
pub(super) struct Filter(pub(super) [u8; 64]);

impl Filter {
    /// Where the bits of a predecessor are, as a byte and a mask. Whoever makes records chooses
    /// their identities, and can at most have those of its own device looked up.
    fn places(predecessor: &RecordId) -> impl Iterator<Item = (usize, u8)> + '_ {
        let parts = predecessor.as_bytes().as_chunks::<4>().0.iter();
        parts.map(|[byte, bit, ..]| (usize::from(byte & 63), 1 << (bit & 7)))
    }

    pub(super) fn may_have(&self, predecessor: RecordId) -> bool {
        let mut places = Self::places(&predecessor);
        places.all(|(byte, mask)| self.0.get(byte).is_none_or(|bits| bits & mask != 0))
    }

    pub(super) fn add(&mut self, predecessor: RecordId) {
        for (byte, mask) in Self::places(&predecessor) {
            if let Some(bits) = self.0.get_mut(byte) {
                *bits |= mask;
            }
        }
    }
}

/// Pairs in 17 bytes each where every record was made after the one of the pair before: 0 and the
/// record; and otherwise in 33: 1, the predecessor and the record.
pub(super) fn to_chain(pairs: &[Pair]) -> Vec<u8> {
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

pub(super) fn from_chain(mut bytes: &[u8]) -> Option<Vec<Pair>> {
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
