//! Whether Windows LAPS itself manages an account: then we stand aside.

use laps_core::account::{LocalAccount, Sid, same_name};
use laps_core::policy::Setting;

use super::system::{is_there, number, text};

/// The root of the Windows LAPS policy that manages this account, if one does. Only the first root
/// with any setting counts (windows-laps §1.1).
pub(super) fn managed_by_windows(account: &LocalAccount) -> Option<&'static str> {
    for root in ROOTS {
        let has_any = Setting::ALL.iter().any(|setting| is_there(root, setting.name()));
        if !has_any {
            continue;
        }
        if !matches!(number(root, "BackupDirectory"), Some(1 | 2)) {
            return None;
        }
        if number(root, "AutomaticAccountManagementEnabled") == Some(1) {
            return manages_automatically(root, account).then_some(root);
        }
        return is_named(account, text(root, "AdministratorAccountName")).then_some(root);
    }
    (number(LEGACY, "AdmPwdEnabled") == Some(1)
        && is_named(account, text(LEGACY, "AdminAccountName")))
    .then_some(LEGACY)
}

fn manages_automatically(root: &str, account: &LocalAccount) -> bool {
    if number(root, "AutomaticAccountManagementTarget") == Some(0) {
        return is_named(account, None);
    }
    let prefix = text(root, "AutomaticAccountManagementNameOrPrefix")
        .unwrap_or_else(|| "WLapsAdmin".to_owned());
    // The name may have six random digits behind it.
    let name = account.name.as_str();
    name.get(..prefix.len()).is_some_and(|start| same_name(start, &prefix))
}

fn is_named(account: &LocalAccount, name: Option<String>) -> bool {
    match name {
        Some(name) if !name.is_empty() => same_name(account.name.as_str(), &name),
        _ => account.sid.is_some_and(Sid::is_builtin_administrator),
    }
}

/// windows-laps §1.1, in order of precedence.
const ROOTS: [&str; 3] = [
    r"Software\Microsoft\Policies\LAPS",
    r"Software\Microsoft\Windows\CurrentVersion\Policies\LAPS",
    r"Software\Microsoft\Windows\CurrentVersion\LAPS\Config",
];
/// Microsoft LAPS, the one before Windows LAPS.
const LEGACY: &str = r"Software\Policies\Microsoft Services\AdmPwd";
