//! What a change of policy does on a device (windows-laps §1.4).

use super::{BackupDirectory, Policy, Setting};
use crate::account::same_name;

/// When a change takes effect on the password that a device has now.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ChangeEffect {
    /// The password and its expiry stay; nothing about the next one changes either.
    None,
    /// The present password stays until it is due; the change is in the next one.
    NextRotation,
    /// The password is replaced as soon as the device has the new policy.
    RotatesNow,
}

impl ChangeEffect {
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
    pub effect: ChangeEffect,
    /// Why, in plain words.
    pub because: &'static str,
}

/// The settings whose values differ, and what each difference does on a device that has `old` and
/// gets `new`.
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
    changes(old, new).any(|change| change.effect == ChangeEffect::RotatesNow)
}

fn effect(setting: Setting, old: &Policy, new: &Policy) -> (ChangeEffect, &'static str) {
    if new.backup_directory() == BackupDirectory::Disabled && setting != Setting::BackupDirectory {
        return (ChangeEffect::None, "nothing is managed under the new policy");
    }
    if new.unmet(setting).is_some() {
        return (ChangeEffect::None, "the setting has no effect under the new policy");
    }
    match setting.row().effect {
        Rule::Always(effect, because) => (effect, because),
        Rule::Depends(of) => of(old, new),
    }
}

/// What a change of a setting does where the setting has an effect under the new policy.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// The same, whatever the policies.
    Always(ChangeEffect, &'static str),
    /// It depends on the old policy and the new one.
    Depends(fn(&Policy, &Policy) -> (ChangeEffect, &'static str)),
}

pub(super) fn of_directory(old: &Policy, new: &Policy) -> (ChangeEffect, &'static str) {
    if new.backup_directory() == BackupDirectory::Disabled {
        (ChangeEffect::None, "the account is no longer managed; its password stays as it is")
    } else if old.backup_directory() == BackupDirectory::Disabled {
        (
            ChangeEffect::RotatesNow,
            "the account becomes managed; its password is replaced and backed up",
        )
    } else {
        (ChangeEffect::RotatesNow, "the new directory has no password of this device yet")
    }
}

pub(super) fn of_account_name(old: &Policy, new: &Policy) -> (ChangeEffect, &'static str) {
    let names = [old, new].map(|policy| policy.administrator_account_name().as_str());
    if same_name(names[0], names[1]) {
        (ChangeEffect::None, "the name differs in capitals only; it is the same account")
    } else {
        (ChangeEffect::RotatesNow, "another account is managed; the old one is no longer managed")
    }
}

pub(super) fn of_age(old: &Policy, new: &Policy) -> (ChangeEffect, &'static str) {
    let is_cut = new.backup_directory() == BackupDirectory::ActiveDirectory
        && new.password_expiration_protection_enabled()
        && new.password_age_days() < old.password_age_days();
    let because = if is_cut {
        "the present expiry stays, except that expiration protection replaces a password whose \
         expiry lies beyond the new age"
    } else {
        "the present expiry stays; the new age counts from the next rotation"
    };
    (ChangeEffect::NextRotation, because)
}

pub(super) fn of_encryption(_: &Policy, new: &Policy) -> (ChangeEffect, &'static str) {
    if new.ad_password_encryption_enabled() {
        (
            ChangeEffect::RotatesNow,
            "encryption was turned on; the password in clear text is replaced",
        )
    } else {
        (ChangeEffect::NextRotation, "the next password is stored in clear text")
    }
}

pub(super) fn of_principal(old: &Policy, _: &Policy) -> (ChangeEffect, &'static str) {
    let because = if old.ad_password_encryption_enabled() {
        "somebody else may decrypt; what is stored was encrypted for the old one"
    } else {
        "the password in clear text is replaced, by one that only this principal may decrypt"
    };
    (ChangeEffect::RotatesNow, because)
}

pub(super) fn of_dsrm(_: &Policy, new: &Policy) -> (ChangeEffect, &'static str) {
    if new.ad_backup_dsrm_password() {
        (ChangeEffect::RotatesNow, "a domain controller's DSRM password becomes managed")
    } else {
        (ChangeEffect::None, "the DSRM password is no longer managed; it stays as it is")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, Value};
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
    fn one(base: &[(Setting, Value<'_>)], setting: Setting, value: Value<'_>) -> ChangeEffect {
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
        use ChangeEffect::{NextRotation, None, RotatesNow};
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
