//! The settings, as data: name, kind, range, default, dependencies (windows-laps §1.2).

use core::fmt;

use super::BackupDirectory;

/// A setting of Windows LAPS, by its CSP name. The numbers are ours; the policy's hash names them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each is described by its summary, which `laps policy schema` prints"
)]
pub enum Setting {
    BackupDirectory = 1,
    AdministratorAccountName = 2,
    PasswordAgeDays = 3,
    PasswordLength = 4,
    PasswordComplexity = 5,
    PassphraseLength = 6,
    PostAuthenticationResetDelay = 7,
    PostAuthenticationActions = 8,
    ADPasswordEncryptionEnabled = 9,
    ADPasswordEncryptionPrincipal = 10,
    ADEncryptedPasswordHistorySize = 11,
    ADBackupDSRMPassword = 12,
    PasswordExpirationProtectionEnabled = 13,
    AutomaticAccountManagementEnabled = 14,
    AutomaticAccountManagementTarget = 15,
    AutomaticAccountManagementNameOrPrefix = 16,
    AutomaticAccountManagementEnableAccount = 17,
    AutomaticAccountManagementRandomizeName = 18,
}

/// The value of a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Minutes of `PostAuthenticationResetDelay`. Windows knows whole hours only.
    Minutes(u16),
    /// A whole number.
    Number(u16),
    /// On or off.
    Switch(bool),
    /// Text.
    Text(&'a str),
}

/// As policy files spell it: a delay in hours, or in minutes with an `m` behind when it is not whole hours.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minutes(minutes) => match whole_hours(*minutes) {
                Some(hours) => fmt::Display::fmt(&hours, f),
                None => write!(f, "{minutes}m"),
            },
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Switch(on) => fmt::Display::fmt(on, f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The hours, when there is nothing left over.
pub(crate) const fn whole_hours(minutes: u16) -> Option<u16> {
    if minutes.is_multiple_of(60) { minutes.checked_div(60) } else { None }
}

/// `90m`, `2h` or `1h30m`: whole hours and minutes, at most four digits each, no spaces.
pub(super) fn minutes(text: &str) -> Option<u16> {
    let (hours, rest) = match text.split_once('h') {
        Some((hours, rest)) => (digits(hours)?, rest),
        None => (0, text),
    };
    let minutes = match rest.strip_suffix('m') {
        Some(minutes) => digits(minutes)?,
        None if rest.is_empty() && !text.is_empty() => 0,
        None => return None,
    };
    hours.checked_mul(60)?.checked_add(minutes)
}

fn digits(text: &str) -> Option<u16> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// What a setting accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Allowed {
    /// From 0 to so many minutes; whole hours in every form but our own JSON.
    Delay {
        /// The longest, in minutes.
        max_minutes: u16,
    },
    /// One of these numbers.
    OneOf(&'static [u16]),
    /// A whole number from `min` to `max`.
    Range {
        /// The smallest.
        min: u16,
        /// The largest.
        max: u16,
    },
    /// `true` or `false`.
    Switch,
    /// Text of at most so many characters.
    Text {
        /// The most characters.
        max: u16,
    },
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay { max_minutes } => write!(
                f,
                "0 to {} hours as a whole number, or minutes as text such as \"90m\" or \"1h30m\"",
                max_minutes.checked_div(60).unwrap_or_default()
            ),
            Self::OneOf(numbers) => {
                f.write_str("one of ")?;
                numbers.iter().enumerate().try_for_each(|(at, number)| {
                    write!(f, "{}{number}", if at == 0 { "" } else { ", " })
                })
            }
            Self::Range { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Switch => f.write_str("true or false"),
            Self::Text { max } => write!(f, "text of at most {max} characters"),
        }
    }
}

/// A setting has an effect only while another one is between two values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The other setting: a number, a switch (0 or 1) or a delay (in minutes).
    pub setting: Setting,
    /// The smallest value with which the dependent one has an effect.
    pub min: u16,
    /// The largest.
    pub max: u16,
}

impl Condition {
    const fn new(setting: Setting, min: u16, max: u16) -> Self {
        Self { setting, min, max }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.setting.name();
        match (self.setting.allowed(BackupDirectory::Disabled), self.min, self.max) {
            (Allowed::Switch, min, _) => write!(f, "{name} {}", min == 1),
            (Allowed::Delay { .. }, ..) => write!(f, "{name} above 0"),
            (_, min, max) if min == max => write!(f, "{name} {min}"),
            (_, min, max) => write!(f, "{name} {min} to {max}"),
        }
    }
}

