//! What a record says about its password, in clear and bound to it.

use core::ffi::c_char;

use laps_core::account::Sid;
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::seal::Header;

use crate::failure::Failure;
use crate::generator::laps_generator;
use crate::pointer::{self, Out, Poison, object};
use crate::policy::laps_policy;
use crate::status::{answer, laps_status, value};

/// What a record will say about its password, in clear and bound to it: device, account, record id,
/// version.
#[derive(Debug)]
pub struct laps_header {
    poison: Poison,
    pub(crate) header: Header,
}
object!(laps_header);

impl laps_header {
    #[cfg(feature = "vault")]
    pub(crate) fn boxed(header: Header) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), header })
    }
}

/// A header with a new random record id: for one password. The device has 1 to 128 bytes, the
/// account 1 to 64 characters. Scope, SID and predecessor are absent, version, time and policy hash
/// are zero until they are set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_new(
    generator: *mut laps_generator,
    device: *const c_char,
    device_len: usize,
    account: *const c_char,
    account_len: usize,
    out_header: *mut *mut laps_header,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut generator, device, account, out) = unsafe {
            (
                pointer::exclusive(generator)?,
                pointer::text(device, device_len, "device")?,
                pointer::text(account, account_len, "account")?,
                Out::new(out_header, "out_header")?,
            )
        };
        let header = Header {
            scope: Scope::EMPTY,
            device: DeviceId::new(device)?,
            account: AccountName::new(account)?,
            sid: None,
            id: RecordId::generate(generator.ready()?)?,
            previous: None,
            version: 0,
            made_at: Timestamp::default(),
            policy_hash: [0; 32],
        };
        out.give(Box::new(laps_header { poison: Poison::default(), header }));
        Ok(())
    })
}

fn change(
    header: *mut laps_header,
    change: impl FnOnce(&mut Header) -> Result<(), Failure>,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let mut header = unsafe { pointer::exclusive(header) }?;
        change(&mut header.header)
    })
}

/// The record id of this header: 16 bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_id(
    header: *const laps_header,
    out_id: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (header, out) =
            unsafe { (pointer::shared(header)?, Out::new(out_id.cast::<[u8; 16]>(), "out_id")?) };
        out.set(*header.header.id.as_bytes());
        Ok(())
    })
}

/// Sets the scope (the tenant): at most 64 bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_set_scope(
    header: *mut laps_header,
    scope: *const c_char,
    scope_len: usize,
) -> laps_status {
    change(header, |header| {
        // SAFETY: contract, Buffers.
        header.scope = Scope::new(unsafe { pointer::text(scope, scope_len, "scope") }?)?;
        Ok(())
    })
}

/// Sets the account's security identifier, such as S-1-5-21-1-2-3-500.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_set_sid(
    header: *mut laps_header,
    sid: *const c_char,
    sid_len: usize,
) -> laps_status {
    change(header, |header| {
        // SAFETY: contract, Buffers.
        header.sid = Some(unsafe { pointer::text(sid, sid_len, "sid") }?.parse::<Sid>()?);
        Ok(())
    })
}

/// Names the record made before this one on this device, applied or not: 16 bytes, or NULL for
/// none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_set_previous(
    header: *mut laps_header,
    previous: *const u8,
) -> laps_status {
    change(header, |header| {
        // SAFETY: contract, Buffers.
        header.previous = unsafe { pointer::array(previous) }.copied().map(RecordId::from_bytes);
        Ok(())
    })
}

/// Sets the version, which counts up per account and orders its records, and when the password was
/// made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_set_version(
    header: *mut laps_header,
    version: u64,
    made_at: u64,
) -> laps_status {
    change(header, |header| {
        header.version = version;
        header.made_at = Timestamp::from_unix_seconds(made_at);
        Ok(())
    })
}

/// Names the policy under which the password was made, by its hash.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_set_policy(
    header: *mut laps_header,
    policy: *const laps_policy,
) -> laps_status {
    change(header, |header| {
        // SAFETY: contract, Objects.
        header.policy_hash = unsafe { pointer::shared(policy) }?.policy.hash();
        Ok(())
    })
}

/// Frees a header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_header_free(header: *mut laps_header) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(header) };
        Ok(())
    });
}
