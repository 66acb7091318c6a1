//! What a change of policy does on a device (windows-laps §1.4).

use super::{BackupDirectory, Policy, Setting, Value};
use crate::account::same_name;

/// When a change takes effect on the password that a device has now.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Effect {
    /// The password and its expiry stay; nothing about the next one changes either.
    None,
    /// The present password stays until it is due; the change is in the next one.
    NextRotation,
    /// The password is replaced as soon as the device has the new policy.
    RotatesNow,
}

impl Effect {
    /// `no effect`, `at next rotation` or `rotates now`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "no effect",
            Self::NextRotation => "at next rotation",
            Self::RotatesNow => "rotates now",
        }
    }
}

/// A setting whose value changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Which.
    pub setting: Setting,
    /// What happens on a device.
    pub effect: Effect,
    /// Why, in plain words.
    pub because: &'static str,
}

/// The settings whose values differ, and what each difference does on a device that has `old` and gets `new`.
pub fn changes(old: &Policy, new: &Policy) -> impl Iterator<Item = Change> {
    Setting::ALL.into_iter().filter(|setting| old.value(*setting) != new.value(*setting)).map(
        |setting| {
            let (effect, because) = effect(setting, old, new);
            Change { setting, effect, because }
        },
    )
}

/// Whether a device that has `old` and gets `new` replaces its password at once.
#[must_use]
pub fn asks_for_rotation(old: &Policy, new: &Policy) -> bool {
    changes(old, new).any(|change| change.effect == Effect::RotatesNow)
}

fn effect(setting: Setting, old: &Policy, new: &Policy) -> (Effect, &'static str) {
    if setting == Setting::BackupDirectory {
        return if new.backup_directory() == BackupDirectory::Disabled {
            (Effect::None, "the account is no longer managed; its password stays as it is")
        } else if old.backup_directory() == BackupDirectory::Disabled {
            (
                Effect::RotatesNow,
                "the account becomes managed; its password is replaced and backed up",
            )
        } else {
            (Effect::RotatesNow, "the new directory has no password of this device yet")
        };
    }
    if new.backup_directory() == BackupDirectory::Disabled {
        return (Effect::None, "nothing is managed under the new policy");
    }
    // What the new policy makes idle still matters where the old one used it.
    if new.unmet(setting).is_some() && !turns_account_management_off(setting, old, new) {
        return (Effect::None, "the setting has no effect under the new policy");
    }
    in_force(setting, old, new)
}

/// Switching automatic management off is seen at its own setting; this keeps it from being called idle.
fn turns_account_management_off(setting: Setting, old: &Policy, new: &Policy) -> bool {
    setting == Setting::AutomaticAccountManagementEnabled
        && old.automatic_account_management_enabled() != new.automatic_account_management_enabled()
}

