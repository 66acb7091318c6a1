//! A reader's private key: opens records. Only in the full build.
#![cfg(feature = "vault")]

use alloc::sync::Arc;
use core::ffi::c_char;

use laps_core::error::Code;
use laps_core::seal::{Reader, ReaderKey, Suite};

use crate::bytes::laps_bytes;
use crate::failure::Failure;
use crate::generator::laps_generator;
use crate::password::laps_password;
use crate::pointer::{self, Out, Poison, object};
use crate::reader::laps_reader;
use crate::record::laps_record;
use crate::status::{answer, laps_status, value};

/// A reader's private key, which opens what is sealed to it. Wiped when it is freed. Immutable:
/// threads may share it.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_reader_key {
    poison: Poison,
    pub(crate) key: Arc<ReaderKey>,
}
object!(laps_reader_key);

impl laps_reader_key {
    fn boxed(key: ReaderKey) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), key: Arc::new(key) })
    }
}

/// A new key for a reader with this name (1 to 64 bytes), of suite LAPS_SUITE_X_WING or
/// LAPS_SUITE_X25519.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_key_new(
    generator: *mut laps_generator,
    suite: u16,
    name: *const c_char,
    name_len: usize,
    out_key: *mut *mut laps_reader_key,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (mut generator, name, out) = unsafe {
            (
                pointer::exclusive(generator)?,
                pointer::text(name, name_len, "name")?,
                Out::new(out_key, "out_key")?,
            )
        };
        let suite = Suite::from_u16(suite).ok_or_else(|| {
            let message = format_args!("suite is {suite}; one of LAPS_SUITE_* is accepted");
            Failure::new(Code::InvalidArgument, &message)
        })?;
        out.give(laps_reader_key::boxed(ReaderKey::generate(suite, name, generator.ready()?)?));
        Ok(())
    })
}

pub(crate) fn passphrase(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.is_empty() { None } else { Some(bytes) }
}

/// A key from its key file. An empty passphrase is none.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_key_from_file(
    file: *const u8,
    file_len: usize,
    passphrase: *const u8,
    passphrase_len: usize,
    out_key: *mut *mut laps_reader_key,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (file, phrase, out) = unsafe {
            (
                pointer::bytes(file, file_len, "file")?,
                pointer::bytes(passphrase, passphrase_len, "passphrase")?,
                Out::new(out_key, "out_key")?,
            )
        };
        let key = ReaderKey::from_key_file(file, self::passphrase(phrase))?;
        out.give(laps_reader_key::boxed(key));
        Ok(())
    })
}

/// The bytes of a key file. An empty passphrase leaves it unencrypted.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_key_to_file(
    key: *const laps_reader_key,
    passphrase: *const u8,
    passphrase_len: usize,
    generator: *mut laps_generator,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (key, phrase, mut generator, out) = unsafe {
            (
                pointer::shared(key)?,
                pointer::bytes(passphrase, passphrase_len, "passphrase")?,
                pointer::exclusive(generator)?,
                Out::new(out_bytes, "out_bytes")?,
            )
        };
        let file = key.key.to_key_file(self::passphrase(phrase), generator.ready()?)?;
        out.give(laps_bytes::boxed(file.as_bytes().to_vec()));
        Ok(())
    })
}

/// The public half.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_key_reader(
    key: *const laps_reader_key,
    out_reader: *mut *mut laps_reader,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (key, out) = unsafe { (pointer::shared(key)?, Out::new(out_reader, "out_reader")?) };
        out.give(laps_reader::boxed(key.key.reader().clone()));
        Ok(())
    })
}

/// Opens a record. LAPS_STATUS_NOT_A_READER when it is sealed to others; LAPS_STATUS_REJECTED when
/// it was changed. out_proof takes 32 bytes that show that somebody opened it,
/// laps_record_is_proven_by(); or it is NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_key_open(
    key: *const laps_reader_key,
    record: *const laps_record,
    out_password: *mut *mut laps_password,
    out_proof: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (key, record, out, proof) = unsafe {
            (
                pointer::shared(key)?,
                pointer::shared(record)?,
                Out::new(out_password, "out_password")?,
                Out::optional(out_proof.cast::<[u8; 32]>(), "out_proof")?,
            )
        };
        let opened = key.key.open(&record.record)?;
        let mut made = laps_password::boxed();
        made.password.set(opened.password.expose_secret())?;
        out.give(made);
        if let Some(place) = proof {
            place.set(*opened.proof.as_bytes());
        }
        Ok(())
    })
}

/// Opens a record and seals it anew for 1 to 16 other readers of one suite. Old copies stay
/// readable to old readers.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_key_reseal(
    key: *const laps_reader_key,
    record: *const laps_record,
    readers: *const *const laps_reader,
    reader_count: usize,
    generator: *mut laps_generator,
    out_record: *mut *mut laps_record,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (key, record, readers, mut generator, out) = unsafe {
            (
                pointer::shared(key)?,
                pointer::shared(record)?,
                pointer::objects(readers, reader_count, "readers")?,
                pointer::exclusive(generator)?,
                Out::new(out_record, "out_record")?,
            )
        };
        let readers: Vec<Reader> = readers.iter().map(|reader| reader.reader.clone()).collect();
        out.give(laps_record::boxed(key.key.reseal(
            &record.record,
            &readers,
            generator.ready()?,
        )?));
        Ok(())
    })
}

/// Wipes and frees a key.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_reader_key_free(key: *mut laps_reader_key) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(key) };
        Ok(())
    });
}
