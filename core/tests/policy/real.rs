//! Documents as people have them (`vectors/policy/real`): what each comes to, and that no part of
//! one is dropped in silence.

use std::{fs, path::Path};

use laps_core::policy::{
    Clash, Document, DocumentError, Evaluation, FindingLevel, PolicyState, ResetStatus, evaluate,
    evaluate_with, read, read_named,
};

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy/real");
    fs::read(folder.join(name)).unwrap()
}

fn document(name: &str) -> Document {
    read(&bytes(name), name).unwrap()
}

fn configured(evaluation: &Evaluation) -> Vec<String> {
    evaluation.configured.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// The rules and settings of the findings of a level.
fn found(evaluation: &Evaluation, level: FindingLevel) -> Vec<(&'static str, &str)> {
    let of_level = evaluation.findings.iter().filter(|finding| finding.level == level);
    of_level.map(|finding| (finding.rule, &*finding.setting)).collect()
}

#[test]
fn what_is_a_policy_is_read() {
    for (name, settings) in [
        ("fleet-fragment.xml", "BackupDirectory=1 PasswordAgeDays=14 PasswordLength=20"),
        (
            "intune-custom-oma-uri.json",
            "BackupDirectory=1 AdministratorAccountName=FixItAdmin PasswordAgeDays=10 \
             PasswordLength=16 PasswordComplexity=4 PostAuthenticationResetDelay=8 \
             PostAuthenticationActions=3",
        ),
        (
            "intune-list-of-policies.json",
            "BackupDirectory=1 PasswordAgeDays=14 PasswordLength=20 PasswordComplexity=4 \
             PostAuthenticationResetDelay=6 PostAuthenticationActions=3",
        ),
        ("powershell-settings-unwrapped.json", "BackupDirectory=1 PasswordAgeDays=7"),
        (
            "principal-upn.json",
            "BackupDirectory=2 ADPasswordEncryptionPrincipal=laps-readers@example.org",
        ),
        ("reg-delete-then-set.reg", "BackupDirectory=1"),
        ("reg-version4.reg", "BackupDirectory=1 PasswordLength=20"),
    ] {
        let evaluation = evaluate(&[document(name)]);
        assert_eq!(found(&evaluation, FindingLevel::Error), [], "{name}");
        assert_eq!(configured(&evaluation).join(" "), settings, "{name}");
        assert_eq!(evaluation.state, PolicyState::Managed, "{name}");
    }
}

#[test]
fn what_is_no_policy_is_told_as_what_it_is() {
    for (name, what) in [
        ("Registry.pol", "Registry.pol"),
        ("cipp-template.json", "CIPP"),
        ("empty-utf16.reg", "an empty document"),
        ("gpp-registry.xml", "Group Policy preferences"),
        ("intune-latin1-description.json", "not UTF-8"),
        ("intune-setting-definition.json", "the definition of a setting"),
        ("intune-truncated-at-25.json", "cut after the first 25 of 153"),
        ("lgpo.txt", "LGPO"),
        ("m365dsc.ps1", "a PowerShell configuration"),
        ("powershell-depth-cut-children.json", "-Depth"),
        ("powershell-depth-cut-settings.json", "-Depth"),
        ("powershell-get-itemproperty.json", "Get-ItemProperty"),
        ("powershell-get-itemproperty.txt", "Get-ItemProperty"),
        ("reg-query.txt", "reg query"),
        (
            "reg-wrong-key.reg",
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\LAPS is none of them",
        ),
        ("wap-provisioning.xml", "WAP provisioning"),
    ] {
        let error = read(&bytes(name), name).expect_err(name);
        assert!(error.message.contains(what), "{error}");
    }
}

#[test]
fn a_wrong_value_is_an_error_about_its_setting() {
    for (name, errors) in [
        ("intune-age-below-seven.json", &[("range", "PasswordAgeDays")][..]),
        ("paa-number-8.json", &[("range", "PostAuthenticationActions")]),
        ("principal-brackets.json", &[("text", "ADPasswordEncryptionPrincipal")]),
        ("principal-group-name-only.json", &[("text", "ADPasswordEncryptionPrincipal")]),
        ("principal-quoted.json", &[("text", "ADPasswordEncryptionPrincipal")]),
        ("principal-two.json", &[("text", "ADPasswordEncryptionPrincipal")]),
        ("reg-hand-edited.reg", &[("type", "BackupDirectory")]),
        (
            "syncml-bool-as-int.xml",
            &[
                ("type", "ADPasswordEncryptionEnabled"),
                ("type", "PasswordExpirationProtectionEnabled"),
            ],
        ),
        ("syncml-dsrm.xml", &[("form", "ADBackupDSRMPassword")]),
        ("syncml-uri-with-space.xml", &[("unknown", " BackupDirectory")]),
    ] {
        let evaluation = evaluate(&[document(name)]);
        assert_eq!(found(&evaluation, FindingLevel::Error), errors, "{name}");
        assert_eq!(evaluation.state, PolicyState::Refused, "{name}");
    }
}

#[test]
fn what_windows_does_not_tell_is_a_warning_of_one_line() {
    const ACCOUNT: &[(&str, &str)] = &[("account", "AdministratorAccountName")];
    for (name, warnings) in [
        ("account-blank-space.json", ACCOUNT),
        ("account-domain-user.json", ACCOUNT),
        ("account-dot-slash.json", ACCOUNT),
        ("account-localised.json", ACCOUNT),
        ("account-long-21.json", ACCOUNT),
        ("account-upn.json", ACCOUNT),
        ("account-variable.json", ACCOUNT),
        ("agent-aam.json", &[("effect", "AdministratorAccountName"), ("older", "")]),
        ("delay-zero.json", &[("effect", "PostAuthenticationActions")]),
        (
            "intune-aam-account-left-disabled.json",
            &[("older", ""), ("disabled", "AutomaticAccountManagementEnableAccount")],
        ),
        (
            "reg-dsrm-without-encryption.reg",
            &[("effect", "ADBackupDSRMPassword"), ("weak", "ADPasswordEncryptionEnabled")],
        ),
    ] {
        let evaluation = evaluate(&[document(name)]);
        assert_eq!(found(&evaluation, FindingLevel::Warning), warnings, "{name}");
        assert_eq!(evaluation.state, PolicyState::Managed, "{name}");
    }
}

#[test]
fn off_and_nothing_are_told_first() {
    for name in [
        "agent-off.json",
        "intune-off-for-exclusion.json",
        "reg-laps-tree-with-state.reg",
        "reg-legacy-and-windows.reg",
    ] {
        let evaluation = evaluate(&[document(name)]);
        assert_eq!(evaluation.state, PolicyState::Off, "{name}");
        assert!(evaluation.state.to_string().contains("10024"));
    }
    let evaluation = evaluate(&[document("intune-split-part2.json")]);
    assert_eq!(evaluation.state, PolicyState::NotOn);
    assert_eq!(evaluate(&[]).state, PolicyState::Nothing);
    // What legacy LAPS holds beside is said, in one line.
    let evaluation = evaluate(&[document("reg-legacy-and-windows.reg")]);
    assert_eq!(found(&evaluation, FindingLevel::Warning), [("ignored", "")]);
}

#[test]
fn a_profile_that_is_no_longer_assigned_takes_its_settings_away() {
    let delete = |path: &str| {
        let xml = format!(
            "<Delete><CmdID>1</CmdID><Item><Target><LocURI>./Device/Vendor/MSFT/LAPS/{path}\
             </LocURI></Target></Item></Delete>"
        );
        read(xml.as_bytes(), "delete.xml").unwrap()
    };
    for path in ["Policies/PasswordLength", "Policies"] {
        let evaluation = evaluate(&[delete(path)]);
        assert_eq!((evaluation.state, evaluation.root), (PolicyState::Removed, None), "{path}");
        assert_eq!(found(&evaluation, FindingLevel::Note), [("removed", "")], "{path}");
        assert!(evaluation.policy.is_some());
        // Beside a document that sets it: a clash that names both, or the last one wins.
        let both = [document("fleet-fragment.xml"), delete(path)];
        let evaluation = evaluate(&both);
        assert_eq!(evaluation.state, PolicyState::Refused);
        let error = &evaluation.findings[0];
        assert_eq!(error.rule, "conflict");
        assert!(
            error.message.contains("fleet-fragment.xml, line")
                && error.message.contains("delete.xml")
        );
        let [set, gone] = both;
        let evaluation = evaluate(&[gone.clone(), set.clone()]);
        assert_eq!(evaluation.state, PolicyState::Refused);
        let evaluation = evaluate_with(&[gone.clone(), set.clone()], Clash::LastWins);
        assert_eq!(configured(&evaluation).len(), 3, "{path}");
        let evaluation = evaluate_with(&[set, gone], Clash::LastWins);
        assert_eq!(configured(&evaluation).len(), if path == "Policies" { 0 } else { 2 });
        let state = if path == "Policies" { PolicyState::Removed } else { PolicyState::Managed };
        assert_eq!(evaluation.state, state);
    }
    // Within one document, its own order counts.
    let set = |value| {
        format!(
            "<Add><Item><Target><LocURI>./Device/Vendor/MSFT/LAPS/Policies/PasswordLength\
             </LocURI></Target><Data>{value}</Data></Item></Add>"
        )
    };
    let gone = "<Delete><Item><Target><LocURI>./Device/Vendor/MSFT/LAPS/Policies\
                </LocURI></Target></Item></Delete>";
    let read = |xml: String| evaluate(&[read(xml.as_bytes(), "x").unwrap()]);
    assert_eq!(configured(&read(format!("{}{gone}{}", set(8), set(9)))), ["PasswordLength=9"]);
    assert_eq!(read(format!("{}{gone}", set(8))).state, PolicyState::Removed);
}

#[test]
fn documents_of_one_root_are_joined() {
    let split = ["intune-split-part1.json", "intune-split-part2.json"].map(document);
    let evaluation = evaluate(&split);
    assert_eq!(configured(&evaluation), ["BackupDirectory=1", "PasswordLength=24"]);
    assert_eq!(evaluation.sources, ["intune-split-part1.json", "intune-split-part2.json"]);
    assert_eq!(found(&evaluation, FindingLevel::Note), [("joined", "")]);
    assert_eq!(evaluation.state, PolicyState::Managed);
    let source = |evaluation: &Evaluation, name: &str| {
        let row = evaluation.settings.iter().find(|row| row.setting.name() == name);
        row.map(|row| row.source.clone())
    };
    assert_eq!(source(&evaluation, "PasswordLength").unwrap(), "intune-split-part2.json");
    assert_eq!(source(&evaluation, "PasswordAgeDays").unwrap(), "default");
}

#[test]
fn settings_that_clash_are_errors_that_name_both_documents() {
    let [one, other] = ["conflict-a.json", "conflict-b.json"].map(document);
    let clashes = |documents: &[Document]| {
        let evaluation = evaluate(documents);
        let mut names = Vec::new();
        for finding in
            evaluation.findings.iter().filter(|finding| finding.level == FindingLevel::Error)
        {
            assert_eq!(finding.rule, "conflict");
            assert!(
                finding.message.contains("conflict-a.json, line")
                    && finding.message.contains("conflict-b.json, line")
            );
            names.push(finding.setting.clone());
        }
        assert_eq!((evaluation.policy, evaluation.state), (None, PolicyState::Refused));
        assert_eq!(evaluation.refused.len(), names.len());
        names
    };
    let mut names = clashes(&[one.clone(), other.clone()]);
    let mut back = clashes(&[other.clone(), one.clone()]);
    names.sort();
    back.sort();
    assert_eq!(names, ["PasswordAgeDays", "PasswordLength"]);
    assert_eq!(names, back);
    let last = |documents: &[Document]| configured(&evaluate_with(documents, Clash::LastWins));
    let won = last(&[one.clone(), other.clone()]);
    assert!(
        won.contains(&"PasswordLength=32".to_owned())
            && won.contains(&"PasswordComplexity=4".to_owned())
    );
    assert!(last(&[other, one.clone()]).contains(&"PasswordLength=20".to_owned()));
    // The same document twice says the same; a name in other capitals is the same name.
    assert_eq!(evaluate(&[one.clone(), one]).state, PolicyState::Managed);
    let named = |name| {
        read(
            format!(r#"{{"BackupDirectory":1,"AdministratorAccountName":"{name}"}}"#).as_bytes(),
            name,
        )
        .unwrap()
    };
    assert_eq!(evaluate(&[named("Ops"), named("OPS")]).state, PolicyState::Managed);
    assert_eq!(evaluate(&[named("Ops"), named("Opt")]).state, PolicyState::Refused);
}

#[test]
fn of_several_policies_one_is_chosen_by_its_name() {
    let list = |policies: &str| format!("{{\"value\": [{policies}]}}");
    let [one, other] =
        ["conflict-a.json", "conflict-b.json"].map(|name| String::from_utf8(bytes(name)).unwrap());
    let other = other.replace("\"name\": \"", "\"name\": \"Other ").replace("0f0e", "aaaa");
    let text = list(&format!("{one},{other}"));
    let error: DocumentError = read(text.as_bytes(), "list").unwrap_err();
    assert_eq!(error.policies.len(), 2, "{error}");
    for policy in &error.policies {
        assert!(error.message.contains(policy));
        let (name, id) = policy.strip_suffix(')').unwrap().split_once(" (").unwrap();
        for chosen in [name.to_uppercase(), id.to_owned()] {
            let document = read_named(text.as_bytes(), "list", Some(&chosen)).unwrap();
            assert_eq!(document.policy_name(), name);
        }
    }
    let error = read_named(text.as_bytes(), "list", Some("third")).unwrap_err();
    assert!(error.message.contains("no policy in it is named") && error.policies.len() == 2);
    let twice = read_named(list(&format!("{one},{one}")).as_bytes(), "list", None).unwrap_err();
    assert_eq!(twice.policies.len(), 2);
    // Without names they have their number.
    let text = r#"[{"BackupDirectory":1},{"BackupDirectory":2}]"#;
    assert_eq!(read(text.as_bytes(), "list").unwrap_err().policies, ["1", "2"]);
    let second = read_named(text.as_bytes(), "list", Some("2")).unwrap();
    assert_eq!(configured(&evaluate(&[second])), ["BackupDirectory=2"]);
    assert!(read(br#"[{"BackupDirectory":1}]"#, "list").is_ok());
}

#[test]
fn the_settings_end_point_is_read_alone() {
    let policy: serde_json::Value = serde_json::from_slice(&bytes("conflict-a.json")).unwrap();
    let whole = configured(&evaluate(&[document("conflict-a.json")]));
    let settings = &policy["settings"];
    for text in [
        serde_json::json!({"@odata.context": "x", "value": settings}).to_string(),
        settings.to_string(),
        serde_json::json!({"@odata.count": settings.as_array().unwrap().len(), "value": settings})
            .to_string(),
    ] {
        assert_eq!(configured(&evaluate(&[read(text.as_bytes(), "s").unwrap()])), whole);
    }
    let cut =
        serde_json::json!({"value": settings, "@odata.nextLink": "https://graph"}).to_string();
    assert!(read(cut.as_bytes(), "s").unwrap_err().message.contains("cut after the first"));
    let cut = serde_json::json!({"value": settings, "@odata.count": 99}).to_string();
    assert!(read(cut.as_bytes(), "s").unwrap_err().message.contains("@odata.count is 99"));
    // A list whose policies came without their settings.
    let bare = r#"{"value":[{"id":"1","name":"LAPS","settingCount":4}]}"#;
    assert!(read(bare.as_bytes(), "s").unwrap_err().message.contains("$expand=settings"));
}

#[test]
fn what_stands_beside_and_works_against_laps_is_told_once() {
    let protection = "./Device/Vendor/MSFT/Policy/Config/LocalPoliciesSecurityOptions/\
                      UserAccountControl_TypeOfAdminApprovalMode";
    let groups = "./Device/Vendor/MSFT/Policy/Config/LocalUsersAndGroups/Configure";
    let xml = |uri: &str, data: &str| {
        format!(
            "<Replace><Item><Target><LocURI>{uri}</LocURI></Target>\
             <Data>{data}</Data></Item></Replace>"
        )
    };
    let laps = String::from_utf8(bytes("fleet-fragment.xml")).unwrap();
    let replace = "<![CDATA[<GroupConfiguration><accessgroup desc=\"Administrators\"><group \
                   action=\"R\"/></accessgroup></GroupConfiguration>]]>";
    let told = |beside: &str| {
        let evaluation = evaluate(&[read(format!("{laps}{beside}").as_bytes(), "x").unwrap()]);
        found(&evaluation, FindingLevel::Warning).len()
    };
    assert_eq!(told(&xml(protection, "1")), 0);
    assert_eq!(told(&xml(protection, "2")), 1);
    assert_eq!(told(&format!("{}{}", xml(protection, "2"), xml(protection, "2"))), 1);
    assert_eq!(told(&xml(groups, replace)), 1);
    assert_eq!(told(&xml(groups, &replace.replace("\"R\"", "\"U\""))), 0);
    assert_eq!(told(&xml(groups, &replace.replace("Administrators", "Guests"))), 0);
    // In an export of the catalog.
    let mut policy: serde_json::Value = serde_json::from_slice(&bytes("conflict-a.json")).unwrap();
    let id = "device_vendor_msft_policy_config_localpoliciessecurityoptions_\
              useraccountcontrol_typeofadminapprovalmode";
    let value = serde_json::json!({"value": format!("{id}_2"), "children": []});
    policy["settings"].as_array_mut().unwrap().push(serde_json::json!({
        "id": "9", "settingInstance": {"settingDefinitionId": id, "choiceSettingValue": value},
    }));
    let evaluation = evaluate(&[read(policy.to_string().as_bytes(), "x").unwrap()]);
    assert_eq!(found(&evaluation, FindingLevel::Warning), [("beside", "")]);
    assert_eq!(found(&evaluation, FindingLevel::Note), [("passed-over", "")]);
    let reg = "REGEDIT4\n\
               [HKLM\\SOFTWARE\\Microsoft\\Policies\\LAPS]\n\"BackupDirectory\"=dword:1\n\
               [HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System]\n\
               \"TypeOfAdminApprovalMode\"=dword:2\n";
    let evaluation = evaluate(&[read(reg.as_bytes(), "x").unwrap()]);
    assert_eq!(found(&evaluation, FindingLevel::Warning), [("beside", "")]);
}

#[test]
fn a_key_where_windows_does_not_look_is_told() {
    let reg = "REGEDIT4\n\
               [HKLM\\SOFTWARE\\Microsoft\\Policies\\LAPS]\n\"BackupDirectory\"=dword:1\n\
               [HKLM\\SOFTWARE\\Policies\\Microsoft\\LAPS]\n\"PasswordLength\"=dword:20\n";
    let evaluation = evaluate(&[read(reg.as_bytes(), "x").unwrap()]);
    assert_eq!(found(&evaluation, FindingLevel::Warning), [("key", "")]);
}

#[test]
fn a_device_that_does_not_answer_says_why() {
    for (name, status, words) in [
        ("syncml-reset-status-404.xml", ResetStatus::NoAnswer(404), "no such node"),
        ("syncml-reset-status-denied.xml", ResetStatus::Failed(0x8007_0005), "access is denied"),
        ("syncml-reset-status-pending.xml", ResetStatus::Pending, "still running"),
    ] {
        let found = document(name).reset_status().unwrap();
        assert_eq!(found, status, "{name}");
        assert!(found.to_string().contains(words), "{found}");
    }
}

#[test]
fn words_for_a_number_are_answered_with_what_each_number_means() {
    for (setting, words, answer) in [
        ("PasswordComplexity", "alphanumeric", "3 also digits (alphanumeric)"),
        ("PasswordComplexity", "large letters", "1 upper-case letters"),
        ("BackupDirectory", "Entra", "1 Microsoft Entra"),
        ("PostAuthenticationActions", "reset", "1 reset"),
    ] {
        let text = format!("{{\"{setting}\": \"{words}\"}}");
        let evaluation = evaluate(&[read(text.as_bytes(), "x").unwrap()]);
        assert!(evaluation.findings[0].message.contains(answer), "{:?}", evaluation.findings);
    }
    // A name that is far from every setting has no nearest one.
    let evaluation = evaluate(&[read(br#"{"Enabled": true}"#, "x").unwrap()]);
    assert!(!evaluation.findings[0].message.contains("nearest"));
}
