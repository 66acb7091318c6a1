//! An exhaustive exploration of the real machine and the real vault under an administration: people who do ordinary things in any order.
//!
//! One device with two accounts, one vault over the store in memory, and records that are really sealed. [`acts`] has the words: what
//! administrators do on either side, what fails by itself, what setters and vaults lie. [`judge`] has the invariants, [`runs`] the bounds of every
//! run, [`controls`] the rules that are broken to see that it is noticed. A check-in reaches the vault at once; its answer is taken, lost or replaced later, and
//! an older check-in may arrive again. The order of messages is what the exploration beside this one is about.
//!
//! Reductions, beside those of [`key`]:
//!
//! - What happens at the vault between two check-ins is explored right before the second one alone: nothing else looks at the vault.
//! - What the device does without asking anybody is one step, as long as nothing that is allowed in this run can fall between.
//! - Between two runs more than two days pass. Every wait is over then; only [`acts::Fault::Soon`] lets as little time pass as the machine waits.
//!
//! Bounds: `LAPS_PROOFS=1` takes the large ones, at least four acts of a kind, two faults and a lie together; without it the small ones run in
//! about a minute. Each test is a part that can be run alone.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::trivially_copy_pass_by_ref,
    reason = "a test may: what goes wrong here stops the exploration"
)]

mod acts;
mod controls;
mod device;
mod judge;
mod key;
mod lies;
mod records;
mod rules;
mod runs;
mod search;
mod state;
mod steps;
mod vault;
