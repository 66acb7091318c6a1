//! Rotation: replacing a password in journalled steps, so that no crash, refusal or lost message can lose it.
//!
//! [`Rotation`] decides; a *driver* touches the machine. The machine has no clock, no randomness, no heap, and holds neither
//! password nor record.
//!
//! # The one invariant
//!
//! *The account is changed only to the password of a record that the vault has acknowledged, after a journal is durable that
//! names every record whose password the account may hold from then on; and a record leaves that may-hold set only when the account was seen
//! not to hold it, or the vault has acknowledged the commit of another that the account was seen (or, where the platform cannot verify, reported) to hold.*
//!
//! # The driver's loop
//!
//! 1. Take the agent lock, then the setter lock (protocol §2.9). Read the account's change stamp. Read the journal file.
//! 2. [`Rotation::resume`] with the journal, or [`Rotation::new`] where there is none or it is damaged.
//! 3. Tell the uses of the account since [`Rotation::used_since`] with `handle_used`, where the platform knows them.
//! 4. Drain [`Rotation::poll_event`] into the log.
//! 5. Do what [`Rotation::poll`] wishes, then report the fact that belongs to it:
//!
//! | wish | do | fact |
//! |---|---|---|
//! | `Wipe` | overwrite the password in memory | `handle_wiped` |
//! | `Save` | `journal(&mut buffer)`; write it and the records of `keep()` as one file: temporary file, fsync, rename, fsync of the folder | `handle_saved`, `handle_save_failed` |
//! | `CheckIn` | draw a nonce; `check_in(nonce, &mut buffer)`; append the records of `offers()`; send; wait | `handle_answer`; `handle_check_in_failed` when none came or it was refused |
//! | `Prepare` | draw an id; make a password; read the stamp; seal with `account()`, `sid()`, this version and predecessor | `handle_prepared`, `handle_prepare_failed` |
//! | `ReadStamp` | read the stamp | `handle_stamp` |
//! | `Apply` | run the setter for `account()` | `handle_applied` |
//! | `Verify` | ask the account | `handle_verified` |
//! | `Act` | warn, sign out, terminate, restart | `handle_acted` |
//! | `WaitUntil` | sleep until then, or until a use, an order to stop, a new policy, a forced run | `handle_timeout` (`handle_used`, `handle_config`, `force`) |
//!
//! 6. Go to 4. A single run ends at the first `WaitUntil`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`message`] | the check-in and its answer: bytes that device and vault exchange |
//! | [`event`] | what a step reports: names, Windows' ids, reasons |
//! | [`set`] | small sorted sets of record ids |

mod after_use;
mod clock;
mod config;
pub mod event;
mod exchange;
#[cfg(all(test, feature = "vault"))]
mod exploration;
mod journal;
mod log;
mod machine;
pub mod message;
mod orders;
mod schedule;
pub mod set;
mod steps;
#[cfg(test)]
mod vectors;
mod wire;
mod wish;

pub use config::{Config, DAY, FollowUp};
pub use journal::MAX_JOURNAL;
pub use machine::{Rotation, State, Status};
pub use wish::{Acted, Action, Applied, RotationError, Verified, Wish};
