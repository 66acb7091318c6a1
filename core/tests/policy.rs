//! Policies as the tools write them, through the whole of reading and evaluating.
#![cfg(feature = "documents")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

extern crate alloc;

#[path = "policy/accounts.rs"]
mod accounts;
#[path = "policy/changes.rs"]
mod changes;
#[path = "policy/demands.rs"]
mod demands;
#[path = "policy/every_part.rs"]
mod every_part;
// Complete findings need the word lists: without them the strength of passphrases is not known.
#[cfg(feature = "passphrase")]
#[path = "policy/findings.rs"]
mod findings;
#[path = "policy/hostile.rs"]
mod hostile;
#[path = "policy/reading.rs"]
mod reading;
#[path = "policy/real.rs"]
mod real;
#[path = "policy/writing.rs"]
mod writing;
