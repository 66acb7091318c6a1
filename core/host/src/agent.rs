//! The agent: drives the rotation machine against a state folder, an account store and a channel to the vault.

pub mod journal;
pub mod state;
