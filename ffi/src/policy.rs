//! The policy in force.

use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::policy::{
    Policy, RESET_PASSWORD, RESET_PASSWORD_STATUS, Setting, read, schema_json,
};

use crate::bytes::laps_bytes;
use crate::failure::Failure;
use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::recipe::laps_recipe;
use crate::status::{answer, laps_status, value};

/// A policy in force: every setting of Windows LAPS has a value in its range. Immutable: threads
/// may share it.
#[derive(Debug)]
pub struct laps_policy {
    poison: Poison,
    pub(crate) policy: Policy,
}
object!(laps_policy);

impl laps_policy {
    pub(crate) fn boxed(policy: Policy) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), policy })
    }
}

/// The policy of a device on which nothing was configured: the defaults of Windows LAPS. It manages
/// nothing.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_new_default(out_policy: *mut *mut laps_policy) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_policy, "out_policy") }?;
        out.give(laps_policy::boxed(Policy::default()));
        Ok(())
    })
}

/// What a password must look like under this policy.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_recipe(
    policy: *const laps_policy,
    out_recipe: *mut *mut laps_recipe,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (policy, out) =
            unsafe { (pointer::shared(policy)?, Out::new(out_recipe, "out_recipe")?) };
        out.give(laps_recipe::boxed(policy.policy.recipe()?));
        Ok(())
    })
}

fn get<T>(policy: *const laps_policy, nothing: T, get: impl FnOnce(&Policy) -> T) -> T {
    // SAFETY: contract, Objects.
    value(nothing, || Ok(get(&unsafe { pointer::shared(policy) }?.policy)))
}

/// BackupDirectory: 0 nowhere (nothing is managed), 1 Microsoft Entra, 2 Active Directory. 0 for
/// NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_backup_directory(policy: *const laps_policy) -> u8 {
    get(policy, 0, |policy| policy.backup_directory().as_u8())
}

/// PasswordAgeDays: 1 to 365. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_password_age_days(policy: *const laps_policy) -> u16 {
    get(policy, 0, Policy::password_age_days)
}

/// PasswordComplexity: 1 to 8. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_password_complexity(policy: *const laps_policy) -> u8 {
    get(policy, 0, |policy| policy.password_complexity().as_u8())
}

/// PasswordLength: 8 to 64. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_password_length(policy: *const laps_policy) -> u8 {
    get(policy, 0, Policy::password_length)
}

/// PassphraseLength: 3 to 10 words. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_passphrase_length(policy: *const laps_policy) -> u8 {
    get(policy, 0, Policy::passphrase_length)
}

/// PostAuthenticationResetDelay in minutes: 0 (no actions) to 1440. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_post_authentication_reset_delay_minutes(
    policy: *const laps_policy,
) -> u16 {
    get(policy, 0, Policy::post_authentication_reset_delay_minutes)
}

/// PostAuthenticationActions: 1 resets, 2 signs out, 4 restarts, 8 terminates; as their sum. 0 for
/// NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_post_authentication_actions(policy: *const laps_policy) -> u8 {
    get(policy, 0, |policy| policy.post_authentication_actions().as_u8())
}

/// AdministratorAccountName; empty means the built-in administrator.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_administrator_account_name(
    policy: *const laps_policy,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (policy, buffer) = unsafe {
            (pointer::shared(policy)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let name = policy.policy.administrator_account_name().as_str();
        buffer.fill_utf8(name)
    })
}

/// The value of any setting by its name in the Windows LAPS CSP, as text.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_value(
    policy: *const laps_policy,
    setting: *const c_char,
    setting_len: usize,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (policy, setting, buffer) = unsafe {
            (
                pointer::shared(policy)?,
                pointer::text(setting, setting_len, "setting")?,
                Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?,
            )
        };
        let setting = Setting::from_name(setting).ok_or_else(|| {
            let message = format_args!("{setting:?} is not a setting of Windows LAPS");
            Failure::new(Code::InvalidArgument, &message)
        })?;
        let text = policy.policy.value(setting).to_string();
        buffer.fill_utf8(&text)
    })
}

/// SHA-256 over all settings: 32 bytes. Two policies are the same if and only if these are.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_hash(
    policy: *const laps_policy,
    out_hash: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (policy, out) = unsafe {
            (pointer::shared(policy)?, Out::new(out_hash.cast::<[u8; 32]>(), "out_hash")?)
        };
        out.set(policy.policy.hash());
        Ok(())
    })
}

/// SyncML that asks a device for a new password now, and how it went: Exec of
/// Actions/ResetPassword, Get of Actions/ResetPasswordStatus.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_reset_password(
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_bytes, "out_bytes") }?;
        out.give(laps_bytes::boxed(RESET_PASSWORD.as_bytes().to_vec()));
        Ok(())
    })
}

/// SyncML that asks a device how the new password that was asked for went: Get of
/// Actions/ResetPasswordStatus.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_reset_status(out_bytes: *mut *mut laps_bytes) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_bytes, "out_bytes") }?;
        out.give(laps_bytes::boxed(RESET_PASSWORD_STATUS.as_bytes().to_vec()));
        Ok(())
    })
}

/// What a device answered to it, in SyncML with Results: an HRESULT, 0 for done, 0x8000000A for not
/// done yet. LAPS_STATUS_NOT_FOUND when the document has no such answer, or says that the device
/// has no such node.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_read_reset_status(
    document: *const u8,
    document_len: usize,
    out_hresult: *mut u32,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (document, out) = unsafe {
            (
                pointer::bytes(document, document_len, "document")?,
                Out::new(out_hresult, "out_hresult")?,
            )
        };
        let none = || Failure::new(Code::NotFound, &"the document has no ResetPasswordStatus");
        let status = read(document, "answer")?.reset_status().ok_or_else(none)?;
        out.set(status.hresult().ok_or_else(|| Failure::new(Code::NotFound, &status))?);
        Ok(())
    })
}

/// Every setting with its type, range, default and what it needs, as one line of JSON in UTF-8.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_schema(out_bytes: *mut *mut laps_bytes) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_bytes, "out_bytes") }?;
        out.give(laps_bytes::boxed(schema_json().into_bytes()));
        Ok(())
    })
}

/// Frees a policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_policy_free(policy: *mut laps_policy) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(policy) };
        Ok(())
    });
}
