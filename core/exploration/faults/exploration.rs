//! An exhaustive exploration of the real machine and the vault's real rules.
//!
//! One device, one vault, and a network that delivers any check-in any number of times, in any
//! order, or never, and any answer to the latest check-in likewise; crashes between any two steps,
//! and the faults of [`state::Fault`]. A check-in and its answer are two steps. Every reachable
//! state within the stated bounds is visited; [`judge`] has the invariants of protocol.md's promise
//! in each.
//!
//! Three reductions keep the space finite. They allow more behaviours, never fewer:
//!
//! - *Time*: a timer may be over at any moment, so the machine's waiting times are taken out of the
//!   state. A rotation may begin whenever the rules allow one.
//! - *Tokens* matter only through equality with the vault's: 1 is the vault's token, 2 the one in
//!   the older copy of the vault, 0 any other.
//! - *Old check-ins* with a dead token can only add candidates, and draw a token: they are split
//!   into single ids.
//!
//! Which bounds: `LAPS_PROOFS=1` in the environment takes the large ones (more than ten million
//! states, and 5.7 million without change stamps; build for release); without it the small ones run
//! in seconds. The tests print how many states there are, and the shortest trace of every negative
//! control.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test may: what goes wrong here stops the exploration"
)]

mod device;
mod judge;
mod network;
mod rules;
mod runs;
mod state;
