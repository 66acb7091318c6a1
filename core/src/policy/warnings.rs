//! What is allowed, and yet deserves a look.

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};

use super::{BackupDirectory, Finding, Policy, Setting, Settings, Since, Value, document::Root};
use crate::{
    account::{NamingError, check_name, same_name},
    generate::Complexity,
};

/// The warnings about what one root configures. Nothing is said about a setting whose value was refused.
pub(super) fn of(root: Root, settings: &Settings, refused: &[Setting]) -> Vec<Finding> {
    let Ok(policy) = settings.policy() else { return Vec::new() };
    let mut all = Warnings { policy: &policy, refused, findings: Vec::new() };
    for (setting, value) in settings.iter() {
        // Legacy LAPS is one whole: what it means was not written by anybody.
        if root != Root::Legacy && !all.has_effect(setting) {
            continue;
        }
        all.of_older_windows(setting, value);
        if let (Setting::AdministratorAccountName, Value::Text(name)) = (setting, value) {
            all.of_name(name);
        }
    }
    if policy.backup_directory() != BackupDirectory::Disabled {
        all.of_clear_text();
        all.of_strength();
        all.of_the_devices_own_policy();
    }
    if root == Root::Legacy && policy.backup_directory() != BackupDirectory::Disabled {
        all.say("legacy", Setting::BackupDirectory, "Windows enforces legacy Microsoft LAPS only where no Windows LAPS policy exists, the legacy extension is not installed (event 10033), and the device is no domain controller".to_owned());
    }
    all.findings
}

struct Warnings<'a> {
    policy: &'a Policy,
    refused: &'a [Setting],
    findings: Vec<Finding>,
}

impl Warnings<'_> {
    fn say(&mut self, rule: &'static str, setting: Setting, message: String) {
        self.findings.push(Finding::warning(rule, setting.name(), message));
    }

    /// Whether a configured setting does something; a warning when not.
    fn has_effect(&mut self, setting: Setting) -> bool {
        let Some(condition) = self.policy.unmet(setting) else { return true };
        if !self.refused.contains(&condition.setting) {
            let value = self.policy.value(condition.setting);
            let message = format!(
                "it has no effect: it needs {condition}, and {} is {value}",
                condition.setting
            );
            self.say("effect", setting, message);
        }
        false
    }

    fn of_older_windows(&mut self, setting: Setting, value: Value<'_>) {
        let since = setting.since_with(value);
        if since == Since::April2023 {
            return;
        }
        let message = if setting.since() == since {
            format!("Windows before {since} does not know it and passes over it")
        } else {
            let default = setting.default_value();
            format!(
                "Windows before {since} does not know {value} and uses its default, {default}, instead"
            )
        };
        self.say("older", setting, message);
    }

    /// Names that Windows will not find. They are not refused: other systems have other names.
    fn of_name(&mut self, name: &str) {
        let message = if name.trim() != name {
            "it begins or ends with a space; the lookup will fail (event 10013)".to_owned()
        } else if same_name(name, "Administrator") {
            "it names the built-in administrator, which is found by RID 500 when the name is left empty, also where it was renamed".to_owned()
        } else {
            match check_name(name) {
                Ok(()) | Err(NamingError::Empty) => return,
                Err(error) => format!("no account of Windows has this name (event 10013): {error}"),
            }
        };
        self.say("account", Setting::AdministratorAccountName, message);
    }

    fn of_clear_text(&mut self) {
        let encrypted = Setting::ADPasswordEncryptionEnabled;
        if self.policy.unmet(encrypted).is_none()
            && !self.policy.ad_password_encryption_enabled()
            && !self.refused.contains(&encrypted)
        {
            self.say(
                "weak",
                encrypted,
                "Active Directory would hold the password in clear text".to_owned(),
            );
        }
    }

    /// What a password is made of decides its strength: exact, and the same for every password.
    fn of_strength(&mut self) {
        let complexity = Setting::PasswordComplexity;
        let length = if self.policy.password_complexity().is_passphrase() {
            Setting::PassphraseLength
        } else {
            Setting::PasswordLength
        };
        if self.refused.contains(&complexity) || self.refused.contains(&length) {
            return;
        }
        let Ok(recipe) = self.policy.recipe() else {
            let message =
                "this build has no word lists (feature passphrase) and cannot make these passwords";
            self.say("build", complexity, message.to_owned());
            return;
        };
        let strength = recipe.strength();
        let what = format!(
            "{complexity} {} with {length} {} gives {strength}",
            self.policy.value(complexity),
            self.policy.value(length)
        );
        if strength.bits_micro() < WEAK_BITS_MICRO {
            self.say("weak", length, format!("{what}; at least 60 are advised"));
        } else if self.policy.password_complexity() < Complexity::Full {
            let message =
                format!("{what}; Microsoft keeps 1 to 3 for compatibility and advises 4 or higher");
            self.say("weak", complexity, message);
        }
    }

    /// Windows' own rule, where it is switched on, wants three of five categories: large letters, small
    /// letters, digits, symbols, other letters. Without it the device takes any of these.
    fn of_the_devices_own_policy(&mut self) {
        let setting = Setting::PasswordComplexity;
        let complexity = self.policy.password_complexity();
        let categories = match complexity {
            Complexity::Upper => "one category of characters",
            Complexity::UpperLower
            | Complexity::LongWords
            | Complexity::ShortWords
            | Complexity::ShortUniqueWords => {
                "two categories of characters, large and small letters"
            }
            Complexity::UpperLowerDigits | Complexity::Full | Complexity::Readable => return,
        };
        if !self.refused.contains(&setting) {
            let message = format!(
                "{} has {categories}; a device whose own password policy wants three of five refuses every such password (event 10027)",
                complexity.as_u8()
            );
            self.say("device", setting, message);
        }
    }
}

/// Sixty bits: a million million guesses a second, against the password's stored hash, need a week on average.
const WEAK_BITS_MICRO: u64 = 60_000_000;
