//! Every part of every document is deleted, doubled and given another type. What comes of it is
//! refused, an error about a setting, or read with every setting that still stands in the text:
//! never an accepted document that holds a setting which was not read.

use alloc::collections::BTreeSet;
use std::{fs, path::Path};

use laps_core::policy::{FindingLevel, Form, Setting, evaluate, read};
use serde_json::{Value, json};

/// The documents of both folders that are read, by how their name ends.
fn documents(ends: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy");
    let mut found = Vec::new();
    for folder in [folder.clone(), folder.join("real")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.ends_with(ends) {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            if read(&bytes, &name).is_err() {
                continue;
            }
            let text = if bytes.starts_with(&[0xff, 0xfe]) {
                let units: Vec<_> =
                    bytes[2..].as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
                String::from_utf16(&units).unwrap()
            } else {
                String::from_utf8(bytes).unwrap()
            };
            found.push((name, text));
        }
    }
    assert!(found.len() >= 3, "{ends}");
    found
}

/// How a changed document was taken.
enum Taken {
    Refused,
    /// Accepted: the settings, those that an error is about, and everything that findings say.
    Read(BTreeSet<Setting>, String),
}

fn taken(text: &str) -> Taken {
    let Ok(document) = read(text.as_bytes(), "changed") else { return Taken::Refused };
    let form = document.form();
    let deleted: Vec<Setting> = document.deleted().collect();
    let evaluation = evaluate(&[document]);
    if evaluation.findings.iter().any(|finding| finding.level == FindingLevel::Error) {
        return Taken::Refused;
    }
    let told: Vec<_> = evaluation.findings.iter().map(ToString::to_string).collect();
    let mut settings: BTreeSet<_> =
        evaluation.configured.iter().map(|(setting, _)| setting).collect();
    settings.extend(deleted);
    // What legacy LAPS means without saying it was not in the text.
    if form == Form::Registry && !text.contains("Policies\\LAPS") && !text.contains("LAPS\\Config")
    {
        settings.clear();
    }
    Taken::Read(settings, told.join("\n"))
}

/// The settings that a JSON document has, wherever they stand: found without our reader.
fn standing(value: &Value, all: &mut BTreeSet<Setting>) {
    let by_name = |name: &str| {
        let name = name.strip_suffix("_aad").unwrap_or(name);
        Setting::ALL.into_iter().find(|setting| setting.name().eq_ignore_ascii_case(name))
    };
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name == "settingDefinitionId"
                    && let Some(id) = value.as_str()
                    && let Some(name) = id.strip_prefix("device_vendor_msft_laps_policies_")
                {
                    all.extend(by_name(name));
                }
                if name == "omaUri"
                    && let Some(uri) = value.as_str()
                    && let Some(name) = uri.strip_prefix("./Device/Vendor/MSFT/LAPS/Policies/")
                {
                    all.extend(by_name(name));
                }
                if Setting::from_name(name).is_some() {
                    all.extend(by_name(name));
                }
                standing(value, all);
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|item| standing(item, all));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn check_json(name: &str, what: &str, changed: &Value, count: &mut [usize; 2]) {
    match taken(&changed.to_string()) {
        Taken::Refused => count[0] += 1,
        Taken::Read(settings, _) => {
            count[1] += 1;
            let mut expected = BTreeSet::new();
            standing(changed, &mut expected);
            assert_eq!(settings, expected, "{name}: {what}: {changed}");
        }
    }
}

/// Every value in a document, by its JSON pointer.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(value, &format!("{at}/{name}"), all);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn delete(document: &mut Value, pointer: &str, double: bool) -> bool {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return false };
    match document.pointer_mut(parent).unwrap() {
        Value::Object(members) if !double => {
            members.remove(&last.replace("~1", "/").replace("~0", "~"));
            true
        }
        Value::Array(items) => {
            let index: usize = last.parse().unwrap();
            if double {
                items.push(items[index].clone());
            } else {
                items.remove(index);
            }
            true
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            false
        }
    }
}

#[test]
fn no_part_of_a_json_document_is_dropped_in_silence() {
    let mut count = [0, 0];
    for (name, text) in documents(".json") {
        if ["findings.json", "changes.json", "accounts.json"].contains(&&*name) {
            continue;
        }
        let document: Value = serde_json::from_str(&text).unwrap();
        let mut all = Vec::new();
        pointers(&document, "", &mut all);
        for pointer in &all {
            for double in [false, true] {
                let mut changed = document.clone();
                if delete(&mut changed, pointer, double) {
                    let what = if double { "doubled" } else { "deleted" };
                    check_json(&name, &format!("{pointer} {what}"), &changed, &mut count);
                }
            }
            let own = document.pointer(pointer).unwrap().clone();
            for other in [
                Value::Null,
                json!(true),
                json!(7),
                json!("text"),
                json!(""),
                json!("@{id=0; settingInstance=}"),
                json!([]),
                json!({}),
                json!([own]),
                json!([own, own]),
                json!({"x": own}),
                json!({"value": own}),
                json!({"children": [own]}),
            ] {
                let mut changed = document.clone();
                *changed.pointer_mut(pointer).unwrap() = other.clone();
                check_json(&name, &format!("{pointer} became {other}"), &changed, &mut count);
            }
        }
        let whole = document.to_string();
        // A name twice in one object, which a JSON value cannot hold.
        for pointer in all.iter().filter(|pointer| !pointer.is_empty()) {
            let last = pointer.rsplit('/').next().unwrap().replace("~1", "/");
            let member = format!("\"{last}\":");
            let doubled = whole.replacen(&member, &format!("{member}null,{member}"), 1);
            assert!(doubled == whole || read(doubled.as_bytes(), "twice").is_err());
        }
    }
    assert!(count[0] > 1_000 && count[1] > 1_000, "{count:?}");
}

