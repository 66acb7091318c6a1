//! The forms of documents, and the roots of settings.

use core::fmt;

/// The form of a document.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// CSP `SyncML`.
    Csp,
    /// A `deviceManagementConfigurationPolicy` of Microsoft Graph, as Intune exports it.
    Intune,
    /// Our JSON: an object with settings by CSP name.
    #[default]
    Json,
    /// A `.reg` export.
    Registry,
}

impl Form {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csp => "csp",
            Self::Intune => "intune",
            Self::Json => "json",
            Self::Registry => "reg",
        }
    }

    /// The form with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Csp, Self::Intune, Self::Json, Self::Registry]
            .into_iter()
            .find(|form| form.name() == name)
    }
}

/// Where a device finds settings, in the order in which Windows looks (windows-laps §1.1).
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Root {
    /// The LAPS CSP: what an MDM sends. Our JSON and Intune's policies count as this.
    #[default]
    Csp = 1,
    /// Group Policy.
    GroupPolicy = 2,
    /// Local configuration.
    Local = 3,
    /// Legacy Microsoft LAPS.
    Legacy = 4,
}

impl Root {
    /// The registry key of this root.
    #[must_use]
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Csp => r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Policies\LAPS",
            Self::GroupPolicy => {
                r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\LAPS"
            }
            Self::Local => {
                r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\LAPS\Config"
            }
            Self::Legacy => r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft Services\AdmPwd",
        }
    }

    /// One word for JSON: `csp`, `gpo`, `local`, `legacy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csp => "csp",
            Self::GroupPolicy => "gpo",
            Self::Local => "local",
            Self::Legacy => "legacy",
        }
    }

    /// Every root, in the order in which Windows looks.
    pub const ALL: [Self; 4] = [Self::Csp, Self::GroupPolicy, Self::Local, Self::Legacy];
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csp => "the CSP",
            Self::GroupPolicy => "Group Policy",
            Self::Local => "local configuration",
            Self::Legacy => "legacy Microsoft LAPS",
        })
    }
}
