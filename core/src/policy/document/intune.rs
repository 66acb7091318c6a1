//! A policy of Intune's settings catalog (Graph `deviceManagementConfigurationPolicy`), as exported.
//!
//! Setting definition ids are `device_vendor_msft_laps_policies_` and the CSP name in lower case; the age has a second
//! one with `_aad` behind, for backup to Entra. A choice carries its option at the end of its value. Dependent settings are the
//! children of the option that makes them apply. Settings of other products and members that we do not need are
//! passed over.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Document, Entry, MAX_ENTRIES, Position, Raw, Root, TOO_MANY,
    json::{self, Node, Step},
};
use crate::policy::{BackupDirectory, Setting};

type Members = BTreeMap<String, Node>;

/// What every setting definition id of LAPS begins with.
const PREFIX: &str = "device_vendor_msft_laps_policies_";

/// The definition id of a setting in a backup mode.
pub(in crate::policy) fn definition_id(setting: Setting, mode: BackupDirectory) -> String {
    let name = setting.name().to_ascii_lowercase();
    let entra_age = setting == Setting::PasswordAgeDays && mode == BackupDirectory::Entra;
    format!("{PREFIX}{name}{}", if entra_age { "_aad" } else { "" })
}

/// Whether an object is such a policy and not one of ours.
pub(super) fn is_policy(members: &Members) -> bool {
    members.keys().any(|name| {
        name.starts_with('@')
            || ["settings", "settingInstance", "settingDefinitionId"].contains(&&**name)
    })
}

pub(super) fn read(text: &str, members: &Members, document: &mut Document) -> Result<(), Position> {
    let places = &mut Places { text, path: Vec::new(), after: BTreeMap::new() };
    read_policy(members, document, places).map_err(|message| json::at(text, &places.path, message))
}

fn read_policy(
    members: &Members,
    document: &mut Document,
    places: &mut Places<'_>,
) -> Result<(), &'static str> {
    match members.get("settings") {
        Some(Node::List(settings)) => read_list("settings", settings, document, places)?,
        Some(_) => {
            places.path.push(Step::Member("settings"));
            return Err(
                "the member \"settings\" is not a list; one of setting instances is accepted",
            );
        }
        None if members.contains_key("settingInstance")
            || members.contains_key("settingDefinitionId") =>
        {
            read_members(members, document, places)?;
        }
        None => {
            return Err(
                "an Intune policy without \"settings\"; export it with its settings ($expand=settings)",
            );
        }
    }
    if document.entries.is_empty() {
        return Err(
            "an Intune policy without a LAPS setting; their definition ids begin with device_vendor_msft_laps_policies_",
        );
    }
    Ok(())
}

/// The setting instances in a member of the object that the path leads to.
fn read_list(
    name: &'static str,
    settings: &[Node],
    document: &mut Document,
    places: &mut Places<'_>,
) -> Result<(), &'static str> {
    places.path.push(Step::Member(name));
    for (at, setting) in settings.iter().enumerate() {
        places.path.push(Step::Item(at));
        read_setting(setting, document, places)?;
        places.path.pop();
    }
    places.path.pop();
    Ok(())
}

fn read_setting(
    setting: &Node,
    document: &mut Document,
    places: &mut Places<'_>,
) -> Result<(), &'static str> {
    match setting {
        Node::Object(members) => read_members(members, document, places),
        Node::List(_) | Node::Plain(_) => {
            Err("\"settings\" and \"children\" hold setting instances only, each a JSON object")
        }
    }
}

/// One instance, with or without the `settingInstance` around it. Depth is bounded by the JSON reader.
fn read_members(
    members: &Members,
    document: &mut Document,
    places: &mut Places<'_>,
) -> Result<(), &'static str> {
    if let Some(Node::Object(instance)) = members.get("settingInstance") {
        places.path.push(Step::Member("settingInstance"));
        read_members(instance, document, places)?;
        places.path.pop();
        return Ok(());
    }
    let Some(Node::Plain(Raw::Text(id))) = members.get("settingDefinitionId") else {
        return Err("a setting instance without \"settingDefinitionId\"");
    };
    let lower = id.to_ascii_lowercase();
    let Some(name) = lower.strip_prefix(PREFIX) else {
        return Ok(());
    };
    // Before its line is looked for, so that a document of ten thousand settings is refused at once.
    if document.entries.len() >= MAX_ENTRIES {
        return Err(TOO_MANY);
    }
    let line = places.next(id);
    let name = name.strip_suffix("_aad").filter(|rest| *rest == "passwordagedays").unwrap_or(name);
    let name = Setting::ALL
        .into_iter()
        .map(Setting::name)
        .find(|known| known.eq_ignore_ascii_case(name))
        .map_or_else(|| name.to_string(), ToString::to_string);
    let raw = if let Some(Node::Object(simple)) = members.get("simpleSettingValue") {
        plain(simple.get("value"))
    } else if let Some(Node::Object(choice)) = members.get("choiceSettingValue") {
        if let Some(Node::List(children)) = choice.get("children") {
            places.path.push(Step::Member("choiceSettingValue"));
            read_list("children", children, document, places)?;
            places.path.pop();
        }
        option(plain(choice.get("value")), &lower)
    } else {
        Raw::Other("neither a simple setting nor a choice")
    };
    // Its children were read after the first look.
    if document.entries.len() >= MAX_ENTRIES {
        return Err(TOO_MANY);
    }
    document.entries.push(Entry { root: Root::Csp, name, raw, line });
    Ok(())
}

/// Where in the text the reader is.
struct Places<'a> {
    text: &'a str,
    /// From the document to what is read now; where reading stopped, after a refusal.
    path: Vec<Step>,
    /// For a definition id that was found, the byte behind its last place.
    after: BTreeMap<String, usize>,
}

impl Places<'_> {
    /// For findings: the line of the next setting with this definition id; none when the document writes the id with escapes.
    fn next(&mut self, id: &str) -> Option<u32> {
        let start = self.after.get(id).copied().unwrap_or_default();
        let quoted = format!("\"{id}\"");
        let (at, _) = self.text.get(start..)?.match_indices(&quoted).find(|(at, _)| {
            let before = self.text.get(..start.saturating_add(*at)).unwrap_or_default();
            let member = before.trim_end().strip_suffix(':').map(str::trim_end);
            member.is_some_and(|member| member.ends_with("\"settingDefinitionId\""))
        })?;
        let at = start.saturating_add(at);
        self.after.insert(id.to_string(), at.saturating_add(quoted.len()));
        u32::try_from(self.text.get(..at)?.matches('\n').count().saturating_add(1)).ok()
    }
}

fn plain(node: Option<&Node>) -> Raw {
    match node {
        Some(Node::Plain(raw)) => raw.clone(),
        Some(Node::List(_)) => Raw::Other("a list"),
        Some(Node::Object(_)) => Raw::Other("an object"),
        None => Raw::Other("no value"),
    }
}

/// The option of a choice: what follows the definition id and an underscore.
fn option(raw: Raw, id: &str) -> Raw {
    let Raw::Text(value) = &raw else {
        return Raw::Other("a choice without its option");
    };
    let lower = value.to_ascii_lowercase();
    match lower.strip_prefix(id).and_then(|rest| rest.strip_prefix('_')) {
        Some("true") => Raw::Switch(true),
        Some("false") => Raw::Switch(false),
        Some(digits) => digits.parse().map_or(raw, Raw::Whole),
        None => raw,
    }
}
