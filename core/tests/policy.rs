//! Policies as the tools write them, through the whole of reading and evaluating.
#![cfg(feature = "documents")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

#[path = "policy/reading.rs"]
mod reading;
#[path = "policy/writing.rs"]
mod writing;
