//! Sealed records: what a device makes and cannot open.

use core::ffi::c_char;
use core::ptr;

use laps_core::error::Code;
#[cfg(feature = "vault")]
use laps_core::seal::OpenedProof;
use laps_core::seal::{Header, Reader, Record};

use crate::failure::Failure;
use crate::generator::laps_generator;
use crate::header::laps_header;
use crate::password::laps_password;
use crate::pointer::{self, Buffer, Out, Poison, object};
use crate::reader::laps_reader;
use crate::status::{answer, laps_status, value};

/// One password, sealed to readers. Immutable: threads may share it.
#[derive(Debug)]
pub struct laps_record {
    poison: Poison,
    pub(crate) record: Record,
}
object!(laps_record);

impl laps_record {
    pub(crate) fn boxed(record: Record) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), record })
    }
}

/// Seals a password to 1 to 16 readers of one suite: only they can open it, this device cannot.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_seal(
    header: *const laps_header,
    password: *const laps_password,
    readers: *const *const laps_reader,
    reader_count: usize,
    generator: *mut laps_generator,
    out_record: *mut *mut laps_record,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (header, password, readers, mut generator, out) = unsafe {
            (
                pointer::shared(header)?,
                pointer::shared(password)?,
                pointer::objects(readers, reader_count, "readers")?,
                pointer::exclusive(generator)?,
                Out::new(out_record, "out_record")?,
            )
        };
        let readers: Vec<Reader> = readers.iter().map(|reader| reader.reader.clone()).collect();
        let record =
            Record::seal(&header.header, &password.password, &readers, generator.ready()?)?;
        out.give(laps_record::boxed(record));
        Ok(())
    })
}

/// Reads a record from its bytes. Needs no key: whether it is whole, only a reader can tell.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_parse(
    bytes: *const u8,
    bytes_len: usize,
    out_record: *mut *mut laps_record,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Buffers.
        let (bytes, out) = unsafe {
            (pointer::bytes(bytes, bytes_len, "bytes")?, Out::new(out_record, "out_record")?)
        };
        out.give(laps_record::boxed(Record::parse(bytes)?));
        Ok(())
    })
}

/// The record as it is stored and sent: laps_record_len() bytes, borrowed. NULL for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_bytes(record: *const laps_record) -> *const u8 {
    // SAFETY: contract, Objects.
    value(ptr::null(), || Ok(unsafe { pointer::shared(record) }?.record.as_bytes().as_ptr()))
}

/// How many bytes the record has: at most 32 KiB. 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_len(record: *const laps_record) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(record) }?.record.as_bytes().len()))
}

/// The record's id: 16 bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_id(
    record: *const laps_record,
    out_id: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (record, out) =
            unsafe { (pointer::shared(record)?, Out::new(out_id.cast::<[u8; 16]>(), "out_id")?) };
        out.set(*record.record.header().id.as_bytes());
        Ok(())
    })
}

/// The id of the record made before this one: 16 bytes. LAPS_STATUS_NOT_FOUND when it names none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_previous(
    record: *const laps_record,
    out_id: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (record, out) =
            unsafe { (pointer::shared(record)?, Out::new(out_id.cast::<[u8; 16]>(), "out_id")?) };
        let previous = record.record.header().previous;
        let none = || Failure::new(Code::NotFound, &"the record names no predecessor");
        out.set(*previous.ok_or_else(none)?.as_bytes());
        Ok(())
    })
}

/// The record's version; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_version(record: *const laps_record) -> u64 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(record) }?.record.header().version))
}

/// When the password was made, by the device's clock; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_made_at(record: *const laps_record) -> u64 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(record) }?.record.header().made_at.as_unix_seconds()))
}

fn text(
    record: *const laps_record,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
    text: impl FnOnce(&Header) -> Result<String, Failure>,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (record, buffer) = unsafe {
            (pointer::shared(record)?, Buffer::new(buffer.cast::<u8>(), buffer_len, out_len)?)
        };
        let text = text(record.record.header())?;
        buffer.fill_utf8(&text)
    })
}

