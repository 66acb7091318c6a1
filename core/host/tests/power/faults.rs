//! From the tests in which calls fail: their steps, what a vault holds after each, and threads that
//! work at the same time.

#[path = "../processes/faults/script.rs"]
pub mod script;
#[path = "../processes/faults/state.rs"]
pub mod state;
#[path = "../processes/faults/threads.rs"]
pub mod threads;
