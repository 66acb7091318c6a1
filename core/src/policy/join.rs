//! The settings of one root, joined from its documents (windows-laps §1.1, §10.1).
//!
//! Several CSP profiles, or several Group Policy objects, write single values under one key; so do
//! the documents given for one root. A setting that two of them configure differently, or that one
//! sets and another takes away, is a clash: an error that names both, unless the order is said to
//! settle it.

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    BackupDirectory, Finding, Given, PolicyError, RefusedRow, Setting, Settings, Value,
    ValueRefusal,
    document::{Document, Form, Removal, Root, SettingEntry},
    finding::nearest,
    number::FromNumber as _,
    settings::check,
    typed::{self, Problem},
};
use crate::account::same_name;

/// What settles a clash between documents of one root.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Clash {
    /// Nothing: it is an error that names both documents.
    #[default]
    Refuse,
    /// The order: of two documents, the later one is written over the earlier one, as on a device.
    LastWins,
}

/// What the documents of one root configure together, and what is wrong with it.
pub(super) struct Joined<'a> {
    pub(super) root: Root,
    pub(super) settings: Settings,
    pub(super) refused: Vec<RefusedRow>,
    pub(super) findings: Vec<Finding>,
    parts: Vec<Part<'a>>,
    /// Where the value of each configured setting stands.
    origins: Vec<(Setting, Origin<'a>)>,
    mode: BackupDirectory,
    several: bool,
}

/// One document, with what it says about the root.
struct Part<'a> {
    document: &'a Document,
    entries: Vec<&'a SettingEntry>,
    removals: Vec<&'a Removal>,
}

#[derive(Clone, Copy)]
struct Origin<'a> {
    document: &'a Document,
    entry: &'a SettingEntry,
}

/// Joins the documents of a root; none when they configure nothing there.
pub(super) fn of_root(root: Root, documents: &[Document], clash: Clash) -> Option<Joined<'_>> {
    let parts: Vec<_> = documents
        .iter()
        .map(|document| Part {
            document,
            entries: document.entries.iter().filter(|entry| entry.root == root).collect(),
            removals: document.removals.iter().filter(|removal| removal.root == root).collect(),
        })
        .filter(|part| !part.entries.is_empty() || !part.removals.is_empty())
        .collect();
    let mut joined = Joined { parts, several: documents.len() > 1, ..Joined::new(root) };
    joined.mode = joined.backup_mode(clash);
    for at in 0..joined.parts.len() {
        joined.add(at, clash);
    }
    let configures = !joined.origins.is_empty()
        || !joined.refused.is_empty()
        || joined.findings.iter().any(|finding| finding.rule == "unknown");
    if !configures {
        return None;
    }
    joined.ranges_of_the_mode();
    if root == Root::Legacy {
        typed::add_what_legacy_means(&mut joined.settings);
    }
    joined.note_of_the_join(clash);
    Some(joined)
}

impl<'a> Joined<'a> {
    pub(super) fn new(root: Root) -> Self {
        Self {
            root,
            settings: Settings::new(),
            refused: Vec::new(),
            findings: Vec::new(),
            parts: Vec::new(),
            origins: Vec::new(),
            mode: BackupDirectory::Disabled,
            several: false,
        }
    }

    pub(super) fn refuses(&self, setting: Setting) -> bool {
        self.refused.iter().any(|row| row.setting == setting)
    }

    /// The documents that set something.
    pub(super) fn sources(&self) -> Vec<String> {
        let sets = self.parts.iter().filter(|part| !part.entries.is_empty());
        sets.map(|part| part.document.source().to_owned()).collect()
    }

    /// The document that a setting's value comes from.
    pub(super) fn source_of(&self, setting: Setting) -> Option<&str> {
        if let Some(origin) = self.origin(setting) {
            return Some(origin.document.source());
        }
        // What legacy LAPS means without saying it.
        let configured = self.settings.get(setting).is_some();
        self.parts.first().filter(|_| configured).map(|part| part.document.source())
    }

