//! A policy of Intune's settings catalog (Graph `deviceManagementConfigurationPolicy`), as
//! exported.
//!
//! Setting definition ids are `device_vendor_msft_laps_policies_` and the CSP name in lower case;
//! the age has a second one with `_aad` behind, for backup to Entra. A choice carries its option at
//! the end of its value. Dependent settings are the children of the option that makes them apply.
//! Settings of other products are passed over, and listed.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    Document, Form, MAX_ENTRIES, Raw, Root, SettingEntry, TOO_MANY, Trap,
    json::{JsonNode, PathStep},
    place::{
        self, DocumentPlaces, JsonMembers, StopText, cut_or, items, mentions, pass_over_others,
        refuse_pages,
    },
};
use crate::policy::{BackupDirectory, Setting};

/// What every setting definition id of LAPS begins with, and what those of its settings go on with.
const LAPS: &str = "device_vendor_msft_laps_";
const POLICIES: &str = "policies_";

/// The members of a policy, of a setting and of its value that say nothing about what is
/// configured.
const OF_POLICY: &[&str] = &[
    "assignments",
    "createdDateTime",
    "creationSource",
    "description",
    "disableEntraGroupPolicyAssignment",
    "displayName",
    "id",
    "isAssigned",
    "lastModifiedDateTime",
    "name",
    "platforms",
    "priorityMetaData",
    "roleScopeTagIds",
    "settingCount",
    "supportsScopeTags",
    "technologies",
    "templateReference",
    "version",
];
const OF_SETTING: &[&str] = &["auditRuleInformation", "id", "settingInstanceTemplateReference"];
const OF_VALUE: &[&str] = &["settingValueTemplateReference", "valueState"];
/// The kinds of value that a setting instance can have.
const VALUES: [&str; 6] = [
    "choiceSettingCollectionValue",
    "choiceSettingValue",
    "groupSettingCollectionValue",
    "groupSettingValue",
    "simpleSettingCollectionValue",
    "simpleSettingValue",
];

/// The definition id of a setting in a backup mode.
pub(in crate::policy) fn definition_id(setting: Setting, mode: BackupDirectory) -> String {
    let name = setting.name().to_ascii_lowercase();
    let entra_age = setting == Setting::PasswordAgeDays && mode == BackupDirectory::Entra;
    format!("{LAPS}{POLICIES}{name}{}", if entra_age { "_aad" } else { "" })
}

/// Whether an object is something of Graph's and not one of our policies.
pub(super) fn is_policy(members: &JsonMembers) -> bool {
    members.keys().any(|name| {
        name.starts_with('@')
            || ["settings", "settingInstance", "settingDefinitionId", "settingCount"]
                .contains(&&**name)
    })
}

/// Whether an object is one setting, without a policy around it.
pub(super) fn is_setting(members: &JsonMembers) -> bool {
    members.contains_key("settingInstance") || members.contains_key("settingDefinitionId")
}

/// Whether an object of a list is neither a policy of the settings catalog nor one whose settings
/// were left out.
pub(super) fn is_something_else(members: &JsonMembers) -> bool {
    const CATALOG: &str = "deviceManagementConfigurationPolicy";
    let kind = members.get("@odata.type");
    let of_catalog =
        matches!(kind, Some(JsonNode::Plain(Raw::Text(kind))) if kind.ends_with(CATALOG));
    !of_catalog
        && !is_setting(members)
        && !["settings", "settingCount", "templateReference"]
            .iter()
            .any(|name| members.contains_key(*name))
}

/// The name and the id of a policy.
pub(super) fn name_of(members: &JsonMembers) -> (String, String) {
    let text = |name: &str| match members.get(name) {
        Some(JsonNode::Plain(Raw::Text(text))) if members.len() > 1 => super::short(text),
        _ => String::new(),
    };
    // A setting's id is its number in the policy; our own policies have neither.
    if is_setting(members) {
        return (String::new(), String::new());
    }
    let name = text("name");
    (if name.is_empty() { text("displayName") } else { name }, text("id"))
}

