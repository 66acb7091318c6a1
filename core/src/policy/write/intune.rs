//! A policy of Intune's settings catalog, to be imported through Graph or the portal.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use serde_json::{Value as Json, json};

use super::{of_actions, of_csp, of_minutes};
use crate::policy::{
    Allowed, BackupDirectory, Setting, Settings, Value, document::definition_id,
    setting::whole_hours,
};

/// Why Intune cannot carry a setting, beside what the CSP cannot: dependent settings are children of the option
/// that makes them apply, and without that option there is no place for them.
pub(super) fn obstacle(
    settings: &Settings,
    setting: Setting,
    value: Value<'_>,
) -> Option<&'static str> {
    of_csp(setting).or_else(|| of_actions(setting, value)).or_else(|| of_minutes(value)).or_else(
        || {
            let (parent, options, why) = parent(setting)?;
            let holds = match settings.get(parent) {
                Some(Value::Number(number)) => options.contains(&number),
                Some(Value::Switch(on)) => on,
                _ => false,
            };
            (!holds).then_some(why)
        },
    )
}

/// The setting, and its options, under which Intune's editor shows a setting.
const fn parent(setting: Setting) -> Option<(Setting, &'static [u16], &'static str)> {
    match setting {
        Setting::PasswordAgeDays => Some((
            Setting::BackupDirectory,
            &[1, 2],
            "Intune has it under BackupDirectory 1 or 2 only",
        )),
        Setting::ADPasswordEncryptionEnabled
        | Setting::ADPasswordEncryptionPrincipal
        | Setting::ADEncryptedPasswordHistorySize
        | Setting::PasswordExpirationProtectionEnabled => {
            Some((Setting::BackupDirectory, &[2], "Intune has it under BackupDirectory 2 only"))
        }
        Setting::PassphraseLength => Some((
            Setting::PasswordComplexity,
            &[6, 7, 8],
            "Intune has it under PasswordComplexity 6 to 8 only",
        )),
        Setting::AutomaticAccountManagementTarget
        | Setting::AutomaticAccountManagementNameOrPrefix
        | Setting::AutomaticAccountManagementEnableAccount
        | Setting::AutomaticAccountManagementRandomizeName => Some((
            Setting::AutomaticAccountManagementEnabled,
            &[],
            "Intune has it under AutomaticAccountManagementEnabled true only",
        )),
        Setting::BackupDirectory
        | Setting::AdministratorAccountName
        | Setting::PasswordLength
        | Setting::PasswordComplexity
        | Setting::PostAuthenticationResetDelay
        | Setting::PostAuthenticationActions
        | Setting::ADBackupDSRMPassword
        | Setting::AutomaticAccountManagementEnabled => None,
    }
}

pub(super) fn write(settings: &Settings) -> String {
    let top: Vec<Json> = settings
        .iter()
        .filter(|(setting, _)| parent(*setting).is_none())
        .enumerate()
        .map(|(at, (setting, value))| {
            json!({ "id": at.to_string(), "settingInstance": instance(settings, setting, value) })
        })
        .collect();
    let policy = json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies(settings())/$entity",
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
        Value::Number(number) if !is_choice(setting) => simple("Integer", json!(number)),
        Value::Text(text) => simple("String", json!(text)),
        Value::Number(_) | Value::Switch(_) => {
            let children: Vec<Json> = settings
                .iter()
                .filter(|(child, _)| parent(*child).is_some_and(|(parent, ..)| parent == setting))
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

/// Numbers with names in Intune's editor are choices; the others are typed in.
const fn is_choice(setting: Setting) -> bool {
    matches!(
        setting,
        Setting::BackupDirectory
            | Setting::PasswordComplexity
            | Setting::PostAuthenticationActions
            | Setting::AutomaticAccountManagementTarget
    ) || matches!(setting.allowed(BackupDirectory::Disabled), Allowed::Switch)
}
