//! Taking in passwords that another directory holds. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::account::Sid;
use laps_core::error::Code;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::seal::Header;
use laps_core::vault::{ExternalCredential, ExternalDevice};

use super::laps_vault;
use crate::failure::Failure;
use crate::header::laps_header;
use crate::pointer::{self, Out, Poison, object};
use crate::record::laps_record;
use crate::status::{answer, laps_status, value};

/// What another directory, such as Microsoft Entra, holds for one device: for which account each
/// password is and when the directory was given it. The passwords themselves are not in it.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_foreign {
    poison: Poison,
    found: Vec<ExternalCredential>,
}
object!(laps_foreign);

/// Which of those passwords a vault lacks, and under which headers they are to be sealed; the
/// oldest first. Immutable: threads may share it.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_adoptable {
    poison: Poison,
    /// The position in what was found, and the header.
    wanted: Vec<(usize, Header)>,
}
object!(laps_adoptable);

/// Makes an empty list of passwords of another directory.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_foreign_new(out_foreign: *mut *mut laps_foreign) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let out = unsafe { Out::new(out_foreign, "out_foreign")? };
        out.give(Box::new(laps_foreign { poison: Poison::default(), found: Vec::new() }));
        Ok(())
    })
}

/// Adds one: the account (1 to 64 characters; what is not is refused when its record is sealed),
/// its SID (empty where the directory does not know it), and when the directory was given the
/// password. The order does not matter.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_foreign_add(
    foreign: *mut laps_foreign,
    account: *const c_char,
    account_len: usize,
    sid: *const c_char,
    sid_len: usize,
    made_at: u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut foreign, account, sid) = unsafe {
            (
                pointer::exclusive(foreign)?,
                pointer::text(account, account_len, "account")?,
                pointer::text(sid, sid_len, "sid")?,
            )
        };
        let account = AccountName::new(account)?;
        let sid = if sid.is_empty() { None } else { Some(sid.parse::<Sid>()?) };
        foreign.found.push(ExternalCredential::new(
            account,
            sid,
            Timestamp::from_unix_seconds(made_at),
        ));
        Ok(())
    })
}

/// How many were added; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_foreign_count(foreign: *const laps_foreign) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(foreign) }?.found.len()))
}

/// Frees a list of passwords of another directory.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_foreign_free(foreign: *mut laps_foreign) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(foreign) };
        Ok(())
    });
}

/// Which passwords of another directory the vault lacks for a device; none when it has them all,
/// and at most the newest 16. Nothing is written. Seal each under its header
/// (laps_adoptable_header(), laps_record_seal()) to exactly the readers of the vault that are not
/// removed (laps_vault_readers()), and give them to laps_vault_adopt(). LAPS_STATUS_ALREADY_EXISTS
/// for a device that an agent manages: what the agent says is better.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_adoptable(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    foreign: *const laps_foreign,
    out_adoptable: *mut *mut laps_adoptable,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, foreign, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::shared(foreign)?,
                Out::new(out_adoptable, "out_adoptable")?,
            )
        };
        let wanted = vault.vault.external_to_import(&vault.scope, device, &foreign.found)?;
        out.give(Box::new(laps_adoptable { poison: Poison::default(), wanted }));
        Ok(())
    })
}

/// How many passwords the vault lacks; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_adoptable_count(adoptable: *const laps_adoptable) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(adoptable) }?.wanted.len()))
}

/// One of the passwords that the vault lacks; index counts from 0. out_position receives which one
/// it is, counted from 0 in the order of laps_foreign_add(), and out_header the header under which
/// it is to be sealed, as it is.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_adoptable_header(
    adoptable: *const laps_adoptable,
    index: usize,
    out_position: *mut usize,
    out_header: *mut *mut laps_header,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (adoptable, out_position, out_header) = unsafe {
            (
                pointer::shared(adoptable)?,
                Out::new(out_position, "out_position")?,
                Out::new(out_header, "out_header")?,
            )
        };
        let (position, header) = adoptable.wanted.get(index).ok_or_else(|| {
            let count = adoptable.wanted.len();
            Failure::new(Code::InvalidArgument, &format_args!("index is {index} of {count}"))
        })?;
        out_position.set(*position);
        out_header.give(laps_header::boxed(*header));
        Ok(())
    })
}

/// Frees what laps_vault_adoptable() found.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_adoptable_free(adoptable: *mut laps_adoptable) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(adoptable) };
        Ok(())
    });
}

/// Takes in the records that laps_vault_adoptable() asked for, all of them in its order, in one
/// transaction with one entry in the trail. The newest is pending, for no agent has said what is on
/// the account; the others are history. last_seen is when the device last spoke to the other
/// directory, expires when that will have the password replaced (0: not known). Without
/// records only these two are noted, for a device that is there. out_adopted receives how many were
/// taken in. LAPS_STATUS_INVALID_ARGUMENT when these are not the records that are wanted now, or
/// not sealed to exactly the readers of now: ask again. LAPS_STATUS_ALREADY_EXISTS for a device
/// that an agent manages.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_adopt(
    vault: *const laps_vault,
    device: *const c_char,
    device_len: usize,
    adopted: *const *const laps_record,
    adopted_count: usize,
    last_seen: u64,
    expires: u64,
    actor: *const c_char,
    actor_len: usize,
    reason: *const c_char,
    reason_len: usize,
    now: u64,
    out_adopted: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, device, adopted, actor, reason, out) = unsafe {
            (
                pointer::shared(vault)?,
                pointer::text(device, device_len, "device")?,
                pointer::objects(adopted, adopted_count, "adopted")?,
                pointer::text(actor, actor_len, "actor")?,
                pointer::text(reason, reason_len, "reason")?,
                Out::new(out_adopted, "out_adopted")?,
            )
        };
        let sealed: Vec<Vec<u8>> =
            adopted.iter().map(|record| record.record.as_bytes().to_vec()).collect();
        let due = (expires != 0).then(|| Timestamp::from_unix_seconds(expires));
        let count = vault.vault.import_external(
            &vault.scope,
            device,
            &sealed,
            ExternalDevice::new(Timestamp::from_unix_seconds(last_seen), due),
            &vault.request(actor, reason),
            Timestamp::from_unix_seconds(now),
        )?;
        out.set(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(())
    })
}
