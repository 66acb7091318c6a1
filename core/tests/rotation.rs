//! The rotation machine against the vault's own rules.
#![cfg(feature = "vault")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

#[path = "rotation/world.rs"]
mod world;

#[path = "rotation/story.rs"]
mod story;
