//! An account store that is a table of functions.

use alloc::ffi::CString;
use core::ffi::{c_char, c_void};

use laps_core::account::{LocalAccount, choose};
use laps_core::error::Code;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::rotation::Action;
use laps_core::secret::Password;
use laps_host::account::setter::SetterLock;
use laps_host::account::{Abilities, AccountStore, StoreError, Verification};

use super::channel::User;
use crate::accounts::laps_accounts;
use crate::password::laps_password;
use crate::rotation::events::{
    LAPS_ACCOUNT_MISSING, LAPS_ACCOUNT_PRESENT, LAPS_ACTED_DONE, LAPS_ACTED_NOT_SUPPORTED,
    LAPS_APPLIED_MANAGED_ELSEWHERE, LAPS_APPLIED_NOT_FOUND, LAPS_APPLIED_REFUSED,
    LAPS_APPLIED_SUCCESS, LAPS_APPLIED_TIMED_OUT, LAPS_VERIFIED_MATCH, LAPS_VERIFIED_MISMATCH,
};
use crate::rotation::{
    LAPS_ACTION_RESTART, LAPS_ACTION_SIGN_OUT, LAPS_ACTION_TERMINATE, LAPS_ACTION_WARN_RESTART,
    LAPS_ACTION_WARN_SIGN_OUT,
};

/// Looks the managed account up: adds what the device has under that name to accounts, or, for an
/// empty name, every account that may be the built-in administrator. Answers LAPS_ACCOUNT_PRESENT,
/// of which the library chooses one; LAPS_ACCOUNT_MISSING; or LAPS_ACCOUNT_UNKNOWN. Asked before
/// every check-in. Names are UTF-8, ended by NUL.
pub type laps_account_find = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        name: *const c_char,
        accounts: *mut laps_accounts,
    ) -> u32,
>;

/// Sets the password of an account; answers one of LAPS_APPLIED_*. What is not certainly a success
/// or a refusal is LAPS_APPLIED_FAILED. When it answers, nothing changes the account any more.
pub type laps_account_set = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        account: *const c_char,
        password: *const laps_password,
    ) -> u32,
>;

/// Whether an account has a password; answers one of LAPS_VERIFIED_*. It is no use of the account.
pub type laps_account_verify = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        account: *const c_char,
        password: *const laps_password,
    ) -> u32,
>;

/// Writes 32 bytes that change whenever the password of the account is set; false when they cannot
/// be read.
pub type laps_account_change_stamp = Option<
    unsafe extern "C" fn(user: *mut c_void, account: *const c_char, out_stamp: *mut u8) -> bool,
>;

/// Writes when the account was last used, at or after a time, or 0 for never; false when that
/// cannot be read.
pub type laps_account_used_since = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        account: *const c_char,
        since: u64,
        out_at: *mut u64,
    ) -> bool,
>;

/// Does one of LAPS_ACTION_*; answers one of LAPS_ACTED_*.
pub type laps_account_act =
    Option<unsafe extern "C" fn(user: *mut c_void, account: *const c_char, action: u32) -> u32>;

/// An account store of your own: what an agent calls, each with user. NULL is what it cannot; find
/// and set must be there.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "C fills every field")]
pub struct laps_account_calls {
    /// sizeof(laps_account_calls).
    pub size: usize,
    /// See laps_account_find.
    pub find: laps_account_find,
    /// See laps_account_set.
    pub set: laps_account_set,
    /// See laps_account_verify. Without it a success of the setter is believed.
    pub verify: laps_account_verify,
    /// See laps_account_change_stamp. Without it both passwords stay candidates after a crash.
    pub change_stamp: laps_account_change_stamp,
    /// See laps_account_used_since. Without it no use of the account is noticed.
    pub used_since: laps_account_used_since,
    /// See laps_account_act. Without it no action follows a use.
    pub act: laps_account_act,
}

/// An account store that is functions of C.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calls {
    pub(super) calls: laps_account_calls,
    pub(super) user: User,
}

/// A name as C reads it. A name of an account holds no NUL; one that did would end there.
fn c_name(name: &AccountName) -> CString {
    CString::new(name.as_str()).unwrap_or_default()
}

fn none(what: &str) -> StoreError {
    StoreError::Cannot(format!("the store has no function {what}"))
}

fn lent(password: &Password) -> Box<laps_password> {
    let mut lent = laps_password::boxed();
    // It is as long as a password may be, since it is one.
    let _ = lent.password.set(password.expose_secret());
    lent
}

