//! Read, write, read is the identity, for what a form can carry.

use laps_core::policy::{
    Allowed, BackupDirectory, Document, Form, ResetStatus, Root, Setting, Settings, SyncmlCommand,
    Value, evaluate, read, write, write_registry, write_syncml,
};
use proptest::prelude::*;

use crate::reading::vector;

const FORMS: [Form; 4] = [Form::Csp, Form::Intune, Form::Json, Form::Registry];

fn read_back(bytes: &[u8]) -> Settings {
    let document = read(bytes, "written").unwrap();
    let evaluation = evaluate(&[document]);
    assert!(!evaluation.has_errors(), "{:?}", evaluation.findings);
    evaluation.configured
}

#[test]
fn every_vector_survives_every_form_that_can_carry_it() {
    for name in ["intune-entra.json", "intune-ad.json", "csp-entra.xml", "gpo.reg", "legacy.reg"] {
        let settings = evaluate(&[vector(name)]).configured;
        for form in FORMS {
            let bytes = write(&settings, form).unwrap();
            assert_eq!(read_back(&bytes), settings, "{name} as {}", form.name());
            assert_eq!(read(&bytes, name).unwrap().form(), form);
        }
    }
}

#[test]
fn what_a_form_cannot_carry_is_refused_by_name() {
    use Setting as S;
    let refused = |pairs: &[(Setting, Value<'_>)], form: Form| {
        let mut settings = Settings::new();
        for (setting, value) in pairs {
            settings.set(*setting, *value).unwrap();
        }
        let names = |error: laps_core::policy::WriteError| -> Vec<String> {
            let message = error.to_string();
            for (setting, value, why) in &error.refused {
                assert!(message.contains(&format!("{setting} {value}: {why}")), "{message}");
            }
            error.refused.iter().map(|(setting, ..)| setting.to_string()).collect()
        };
        write(&settings, form).map_or_else(names, |_| Vec::new())
    };
    let minutes = [(S::PostAuthenticationResetDelay, Value::Minutes(90))];
    for form in [Form::Csp, Form::Intune, Form::Registry] {
        assert_eq!(refused(&minutes, form), ["PostAuthenticationResetDelay"], "{}", form.name());
    }
    assert_eq!(refused(&minutes, Form::Json), [""; 0]);
    let dsrm = [(S::ADBackupDSRMPassword, Value::Switch(true)), minutes[0]];
    for form in [Form::Csp, Form::Intune] {
        assert_eq!(refused(&dsrm, form), ["PostAuthenticationResetDelay", "ADBackupDSRMPassword"]);
    }
    assert_eq!(refused(&dsrm[..1], Form::Registry), [""; 0]);
    let none = [(S::PostAuthenticationActions, Value::Number(0))];
    assert_eq!(refused(&none, Form::Csp), ["PostAuthenticationActions"]);
    assert_eq!(refused(&none, Form::Registry), [""; 0]);
    // Intune has no place for a dependent setting without the option above it.
    let loose = [
        (S::PasswordAgeDays, Value::Number(9)),
        (S::PassphraseLength, Value::Number(9)),
        (S::AutomaticAccountManagementTarget, Value::Number(0)),
        (S::ADPasswordEncryptionEnabled, Value::Switch(true)),
    ];
    assert_eq!(refused(&loose, Form::Intune).len(), 4);
    assert_eq!(refused(&loose, Form::Csp), [""; 0]);
    // Nothing configured is a JSON file, and nothing else.
    assert!(write(&Settings::new(), Form::Json).is_ok());
    assert!(write(&Settings::new(), Form::Csp).is_err());
    assert!(write_registry(&evaluate(&[vector("gpo.reg")]).configured, Root::Legacy).is_err());
}

#[test]
fn a_delete_names_the_nodes_and_adds_are_atomic() {
    let settings = evaluate(&[vector("csp-entra.xml")]).configured;
    let xml = write_syncml(&settings, SyncmlCommand::Delete).unwrap();
    let document = read(xml.as_bytes(), "d").unwrap();
    let names: Vec<_> = settings.iter().map(|(setting, _)| setting).collect();
    assert_eq!(document.deleted().collect::<Vec<_>>(), names);
    assert!(evaluate(&[document]).configured.is_empty());
    let xml = write_syncml(&settings, SyncmlCommand::Add).unwrap();
    assert!(xml.contains("<Atomic>") && xml.contains("<Add>") && !xml.contains("<Replace>"));
    assert_eq!(read_back(xml.as_bytes()), settings);
}

#[test]
fn every_root_of_the_registry_is_written_and_read() {
    let settings = evaluate(&[vector("gpo.reg")]).configured;
    for root in [Root::Csp, Root::GroupPolicy, Root::Local] {
        let bytes = write_registry(&settings, root).unwrap();
        assert_eq!(bytes[..2], [0xff, 0xfe]);
        let evaluation = evaluate(&[read(&bytes, "r").unwrap()]);
        assert_eq!((evaluation.root, evaluation.configured), (Some(root), settings));
    }
}

#[test]
fn a_rotation_is_asked_for_and_its_status_read() {
    use laps_core::policy::{RESET_PASSWORD, RESET_PASSWORD_STATUS};
    let asked = read(RESET_PASSWORD.as_bytes(), "r").unwrap();
    assert!(asked.resets_password() && asked.asks_reset_status());
    let asked = read(RESET_PASSWORD_STATUS.as_bytes(), "r").unwrap();
    assert!(!asked.resets_password() && asked.asks_reset_status());
    let status = |data: &str| -> Result<Option<ResetStatus>, String> {
        let xml = format!(
            "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncBody>\
             <Status><CmdID>1</CmdID><Data>200</Data></Status>\
             <Results><CmdID>2</CmdID><Item><Source>\
             <LocURI>./Device/Vendor/MSFT/LAPS/Actions/ResetPasswordStatus</LocURI></Source>\
             <Meta><Format xmlns='syncml:metinf'>int</Format></Meta>\
             <Data>{data}</Data></Item></Results></SyncBody></SyncML>"
        );
        read(xml.as_bytes(), "s").as_ref().map(Document::reset_status).map_err(ToString::to_string)
    };
    assert_eq!(status("0"), Ok(Some(ResetStatus::Succeeded)));
    for pending in ["-2147483638", "2147483658", "0x8000000A", "0x8000000a"] {
        assert_eq!(status(pending), Ok(Some(ResetStatus::Pending)), "{pending}");
    }
    assert_eq!(
        status("-2147024891").unwrap().unwrap().to_string(),
        "failed with 0x80070005: access is denied"
    );
    assert_eq!(ResetStatus::from_hresult(0x8007_0005).hresult(), Some(0x8007_0005));
    for bad in ["", "pending", "0x", "4294967296", "-2147483649"] {
        assert!(status(bad).is_err(), "{bad}");
    }
}

/// A value that a setting accepts in every backup mode.
fn any_value(setting: Setting) -> BoxedStrategy<OwnedValue> {
    match setting.allowed(BackupDirectory::Entra) {
        Allowed::Range { min, max } => (min..=max).prop_map(OwnedValue::Number).boxed(),
        Allowed::OneOf(values) => {
            proptest::sample::select(values).prop_map(OwnedValue::Number).boxed()
        }
        Allowed::Delay { max_minutes } => prop_oneof![
            (0..=24_u16).prop_map(|hours| OwnedValue::Minutes(hours * 60)),
            (0..=max_minutes).prop_map(OwnedValue::Minutes),
        ]
        .boxed(),
        Allowed::Switch => any::<bool>().prop_map(OwnedValue::Switch).boxed(),
        Allowed::Text { .. } if setting == Setting::ADPasswordEncryptionPrincipal => prop_oneof![
            Just(String::new()),
            "[A-Z]{1,9}\\\\[a-zä&'<é ]{0,20}x",
            "S-1-5-21-[1-9]{1,9}-512"
        ]
        .prop_map(OwnedValue::Text)
        .boxed(),
        Allowed::Text { .. } if setting == Setting::AutomaticAccountManagementNameOrPrefix => {
            prop_oneof![Just(String::new()), "[a-zA-Zäß&'€][a-z &'ä]{0,17}[a-z]"]
                .prop_map(OwnedValue::Text)
                .boxed()
        }
        Allowed::Text { .. } => "[^\\p{Cc}]{0,64}".prop_map(OwnedValue::Text).boxed(),
        _ => unreachable!("another kind of setting needs its own values here"),
    }
}

#[derive(Clone, Debug)]
enum OwnedValue {
    Minutes(u16),
    Number(u16),
    Switch(bool),
    Text(String),
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let all: Vec<_> = Setting::ALL
        .into_iter()
        .map(|setting| proptest::option::of(any_value(setting)).prop_map(move |v| (setting, v)))
        .collect();
    all.prop_map(|pairs| {
        let mut settings = Settings::new();
        for (setting, value) in pairs {
            let value = match &value {
                None => continue,
                Some(OwnedValue::Minutes(minutes)) => Value::Minutes(*minutes),
                Some(OwnedValue::Number(number)) => Value::Number(*number),
                Some(OwnedValue::Switch(on)) => Value::Switch(*on),
                Some(OwnedValue::Text(text)) => Value::Text(text),
            };
            settings.set(setting, value).unwrap();
        }
        settings
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(settings in any_settings()) {
        for form in FORMS {
            let mut carried = settings;
            let bytes = loop {
                match write(&carried, form) {
                    Ok(bytes) => break Some(bytes),
                    // Without what it cannot carry, it can.
                    Err(error) if !error.refused.is_empty() => {
                        for (setting, ..) in error.refused {
                            carried.unset(setting);
                        }
                    }
                    Err(_) => break None,
                }
            };
            match bytes {
                Some(bytes) => prop_assert_eq!(read_back(&bytes), carried, "{}", form.name()),
                None => prop_assert!(carried.is_empty()),
            }
        }
    }
}
