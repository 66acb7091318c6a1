//! Signers: the authority that says which readers devices seal to.

use core::ffi::c_char;

use laps_core::seal::Signer;

use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// The public half of an authority (Ed25519): who says which readers devices seal to. Pinned when a
/// device is enrolled. Immutable: threads may share it.
#[derive(Debug)]
pub struct laps_signer {
    poison: Poison,
    pub(crate) signer: Signer,
}
object!(laps_signer);

impl laps_signer {
    #[cfg(feature = "vault")]
    pub(crate) fn boxed(signer: Signer) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), signer })
    }
}

/// A signer from its line of text, as `laps reader set authority` prints it. The bytes of a file do
/// as they are: UTF-8, or UTF-16 with its byte order mark; ends of lines behind the line are
/// dropped.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_parse(
    line: *const c_char,
    line_len: usize,
    out_signer: *mut *mut laps_signer,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (line, out) = unsafe {
            (pointer::decoded(line, line_len, "line")?, Out::new(out_signer, "out_signer")?)
        };
        out.give(Box::new(laps_signer { poison: Poison::default(), signer: line.parse()? }));
        Ok(())
    })
}

/// The signer as a line of text, without a newline.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_text(
    signer: *const laps_signer,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (signer, buffer) = unsafe {
            (pointer::shared(signer)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let text = signer.signer.to_string();
        buffer.fill_utf8(&text)
    })
}

/// Frees a signer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_free(signer: *mut laps_signer) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(signer) };
        Ok(())
    });
}