/// The settings whose addresses stand in an XML document in a command that sets or deletes.
fn standing_in_xml(text: &str) -> BTreeSet<Setting> {
    let is_setting = |setting: &Setting| {
        text.match_indices(&format!("LAPS/Policies/{setting}<")).next().is_some()
    };
    Setting::ALL.into_iter().filter(is_setting).collect()
}

/// The elements of an XML document: from the first to behind the last character of each.
fn elements(text: &str) -> Vec<(core::ops::Range<usize>, String)> {
    let wrapped = format!("<all>{text}</all>");
    let wrapped = wrapped.replace("<?xml version=\"1.0\" encoding=\"utf-8\"?>", &" ".repeat(38));
    let xml = roxmltree::Document::parse(&wrapped).unwrap();
    xml.root_element()
        .descendants()
        .filter(|node| node.is_element() && *node != xml.root_element())
        .map(|node| {
            (node.range().start - 5..node.range().end - 5, node.tag_name().name().to_owned())
        })
        .collect()
}

#[test]
fn no_part_of_a_syncml_document_is_dropped_in_silence() {
    let mut count = [0, 0];
    for (name, text) in documents(".xml") {
        for (range, element) in elements(&text) {
            let own = &text[range.clone()];
            let renamed = |to: &str| {
                own.replacen(&format!("<{element}"), &format!("<{to}"), 1)
                    .strip_suffix(&format!("</{element}>"))
                    .map(|start| format!("{start}</{to}>"))
                    .unwrap_or_default()
            };
            for other in [
                String::new(),
                format!("{own}{own}"),
                "text".to_owned(),
                "<x/>".to_owned(),
                format!("<x>{own}</x>"),
                format!("<Item>{own}</Item>"),
                format!("<Data>{own}</Data>"),
                format!("<Meta>{own}</Meta>"),
                format!("<Status>{own}</Status>"),
                format!("<!-- {} -->", own.replace("--", "- -")),
                renamed("x"),
                renamed("Item"),
                renamed("Data"),
                renamed("Results"),
            ] {
                let changed = format!("{}{other}{}", &text[..range.start], &text[range.end..]);
                match taken(&changed) {
                    Taken::Refused => count[0] += 1,
                    Taken::Read(settings, told) => {
                        count[1] += 1;
                        let without_comments = changed
                            .replace(&other, if other.starts_with("<!--") { "" } else { &other });
                        for setting in standing_in_xml(&without_comments).difference(&settings) {
                            // What a device answered, or was asked, is told as passed over.
                            assert!(told.contains(setting.name()), "{name}: {changed}\n{told}");
                        }
                    }
                }
            }
        }
    }
    assert!(count[0] > 300 && count[1] > 100, "{count:?}");
}

#[test]
fn no_line_of_a_registry_export_is_dropped_in_silence() {
    let mut count = [0, 0];
    for (name, text) in documents(".reg") {
        let whole = text.clone();
        let lines: Vec<&str> = whole.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            for other in [
                vec![],
                vec![(*line).to_owned(), (*line).to_owned()],
                vec![line.replace('=', " = ")],
                vec![line.replace("dword:", "qword:")],
                vec![line.replace("dword:", "hex:")],
                vec![line.replace('"', "'")],
                vec![format!("{line} ; comment")],
                vec![format!("x{line}")],
                vec![line.replace("LAPS", "LAPS2")],
                vec![line.replace("HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER")],
                vec![line.replace("[HKEY", "[-HKEY")],
            ] {
                let mut changed: Vec<String> =
                    lines.iter().map(|line| (*line).to_owned()).collect();
                changed.splice(at..=at, other);
                let changed = changed.join("\r\n");
                match taken(&changed) {
                    Taken::Refused => count[0] += 1,
                    Taken::Read(_, told) if !told.is_empty() => count[1] += 1,
                    Taken::Read(settings, _) => {
                        count[1] += 1;
                        let stands =
                            |setting: &Setting| changed.contains(&format!("\"{setting}\"="));
                        let expected: BTreeSet<_> =
                            Setting::ALL.into_iter().filter(stands).collect();
                        let legacy = settings.is_empty();
                        assert!(legacy || expected.is_subset(&settings), "{name}: {changed}");
                    }
                }
            }
        }
    }
    assert!(count[0] > 50 && count[1] > 50, "{count:?}");
}
