//! The policy: every setting of Windows LAPS, with its range, and where its value comes from
//! (windows-laps §1).
//!
//! [`Settings`] is what somebody configured, perhaps only a part. [`Policy`] is what is in force:
//! each setting has a value, and each value is in its range. Both live without a heap. With the
//! feature `documents`, `read` takes the forms in which settings travel and `evaluate` says what is
//! in force, why, and what is wrong.
//!
//! ```
//! # #[cfg(feature = "documents")] {
//! use laps_core::policy::{ChangeEffect, Policy, PolicyState, changes, evaluate, read};
//!
//! let text = r#"{"BackupDirectory":1,"PasswordLength":20,"PasswordAgeDays":30}"#;
//! let evaluation = evaluate(&[read(text.as_bytes(), "policy.json")?]);
//! assert_eq!(evaluation.state, PolicyState::Managed);
//! let policy = evaluation.policy.ok_or("it has errors")?;
//! assert_eq!(policy.recipe()?.strength().min_length(), 20);
//! // What a device does that had no policy before.
//! let now = changes(&Policy::default(), &policy).find(|c| c.effect == ChangeEffect::RotatesNow);
//! assert_eq!(now.ok_or("nothing")?.setting.name(), "BackupDirectory");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod changes;
#[cfg(feature = "documents")]
mod document;
mod effect;
#[cfg(feature = "documents")]
mod evaluate;
#[cfg(feature = "documents")]
mod finding;
#[cfg(feature = "documents")]
mod given;
#[cfg(feature = "documents")]
mod join;
mod number;
#[cfg(feature = "documents")]
mod report;
mod setting;
mod settings;
#[cfg(feature = "documents")]
mod typed;
mod values;
#[cfg(feature = "documents")]
mod warnings;
#[cfg(feature = "documents")]
mod write;

use core::fmt;

use sha2::{Digest as _, Sha256};

use self::values::Values;
pub use self::{
    changes::{Change, asks_for_rotation, changes},
    effect::ChangeEffect,
    setting::{Allowed, Condition, Setting, Since, Value},
    settings::{PolicyError, Settings, ValueRefusal},
};
#[cfg(feature = "documents")]
pub use self::{
    document::{
        Document, DocumentError, Form, MAX_DOCUMENT_BYTES, ResetStatus, Root, read, read_named,
    },
    evaluate::{Evaluation, OwnedValue, PolicyState, SettingRow, evaluate, evaluate_with},
    finding::{Finding, FindingLevel},
    given::{Given, RefusedRow},
    join::Clash,
    report::{Difference, diff, diff_json, schema_json},
    write::{
        RESET_PASSWORD, RESET_PASSWORD_STATUS, SyncmlCommand, WriteError, write, write_registry,
        write_syncml,
    },
};
use crate::{
    generate::{Recipe, RecipeError},
    identity::AccountName,
};

/// Where passwords are backed up.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three values of the setting; a fourth would change every rule"
)]
#[repr(u8)]
pub enum BackupDirectory {
    /// Nowhere: nothing is managed.
    #[default]
    Disabled = 0,
    /// Microsoft Entra; its rules apply, and our vault stands for it.
    Entra = 1,
    /// Active Directory; its rules apply, and our vault stands for it.
    ActiveDirectory = 2,
}

impl BackupDirectory {
    /// The value of the setting.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        match self {
            Self::Disabled => 0,
            Self::Entra => 1,
            Self::ActiveDirectory => 2,
        }
    }
}

impl fmt::Display for BackupDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "disabled",
            Self::Entra => "Microsoft Entra",
            Self::ActiveDirectory => "Active Directory",
        })
    }
}

/// What follows a use of the account, after the delay (windows-laps §4.6).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct PostAuthenticationActions(u8);

impl PostAuthenticationActions {
    /// The value of the setting: 0, 1, 3, 5 or 11.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self.0
    }

    /// Whether the password is replaced. The other actions wait for it.
    #[must_use]
    pub(crate) const fn resets(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the account's sessions are signed out.
    #[must_use]
    pub(crate) const fn signs_out(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether the device restarts.
    #[must_use]
    pub(crate) const fn restarts(self) -> bool {
        self.0 & 4 != 0
    }

    /// Whether what still runs as the account is ended.
    #[must_use]
    pub(crate) const fn terminates(self) -> bool {
        self.0 & 8 != 0
    }
}

/// A policy in force: every setting has a value in its range.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    values: Values,
}

impl Policy {
    /// The managed account; empty means the built-in administrator.
    #[must_use]
    pub const fn administrator_account_name(&self) -> &AccountName {
        &self.values.name
    }

    /// The recipe for its passwords.
    ///
    /// # Errors
    /// [`RecipeError::Complexity`] for complexity 6 to 8 in a build without the feature
    /// `passphrase`.
    pub fn recipe(&self) -> Result<Recipe, RecipeError> {
        let complexity = self.password_complexity();
        #[cfg(feature = "passphrase")]
        if complexity.is_passphrase() {
            return Recipe::passphrase(complexity, self.passphrase_length());
        }
        Recipe::complexity(complexity, self.password_length())
    }

    /// Who may decrypt it; empty means Domain Admins.
    #[must_use]
    pub(crate) fn ad_password_encryption_principal(&self) -> &str {
        self.values.principal.as_str()
    }

    /// The name of the automatically managed account, or its prefix. Never empty.
    #[must_use]
    pub fn automatic_account_management_name_or_prefix(&self) -> &str {
        self.values.prefix.as_str()
    }

