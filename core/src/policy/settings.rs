//! What somebody configured: some settings, each with a value of its kind; and what each value must
//! be.

use core::fmt;

use super::{
    Allowed, BackupDirectory, Policy, Setting, Value,
    number::FromNumber as _,
    setting::{DEFAULT_PREFIX, ValuePlace},
    values::Values,
};
use crate::{
    account::{NamingError, Sid, check_name},
    error::Code,
};

/// A set of configured settings. The others have their defaults.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    values: Values,
    // A bit for every setting that is configured.
    configured: u32,
}

impl Settings {
    /// Nothing configured.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Configures one, in place of an earlier value. The age is checked against the range of Active
    /// Directory here and against the backup mode by [`Settings::policy`], so that order does not
    /// matter.
    ///
    /// # Errors
    /// [`PolicyError`] when the value is of the wrong kind or outside every mode's range; nothing
    /// is changed.
    pub fn set(&mut self, setting: Setting, value: Value<'_>) -> Result<(), PolicyError> {
        check(setting, value, BackupDirectory::Disabled)?;
        self.values.put(setting, value);
        self.configured |= bit(setting);
        Ok(())
    }

    /// Takes one away.
    pub fn unset(&mut self, setting: Setting) {
        self.values.put(setting, setting.default_value());
        self.configured &= !bit(setting);
    }

    /// The configured value, if there is one.
    #[must_use]
    pub(crate) fn get(&self, setting: Setting) -> Option<Value<'_>> {
        (self.configured & bit(setting) != 0).then(|| self.values.value(setting))
    }

    /// The configured settings, in the order of [`Setting::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Setting, Value<'_>)> {
        Setting::ALL.into_iter().filter_map(|setting| Some((setting, self.get(setting)?)))
    }

    /// Whether nothing is configured.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.configured == 0
    }

    /// The policy in force: these values, and the defaults of the others.
    ///
    /// # Errors
    /// [`PolicyError`] for the first setting whose value is outside its range in the configured
    /// backup mode.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        let mode = BackupDirectory::from_number(self.values.number(Setting::BackupDirectory));
        for (setting, value) in self.iter() {
            check(setting, value, mode)?;
        }
        let mut values = self.values;
        if values.prefix.is_empty() {
            values
                .put(Setting::AutomaticAccountManagementNameOrPrefix, Value::Text(DEFAULT_PREFIX));
        }
        Ok(Policy { values })
    }
}

const fn bit(setting: Setting) -> u32 {
    1 << (setting as u32)
}

/// Whether a setting accepts a value in a backup mode.
pub(super) fn check(
    setting: Setting,
    value: Value<'_>,
    mode: BackupDirectory,
) -> Result<(), PolicyError> {
    let refusal = match (setting.allowed(mode), value) {
        (Allowed::Delay { max_minutes }, Value::Minutes(minutes)) => {
            (minutes > max_minutes).then_some(ValueRefusal::Range)
        }
        (Allowed::OneOf(numbers), Value::Number(number)) => {
            (!numbers.contains(&number)).then_some(ValueRefusal::Range)
        }
        (Allowed::Range { min, max }, Value::Number(number)) => {
            (!(min..=max).contains(&number)).then_some(ValueRefusal::Range)
        }
        (Allowed::Switch, Value::Switch(_)) => None,
        (Allowed::Text { max }, Value::Text(text)) => check_text(setting, text, max),
        (
            Allowed::Delay { .. }
            | Allowed::OneOf(_)
            | Allowed::Range { .. }
            | Allowed::Switch
            | Allowed::Text { .. },
            _,
        ) => Some(ValueRefusal::Kind),
    };
    refusal.map_or(Ok(()), |refusal| Err(PolicyError { setting, mode, refusal }))
}

