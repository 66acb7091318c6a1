//! The cases that every face is held to: documents, and the exact JSON that `policy show --json`
//! prints.

use std::{fs, path::Path};

use laps_core::policy::{Document, Setting, evaluate, read};
use serde_json::{Value, json};

fn cases() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy/findings.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A document is text, or lines of it, under its file's name; or the name of a file beside.
fn documents(case: &Value) -> Vec<Document> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy");
    case["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| {
            if let Some(name) = document.as_str() {
                return read(&fs::read(folder.join(name)).unwrap(), name).unwrap();
            }
            let text = document.get("text").and_then(Value::as_str).map(ToOwned::to_owned);
            let text = text.unwrap_or_else(|| document["json"].to_string());
            read(text.as_bytes(), document["name"].as_str().unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn every_case_gives_its_findings_and_values() {
    for case in cases() {
        let evaluation = evaluate(&documents(&case));
        let shown: Value = serde_json::from_str(&evaluation.to_json()).unwrap();
        let name = &case["case"];
        assert_eq!(shown["findings"], case["findings"], "{name}");
        assert_eq!(shown["root"], case["root"], "{name}");
        assert_eq!(shown["state"], case["state"], "{name}");
        assert_eq!(shown["summary"], evaluation.state.to_string(), "{name}");
        // What is not listed has its default, and says so.
        let settings = shown["settings"].as_object().unwrap();
        let others: serde_json::Map<_, _> = settings
            .iter()
            .filter(|(_, row)| row["source"] != "default" && row.get("refused").is_none())
            .map(|(name, row)| (name.clone(), row["value"].clone()))
            .collect();
        assert_eq!(Value::Object(others), case["settings"], "{name}");
        // Every setting is shown, and one that is refused has no value, but its reason, which is a
        // finding too.
        assert_eq!(settings.len(), Setting::ALL.len(), "{name}");
        for row in settings.values().filter(|row| row["value"].is_null()) {
            let mut findings = shown["findings"].as_array().unwrap().iter();
            assert!(
                findings
                    .any(|found| found["level"] == "error" && found["message"] == row["refused"]),
                "{name}"
            );
            assert!(row.get("given").is_some(), "{name}");
        }
        assert_eq!(evaluation.policy.is_none(), evaluation.has_errors(), "{name}");
    }
}

#[test]
fn what_is_refused_is_shown_as_it_was_given() {
    let long = "x".repeat(300);
    for (json, setting, given) in [
        (r#"{"PasswordLength": 7}"#, "PasswordLength", json!(7)),
        (r#"{"PasswordLength": -7}"#, "PasswordLength", json!(-7)),
        (r#"{"PasswordLength": 7.5}"#, "PasswordLength", json!(7.5)),
        (r#"{"PasswordLength": "long"}"#, "PasswordLength", json!("long")),
        (r#"{"PasswordLength": true}"#, "PasswordLength", json!(true)),
        (r#"{"PasswordLength": [14]}"#, "PasswordLength", json!(null)),
        (r#"{"PasswordLength": null}"#, "PasswordLength", json!(null)),
        (r#"{"BackupDirectory": 3}"#, "BackupDirectory", json!(3)),
        (
            &format!(r#"{{"AdministratorAccountName": "{long}"}}"#),
            "AdministratorAccountName",
            json!(format!("{}…", &long[..40])),
        ),
    ] {
        let evaluation = evaluate(&[read(json.as_bytes(), "policy.json").unwrap()]);
        let shown: Value = serde_json::from_str(&evaluation.to_json()).unwrap();
        let row = &shown["settings"][setting];
        assert_eq!((&row["value"], &row["given"]), (&json!(null), &given), "{json}");
        assert_eq!(row["source"], "policy.json");
        let reason = row["refused"].as_str().unwrap();
        assert_eq!(evaluation.refused[0].reason, reason);
        assert_eq!(evaluation.findings[0].message, reason);
        assert_eq!(evaluation.refused.len(), 1, "{json}");
    }
}
