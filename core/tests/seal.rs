//! Sealed records, readers, key files and reader sets, from outside.
#![cfg(feature = "seal")]

#[path = "seal/common.rs"]
mod common;
#[path = "seal/keyfiles.rs"]
mod keyfiles;
#[path = "seal/records.rs"]
mod records;