/// The oldest Windows that knows a setting or a value.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Since {
    /// The updates of 2023-04-11.
    April2023,
    /// Windows 11 24H2 and Windows Server 2025.
    Windows11V24H2,
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::April2023 => "the updates of 2023-04-11",
            Self::Windows11V24H2 => "Windows 11 24H2 and Windows Server 2025",
        })
    }
}

/// The most characters of each text (`maxLength` in the ADMX template).
pub(super) const MAX_NAME: u16 = 64;
pub(super) const MAX_PRINCIPAL: u16 = 128;
pub(super) const MAX_PREFIX: u16 = 20;
/// The name of an automatically managed account when none is configured.
pub(super) const DEFAULT_PREFIX: &str = "WLapsAdmin";

impl Setting {
    /// Every setting, in the order in which they are shown.
    pub const ALL: [Self; 18] = [
        Self::BackupDirectory,
        Self::AdministratorAccountName,
        Self::PasswordAgeDays,
        Self::PasswordLength,
        Self::PasswordComplexity,
        Self::PassphraseLength,
        Self::PostAuthenticationResetDelay,
        Self::PostAuthenticationActions,
        Self::ADPasswordEncryptionEnabled,
        Self::ADPasswordEncryptionPrincipal,
        Self::ADEncryptedPasswordHistorySize,
        Self::ADBackupDSRMPassword,
        Self::PasswordExpirationProtectionEnabled,
        Self::AutomaticAccountManagementEnabled,
        Self::AutomaticAccountManagementTarget,
        Self::AutomaticAccountManagementNameOrPrefix,
        Self::AutomaticAccountManagementEnableAccount,
        Self::AutomaticAccountManagementRandomizeName,
    ];

