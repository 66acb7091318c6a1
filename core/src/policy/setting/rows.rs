//! The settings, one row each (windows-laps §1.2): names, ranges, defaults, documents, effects and
//! accessors follow from here.
//!
//! A new setting is a row. Where its value is of a kind of its own, it gets an accessor in
//! `policy.rs`; where it is text, a place in `values.rs`.

use super::{Allowed, Condition, Definition, Parent, Since, Value, ValuePlace};
use crate::{
    generate::Complexity,
    policy::{
        BackupDirectory, ChangeEffect, Policy, PostAuthenticationActions,
        effect::{self, EffectRule},
        number::FromNumber,
    },
};

/// Each row: what the accessor says, the setting and its number, the accessor and its type where a
/// number or a switch has one, and what differs from [`PLAIN`].
macro_rules! settings {
    ($(#[$doc:meta] $name:ident = $number:literal $(as $accessor:ident: $type:ty)? {
        $($field:ident: $value:expr),* $(,)?
    })*) => {
        /// A setting of Windows LAPS, by its CSP name. The numbers are ours; the policy's hash
        /// names them.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Setting {
            $(#[$doc] $name = $number,)*
        }

        impl Setting {
            /// Every setting, in the order in which they are shown.
            pub const ALL: [Self; [$($number),*].len()] = [$(Self::$name),*];

            pub(in crate::policy) const fn row(self) -> &'static Definition {
                match self {
                    $(Self::$name => {
                        const ROW: Definition =
                            Definition { name: stringify!($name), $($field: $value,)* ..PLAIN };
                        const { assert!(ROW.is_sound(), "one kind of value in each row") };
                        const { &ROW }
                    })*
                }
            }
        }

        impl Policy {
            $($(
                #[$doc]
                #[must_use]
                pub fn $accessor(&self) -> $type {
                    <$type>::from_number(self.values.number(Setting::$name))
                }
            )?)*
        }
    };
}

/// What most settings are: a switch that is off.
const PLAIN: Definition = Definition {
    name: "",
    summary: "",
    allowed: Allowed::Switch,
    allowed_in_entra: None,
    default: Value::Switch(false),
    place: ValuePlace::Number,
    conditions: &[MANAGED],
    since: Since::April2023,
    newer: &[],
    is_choice: false,
    in_csp: true,
    intune: None,
    effect: EffectRule::Always(ChangeEffect::None, ""),
};

const MANAGED: Condition = Condition::new(Setting::BackupDirectory, 1, 2);
const IN_AD: Condition = Condition::new(Setting::BackupDirectory, 2, 2);
const ENCRYPTED: Condition = Condition::new(Setting::ADPasswordEncryptionEnabled, 1, 1);
const AUTOMATIC: Condition = Condition::new(Setting::AutomaticAccountManagementEnabled, 1, 1);
const MANUAL: Condition = Condition::new(Setting::AutomaticAccountManagementEnabled, 0, 0);
const CHARACTERS: Condition = Condition::new(Setting::PasswordComplexity, 1, 5);
const WORDS: Condition = Condition::new(Setting::PasswordComplexity, 6, 8);
const DELAYED: Condition = Condition::new(Setting::PostAuthenticationResetDelay, 1, 24 * 60);

const UNDER_AD: Option<Parent> = Some(Parent {
    setting: Setting::BackupDirectory,
    options: &[2],
    why: "Intune has it under BackupDirectory 2 only",
});
const UNDER_AUTOMATIC: Option<Parent> = Some(Parent {
    setting: Setting::AutomaticAccountManagementEnabled,
    options: &[],
    why: "Intune has it under AutomaticAccountManagementEnabled true only",
});

const OTHER_RULE: EffectRule = EffectRule::Always(
    ChangeEffect::NextRotation,
    "the present password stays; the next one is made by the new rule",
);
const OTHER_ACCOUNT: EffectRule = EffectRule::Always(
    ChangeEffect::RotatesNow,
    "another account is managed, or the same one under another name",
);
const NEXT_USE: EffectRule =
    EffectRule::Always(ChangeEffect::None, "it counts from the next use of the account");

/// The most characters of each text (`maxLength` in the ADMX template).
pub(in crate::policy) const MAX_NAME: u16 = 64;
pub(in crate::policy) const MAX_PRINCIPAL: u16 = 128;
pub(in crate::policy) const MAX_PREFIX: u16 = 20;
/// The name of an automatically managed account when none is configured.
pub(in crate::policy) const DEFAULT_PREFIX: &str = "WLapsAdmin";