fn check_text(setting: Setting, text: &str, max: u16) -> Option<ValueRefusal> {
    if text.chars().count() > usize::from(max) {
        return Some(ValueRefusal::Range);
    }
    if text.chars().any(char::is_control) {
        return Some(ValueRefusal::Control);
    }
    let blank = text.is_empty();
    match setting.row().place {
        ValuePlace::Principal if !blank && !is_principal(text) => Some(ValueRefusal::Principal),
        ValuePlace::Prefix if !blank => check_name(text).err().map(ValueRefusal::Name),
        ValuePlace::Number
        | ValuePlace::AccountName
        | ValuePlace::Principal
        | ValuePlace::Prefix => None,
    }
}

/// A SID, `domain\name` or `name@domain`; not in quotes or brackets (windows-laps §1.2). Windows
/// refuses a bare name with event 10034.
fn is_principal(text: &str) -> bool {
    let parts = |separator| {
        text.split_once(separator).is_some_and(|(one, other): (&str, &str)| {
            !one.is_empty() && !other.is_empty() && !other.contains(separator)
        })
    };
    let wrapped = text.contains('"')
        || text.starts_with(['\'', '(', '[', '{', '<'])
        || text.ends_with(['\'', ']', '}', '>']);
    text.trim() == text && !wrapped && (text.parse::<Sid>().is_ok() || (parts('\\') != parts('@')))
}

/// A value that a setting does not accept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The setting.
    pub setting: Setting,
    /// The backup mode whose range applies.
    pub mode: BackupDirectory,
    /// Why.
    pub refusal: ValueRefusal,
}

/// Why a value is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ValueRefusal {
    /// A control character in text.
    Control,
    /// A value of another kind: text where a number belongs.
    Kind,
    /// It cannot be the name of a local account.
    Name(NamingError),
    /// It cannot be a principal.
    Principal,
    /// Outside the range, or longer than allowed.
    Range,
}

impl PolicyError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::PolicyRefused
    }

    /// What Windows would do with such a value (windows-laps §1.2).
    #[must_use]
    pub(crate) const fn windows(self) -> impl fmt::Display {
        Windows(self)
    }
}

/// What is accepted, and what Windows would do.
impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, mode, refusal } = *self;
        write!(f, "{setting} ")?;
        match refusal {
            ValueRefusal::Control => f.write_str("accepts text without control characters")?,
            ValueRefusal::Kind | ValueRefusal::Range => {
                write!(f, "accepts {}", setting.allowed(mode))?;
                // A word in place of the number: what each number means.
                if refusal == ValueRefusal::Kind && setting.row().is_choice {
                    write!(f, " ({})", setting.summary())?;
                }
                if setting == Setting::PasswordAgeDays && mode == BackupDirectory::Entra {
                    f.write_str(" with backup to Entra")?;
                }
            }
            ValueRefusal::Name(error) => {
                write!(f, "accepts the name of a local account: {error}")?;
            }
            ValueRefusal::Principal => f.write_str(
                "accepts a SID, domain\\name or name@domain, without quotes or brackets around it",
            )?,
        }
        write!(f, "; {}", self.windows())
    }
}

impl core::error::Error for PolicyError {}

