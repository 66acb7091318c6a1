//! A policy of Intune's settings catalog, to be imported through Graph or the portal.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use serde_json::{Value as Json, json};

use super::{of_actions, of_csp, of_minutes};
use crate::policy::{
    BackupDirectory, Setting, Settings, Value, document::definition_id, number::FromNumber as _,
    setting::whole_hours,
};

/// Why Intune cannot carry a setting, beside what the CSP cannot: dependent settings are children
/// of the option that makes them apply, and without that option there is no place for them.
pub(super) fn obstacle(
    settings: &Settings,
    setting: Setting,
    value: Value<'_>,
) -> Option<&'static str> {
    of_csp(setting).or_else(|| of_actions(setting, value)).or_else(|| of_minutes(value)).or_else(
        || {
            let parent = setting.row().intune?;
            let holds = match settings.get(parent.setting) {
                Some(Value::Number(number)) => parent.options.contains(&number),
                Some(Value::Switch(on)) => on,
                _ => false,
            };
            (!holds).then_some(parent.why)
        },
    )
}

pub(super) fn write(settings: &Settings) -> String {
    let top: Vec<Json> = settings
        .iter()
        .filter(|(setting, _)| setting.row().intune.is_none())
        .enumerate()
        .map(|(at, (setting, value))| {
            json!({ "id": at.to_string(), "settingInstance": instance(settings, setting, value) })
        })
        .collect();
    let policy = json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata\
                           #deviceManagement/configurationPolicies(settings())/$entity",
        "name": "Windows LAPS",
        "description": "",
        "platforms": "windows10",
        "technologies": "mdm",
        "roleScopeTagIds": ["0"],
        "settingCount": top.len(),
        "settings": top,
    });
    format!("{policy:#}\n")
}

const TYPES: &str = "#microsoft.graph.deviceManagementConfiguration";

fn instance(settings: &Settings, setting: Setting, value: Value<'_>) -> Json {
    let mode = match settings.get(Setting::BackupDirectory) {
        Some(Value::Number(number)) => BackupDirectory::from_number(number),
        _ => BackupDirectory::Disabled,
    };
    let id = definition_id(setting, mode);
    let simple = |kind: &str, value: Json| {
        json!({
            "@odata.type": format!("{TYPES}SimpleSettingInstance"),
            "settingDefinitionId": id,
            "settingInstanceTemplateReference": null,
            "simpleSettingValue": {
                "@odata.type": format!("{TYPES}{kind}SettingValue"),
                "value": value,
                "settingValueTemplateReference": null,
            },
        })
    };
    match value {
        Value::Minutes(minutes) => simple("Integer", json!(whole_hours(minutes))),
        Value::Number(number) if !setting.row().is_choice => simple("Integer", json!(number)),
        Value::Text(text) => simple("String", json!(text)),
        Value::Number(_) | Value::Switch(_) => {
            let children: Vec<Json> = settings
                .iter()
                .filter(|(child, _)| {
                    child.row().intune.is_some_and(|parent| parent.setting == setting)
                })
                .map(|(child, value)| instance(settings, child, value))
                .collect();
            json!({
                "@odata.type": format!("{TYPES}ChoiceSettingInstance"),
                "settingDefinitionId": id,
                "settingInstanceTemplateReference": null,
                "choiceSettingValue": {
                    "@odata.type": format!("{TYPES}ChoiceSettingValue"),
                    "value": format!("{id}_{value}"),
                    "settingValueTemplateReference": null,
                    "children": children,
                },
            })
        }
    }
}