fn in_force(setting: Setting, old: &Policy, new: &Policy) -> (Effect, &'static str) {
    match setting {
        Setting::AdministratorAccountName => match (old.value(setting), new.value(setting)) {
            (Value::Text(one), Value::Text(other)) if same_name(one, other) => {
                (Effect::None, "the name differs in capitals only; it is the same account")
            }
            _ => {
                (Effect::RotatesNow, "another account is managed; the old one is no longer managed")
            }
        },
        Setting::AutomaticAccountManagementEnabled
        | Setting::AutomaticAccountManagementTarget
        | Setting::AutomaticAccountManagementNameOrPrefix => {
            (Effect::RotatesNow, "another account is managed, or the same one under another name")
        }
        Setting::ADPasswordEncryptionEnabled if new.ad_password_encryption_enabled() => {
            (Effect::RotatesNow, "encryption was turned on; the password in clear text is replaced")
        }
        Setting::ADPasswordEncryptionPrincipal if !old.ad_password_encryption_enabled() => (
            Effect::RotatesNow,
            "the password in clear text is replaced, by one that only this principal may decrypt",
        ),
        Setting::ADPasswordEncryptionPrincipal => (
            Effect::RotatesNow,
            "somebody else may decrypt; what is stored was encrypted for the old one",
        ),
        Setting::ADBackupDSRMPassword if new.ad_backup_dsrm_password() => {
            (Effect::RotatesNow, "a domain controller's DSRM password becomes managed")
        }
        Setting::PasswordAgeDays
            if new.backup_directory() == BackupDirectory::ActiveDirectory
                && new.password_expiration_protection_enabled()
                && new.password_age_days() < old.password_age_days() =>
        {
            (
                Effect::NextRotation,
                "the present expiry stays, except that expiration protection replaces a password whose expiry lies beyond the new age",
            )
        }
        Setting::PasswordAgeDays => (
            Effect::NextRotation,
            "the present expiry stays; the new age counts from the next rotation",
        ),
        Setting::PasswordLength | Setting::PasswordComplexity | Setting::PassphraseLength => (
            Effect::NextRotation,
            "the present password stays; the next one is made by the new rule",
        ),
        Setting::ADPasswordEncryptionEnabled => {
            (Effect::NextRotation, "the next password is stored in clear text")
        }
        Setting::ADEncryptedPasswordHistorySize => {
            (Effect::NextRotation, "the history is cut when the next password is stored")
        }
        Setting::AutomaticAccountManagementRandomizeName => {
            (Effect::NextRotation, "the account gets its new name at the next rotation")
        }
        Setting::AutomaticAccountManagementEnableAccount => {
            (Effect::None, "the account is switched on or off; its password stays")
        }
        Setting::PasswordExpirationProtectionEnabled => (
            Effect::None,
            "the password stays, unless its expiry lies beyond the age when protection is turned on",
        ),
        Setting::PostAuthenticationResetDelay | Setting::PostAuthenticationActions => {
            (Effect::None, "it counts from the next use of the account")
        }
        Setting::ADBackupDSRMPassword => {
            (Effect::None, "the DSRM password is no longer managed; it stays as it is")
        }
        Setting::BackupDirectory => (Effect::RotatesNow, "the directory changed"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;
    use alloc::vec::Vec;

    fn policy(pairs: &[(Setting, Value<'_>)]) -> Policy {
        let mut settings = Settings::new();
        for (setting, value) in pairs {
            settings.set(*setting, *value).unwrap();
        }
        settings.policy().unwrap()
    }

    /// Changes one setting of a policy, and says what that does.
    fn one(base: &[(Setting, Value<'_>)], setting: Setting, value: Value<'_>) -> Effect {
        let old = policy(base);
        let mut all = base.to_vec();
        all.push((setting, value));
        let found: Vec<_> = changes(&old, &policy(&all)).collect();
        assert_eq!(found.len(), 1, "{setting}");
        assert_eq!(found[0].setting, setting);
        assert!(!found[0].because.is_empty());
        found[0].effect
    }

    const ENTRA: (Setting, Value<'static>) = (Setting::BackupDirectory, Value::Number(1));
    const AD: (Setting, Value<'static>) = (Setting::BackupDirectory, Value::Number(2));

    #[test]
    fn the_table_of_the_documentation_holds() {
        use Effect::{NextRotation, None, RotatesNow};
        use Setting as S;
        let number = Value::Number;
        let automatic = [ENTRA, (S::AutomaticAccountManagementEnabled, Value::Switch(true))];
        let clear = [AD, (S::ADPasswordEncryptionEnabled, Value::Switch(false))];
        let passphrase = [ENTRA, (S::PasswordComplexity, number(6))];
        for (base, setting, value, want) in [
            (&[ENTRA][..], S::PasswordAgeDays, number(10), NextRotation),
            (&[AD], S::PasswordAgeDays, number(10), NextRotation),
            (&[ENTRA], S::AdministratorAccountName, Value::Text("Ops"), RotatesNow),
            (&[ENTRA], S::PasswordLength, number(20), NextRotation),
            (&passphrase, S::PasswordLength, number(20), None),
            (&passphrase, S::PassphraseLength, number(7), NextRotation),
            (&[ENTRA], S::PassphraseLength, number(7), None),
            (&[ENTRA], S::PasswordComplexity, number(5), NextRotation),
            (&[ENTRA], S::PostAuthenticationActions, number(5), None),
            (&[ENTRA], S::PostAuthenticationResetDelay, Value::Minutes(90), None),
            (&[ENTRA], S::ADPasswordEncryptionPrincipal, Value::Text("C\\g"), None),
            (&[AD], S::ADPasswordEncryptionPrincipal, Value::Text("C\\g"), RotatesNow),
            (&clear, S::ADPasswordEncryptionEnabled, Value::Switch(true), RotatesNow),
            (&[AD], S::ADPasswordEncryptionEnabled, Value::Switch(false), NextRotation),
            (&[AD], S::ADEncryptedPasswordHistorySize, number(3), NextRotation),
            (&[AD], S::ADBackupDSRMPassword, Value::Switch(true), RotatesNow),
            (&[AD], S::PasswordExpirationProtectionEnabled, Value::Switch(false), None),
            (&[ENTRA], S::AutomaticAccountManagementEnabled, Value::Switch(true), RotatesNow),
            (&automatic, S::AutomaticAccountManagementEnabled, Value::Switch(false), RotatesNow),
            (&automatic, S::AutomaticAccountManagementTarget, number(0), RotatesNow),
            (&automatic, S::AutomaticAccountManagementNameOrPrefix, Value::Text("o"), RotatesNow),
            (&automatic, S::AutomaticAccountManagementEnableAccount, Value::Switch(true), None),
            (
                &automatic,
                S::AutomaticAccountManagementRandomizeName,
                Value::Switch(true),
                NextRotation,
            ),
            (&automatic, S::AdministratorAccountName, Value::Text("Ops"), None),
            (&[ENTRA], S::BackupDirectory, number(2), RotatesNow),
            (&[ENTRA], S::BackupDirectory, number(0), None),
            (&[], S::BackupDirectory, number(1), RotatesNow),
            (&[], S::PasswordLength, number(20), None),
        ] {
            assert_eq!(one(base, setting, value), want, "{setting} {value}");
        }
    }

    #[test]
    fn a_name_in_other_capitals_is_the_same_account() {
        let named = |name| policy(&[ENTRA, (Setting::AdministratorAccountName, Value::Text(name))]);
        assert!(!asks_for_rotation(&named("Admin"), &named("ADMIN")));
        assert!(asks_for_rotation(&named("Admin"), &named("Admin2")));
        assert_eq!(changes(&named("Admin"), &named("Admin")).count(), 0);
    }
}
