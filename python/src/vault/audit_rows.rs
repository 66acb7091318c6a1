//! What is read of the audit log, as Python sees it.

use laps_core::codec::Hex;
use laps_core::rotation::message::CommitAnswer;
use laps_core::vault::{self, store::StoredEntry};
use pyo3::prelude::*;

use crate::time::When;

/// What a verification of the audit log found.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct AuditReport {
    /// Whether every entry is as it was written, and the expected head is in the chain.
    ok: bool,
    /// How many entries there are.
    entries: u64,
    /// The head, as far as the chain holds.
    head: String,
    /// The first entry that is not as it was written, or is missing; from 1.
    first_bad: Option<u64>,
}

impl From<vault::AuditReport> for AuditReport {
    fn from(report: vault::AuditReport) -> Self {
        Self {
            ok: report.ok,
            entries: report.entries,
            head: report.head.to_string(),
            first_bad: report.first_bad,
        }
    }
}

/// One entry of the audit log, as it is stored.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct AuditEntry {
    /// Its number, from 1.
    number: u64,
    /// When; None for an entry that cannot be read.
    at: Option<When>,
    /// Whether that is before the time of the entry in front of it: a clock was set back, or had
    /// been wrong.
    earlier: bool,
    /// What was done, in a word; empty for an entry that cannot be read.
    action: &'static str,
    /// Whom the program authenticated; empty where it did not say.
    caller: String,
    /// Who asked, as it was typed.
    actor: String,
    /// The id of the reader that opened, where it is known.
    reader: Option<String>,
    /// Why.
    reason: String,
    /// What the program added about where the request came from.
    context: String,
    /// The device that it is about.
    device: String,
    /// The ids of the records that it is about.
    records: Vec<String>,
    /// The entry that it refers to; 0 for none.
    refers_to: u64,
    /// More, in words.
    detail: String,
    /// Its hash, 64 hexadecimal digits, which covers every entry up to it. It may have been
    /// edited: `audit_verify` tells.
    hash: String,
}

impl From<StoredEntry> for AuditEntry {
    fn from(stored: StoredEntry) -> Self {
        let hash = Hex(&stored.hash).to_string();
        match stored.entry {
            Ok(entry) => Self {
                number: stored.number,
                at: Some(When(entry.at)),
                earlier: stored.earlier,
                action: entry.action.as_str(),
                caller: entry.caller,
                actor: entry.actor,
                reader: entry.reader.map(|id| Hex(&id).to_string()),
                reason: entry.reason,
                context: entry.context,
                device: entry.device,
                records: entry.records.iter().map(ToString::to_string).collect(),
                refers_to: entry.refers_to,
                detail: entry.detail,
                hash,
            },
            Err(detail) => Self {
                number: stored.number,
                at: None,
                earlier: false,
                action: "",
                caller: String::new(),
                actor: String::new(),
                reader: None,
                reason: String::new(),
                context: String::new(),
                device: String::new(),
                records: Vec::new(),
                refers_to: 0,
                detail,
                hash,
            },
        }
    }
}

/// Something that happened in a vault: for metrics. It does not say who and why, which is in the
/// audit log.
#[pyclass(frozen, get_all, module = "laps")]
pub(crate) struct Observed {
    /// `check-in`, `disclosed`, `ordered` or `refused`.
    kind: &'static str,
    /// The device of a check-in or a disclosure.
    device: Option<String>,
    /// Whether a check-in changed anything but the time of the last one.
    changed: bool,
    /// How many: records that a check-in added or a disclosure gave out, devices that were ordered
    /// to rotate.
    count: u64,
    /// How many offered records a check-in did not take.
    refused: u64,
    /// What became of a check-in's commit, if it had one: `acknowledged`, `lacking` or
    /// `stale-token`.
    commit: Option<&'static str>,
    /// The number of the error with which something was refused, as `LapsError.code`.
    code: Option<u16>,
}

#[pymethods]
impl Observed {
    fn __repr__(&self) -> String {
        format!("<Observed {}>", self.kind)
    }
}

impl From<vault::Observed> for Observed {
    fn from(observed: vault::Observed) -> Self {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut row = Self {
            kind: observed.as_str(),
            device: None,
            changed: false,
            count: 0,
            refused: 0,
            commit: None,
            code: None,
        };
        match observed {
            vault::Observed::CheckIn { device, changed, added, refused, commit } => {
                row.device = Some(device.to_string());
                row.changed = changed;
                row.count = number(added);
                row.refused = number(refused);
                row.commit = commit.map(CommitAnswer::as_str);
            }
            vault::Observed::Disclosed { device, records } => {
                row.device = Some(device.to_string());
                row.count = number(records);
            }
            vault::Observed::Ordered { devices } => row.count = devices,
            vault::Observed::Refused { code } => row.code = Some(code.as_u16()),
            // Newer than this file: its kind says what it is.
            _ => {}
        }
        row
    }
}
