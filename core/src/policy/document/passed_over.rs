//! What is not of LAPS in a document about LAPS, and what only looks as if it were not.

use alloc::{borrow::ToOwned as _, format, string::String};

use super::{Raw, quoted};
use crate::policy::finding::nearest;

/// Something in a document that is not of LAPS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PassedOver {
    /// What it is, as the document names it.
    pub(crate) what: String,
    /// The line it stands on, from 1, where known.
    pub(crate) line: Option<u32>,
}

/// Another setting in the same document that works against LAPS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trap {
    /// Administrator Protection is switched on (`TypeOfAdminApprovalMode` 2).
    AdministratorProtection,
    /// The members of the group Administrators are replaced by a list.
    AdministratorsReplaced,
}

const APPROVAL_MODE: &str = "typeofadminapprovalmode";

impl Trap {
    /// In a setting of Intune's catalog: all texts in it, in lower case.
    pub(super) fn of_catalog(texts: &[String]) -> Option<Self> {
        let any = |end: &str| texts.iter().any(|text| text.ends_with(end));
        if any("useraccountcontrol_typeofadminapprovalmode_2") {
            Some(Self::AdministratorProtection)
        } else if any("_accessgroup_action_add_restrict") && any("_administrators") {
            Some(Self::AdministratorsReplaced)
        } else {
            None
        }
    }

    /// In a node of another CSP, by its URI.
    pub(super) fn of_uri(uri: &str, value: &Raw) -> Option<Self> {
        let uri = uri.to_ascii_lowercase();
        let text = match value {
            Raw::Text(text) => text.trim().to_lowercase(),
            other @ (Raw::Fraction(_) | Raw::Other(_) | Raw::Switch(_) | Raw::Whole(_)) => {
                format!("{other}")
            }
        };
        if uri.ends_with(APPROVAL_MODE) && text == "2" {
            return Some(Self::AdministratorProtection);
        }
        let replaces = text.contains("action=\"r\"") || text.contains("action = \"r\"");
        let of_administrators =
            text.contains("\"administrators\"") || text.contains("s-1-5-32-544");
        (uri.ends_with("/localusersandgroups/configure") && replaces && of_administrators)
            .then_some(Self::AdministratorsReplaced)
    }

    /// In a value of another registry key.
    pub(super) fn of_registry(key: &str, name: &str, value: &Raw) -> Option<Self> {
        let key = key.to_ascii_lowercase();
        let on = key.ends_with("\\policies\\system") && name.eq_ignore_ascii_case(APPROVAL_MODE);
        (on && *value == Raw::Whole(2)).then_some(Self::AdministratorProtection)
    }
}

/// The device's node of LAPS; `./Vendor/` is short for `./Device/Vendor/`.
const NODES: [&str; 2] = ["./Device/Vendor/MSFT/LAPS/", "./Vendor/MSFT/LAPS/"];

/// What a URI of the device's management tree points to.
pub(super) enum Target<'a> {
    /// A node of LAPS: the path below it.
    Laps(&'a str),
    /// Something that was meant to be one, and is not: what is wrong.
    Misspelt(String),
    /// A node of something else.
    Other,
}

/// Names of nodes are exact. What differs from a node of LAPS in capitals, spaces or its scope only
/// is meant to be one.
pub(super) fn target(uri: &str) -> Target<'_> {
    let uri = uri.trim();
    if let Some(path) = NODES.iter().find_map(|node| uri.strip_prefix(node)) {
        return Target::Laps(path.trim_end_matches('/'));
    }
    if NODES.iter().any(|node| uri == node.trim_end_matches('/')) {
        return Target::Laps("");
    }
    if !is_of_laps(uri) {
        return Target::Other;
    }
    let last = uri.rsplit('/').next().unwrap_or_default().trim();
    let meant = nearest(last).map_or_else(
        || "./Device/Vendor/MSFT/LAPS/Policies/".to_owned(),
        |setting| format!("./Device/Vendor/MSFT/LAPS/Policies/{setting}"),
    );
    Target::Misspelt(format!(
        "{}, and no node of LAPS is there; the nearest is {meant}",
        quoted("the address is", uri)
    ))
}

/// Whether a text names something of LAPS: a definition id of Intune's or a node of the CSP,
/// however it is spelt.
pub(super) fn is_of_laps(text: &str) -> bool {
    // The longest name of a setting is far shorter; a description that mentions LAPS has spaces.
    let lower: String = text
        .chars()
        .take(256)
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let words = text.split_whitespace().count();
    words <= 3
        && ((lower.starts_with('.') || lower.starts_with('/') || lower.starts_with("vendor/"))
            && lower.contains("vendor/msft/laps")
            || (lower.contains("vendor_msft_laps_") && words == 1))
}
