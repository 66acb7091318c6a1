//! The accounts of a machine, for a loop of the program's own.

use alloc::ffi::CString;
use core::ffi::c_char;
use core::fmt;
use core::time::Duration;
use std::path::Path;
use std::{io, process};

use laps_core::account::LocalAccount;
use laps_core::error::Code;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::rotation::Action;
use laps_host::account::setter::SetterLock;
use laps_host::account::{self, AccountStore, StoreError, Verification};

use super::options::LONGEST_WAIT;
use crate::failure::Failure;
use crate::password::laps_password;
use crate::pointer::{self, Exclusive, Out, Poison, object};
use crate::rotation::events::{
    LAPS_ACCOUNT_MISSING, LAPS_ACCOUNT_PRESENT, LAPS_ACCOUNT_UNKNOWN, LAPS_ACTED_DONE,
    LAPS_ACTED_FAILED, LAPS_ACTED_NOT_SUPPORTED, LAPS_APPLIED_FAILED,
    LAPS_APPLIED_MANAGED_ELSEWHERE, LAPS_APPLIED_NOT_FOUND, LAPS_APPLIED_REFUSED,
    LAPS_APPLIED_SUCCESS, LAPS_APPLIED_TIMED_OUT, LAPS_VERIFIED_MATCH, LAPS_VERIFIED_MISMATCH,
    LAPS_VERIFIED_UNAVAILABLE,
};
use crate::rotation::{
    LAPS_ACTION_RESTART, LAPS_ACTION_SIGN_OUT, LAPS_ACTION_TERMINATE, LAPS_ACTION_WARN_RESTART,
    LAPS_ACTION_WARN_SIGN_OUT,
};
use crate::status::{answer, laps_status, value};

/// laps_account_store_change_stamp() works.
pub const LAPS_ABILITY_CHANGE_STAMP: u32 = 1;
/// laps_account_store_verify() works.
pub const LAPS_ABILITY_VERIFY: u32 = 2;
/// laps_account_store_used_since() works.
pub const LAPS_ABILITY_USED_SINCE: u32 = 4;
/// LAPS_ACTION_SIGN_OUT can be done.
pub const LAPS_ABILITY_SIGN_OUT: u32 = 8;
/// LAPS_ACTION_TERMINATE can be done.
pub const LAPS_ABILITY_TERMINATE: u32 = 16;
/// LAPS_ACTION_RESTART can be done.
pub const LAPS_ABILITY_RESTART: u32 = 32;

/// The accounts of this machine, or those that a program of yours knows: what laps_agent uses, for
/// a loop of your own with laps_rotation. laps_account_store_find() chooses the account that the
/// other calls are about. One thread at a time. It works in the process that opened it alone,
/// elsewhere its calls that touch the account answer LAPS_STATUS_INVALID_ARGUMENT.
pub struct laps_account_store {
    poison: Poison,
    /// The process that opened it: the lock is its.
    process: u32,
    store: Box<dyn AccountStore + Send>,
    setter: SetterLock,
    abilities: u32,
    found: Option<Found>,
    reason: CString,
}
object!(laps_account_store);

impl fmt::Debug for laps_account_store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("laps_account_store")
            .field("store", &self.store.name())
            .finish_non_exhaustive()
    }
}

/// The account that was found, and its texts as C reads them.
#[derive(Debug)]
struct Found {
    account: LocalAccount,
    name: CString,
    sid: CString,
}

impl laps_account_store {
    /// The account that was found last.
    fn account(&self) -> Result<LocalAccount, Failure> {
        let found = self.found.as_ref().map(|found| found.account);
        found.ok_or_else(|| {
            let message = "no account was found; laps_account_store_find() comes first";
            Failure::new(Code::UnexpectedEvent, &message)
        })
    }

    fn is_ours(&self) -> Result<(), Failure> {
        if process::id() == self.process {
            return Ok(());
        }
        let message = "another process opened this account store; open one in each";
        Err(Failure::new(Code::InvalidArgument, &message))
    }

    /// Remembers why the store did not do what it was asked.
    fn because(&mut self, reason: &dyn fmt::Display) {
        self.reason = c_text(&reason.to_string());
    }
}

