//! A password: its length, its copies in UTF-8 and UTF-16.

use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::secret::Password;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// A password. Wiped when it is freed. Immutable: threads may share it.
#[derive(Debug)]
pub struct laps_password {
    pub(crate) poison: Poison,
    pub(crate) password: Password,
}
object!(laps_password);

impl laps_password {
    /// An empty one, in its place on the heap, to be filled there.
    pub(crate) fn boxed() -> Box<Self> {
        Box::new(Self { poison: Poison::default(), password: Password::empty() })
    }
}

/// A password from UTF-8 text of at most LAPS_PASSWORD_MAX_LEN bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_from_utf8(
    text: *const c_char,
    text_len: usize,
    out_password: *mut *mut laps_password,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (text, out) = unsafe {
            (pointer::text(text, text_len, "text")?, Out::new(out_password, "out_password")?)
        };
        let mut made = laps_password::boxed();
        made.password.set(text)?;
        out.give(made);
        Ok(())
    })
}

/// A password from UTF-16 text (text_len counts 16-bit units) of at most LAPS_PASSWORD_MAX_LEN
/// bytes of UTF-8.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_from_utf16(
    text: *const u16,
    text_len: usize,
    out_password: *mut *mut laps_password,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (text, out) = unsafe {
            (pointer::units(text, text_len, "text")?, Out::new(out_password, "out_password")?)
        };
        let mut utf8 = Zeroizing::new([0; Password::MAX_LEN]);
        let mut len = 0_usize;
        for c in char::decode_utf16(text.iter().copied()) {
            let c = c.map_err(|_| {
                Failure::new(
                    Code::InvalidUtf8,
                    &"text has half a surrogate pair; UTF-16 is expected",
                )
            })?;
            let end = len.saturating_add(c.len_utf8());
            let place = utf8.get_mut(len..end).ok_or_else(too_long)?;
            c.encode_utf8(place);
            len = end;
        }
        let text = utf8.get(..len).and_then(|utf8| core::str::from_utf8(utf8).ok());
        let mut made = laps_password::boxed();
        made.password.set(text.unwrap_or_default())?;
        out.give(made);
        Ok(())
    })
}

fn too_long() -> Failure {
    let max = Password::MAX_LEN;
    Failure::new(
        Code::InvalidArgument,
        &format_args!("a password has at most {max} bytes of UTF-8"),
    )
}

/// The length in bytes of UTF-8, without a NUL; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_len(password: *const laps_password) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(password) }?.password.len()))
}

/// The length in UTF-16 units, without a NUL; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_len_utf16(password: *const laps_password) -> usize {
    value(0, || {
        // SAFETY: contract, Objects.
        let password = unsafe { pointer::shared(password) }?;
        Ok(password.password.expose_secret().encode_utf16().count())
    })
}

/// Copies the text as UTF-8 with a NUL at its end; a buffer of LAPS_PASSWORD_MAX_LEN + 1 always
/// holds it. The copy is yours to wipe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_copy_utf8(
    password: *const laps_password,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (password, buffer) = unsafe {
            (pointer::shared(password)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let text = password.password.expose_secret();
        buffer.fill_utf8(text)
    })
}

/// Copies the text as UTF-16 with a NUL at its end, as Windows wants it; lengths count 16-bit
/// units, and a buffer of LAPS_PASSWORD_MAX_LEN + 1 units always holds it. The copy is yours to
/// wipe.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_copy_utf16(
    password: *const laps_password,
    buffer: *mut u16,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (password, buffer) =
            unsafe { (pointer::shared(password)?, Buffer::new(buffer, buffer_len, out_len)?) };
        let text = password.password.expose_secret();
        buffer.fill_utf16(text)
    })
}

/// Whether two passwords are equal, in a time that does not depend on them; false where one is
/// NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_equal(
    a: *const laps_password,
    b: *const laps_password,
) -> bool {
    value(false, || {
        // SAFETY: contract, Objects.
        let (a, b) = unsafe { (pointer::shared(a)?, pointer::shared(b)?) };
        Ok(a.password.equals(&b.password))
    })
}

/// Wipes and frees a password.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_password_free(password: *mut laps_password) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(password) };
        Ok(())
    });
}
