//! Locks of our own, beside SQLite's. SQLite's belong to the process: any `close` of the same file
//! in the same process (a program that hashes or copies it) cancels them all, and nobody notices;
//! then another process removes the log, or writes at the same time. Ours belong to what was
//! opened:
//!
//! - on the bytes that SQLite locks while a vault is open, in its file and in the log's index, the
//!   same locks once more (`F_OFD_SETLK`): no program takes the vault for one that nobody has open;
//! - on the vault's file, shared (`flock`), while it is open: who closes the vault folds and
//!   removes the log only when nobody else has one;
//! - on the log, exclusive, while a transaction writes: the turn;
//! - on the log's index, exclusive, while waiting for the turn: one process stands at the door, the
//!   others behind it. Who had a few turns must queue at the door again, so nobody is passed for
//!   ever.
//!
//! A process that dies gives all of them back. They are on Linux alone, and not on network file
//! systems: elsewhere `flock` and SQLite's locks get in each other's way, and a vault has SQLite's
//! locks only.

#[cfg(not(target_os = "linux"))]
pub(super) use self::elsewhere::{Guard, WriteTurn};
#[cfg(target_os = "linux")]
pub(super) use self::linux::{Guard, WriteTurn};

/// The log's index grows by these.
#[cfg(unix)]
pub(super) const PIECE: u64 = 32 << 10;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod holder;
#[cfg(target_os = "linux")]
mod index;
#[cfg(target_os = "linux")]
mod linux;
