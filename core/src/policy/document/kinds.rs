//! What lies in the same folders and is no policy that is read here: what it is, and how to get the
//! right export.

use alloc::{collections::BTreeMap, string::String};

use super::{Raw, json::JsonNode, passed_over::is_of_laps};

const UNKNOWN: &str = "not a policy; accepted are a JSON object of settings, a policy exported \
    from Intune, CSP SyncML, and a .reg export (\"Windows Registry Editor Version 5.00\")";

/// Binary files by their first bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 6] = [
        (b"PReg", "a Registry.pol file of Group Policy; `laps policy import` converts it"),
        (b"SQLite format 3\0", "an SQLite database, perhaps a vault; a policy is a document"),
        (b"PK\x03\x04", "a ZIP archive; unpack it, and give the document inside"),
        (b"ElfFile\0", "a Windows event log; a policy is a document"),
        (b"regf", "a registry hive; export the key with `reg export` or the registry editor"),
        (b"%PDF", "a PDF file; export the policy itself, not a report about it"),
    ];
    KNOWN.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, what)| *what)
}

/// Text that is neither JSON, XML nor a `.reg` file; without space at its start.
pub(super) fn of_text(text: &str) -> &'static str {
    let first = text.lines().next().unwrap_or_default().trim_end();
    let has_line =
        |wanted: fn(&str) -> bool| text.lines().take(200).any(|line| wanted(line.trim()));
    if text.is_empty() {
        return "an empty document; accepted are a JSON object of settings, a policy exported from \
                Intune, CSP SyncML, and a .reg export";
    }
    if first.starts_with("Windows Registry Editor") || first.starts_with("REGEDIT") {
        return "a .reg file of an unknown version, so not a policy; accepted are \"Windows \
                Registry Editor Version 5.00\" and \"REGEDIT4\"";
    }
    if text.starts_with("-----BEGIN") {
        return "a key or a certificate in PEM, not a policy";
    }
    if text.starts_with("eyJ") && !text.contains(char::is_whitespace) {
        return "an access token, not a policy; keep it secret";
    }
    if has_line(|line| line.starts_with("Import-DscResource") || line.starts_with("Configuration "))
    {
        return "a PowerShell configuration (DSC), not a policy; export the policy from Intune as \
                JSON, or from Group Policy as a .reg file";
    }
    if has_line(|line| matches!(line, "Computer" | "User"))
        && has_line(|line| {
            line.starts_with("DWORD:") || line.starts_with("SZ:") || line == "DELETE"
        })
    {
        return "text of LGPO (/parse), which `laps policy import` converts";
    }
    if has_line(|line| line.contains("    REG_")) && first.starts_with("HKEY_") {
        return "what `reg query` prints, which `laps policy import` converts";
    }
    if has_line(|line| line.starts_with("PSPath ") || line.starts_with("PSChildName ")) {
        return "what Get-ItemProperty prints, which `laps policy import` converts";
    }
    UNKNOWN
}

/// A JSON object that is something else.
pub(super) fn of_json(members: &BTreeMap<String, JsonNode>) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().all(|name| members.contains_key(*name));
    let text = |name: &str| match members.get(name) {
        Some(JsonNode::Plain(Raw::Text(text))) => Some(&**text),
        _ => None,
    };
    if has(&["RAWJson"]) || has(&["RawJson"]) {
        return Some(
            "a template of CIPP; the policy is the text in its RAWJson, and `laps policy import` \
             takes it out",
        );
    }
    if has(&["PSPath"]) || has(&["PSChildName"]) {
        return Some(
            "what Get-ItemProperty | ConvertTo-Json writes; `laps policy import` converts it",
        );
    }
    if has(&["n", "t", "p"]) {
        return Some(
            "a stored password (msLAPS-Password), not a policy; `laps directory show` reads it",
        );
    }
    if has(&["passwordBase64"]) || has(&["credentials"]) || has(&["lastBackupDateTime"]) {
        return Some("what Microsoft Entra keeps of a device's passwords, not a policy");
    }
    if has(&["accessToken"]) || has(&["access_token"]) {
        return Some("an access token, not a policy; keep it secret");
    }
    if has(&["error"]) && members.len() <= 2 {
        return Some(
            "an error that Microsoft Graph answered, not a policy; ask again, and save the answer \
             that has the policy",
        );
    }
    if has(&["findings", "settings", "root"]) {
        return Some(
            "what `laps policy show --json` prints; `laps policy export FILE --as json` writes a \
             policy",
        );
    }
    if has(&["changes"]) && members.len() == 1 {
        return Some("what `laps policy diff --json` prints, not a policy");
    }
    let of_definition = has(&["baseUri"]) || has(&["offsetUri"]) || has(&["rootDefinitionId"]);
    if of_definition && !has(&["settingInstance"]) && text("id").is_some_and(is_of_laps) {
        return Some(
            "the definition of a setting, not a policy; export the policy with its settings: GET \
             deviceManagement/configurationPolicies/ID?$expand=settings",
        );
    }
    if has(&["payload"]) && (has(&["payloadFileName"]) || has(&["payloadName"])) {
        return Some("a custom profile with its content encoded; give the content itself");
    }
    None
}

/// An XML document by the name of its first element.
pub(super) fn of_xml(name: &str, namespace: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "wap-provisioningdoc" => {
            "the document is of WAP provisioning, not SyncML; send the settings as SyncML, or as \
             an OMA-URI profile of Intune"
        }
        "registrysettings" | "registry" => {
            "the document is of Group Policy preferences (Registry.xml); `laps policy import` \
             converts it"
        }
        "gpo" | "report" => {
            "the document is a report of Group Policy (Get-GPOReport); `laps policy import` \
             converts it"
        }
        "rsop" => {
            "the document is a report of the resulting set of policy; `laps policy import` \
             converts the report of a policy (Get-GPOReport -ReportType Xml)"
        }
        "html" => {
            "the document is HTML; for a report of Group Policy, use Get-GPOReport -ReportType Xml \
             and `laps policy import`"
        }
        "policydefinitions" | "policydefinitionresources" => {
            "the document is a template of Group Policy (ADMX), which holds no values; export the \
             policy itself"
        }
        "mgmttree" => {
            "the document is the description of a CSP (DDF), which holds no values; export the \
             policy itself"
        }
        "mdmenterprisediagnosticsreport" => {
            "the document is a diagnostics report of a device; export the policy itself, or the \
             device's registry key"
        }
        "plist" => "the document is an Apple property list; Windows LAPS has no such form",
        "objs" => "the document is what Export-Clixml writes; use ConvertTo-Json -Depth 20",
        _ if namespace.starts_with("http://www.microsoft.com/GroupPolicy") => {
            "the document is of Group Policy; `laps policy import` converts the report of a policy \
             (Get-GPOReport -ReportType Xml)"
        }
        _ => return None,
    })
}
