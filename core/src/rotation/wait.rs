//! A cause, and what is kept of the rotations of each kind; `causes.rs` says what they mean.

use super::config::DAY;
use super::event::Reason;
use crate::identity::Timestamp;

/// Kinds of causes that are waited for, each by itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub(super) enum WaitKind {
    /// The vault orders.
    Order = 1,
    /// The vault says that it has more than one candidate.
    Candidates = 2,
    /// The vault knows a higher version.
    Version = 3,
    /// What the device saw itself: an account that was changed, an uncertain outcome.
    Own = 4,
}

impl WaitKind {
    pub(super) const COUNT: usize = 4;
    pub(super) const ALL: [Self; Self::COUNT] =
        [Self::Order, Self::Candidates, Self::Version, Self::Own];

    pub(super) const fn as_u8(self) -> u8 {
        self as u8
    }

    pub(super) fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_u8() == number)
    }

    pub(super) const fn rests_on_word(self) -> bool {
        match self {
            Self::Order | Self::Candidates | Self::Version => true,
            Self::Own => false,
        }
    }

    pub(super) const fn is_conflict(self) -> bool {
        !matches!(self, Self::Order)
    }

    /// How long after the last commit of this kind it counts as the first again, in seconds.
    pub(super) const fn memory(self) -> u64 {
        if self.is_conflict() { 2 * DAY } else { DAY }
    }
}

/// Why a rotation is due.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Cause {
    pub(super) reason: Reason,
    pub(super) kind: Option<WaitKind>,
}

impl Cause {
    pub(super) const fn if_it(holds: bool, reason: Reason, kind: Option<WaitKind>) -> Self {
        Self { reason: if holds { reason } else { Reason::None }, kind }
    }
}

/// The rotations of one [`WaitKind`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Wait {
    /// How many in a row.
    pub(super) count: u8,
    /// The commit of the last one.
    pub(super) since: Timestamp,
}

/// A rotation that is due and waits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Waits {
    /// Until when.
    pub until: Timestamp,
    /// [`Reason::TwoChanges`], or the reason of the rotation: it failed and is tried again then,
    /// or what it rests on has to wait.
    pub why: Reason,
}
