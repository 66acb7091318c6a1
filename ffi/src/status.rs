//! Status codes, and the edge where panics stop.

use core::ffi::{CStr, c_char};
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use laps_core::error::Code;

use crate::failure::{self, Failure};
use crate::{pointer, test_panic};

/// What a call answers: LAPS_STATUS_OK, or the number of what went wrong.
pub type laps_status = i32;

/// Success.
pub(crate) const OK: laps_status = 0;

/// Runs the body of a call that answers a status. Panics stop here.
pub(crate) fn answer(body: impl FnOnce() -> Result<(), Failure>) -> laps_status {
    match contain(body) {
        Ok(()) => OK,
        Err(Failure(code)) => i32::from(code.as_u16()),
    }
}

/// Runs the body of a call that answers a value; `nothing` when it fails. Panics stop here.
pub(crate) fn value<T>(nothing: T, body: impl FnOnce() -> Result<T, Failure>) -> T {
    contain(body).unwrap_or(nothing)
}

fn contain<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // Nothing half-changed is seen afterwards: every object that the body holds is poisoned while
    // it unwinds (`pointer::Shared`, `pointer::Exclusive`), and nothing else is shared.
    match catch_unwind(AssertUnwindSafe(|| {
        test_panic::point();
        body()
    })) {
        Ok(result) => result,
        Err(payload) => {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
            Err(Failure::from(Code::Internal))
        }
    }
}

/// Room for the longest message of a code, and its NUL.
const MESSAGE_SIZE: usize = 112;

/// The message of every code, ended by NUL, in the order of [`Code::ALL`].
static MESSAGES: [[u8; MESSAGE_SIZE]; Code::ALL.len()] = messages();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses a bad index")]
const fn messages() -> [[u8; MESSAGE_SIZE]; Code::ALL.len()] {
    let mut all = [[0; MESSAGE_SIZE]; Code::ALL.len()];
    let mut code = 0;
    while code < all.len() {
        let message = Code::ALL[code].message().as_bytes();
        assert!(message.len() < MESSAGE_SIZE, "a message is longer than MESSAGE_SIZE");
        let mut byte = 0;
        while byte < message.len() {
            all[code][byte] = message[byte];
            byte += 1;
        }
        code += 1;
    }
    all
}

fn message(status: i32) -> &'static [u8] {
    if status == OK {
        return b"success\0";
    }
    Code::ALL
        .iter()
        .zip(&MESSAGES)
        .find(|(code, _)| i32::from(code.as_u16()) == status)
        .map_or(b"unknown status\0".as_slice(), |(_, text)| text)
}

/// One line of plain words for a status, in English, ended by NUL. Takes any integer. Static.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_status_message(status: i32) -> *const c_char {
    let text =
        CStr::from_bytes_until_nul(message(status)).map_or(b"".as_slice(), CStr::to_bytes_with_nul);
    pointer::static_text(text)
}

/// What the latest failed call of this thread found wrong, where, and what would be accepted; ended
/// by NUL. Valid in this thread until its next call that fails. Never holds a secret. Empty before
/// the first failure.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_last_error() -> *const c_char {
    failure::last_error().cast()
}

/// Overwrites memory with zeros and is not left out by a compiler. For copies of secrets in your
/// memory. NULL or a length of 0 is nothing to wipe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_wipe(memory: *mut core::ffi::c_void, len: usize) {
    // SAFETY: contract, Buffers.
    unsafe { pointer::wipe(memory.cast(), len) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> String {
        // SAFETY: the library ends it by NUL.
        unsafe { CStr::from_ptr(laps_last_error()) }.to_str().unwrap().to_owned()
    }

    fn text(status: i32) -> &'static str {
        // SAFETY: static and ended by NUL.
        unsafe { CStr::from_ptr(laps_status_message(status)) }.to_str().unwrap()
    }

    #[test]
    fn every_code_has_its_text() {
        assert_eq!(text(0), "success");
        for code in Code::ALL {
            assert_eq!(text(i32::from(code.as_u16())), code.message());
        }
        for other in [-1, 10, 63, i32::MIN, i32::MAX, 65_536] {
            assert_eq!(text(other), "unknown status");
        }
    }

    #[test]
    fn the_last_error_is_cut_at_a_character_and_ended() {
        let _ = Failure::new(Code::InvalidArgument, &"ä".repeat(1000));
        assert_eq!(last(), "ä".repeat(255)); // 510 of 511 bytes
        let _ = Failure::from(Code::Busy);
        assert_eq!(last(), Code::Busy.message());
    }

    #[test]
    fn a_nul_inside_does_not_cut_the_last_error() {
        let _ = Failure::new(Code::InvalidArgument, &"before\0after");
        assert_eq!(last(), "before\u{fffd}after");
    }

    #[test]
    fn a_panic_is_an_internal_error() {
        assert_eq!(answer(|| panic!("forced")), i32::from(Code::Internal.as_u16()));
        assert_eq!(last(), Code::Internal.message());
        assert_eq!(answer(|| Ok(())), OK);
        assert_eq!(value(7, || panic!("forced")), 7);
    }
}
