//! Bytes that a call hands out.

use core::ptr;

use zeroize::Zeroizing;

use crate::pointer::{self, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// Bytes that a call handed out: a message, a state to be written, a key file. Wiped when they are
/// freed.
#[derive(Debug)]
pub struct laps_bytes {
    poison: Poison,
    bytes: Zeroizing<Vec<u8>>,
}
object!(laps_bytes);

impl laps_bytes {
    pub(crate) fn boxed(bytes: Vec<u8>) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), bytes: Zeroizing::new(bytes) })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

/// A copy of bytes of yours, as a function that the library calls hands an answer out.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_bytes_new(
    bytes: *const u8,
    bytes_len: usize,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (bytes, out) = unsafe {
            (pointer::bytes(bytes, bytes_len, "bytes")?, Out::new(out_bytes, "out_bytes")?)
        };
        out.give(laps_bytes::boxed(bytes.to_vec()));
        Ok(())
    })
}

/// The bytes, laps_bytes_len() of them, borrowed. NULL for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_bytes_data(bytes: *const laps_bytes) -> *const u8 {
    // SAFETY: contract, Objects.
    value(ptr::null(), || Ok(unsafe { pointer::shared(bytes) }?.bytes.as_ptr()))
}

/// How many bytes there are; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_bytes_len(bytes: *const laps_bytes) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(bytes) }?.bytes.len()))
}

/// Frees bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_bytes_free(bytes: *mut laps_bytes) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(bytes) };
        Ok(())
    });
}
