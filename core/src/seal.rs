//! Sealed records, readers, key files and reader sets (FORMAT.md beside this file).
//!
//! A record holds one password for a few readers and says in clear, bound to it, what it is for.
//! Only a reader's private key opens it: the device that made it, the vault and the server cannot.
//!
//! ```
//! # #[cfg(feature = "getrandom")] {
//! use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
//! use laps_core::random::Generator;
//! use laps_core::seal::{Header, Reader, ReaderKey, Record, Suite};
//! use laps_core::secret::Password;
//!
//! let mut generator = Generator::from_system()?;
//!
//! // An administrator makes a key and gives its line of text to the devices.
//! let key = ReaderKey::generate(Suite::XWing, "Helpdesk", &mut generator)?;
//! let reader: Reader = key.reader().to_string().parse()?;
//!
//! // A device seals a password, and cannot read it back.
//! let header = Header {
//!     scope: Scope::EMPTY,
//!     device: DeviceId::new("PC-0042")?,
//!     account: AccountName::new("Admin")?,
//!     sid: None,
//!     id: RecordId::from_bytes([7; 16]), // drawn at random
//!     previous: None,
//!     version: 1,
//!     made_at: Timestamp::from_unix_seconds(1_790_000_000),
//!     policy_hash: [0; 32],
//! };
//! let password = Password::try_from_str("correct horse")?;
//! let sealed = Record::seal(&header, &password, &[reader], &mut generator)?;
//!
//! // The administrator opens it.
//! let record = Record::parse(sealed.as_bytes())?;
//! let opened = key.open(&record)?;
//! assert!(opened.password.equals(&password));
//!
//! // Whoever has the record can tell that somebody opened it.
//! assert!(record.is_proven_by(&opened.proof));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod field;
mod header;
mod kem;
mod key_file;
mod line;
mod opened;
mod pkcs8;
mod plaintext;
mod reader;
mod reader_key;
mod reader_set;
mod record;
mod sealing;
mod signed;
mod signer;
mod suite;
mod wire;
mod xwing;

pub use error::SealError;
pub use header::Header;
pub use key_file::MAX_KEY_FILE_LEN;
pub use opened::{Opened, OpenedProof};
pub use reader::{Reader, ReaderId};
pub use reader_key::ReaderKey;
pub use reader_set::{MAX_READER_SET_LEN, ReaderSet, ReaderSetHead};
pub use record::Record;
pub use signer::{Signer, SignerId, SignerKey};
pub use suite::Suite;

/// The most readers of one record (protocol §3).
pub const MAX_READERS: usize = 16;

/// The most bytes of one record (protocol §3).
pub const MAX_RECORD_LEN: usize = 32 * 1024;

/// Overwrites the stack that the functions before have used: crates leave keys and shared secrets
/// there.
///
/// 64 KiB is above what ML-KEM key generation, the deepest of them, uses.
#[inline(never)]
fn burn_stack() {
    zeroize::zeroize_stack::<65_536>();
}
