//! What happened, as one JSON object a line (design §10). Nothing in it is secret.

use laps_core::identity::Timestamp;
use laps_core::rotation::event::Level;
use serde::Serialize;

use crate::time::rfc3339;

/// One event.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AgentEvent {
    /// When.
    pub time: Timestamp,
    /// What, in a word.
    pub name: &'static str,
    /// The Windows LAPS event id, where it has this event.
    pub id: Option<u32>,
    /// How loud it is. Not part of the JSON line; a log uses it.
    pub level: Level,
    /// What the vault calls this device.
    pub device: String,
    /// The managed account; empty when none is known.
    pub account: String,
    /// The version of the record that it is about; 0 for none.
    pub version: u64,
    /// Why, in a word.
    pub reason: &'static str,
    /// One sentence for people.
    pub message: String,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    name: &'a str,
    id: Option<u32>,
    device: &'a str,
    account: &'a str,
    version: u64,
    reason: &'a str,
    message: &'a str,
}

impl AgentEvent {
    /// The JSON object, without a newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let line = Line {
            time: rfc3339(self.time),
            name: self.name,
            id: self.id,
            device: &self.device,
            account: &self.account,
            version: self.version,
            reason: self.reason,
            message: &self.message,
        };
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_fields_of_the_design_in_their_order() {
        let event = AgentEvent {
            time: Timestamp::from_unix_seconds(1_795_000_000),
            name: "committed",
            id: Some(10029),
            level: Level::Information,
            device: "pc \"1\"".to_owned(),
            account: "Admin".to_owned(),
            version: 7,
            reason: "age",
            message: "line\nbreak".to_owned(),
        };
        assert_eq!(
            event.to_json(),
            concat!(
                r#"{"time":"2026-11-18T11:06:40Z","name":"committed","id":10029,"device":"pc \"1\"","#,
                r#""account":"Admin","version":7,"reason":"age","message":"line\nbreak"}"#
            )
        );
    }
}