pub(super) fn read<'a>(
    members: &'a JsonMembers,
    places: &mut DocumentPlaces<'a>,
) -> Result<Document, StopText> {
    let mut document = Document::new(Form::Intune);
    match members.get("settings") {
        Some(settings) => {
            refuse_pages(members, "settings", places)?;
            let mut note = |what: &str| document.pass_over(what, None);
            pass_over_others(members, &["settings"], OF_POLICY, &mut note, places)?;
            places.within(PathStep::Member("settings"), |places| {
                read_list(settings, &mut document, places)
            })?;
        }
        None if is_setting(members) => read_setting(members, &mut document, places)?,
        None => {
            return Err("an Intune policy without \"settings\"; export it with its settings \
                        ($expand=settings)"
                .into());
        }
    }
    if document.is_about_laps() || is_of_other_list(places) {
        return Ok(document);
    }
    places.path.clear();
    Err("an Intune policy without a LAPS setting; their definition ids begin with \
         device_vendor_msft_laps_policies_"
        .into())
}

/// Whether the policy that was read is one of a list: what is not of LAPS there is passed over.
fn is_of_other_list(places: &DocumentPlaces<'_>) -> bool {
    !places.path.is_empty()
}

/// The settings end point: a list of settings.
pub(super) fn read_settings<'a>(
    node: &'a JsonNode,
    places: &mut DocumentPlaces<'a>,
) -> Result<Document, StopText> {
    let mut document = Document::new(Form::Intune);
    read_list(node, &mut document, places)?;
    Ok(document)
}

/// The setting instances in a list.
fn read_list<'a>(
    node: &'a JsonNode,
    document: &mut Document,
    places: &mut DocumentPlaces<'a>,
) -> Result<(), StopText> {
    for (step, item) in items(node)? {
        let read = |places: &mut DocumentPlaces<'a>, document: &mut Document| match item {
            JsonNode::Object(members) => read_setting(members, document, places),
            JsonNode::Plain(raw) => Err(cut_or(raw, NOT_SETTINGS)),
            JsonNode::List(_) => Err(NOT_SETTINGS.into()),
        };
        match step {
            Some(step) => places.within(step, |places| read(places, document))?,
            None => read(places, document)?,
        }
    }
    Ok(())
}

const NOT_SETTINGS: &str =
    "\"settings\" and \"children\" hold setting instances only, each a JSON object";

/// One setting, with or without the `settingInstance` around its instance. Depth is bounded by the
/// JSON reader.
fn read_setting<'a>(
    members: &'a JsonMembers,
    document: &mut Document,
    places: &mut DocumentPlaces<'a>,
) -> Result<(), StopText> {
    let Some(instance) = members.get("settingInstance") else {
        return read_instance(members, document, places);
    };
    let mut note = |what: &str| document.pass_over(what, None);
    // What the settings mean is given along with them
    // ($expand=settings($expand=settingDefinitions)).
    let read = ["settingInstance", "settingDefinitions"];
    pass_over_others(members, &read, OF_SETTING, &mut note, places)?;
    places.within(PathStep::Member("settingInstance"), |places| match instance {
        JsonNode::Object(instance) => read_instance(instance, document, places),
        JsonNode::Plain(raw) => Err(cut_or(raw, "not a setting instance, which is a JSON object")),
        JsonNode::List(_) => Err("a list in place of a setting instance".into()),
    })
}

