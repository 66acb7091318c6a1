//! What a change of policy does on a device (windows-laps §1.4).

use super::{BackupDirectory, ChangeEffect, Policy, Setting, effect::EffectRule};

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
        EffectRule::Always(effect, because) => (effect, because),
        EffectRule::Depends(of) => of(old, new),
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
