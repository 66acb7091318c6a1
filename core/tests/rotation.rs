//! The rotation machine against the vault's own rules.
#![cfg(feature = "vault")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "rotation/world.rs"]
mod world;

#[path = "rotation/after_use.rs"]
mod after_use;

#[path = "rotation/clocks.rs"]
mod clocks;

#[path = "rotation/fleet.rs"]
#[expect(clippy::integer_division_remainder_used, reason = "nothing here is secret")]
mod fleet;

#[path = "rotation/policies.rs"]
mod policies;

#[path = "rotation/reasons.rs"]
mod reasons;

#[path = "rotation/story.rs"]
mod story;

#[path = "rotation/table.rs"]
mod table;

#[path = "rotation/walk.rs"]
mod walk;
