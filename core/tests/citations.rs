//! Every "§" in the tree leads somewhere: to a heading or a numbered rule of a document that is in
//! the tree.

extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The documents that are cited, by the name that citations use.
const DOCUMENTS: [(&str, &str); 6] = [
    ("architecture", "core/docs/architecture.md"),
    ("protocol", "core/docs/protocol.md"),
    ("windows-laps", "core/docs/windows-laps.md"),
    ("FORMAT", "core/src/seal/FORMAT.md"),
    ("MESSAGES", "core/src/rotation/MESSAGES.md"),
    ("guide", "python/GUIDE.md"),
];

/// Standards whose sections are cited by their own numbers.
const STANDARDS: [&str; 5] = ["RFC", "FIPS", "draft", "MS-", "XML 1.0"];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `2`, and `2.3` for a heading "### 2.3" or the third rule below "## 2.".
fn places(text: &str) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    let mut section = String::new();
    for line in text.lines() {
        let heading = line.trim_start_matches('#');
        let number: String =
            heading.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = number.trim_end_matches('.').to_owned();
        if heading.len() < line.len() {
            if !number.is_empty() {
                section = number.split('.').next().unwrap_or_default().to_owned();
                places.insert(number);
            }
        } else if let Some((rule, _)) = line.split_once(". ")
            && !rule.is_empty()
            && rule.chars().all(|c| c.is_ascii_digit())
        {
            places.insert(format!("{section}.{rule}"));
        }
    }
    places
}

/// The files of the tree that are text.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git").arg("ls-files").current_dir(top()).output();
    let Ok(listed) = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    else {
        return Vec::new();
    };
    let kept = |name: &&str| {
        let end = name.rsplit('.').next().unwrap_or_default();
        ["rs", "py", "md", "h", "hpp", "cs", "c", "cpp", "toml", "sh", "txt"].contains(&end)
    };
    listed.lines().filter(kept).map(|name| top().join(name)).collect()
}

/// What stands behind a "§": `3`, `3.6`, and the rule of `§2 rule 9`.
fn cited(behind: &str) -> Option<String> {
    let number: String = behind.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let number = number.trim_end_matches('.');
    if number.is_empty() {
        return None;
    }
    let rest = behind.get(number.len()..).unwrap_or_default();
    let rule: String = ["rule ", "rules "]
        .iter()
        .find_map(|word| rest.trim_start().strip_prefix(word))
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .unwrap_or_default();
    Some(if rule.is_empty() { number.to_owned() } else { format!("{number}.{rule}") })
}

#[test]
fn every_citation_leads_to_a_heading_or_a_rule() {
    let read = |path: &str| std::fs::read_to_string(top().join(path)).unwrap();
    let known: BTreeMap<&str, BTreeSet<String>> =
        DOCUMENTS.iter().map(|(name, path)| (*name, places(&read(path)))).collect();
    let files = files();
    assert!(files.len() > 300, "the tree is a git checkout");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in files {
        if path.ends_with("core/tests/citations.rs") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let own = DOCUMENTS.iter().find(|(_, document)| path.ends_with(document));
        let mut document = own.map(|(name, _)| *name);
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices('§') {
                let (before, behind) = line.split_at(at);
                let Some(place) = cited(behind.trim_start_matches('§')) else { continue };
                // The name nearest before it on the line; else the last one of the file.
                let before = before.to_lowercase();
                let last = |name: &str| before.rfind(&name.to_lowercase());
                let standard = STANDARDS.iter().filter_map(|name| last(name)).max();
                let named =
                    DOCUMENTS.iter().filter_map(|(name, _)| Some((last(name)?, *name))).max();
                if standard.is_some() && standard > named.map(|(at, _)| at) {
                    continue;
                }
                document = named.map(|(_, name)| name).or(document);
                seen += 1;
                if document.is_none_or(|name| !known[name].contains(&place)) {
                    let document = document.unwrap_or("no document");
                    wrong.push(format!(
                        "{}:{}: §{place} of {document}",
                        path.display(),
                        number + 1
                    ));
                }
                if let Some((name, _)) = own {
                    document = Some(name);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "{seen} citations");
}

/// What a line of code names in backticks, in order.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Each file that the steps name is there, and has the names that follow it.
fn untrue(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut content = None;
    for name in quoted(text) {
        let path = top().join(name);
        if name.starts_with("cargo ") || name.starts_with("make ") || name.contains('=') {
        } else if name.contains('/') || name.ends_with(".md") {
            content = std::fs::read_to_string(&path).ok();
            if !path.exists() {
                wrong.push(format!("{name} is not there"));
            }
        } else if let Some(content) = &content
            && !name.split([' ', ':']).all(|word| content.contains(word))
        {
            wrong.push(format!("{name} is not in the file before it"));
        }
    }
    wrong
}

#[test]
fn the_steps_for_contributors_name_what_is_there() {
    let text = std::fs::read_to_string(top().join("CONTRIBUTING.md")).unwrap();
    assert_eq!(untrue(&text), Vec::<String>::new());
    assert_eq!(text.matches("\n## ").count(), 5);
    assert_eq!(text.matches("\n1. ").count() + text.matches("\n5. ").count(), 10);
    assert_eq!(untrue("`core/tests/gone.rs`: `x`"), ["core/tests/gone.rs is not there"]);
    let other =
        untrue("`core/tests/citations.rs`: `fn quoted`, `Cargo`. `CHANGELOG.md` `no\u{2d}where`");
    assert_eq!(other, ["no-where is not in the file before it"]);
}

#[test]
fn a_citation_that_leads_nowhere_is_seen() {
    let known = places("## 2. Rules\n1. One\n2. Two\n### 2.7 Seven\n");
    assert!(["2", "2.1", "2.2", "2.7"].iter().all(|place| known.contains(*place)));
    assert!(!known.contains("2.3") && !known.contains("3"));
    assert_eq!(cited("2 rule 9)").as_deref(), Some("2.9"));
    assert_eq!(cited("3.6).").as_deref(), Some("3.6"));
    assert_eq!(cited("x"), None);
}