    /// The value of any setting.
    #[must_use]
    pub fn value(&self, setting: Setting) -> Value<'_> {
        self.values.value(setting)
    }

    /// The first condition of a setting that does not hold, so that its value has no effect.
    #[must_use]
    pub(crate) fn unmet(&self, setting: Setting) -> Option<Condition> {
        setting.conditions().iter().copied().find(|condition| {
            !(condition.min..=condition.max).contains(&self.number(condition.setting))
        })
    }

    /// SHA-256 over all values, effective or not: what a record says about the policy it was made
    /// under.
    ///
    /// The bytes hashed are `laps policy v1` and, for each setting in the order of
    /// [`Setting::ALL`], its number (one byte), then two bytes big-endian and UTF-8 text: for
    /// text the length and the text, else the number (a switch is 0 or 1, a delay minutes) and
    /// nothing.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"laps policy v1");
        for setting in Setting::ALL {
            hash.update([setting as u8]);
            let (number, text) = match self.value(setting) {
                Value::Minutes(number) | Value::Number(number) => (number, ""),
                Value::Switch(on) => (u16::from(on), ""),
                Value::Text(text) => (u16::try_from(text.len()).unwrap_or(u16::MAX), text),
            };
            hash.update(number.to_be_bytes());
            hash.update(text.as_bytes());
        }
        hash.finalize().into()
    }

    fn number(&self, setting: Setting) -> u16 {
        self.values.number(setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_windows() {
        let policy = Policy::default();
        assert_eq!(policy.backup_directory(), BackupDirectory::Disabled);
        assert!(policy.administrator_account_name().is_empty());
        assert_eq!(policy.password_age_days(), 30);
        assert_eq!(policy.password_length(), 14);
        assert_eq!(policy.value(Setting::PasswordComplexity), Value::Number(4));
        assert_eq!(policy.passphrase_length(), 6);
        assert_eq!(policy.post_authentication_reset_delay_minutes(), 24 * 60);
        assert_eq!(policy.post_authentication_actions().as_u8(), 3);
        assert!(policy.ad_password_encryption_enabled());
        assert_eq!(policy.ad_password_encryption_principal(), "");
        assert_eq!(policy.ad_encrypted_password_history_size(), 0);
        assert!(!policy.ad_backup_dsrm_password());
        assert!(policy.password_expiration_protection_enabled());
        assert!(!policy.automatic_account_management_enabled());
        assert!(policy.automatic_account_management_makes_new_account());
        assert_eq!(policy.automatic_account_management_name_or_prefix(), "WLapsAdmin");
        assert!(!policy.automatic_account_management_enable_account());
        assert!(!policy.automatic_account_management_randomize_name());
        for setting in Setting::ALL {
            assert_eq!(policy.value(setting), setting.default_value(), "{setting}");
        }
    }

    #[test]
    fn the_recipe_is_that_of_the_complexity() {
        let mut settings = Settings::new();
        for (complexity, length, words) in
            [(1, 8, 3), (4, 14, 3), (5, 64, 3), (6, 14, 6), (8, 8, 10)]
        {
            settings.set(Setting::PasswordComplexity, Value::Number(complexity)).unwrap();
            settings.set(Setting::PasswordLength, Value::Number(length)).unwrap();
            settings.set(Setting::PassphraseLength, Value::Number(words)).unwrap();
            let policy = settings.policy().unwrap();
            let recipe = policy.recipe();
            if complexity >= 6 && cfg!(not(feature = "passphrase")) {
                assert!(recipe.is_err());
                continue;
            }
            let strength = recipe.unwrap().strength();
            let lengths = (strength.min_length(), strength.max_length());
            if complexity >= 6 {
                let words = usize::from(words);
                assert!(lengths.0 >= 3 * words && lengths.1 <= 10 * words, "{lengths:?}");
            } else {
                assert_eq!(lengths, (usize::from(length), usize::from(length)));
            }
        }
    }

    #[test]
    fn the_hash_changes_with_every_setting() {
        let mut seen = alloc::vec![Policy::default().hash()];
        for setting in Setting::ALL {
            let mut settings = Settings::new();
            let other = match setting.default_value() {
                Value::Minutes(_) => Value::Minutes(90),
                Value::Number(1) => Value::Number(0),
                Value::Number(3) => Value::Number(5),
                Value::Number(number) => Value::Number(number + 1),
                Value::Switch(on) => Value::Switch(!on),
                Value::Text(_) => Value::Text("CONTOSO\\x"),
            };
            let other = if setting == Setting::AutomaticAccountManagementNameOrPrefix {
                Value::Text("ops")
            } else {
                other
            };
            settings.set(setting, other).unwrap();
            let hash = settings.policy().unwrap().hash();
            assert!(!seen.contains(&hash), "{setting}");
            seen.push(hash);
        }
    }

    #[test]
    fn a_setting_without_effect_names_the_condition_that_fails() {
        let mut settings = Settings::new();
        settings.set(Setting::BackupDirectory, Value::Number(1)).unwrap();
        settings.set(Setting::PasswordComplexity, Value::Number(6)).unwrap();
        let policy = settings.policy().unwrap();
        let unmet = |setting| policy.unmet(setting).map(|c| alloc::string::ToString::to_string(&c));
        assert_eq!(unmet(Setting::PasswordLength).unwrap(), "PasswordComplexity 1 to 5");
        assert_eq!(unmet(Setting::ADBackupDSRMPassword).unwrap(), "BackupDirectory 2");
        assert_eq!(unmet(Setting::PassphraseLength), None);
        assert_eq!(
            unmet(Setting::AutomaticAccountManagementTarget).unwrap(),
            "AutomaticAccountManagementEnabled true"
        );
    }
}