/// Text of the machine may hold a NUL, where the text of C ends.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// Does something with the store.
fn work(
    account_store: *mut laps_account_store,
    work: impl FnOnce(&mut laps_account_store) -> Result<(), Failure>,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let mut store: Exclusive<'_, laps_account_store> =
            unsafe { pointer::exclusive(account_store) }?;
        store.is_ours()?;
        store.reason = CString::default();
        work(&mut store)
    })
}

/// Opens an account store by its name, as laps_agent_options_set_store() has them. path names a
/// file for its lock, which is made when it is not there: whatever sets a password holds it, also a
/// program that an earlier process left behind, which is waited for and ended after setter_seconds
/// (1 to 1000000000; 30 is usual). LAPS_STATUS_BUSY when it does not end. Each account has a lock
/// of its own, in a folder that nobody else may write in.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_open(
    store: *const c_char,
    store_len: usize,
    path: *const c_char,
    path_len: usize,
    setter_seconds: u64,
    out_account_store: *mut *mut laps_account_store,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (store, path, out) = unsafe {
            (
                pointer::text(store, store_len, "store")?,
                pointer::text(path, path_len, "path")?,
                Out::new(out_account_store, "out_account_store")?,
            )
        };
        if !(1..=LONGEST_WAIT).contains(&setter_seconds) {
            let message = format_args!(
                "setter_seconds is {setter_seconds}; 1 to {LONGEST_WAIT} are accepted"
            );
            return Err(Failure::new(Code::InvalidArgument, &message));
        }
        let opened =
            account::open(store).map_err(|error| Failure::new(Code::InvalidArgument, &error))?;
        let timeout = Duration::from_secs(setter_seconds);
        let setter =
            SetterLock::acquire(Path::new(path), timeout).map_err(|error| locked(&error))?;
        let can = opened.abilities();
        let abilities = [
            (can.change_stamp, LAPS_ABILITY_CHANGE_STAMP),
            (can.verify, LAPS_ABILITY_VERIFY),
            (can.used_since, LAPS_ABILITY_USED_SINCE),
            (can.sign_out, LAPS_ABILITY_SIGN_OUT),
            (can.terminate, LAPS_ABILITY_TERMINATE),
            (can.restart, LAPS_ABILITY_RESTART),
        ];
        out.give(Box::new(laps_account_store {
            poison: Poison::default(),
            process: process::id(),
            store: opened,
            setter,
            abilities: abilities.iter().filter(|(can, _)| *can).map(|(_, bit)| bit).sum(),
            found: None,
            reason: CString::default(),
        }));
        Ok(())
    })
}

fn locked(error: &io::Error) -> Failure {
    let kind = error.kind();
    let code = if kind == io::ErrorKind::WouldBlock {
        Code::Busy
    } else if kind == io::ErrorKind::PermissionDenied {
        Code::PermissionDenied
    } else {
        Code::Io
    };
    Failure::new(code, &format_args!("the lock of the account store: {error}"))
}

/// What the store can do on this machine, as far as that is known without trying: the sum of
/// LAPS_ABILITY_*.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_abilities(
    account_store: *const laps_account_store,
) -> u32 {
    value(0, || {
        // SAFETY: contract, Objects.
        Ok(unsafe { pointer::shared(account_store) }?.abilities)
    })
}

/// Looks up the account of this name, or the built-in administrator for an empty one, and takes it
/// for the calls that follow. Answers what laps_rotation_handle_account() wants, one of
/// LAPS_ACCOUNT_*; unless it is LAPS_ACCOUNT_PRESENT, no account is taken and
/// laps_account_store_reason() says why. Look it up before every check-in.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_find(
    account_store: *mut laps_account_store,
    name: *const c_char,
    name_len: usize,
    out_seen: *mut u32,
) -> laps_status {
    work(account_store, |store| {
        // SAFETY: contract, Buffers.
        let (name, out) =
            unsafe { (pointer::text(name, name_len, "name")?, Out::new(out_seen, "out_seen")?) };
        let name = if name.is_empty() { AccountName::default() } else { AccountName::new(name)? };
        store.found = None;
        let seen = match store.store.find(&name) {
            Ok(account) => {
                store.found = Some(Found {
                    account,
                    name: c_text(account.name.as_str()),
                    sid: account.sid.map_or_else(CString::default, |sid| c_text(&sid.to_string())),
                });
                LAPS_ACCOUNT_PRESENT
            }
            Err(error) => {
                store.because(&error);
                if matches!(error, StoreError::NoSuchAccount(_)) {
                    LAPS_ACCOUNT_MISSING
                } else {
                    LAPS_ACCOUNT_UNKNOWN
                }
            }
        };
        out.set(seen);
        Ok(())
    })
}

