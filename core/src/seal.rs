//! Sealed records, readers, key files and reader sets (FORMAT.md beside this file).
//!
//! A record holds one password for a few readers and says in clear, bound to it, what it is for. Only a
//! reader's private key opens it: the device that made it, the vault and the server cannot.

mod error;
mod header;
mod kem;
mod keyfile;
mod line;
mod pkcs8;
mod plaintext;
mod reader;
mod readerkey;
mod readerset;
mod record;
mod sealing;
mod signer;
mod suite;
mod wire;
mod xwing;

pub use error::SealError;
pub use header::Header;
pub use keyfile::MAX_KEY_FILE_LEN;
pub use reader::{Reader, ReaderId};
pub use readerkey::ReaderKey;
pub use readerset::{MAX_READER_SET_LEN, ReaderSet, ReaderSetHead};
pub use record::Record;
pub use signer::{Signer, SignerId, SignerKey};
pub use suite::Suite;

/// The most readers of one record (protocol §3).
pub const MAX_READERS: usize = 16;

/// The most bytes of one record (protocol §3).
pub const MAX_RECORD_LEN: usize = 32 * 1024;

/// Overwrites the stack that the functions before have used: crates leave keys and shared secrets there.
///
/// 64 KiB is above what ML-KEM key generation, the deepest of them, uses.
#[inline(never)]
fn burn_stack() {
    zeroize::zeroize_stack::<65_536>();
}
