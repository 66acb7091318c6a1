//! A panic prints where it happened and no backtrace. Only with `--cfg laps_no_backtrace`, as
//! ffi/build.sh makes the libraries.
//!
//! They are stripped, so that a backtrace would name nothing; what prints one (readers of ELF,
//! DWARF and zlib, a demangler) is a fifth of an agent's library. Rust's library walks the stack by
//! this one function of the unwinder's. With one of our own that walks nowhere, the optimiser finds
//! that the rest is never reached. It stays inside: the linker is told not to export it (the test
//! of exported symbols sees to that), and a panic is unwound and caught by other functions.

use core::ffi::{c_int, c_void};

/// `_URC_END_OF_STACK`
const END_OF_STACK: c_int = 5;

// SAFETY: within the library this takes the place of the unwinder's function of that name, whose
// contract (call back for each frame, if any, and say why it ended) it keeps; nothing outside is
// linked to it.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_frame: *const c_void, _argument: *mut c_void) -> c_int {
    END_OF_STACK
}
