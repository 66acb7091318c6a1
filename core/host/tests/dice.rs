//! A walk by dice: real agents and one vault, under administrators who do ordinary things in any
//! order, and kills.
//!
//! This is its own program. Called as `dice agent …` it is one agent in a process of its own; else
//! it walks. `LAPS_DICE=200:10000` says how many agents and how many acts; without it a small walk
//! is made, of seeds that are always the same. `LAPS_DICE_SEED` is the seed. A seed is a
//! script: which acts, on whom, and where kills fall. What the machine's own timing changes is only
//! how far a killed agent came.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::integer_division_remainder_used,
    clippy::wildcard_enum_match_arm,
    reason = "a walk stops where something is wrong, and nothing in it is secret"
)]

extern crate alloc;

#[cfg(target_os = "linux")]
#[path = "dice/walk.rs"]
mod walk;

fn main() {
    #[cfg(target_os = "linux")]
    walk::run();
}
