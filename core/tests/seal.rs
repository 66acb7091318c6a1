//! Sealed records, readers, key files and reader sets, from outside.
#![cfg(feature = "seal")]

#[path = "seal/cases.rs"]
mod cases;
#[path = "seal/changes.rs"]
mod changes;
#[path = "seal/common.rs"]
mod common;
#[path = "seal/failures.rs"]
mod failures;
#[path = "seal/keyfiles.rs"]
mod keyfiles;
#[path = "seal/make.rs"]
mod make;
#[path = "seal/records.rs"]
mod records;
#[path = "seal/signatures.rs"]
mod signatures;
#[path = "seal/vectors.rs"]
mod vectors;