    fn origin(&self, setting: Setting) -> Option<Origin<'a>> {
        self.origins.iter().find(|(of, _)| *of == setting).map(|(_, origin)| *origin)
    }

    /// The backup mode: a range that depends on it is named as it is in that mode.
    fn backup_mode(&self, clash: Clash) -> BackupDirectory {
        let modes = self.parts.iter().flat_map(|part| {
            let form = part.document.form();
            part.entries.iter().filter_map(move |entry| {
                let of_mode = entry.setting(form) == Some(Setting::BackupDirectory);
                let value = of_mode.then(|| typed::value_of(Setting::BackupDirectory, entry, form));
                match value {
                    Some(Ok(Value::Number(number))) => Some(BackupDirectory::from_number(number)),
                    _ => None,
                }
            })
        });
        match clash {
            Clash::Refuse => modes.into_iter().next(),
            Clash::LastWins => modes.last(),
        }
        .unwrap_or_default()
    }

    fn add(&mut self, at: usize, clash: Clash) {
        let Some(part) = self.parts.get(at) else { return };
        let (document, entries, removals) =
            (part.document, part.entries.clone(), part.removals.clone());
        // A document's own order was followed when it was read: what it takes away, others set.
        for removal in removals {
            self.remove(removal, document, clash);
        }
        let mut seen = Vec::new();
        for entry in entries {
            let origin = Origin { document, entry };
            let Some(setting) = entry.setting(document.form()) else {
                self.unknown(origin);
                continue;
            };
            if seen.contains(&setting) {
                let message = format!("{setting} is set twice; keep one");
                self.refuse(setting, "twice", origin, &message);
                continue;
            }
            seen.push(setting);
            if clash == Clash::Refuse && self.taken_away(setting, document, at) {
                self.refuse(setting, "conflict", origin, &format!(
                    "{} is set here, and another document takes {setting} away; the documents of \
                     one root are joined, so keep one of the two, or let the last one win",
                    entry.raw
                ));
                continue;
            }
            match typed::value_of(setting, entry, document.form()) {
                Ok(value) => self.put(setting, value, origin, clash),
                Err(Problem::Refused(error)) => {
                    self.outside(PolicyError { mode: self.mode, ..error }, origin);
                }
                Err(Problem::Form(message)) => self.refuse(setting, "form", origin, &message),
            }
        }
    }

    /// Whether a document before this one takes a setting away; one behind it is found when that is
    /// added.
    fn taken_away(&self, setting: Setting, document: &Document, at: usize) -> bool {
        self.parts.iter().take(at).any(|part| {
            !core::ptr::eq(part.document, document)
                && part
                    .removals
                    .iter()
                    .any(|removal| removal.setting.is_none_or(|one| one == setting))
        })
    }

    fn put(&mut self, setting: Setting, value: Value<'a>, origin: Origin<'a>, clash: Clash) {
        if let Some(before) = self.origin(setting) {
            let same = self.settings.get(setting).is_some_and(|kept| is_same(kept, value));
            if same {
                return;
            }
            if clash == Clash::Refuse {
                let message = format!(
                    "{} in {} and {} in {} clash; the documents of one root are joined, so keep \
                     one of the two, or let the last one win",
                    before.entry.raw,
                    place(before.document, before.entry.line),
                    origin.entry.raw,
                    place(origin.document, origin.entry.line),
                );
                self.clash(setting, before, message);
                return;
            }
        }
        match self.settings.set(setting, value) {
            Ok(()) => {
                self.origins.retain(|(of, _)| *of != setting);
                self.origins.push((setting, origin));
            }
            Err(error) => self.outside(PolicyError { mode: self.mode, ..error }, origin),
        }
    }

    /// What a document takes away of what others before it set.
    fn remove(&mut self, removal: &Removal, document: &'a Document, clash: Clash) {
        let gone: Vec<_> = self
            .origins
            .iter()
            .filter(|(setting, _)| removal.setting.is_none_or(|one| one == *setting))
            .copied()
            .collect();
        for (setting, origin) in gone {
            if clash == Clash::LastWins {
                self.settings.unset(setting);
                self.origins.retain(|(of, _)| *of != setting);
                continue;
            }
            let message = format!(
                "{} sets {}, and {} takes it away; the documents of one root are joined, so keep \
                 one of the two, or let the last one win",
                place(origin.document, origin.entry.line),
                origin.entry.raw,
                place(document, removal.line),
            );
            self.clash(setting, origin, message);
        }
    }

    fn clash(&mut self, setting: Setting, origin: Origin<'a>, message: String) {
        self.settings.unset(setting);
        if !self.refuses(setting) {
            let (given, source) =
                (Given::of(&origin.entry.raw), origin.document.source().to_owned());
            self.refused.push(RefusedRow { setting, given, source, reason: message.clone() });
        }
        self.findings.push(Finding::error("conflict", setting.name(), message));
    }

    /// A range that depends on the backup mode can be checked only when all is read.
    fn ranges_of_the_mode(&mut self) {
        let mode = match self.settings.get(Setting::BackupDirectory) {
            Some(Value::Number(number)) => BackupDirectory::from_number(number),
            _ => BackupDirectory::Disabled,
        };
        let settings = self.settings;
        for (setting, value) in settings.iter() {
            if let Err(error) = check(setting, value, mode)
                && let Some(origin) = self.origin(setting)
            {
                self.outside(error, origin);
            }
        }
    }

    fn outside(&mut self, error: PolicyError, origin: Origin<'a>) {
        let rule = match error.refusal {
            ValueRefusal::Kind => "type",
            ValueRefusal::Range => "range",
            ValueRefusal::Control | ValueRefusal::Name(_) | ValueRefusal::Principal => "text",
        };
        let message = format!("{} is refused: {error}", origin.entry.raw);
        self.refuse(error.setting, rule, origin, &message);
    }

    fn refuse(&mut self, setting: Setting, rule: &'static str, origin: Origin<'a>, message: &str) {
        self.settings.unset(setting);
        let reason = self.at_line(origin, message);
        if !self.refuses(setting) {
            let (given, source) =
                (Given::of(&origin.entry.raw), origin.document.source().to_owned());
            self.refused.push(RefusedRow { setting, given, source, reason: reason.clone() });
        }
        self.findings.push(Finding::error(rule, &origin.entry.name, reason));
    }

    /// Our JSON, the CSP and Intune know no other names, and a device refuses the whole; the
    /// registry may hold anything, and Windows passes over it.
    fn unknown(&mut self, origin: Origin<'a>) {
        let near = nearest(&origin.entry.name)
            .map_or_else(String::new, |near| format!("; the nearest is {near}"));
        let message = self.at_line(origin, &format!("no setting has this name{near}"));
        self.findings.push(if origin.document.form() == Form::Registry {
            Finding::warning(
                "unknown",
                &origin.entry.name,
                format!("{message}; Windows passes over it"),
            )
        } else {
            Finding::error("unknown", &origin.entry.name, message)
        });
    }

    /// Where several documents were given, each place names its own.
    fn at_line(&self, origin: Origin<'_>, message: &str) -> String {
        match (self.several, origin.entry.line) {
            (true, line) => format!("{}: {message}", place(origin.document, line)),
            (false, Some(line)) => format!("line {line}: {message}"),
            (false, None) => message.to_owned(),
        }
    }

    fn note_of_the_join(&mut self, clash: Clash) {
        let sources = self.sources();
        if sources.len() < 2 {
            return;
        }
        let last = match clash {
            Clash::Refuse => "",
            Clash::LastWins => "; where they differ, the last one wins",
        };
        let message = format!("joined within {}: {}{last}", self.root, sources.join(", "));
        self.findings.push(Finding::note("joined", message));
    }

    /// What a root that lost holds is ignored whole: one line for all of it.
    pub(super) fn ignored(&self, winner: &Self) -> Finding {
        let names: Vec<_> = self
            .parts
            .iter()
            .flat_map(|part| &part.entries)
            .map(|entry| format!("{} ({})", super::document::short(&entry.name), entry.raw))
            .collect();
        Finding::warning(
            "ignored",
            "",
            format!(
                "{} of {} in {} {} ignored: {} has settings in {} and wins whole; roots are not \
                 joined",
                names.join(", "),
                self.root,
                self.sources().join(", "),
                if names.len() == 1 { "is" } else { "are" },
                winner.root,
                winner.sources().join(", "),
            ),
        )
    }
}

