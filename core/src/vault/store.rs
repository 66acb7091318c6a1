//! What the vault needs from a store. A database is added by implementing these two traits; nothing
//! else changes.

use alloc::vec::Vec;

use crate::identity::Scope;

use super::VaultError;
pub use super::places::Places;
use super::plan::{Plan, Want};
pub use super::stored::{DeviceKey, StoredDevice, StoredEntry};
use super::unit::{Appended, Rows, Writes};

/// How soon a write must be on the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a store must handle every one")]
pub enum Durability {
    /// Before the call returns.
    Durable,
    /// Some time later; it may be lost, but never half of it.
    Relaxed,
}

/// A place that keeps vaults. A clone is another handle to the same place.
///
/// A store fetches what plans name, and writes what decisions answer. It decides nothing.
///
/// # Errors
/// Every method: whatever keeps the store from doing it. Damage is a finding about what was read,
/// and stands in the [`Rows`].
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Store: Clone + Send + Sync {
    /// A unit of work.
    type Work<'s>: Work
    where
        Self: 's;

    /// How many decisions of a group are read for, decided and written together. A store on another
    /// machine takes all of them, for the sake of round trips; one in this process so many that
    /// what they touch stays in the processor's cache, where its [`Work::write_part`] can do it.
    fn ahead(&self) -> usize {
        usize::MAX
    }

    /// Every scope that was ever written to, in order.
    fn scopes(&self) -> Result<Vec<Scope>, VaultError>;

    /// Reads what a plan names, in one state of the store. Nothing stays open.
    fn read(&self, plan: &Plan) -> Result<Rows, VaultError>;

    /// Begins a unit of work and reads what a plan names. Until it is over nobody else changes what
    /// was read.
    fn begin(
        &self,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(Self::Work<'_>, Rows), VaultError>;
}

/// A unit of work. One that is dropped has written nothing.
///
/// # Errors
/// Every method: whatever keeps the store from doing it. Then nothing was written.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Work {
    /// Reads more, in the same state.
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError>;

    /// Writes all of it, the entries of the audit log last. The unit of work is over.
    fn write(self, writes: Writes) -> Result<Appended, VaultError>;

    /// Writes a part of the unit of work, and reads what a plan names in the state after it. It
    /// counts when the last part is written; dropped before, it has written nothing.
    fn write_part(&mut self, writes: Writes, next: &Plan) -> Result<(Appended, Rows), VaultError> {
        let _ = (writes, next);
        Err(VaultError::Internal("a store that takes a group as a whole was given a part of one"))
    }
}