/// The name of the account that was found, ended by NUL; NULL when none was. Lives until the next
/// laps_account_store_find().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_account(
    account_store: *const laps_account_store,
) -> *const c_char {
    value(core::ptr::null(), || {
        // SAFETY: contract, Objects.
        let store = unsafe { pointer::shared(account_store) }?;
        Ok(store.found.as_ref().map_or(core::ptr::null(), |found| found.name.as_ptr()))
    })
}

/// The security identifier of the account that was found, ended by NUL; empty when the platform has
/// none, NULL when no account was found. Lives until the next laps_account_store_find().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_sid(
    account_store: *const laps_account_store,
) -> *const c_char {
    value(core::ptr::null(), || {
        // SAFETY: contract, Objects.
        let store = unsafe { pointer::shared(account_store) }?;
        Ok(store.found.as_ref().map_or(core::ptr::null(), |found| found.sid.as_ptr()))
    })
}

/// Reads the account's change stamp: 32 bytes. LAPS_STATUS_NOT_FOUND where the platform has none;
/// pass NULL on then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_change_stamp(
    account_store: *mut laps_account_store,
    out_stamp: *mut u8,
) -> laps_status {
    work(account_store, |store| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_stamp.cast::<[u8; 32]>(), "out_stamp") }?;
        let account = store.account()?;
        let stamp = store.store.change_stamp(&account).inspect_err(|error| store.because(error))?;
        let none = || Failure::new(Code::NotFound, &"this account store has no change stamps");
        out.set(stamp.ok_or_else(none)?);
        Ok(())
    })
}

/// Whether laps_account_store_verify() will have an answer for the account as it is now: for
/// laps_config_set_can_verify(). password is one that the account does not have, since a store may
/// have to try it. false also when no account was found.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_can_verify(
    account_store: *mut laps_account_store,
    password: *const laps_password,
) -> bool {
    value(false, || {
        // SAFETY: contract, Objects.
        let (mut store, password) =
            unsafe { (pointer::exclusive(account_store)?, pointer::shared(password)?) };
        store.is_ours()?;
        let account = store.account()?;
        Ok(store.store.can_verify(&account, &password.password))
    })
}

/// Sets the account's password. Answers what laps_rotation_handle_applied() wants, one of
/// LAPS_APPLIED_*; laps_account_store_reason() says why it is not LAPS_APPLIED_SUCCESS. A program
/// that sets it is ended after the seconds that the store was opened with.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_set(
    account_store: *mut laps_account_store,
    password: *const laps_password,
    out_applied: *mut u32,
) -> laps_status {
    work(account_store, |store| {
        // SAFETY: contract, Objects and Buffers.
        let (password, out) =
            unsafe { (pointer::shared(password)?, Out::new(out_applied, "out_applied")?) };
        let account = store.account()?;
        let applied = match store.store.set(&account, &password.password, &mut store.setter) {
            Ok(()) => LAPS_APPLIED_SUCCESS,
            Err(error) => {
                store.because(&error);
                match error {
                    StoreError::ManagedElsewhere(_) => LAPS_APPLIED_MANAGED_ELSEWHERE,
                    StoreError::NoSuchAccount(_) => LAPS_APPLIED_NOT_FOUND,
                    StoreError::Refused(_) => LAPS_APPLIED_REFUSED,
                    StoreError::TimedOut(_) => LAPS_APPLIED_TIMED_OUT,
                    StoreError::Cannot(_) | StoreError::Failed(_) | _ => LAPS_APPLIED_FAILED,
                }
            }
        };
        out.set(applied);
        Ok(())
    })
}