settings! {
    /// Where passwords are backed up.
    BackupDirectory = 1 as backup_directory: BackupDirectory {
        summary: "where the password is backed up: 0 nowhere, 1 Microsoft Entra, 2 Active \
                  Directory",
        allowed: Allowed::Range { min: 0, max: 2 },
        default: Value::Number(0),
        conditions: &[],
        is_choice: true,
        effect: EffectRule::Depends(effect::of_directory),
    }

    /// The managed account; empty means the built-in administrator.
    AdministratorAccountName = 2 {
        summary: "the managed local account; empty means the built-in administrator (RID 500)",
        allowed: Allowed::Text { max: MAX_NAME },
        default: Value::Text(""),
        place: ValuePlace::AccountName,
        conditions: &[MANAGED, MANUAL],
        effect: EffectRule::Depends(effect::of_account_name),
    }

    /// Days after which a password is replaced: 1 to 365, from 7 with Entra.
    PasswordAgeDays = 3 as password_age_days: u16 {
        summary: "days after which a password is replaced",
        allowed: Allowed::Range { min: 1, max: 365 },
        allowed_in_entra: Some(Allowed::Range { min: 7, max: 365 }),
        default: Value::Number(30),
        intune: Some(Parent {
            setting: Setting::BackupDirectory,
            options: &[1, 2],
            why: "Intune has it under BackupDirectory 1 or 2 only",
        }),
        effect: EffectRule::Depends(effect::of_age),
    }

    /// Characters of a password: 8 to 64. Without effect at complexity 6 to 8.
    PasswordLength = 4 as password_length: u8 {
        summary: "characters of a password",
        allowed: Allowed::Range { min: 8, max: 64 },
        default: Value::Number(14),
        conditions: &[MANAGED, CHARACTERS],
        effect: OTHER_RULE,
    }

    /// What passwords are made of: 1 to 8.
    PasswordComplexity = 5 as password_complexity: Complexity {
        summary: "1 upper-case letters, 2 also lower-case letters, 3 also digits (alphanumeric), \
                  4 also symbols, 5 as 4 without confusable characters, 6 long words, \
                  7 short words, 8 short words with unique prefixes",
        allowed: Allowed::Range { min: 1, max: 8 },
        default: Value::Number(4),
        newer: &[5, 6, 7, 8],
        is_choice: true,
        effect: OTHER_RULE,
    }

    /// Words of a passphrase: 3 to 10. Without effect at complexity 1 to 5.
    PassphraseLength = 6 as passphrase_length: u8 {
        summary: "words of a passphrase",
        allowed: Allowed::Range { min: 3, max: 10 },
        default: Value::Number(6),
        conditions: &[MANAGED, WORDS],
        since: Since::Windows11V24H2,
        intune: Some(Parent {
            setting: Setting::PasswordComplexity,
            options: &[6, 7, 8],
            why: "Intune has it under PasswordComplexity 6 to 8 only",
        }),
        effect: OTHER_RULE,
    }

    /// Minutes between a use of the account and the actions that follow: 0 (no actions) to 1440.
    PostAuthenticationResetDelay = 7 as post_authentication_reset_delay_minutes: u16 {
        summary: "hours between a use of the account and the actions that follow; 0 switches them \
                  off",
        allowed: Allowed::Delay { max_minutes: 24 * 60 },
        default: Value::Minutes(24 * 60),
        effect: NEXT_USE,
    }

    /// What follows a use of the account. Without effect when the delay is 0.
    PostAuthenticationActions = 8 as post_authentication_actions: PostAuthenticationActions {
        summary: "after a use: 0 nothing, 1 reset, 3 and sign out, 5 reset and restart, \
                  11 as 3 and end its processes",
        allowed: Allowed::OneOf(&[0, 1, 3, 5, 11]),
        default: Value::Number(3),
        conditions: &[MANAGED, DELAYED],
        newer: &[11],
        is_choice: true,
        effect: NEXT_USE,
    }

    /// Whether Active Directory holds the password encrypted.
    ADPasswordEncryptionEnabled = 9 as ad_password_encryption_enabled: bool {
        summary: "whether Active Directory holds the password encrypted",
        default: Value::Switch(true),
        conditions: &[IN_AD],
        intune: UNDER_AD,
        effect: EffectRule::Depends(effect::of_encryption),
    }

    /// Who may decrypt it; empty means Domain Admins.
    ADPasswordEncryptionPrincipal = 10 {
        summary: "who may decrypt it: a SID, domain\\name or name@domain; empty means Domain \
                  Admins",
        allowed: Allowed::Text { max: MAX_PRINCIPAL },
        default: Value::Text(""),
        place: ValuePlace::Principal,
        conditions: &[IN_AD, ENCRYPTED],
        intune: UNDER_AD,
        effect: EffectRule::Depends(effect::of_principal),
    }

    /// Earlier encrypted passwords that Active Directory keeps: 0 to 12.
    ADEncryptedPasswordHistorySize = 11 as ad_encrypted_password_history_size: u8 {
        summary: "earlier encrypted passwords that Active Directory keeps",
        allowed: Allowed::Range { min: 0, max: 12 },
        default: Value::Number(0),
        conditions: &[IN_AD, ENCRYPTED],
        intune: UNDER_AD,
        effect: EffectRule::Always(
            ChangeEffect::NextRotation,
            "the history is cut when the next password is stored",
        ),
    }

    /// Whether a domain controller's DSRM password is managed.
    ADBackupDSRMPassword = 12 as ad_backup_dsrm_password: bool {
        summary: "whether a domain controller's DSRM password is managed (Group Policy only)",
        conditions: &[IN_AD, ENCRYPTED],
        in_csp: false,
        effect: EffectRule::Depends(effect::of_dsrm),
    }

    /// Whether an expiry beyond the age makes a rotation due at once.
    PasswordExpirationProtectionEnabled = 13 as password_expiration_protection_enabled: bool {
        summary: "whether an expiry beyond the age is cut to it at once",
        default: Value::Switch(true),
        conditions: &[IN_AD],
        intune: UNDER_AD,
        effect: EffectRule::Always(
            ChangeEffect::None,
            "the password stays, unless its expiry lies beyond the age when protection is turned \
             on",
        ),
    }

    /// Whether LAPS makes and keeps the account itself.
    AutomaticAccountManagementEnabled = 14 as automatic_account_management_enabled: bool {
        summary: "whether LAPS makes and keeps the account itself",
        since: Since::Windows11V24H2,
        effect: OTHER_ACCOUNT,
    }

    /// Whether automatic management is of a new account, not of the built-in administrator.
    AutomaticAccountManagementTarget = 15 as automatic_account_management_makes_new_account: bool {
        summary: "0 the built-in administrator, 1 a new account",
        allowed: Allowed::Range { min: 0, max: 1 },
        default: Value::Number(1),
        conditions: &[MANAGED, AUTOMATIC],
        since: Since::Windows11V24H2,
        is_choice: true,
        intune: UNDER_AUTOMATIC,
        effect: OTHER_ACCOUNT,
    }

    /// The name of the automatically managed account, or its prefix. Never empty.
    AutomaticAccountManagementNameOrPrefix = 16 {
        summary: "the name of that account, or its prefix; empty means WLapsAdmin",
        allowed: Allowed::Text { max: MAX_PREFIX },
        default: Value::Text(DEFAULT_PREFIX),
        place: ValuePlace::Prefix,
        conditions: &[MANAGED, AUTOMATIC],
        since: Since::Windows11V24H2,
        intune: UNDER_AUTOMATIC,
        effect: OTHER_ACCOUNT,
    }

    /// Whether the automatically managed account can be logged on with.
    AutomaticAccountManagementEnableAccount = 17
        as automatic_account_management_enable_account: bool
    {
        summary: "whether that account can be logged on with",
        conditions: &[MANAGED, AUTOMATIC],
        since: Since::Windows11V24H2,
        intune: UNDER_AUTOMATIC,
        effect: EffectRule::Always(
            ChangeEffect::None,
            "the account is switched on or off; its password stays",
        ),
    }

    /// Whether its name has six random digits, new at each rotation.
    AutomaticAccountManagementRandomizeName = 18
        as automatic_account_management_randomize_name: bool
    {
        summary: "whether six random digits follow the prefix, new at each rotation",
        conditions: &[MANAGED, AUTOMATIC],
        since: Since::Windows11V24H2,
        intune: UNDER_AUTOMATIC,
        effect: EffectRule::Always(
            ChangeEffect::NextRotation,
            "the account gets its new name at the next rotation",
        ),
    }
}