fn read_instance<'a>(
    members: &'a JsonMembers,
    document: &mut Document,
    places: &mut DocumentPlaces<'a>,
) -> Result<(), StopText> {
    let Some(JsonNode::Plain(Raw::Text(id))) = members.get("settingDefinitionId") else {
        return Err("a setting instance without \"settingDefinitionId\"".into());
    };
    let lower = id.to_ascii_lowercase();
    let Some(name) = lower.strip_prefix(LAPS) else {
        return other_product(id, members, document, places);
    };
    // Before its line is looked for, so that a document of ten thousand settings is refused at
    // once.
    if document.entries.len() >= MAX_ENTRIES {
        return Err(TOO_MANY.into());
    }
    let line = places.next("settingDefinitionId", id);
    let mut note = |what: &str| document.pass_over(what, line);
    let read: Vec<&str> = VALUES.into_iter().chain(["settingDefinitionId"]).collect();
    pass_over_others(members, &read, OF_SETTING, &mut note, places)?;
    if VALUES.iter().filter(|kind| members.contains_key(**kind)).count() > 1 {
        return Err("a setting instance with values of more than one kind".into());
    }
    let name = name.strip_prefix(POLICIES).unwrap_or(name);
    let name = name.strip_suffix("_aad").filter(|rest| *rest == "passwordagedays").unwrap_or(name);
    let name = Setting::ALL
        .into_iter()
        .map(Setting::name)
        .find(|known| known.eq_ignore_ascii_case(name) && lower.contains(POLICIES))
        .map_or_else(|| name.to_string(), String::from);
    let raw = match (members.get("simpleSettingValue"), members.get("choiceSettingValue")) {
        (Some(JsonNode::Object(simple)), _) => {
            places.within(PathStep::Member("simpleSettingValue"), |places| {
                let mut note = |what: &str| document.pass_over(what, line);
                pass_over_others(simple, &["value"], OF_VALUE, &mut note, places)?;
                Ok(plain(simple.get("value")))
            })?
        }
        (_, Some(JsonNode::Object(choice))) => {
            places.within(PathStep::Member("choiceSettingValue"), |places| {
                let mut note = |what: &str| document.pass_over(what, line);
                pass_over_others(choice, &["value", "children"], OF_VALUE, &mut note, places)?;
                match choice.get("children") {
                    None | Some(JsonNode::Plain(Raw::Other("null"))) => {}
                    Some(children) => places.within(PathStep::Member("children"), |places| {
                        read_list(children, document, places)
                    })?,
                }
                Ok(option(plain(choice.get("value")), &lower))
            })?
        }
        (Some(JsonNode::Plain(raw)), _) => {
            places.path.push(PathStep::Member("simpleSettingValue"));
            return Err(cut_or(raw, "not a value, which is a JSON object"));
        }
        (_, Some(JsonNode::Plain(raw))) => {
            places.path.push(PathStep::Member("choiceSettingValue"));
            return Err(cut_or(raw, "not a choice, which is a JSON object"));
        }
        (Some(JsonNode::List(_)), _) | (_, Some(JsonNode::List(_))) => {
            return Err("a list in place of a setting's value".into());
        }
        (None, None) => Raw::Other("neither a simple setting nor a choice"),
    };
    // Its children were read after the first look.
    if document.entries.len() >= MAX_ENTRIES {
        return Err(TOO_MANY.into());
    }
    document.entries.push(SettingEntry { root: Root::Csp, name, raw, line });
    Ok(())
}

/// A setting of another product: noted, with what in it works against LAPS.
fn other_product<'a>(
    id: &str,
    members: &'a JsonMembers,
    document: &mut Document,
    places: &mut DocumentPlaces<'a>,
) -> Result<(), StopText> {
    if let Some((name, _)) = members.iter().find(|(_, node)| mentions(node)) {
        return places
            .stop(name, "a setting of LAPS inside one of another product; it would be dropped");
    }
    let mut texts = Vec::new();
    members.values().for_each(|node| place::texts(node, &mut texts));
    if let Some(trap) = Trap::of_catalog(&texts) {
        let line = places.next("settingDefinitionId", id);
        document.traps.push((trap, line));
    }
    document.pass_over(&format!("the setting {id}"), None);
    Ok(())
}

fn plain(node: Option<&JsonNode>) -> Raw {
    match node {
        Some(JsonNode::Plain(raw)) => raw.clone(),
        Some(JsonNode::List(_)) => Raw::Other("a list"),
        Some(JsonNode::Object(_)) => Raw::Other("an object"),
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
