//! Which library was linked.

use core::ffi::c_char;

use crate::pointer;

const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The version of the library that was linked, such as "0.1.0"; compare with LAPS_VERSION. Static.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_version() -> *const c_char {
    pointer::static_text(TEXT.as_bytes())
}

/// The version of the library that was linked as one number; compare with LAPS_VERSION_NUMBER.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_version_number() -> u32 {
    const { number() }
}

/// "full", or "agent" for a library without readers' keys and vault. Static.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_build() -> *const c_char {
    pointer::static_text(if cfg!(feature = "vault") { b"full\0" } else { b"agent\0" })
}

const fn number() -> u32 {
    (part(env!("CARGO_PKG_VERSION_MAJOR")) << 16)
        | (part(env!("CARGO_PKG_VERSION_MINOR")) << 8)
        | part(env!("CARGO_PKG_VERSION_PATCH"))
}

/// One part of the version, at most 255 so that the parts do not meet.
const fn part(digits: &str) -> u32 {
    let Ok(part) = u8::from_str_radix(digits, 10) else { return u32::MAX };
    part as u32
}
