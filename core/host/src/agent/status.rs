//! What an administrator asks of a device: `laps agent status`.

use std::path::Path;

use laps_core::identity::Timestamp;
use serde::Serialize;

use super::AgentError;
use super::state::{Found, load};
use crate::time::rfc3339;

/// The state of a device, read from its state folder without a lock.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// What the vault calls this device; empty when there is no journal.
    pub device: String,
    /// The managed account; empty when none is known.
    pub account: String,
    /// The version of the last record that was made; 0 for none.
    pub version: u64,
    /// Where the machine stands, in a word.
    pub state: &'static str,
    /// When the password is due.
    pub due: Option<Timestamp>,
    /// The records that the account may hold: ids, and `unknown`.
    pub may_hold: Vec<String>,
    /// How the last rotation, or the last try, ended.
    pub last: Option<Last>,
}

/// An event in short.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Last {
    /// The Windows LAPS event id, where it has this event.
    pub id: Option<u32>,
    /// What, in a word.
    pub name: &'static str,
    /// When.
    pub at: Timestamp,
    /// Why, in a word.
    pub reason: &'static str,
}

#[derive(Serialize)]
struct Document<'a> {
    device: &'a str,
    account: &'a str,
    version: u64,
    state: &'a str,
    due: Option<String>,
    may_hold: &'a [String],
    last: Option<LastDocument<'a>>,
}

#[derive(Serialize)]
struct LastDocument<'a> {
    id: Option<u32>,
    name: &'a str,
    at: String,
    reason: &'a str,
}

impl Status {
    /// The JSON document of design §10.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            device: &self.device,
            account: &self.account,
            version: self.version,
            state: self.state,
            due: self.due.map(rfc3339),
            may_hold: &self.may_hold,
            last: self.last.as_ref().map(|last| LastDocument {
                id: last.id,
                name: last.name,
                at: rfc3339(last.at),
                reason: last.reason,
            }),
        };
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_string(&document).unwrap_or_default()
    }
}

/// Reads the status of a state folder.
///
/// # Errors
/// [`AgentError::State`] when the journal cannot be read.
pub fn status(folder: &Path) -> Result<Status, AgentError> {
    match load(folder)? {
        Found::Nothing => {
            Ok(Status { state: "new", may_hold: vec!["unknown".to_owned()], ..Status::default() })
        }
        Found::Damaged(_) => Ok(Status {
            state: "damaged",
            may_hold: vec!["unknown".to_owned()],
            ..Status::default()
        }),
        Found::Journal(_) => Err(AgentError::Internal("not yet")),
    }
}
