//! Everything in LAPS that touches the machine.
//!
//! | module | what it touches |
//! |---|---|
//! | [`account`] | the passwords of local accounts: Linux, Windows, your program |
//! | `agent` | the state folder, the channel to the vault, one rotation from end to end |
//! | `observed` | what happened in a vault, for metrics |
//! | [`process`] | core dumps and swap |
//! | `sqlite` | the file of a vault |
//! | [`stop`] | what ends long calls |
//! | [`time`] | the clock |
//! | [`trust`] | who may have written a file |

extern crate alloc;

pub mod account;
#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "vault")]
pub mod observed;
pub mod process;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod stop;
pub mod time;
pub mod trust;
