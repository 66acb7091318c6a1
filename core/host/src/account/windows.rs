//! Local accounts of Windows: `NetUserSetInfo` level 1003 sets, a network logon verifies.
//!
//! The calls themselves, with all the `unsafe` there is, stand in `windows/system.rs`.
//!
//! * *Stands aside* when an active Windows LAPS policy manages the account (registry roots of
//!   windows-laps §1.1), and when the system answers 0x21CE or 0xC000A08B to a change.
//! * *Change stamp*: SHA-256 of the time at which the password was set. Windows gives its age in
//!   whole seconds, so the change stamp of an unchanged password may differ by a second; that keeps
//!   a candidate too many, never one too few. A password that is only a few seconds old has no
//!   change stamp: one that was set right after it could not be told from it.
//! * *Verification* is a logon of type network, which starts no session. A logon that is refused
//!   only because of the logon type, an expired password or one that must be changed has checked
//!   the password before: it matches. A disabled, locked or restricted account gives no answer.
//! * *Uses* are the account's last logon. The logon of our own verification is remembered and left
//!   out.

mod policy;
mod program;
mod system;

use laps_core::account::LocalAccount;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;
use sha2::{Digest as _, Sha256};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_LOGON_FAILURE, ERROR_LOGON_TYPE_NOT_GRANTED, ERROR_PASSWORD_EXPIRED,
    ERROR_PASSWORD_MUST_CHANGE, ERROR_SUCCESS,
};
use windows_sys::Win32::NetworkManagement::NetManagement::{
    NERR_PasswordTooShort as NERR_PASSWORD_TOO_SHORT, NERR_UserNotFound as NERR_USER_NOT_FOUND,
};

use super::setter::SetterLock;
use super::{Abilities, AccountStore, Action, StoreError, Verification, pick};
use crate::time::now;
use policy::managed_by_windows;
use program::{restart, warn};
use system::{
    failed, info, least_length, logon, names, set_password, sign_out, terminate, wide_secret,
};

/// The local accounts of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowsStore {
    /// The last logon that our own verification made.
    ours: Option<u32>,
}

impl WindowsStore {
    /// The local accounts of this machine.
    #[must_use]
    pub const fn new() -> Self {
        Self { ours: None }
    }
}

impl AccountStore for WindowsStore {
    fn name(&self) -> &'static str {
        "windows"
    }

    fn abilities(&self) -> Abilities {
        Abilities::all()
    }

    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        let mut accounts = Vec::new();
        for name in names()? {
            let Ok(name) = AccountName::new(&name) else { continue };
            let info = info(name.as_str())?;
            accounts.push(LocalAccount { name, sid: info.sid, enabled: info.enabled });
        }
        let account = pick(configured, &accounts)?;
        match managed_by_windows(&account) {
            Some(root) => Err(StoreError::ManagedElsewhere(format!(
                "the Windows LAPS policy under HKLM\\{root} manages {}; set its BackupDirectory to \
                 0, or give us another account",
                account.name
            ))),
            None => Ok(account),
        }
    }

    fn change_stamp(&mut self, account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        let age = info(account.name.as_str())?.password_age;
        if age < LEAST_AGE {
            return Ok(None);
        }
        let set_at = now().minus(u64::from(age));
        Ok(Some(Sha256::digest(set_at.as_unix_seconds().to_be_bytes()).into()))
    }

    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        _setter: &mut SetterLock,
    ) -> Result<(), StoreError> {
        if let Some(root) = managed_by_windows(account) {
            return Err(StoreError::ManagedElsewhere(format!(
                "the Windows LAPS policy under HKLM\\{root} manages it"
            )));
        }
        let status = set_password(account.name.as_str(), wide_secret(password).as_slice());
        match status {
            ERROR_SUCCESS => Ok(()),
            POLICY_CONTROLLED_ACCOUNT | POLICY_CONTROLLED_STATUS => {
                Err(StoreError::ManagedElsewhere(format!(
                    "Windows protects the account (0x{status:X}): Windows LAPS manages it"
                )))
            }
            NERR_PASSWORD_TOO_SHORT => Err(StoreError::Refused(refusal(
                u32::try_from(password.expose_secret().encode_utf16().count()).unwrap_or(u32::MAX),
                least_length(),
            ))),
            NERR_USER_NOT_FOUND => Err(StoreError::NoSuchAccount(account.name.to_string())),
            ERROR_ACCESS_DENIED => Err(StoreError::Failed(
                "access denied; the agent must run as LocalSystem or an administrator".to_owned(),
            )),
            _ => Err(failed("NetUserSetInfo", status)),
        }
    }

    /// Not while the account is disabled, as the built-in administrator is on a new client: Windows
    /// then answers `ERROR_ACCOUNT_DISABLED`, and whether it looks at the password before is
    /// not documented.
    fn can_verify(&mut self, account: &LocalAccount, _not_its_password: &Password) -> bool {
        info(account.name.as_str()).map_or(true, |info| info.enabled)
    }

    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification {
        let error = logon(account.name.as_str(), wide_secret(password).as_slice());
        // A failed logon leaves `last_logon` as it is.
        self.ours = info(account.name.as_str()).ok().map(|info| info.last_logon);
        match error {
            ERROR_SUCCESS
            | ERROR_LOGON_TYPE_NOT_GRANTED
            | ERROR_PASSWORD_EXPIRED
            | ERROR_PASSWORD_MUST_CHANGE => Verification::Matches,
            ERROR_LOGON_FAILURE => Verification::DoesNotMatch,
            _ => Verification::NoAnswer(failed("LogonUser", error).reason().to_owned()),
        }
    }

    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let last = info(account.name.as_str())?.last_logon;
        let at = Timestamp::from_unix_seconds(u64::from(last));
        Ok((last != 0 && Some(last) != self.ours && at >= since).then_some(at))
    }

    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError> {
        match action {
            Action::Restart => restart(),
            Action::WarnRestart => warn("*", "This computer restarts in one minute."),
            Action::WarnSignOut => {
                warn(account.name.as_str(), "This session is signed out in two minutes.")
            }
            Action::SignOut => sign_out(account.name.as_str()),
            Action::Terminate => match account.sid {
                Some(sid) => terminate(sid),
                None => Err(StoreError::Failed("the account has no SID".to_owned())),
            },
        }
    }
}

/// Windows has one status for every refusal; the minimum length of its policy says whether it was
/// that.
fn refusal(length: u32, least: Option<u32>) -> String {
    match least {
        Some(least) if length < least => {
            format!("Windows' password policy refused the password: too short, minimum {least}")
        }
        Some(_) => "Windows' password policy refused the password: not complex enough, or used \
                    before"
            .to_owned(),
        None => {
            "Windows' password policy refused the password: its length, its complexity, or one \
             used before"
                .to_owned()
        }
    }
}

/// `ERROR_POLICY_CONTROLLED_ACCOUNT` (windows-laps §4.8).
const POLICY_CONTROLLED_ACCOUNT: u32 = 0x21CE;
/// `STATUS_POLICY_CONTROLLED_ACCOUNT` (windows-laps §4.8), should a status come through.
const POLICY_CONTROLLED_STATUS: u32 = 0xC000_A08B;
/// How old a password must be, in seconds, to have a change stamp. Windows tells whole seconds, and
/// the two clocks that the change stamp is made of are each up to a second off: two passwords set
/// within two seconds may have one change stamp, and the second would be ruled out after a crash
/// although the account has it.
const LEAST_AGE: u32 = 3;
