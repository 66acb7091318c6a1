//! Which local account is managed (windows-laps §3).
//!
//! A blank name means the built-in administrator, found by RID 500 even when it was renamed or
//! localised. A name means that account, compared as Windows compares. Guest, service and other
//! well-known accounts are never chosen. Every refusal is event 10013 in the device's log.

mod naming;
mod sid;

use core::fmt;

use crate::{error::Code, identity::AccountName};

#[cfg(feature = "documents")]
pub(crate) use self::naming::cut_prefix;
pub use self::{
    naming::{NamingError, automatic_name, check_name},
    sid::{Sid, SidError},
};

/// One account of a device, as its account store lists it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data that account stores build; the three facts are all that a choice needs"
)]
pub struct LocalAccount {
    /// The name that one logs on with.
    pub name: AccountName,
    /// The security identifier, where the platform has one.
    pub sid: Option<Sid>,
    /// Whether one can log on. A disabled account is managed all the same (windows-laps §3).
    pub enabled: bool,
}

/// Chooses the managed account: by name, or the built-in administrator (RID 500) when the name is
/// blank.
///
/// ```
/// use laps_core::account::{LocalAccount, choose};
/// use laps_core::identity::AccountName;
///
/// let account = |name, sid: &str| {
///     Ok::<_, Box<dyn std::error::Error>>(LocalAccount {
///         name: AccountName::new(name)?,
///         sid: Some(sid.parse()?),
///         enabled: true,
///     })
/// };
/// let accounts = [
///     account("Administrateur", "S-1-5-21-1-2-3-500")?,
///     account("Secours", "S-1-5-21-1-2-3-1001")?,
/// ];
/// // A blank name is the built-in administrator, whatever it is called.
/// assert_eq!(choose(&AccountName::EMPTY, &accounts)?.name.as_str(), "Administrateur");
/// assert_eq!(choose(&AccountName::new("SECOURS")?, &accounts)?.name.as_str(), "Secours");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AccountError`] says why none can be managed: event 10013.
pub fn choose<'a>(
    configured: &AccountName,
    accounts: &'a [LocalAccount],
) -> Result<&'a LocalAccount, AccountError> {
    let name = configured.as_str();
    if name.trim() != name {
        return Err(AccountError::SurroundingSpace);
    }
    let wanted = |account: &LocalAccount| {
        if name.is_empty() {
            account.sid.is_some_and(Sid::is_builtin_administrator)
        } else {
            same_name(account.name.as_str(), name)
        }
    };
    let mut found = accounts.iter().filter(|account| wanted(account));
    let first = found.next().ok_or(if name.is_empty() {
        AccountError::NoBuiltInAdministrator
    } else {
        AccountError::NotFound
    })?;
    if found.next().is_some() {
        return Err(AccountError::Ambiguous);
    }
    if is_well_known(first) {
        return Err(AccountError::WellKnown);
    }
    Ok(first)
}

/// Whether two account names are the same to Windows: compared character by character in capitals.
///
/// Only simple mappings count (`ß` stays itself), and nothing outside ASCII turns into ASCII, so
/// `ſ` is not `S`.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    one.chars().map(capital).eq(other.chars().map(capital))
}

pub(crate) fn capital(letter: char) -> char {
    let mut capitals = letter.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) if letter.is_ascii() || !capital.is_ascii() => capital,
        _ => letter,
    }
}

/// Guest, service and other accounts that belong to the system: never managed. Only RID 500 is,
/// among those.
fn is_well_known(account: &LocalAccount) -> bool {
    account.sid.map_or_else(
        || WELL_KNOWN_NAMES.iter().any(|name| same_name(name, account.name.as_str())),
        |sid| !sid.is_builtin_administrator() && !sid.is_ordinary_account(),
    )
}

/// Names to refuse where the platform gives no SID.
const WELL_KNOWN_NAMES: [&str; 8] = [
    "Guest",
    "DefaultAccount",
    "WDAGUtilityAccount",
    "krbtgt",
    "SYSTEM",
    "LOCAL SERVICE",
    "NETWORK SERVICE",
    "nobody",
];

/// Why no account can be managed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AccountError {
    /// More than one account answers to the name, or has RID 500.
    Ambiguous,
    /// No account has RID 500, and the name is blank.
    NoBuiltInAdministrator,
    /// No account has the name.
    NotFound,
    /// The name begins or ends with a space; Windows would look it up as it stands and find
    /// nothing.
    SurroundingSpace,
    /// Guest, a service or another account of the system.
    WellKnown,
}

