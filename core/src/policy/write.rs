//! Writing: configured settings in each of the forms that are read.
//!
//! What is written reads back as the same settings. What a form cannot carry is refused by name,
//! never dropped.

mod intune;
mod registry;
mod syncml;

use alloc::{format, string::String, vec::Vec};
use core::fmt;

use super::{Form, Root, Setting, Settings, Value, report::settings_json, setting::whole_hours};
use crate::error::Code;

pub use self::syncml::{RESET_PASSWORD, RESET_PASSWORD_STATUS, SyncmlCommand};

/// Writes settings in a form, as the bytes of a file: `.reg` as UTF-16 with its byte order mark for
/// the root of Group Policy, `SyncML` as an atomic Replace, the others as UTF-8.
///
/// # Errors
/// [`WriteError`] names every setting that the form cannot carry.
pub fn write(settings: &Settings, form: Form) -> Result<Vec<u8>, WriteError> {
    match form {
        Form::Csp => write_syncml(settings, SyncmlCommand::Replace).map(String::into_bytes),
        Form::Intune => {
            refuse(settings, form, |setting, value| intune::obstacle(settings, setting, value))?;
            Ok(intune::write(settings).into_bytes())
        }
        Form::Json => Ok(settings_json(settings).into_bytes()),
        Form::Registry => write_registry(settings, Root::GroupPolicy),
    }
}

/// Writes `SyncML` that adds, replaces or deletes each configured setting, in one Atomic.
///
/// # Errors
/// [`WriteError`] names every setting that the CSP cannot carry.
pub fn write_syncml(settings: &Settings, command: SyncmlCommand) -> Result<String, WriteError> {
    refuse(settings, Form::Csp, |setting, value| {
        let obstacle = match command {
            // A Delete names the node; its value does not matter.
            SyncmlCommand::Delete => None,
            SyncmlCommand::Add | SyncmlCommand::Replace => {
                of_actions(setting, value).or_else(|| of_minutes(value)).or_else(|| of_xml(value))
            }
        };
        of_csp(setting).or(obstacle)
    })?;
    Ok(syncml::write(settings, command))
}

/// Writes a `.reg` export for a root: UTF-16, little-endian, with a byte order mark, as the
/// registry editor does.
///
/// # Errors
/// [`WriteError`] names every setting that the registry cannot carry; for legacy Microsoft LAPS,
/// all.
pub fn write_registry(settings: &Settings, root: Root) -> Result<Vec<u8>, WriteError> {
    refuse(settings, Form::Registry, |_, value| {
        if root == Root::Legacy {
            return Some("policies are not written for legacy Microsoft LAPS");
        }
        of_minutes(value)
    })?;
    Ok(registry::write(settings, root))
}

fn refuse(
    settings: &Settings,
    form: Form,
    obstacle: impl Fn(Setting, Value<'_>) -> Option<&'static str>,
) -> Result<(), WriteError> {
    let refused: Vec<_> = settings
        .iter()
        .filter_map(|(setting, value)| {
            Some((setting, format!("{value}"), obstacle(setting, value)?))
        })
        .collect();
    let empty = settings.is_empty() && matches!(form, Form::Csp | Form::Intune);
    if refused.is_empty() && !empty { Ok(()) } else { Err(WriteError { form, refused }) }
}

const fn of_csp(setting: Setting) -> Option<&'static str> {
    if setting.in_csp() { None } else { Some("the CSP has no node for it") }
}

fn of_actions(setting: Setting, value: Value<'_>) -> Option<&'static str> {
    let none = setting == Setting::PostAuthenticationActions && value == Value::Number(0);
    none.then_some(
        "the CSP accepts one of 1, 3, 5, 11; PostAuthenticationResetDelay 0 switches the actions \
         off",
    )
}

fn of_minutes(value: Value<'_>) -> Option<&'static str> {
    let broken = matches!(value, Value::Minutes(minutes) if whole_hours(minutes).is_none());
    broken.then_some("Windows knows whole hours only")
}

fn of_xml(value: Value<'_>) -> Option<&'static str> {
    // XML 1.0 §2.2; control characters are in no setting.
    let beyond = matches!(value, Value::Text(text) if text.contains(['\u{fffe}', '\u{ffff}']));
    beyond.then_some("XML cannot carry one of its characters")
}

/// Settings that a form cannot carry; nothing was written.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WriteError {
    /// The form.
    pub form: Form,
    /// Each setting, its value as text, and why; empty when there is nothing to write.
    pub refused: Vec<(Setting, String, &'static str)>,
}

impl WriteError {
    /// The number of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::PolicyRefused
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = self.form.name();
        if self.refused.is_empty() {
            return write!(f, "no setting is configured; {form} needs at least one");
        }
        write!(f, "{form} cannot carry ")?;
        self.refused.iter().enumerate().try_for_each(|(at, (setting, value, why))| {
            let gap = if at == 0 { "" } else { "; nor " };
            write!(f, "{gap}{setting} {value}: {why}")
        })
    }
}

impl core::error::Error for WriteError {}
