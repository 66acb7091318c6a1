//! The vectors: one document of each form.

use std::{fs, path::Path};

use laps_core::policy::{Document, Evaluation, FindingLevel, Form, Root, evaluate, read};

pub(crate) fn vector(name: &str) -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy").join(name);
    read(&fs::read(path).unwrap(), name).unwrap()
}

/// What is configured, as text: `Name=value`.
pub(crate) fn configured(evaluation: &Evaluation) -> Vec<String> {
    evaluation.configured.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn errors(evaluation: &Evaluation) -> Vec<String> {
    evaluation
        .findings
        .iter()
        .filter(|f| f.level == FindingLevel::Error)
        .map(ToString::to_string)
        .collect()
}

#[test]
fn intunes_entra_policy_is_read() {
    let document = vector("intune-entra.json");
    assert_eq!(document.form(), Form::Intune);
    let evaluation = evaluate(&[document]);
    assert_eq!(errors(&evaluation), [""; 0]);
    assert_eq!(
        configured(&evaluation),
        [
            "BackupDirectory=1",
            "AdministratorAccountName=Admin",
            "PasswordAgeDays=14",
            "PasswordLength=20",
            "PasswordComplexity=6",
            "PassphraseLength=5",
            "PostAuthenticationResetDelay=8",
            "PostAuthenticationActions=5",
        ]
    );
    let policy = evaluation.policy.unwrap();
    assert_eq!(policy.post_authentication_reset_delay_minutes(), 480);
    assert_eq!(evaluation.root, Some(Root::Csp));
}

#[test]
fn intunes_active_directory_policy_is_read() {
    let evaluation = evaluate(&[vector("intune-ad.json")]);
    assert_eq!(errors(&evaluation), [""; 0]);
    assert_eq!(
        configured(&evaluation),
        [
            "BackupDirectory=2",
            "PasswordAgeDays=10",
            "PasswordLength=24",
            "PasswordComplexity=4",
            "ADPasswordEncryptionEnabled=true",
            "ADPasswordEncryptionPrincipal=CONTOSO\\LapsReaders",
            "ADEncryptedPasswordHistorySize=6",
            "PasswordExpirationProtectionEnabled=true",
            "AutomaticAccountManagementEnabled=true",
            "AutomaticAccountManagementTarget=1",
            "AutomaticAccountManagementNameOrPrefix=ops",
            "AutomaticAccountManagementEnableAccount=true",
            "AutomaticAccountManagementRandomizeName=true",
        ]
    );
    assert!(evaluation.policy.is_some());
}

#[test]
fn syncml_for_the_csp_is_read() {
    let document = vector("csp-entra.xml");
    assert_eq!(document.form(), Form::Csp);
    let evaluation = evaluate(&[document]);
    assert_eq!(evaluation.findings, []);
    assert_eq!(
        configured(&evaluation),
        [
            "BackupDirectory=1",
            "AdministratorAccountName=Admin",
            "PasswordAgeDays=30",
            "PasswordLength=14",
            "PasswordComplexity=4",
            "PostAuthenticationResetDelay=24",
            "PostAuthenticationActions=3",
        ]
    );
}

#[test]
fn syncml_that_asks_for_a_rotation_has_no_settings() {
    let document = vector("csp-rotate.xml");
    assert!(document.resets_password() && document.asks_reset_status());
    let evaluation = evaluate(&[document]);
    assert_eq!(evaluation.root, None);
    assert!(evaluation.settings.iter().all(|row| row.source == "default"));
}

#[test]
fn an_export_of_group_policy_in_utf16_is_read() {
    let evaluation = evaluate(&[vector("gpo.reg")]);
    assert_eq!(errors(&evaluation), [""; 0]);
    assert_eq!(evaluation.root, Some(Root::GroupPolicy));
    assert_eq!(
        configured(&evaluation),
        [
            "BackupDirectory=2",
            "AdministratorAccountName=Ops \"local\" admin",
            "PasswordAgeDays=30",
            "PasswordLength=24",
            "ADPasswordEncryptionPrincipal=CONTOSO\\LapsReaders",
        ]
    );
}

#[test]
fn legacy_laps_means_clear_text_in_active_directory_and_no_actions() {
    let evaluation = evaluate(&[vector("legacy.reg")]);
    assert_eq!(errors(&evaluation), [""; 0]);
    assert_eq!(evaluation.root, Some(Root::Legacy));
    assert_eq!(
        configured(&evaluation),
        [
            "BackupDirectory=2",
            "PasswordAgeDays=30",
            "PasswordLength=14",
            "PasswordComplexity=4",
            "PostAuthenticationResetDelay=0",
            "ADPasswordEncryptionEnabled=false",
            "PasswordExpirationProtectionEnabled=true",
        ]
    );
    let rules: Vec<_> = evaluation.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["weak", "legacy"]);
}

#[test]
fn a_build_without_word_lists_says_that_it_cannot_make_passphrases() {
    let evaluation = evaluate(&[vector("intune-entra.json")]);
    let says = evaluation.findings.iter().any(|finding| finding.rule == "build");
    assert_eq!(says, cfg!(not(feature = "passphrase")));
    assert!(evaluation.policy.is_some_and(|policy| policy.recipe().is_err() == says));
}
