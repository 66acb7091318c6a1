//! What a change of one setting does on a device (windows-laps §1.4).

use super::{BackupDirectory, Policy};
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

/// What a change of a setting does where the setting has an effect under the new policy.
#[derive(Clone, Copy, Debug)]
pub(super) enum EffectRule {
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
