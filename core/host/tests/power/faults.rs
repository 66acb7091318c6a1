//! The steps of the tests in which calls fail, and what a vault holds after each.

#[path = "../processes/faults/script.rs"]
pub mod script;
#[path = "../processes/faults/state.rs"]
pub mod state;
