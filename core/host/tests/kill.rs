//! Agents that are killed: on a real local account, with a vault in a file (issue: never torn).
//! Needs root and strace.
//!
//! This is its own program. Called as `kill agent …` it is one agent in a process of its own; else
//! it runs its scenarios, those whose name holds the first argument. `LAPS_KILLS` says how many
//! kills are spread over time; 50 when it is not set.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::integer_division_remainder_used, reason = "nothing here is secret")]

extern crate alloc;

#[cfg(target_os = "linux")]
#[path = "kill/scenarios.rs"]
mod scenarios;

fn main() {
    #[cfg(target_os = "linux")]
    scenarios::run();
}
