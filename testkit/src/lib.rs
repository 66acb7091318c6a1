//! What tests, benchmarks and fuzz targets share. Nothing that is installed depends on it.
//!
//! | module | what |
//! |---|---|
//! | [`bed`] | a vault, in memory or in a file, and devices that speak to it |
//! | [`isolation`], [`beside`] | what two do at the same time; `conformance!` |
//! | `age` | a vault's file of an earlier schema |
//! | `bench` | a whole device in a temporary folder: vault, readers, account, agent |
//! | `account` | account stores in memory, and ones that are watched |
//! | `kill` | an agent that dies at a step of a rotation |
//! | `program`, `real_account`, `mount` | scripts, local accounts and file systems for one test |
//!
//! `laps-core` has no dev-dependency on it: Cargo would turn every feature on that is needed here,
//! and the tests of each feature alone would be tests of all of them.
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    clippy::unwrap_used,
    reason = "its callers are tests, which stop where something is wrong"
)]

extern crate alloc;

pub mod bed;
pub mod beside;
pub mod isolation;

#[cfg(all(feature = "host", unix))]
pub mod account;
#[cfg(feature = "host")]
pub mod age;
#[cfg(all(feature = "host", unix))]
pub mod bench;
#[cfg(all(feature = "host", unix))]
pub mod kill;
#[cfg(all(feature = "host", target_os = "linux"))]
pub mod mount;
#[cfg(unix)]
pub mod program;
#[cfg(all(feature = "host", target_os = "linux"))]
pub mod real_account;