    /// The name in the CSP, in Group Policy's registry root and in our JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BackupDirectory => "BackupDirectory",
            Self::AdministratorAccountName => "AdministratorAccountName",
            Self::PasswordAgeDays => "PasswordAgeDays",
            Self::PasswordLength => "PasswordLength",
            Self::PasswordComplexity => "PasswordComplexity",
            Self::PassphraseLength => "PassphraseLength",
            Self::PostAuthenticationResetDelay => "PostAuthenticationResetDelay",
            Self::PostAuthenticationActions => "PostAuthenticationActions",
            Self::ADPasswordEncryptionEnabled => "ADPasswordEncryptionEnabled",
            Self::ADPasswordEncryptionPrincipal => "ADPasswordEncryptionPrincipal",
            Self::ADEncryptedPasswordHistorySize => "ADEncryptedPasswordHistorySize",
            Self::ADBackupDSRMPassword => "ADBackupDSRMPassword",
            Self::PasswordExpirationProtectionEnabled => "PasswordExpirationProtectionEnabled",
            Self::AutomaticAccountManagementEnabled => "AutomaticAccountManagementEnabled",
            Self::AutomaticAccountManagementTarget => "AutomaticAccountManagementTarget",
            Self::AutomaticAccountManagementNameOrPrefix => {
                "AutomaticAccountManagementNameOrPrefix"
            }
            Self::AutomaticAccountManagementEnableAccount => {
                "AutomaticAccountManagementEnableAccount"
            }
            Self::AutomaticAccountManagementRandomizeName => {
                "AutomaticAccountManagementRandomizeName"
            }
        }
    }

    /// The setting with exactly this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// One line about it.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::BackupDirectory => {
                "where the password is backed up: 0 nowhere, 1 Microsoft Entra, 2 Active Directory"
            }
            Self::AdministratorAccountName => {
                "the managed local account; empty means the built-in administrator (RID 500)"
            }
            Self::PasswordAgeDays => "days after which a password is replaced",
            Self::PasswordLength => "characters of a password",
            Self::PasswordComplexity => {
                "1 upper-case letters, 2 also lower-case letters, 3 also digits (alphanumeric), 4 also symbols, 5 as 4 without confusable characters, 6 long words, 7 short words, 8 short words with unique prefixes"
            }
            Self::PassphraseLength => "words of a passphrase",
            Self::PostAuthenticationResetDelay => {
                "hours between a use of the account and the actions that follow; 0 switches them off"
            }
            Self::PostAuthenticationActions => {
                "after a use: 0 nothing, 1 reset, 3 and sign out, 5 reset and restart, 11 as 3 and end its processes"
            }
            Self::ADPasswordEncryptionEnabled => {
                "whether Active Directory holds the password encrypted"
            }
            Self::ADPasswordEncryptionPrincipal => {
                "who may decrypt it: a SID, domain\\name or name@domain; empty means Domain Admins"
            }
            Self::ADEncryptedPasswordHistorySize => {
                "earlier encrypted passwords that Active Directory keeps"
            }
            Self::ADBackupDSRMPassword => {
                "whether a domain controller's DSRM password is managed (Group Policy only)"
            }
            Self::PasswordExpirationProtectionEnabled => {
                "whether an expiry beyond the age is cut to it at once"
            }
            Self::AutomaticAccountManagementEnabled => {
                "whether LAPS makes and keeps the account itself"
            }
            Self::AutomaticAccountManagementTarget => {
                "0 the built-in administrator, 1 a new account"
            }
            Self::AutomaticAccountManagementNameOrPrefix => {
                "the name of that account, or its prefix; empty means WLapsAdmin"
            }
            Self::AutomaticAccountManagementEnableAccount => {
                "whether that account can be logged on with"
            }
            Self::AutomaticAccountManagementRandomizeName => {
                "whether six random digits follow the prefix, new at each rotation"
            }
        }
    }

    /// What it accepts in a backup mode.
    #[must_use]
    pub const fn allowed(self, mode: BackupDirectory) -> Allowed {
        match self {
            Self::BackupDirectory => Allowed::Range { min: 0, max: 2 },
            Self::AdministratorAccountName => Allowed::Text { max: MAX_NAME },
            Self::PasswordAgeDays => match mode {
                BackupDirectory::Entra => Allowed::Range { min: 7, max: 365 },
                BackupDirectory::ActiveDirectory | BackupDirectory::Disabled => {
                    Allowed::Range { min: 1, max: 365 }
                }
            },
            Self::PasswordLength => Allowed::Range { min: 8, max: 64 },
            Self::PasswordComplexity => Allowed::Range { min: 1, max: 8 },
            Self::PassphraseLength => Allowed::Range { min: 3, max: 10 },
            Self::PostAuthenticationResetDelay => Allowed::Delay { max_minutes: 24 * 60 },
            Self::PostAuthenticationActions => Allowed::OneOf(&[0, 1, 3, 5, 11]),
            Self::ADPasswordEncryptionPrincipal => Allowed::Text { max: MAX_PRINCIPAL },
            Self::ADEncryptedPasswordHistorySize => Allowed::Range { min: 0, max: 12 },
            Self::AutomaticAccountManagementTarget => Allowed::Range { min: 0, max: 1 },
            Self::AutomaticAccountManagementNameOrPrefix => Allowed::Text { max: MAX_PREFIX },
            Self::ADPasswordEncryptionEnabled
            | Self::ADBackupDSRMPassword
            | Self::PasswordExpirationProtectionEnabled
            | Self::AutomaticAccountManagementEnabled
            | Self::AutomaticAccountManagementEnableAccount
            | Self::AutomaticAccountManagementRandomizeName => Allowed::Switch,
        }
    }

    /// Its value where nothing sets it; the same in every backup mode.
    #[must_use]
    pub const fn default_value(self) -> Value<'static> {
        match self {
            Self::BackupDirectory | Self::ADEncryptedPasswordHistorySize => Value::Number(0),
            Self::AdministratorAccountName | Self::ADPasswordEncryptionPrincipal => Value::Text(""),
            Self::PasswordAgeDays => Value::Number(30),
            Self::PasswordLength => Value::Number(14),
            Self::PasswordComplexity => Value::Number(4),
            Self::PassphraseLength => Value::Number(6),
            Self::PostAuthenticationResetDelay => Value::Minutes(24 * 60),
            Self::PostAuthenticationActions => Value::Number(3),
            Self::AutomaticAccountManagementTarget => Value::Number(1),
            Self::AutomaticAccountManagementNameOrPrefix => Value::Text(DEFAULT_PREFIX),
            Self::ADPasswordEncryptionEnabled | Self::PasswordExpirationProtectionEnabled => {
                Value::Switch(true)
            }
            Self::ADBackupDSRMPassword
            | Self::AutomaticAccountManagementEnabled
            | Self::AutomaticAccountManagementEnableAccount
            | Self::AutomaticAccountManagementRandomizeName => Value::Switch(false),
        }
    }

    /// What must hold for it to have an effect: all of these.
    #[must_use]
    pub const fn conditions(self) -> &'static [Condition] {
        use Condition as C;
        const MANAGED: C = C::new(Setting::BackupDirectory, 1, 2);
        const IN_AD: C = C::new(Setting::BackupDirectory, 2, 2);
        const ENCRYPTED: C = C::new(Setting::ADPasswordEncryptionEnabled, 1, 1);
        const AUTOMATIC: C = C::new(Setting::AutomaticAccountManagementEnabled, 1, 1);
        const MANUAL: C = C::new(Setting::AutomaticAccountManagementEnabled, 0, 0);
        match self {
            Self::BackupDirectory => &[],
            Self::AdministratorAccountName => &[MANAGED, MANUAL],
            Self::PasswordLength => const { &[MANAGED, C::new(Self::PasswordComplexity, 1, 5)] },
            Self::PassphraseLength => const { &[MANAGED, C::new(Self::PasswordComplexity, 6, 8)] },
            Self::PostAuthenticationActions => {
                const { &[MANAGED, C::new(Self::PostAuthenticationResetDelay, 1, 24 * 60)] }
            }
            Self::PasswordAgeDays
            | Self::PasswordComplexity
            | Self::PostAuthenticationResetDelay
            | Self::AutomaticAccountManagementEnabled => &[MANAGED],
            Self::ADPasswordEncryptionEnabled | Self::PasswordExpirationProtectionEnabled => {
                &[IN_AD]
            }
            Self::ADPasswordEncryptionPrincipal
            | Self::ADEncryptedPasswordHistorySize
            | Self::ADBackupDSRMPassword => &[IN_AD, ENCRYPTED],
            Self::AutomaticAccountManagementTarget
            | Self::AutomaticAccountManagementNameOrPrefix
            | Self::AutomaticAccountManagementEnableAccount
            | Self::AutomaticAccountManagementRandomizeName => &[MANAGED, AUTOMATIC],
        }
    }

    /// The oldest Windows that knows the setting.
    #[must_use]
    pub const fn since(self) -> Since {
        match self {
            Self::PassphraseLength
            | Self::AutomaticAccountManagementEnabled
            | Self::AutomaticAccountManagementTarget
            | Self::AutomaticAccountManagementNameOrPrefix
            | Self::AutomaticAccountManagementEnableAccount
            | Self::AutomaticAccountManagementRandomizeName => Since::Windows11V24H2,
            Self::BackupDirectory
            | Self::AdministratorAccountName
            | Self::PasswordAgeDays
            | Self::PasswordLength
            | Self::PasswordComplexity
            | Self::PostAuthenticationResetDelay
            | Self::PostAuthenticationActions
            | Self::ADPasswordEncryptionEnabled
            | Self::ADPasswordEncryptionPrincipal
            | Self::ADEncryptedPasswordHistorySize
            | Self::ADBackupDSRMPassword
            | Self::PasswordExpirationProtectionEnabled => Since::April2023,
        }
    }

    /// The oldest Windows that knows this value of the setting; an older one uses the default instead.
    #[must_use]
    pub const fn since_with(self, value: Value<'_>) -> Since {
        match (self, value) {
            (Self::PasswordComplexity, Value::Number(5..=8))
            | (Self::PostAuthenticationActions, Value::Number(11)) => Since::Windows11V24H2,
            _ => self.since(),
        }
    }

    /// Whether its numbers stand for something that people have words for; the summary says what.
    pub(super) const fn has_meanings(self) -> bool {
        matches!(
            self,
            Self::BackupDirectory
                | Self::PasswordComplexity
                | Self::PostAuthenticationActions
                | Self::AutomaticAccountManagementTarget
        )
    }

    /// Whether the CSP has a node for it. One setting exists in Group Policy and the registry only.
    #[must_use]
    pub const fn in_csp(self) -> bool {
        !matches!(self, Self::ADBackupDSRMPassword)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_hours_and_minutes() {
        for (text, want) in [
            ("90m", Some(90)),
            ("1h30m", Some(90)),
            ("2h", Some(120)),
            ("0m", Some(0)),
            ("24h", Some(1440)),
            ("0h90m", Some(90)),
        ] {
            assert_eq!(minutes(text), want, "{text}");
        }
        for text in [
            "", "h", "m", "90", "90 m", "1h30", "30m1h", "-1m", "+1m", "1.5h", "9999h", "12345m",
            "1H",
        ] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }
}
