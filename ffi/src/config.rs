//! What a rotation is told about its device and its policy.

use core::ffi::c_char;

use laps_core::account::Sid;
use laps_core::identity::{AccountName, DeviceId, Scope};
use laps_core::rotation::Config;

use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::policy::laps_policy;
use crate::status::{answer, laps_status, value};

/// What a rotation is told: the device, the managed account, the policy.
#[derive(Debug)]
pub struct laps_config {
    poison: Poison,
    pub(crate) config: Config,
}
object!(laps_config);

/// A configuration for one account of one device under a policy. The device has 1 to 128 bytes, the
/// account 1 to 64 characters: the name that laps_accounts_choose() found, never blank.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_config_new(
    policy: *const laps_policy,
    device: *const c_char,
    device_len: usize,
    account: *const c_char,
    account_len: usize,
    out_config: *mut *mut laps_config,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (policy, device, account, out) = unsafe {
            (
                pointer::shared(policy)?,
                pointer::text(device, device_len, "device")?,
                pointer::text(account, account_len, "account")?,
                Out::new(out_config, "out_config")?,
            )
        };
        let (device, account) = (DeviceId::new(device)?, AccountName::new(account)?);
        let config = Config::new(Scope::EMPTY, device, account, None).with_policy(&policy.policy);
        config.check()?;
        out.give(Box::new(laps_config { poison: Poison::default(), config }));
        Ok(())
    })
}

fn change(
    config: *mut laps_config,
    change: impl FnOnce(&mut Config) -> Result<(), Failure>,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let mut config = unsafe { pointer::exclusive(config) }?;
        let mut changed = config.config;
        change(&mut changed)?;
        changed.check()?;
        config.config = changed;
        Ok(())
    })
}

/// Sets the scope (the tenant): at most 64 bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_config_set_scope(
    config: *mut laps_config,
    scope: *const c_char,
    scope_len: usize,
) -> laps_status {
    change(config, |config| {
        // SAFETY: contract, Buffers.
        config.scope = Scope::new(unsafe { pointer::text(scope, scope_len, "scope") }?)?;
        Ok(())
    })
}

/// Sets the account's security identifier, such as S-1-5-21-1-2-3-500. It tells an account that was
/// made anew under the same name.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_config_set_sid(
    config: *mut laps_config,
    sid: *const c_char,
    sid_len: usize,
) -> laps_status {
    change(config, |config| {
        // SAFETY: contract, Buffers.
        config.sid = Some(unsafe { pointer::text(sid, sid_len, "sid") }?.parse::<Sid>()?);
        Ok(())
    })
}

/// Says whether this platform can find out if the account holds a password; true until it is set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_config_set_can_verify(
    config: *mut laps_config,
    can_verify: bool,
) -> laps_status {
    change(config, |config| {
        config.can_verify = can_verify;
        Ok(())
    })
}

/// Sets the seconds from one check-in to the next: 60 to 86 400; 3600 until it is set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_config_set_check_in_seconds(
    config: *mut laps_config,
    seconds: u64,
) -> laps_status {
    change(config, |config| {
        config.check_in_seconds = seconds;
        Ok(())
    })
}

/// Sets how many seconds a password may lie in memory before it is applied: 60 to 3600; 900 until
/// it is set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_config_set_plaintext_seconds(
    config: *mut laps_config,
    seconds: u64,
) -> laps_status {
    change(config, |config| {
        config.plaintext_seconds = seconds;
        Ok(())
    })
}

/// Frees a configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_config_free(config: *mut laps_config) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(config) };
        Ok(())
    });
}
