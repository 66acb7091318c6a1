//! Who may open records: the readers of a scope, now and before, the sets that records are sealed
//! to, and the settings of the scope.

use alloc::{string::String, vec::Vec};

use crate::identity::Timestamp;
use crate::seal::Reader;

use super::VaultError;
use super::retention::Retention;

/// One reader that the vault knows.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct KnownReader {
    /// Its id (protocol §4.2).
    pub id: [u8; 32],
    /// Its public key, as one line of text.
    pub line: String,
    /// When it was added.
    pub added: Timestamp,
    /// When it was removed.
    pub removed: Option<Timestamp>,
}

impl KnownReader {
    /// An active reader.
    #[must_use]
    pub const fn new(id: [u8; 32], line: String, added: Timestamp) -> Self {
        Self { id, line, added, removed: None }
    }
}

/// The readers that a sealing names.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "another one is another row format")]
pub enum ReaderList {
    /// A set of the scope, by its number.
    Set(u32),
    /// A set that stands in no list, by the ids: with a reader that the vault does not know, a
    /// device that seals to strangers must not make the list grow.
    Ids(Vec<[u8; 32]>),
}

impl Default for ReaderList {
    fn default() -> Self {
        Self::Ids(Vec::new())
    }
}

/// The readers and settings of a scope.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Readers {
    /// Every reader that was ever added, the oldest first.
    pub known: Vec<KnownReader>,
    /// The sets of reader ids that stored records have; a record names its set by position.
    pub sets: Vec<Vec<[u8; 32]>>,
    /// How much history is kept.
    pub history: Retention,
    /// How many seconds after a disclosure what was shown is rotated; none: only when whoever
    /// discloses asks for it.
    pub rotate_after: Option<u64>,
    /// How many entries the audit log had in each copy of the vault that was restored, the first
    /// restore first.
    pub restored: Vec<u64>,
}

impl Default for Readers {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            sets: Vec::new(),
            history: Retention::default(),
            rotate_after: Some(ROTATE_AFTER),
            restored: Vec::new(),
        }
    }
}

/// How many seconds after a disclosure a new vault has it rotated: a day.
const ROTATE_AFTER: u64 = 86_400;

impl Readers {
    /// Those that were not removed.
    pub fn active(&self) -> impl Iterator<Item = &KnownReader> + '_ {
        self.known.iter().filter(|reader| reader.removed.is_none())
    }

    /// The same, to seal to.
    pub(super) fn active_readers(&self) -> Result<Vec<Reader>, VaultError> {
        let damaged = |_| VaultError::Damaged { what: "a reader", device: String::new() };
        self.active().map(|reader| reader.line.parse().map_err(damaged)).collect()
    }

    /// The ids of those that were not removed, in increasing order.
    pub(crate) fn active_ids(&self) -> Vec<[u8; 32]> {
        let mut ids: Vec<[u8; 32]> = self.active().map(|known| known.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether this reader is known and was not removed.
    #[must_use]
    pub fn is_active(&self, id: &[u8; 32]) -> bool {
        self.active().any(|known| known.id == *id)
    }

    /// Whether this reader was removed.
    pub(crate) fn is_removed(&self, id: &[u8; 32]) -> bool {
        self.known.iter().any(|known| known.removed.is_some() && known.id == *id)
    }

    /// Whether a list names an active reader.
    pub(crate) fn names_active(&self, list: &ReaderList) -> bool {
        self.ids(list).iter().any(|id| self.is_active(id))
    }

    /// Whether a list names a reader that was removed.
    pub(crate) fn names_removed(&self, list: &ReaderList) -> bool {
        self.ids(list).iter().any(|id| self.is_removed(id))
    }

    /// Whether a list names a reader that the vault never knew.
    pub(crate) fn names_stranger(&self, list: &ReaderList) -> bool {
        self.ids(list).iter().any(|id| !self.known.iter().any(|known| known.id == *id))
    }

    /// Whether a list names active readers and nobody else.
    pub(crate) fn names_only_active(&self, list: &ReaderList) -> bool {
        let ids = self.ids(list);
        !ids.is_empty() && ids.iter().all(|id| self.is_active(id))
    }

    /// The ids in a list.
    #[must_use]
    pub fn ids<'a>(&'a self, list: &'a ReaderList) -> &'a [[u8; 32]] {
        match list {
            ReaderList::Ids(ids) => ids,
            ReaderList::Set(number) => usize::try_from(*number)
                .ok()
                .and_then(|number| self.sets.get(number))
                .map_or(&[], Vec::as_slice),
        }
    }

    /// The number of a set of ids, a new one when there is none yet; the ids themselves for a set
    /// with readers that the vault does not know, and where the list is full.
    pub(super) fn list(&mut self, set: Vec<[u8; 32]>) -> ReaderList {
        let known = |id: &[u8; 32]| self.known.iter().any(|reader| reader.id == *id);
        if let Some(at) = self.sets.iter().position(|listed| *listed == set) {
            return u32::try_from(at).map_or(ReaderList::Ids(set), ReaderList::Set);
        }
        match u32::try_from(self.sets.len()) {
            Ok(number) if self.sets.len() < MAX_SETS && set.iter().all(known) => {
                self.sets.push(set);
                ReaderList::Set(number)
            }
            _ => ReaderList::Ids(set),
        }
    }

    /// Where the log of a copy ended that was restored, for a head that is not in the log: the
    /// latest restore that a head of this length can be from before. None: that head was lost
    /// otherwise, or never was.
    pub(crate) fn restored_before(&self, length: u64) -> Option<u64> {
        self.restored.iter().copied().filter(|entries| *entries < length).max()
    }
}

/// The most sets in the list. A vault meets a new one when its readers change.
const MAX_SETS: usize = 256;