/// Whether the account has a password, which is no use of the account. Answers what
/// laps_rotation_handle_verified() wants, one of LAPS_VERIFIED_*; laps_account_store_reason() says
/// why it is LAPS_VERIFIED_UNAVAILABLE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_verify(
    account_store: *mut laps_account_store,
    password: *const laps_password,
    out_verified: *mut u32,
) -> laps_status {
    work(account_store, |store| {
        // SAFETY: contract, Objects and Buffers.
        let (password, out) =
            unsafe { (pointer::shared(password)?, Out::new(out_verified, "out_verified")?) };
        let account = store.account()?;
        // Protocol §2 rule 9: while something may still be changing the account, no answer counts.
        let answer = if store.setter.is_held() {
            store.store.verify(&account, &password.password)
        } else {
            Verification::NoAnswer("the setter still runs".to_owned())
        };
        out.set(match answer {
            Verification::Matches => LAPS_VERIFIED_MATCH,
            Verification::DoesNotMatch => LAPS_VERIFIED_MISMATCH,
            Verification::NoAnswer(reason) => {
                store.because(&reason);
                LAPS_VERIFIED_UNAVAILABLE
            }
            Verification::Cannot | _ => {
                store.because(&"the account store cannot verify a password");
                LAPS_VERIFIED_UNAVAILABLE
            }
        });
        Ok(())
    })
}

/// When the account was last used, at or after a time, for laps_rotation_handle_used(); 0 for not
/// at all. LAPS_STATUS_ACCOUNT_FAILED when that cannot be read.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_used_since(
    account_store: *mut laps_account_store,
    since: u64,
    out_at: *mut u64,
) -> laps_status {
    work(account_store, |store| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_at, "out_at") }?;
        let account = store.account()?;
        let used = store
            .store
            .used_since(&account, Timestamp::from_unix_seconds(since))
            .inspect_err(|error| store.because(error))?;
        out.set(used.map_or(0, Timestamp::as_unix_seconds));
        Ok(())
    })
}

/// Does one of LAPS_ACTION_*: it signs the account out, or restarts the machine. Answers what
/// laps_rotation_handle_acted() wants, one of LAPS_ACTED_*; laps_account_store_reason() says why it
/// is not LAPS_ACTED_DONE.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_act(
    account_store: *mut laps_account_store,
    action: u32,
    out_acted: *mut u32,
) -> laps_status {
    work(account_store, |store| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_acted, "out_acted") }?;
        let action = match action {
            LAPS_ACTION_WARN_SIGN_OUT => Action::WarnSignOut,
            LAPS_ACTION_SIGN_OUT => Action::SignOut,
            LAPS_ACTION_TERMINATE => Action::Terminate,
            LAPS_ACTION_WARN_RESTART => Action::WarnRestart,
            LAPS_ACTION_RESTART => Action::Restart,
            _ => {
                let message = format_args!("action is {action}; one of LAPS_ACTION_* is accepted");
                return Err(Failure::new(Code::InvalidArgument, &message));
            }
        };
        let account = store.account()?;
        let acted = match store.store.act(&account, action) {
            Ok(()) => LAPS_ACTED_DONE,
            Err(error) => {
                store.because(&error);
                if matches!(error, StoreError::Cannot(_)) {
                    LAPS_ACTED_NOT_SUPPORTED
                } else {
                    LAPS_ACTED_FAILED
                }
            }
        };
        out.set(acted);
        Ok(())
    })
}

/// Why the latest call on this store found no account, or did not do what it was asked; empty where
/// it did. Ended by NUL; never holds a password. Lives until the next call on the store.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_reason(
    account_store: *const laps_account_store,
) -> *const c_char {
    value(core::ptr::null(), || {
        // SAFETY: contract, Objects.
        Ok(unsafe { pointer::shared(account_store) }?.reason.as_ptr())
    })
}

/// Frees an account store and its lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_account_store_free(account_store: *mut laps_account_store) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(account_store) };
        Ok(())
    });
}