/// What Windows would do with a value that is refused here.
struct Windows(PolicyError);

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PolicyError { setting, mode, refusal } = self.0;
        match (setting, setting.default_value()) {
            (Setting::PasswordAgeDays, _)
                if mode == BackupDirectory::Entra && refusal == ValueRefusal::Range =>
            {
                f.write_str(
                    "Windows would use 7 for a smaller one (event 10058) and 30 for a larger one",
                )
            }
            (Setting::ADPasswordEncryptionPrincipal, _) => {
                f.write_str("Windows would stop and back up nothing (event 10034 or 10035)")
            }
            (Setting::AdministratorAccountName, _) => {
                f.write_str("Windows would find no such account and back up nothing (event 10013)")
            }
            (_, default) => write!(f, "Windows would use its default, {default}, instead"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn a_value_that_is_refused_changes_nothing() {
        let mut settings = Settings::new();
        settings.set(Setting::PasswordLength, Value::Number(20)).unwrap();
        assert_eq!(settings.get(Setting::PasswordLength), Some(Value::Number(20)));
        let before = settings;
        for (setting, value, refusal) in [
            (Setting::PasswordLength, Value::Number(7), ValueRefusal::Range),
            (Setting::PasswordLength, Value::Text("20"), ValueRefusal::Kind),
            (Setting::PostAuthenticationResetDelay, Value::Minutes(1500), ValueRefusal::Range),
            (Setting::ADBackupDSRMPassword, Value::Number(1), ValueRefusal::Kind),
            (Setting::PostAuthenticationActions, Value::Number(2), ValueRefusal::Range),
            (Setting::AdministratorAccountName, Value::Text("a\nb"), ValueRefusal::Control),
        ] {
            assert_eq!(settings.set(setting, value).unwrap_err().refusal, refusal, "{value:?}");
        }
        assert_eq!(settings, before);
    }

    #[test]
    fn the_age_has_the_range_of_the_backup_mode_in_either_order() {
        for (mode, days, good) in
            [(0, 1, true), (2, 1, true), (1, 6, false), (1, 7, true), (1, 365, true)]
        {
            for flip in [false, true] {
                let mut settings = Settings::new();
                let mut pairs =
                    [(Setting::BackupDirectory, mode), (Setting::PasswordAgeDays, days)];
                if flip {
                    pairs.reverse();
                }
                for (setting, number) in pairs {
                    settings.set(setting, Value::Number(number)).unwrap();
                }
                assert_eq!(settings.policy().is_ok(), good, "{mode} {days}");
            }
        }
        let mut settings = Settings::new();
        settings.set(Setting::PasswordAgeDays, Value::Number(0)).unwrap_err();
        settings.set(Setting::PasswordAgeDays, Value::Number(366)).unwrap_err();
    }

    #[test]
    fn principals_are_sids_or_qualified_names() {
        for good in [
            "",
            "S-1-5-21-1-2-3-512",
            "CONTOSO\\Readers",
            "readers@contoso.com",
            "C\\LAPS (Readers)",
        ] {
            assert_eq!(
                check_text(Setting::ADPasswordEncryptionPrincipal, good, 128),
                None,
                "{good}"
            );
        }
        for bad in [
            "Readers", "\"C\\r\"", "(C\\r)", "[C\\r]", "'C\\r'", "C\\", "\\r", "@c", "r@",
            "a\\b\\c", "a@b@c", "a\\b@c", " C\\r", "C\\r ", "S-1-5",
        ] {
            let refusal = check_text(Setting::ADPasswordEncryptionPrincipal, bad, 128);
            assert_eq!(refusal, Some(ValueRefusal::Principal), "{bad}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_accepted_and_what_windows_would_do() {
        let refused = |setting, value, mode| check(setting, value, mode).unwrap_err().to_string();
        assert_eq!(
            refused(Setting::PasswordLength, Value::Number(7), BackupDirectory::Entra),
            "PasswordLength accepts a whole number from 8 to 64; Windows would use its default, \
             14, instead"
        );
        assert_eq!(
            refused(Setting::PasswordAgeDays, Value::Number(6), BackupDirectory::Entra),
            "PasswordAgeDays accepts a whole number from 7 to 365 with backup to Entra; Windows \
             would use 7 for a smaller one (event 10058) and 30 for a larger one"
        );
        assert_eq!(
            refused(
                Setting::ADPasswordEncryptionPrincipal,
                Value::Text("x"),
                BackupDirectory::Entra
            ),
            "ADPasswordEncryptionPrincipal accepts a SID, domain\\name or name@domain, without \
             quotes or brackets around it; Windows would stop and back up nothing (event 10034 \
             or 10035)"
        );
    }
}
