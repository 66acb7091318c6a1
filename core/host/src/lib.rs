//! Everything in LAPS that touches the machine.
//!
//! | module | what it touches |
//! |---|---|
//! | [`account`] | the passwords of local accounts: Linux, Windows, your program |
//! | `agent` | the state folder, the channel to the vault, one rotation from end to end |
//! | [`time`] | the clock |

pub mod account;
#[cfg(feature = "agent")]
pub mod agent;
pub mod time;