fn is_same(one: Value<'_>, other: Value<'_>) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => same_name(one, other),
        _ => one == other,
    }
}

fn place(document: &Document, line: Option<u32>) -> String {
    line.map_or_else(
        || document.source().to_owned(),
        |line| format!("{}, line {line}", document.source()),
    )
}

/// What was passed over in each document, in one line each, and keys where Windows does not look.
pub(super) fn of_documents(documents: &[Document]) -> impl Iterator<Item = Finding> {
    documents.iter().flat_map(|document| {
        let wrong = document.wrong_keys.iter().map(|key| {
            Finding::warning(
                "key",
                "",
                format!(
                    "{} has values under {}, where Windows does not look; the keys of LAPS are {}",
                    place(document, key.line),
                    key.what,
                    Root::ALL.map(Root::key).join(", ")
                ),
            )
        });
        wrong.chain(passed_over(document)).chain(removed(document)).collect::<Vec<_>>()
    })
}

fn passed_over(document: &Document) -> Option<Finding> {
    const SHOWN: usize = 4;
    let shown: Vec<_> = document.passed_over.iter().take(SHOWN).map(|other| &*other.what).collect();
    let more = match document.passed_over_count.saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!shown.is_empty()).then(|| {
        let text = format!(
            "{} also holds what is not of LAPS, and was passed over: {}{more}",
            document.source(),
            shown.join(", ")
        );
        Finding::note("passed-over", text)
    })
}

fn removed(document: &Document) -> Option<Finding> {
    let names: Vec<_> = document
        .removals
        .iter()
        .map(|removal| match removal.setting {
            Some(setting) => setting.name().to_string(),
            None => format!("every setting of {}", removal.root),
        })
        .collect();
    (!names.is_empty()).then(|| {
        Finding::note("removed", format!("{} takes away {}", document.source(), names.join(", ")))
    })
}
