//! The C ABI of LAPS: one header (`include/laps.h`), one shared and one static library.
//!
//! The documentation is the header: the comments of this crate become its comments, so they are
//! written for a reader of C. The contract that every function obeys stands once, at the top of the
//! header (`cbindgen.toml`).
//!
//! | module | what is in it |
//! |---|---|
//! | [`pointer`] | the one file that turns pointers into references, and back |
//! | [`status`] | status codes, the edge where panics stop |
//! | [`version`] | which library was linked |
//! | [`password`] | a password: its length, its copies in UTF-8 and UTF-16 |
//! | [`evaluation`] | from policy documents to the policy in force |
//! | [`policy`] | the policy in force |
//! | [`recipe`] | what a password must look like |
//! | [`violations`] | which rules a password breaks |
//! | [`generator`] | the random generator and what it makes |
//! | [`reader`] | for whom a record is sealed |
//! | [`signer`], [`reader_set`] | who says which readers devices seal to, and what it said |
//! | [`header`] | what a record says about its password |
//! | [`record`] | sealed records |
//! | [`accounts`] | which local account is managed |
//! | [`config`], [`rotation`], [`event`] | the rotation machine, what it is told, what it reports |
//! | [`agent`] | the agent of a device, with its options and what it calls |
//! | [`bytes`] | bytes that a call hands out |
//! | `reader_key`, `signer_key` | a reader's and an authority's private key (full build) |
//! | `vault`, `metadata`, `rows` | the vault, and what it lists (full build) |
#![deny(unsafe_op_in_unsafe_fn)]
#![expect(non_camel_case_types, reason = "the types carry their C names")]
#![expect(clippy::doc_markdown, reason = "the comments are those of the header, read as C")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the safety contract stands once, at the top of the header; a `# Safety` heading \
              would land in it"
)]

extern crate alloc;

pub mod accounts;
pub mod agent;
#[cfg(laps_no_backtrace)]
mod backtrace;
pub mod bytes;
pub mod config;
pub mod evaluation;
pub mod event;
mod failure;
mod fork;
pub mod generator;
pub mod header;
pub mod metadata;
pub mod password;
pub mod pointer;
pub mod policy;
pub mod reader;
pub mod reader_key;
pub mod reader_set;
pub mod recipe;
pub mod record;
pub mod rotation;
pub mod rows;
pub mod signer;
pub mod signer_key;
pub mod status;
mod test_panic;
pub mod vault;
pub mod version;
pub mod violations;