/// The scope for which the record was made; often empty.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_scope(
    record: *const laps_record,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    text(record, buffer, buffer_len, out_len, |header| Ok(header.scope.to_string()))
}

/// The device for which the record was made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_device(
    record: *const laps_record,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    text(record, buffer, buffer_len, out_len, |header| Ok(header.device.to_string()))
}

/// The account for which the record was made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_account(
    record: *const laps_record,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    text(record, buffer, buffer_len, out_len, |header| Ok(header.account.to_string()))
}

/// The account's security identifier. LAPS_STATUS_NOT_FOUND when the record has none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_sid(
    record: *const laps_record,
    buffer: *mut c_char,
    buffer_len: usize,
    out_len: *mut usize,
) -> laps_status {
    text(record, buffer, buffer_len, out_len, |header| {
        let none = || Failure::new(Code::NotFound, &"the record has no SID");
        Ok(header.sid.ok_or_else(none)?.to_string())
    })
}

/// The number of readers that can open the record; 0 for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_reader_count(record: *const laps_record) -> usize {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(record) }?.record.reader_ids().count()))
}

/// The id of one of its readers: 32 bytes. They are in increasing order; index counts from 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_reader_id(
    record: *const laps_record,
    index: usize,
    out_id: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (record, out) =
            unsafe { (pointer::shared(record)?, Out::new(out_id.cast::<[u8; 32]>(), "out_id")?) };
        let id = record.record.reader_ids().nth(index).ok_or_else(|| {
            let count = record.record.reader_ids().count();
            let message = format_args!("index is {index}; the record has {count} readers");
            Failure::new(Code::InvalidArgument, &message)
        })?;
        out.set(*id.as_bytes());
        Ok(())
    })
}

/// The number of the record's suite: LAPS_SUITE_X_WING or LAPS_SUITE_X25519; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_suite(record: *const laps_record) -> u16 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(record) }?.record.suite().as_u16()))
}

/// How often the record was sealed anew; 0 for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_sealing(record: *const laps_record) -> u32 {
    // SAFETY: contract, Objects.
    value(0, || Ok(unsafe { pointer::shared(record) }?.record.sealing()))
}

/// The hash of the policy under which the password was made: 32 bytes.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_policy_hash(
    record: *const laps_record,
    out_hash: *mut u8,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (record, out) = unsafe {
            (pointer::shared(record)?, Out::new(out_hash.cast::<[u8; 32]>(), "out_hash")?)
        };
        out.set(record.record.header().policy_hash);
        Ok(())
    })
}

/// Whether this proof, 32 bytes that laps_reader_key_open() gave, shows that somebody opened the
/// record. Needs no key; false for NULL.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_is_proven_by(
    record: *const laps_record,
    proof: *const u8,
) -> bool {
    value(false, || {
        // SAFETY: contract, Objects and Buffers.
        let (record, proof) = unsafe { (pointer::shared(record)?, pointer::array::<32>(proof)) };
        let proof = proof.copied().map(OpenedProof::from_bytes);
        Ok(proof.is_some_and(|proof| record.record.is_proven_by(&proof)))
    })
}

/// Whether the record has a signature; false for NULL. Whose it is and whether it holds,
/// laps_record_verify_signature() tells.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_is_signed(record: *const laps_record) -> bool {
    // SAFETY: contract, Objects.
    value(false, || Ok(unsafe { pointer::shared(record) }?.record.is_signed()))
}

/// Whether this signer signed the record: LAPS_STATUS_REJECTED when it did not, or somebody else
/// did, or nobody.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_verify_signature(
    record: *const laps_record,
    signer: *const crate::signer::laps_signer,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects.
        let (record, signer) = unsafe { (pointer::shared(record)?, pointer::shared(signer)?) };
        Ok(record.record.verify_signature(&signer.signer)?)
    })
}

/// Frees a record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_record_free(record: *mut laps_record) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(record) };
        Ok(())
    });
}
