//! What is allowed, and yet deserves a look.

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};

use super::{
    BackupDirectory, Condition, Finding, Policy, Setting, Settings, Since, Value, document::Root,
    document::Trap,
};
use crate::{
    account::{NamingError, check_name, cut_prefix, same_name},
    generate::Complexity,
};

/// The warnings about what one root configures: one for each cause. Nothing is said about a setting
/// whose value was refused.
pub(super) fn of(
    root: Root,
    settings: &Settings,
    refused: &[Setting],
    traps: impl Iterator<Item = Trap>,
) -> Vec<Finding> {
    let Ok(policy) = settings.policy() else { return Vec::new() };
    let mut all = Warnings { policy: &policy, refused, findings: Vec::new() };
    // Legacy LAPS is one whole: what it means was not written by anybody.
    let in_effect: Vec<_> = settings
        .iter()
        .filter(|(setting, _)| root == Root::Legacy || policy.unmet(*setting).is_none())
        .collect();
    if root != Root::Legacy {
        all.of_settings_without_effect(settings);
    }
    all.of_older_windows(&in_effect);
    for (setting, value) in in_effect {
        if let (Setting::AdministratorAccountName, Value::Text(name)) = (setting, value) {
            all.of_name(name);
        }
    }
    if policy.backup_directory() != BackupDirectory::Disabled {
        all.of_clear_text();
        all.of_strength();
        all.of_the_devices_own_policy();
        all.of_automatic_management();
        all.of_traps(traps);
    }
    if root == Root::Legacy && policy.backup_directory() != BackupDirectory::Disabled {
        all.say(
            "legacy",
            Setting::BackupDirectory,
            "Windows enforces legacy Microsoft LAPS only \
             where no Windows LAPS policy exists, the legacy extension is not installed (event \
             10033), and the device is no domain controller"
                .to_owned(),
        );
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

    /// About one setting, in words for one; or about several, in words for several.
    fn say_of(
        &mut self,
        rule: &'static str,
        settings: &[Setting],
        one: String,
        several: impl FnOnce(&str) -> String,
    ) {
        match settings {
            [] => {}
            [setting] => self.say(rule, *setting, one),
            settings => {
                let names: Vec<_> = settings.iter().map(|setting| setting.name()).collect();
                let message = several(&listed(&names));
                self.findings.push(Finding::warning(rule, "", message));
            }
        }
    }

    /// Configured settings that do nothing: one warning for each condition that does not hold.
    fn of_settings_without_effect(&mut self, settings: &Settings) {
        let mut by_condition: Vec<(Condition, Vec<Setting>)> = Vec::new();
        for (setting, _) in settings.iter() {
            let Some(condition) = self.policy.unmet(setting) else { continue };
            match by_condition.iter_mut().find(|(known, _)| *known == condition) {
                Some((_, idle)) => idle.push(setting),
                None => by_condition.push((condition, Vec::from([setting]))),
            }
        }
        for (condition, idle) in by_condition {
            if self.refused.contains(&condition.setting) {
                continue;
            }
            let value = self.policy.value(condition.setting);
            let why = format!("{condition}, and {} is {value}", condition.setting);
            let one = format!("it has no effect: it needs {why}");
            self.say_of("effect", &idle, one, |names| {
                format!("{names} have no effect: they need {why}")
            });
        }
    }

    fn of_older_windows(&mut self, in_effect: &[(Setting, Value<'_>)]) {
        let newer: Vec<_> = in_effect
            .iter()
            .filter(|(setting, _)| setting.since() != Since::April2023)
            .map(|(setting, _)| *setting)
            .collect();
        let since = Since::Windows11V24H2;
        let one = format!("Windows before {since} does not know it and passes over it");
        self.say_of("older", &newer, one, |names| {
            format!("Windows before {since} does not know {names} and passes over them")
        });
        for (setting, value) in in_effect {
            let since = setting.since_with(*value);
            if since != setting.since() {
                let default = setting.default_value();
                self.say("older", *setting, format!(
                    "Windows before {since} does not know {value} and uses its default, {default}, \
                     instead"
                ));
            }
        }
    }

    /// Names that Windows will not find. They are not refused: other systems have other names.
    fn of_name(&mut self, name: &str) {
        let localised = BUILT_IN.iter().find(|(known, _)| same_name(known, name));
        let message = if name.trim() != name {
            "it begins or ends with a space; the lookup will fail (event 10013)".to_owned()
        } else if same_name(name, "Administrator") {
            "it names the built-in administrator, which is found by RID 500 when the name is left \
             empty, also where it was renamed"
                .to_owned()
        } else if let Some((_, language)) = localised {
            format!(
                "it is the name of the built-in administrator in {language}; a Windows of another \
                 language has no such account (event 10013). Leave the name empty: the built-in \
                 administrator is then found by RID 500"
            )
        } else if name.split('%').count() > 2 {
            "nothing between % signs is expanded: an account would have to have this very name \
             (event 10013)"
                .to_owned()
        } else if name.contains(['\\', '@']) {
            "it names a domain or a computer; give the bare name of a local account (event 10013)"
                .to_owned()
        } else {
            match check_name(name) {
                Ok(()) | Err(NamingError::Empty) => return,
                Err(error) => format!("no account of Windows has this name (event 10013): {error}"),
            }
        };
        self.say("account", Setting::AdministratorAccountName, message);
    }

    /// What automatic management does without saying it.
    fn of_automatic_management(&mut self) {
        if !self.policy.automatic_account_management_enabled() {
            return;
        }
        let enable = Setting::AutomaticAccountManagementEnableAccount;
        if !self.policy.automatic_account_management_enable_account()
            && !self.refused.contains(&enable)
        {
            self.say(
                "disabled",
                enable,
                "the automatically managed account is kept disabled, so \
                 nobody can log on with its password; true enables it"
                    .to_owned(),
            );
        }
        let prefix = self.policy.automatic_account_management_name_or_prefix();
        let kept = cut_prefix(prefix);
        if self.policy.automatic_account_management_randomize_name() && kept != prefix {
            self.say(
                "cut",
                Setting::AutomaticAccountManagementNameOrPrefix,
                format!(
                    "with six random digits behind it, the name is cut to 14 characters: {kept:?}"
                ),
            );
        }
    }

    /// Settings of other products in the same documents that work against LAPS.
    fn of_traps(&mut self, traps: impl Iterator<Item = Trap>) {
        let mut told = Vec::new();
        for trap in traps {
            if told.contains(&trap) {
                continue;
            }
            told.push(trap);
            let message = match trap {
                Trap::AdministratorProtection => {
                    "the same documents switch Administrator Protection on \
                     (TypeOfAdminApprovalMode 2), which works against Windows LAPS: elevation \
                     then uses hidden accounts that the system manages, not the managed account"
                }
                Trap::AdministratorsReplaced
                    if self.policy.automatic_account_management_enabled() =>
                {
                    continue;
                }
                Trap::AdministratorsReplaced => {
                    "the same documents replace the members of the group Administrators; list the \
                     managed account among them, or it loses its rights"
                }
            };
            self.findings.push(Finding::warning("beside", "", message.to_owned()));
        }
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

    /// Windows' own rule, where it is switched on, wants three of five categories: upper-case
    /// letters, lower-case letters, digits, symbols, other letters. Without it the device takes
    /// any of these.
    fn of_the_devices_own_policy(&mut self) {
        let setting = Setting::PasswordComplexity;
        let complexity = self.policy.password_complexity();
        let categories = match complexity {
            Complexity::Upper => "one category of characters",
            Complexity::UpperLower
            | Complexity::LongWords
            | Complexity::ShortWords
            | Complexity::ShortUniqueWords => {
                "two categories of characters, upper-case and lower-case letters"
            }
            Complexity::UpperLowerDigits | Complexity::Full | Complexity::Readable => return,
        };
        if !self.refused.contains(&setting) {
            let message = format!(
                "{} has {categories}; a device whose own password policy wants three of five \
                 refuses every such password (event 10027)",
                complexity.as_u8()
            );
            self.say("device", setting, message);
        }
    }
}

/// Sixty bits: a million million guesses a second, against the password's stored hash, need a week
/// on average.
const WEAK_BITS_MICRO: u64 = 60_000_000;

/// What the built-in administrator is called in other languages of Windows than those that say
/// Administrator.
const BUILT_IN: [(&str, &str); 6] = [
    ("Administrador", "Spanish and Portuguese"),
    ("Administrateur", "French"),
    ("Administrat\u{f6}r", "Swedish"),
    ("J\u{e4}rjestelm\u{e4}nvalvoja", "Finnish"),
    ("Rendszergazda", "Hungarian"),
    (
        "\u{410}\u{434}\u{43c}\u{438}\u{43d}\u{438}\
         \u{441}\u{442}\u{440}\u{430}\u{442}\u{43e}\u{440}",
        "Russian",
    ),
];

/// `A`, `A and B`, `A, B and C`.
fn listed(names: &[&str]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
