//! What the vault keeps of one record, apart from the sealed bytes themselves: its sealings, how it
//! stands, how it left.

use crate::identity::{RecordId, Timestamp};

use super::super::readers::{ReaderList, Readers};

/// The first 16 bytes of SHA-256 over sealed bytes: finds damage before it is handed out, and names
/// them.
pub type Digest = [u8; 16];

/// One sealing of a record: the bytes that the device made, or that somebody re-sealed to
/// other readers.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Sealing {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub len: u32,
    /// The number of the sealing: 0 as the device made it.
    pub number: u32,
    /// Who can open it.
    pub readers: ReaderList,
}

/// How far it is known that somebody opened a record.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "another degree is another row format")]
pub enum OpenedStatus {
    /// Nobody said so.
    #[default]
    No,
    /// Somebody said so.
    Claimed,
    /// Somebody proved it: with what only an opened record tells.
    Proven,
}

impl OpenedStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Claimed => "claimed",
            Self::Proven => "proven",
        }
    }
}

/// A stored record as the rules see it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Held {
    /// The record.
    pub id: RecordId,
    /// Its version.
    pub version: u64,
    /// When the vault received it.
    pub stored_at: Timestamp,
    /// Whether the device has named it in a may-hold set or in a commit.
    pub confirmed: bool,
    /// Whether it was ever the current one.
    pub committed: bool,
    /// Whether somebody opened it.
    pub opened: OpenedStatus,
    /// The sealing that came from the device. When a commit has displaced the record, the newest
    /// that was imported takes its place.
    pub original: Sealing,
    /// The newest sealing that was imported.
    pub resealed: Option<Sealing>,
}

impl Held {
    /// A record as the rules need it: identity and version. Nobody can open it, and the rest is
    /// zero.
    #[must_use]
    pub fn new(id: RecordId, version: u64) -> Self {
        Self {
            id,
            version,
            stored_at: Timestamp::default(),
            confirmed: false,
            committed: false,
            opened: OpenedStatus::No,
            original: Sealing::default(),
            resealed: None,
        }
    }

    /// The same, sealed to these readers.
    #[must_use]
    pub fn sealed_to(mut self, readers: &[[u8; 32]]) -> Self {
        self.original.readers = ReaderList::Ids(readers.to_vec());
        self
    }

    /// The kept sealings, the newest first.
    pub fn sealings(&self) -> impl Iterator<Item = &Sealing> + '_ {
        self.resealed.iter().chain(core::iter::once(&self.original))
    }

    /// The newest sealing.
    #[must_use]
    pub fn newest(&self) -> &Sealing {
        self.resealed.as_ref().unwrap_or(&self.original)
    }

    /// Whether a kept sealing names an active reader. The vault sees no more: that the reader can
    /// open it, only a proof tells.
    pub(crate) fn is_openable(&self, readers: &Readers) -> bool {
        self.sealings().any(|sealing| readers.names_active(&sealing.readers))
    }

    /// Whether a kept sealing names a reader that was removed.
    pub(crate) fn names_removed(&self, readers: &Readers) -> bool {
        self.sealings().any(|sealing| readers.names_removed(&sealing.readers))
    }

    /// Whether a kept sealing names this reader.
    #[must_use]
    pub fn names(&self, readers: &Readers, reader: &[u8; 32]) -> bool {
        self.sealings().any(|sealing| readers.ids(&sealing.readers).contains(reader))
    }
}

/// How a record left the candidates without having been displaced.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "another one is another row format")]
pub enum RuledOut {
    /// Not at all: a commit displaced it.
    #[default]
    No,
    /// The device saw that the account does not hold it.
    Seen,
    /// The device has it on somebody's word. It can be revealed until the next commit.
    OnWord,
}

/// A record in history.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Past {
    /// The record.
    pub held: Held,
    /// When it was displaced or ruled out.
    pub displaced_at: Timestamp,
    /// 1: the last unverified commit displaced it; 2: the one before that; 0: neither
    /// (protocol §3.4).
    pub unverified: u8,
    /// Whether the device said that it was never applied.
    pub ruled_out: RuledOut,
    /// When it was first seen to be older than history goes back. It goes when that is still so a
    /// day later: a clock may have jumped.
    pub outlived_at: Option<Timestamp>,
}

impl Past {
    /// A record that was displaced by a verified commit.
    #[must_use]
    pub const fn new(held: Held, displaced_at: Timestamp) -> Self {
        Self { held, displaced_at, unverified: 0, ruled_out: RuledOut::No, outlived_at: None }
    }
}
