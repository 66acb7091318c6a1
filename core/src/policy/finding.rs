//! Findings: what is wrong with a policy, or unwise.

use alloc::{string::String, vec::Vec};
use core::fmt;

use super::Setting;
use crate::account::same_name;
use crate::text::distance;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a finding stops the policy, asks for a look, or only tells"
)]
pub enum FindingLevel {
    /// There is no policy until it is mended.
    Error,
    /// There is a policy, and somebody should look at this.
    Warning,
    /// Nothing is wrong: what was passed over, what was joined.
    Note,
}

impl FindingLevel {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing to know about a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub level: FindingLevel,
    /// What rule it comes from: a stable word such as `range` or `weak`.
    pub rule: &'static str,
    /// The setting, as the document spells it; of a name that no setting has, at most 64
    /// characters, control characters escaped. Empty where it is about several, which the
    /// message names, or about the whole.
    pub setting: String,
    /// What is wrong, where, and what would be accepted.
    pub message: String,
}

impl Finding {
    pub(super) fn error(rule: &'static str, setting: &str, message: String) -> Self {
        Self { level: FindingLevel::Error, rule, setting: printable(setting), message }
    }

    pub(super) fn warning(rule: &'static str, setting: &str, message: String) -> Self {
        Self { level: FindingLevel::Warning, rule, setting: printable(setting), message }
    }

    pub(super) const fn note(rule: &'static str, message: String) -> Self {
        Self { level: FindingLevel::Note, rule, setting: String::new(), message }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.level.name())?;
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        f.write_str(&self.message)
    }
}

/// A name from a document, fit for a terminal.
fn printable(name: &str) -> String {
    const SHOWN: usize = 64;
    let mut out = String::new();
    for letter in name.chars().take(SHOWN) {
        if letter.is_control() { out.extend(letter.escape_default()) } else { out.push(letter) }
    }
    if name.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

/// What legacy Microsoft LAPS, `Microsoft.OSConfig`, `Microsoft365DSC` or a habit calls a setting.
const OTHER_NAMES: [(&str, Setting); 7] = [
    ("AdmPwdEnabled", Setting::BackupDirectory),
    ("AdminAccountName", Setting::AdministratorAccountName),
    ("AuthorizedDecryptors", Setting::ADPasswordEncryptionPrincipal),
    ("AutoAccountEnable", Setting::AutomaticAccountManagementEnableAccount),
    ("PasswordAgeDays_AAD", Setting::PasswordAgeDays),
    ("PwdExpirationProtectionEnabled", Setting::PasswordExpirationProtectionEnabled),
    ("PassphraseWords", Setting::PassphraseLength),
];

/// The setting whose name is nearest to a wrong one: the fewest letters to insert, remove or
/// replace, without regard to capitals. None where even that is far: over two letters of five
/// differ. Of a long name only the first 64 letters are looked at.
pub(super) fn nearest(name: &str) -> Option<Setting> {
    let wanted: Vec<char> = name.chars().take(64).flat_map(char::to_lowercase).collect();
    let own = Setting::ALL.map(|setting| (setting.name(), setting));
    let (letters, known, setting) = own
        .into_iter()
        .chain(OTHER_NAMES)
        .map(|(known, setting)| {
            let letters = if same_name(known, name) {
                0
            } else {
                distance(&wanted, known.chars().flat_map(char::to_lowercase))
            };
            (letters, known, setting)
        })
        .min_by_key(|(letters, ..)| *letters)?;
    (letters.saturating_mul(5) <= known.len().saturating_mul(2)).then_some(setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_name_is_shown_short_and_without_what_a_terminal_obeys() {
        assert_eq!(printable("Pass\u{1b}[2Jword\n"), "Pass\\u{1b}[2Jword\\n");
        assert_eq!(printable(&"é".repeat(64)), "é".repeat(64));
        let long = printable(&"é".repeat(100_000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (65, true));
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        for (wrong, right) in [
            ("PasswordLenght", Setting::PasswordLength),
            ("passwordlength", Setting::PasswordLength),
            ("PasswordAge", Setting::PasswordAgeDays),
            ("AdminAccountName", Setting::AdministratorAccountName),
            ("PasswordExpirationProtection", Setting::PasswordExpirationProtectionEnabled),
            ("BackupDir", Setting::BackupDirectory),
            ("PostAuthenticationAction", Setting::PostAuthenticationActions),
        ] {
            assert_eq!(nearest(wrong), Some(right), "{wrong}");
        }
        for far in ["PSPath", "name", "hello", "settings", ""] {
            assert_eq!(nearest(far), None, "{far}");
        }
    }
}
