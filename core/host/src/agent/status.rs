//! What an administrator asks of a device: `laps agent status`.

use laps_core::refusal::Demand;
use laps_core::rotation::{AuditFinding, State};
use laps_core::seal::ReaderId;
use serde::{Deserialize, Serialize};

use crate::time::rfc3339;

/// The state of a device as its journal tells it: the last thing that was made durable.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AgentStatus {
    /// What the vault calls this device; empty when there is no journal.
    pub device: String,
    /// The managed account; empty when none is known.
    pub account: String,
    /// The version of the last committed record; 0 for none.
    pub version: u64,
    /// Where the rotation stands, in a word; `account-missing` while there is no account to
    /// rotate, `new` without a journal, `damaged` with one that cannot be read.
    pub state: String,
    /// When the password is due, RFC 3339.
    pub due: Option<String>,
    /// When the password is to be reset because the account was used, RFC 3339.
    pub reset_at: Option<String>,
    /// Until when a rotation waits that is due, and why.
    pub waits: Option<WaitStatus>,
    /// When the vault's next order is given, as it said last, RFC 3339.
    pub order_at: Option<String>,
    /// Whether the account was missing at the latest look.
    #[serde(default)]
    pub account_missing: bool,
    /// Whether the password is sealed to a reader whom this device lost.
    #[serde(default)]
    pub lost_reader: bool,
    /// Readers whom the vault says that it removed, and whom this device's last record names: ids.
    #[serde(default)]
    pub removed_readers: Vec<String>,
    /// How the vault's audit log compares with what this device remembers of it: `none` (no
    /// finding), `mismatch`, `restored`.
    #[serde(default = "no_finding")]
    pub audit: String,
    /// The records that the account may hold: ids, and `unknown`.
    pub may_hold: Vec<String>,
    /// How the last rotation, or the last try, ended.
    pub last: Option<Last>,
    /// What the device's own password policy asked for beyond ours when it refused passwords, one
    /// demand each. One that is not followed stands here until a password is taken.
    #[serde(default)]
    pub demands: Vec<Demand>,
}

/// A rotation that waits.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WaitStatus {
    /// Until when, RFC 3339.
    pub until: String,
    /// Why, in a word: `two-changes`, the reason of the rotation, or of its last failure.
    pub why: String,
}

/// Between two rotations of an account that is not there nothing is settled.
const fn state(status: &laps_core::rotation::Status) -> &'static str {
    match (status.state, status.account_missing) {
        (State::Settled | State::Starting, true) => "account-missing",
        (state, _) => state.name(),
    }
}

pub(super) fn no_finding() -> String {
    AuditFinding::None.name().to_owned()
}

/// An event in short.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Last {
    /// The Windows LAPS event id, where it has this event.
    pub id: Option<u32>,
    /// What, in a word.
    pub name: String,
    /// When, RFC 3339.
    pub at: String,
    /// Why, in a word.
    pub reason: String,
}

impl AgentStatus {
    /// From the machine.
    #[must_use]
    pub fn of(status: &laps_core::rotation::Status) -> Self {
        let unknown = status.may_hold.unknown.then(|| "unknown".to_owned());
        Self {
            device: status.device.to_string(),
            account: status.account.to_string(),
            version: status.version,
            state: state(status).to_owned(),
            due: status.due.map(rfc3339),
            reset_at: status.reset_at.map(rfc3339),
            waits: status.waits.map(|waits| WaitStatus {
                until: rfc3339(waits.until),
                why: waits.why.to_string(),
            }),
            order_at: status.order_at.map(rfc3339),
            account_missing: status.account_missing,
            lost_reader: status.reader_lost,
            removed_readers: status
                .removed_readers
                .as_slice()
                .iter()
                .map(|id| ReaderId::from_bytes(*id).to_string())
                .collect(),
            audit: status.audit.name().to_owned(),
            may_hold: status.may_hold.ids.iter().map(|id| id.to_string()).chain(unknown).collect(),
            last: status.last.map(|last| Last {
                id: last.id(),
                name: last.name().to_owned(),
                at: rfc3339(last.at),
                reason: last.reason.to_string(),
            }),
            // A file of its own, which is read with the journal.
            demands: Vec::new(),
        }
    }

    /// The JSON document of architecture §7.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn from_json(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
