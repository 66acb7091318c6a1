//! The cases that every face is held to: documents, and the exact JSON that `policy show --json` prints.

use std::{fs, path::Path};

use laps_core::policy::{Document, evaluate, read};
use serde_json::Value;

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
        // What is not listed has its default, and says so.
        let settings = shown["settings"].as_object().unwrap();
        let others: serde_json::Map<_, _> = settings
            .iter()
            .filter(|(_, row)| row["source"] != "default")
            .map(|(name, row)| (name.clone(), row["value"].clone()))
            .collect();
        assert_eq!(Value::Object(others), case["settings"], "{name}");
        assert_eq!(evaluation.policy.is_none(), evaluation.has_errors(), "{name}");
    }
}
