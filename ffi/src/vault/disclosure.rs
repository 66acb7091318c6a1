//! What a vault gave out. Only in the full build.
#![cfg(feature = "vault")]

use alloc::ffi::CString;
use core::ffi::c_char;
use core::ptr;

use laps_core::error::Code;
use laps_core::seal::Record;
use laps_core::vault::{Candidate, Disclosure};

use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::record::laps_record;
use crate::rows::{Row, laps_rows};
use crate::status::{answer, laps_status, value};

/// What a vault gave out about one device: sealed records, any of which may hold the password of
/// its account.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_disclosure {
    poison: Poison,
    disclosure: Disclosure,
    head: CString,
}
object!(laps_disclosure);

impl laps_disclosure {
    pub(super) fn boxed(disclosure: Disclosure) -> Box<Self> {
        let head = CString::new(disclosure.head.to_string()).unwrap_or_default();
        Box::new(Self { poison: Poison::default(), disclosure, head })
    }
}

/// The record is the current one.
#[cfg(feature = "vault")]
pub const LAPS_CANDIDATE_CURRENT: u32 = 1;
/// The record was stored, and its application is not known yet.
#[cfg(feature = "vault")]
pub const LAPS_CANDIDATE_PENDING: u32 = 2;
/// The record was displaced by a later one.
#[cfg(feature = "vault")]
pub const LAPS_CANDIDATE_HISTORY: u32 = 3;

fn candidate(disclosure: &laps_disclosure, index: usize) -> Result<&Candidate, Failure> {
    let candidates = &disclosure.disclosure.candidates;
    candidates.get(index).ok_or_else(|| {
        let message = format_args!("index is {index} of {}", candidates.len());
        Failure::new(Code::InvalidArgument, &message)
    })
}

/// How many records were given out; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_count(disclosure: *const laps_disclosure) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(disclosure) }?.disclosure.candidates.len()))
}

/// One of the records; index counts from 0. Open it with laps_reader_key_open().
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_record(
    disclosure: *const laps_disclosure,
    index: usize,
    out_record: *mut *mut laps_record,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (disclosure, out) =
            unsafe { (pointer::shared(disclosure)?, Out::new(out_record, "out_record")?) };
        let record = Record::parse(&candidate(&disclosure, index)?.sealed)?;
        out.give(laps_record::boxed(record));
        Ok(())
    })
}

/// What one of the records is: one of LAPS_CANDIDATE_*; index counts from 0. 0 when there is no
/// such index.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_state(
    disclosure: *const laps_disclosure,
    index: usize,
) -> u32 {
    value(0, || {
        // SAFETY: contract, Objects.
        let disclosure = unsafe { pointer::shared(disclosure) }?;
        Ok(match candidate(&disclosure, index)?.state.as_str() {
            "current" => LAPS_CANDIDATE_CURRENT,
            "pending" => LAPS_CANDIDATE_PENDING,
            _ => LAPS_CANDIDATE_HISTORY,
        })
    })
}

/// When the vault received one of the records; index counts from 0. 0 when there is no such index.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_updated(
    disclosure: *const laps_disclosure,
    index: usize,
) -> u64 {
    value(0, || {
        // SAFETY: contract, Objects.
        let disclosure = unsafe { pointer::shared(disclosure) }?;
        Ok(candidate(&disclosure, index)?.updated.as_unix_seconds())
    })
}

/// Records that are not among those given out, because what is stored of them is damaged. Fields:
/// DEVICE, RECORD, DAMAGED.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_damaged(
    disclosure: *const laps_disclosure,
    out_rows: *mut *mut laps_rows,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (disclosure, out) =
            unsafe { (pointer::shared(disclosure)?, Out::new(out_rows, "out_rows")?) };
        let Disclosure { device, damaged, .. } = &disclosure.disclosure;
        let rows = damaged.iter().map(|record| Row::damaged_record(device, record));
        out.give(laps_rows::boxed(rows.collect(), None));
        Ok(())
    })
}

/// The number of its audit entry, from 1; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_entry(disclosure: *const laps_disclosure) -> u64 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(disclosure) }?.disclosure.entry))
}

/// The head of the audit trail: keep it, laps_vault_audit_verify() compares with it. Borrowed. NULL
/// for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_head(disclosure: *const laps_disclosure) -> *const c_char {
    // SAFETY: contract, Objects.
    value(ptr::null(), || Ok(unsafe { pointer::shared(disclosure) }?.head.as_ptr()))
}

/// Frees a disclosure.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_disclosure_free(disclosure: *mut laps_disclosure) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(disclosure) };
        Ok(())
    });
}
