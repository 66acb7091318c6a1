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
