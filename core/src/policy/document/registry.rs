//! `.reg` exports of the four registry roots (windows-laps §1.1).

use alloc::{
    borrow::ToOwned as _,
    collections::BTreeSet,
    format,
    string::{String, ToString as _},
};

use super::{Document, Entry, Form, MAX_ENTRIES, Position, Raw, Root, TOO_MANY, quoted};

/// Whether a text begins as the registry editor's exports do.
pub(super) fn is_export(text: &str) -> bool {
    ["Windows Registry Editor Version 5.00", "REGEDIT4"]
        .iter()
        .any(|head| text.lines().next().is_some_and(|line| line.trim_end() == *head))
}

pub(super) fn read(text: &str, document: &mut Document) -> Result<(), Position> {
    document.form = Form::Registry;
    let mut root = None;
    let mut seen_root = false;
    let mut seen = BTreeSet::new();
    let mut lines = text.trim_start().lines().enumerate();
    // What stands before the first line is blank: lines are counted from where the text begins.
    let skipped = text.len().saturating_sub(text.trim_start().len());
    let first = text.get(..skipped).unwrap_or_default().matches('\n').count().saturating_add(1);
    lines.next();
    while let Some((at, line)) = lines.next() {
        let at = at.saturating_add(first);
        let refuse = |message: &str| Position::on(at, 1, message);
        let line = line.trim();
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        if let Some(key) = line.strip_prefix('[') {
            let key =
                key.strip_suffix(']').ok_or_else(|| refuse("a key without its closing bracket"))?;
            if key.starts_with('-') {
                return Err(refuse(
                    "the document deletes a key; exports do not, and only exports are read",
                ));
            }
            root = root_of(key);
            seen_root |= root.is_some();
            continue;
        }
        let (name, rest) = name_and_value(line).ok_or_else(|| {
            refuse("neither a [key] nor a \"name\"=value, as the registry editor exports them")
        })?;
        // Hexadecimal data goes on in the next line after a backslash.
        let mut last = rest;
        while rest.starts_with("hex") && last.ends_with('\\') {
            last = lines.next().map_or("", |(_, line)| line.trim());
        }
        let Some(root) = root else { continue };
        let raw = value(rest).map_err(|message| refuse(&message))?;
        if !seen.insert((root, name.to_lowercase())) {
            return Err(refuse(&quoted("the same key has twice the value", &name)));
        }
        if document.entries.len() >= MAX_ENTRIES {
            return Err(refuse(TOO_MANY));
        }
        document.entries.push(Entry { root, name, raw, line: u32::try_from(at).ok() });
    }
    if seen_root {
        Ok(())
    } else {
        Err(Position::whole(&format!(
            "an export without a key of LAPS; accepted are {}",
            Root::ALL.map(Root::key).join(", ")
        )))
    }
}

/// Keys are compared as the registry does: without regard to capitals.
fn root_of(key: &str) -> Option<Root> {
    let key = key.replacen("HKLM\\", "HKEY_LOCAL_MACHINE\\", 1);
    Root::ALL.into_iter().find(|root| root.key().eq_ignore_ascii_case(&key))
}

/// Splits `"name"=value`; `@` is the key's own value, which has no name.
fn name_and_value(line: &str) -> Option<(String, &str)> {
    if let Some(rest) = line.strip_prefix("@=") {
        return Some((String::new(), rest));
    }
    let (name, rest) = string(line)?;
    Some((name, rest.strip_prefix('=')?))
}

/// A string in quotes, with `\\` and `\"` for backslash and quote, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut letters = text.strip_prefix('"')?.chars();
    let mut out = String::new();
    loop {
        match letters.next()? {
            '"' => return Some((out, letters.as_str())),
            '\\' => match letters.next()? {
                letter @ ('\\' | '"') => out.push(letter),
                _ => return None,
            },
            letter => out.push(letter),
        }
    }
}

fn value(text: &str) -> Result<Raw, String> {
    if text == "-" {
        return Err(
            "the document deletes a value; exports do not, and only exports are read".to_owned()
        );
    }
    if text.starts_with('"') {
        return match string(text) {
            Some((value, "")) => Ok(Raw::Text(value)),
            _ => Err("text that does not end with its quote, or with a backslash before something else than \\ or \"".to_owned()),
        };
    }
    if let Some(digits) = text.strip_prefix("dword:") {
        let whole = (digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .then(|| i64::from_str_radix(digits, 16).ok())
            .flatten();
        return whole
            .map(Raw::Whole)
            .ok_or_else(|| "a dword has eight hexadecimal digits".to_owned());
    }
    let kind = text.split_once(':').map_or(text, |(kind, _)| kind);
    Ok(Raw::Other(match kind {
        "hex" => "binary data (REG_BINARY)",
        "hex(2)" => "expandable text (REG_EXPAND_SZ)",
        "hex(7)" => "a list of texts (REG_MULTI_SZ)",
        "hex(b)" => "a 64-bit number (REG_QWORD)",
        kind if kind.starts_with("hex(") && kind.ends_with(')') => "data of another registry type",
        _ => return Err("a value that is neither text, dword: nor hex:".to_string()),
    }))
}
