//! An authority's private key: signs reader sets. Only in the full build.
#![cfg(feature = "vault")]

use core::ffi::c_char;

use laps_core::identity::Scope;
use laps_core::seal::{Reader, ReaderSet, SignerKey};

use crate::bytes::laps_bytes;
use crate::generator::laps_generator;
use crate::pointer::{self, Out, Poison, object};
use crate::reader::laps_reader;
use crate::reader_key::passphrase;
use crate::signer::laps_signer;
use crate::status::{answer, laps_status, value};

/// An authority's private key, which signs reader sets. Wiped when it is freed. Immutable: threads
/// may share it.
#[cfg(feature = "vault")]
#[derive(Debug)]
pub struct laps_signer_key {
    poison: Poison,
    key: SignerKey,
}
object!(laps_signer_key);

impl laps_signer_key {
    fn boxed(key: SignerKey) -> Box<Self> {
        Box::new(Self { poison: Poison::default(), key })
    }
}

/// A new key for an authority with this name (1 to 64 bytes).
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_key_new(
    generator: *mut laps_generator,
    name: *const c_char,
    name_len: usize,
    out_key: *mut *mut laps_signer_key,
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
        out.give(laps_signer_key::boxed(SignerKey::generate(name, generator.ready()?)?));
        Ok(())
    })
}

/// A key from its key file. An empty passphrase is none.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_key_from_file(
    file: *const u8,
    file_len: usize,
    passphrase: *const u8,
    passphrase_len: usize,
    out_key: *mut *mut laps_signer_key,
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
        let key = SignerKey::from_key_file(file, self::passphrase(phrase))?;
        out.give(laps_signer_key::boxed(key));
        Ok(())
    })
}

/// The bytes of a key file. An empty passphrase leaves it unencrypted.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_key_to_file(
    key: *const laps_signer_key,
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
pub unsafe extern "C" fn laps_signer_key_signer(
    key: *const laps_signer_key,
    out_signer: *mut *mut laps_signer,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (key, out) = unsafe { (pointer::shared(key)?, Out::new(out_signer, "out_signer")?) };
        out.give(laps_signer::boxed(*key.key.signer()));
        Ok(())
    })
}

/// A reader set of 1 to 16 readers of one suite, signed, as the text that devices verify. The scope
/// is empty where there is one tenant; versions count from 1, and a later one replaces an earlier
/// one.
#[cfg(feature = "vault")]
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_key_sign_readers(
    key: *const laps_signer_key,
    scope: *const c_char,
    scope_len: usize,
    version: u64,
    readers: *const *const laps_reader,
    reader_count: usize,
    out_bytes: *mut *mut laps_bytes,
) -> laps_status {
    answer(|| {
        // SAFETY: contract, Objects and Buffers.
        let (key, scope, readers, out) = unsafe {
            (
                pointer::shared(key)?,
                pointer::text(scope, scope_len, "scope")?,
                pointer::objects(readers, reader_count, "readers")?,
                Out::new(out_bytes, "out_bytes")?,
            )
        };
        let readers: Vec<Reader> = readers.iter().map(|reader| reader.reader.clone()).collect();
        let set = ReaderSet::new(Scope::new(scope)?, version, &readers)?;
        out.give(laps_bytes::boxed(set.sign(&key.key).into_bytes()));
        Ok(())
    })
}

/// Wipes and frees a key.
#[cfg(feature = "vault")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn laps_signer_key_free(key: *mut laps_signer_key) {
    value((), || {
        // SAFETY: contract, Ownership.
        unsafe { pointer::release(key) };
        Ok(())
    });
}
