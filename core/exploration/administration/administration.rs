//! An exhaustive exploration of the real machine and the real vault under an administration: people
//! who do ordinary things in any order.
//!
//! One device with two accounts, one vault over the store in memory, and records that are really
//! sealed. [`acts`] has the words: what administrators do on either side, what fails by itself,
//! what setters and vaults lie. [`judge`] and [`view`] have the invariants, [`runs`] and [`parts`]
//! the bounds of every run, [`controls`] the rules that are broken to see that it is noticed. A
//! check-in reaches the vault at once; its answer is taken, lost or replaced later, and an older
//! check-in may arrive again. The order of messages is what the exploration beside this one is
//! about.
//!
//! Reductions, beside those of [`key`]:
//!
//! - What happens at the vault between two check-ins is explored right before the second one alone:
//!   nothing else looks at the vault.
//! - What the device does without asking anybody is one step, as long as nothing that is allowed in
//!   this run can fall between.
//! - Between two runs more than two days pass. Every wait is over then; only [`acts::Fault::Soon`]
//!   lets as little time pass as the machine waits. [`waits`] measures how long that is.
//! - Of two states that differ only in how much may still happen, in how many changes were counted
//!   since the last cause, and in what is excused, the one is left out after which less can go
//!   wrong ([`state::World::rank`]).
//!
//! Bounds: `make proofs-administration` takes the large ones; each run passes only when no state is
//! left to visit.
//!
//! - [`parts`]: two acts out of two kinds, a fault and a lie together, forty-five runs; every two
//!   acts share one. `PART=parts::orders_and_clocks` takes one of them.
//! - [`deep`]: four acts out of four kinds, two faults and a lie together, nine runs; every two
//!   kinds share one.
//! - [`runs`]: every act with every fault, every act with every lie, every fault with every lie,
//!   and every ordered pair of all acts.
//!
//! Without `LAPS_PROOFS` smaller bounds are taken, in about a minute. `LAPS_BOUNDS=3,1,1` sets
//! the acts, faults and lies of parts and deep runs, `LAPS_ONLY=Age,Lose` leaves all other words
//! out: so a finding becomes a short one.

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
mod broken;
mod controls;
mod deep;
mod device;
mod judge;
mod key;
mod lies;
mod parts;
mod records;
mod rules;
mod runs;
mod space;
mod state;
mod steps;
mod vault;
mod view;
mod waits;
