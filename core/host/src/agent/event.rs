//! What happened, as one JSON object a line (architecture §7). Nothing in it is secret.

use core::fmt::Write as _;

use laps_core::identity::{AccountName, DeviceId, Timestamp};
use laps_core::rotation::event::{Event, EventKind, Level, Reason};
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
struct LogLine<'a> {
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
    /// The machine's event, in words; `why` is what a store or channel said.
    pub(super) fn of(
        event: &Event,
        device: DeviceId,
        account: AccountName,
        why: Option<&str>,
    ) -> Self {
        let mut message = sentence(event);
        if event.reason != Reason::None {
            // Writing to a string does not fail.
            let _ = write!(message, " (reason: {})", event.reason);
        }
        if let Some(why) = why {
            let _ = write!(message, ": {why}");
        }
        Self {
            time: event.at,
            name: event.kind.name(),
            id: event.id,
            level: event.kind.level(),
            device: device.to_string(),
            account: account.to_string(),
            version: event.version,
            reason: event.reason.name(),
            message,
        }
    }

    /// The JSON object, without a newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let line = LogLine {
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

/// One sentence for people, without the reason.
fn sentence(event: &Event) -> String {
    let text = match event.kind {
        EventKind::RotationDue => "the password must be replaced",
        EventKind::ResetRequested => "a new password was asked for",
        EventKind::PostAuthenticationReset => "the account was used; its password is replaced",
        EventKind::NotDue => "the password needs no replacement now",
        EventKind::Prepared => "a password was made and sealed",
        EventKind::BackedUp => "the vault has the record; the account may be changed",
        EventKind::BackUpFailed => "the vault did not take the record; the account was not changed",
        EventKind::AccountUpdated => "the account has the new password",
        EventKind::AccountUpdateFailed => "the account was not changed, or not certainly",
        EventKind::AccountNotFound => {
            "the managed account does not exist; nothing is made until it does: create it, or name \
             another one in the policy (AdministratorAccountName)"
        }
        EventKind::PasswordRefused => "the device's password policy refused the password",
        EventKind::Verified => "the new password was verified on the account",
        EventKind::Committed => "the vault took the new password as the current one",
        EventKind::AuthenticationDetected => {
            let at = rfc3339(Timestamp::from_unix_seconds(event.detail));
            return format!("the account was used; its password is replaced at {at}");
        }
        EventKind::GraceExpired => "the delay after the use is over",
        EventKind::PostAuthenticationRetry => {
            return format!("the reset after the use failed; tries so far: {}", event.detail);
        }
        EventKind::PostAuthenticationDone => "the reset after the use is done",
        EventKind::PostAuthenticationGivenUp => "the reset after the use is not tried any more",
        EventKind::PostAuthenticationCancelled => "the actions after the use were dropped",
        EventKind::ActionFailed => "an action after the use failed; the reset itself is done",
        EventKind::RestartFailed => "the restart after the use failed",
        EventKind::Disabled => "nothing is managed: BackupDirectory is 0",
        EventKind::Recovered => "a rotation was interrupted; it is settled from the journal",
        EventKind::RuledOut => "a password that was made is known not to be on the account",
        EventKind::Uncertain => {
            "the account may have more than one password; each of them can be revealed"
        }
        EventKind::JournalLost => "the vault knows this device, which has no journal",
        EventKind::ImageRolledBack => "the vault knows later passwords than this device",
        EventKind::AuditMismatch if event.reason == Reason::Restored => {
            "the vault was restored from a copy that is older than what this device remembers of \
             its audit log; once that is known to be in order, run the agent with \
             --acknowledge-log"
        }
        EventKind::AuditMismatch => {
            "the vault's audit log is not the one that this device remembers: entries were removed \
             or changed; look into it, and once that is done run the agent with \
             --acknowledge-log"
        }
        EventKind::ClockJumped => "the clock moved further than time passed",
        EventKind::OfferedAgain => {
            "the vault lacked records that the account may have; they were offered again"
        }
        EventKind::CheckInFailed => "the vault was not reached",
        EventKind::PlaintextWiped => "the password in memory was wiped before it was applied",
        EventKind::AccountChanged => {
            "the managed account is another one, or somebody else changed its password"
        }
        EventKind::AccountReturned => "the account is there; what its password is nobody knows",
        EventKind::Waiting => {
            let at = rfc3339(Timestamp::from_unix_seconds(event.detail));
            let why = if event.reason == Reason::TwoChanges {
                "this run has set two passwords"
            } else {
                "it rests on a word that is believed ever more slowly"
            };
            return format!(
                "a rotation is due and waits until {at}: {why}; to rotate now, run the agent with \
                 --once --force"
            );
        }
        EventKind::OrderScheduled => {
            let at = rfc3339(Timestamp::from_unix_seconds(event.detail));
            return format!("the vault will order a rotation at {at}");
        }
        EventKind::CandidateDropped => {
            "sixteen passwords may be on the account; the oldest leaves the journal, and the vault \
             keeps it. From now on a new one is tried once a day: find out why the account is \
             not set"
        }
        EventKind::StoodAside => "another policy manages the account; we stand aside",
        EventKind::PrepareFailed => "no password could be made",
        EventKind::PolicyChanged => "another policy is in force",
        EventKind::ReadersRemoved | _ => event.kind.name(),
    };
    text.to_owned()
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
                r#"{"time":"2026-11-18T11:06:40Z","name":"committed","id":10029,"#,
                r#""device":"pc \"1\"","account":"Admin","version":7,"#,
                r#""reason":"age","message":"line\nbreak"}"#
            )
        );
    }
}
