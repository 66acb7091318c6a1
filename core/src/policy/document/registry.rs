//! `.reg` exports of the four registry roots (windows-laps §1.1).

use alloc::{
    borrow::ToOwned as _,
    collections::BTreeSet,
    format,
    string::{String, ToString as _},
};

use super::{
    Document, Form, MAX_ENTRIES, PassedOver, Position, Raw, Root, SettingEntry, TOO_MANY, Trap,
    quoted, short,
};

/// Whether a text begins as the registry editor's exports do.
pub(super) fn is_export(text: &str) -> bool {
    ["Windows Registry Editor Version 5.00", "REGEDIT4"]
        .iter()
        .any(|head| text.lines().next().is_some_and(|line| line.trim_end() == *head))
}

pub(super) fn read(text: &str) -> Result<Document, Position> {
    let mut document = Document::new(Form::Registry);
    let mut key = Key::None;
    let mut seen_root = false;
    let mut seen = BTreeSet::new();
    let mut lines = text.trim_start().lines().enumerate();
    // What stands before the first line is blank: lines are counted from where the text begins.
    let skipped = text.len().saturating_sub(text.trim_start().len());
    let first = text.get(..skipped).unwrap_or_default().matches('\n').count().saturating_add(1);
    lines.next();
    while let Some((at, line)) = lines.next() {
        let at = at.saturating_add(first);
        let number = u32::try_from(at).ok();
        let refuse = |message: &str| Position::on(at, 1, message);
        let line = line.trim();
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        if is_export(line) {
            return Err(refuse("a second document begins here; give each file by itself"));
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = without_comment(name)
                .strip_suffix(']')
                .ok_or_else(|| refuse("a key without its closing bracket"))?;
            key = match name.strip_prefix('-') {
                Some(gone) => {
                    for root in roots_within(gone) {
                        seen_root = true;
                        document.remove(root, None, number);
                        // It may be made again, with the same values.
                        seen.retain(|(of, _)| *of != root);
                    }
                    Key::Gone
                }
                None => match root_of(name) {
                    Some(root) => Key::Root(root),
                    None => Key::Other(name.to_owned(), false),
                },
            };
            seen_root |= matches!(key, Key::Root(_));
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
        let root = match &mut key {
            Key::Root(root) => *root,
            Key::Other(key, noted) => {
                other_value(&mut document, (key, noted), &name, rest, number);
                continue;
            }
            Key::None => return Err(refuse("a value before the first [key]")),
            Key::Gone => return Err(refuse("a value under a key that the document deletes")),
        };
        let Some(raw) = value(rest).map_err(|message| refuse(&message))? else {
            seen.remove(&(root, name.to_lowercase()));
            document
                .entries
                .retain(|one| one.root != root || !one.name.eq_ignore_ascii_case(&name));
            let gone = SettingEntry { root, name, raw: Raw::Other("nothing"), line: number };
            // A name that is no setting takes nothing away.
            if let Some(setting) = gone.setting(Form::Registry) {
                document.remove(root, Some(setting), number);
            }
            continue;
        };
        if !seen.insert((root, name.to_lowercase())) {
            return Err(refuse(&quoted("the same key has twice the value", &name)));
        }
        if document.entries.len() >= MAX_ENTRIES {
            return Err(refuse(TOO_MANY));
        }
        document.entries.push(SettingEntry { root, name, raw, line: number });
    }
    if seen_root {
        return Ok(document);
    }
    let wrong = document
        .wrong_keys
        .first()
        .map_or_else(String::new, |key| format!("; {} is none of them", key.what));
    Err(Position::whole(&format!(
        "an export without a key of LAPS; accepted are {}{wrong}",
        Root::ALL.map(Root::key).join(", ")
    )))
}

/// The key that the lines are under.
enum Key {
    /// Deleted by the document.
    Gone,
    None,
    /// Another key, and whether it was noted.
    Other(String, bool),
    Root(Root),
}

/// A value under a key of something else: noted once for each key; a key that looks like one of
/// LAPS is told.
fn other_value(
    document: &mut Document,
    (key, noted): (&str, &mut bool),
    name: &str,
    rest: &str,
    line: Option<u32>,
) {
    if let Ok(Some(raw)) = value(rest)
        && let Some(trap) = Trap::of_registry(key, name, &raw)
    {
        document.traps.push((trap, line));
    }
    if core::mem::replace(noted, true) {
        return;
    }
    document.pass_over(&format!("the key {key}"), line);
    let lower = key.to_lowercase();
    // Where Windows keeps what it did, next to its configuration.
    let own = lower.ends_with("\\laps\\state") || lower.ends_with("\\currentversion\\laps");
    if !own
        && (lower.ends_with("\\laps")
            || lower.ends_with("\\laps\\config")
            || lower.ends_with("\\admpwd"))
    {
        document.wrong_keys.push(PassedOver { what: short(key), line });
    }
}

/// What stands before a comment. Names of keys hold no semicolon of LAPS.
fn without_comment(line: &str) -> &str {
    line.split_once(';').map_or(line, |(line, _)| line).trim_end()
}

/// The roots that go when a key is deleted: those at it and below it.
fn roots_within(key: &str) -> impl Iterator<Item = Root> {
    let key = full(key).to_ascii_lowercase();
    Root::ALL.into_iter().filter(move |root| {
        let own = root.key().to_ascii_lowercase();
        own == key || own.strip_prefix(&*key).is_some_and(|rest| rest.starts_with('\\'))
    })
}

fn full(key: &str) -> String {
    key.replacen("HKLM\\", "HKEY_LOCAL_MACHINE\\", 1)
}

/// Keys are compared as the registry does: without regard to capitals.
fn root_of(key: &str) -> Option<Root> {
    Root::ALL.into_iter().find(|root| root.key().eq_ignore_ascii_case(&full(key)))
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

/// The value in a line, as the registry editor reads it; none where it is deleted.
fn value(text: &str) -> Result<Option<Raw>, String> {
    if text.starts_with('"') {
        return match string(text) {
            Some((value, rest)) if without_comment(rest).is_empty() => Ok(Some(Raw::Text(value))),
            _ => {
                Err("text that does not end with its quote, or with a backslash before something \
                     else than \\ or \""
                    .to_owned())
            }
        };
    }
    let text = without_comment(text);
    if text == "-" {
        return Ok(None);
    }
    if let Some(digits) = text.strip_prefix("dword:") {
        let whole = ((1..=8).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .then(|| i64::from_str_radix(digits, 16).ok())
        .flatten();
        return whole
            .map(|whole| Some(Raw::Whole(whole)))
            .ok_or_else(|| "a dword has one to eight hexadecimal digits".to_owned());
    }
    let kind = text.split_once(':').map_or(text, |(kind, _)| kind);
    Ok(Some(Raw::Other(match kind {
        "hex" => "binary data (REG_BINARY)",
        "hex(2)" => "expandable text (REG_EXPAND_SZ)",
        "hex(7)" => "a list of texts (REG_MULTI_SZ)",
        "hex(b)" => "a 64-bit number (REG_QWORD)",
        kind if kind.starts_with("hex(") && kind.ends_with(')') => "data of another registry type",
        _ => return Err("a value that is neither text, dword: nor hex:".to_string()),
    })))
}
