//! The cases that every face is held to: what a change does, and what is written in each form, to
//! the byte.

use std::{fs, path::Path};

use laps_core::policy::{Evaluation, Form, diff, diff_json, evaluate, read, write};
use serde_json::{Value, json};

fn cases(kind: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy/changes.json");
    let all: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let found = all[kind].as_array().unwrap().clone();
    assert!(!found.is_empty());
    found
}

fn evaluated(document: &Value) -> Evaluation {
    evaluate(&[read(document.to_string().as_bytes(), "policy.json").unwrap()])
}

#[test]
fn every_change_has_its_effects() {
    for case in cases("changes") {
        let found = diff(&evaluated(&case["old"]), &evaluated(&case["new"]));
        let shown = found.map_or(Value::Null, |found| {
            let mut document: Value = serde_json::from_str(&diff_json(&found)).unwrap();
            document["changes"].take()
        });
        assert_eq!(shown, case["changes"], "{}", case["case"]);
    }
}

#[test]
fn every_form_is_written_to_the_byte_or_refused_by_name() {
    for case in cases("exports") {
        let form = Form::from_name(case["as"].as_str().unwrap()).unwrap();
        let evaluation = evaluated(&case["document"]);
        if evaluation.policy.is_none() {
            assert_eq!(case["refused"], json!("a policy with errors is not exported"));
            continue;
        }
        match write(&evaluation.configured, form) {
            Ok(bytes) => {
                let text = case["written"].as_str().expect("the case is refused");
                let expected = if form == Form::Registry {
                    let units = core::iter::once(0xfeff).chain(text.encode_utf16());
                    units.flat_map(u16::to_le_bytes).collect()
                } else {
                    text.as_bytes().to_vec()
                };
                assert_eq!(bytes, expected, "{}", case["case"]);
            }
            Err(error) => assert_eq!(json!(error.to_string()), case["refused"], "{}", case["case"]),
        }
    }
}
