//! The core of LAPS: everything that decides. No I/O, no clock, no threads, no `unsafe`.
//!
//! | module | what it decides |
//! |---|---|
//! | [`account`] | SIDs, and which local account is managed |
//! | [`codec`] | canonical bytes and hexadecimal digits |
//! | [`directory`] | shapes in which others store passwords: Graph, Active Directory, FILETIME |
//! | [`error`] | the numbers that every error carries, the same in Rust, C and Python |
//! | [`seal`] | sealed records, readers, key files (feature `seal`) |
//! | [`policy`] | every setting, its range and default, and what is in force |
//! | [`secret`] | [`Password`](secret::Password): inline, wiped, one door |
//! | [`random`](mod@random) | the generator's source: key erasure, fresh bytes, no stuck source |
//! | [`refusal`] | what a device's own password policy asks for, and what of it is followed |
//! | [`generate`] | recipes, their exact strength, passwords and passphrases, checks |
//! | `text` | the one decoder of text from outside (feature `alloc`) |
//! | [`identity`] | which scope, device, account and record something is about |
//! | [`rotation`] | the steps of replacing a password, and the messages between device and vault |
//! | `vault` | the vault's rules over a store: records, orders, history, readers, audit log |
//! | `specification` | architecture, protocol, facts about Windows LAPS |
#![no_std]
#![forbid(unsafe_code, reason = "what needs unsafe lives in laps-host or laps-ffi")]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod account;
mod calendar;
pub mod codec;
pub mod directory;
pub mod error;
pub mod generate;
pub mod identity;
pub mod policy;
pub mod random;
pub mod refusal;
pub mod rotation;
#[cfg(feature = "seal")]
pub mod seal;
pub mod secret;
#[cfg(feature = "alloc")]
pub mod text;
#[cfg(feature = "vault")]
pub mod vault;

/// The specification, as it stands in the repository's `core/docs`.
#[cfg(doc)]
pub mod specification {
    #[doc = include_str!("../docs/architecture.md")]
    pub mod architecture {}
    #[doc = include_str!("../docs/protocol.md")]
    pub mod protocol {}
    #[doc = include_str!("../docs/windows-laps.md")]
    pub mod windows_laps {}
}

/// The Rust example of the README, compiled and run.
#[cfg(all(doctest, feature = "documents", feature = "seal", feature = "getrandom"))]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
#[non_exhaustive]
pub struct Readme;
