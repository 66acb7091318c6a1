//! Readers: for whom a record is sealed.

use core::ffi::c_char;

use laps_core::seal::Reader;

use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::status::{answer, laps_status, value};

/// The public half of a reader: who can open a record that is sealed to it. Immutable: threads may
/// share it.
#[derive(Debug)]
pub struct laps_reader {
    poison: Poison,
    pub(crate) reader: Reader,
}
object!(laps_reader);

impl laps_reader {
    pub(crate) fn boxed(reader: Reader) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), reader })
    }
}

/// A reader from its line of text, as `laps reader new` writes it. The bytes of a file do as
/// they are: UTF-8, or UTF-16 with its byte order mark; ends of lines behind the line are dropped.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_parse(
    line: *const c_char,
    line_len: usize,
    out_reader: *mut *mut laps_reader,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (line, out) = unsafe {
            (pointer::decoded(line, line_len, "line")?, Out::new(out_reader, "out_reader")?)
        };
        out.give(laps_reader::boxed(line.parse()?));
        Ok(())
    })
}

/// The reader as a line of text, without a newline.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_text(
    reader: *const laps_reader,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (reader, buffer) = unsafe {
            (pointer::shared(reader)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let text = reader.reader.to_string();
        buffer.fill_utf8(&text)
    })
}

/// The reader's name.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_name(
    reader: *const laps_reader,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (reader, buffer) = unsafe {
            (pointer::shared(reader)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let name = reader.reader.name();
        buffer.fill_utf8(name)
    })
}

/// The reader's id, by which records name it: 32 bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_id(
    reader: *const laps_reader,
    out_id: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (reader, out) =
            unsafe { (pointer::shared(reader)?, Out::new(out_id.cast::<[u8; 32]>(), "out_id")?) };
        out.set(*reader.reader.id().as_bytes());
        Ok(())
    })
}

/// The number of the reader's suite: LAPS_SUITE_X_WING or LAPS_SUITE_X25519; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_suite(reader: *const laps_reader) -> u16 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(reader) }?.reader.suite().as_u16()))
}

/// Frees a reader.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_free(reader: *mut laps_reader) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(reader) };
        Ok(())
    });
}
