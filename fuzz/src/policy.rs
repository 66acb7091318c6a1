//! Policy documents and security identifiers.

use laps_core::{
    account::Sid,
    policy::{Form, Setting, Settings, diff, evaluate, read, write},
};

/// Any bytes give a policy or say why not. A policy holds no value out of its range; what it
/// configures can be written in each form, or is refused by name, and what was written reads back
/// the same.
///
/// # Panics
/// When one of these does not hold.
pub fn policy(data: &[u8]) {
    let document = match read(data, "fuzz") {
        Ok(document) => document,
        Err(error) => {
            assert!(!error.message.is_empty());
            return;
        }
    };
    let evaluation = evaluate(&[document]);
    assert!(evaluation.to_json().starts_with('{'));
    assert_eq!(evaluation.policy.is_none(), evaluation.has_errors());
    let Some(policy) = evaluation.policy else { return };
    let mut settings = Settings::new();
    for setting in Setting::ALL {
        assert_eq!(settings.set(setting, policy.value(setting)), Ok(()));
    }
    assert_eq!(settings.policy(), Ok(policy));
    assert_eq!(diff(&evaluation, &evaluation), Some(Vec::new()));
    for form in [Form::Csp, Form::Intune, Form::Json, Form::Registry] {
        match write(&evaluation.configured, form) {
            Ok(bytes) => {
                let again = read(&bytes, "again").map(|document| evaluate(&[document]).configured);
                assert_eq!(again.as_ref(), Ok(&evaluation.configured));
            }
            Err(error) => assert!(evaluation.configured.is_empty() || !error.refused.is_empty()),
        }
    }
}

/// A SID has one text and one binary form.
///
/// # Panics
/// When what was read is not written back unchanged.
pub fn sid(data: &[u8]) {
    if let Ok(sid) = Sid::from_bytes(data) {
        let mut out = [0; Sid::MAX_BINARY_LEN];
        let len = sid.write_bytes(&mut out);
        assert_eq!(out.get(..len), Some(data));
        assert_eq!(sid.to_string().parse(), Ok(sid));
    }
    if let Some(sid) = core::str::from_utf8(data).ok().and_then(|text| text.parse::<Sid>().ok()) {
        assert_eq!(sid.to_string().as_bytes(), data);
    }
}
