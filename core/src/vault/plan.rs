//! What a decision reads, named before anything is read: a store fetches it in one go.

use alloc::{string::String, vec, vec::Vec};

use crate::identity::{DeviceId, RecordId, Scope, Timestamp};

use super::Who;
use super::state::Digest;
use super::stored::DeviceKey;

/// The rows that a decision needs, of one scope. Readers, settings and the head of the audit log
/// come with every plan.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The scope.
    pub scope: Scope,
    /// The rows, in an order that a store can follow: a device before what is asked about it.
    pub wants: Vec<Want>,
}

impl Plan {
    /// Readers, settings and head alone.
    #[must_use]
    pub const fn of(scope: &Scope) -> Self {
        Self { scope: *scope, wants: Vec::new() }
    }

    /// And this.
    #[must_use]
    pub fn with(mut self, want: Want) -> Self {
        self.wants.push(want);
        self
    }

    /// One device.
    #[must_use]
    pub fn device(scope: &Scope, name: DeviceId) -> Self {
        Self { scope: *scope, wants: vec![Want::Device(name)] }
    }

    /// A page of devices.
    #[must_use]
    pub fn page(scope: &Scope, range: &DeviceRange) -> Self {
        Self { scope: *scope, wants: vec![Want::Devices(range.clone())] }
    }
}

/// One thing that a decision reads.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every one")]
pub enum Want {
    /// The device of this name; where there is none, one whose name differs in case only.
    Device(DeviceId),
    /// A page of devices.
    Devices(DeviceRange),
    /// The sealed bytes of a record of a device, by the digest of the sealing: a device that is
    /// malicious can have one id in two accounts.
    Sealed(DeviceId, RecordId, Digest),
    /// Every record of a device that names this predecessor, stored now or ever (protocol §3.7).
    Children(DeviceId, RecordId),
    /// The predecessor of every record that a device ever stored.
    Ancestry(DeviceId),
    /// The entry with this number.
    Entry(u64),
    /// The same, where it stands in front of the head: what a device remembers.
    EntryBeforeHead(u64),
    /// Entries of the audit log, as they are.
    Entries(Entries),
    /// The times of entries by number, from this one on, at most so many.
    Times(u64, usize),
    /// The name of a device that is nearest to a mistyped one. Costs grow with the scope.
    Nearest(DeviceId),
    /// How many rows of the audit log belong to no scope. None was written by us.
    StrayEntries,
}

/// A page of devices.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every one")]
pub enum DeviceRange {
    /// By name, those behind `after`.
    ByName {
        /// The last name of the page before.
        after: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// By due date, then by key; those due no later than `until`, behind `after`. Costs grow with
    /// the answer.
    ByDue {
        /// The last due date.
        until: Timestamp,
        /// The place of the last one of the page before.
        after: Option<(Timestamp, DeviceKey)>,
        /// At most so many.
        limit: usize,
    },
}

/// Entries of the audit log, in the order of their numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every one")]
pub enum Entries {
    /// From this number on.
    From {
        /// The first number.
        number: u64,
        /// At most so many.
        limit: usize,
    },
    /// Those of somebody.
    Of {
        /// The name.
        name: String,
        /// Whether it is what was typed, whoever was authenticated.
        typed: bool,
        /// Those behind this number.
        after: u64,
        /// At most so many.
        limit: usize,
    },
}

impl DeviceRange {
    /// By name, those behind `after`.
    #[must_use]
    pub fn by_name(after: Option<&str>, limit: usize) -> Self {
        Self::ByName { after: after.map(Into::into), limit }
    }

    /// The most devices of it.
    #[must_use]
    pub const fn limit(&self) -> usize {
        match self {
            Self::ByName { limit, .. } | Self::ByDue { limit, .. } => *limit,
        }
    }
}

impl Entries {
    /// Those of somebody, behind a number.
    #[must_use]
    pub fn of(who: Who<'_>, after: u64, limit: usize) -> Self {
        let typed = matches!(who, Who::TypedAs(_));
        Self::Of { name: who.name().into(), typed, after, limit }
    }
}
