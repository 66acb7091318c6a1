//! From what stands in a document to a value of the setting's kind.

use alloc::{format, string::String};

use super::{
    Allowed, BackupDirectory, PolicyError, Setting, Settings, Value, ValueRefusal,
    document::{Form, Raw, Root, SettingEntry},
    setting::minutes,
};

/// Why an entry has no value.
pub(super) enum Problem {
    /// Of the wrong kind, or so far outside that it does not fit.
    Refused(PolicyError),
    /// Not possible in this form.
    Form(String),
}

/// The value of an entry, for a setting, in a form.
pub(super) fn value_of(
    setting: Setting,
    entry: &SettingEntry,
    form: Form,
) -> Result<Value<'_>, Problem> {
    let refused = |refusal| {
        Problem::Refused(PolicyError { setting, mode: BackupDirectory::Disabled, refusal })
    };
    let registry = form == Form::Registry;
    if entry.root == Root::Legacy {
        legacy(setting, &entry.raw)?;
    }
    if !setting.in_csp() && matches!(form, Form::Csp | Form::Intune) {
        return Err(Problem::Form(format!(
            "{setting} has no node in the CSP; only Group Policy, the registry and our JSON carry \
             it"
        )));
    }
    match (setting.allowed(BackupDirectory::Disabled), &entry.raw) {
        (Allowed::Range { .. } | Allowed::OneOf(_), Raw::Whole(whole)) => {
            let number = u16::try_from(*whole).map_err(|_| refused(ValueRefusal::Range))?;
            let gpo_only = setting == Setting::PostAuthenticationActions && number == 0;
            if gpo_only && matches!(form, Form::Csp | Form::Intune) {
                return Err(Problem::Form(format!(
                    "0 is refused: in the CSP, {setting} accepts one of 1, 3, 5, 11; \
                     PostAuthenticationResetDelay 0 switches the actions off"
                )));
            }
            Ok(Value::Number(
                if entry.root == Root::Legacy && setting == Setting::BackupDirectory {
                    number.saturating_mul(2)
                } else {
                    number
                },
            ))
        }
        (Allowed::Delay { .. }, Raw::Whole(whole)) => u16::try_from(*whole)
            .ok()
            .and_then(|hours| hours.checked_mul(60))
            .map(Value::Minutes)
            .ok_or_else(|| refused(ValueRefusal::Range)),
        (Allowed::Delay { .. }, Raw::Text(text)) if form == Form::Json => {
            minutes(text).map(Value::Minutes).ok_or_else(|| refused(ValueRefusal::Kind))
        }
        (Allowed::Switch, Raw::Switch(on)) => Ok(Value::Switch(*on)),
        (Allowed::Switch, Raw::Whole(whole)) if registry => match whole {
            0 => Ok(Value::Switch(false)),
            1 => Ok(Value::Switch(true)),
            _ => Err(refused(ValueRefusal::Range)),
        },
        (Allowed::Text { .. }, Raw::Text(text)) => Ok(Value::Text(text)),
        _ => Err(refused(ValueRefusal::Kind)),
    }
}

/// Legacy LAPS has fewer values.
fn legacy(setting: Setting, raw: &Raw) -> Result<(), Problem> {
    match (setting, raw) {
        (Setting::BackupDirectory, Raw::Whole(0 | 1))
        | (Setting::PasswordComplexity, Raw::Whole(1..=4)) => Ok(()),
        (Setting::BackupDirectory, _) => {
            Err(Problem::Form(format!("{raw} is refused: AdmPwdEnabled accepts 0 or 1")))
        }
        (Setting::PasswordComplexity, Raw::Whole(_)) => Err(Problem::Form(format!(
            "{raw} is refused: legacy Microsoft LAPS knows PasswordComplexity 1 to 4"
        ))),
        _ => Ok(()),
    }
}

/// What legacy LAPS means without saying it: the password stands in Active Directory in clear text,
/// nothing follows a use of the account, and an expiry beyond the age is left alone unless
/// configured otherwise.
pub(super) fn add_what_legacy_means(settings: &mut Settings) {
    for (setting, value) in [
        (Setting::BackupDirectory, Value::Number(0)),
        (Setting::ADPasswordEncryptionEnabled, Value::Switch(false)),
        (Setting::PostAuthenticationResetDelay, Value::Minutes(0)),
        (Setting::PasswordExpirationProtectionEnabled, Value::Switch(false)),
    ] {
        if settings.get(setting).is_none() {
            // Each is in its range; the tests hold them to it.
            let _in_range = settings.set(setting, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_legacy_means_is_in_range() {
        let mut settings = Settings::new();
        add_what_legacy_means(&mut settings);
        assert_eq!(settings.iter().count(), 4);
        assert!(settings.policy().is_ok());
    }
}
