//! Sealed records, readers, key files and reader sets, from outside.
#![cfg(feature = "seal")]

#[path = "seal/changes.rs"]
mod changes;
#[path = "seal/common.rs"]
mod common;
#[path = "seal/keyfiles.rs"]
mod keyfiles;
#[path = "seal/records.rs"]
mod records;
#[path = "seal/signatures.rs"]
mod signatures;
