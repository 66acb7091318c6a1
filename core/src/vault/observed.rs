//! What happened, for metrics. Told after it is durable; no secrets, no reasons, no actors.

use crate::error::Code;
use crate::identity::DeviceId;
use crate::rotation::message::CommitAnswer;

use super::rules::Verdict;

/// Something that happened in the vault.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Observed {
    /// A check-in was answered.
    CheckIn {
        /// The device.
        device: DeviceId,
        /// Whether it changed anything but the time of the last check-in.
        changed: bool,
        /// Records that the vault did not have before.
        added: usize,
        /// Offers that it did not take.
        refused: usize,
        /// What became of the commit.
        commit: Option<CommitAnswer>,
    },
    /// Sealed records were handed out.
    Disclosed {
        /// The device.
        device: DeviceId,
        /// How many records.
        records: usize,
    },
    /// Rotations were ordered.
    Ordered {
        /// For how many devices that had no such order before.
        devices: u64,
    },
    /// Something was asked for and refused.
    Refused {
        /// Why.
        code: Code,
    },
}

impl Observed {
    /// What happened, in a word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::CheckIn { .. } => "check-in",
            Self::Disclosed { .. } => "disclosed",
            Self::Ordered { .. } => "ordered",
            Self::Refused { .. } => "refused",
        }
    }

    pub(super) fn check_in(device: &DeviceId, verdict: &Verdict) -> Self {
        Self::CheckIn {
            device: *device,
            changed: verdict.changed,
            added: verdict.added.len(),
            refused: verdict.refused.iter().count(),
            commit: verdict.commit,
        }
    }
}
