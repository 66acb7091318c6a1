//! Signed reader sets: which readers devices seal to.

use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::seal::{ReaderSet, ReaderSetHead};

use crate::failure::Failure;
use crate::pointer::{self, Out, Poison, object};
use crate::reader::laps_reader;
use crate::signer::laps_signer;
use crate::status::{answer, laps_status, value};

/// The readers that devices seal to, as an authority signed them. Immutable: threads may share it.
#[derive(Debug)]
pub struct laps_reader_set {
    poison: Poison,
    set: ReaderSet,
    head: ReaderSetHead,
}
object!(laps_reader_set);

/// Reads a signed reader set. LAPS_STATUS_READER_SET_REFUSED unless the authority signed it, for
/// this scope (empty where there is one tenant), and it is not older than the set in force:
/// in_force is what laps_reader_set_head() gave for that one, 40 bytes, or NULL where none was
/// accepted before.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_set_verify(
    document: *const u8,
    document_len: usize,
    authority: *const laps_signer,
    scope: *const c_char,
    scope_len: usize,
    in_force: *const u8,
    out_set: *mut *mut laps_reader_set,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (document, authority, scope, in_force, out) = unsafe {
            (
                pointer::bytes(document, document_len, "document")?,
                pointer::shared(authority)?,
                pointer::text(scope, scope_len, "scope")?,
                pointer::array::<40>(in_force),
                Out::new(out_set, "out_set")?,
            )
        };
        let in_force = in_force.map(ReaderSetHead::from_bytes);
        let scope = Scope::new(scope)?;
        let (set, head) =
            ReaderSet::verify(document, &authority.signer, &scope, in_force.as_ref())?;
        out.give(Box::new(laps_reader_set { poison: Poison::default(), set, head }));
        Ok(())
    })
}

/// What to remember of the set, durably and before anything is sealed to it, so that an older one
/// is refused: 40 bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_set_head(
    set: *const laps_reader_set,
    out_head: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (set, out) =
            unsafe { (pointer::shared(set)?, Out::new(out_head.cast::<[u8; 40]>(), "out_head")?) };
        out.set(set.head.to_bytes());
        Ok(())
    })
}

/// The version of the set, from 1; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_set_version(set: *const laps_reader_set) -> u64 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(set) }?.set.version()))
}

/// How many readers are in the set: 1 to 16 of one suite; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_set_count(set: *const laps_reader_set) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(set) }?.set.readers().len()))
}

/// One of its readers; index counts from 0. Yours, and it outlives the set.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_set_reader(
    set: *const laps_reader_set,
    index: usize,
    out_reader: *mut *mut laps_reader,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (set, out) = unsafe { (pointer::shared(set)?, Out::new(out_reader, "out_reader")?) };
        let readers = set.set.readers();
        let reader = readers.get(index).ok_or_else(|| {
            let message = format_args!("index is {index}; the set has {} readers", readers.len());
            Failure::new(Code::InvalidArgument, &message)
        })?;
        out.give(laps_reader::boxed(reader.clone()));
        Ok(())
    })
}

/// Frees a reader set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_set_free(set: *mut laps_reader_set) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(set) };
        Ok(())
    });
}
