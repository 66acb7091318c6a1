//! Who may open records: the readers of a scope, now and before, and the sets that records are sealed to.

use alloc::{string::String, vec::Vec};

use crate::identity::Timestamp;

use super::state::HistorySetting;

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

/// The readers and settings of a scope.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Readers {
    /// Every reader that was ever added, the oldest first.
    pub known: Vec<KnownReader>,
    /// The sets of reader ids that stored records have; a record names its set by position.
    pub sets: Vec<Vec<[u8; 32]>>,
    /// How much history is kept.
    pub history: HistorySetting,
}

impl Readers {
    /// Those that were not removed.
    pub fn active(&self) -> impl Iterator<Item = &KnownReader> + '_ {
        self.known.iter().filter(|reader| reader.removed.is_none())
    }

    /// Whether a record sealed to these ids can be opened by a reader that was removed (protocol §4.3).
    #[must_use]
    pub fn is_late(&self, set: &[[u8; 32]]) -> bool {
        self.known.iter().any(|reader| reader.removed.is_some() && set.contains(&reader.id))
    }

    /// The ids that records with this set number are sealed to.
    #[must_use]
    pub fn set(&self, number: u32) -> &[[u8; 32]] {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.sets.get(number))
            .map_or(&[], Vec::as_slice)
    }

    /// The number of a set of ids, a new one when there is none yet; [`UNLISTED`] for a set with readers that the vault does
    /// not know: a device that seals to strangers must not make the list grow.
    pub(super) fn intern(&mut self, set: Vec<[u8; 32]>) -> u32 {
        let known = |id: &[u8; 32]| self.known.iter().any(|reader| reader.id == *id);
        let listed = self.sets.iter().position(|listed| *listed == set).or_else(|| {
            (self.sets.len() < MAX_SETS && set.iter().all(known)).then(|| {
                self.sets.push(set);
                self.sets.len().saturating_sub(1)
            })
        });
        listed.and_then(|at| u32::try_from(at).ok()).unwrap_or(UNLISTED)
    }
}

/// The number of every set that is not in the list: the record itself tells who can open it.
pub(super) const UNLISTED: u32 = u32::MAX;

/// The most sets in the list. A vault meets a new one when its readers change.
const MAX_SETS: usize = 256;
