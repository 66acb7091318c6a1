//! Which local account is managed.

use core::ffi::c_char;

use laps_core::account::{LocalAccount, Sid, automatic_name, choose};
use laps_core::error::Code;
use laps_core::identity::AccountName;

use crate::failure::Failure;
use crate::generator::laps_generator;
use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::policy::laps_policy;
use crate::status::{answer, laps_status, value};

/// The local accounts of a device, of which one is to be managed.
#[derive(Debug)]
pub struct laps_accounts {
    poison: Poison,
    pub(crate) accounts: Vec<LocalAccount>,
}
object!(laps_accounts);

impl laps_accounts {
    pub(crate) fn boxed() -> Box<Self> {
        Box::new(Self { poison: Poison::default(), accounts: Vec::new() })
    }
}

/// No account yet.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_accounts_new(out_accounts: *mut *mut laps_accounts) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_accounts, "out_accounts") }?;
        out.give(laps_accounts::boxed());
        Ok(())
    })
}

/// Adds an account of the device. The SID may be NULL with length 0 where the platform has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_accounts_add(
    accounts: *mut laps_accounts,
    name: *const c_char,
    name_len: usize,
    sid: *const c_char,
    sid_len: usize,
    enabled: bool,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut accounts, name, sid) = unsafe {
            (
                pointer::exclusive(accounts)?,
                pointer::text(name, name_len, "name")?,
                pointer::text(sid, sid_len, "sid")?,
            )
        };
        let name = AccountName::new(name)?;
        let sid = if sid.is_empty() { None } else { Some(sid.parse::<Sid>()?) };
        accounts.accounts.push(LocalAccount { name, sid, enabled });
        Ok(())
    })
}

/// Chooses the managed account by the policy's AdministratorAccountName: by its name, or, when that
/// is blank, the built-in administrator by its SID. The index counts from 0 in the order of
/// laps_accounts_add().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_accounts_choose(
    accounts: *const laps_accounts,
    policy: *const laps_policy,
    out_index: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (accounts, policy, out) = unsafe {
            (
                pointer::shared(accounts)?,
                pointer::shared(policy)?,
                Out::new(out_index, "out_index")?,
            )
        };
        let chosen = choose(policy.policy.administrator_account_name(), &accounts.accounts)?;
        let index = accounts.accounts.iter().position(|account| core::ptr::eq(account, chosen));
        out.set(index.ok_or_else(|| Failure::from(Code::Internal))?);
        Ok(())
    })
}

/// The name of the account that is managed automatically under a policy:
/// AutomaticAccountManagementNameOrPrefix, and six random digits where
/// AutomaticAccountManagementRandomizeName asks for them, drawn anew at every call. The accounts
/// are those whose names it must not have: leave out the one that is managed already.
/// LAPS_STATUS_ACCOUNT_REFUSED when the name cannot be one, or is taken. A buffer of 64 always
/// holds it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_accounts_automatic_name(
    accounts: *const laps_accounts,
    policy: *const laps_policy,
    generator: *mut laps_generator,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (accounts, policy, mut generator, buffer) = unsafe {
            (
                pointer::shared(accounts)?,
                pointer::shared(policy)?,
                pointer::exclusive(generator)?,
                Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?,
            )
        };
        let name = automatic_name(
            policy.policy.automatic_account_management_name_or_prefix(),
            policy.policy.automatic_account_management_randomize_name(),
            &accounts.accounts,
            generator.ready()?,
        )?;
        buffer.fill_utf8(name.as_str())
    })
}

/// Frees accounts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_accounts_free(accounts: *mut laps_accounts) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(accounts) };
        Ok(())
    });
}
