//! A custom profile of Intune's (Graph `windows10CustomConfiguration`): nodes of CSPs by their
//! address (OMA-URI).

use super::{
    Document, Form, MAX_ENTRIES, Raw, Root, SettingEntry, TOO_MANY, Trap,
    json::{JsonNode, PathStep},
    passed_over::{Target, target},
    place::{DocumentPlaces, JsonMembers, StopText, cut_or, items, pass_over_others, refuse_pages},
    quoted,
};

/// The members of a profile and of a setting that say nothing about what is configured.
const OF_PROFILE: &[&str] = &[
    "assignments",
    "createdDateTime",
    "description",
    "deviceManagementApplicabilityRuleDeviceMode",
    "deviceManagementApplicabilityRuleOsEdition",
    "deviceManagementApplicabilityRuleOsVersion",
    "displayName",
    "id",
    "lastModifiedDateTime",
    "name",
    "roleScopeTagIds",
    "supportsScopeTags",
    "version",
];
const OF_SETTING: &[&str] = &[
    "description",
    "displayName",
    "fileName",
    "isEncrypted",
    "isReadOnly",
    "secretReferenceValueId",
];

pub(super) fn read<'a>(
    members: &'a JsonMembers,
    places: &mut DocumentPlaces<'a>,
) -> Result<Document, StopText> {
    let mut document = Document::new(Form::Intune);
    refuse_pages(members, "omaSettings", places)?;
    let mut note = |what: &str| document.pass_over(what, None);
    pass_over_others(members, &["omaSettings"], OF_PROFILE, &mut note, places)?;
    let Some(settings) = members.get("omaSettings") else { return Ok(document) };
    places.within(PathStep::Member("omaSettings"), |places| {
        for (step, item) in items(settings)? {
            let read = |places: &mut DocumentPlaces<'a>, document: &mut Document| match item {
                JsonNode::Object(members) => read_setting(members, document, places),
                JsonNode::Plain(raw) => Err(cut_or(raw, NOT_SETTINGS)),
                JsonNode::List(_) => Err(NOT_SETTINGS.into()),
            };
            match step {
                Some(step) => places.within(step, |places| read(places, &mut document))?,
                None => read(places, &mut document)?,
            }
        }
        Ok(())
    })?;
    if places.path.is_empty() && !document.is_about_laps() {
        return Err("a custom profile without a node of LAPS; their addresses begin with \
                    ./Device/Vendor/MSFT/LAPS/Policies/"
            .into());
    }
    Ok(document)
}

const NOT_SETTINGS: &str =
    "\"omaSettings\" holds settings only, each a JSON object with \"omaUri\" and \"value\"";

fn read_setting<'a>(
    members: &'a JsonMembers,
    document: &mut Document,
    places: &mut DocumentPlaces<'a>,
) -> Result<(), StopText> {
    let Some(JsonNode::Plain(Raw::Text(uri))) = members.get("omaUri") else {
        return Err("a setting without \"omaUri\"".into());
    };
    let path = match target(uri) {
        Target::Laps(path) => path,
        Target::Misspelt(why) => return places.stop("omaUri", why),
        Target::Other => {
            let mut note = |_: &str| {};
            pass_over_others(members, &["omaUri", "value"], OF_SETTING, &mut note, places)?;
            if let Some(JsonNode::Plain(value)) = members.get("value")
                && let Some(trap) = Trap::of_uri(uri, value)
            {
                document.traps.push((trap, places.next("omaUri", uri)));
            }
            document.pass_over(uri, None);
            return Ok(());
        }
    };
    let Some(name) = path.strip_prefix("Policies/") else {
        return places.stop("omaUri", quoted("no setting of LAPS is at this address:", uri));
    };
    if document.entries.len() >= MAX_ENTRIES {
        return Err(TOO_MANY.into());
    }
    let line = places.next("omaUri", uri);
    let mut note = |what: &str| document.pass_over(what, line);
    pass_over_others(members, &["omaUri", "value"], OF_SETTING, &mut note, places)?;
    if matches!(members.get("isEncrypted"), Some(JsonNode::Plain(Raw::Switch(true)))) {
        return places.stop(
            "isEncrypted",
            "Graph hides the value of this setting; read it with \
             getOmaSettingPlainTextValue, and write it here",
        );
    }
    let raw = match members.get("value") {
        Some(JsonNode::Plain(raw)) => raw.clone(),
        Some(JsonNode::List(_)) => Raw::Other("a list"),
        Some(JsonNode::Object(_)) => Raw::Other("an object"),
        None => Raw::Other("no value"),
    };
    // The profile's own type goes to the device, whatever the value looks like in JSON.
    let kind = match members.get("@odata.type") {
        Some(JsonNode::Plain(Raw::Text(kind))) => &**kind,
        _ => "",
    };
    let raw = match (kind.rsplit('.').next().unwrap_or_default(), raw) {
        ("omaSettingString", Raw::Whole(_) | Raw::Switch(_) | Raw::Fraction(_)) => {
            Raw::Other("a value that is no text, in a setting of type text")
        }
        ("omaSettingInteger", Raw::Switch(_)) => {
            Raw::Other("no whole number, in a setting of type whole number")
        }
        ("omaSettingBoolean", Raw::Whole(_)) => {
            Raw::Other("neither true nor false, in a setting of that type")
        }
        (
            "omaSettingBase64"
            | "omaSettingStringXml"
            | "omaSettingDateTime"
            | "omaSettingFloatingPoint",
            _,
        ) => Raw::Other("a setting of type Base64, XML, time or fraction"),
        (_, raw) => raw,
    };
    document.entries.push(SettingEntry { root: Root::Csp, name: name.into(), raw, line });
    Ok(())
}