impl AccountError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NotFound | Self::NoBuiltInAdministrator => Code::AccountNotFound,
            Self::Ambiguous | Self::SurroundingSpace | Self::WellKnown => Code::AccountRefused,
        }
    }

    /// The Windows LAPS event that says the same: the configured account was not found
    /// (windows-laps §4.10).
    #[must_use]
    pub const fn event_id(self) -> u32 {
        10013
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ambiguous => {
                "more than one local account answers to the configured name; give each its own name"
            }
            Self::NoBuiltInAdministrator => {
                "no local account has RID 500, and no AdministratorAccountName is configured; \
                 configure one"
            }
            Self::NotFound => {
                "no local account has the configured AdministratorAccountName; create it, or \
                 correct the name"
            }
            Self::SurroundingSpace => {
                "the configured AdministratorAccountName begins or ends with a space; remove it"
            }
            Self::WellKnown => {
                "the configured account is a guest, service or other system account; those are \
                 never managed"
            }
        })
    }
}

impl core::error::Error for AccountError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString as _, vec, vec::Vec};

    fn account(name: &str, sid: &str) -> LocalAccount {
        LocalAccount {
            name: AccountName::new(name).unwrap(),
            sid: (!sid.is_empty()).then(|| sid.parse().unwrap()),
            enabled: true,
        }
    }

    fn device() -> Vec<LocalAccount> {
        vec![
            account("Gast", "S-1-5-21-1-2-3-501"),
            account("Verwalter", "S-1-5-21-1-2-3-500"),
            account("DefaultAccount", "S-1-5-21-1-2-3-503"),
            account("Admin", "S-1-5-21-1-2-3-1001"),
            account("Ärzte", "S-1-5-21-1-2-3-1002"),
        ]
    }

    fn chosen(name: &str, accounts: &[LocalAccount]) -> Result<&'static str, AccountError> {
        let name = AccountName::new(name).unwrap();
        choose(&name, accounts).map(|account| &*account.name.to_string().leak())
    }

    #[test]
    fn a_blank_name_finds_rid_500_even_when_it_was_renamed() {
        assert_eq!(chosen("", &device()), Ok("Verwalter"));
        let mut without = device();
        without.remove(1);
        assert_eq!(chosen("", &without), Err(AccountError::NoBuiltInAdministrator));
        // RID 500 of something that is not a machine's own accounts does not count.
        assert_eq!(
            chosen("", &[account("Administrators", "S-1-5-32-500")]),
            Err(AccountError::NoBuiltInAdministrator)
        );
    }

    #[test]
    fn names_are_compared_as_windows_compares_them() {
        assert_eq!(chosen("aDMIN", &device()), Ok("Admin"));
        assert_eq!(chosen("äRZTE", &device()), Ok("Ärzte"));
        assert_eq!(chosen("Adm", &device()), Err(AccountError::NotFound));
        assert!(!same_name("straße", "STRASSE"));
        assert!(!same_name("ſa", "sa") && !same_name("ıd", "ID"));
    }

    #[test]
    fn absent_ambiguous_and_spaced_names_are_refused_with_event_10013() {
        let twice = [account("a", "S-1-5-21-1-2-3-1001"), account("A", "S-1-5-21-1-2-3-1002")];
        for (name, accounts, want) in [
            ("Nobody here", &device()[..], AccountError::NotFound),
            ("a", &twice[..], AccountError::Ambiguous),
            (" Admin", &device()[..], AccountError::SurroundingSpace),
            ("Admin ", &device()[..], AccountError::SurroundingSpace),
            (" ", &device()[..], AccountError::SurroundingSpace),
        ] {
            assert_eq!(chosen(name, accounts), Err(want), "{name:?}");
            assert_eq!(want.event_id(), 10013);
        }
    }

    #[test]
    fn guest_service_and_other_well_known_accounts_are_never_chosen() {
        for (name, sid) in [
            ("Gast", "S-1-5-21-1-2-3-501"),
            ("DefaultAccount", "S-1-5-21-1-2-3-503"),
            ("WDAGUtilityAccount", "S-1-5-21-1-2-3-504"),
            ("reserved", "S-1-5-21-1-2-3-999"),
            ("SYSTEM", "S-1-5-18"),
            ("NETWORK SERVICE", "S-1-5-20"),
            ("MSSQL", "S-1-5-80-1-2-3-4-5"),
            ("Administrators", "S-1-5-32-544"),
            ("daemon", "S-1-22-1-1"),
            ("nobody", "S-1-22-1-65534"),
            ("guest", ""),
        ] {
            assert_eq!(
                chosen(name, &[account(name, sid)]),
                Err(AccountError::WellKnown),
                "{name} {sid}"
            );
        }
        assert_eq!(chosen("root", &[account("root", "S-1-22-1-0")]), Ok("root"));
        assert_eq!(chosen("ops", &[account("ops", "")]), Ok("ops"));
    }

    #[test]
    fn a_disabled_account_is_managed_all_the_same() {
        let mut off = account("Admin", "S-1-5-21-1-2-3-1001");
        off.enabled = false;
        assert_eq!(chosen("Admin", &[off]), Ok("Admin"));
    }
}
