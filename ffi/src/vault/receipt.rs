//! The heads of the audit log that changes answer. Only in the full build.
#![cfg(feature = "vault")]

use core::cell::Cell;
use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::rotation::message::AuditHead;
use laps_core::vault::{Disclosure, Ordered};

use super::laps_vault;
use crate::failure::Failure;
use crate::pointer::{self, Buffer, Out};
use crate::status::{answer, laps_status};

thread_local! {
    // Which vault, and the head. Inline and without a destructor, as the last error is.
    static RECEIPT: Cell<Option<(u64, AuditHead)>> = const { Cell::new(None) };
}

/// What a change answers that is in the trail.
pub(super) trait Receipted {
    fn head(&self) -> AuditHead;
}

impl Receipted for AuditHead {
    fn head(&self) -> AuditHead {
        *self
    }
}

impl Receipted for Ordered {
    fn head(&self) -> AuditHead {
        self.head
    }
}

impl Receipted for Disclosure {
    fn head(&self) -> AuditHead {
        self.head
    }
}

/// Keeps the head that a change answered, for this thread.
pub(super) fn keep<T: Receipted>(vault: &laps_vault, answer: T) -> T {
    RECEIPT.set(Some((vault.number, answer.head())));
    answer
}

/// The head of the trail that the latest successful change answered which this thread made through
/// this object, and in out_entry the number of its entry, from 1: after laps_vault_disclose(),
/// laps_vault_order_*(), laps_vault_record_outcome(), laps_vault_initialise(), _add_reader(),
/// _remove_reader(), _set_history(), _retire(), _re_enrol(), _purge(), _remove_record().
/// Other calls leave it as it is. Keep it: laps_vault_audit_verify() compares with it. Ask in the
/// thread of the change, before its next one. LAPS_STATUS_NOT_FOUND when this thread made none, or
/// made its latest through another object.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_vault_receipt(
    vault: *const laps_vault,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
    out_entry: *mut u64,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (vault, buffer, entry) = unsafe {
            (
                pointer::shared(vault)?,
                Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?,
                Out::new(out_entry, "out_entry")?,
            )
        };
        let kept = RECEIPT.get().filter(|(number, _)| *number == vault.number);
        let (_, head) = kept.ok_or_else(|| {
            let message =
                "this thread has made no change through this vault, or its latest through another";
            Failure::new(Code::NotFound, &message)
        })?;
        buffer.fill_utf8(&head.to_string())?;
        entry.set(head.length);
        Ok(())
    })
}