impl AccountStore for Calls {
    fn name(&self) -> &'static str {
        "program's"
    }

    fn abilities(&self) -> Abilities {
        let mut abilities = Abilities::default();
        abilities.change_stamp = self.calls.change_stamp.is_some();
        abilities.verify = self.calls.verify.is_some();
        abilities.used_since = self.calls.used_since.is_some();
        let act = self.calls.act.is_some();
        (abilities.sign_out, abilities.terminate, abilities.restart) = (act, act, act);
        abilities
    }

    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        let find = self.calls.find.ok_or_else(|| none("find"))?;
        let (name, mut accounts) = (c_name(configured), laps_accounts::boxed());
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns;
        // name and accounts live for the call.
        match unsafe { find(self.user.0, name.as_ptr(), &raw mut *accounts) } {
            LAPS_ACCOUNT_PRESENT => {
                choose(configured, &accounts.accounts).copied().map_err(|error| {
                    if error.code() == Code::AccountNotFound {
                        StoreError::NoSuchAccount(error.to_string())
                    } else {
                        StoreError::Refused(error.to_string())
                    }
                })
            }
            LAPS_ACCOUNT_MISSING => {
                Err(StoreError::NoSuchAccount(format!("the store has none for {configured:?}")))
            }
            other => Err(StoreError::Failed(format!("the store answered {other} to the look-up"))),
        }
    }

    fn change_stamp(&mut self, account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        let Some(change_stamp) = self.calls.change_stamp else { return Ok(None) };
        let (name, mut stamp) = (c_name(&account.name), [0; 32]);
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns;
        // name and stamp live for the call.
        if unsafe { change_stamp(self.user.0, name.as_ptr(), stamp.as_mut_ptr()) } {
            Ok(Some(stamp))
        } else {
            Err(StoreError::Failed("the store could not read the change stamp".to_owned()))
        }
    }

    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        _setter: &mut SetterLock,
    ) -> Result<(), StoreError> {
        let set = self.calls.set.ok_or_else(|| none("set"))?;
        let (name, password) = (c_name(&account.name), lent(password));
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns;
        // name and password live for the call.
        match unsafe { set(self.user.0, name.as_ptr(), &raw const *password) } {
            LAPS_APPLIED_SUCCESS => Ok(()),
            LAPS_APPLIED_REFUSED => {
                let text = "the device's password policy refused the password";
                Err(StoreError::Refused(text.to_owned()))
            }
            LAPS_APPLIED_NOT_FOUND => {
                Err(StoreError::NoSuchAccount(account.name.as_str().to_owned()))
            }
            LAPS_APPLIED_MANAGED_ELSEWHERE => {
                Err(StoreError::ManagedElsewhere(account.name.as_str().to_owned()))
            }
            LAPS_APPLIED_TIMED_OUT => {
                Err(StoreError::TimedOut("the store says so of the setter".to_owned()))
            }
            other => Err(StoreError::Failed(format!("the store answered {other} to the setter"))),
        }
    }

    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification {
        let Some(verify) = self.calls.verify else { return Verification::Cannot };
        let (name, password) = (c_name(&account.name), lent(password));
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns;
        // name and password live for the call.
        match unsafe { verify(self.user.0, name.as_ptr(), &raw const *password) } {
            LAPS_VERIFIED_MATCH => Verification::Matches,
            LAPS_VERIFIED_MISMATCH => Verification::DoesNotMatch,
            _ => Verification::NoAnswer("the store could not ask the account".to_owned()),
        }
    }

    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let used_since = self.calls.used_since.ok_or_else(|| none("used_since"))?;
        let (name, mut at) = (c_name(&account.name), 0);
        let since = since.as_unix_seconds();
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns;
        // name and at live for the call.
        if !unsafe { used_since(self.user.0, name.as_ptr(), since, &raw mut at) } {
            return Err(StoreError::Failed("the store could not read the uses".to_owned()));
        }
        Ok((at != 0 && at >= since).then(|| Timestamp::from_unix_seconds(at)))
    }

    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError> {
        let act = self.calls.act.ok_or_else(|| none("act"))?;
        let number = match action {
            Action::WarnSignOut => LAPS_ACTION_WARN_SIGN_OUT,
            Action::SignOut => LAPS_ACTION_SIGN_OUT,
            Action::Terminate => LAPS_ACTION_TERMINATE,
            Action::WarnRestart => LAPS_ACTION_WARN_RESTART,
            Action::Restart => LAPS_ACTION_RESTART,
        };
        let name = c_name(&account.name);
        // SAFETY: contract, Callbacks: it can be called until the agent is freed, and returns;
        // name lives for the call.
        match unsafe { act(self.user.0, name.as_ptr(), number) } {
            LAPS_ACTED_DONE => Ok(()),
            LAPS_ACTED_NOT_SUPPORTED => {
                Err(StoreError::Cannot(format!("the store has no {}", action.as_str())))
            }
            other => {
                let action = action.as_str();
                Err(StoreError::Failed(format!("the store answered {other} to {action}")))
            }
        }
    }
}
