//! The vault's rules over a store: records, orders, history, readers, audit trail. The vault holds no key that opens anything.
//!
//! | module | what it holds |
//! |---|---|
//! | [`state`] | what is kept about a device; the part that the protocol's rules work on |
//! | [`store`] | the two traits that a database implements |
//! | [`trail`] | the audit trail: entries, canonical bytes, heads |
//! | [`readers`] | who may open records |
//! | [`view`] | rows, pages, disclosures, reports |
//! | [`request`] | who asks, why, and for what |
//! | [`error`] | what it answers instead |

pub mod error;
pub mod readers;
pub mod request;
pub mod state;
pub mod store;
pub mod trail;
pub mod view;

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

pub use crate::rotation::message::AuditHead;
pub use error::{StoreError, VaultError};
pub use request::{Confirmation, DiscloseOptions, Request, Selection};
pub use store::Store;
pub use view::{
    AuditReport, Candidate, CandidateState, DeviceRow, DeviceStatus, Disclosure, DueRow, Ordered,
    Page, RecordRow, Stats,
};

use crate::identity::{Scope, Timestamp};

/// Where tokens come from: fills the buffer, or says that it could not.
pub type TokenSource = dyn Fn(&mut [u8]) -> bool + Send + Sync;

/// A vault over a store. A clone is another handle to the same vault.
///
/// Every method is one transaction, unless it says otherwise. What it answers is durable.
#[derive(Clone)]
pub struct Vault<S> {
    store: S,
    tokens: Arc<TokenSource>,
}

impl<S> fmt::Debug for Vault<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl<S: Store> Vault<S> {
    /// A vault over a store. `tokens` fills a buffer from a random source and answers false when that failed.
    #[must_use]
    pub fn new(store: S, tokens: impl Fn(&mut [u8]) -> bool + Send + Sync + 'static) -> Self {
        Self { store, tokens: Arc::new(tokens) }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Takes a device's check-in and answers it (protocol §3). The embedder has authenticated the device.
    ///
    /// # Errors
    /// `Message` or `Record` for what does not parse, `WrongDevice` for a message in another name, and what the store says.
    pub fn check_in(
        &self,
        scope: &Scope,
        authenticated: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Vec<u8>, VaultError> {
        let _ = (scope, authenticated, bytes, now, &self.tokens);
        Err(VaultError::Internal("not yet"))
    }

    /// Devices by name, those behind `after`.
    ///
    /// # Errors
    /// What the store says.
    pub fn list(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DeviceRow>, VaultError> {
        let _ = (scope, after, limit);
        Err(VaultError::Internal("not yet"))
    }

    /// One device.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub fn show(&self, scope: &Scope, device: &str) -> Result<DeviceRow, VaultError> {
        let _ = (scope, device);
        Err(VaultError::Internal("not yet"))
    }

    /// The records of a device without their content: current, pending, history.
    ///
    /// # Errors
    /// `NotFound`, and what the store says.
    pub fn history(&self, scope: &Scope, device: &str) -> Result<Vec<RecordRow>, VaultError> {
        let _ = (scope, device);
        Err(VaultError::Internal("not yet"))
    }

    /// Devices by due date, those due no later than `until`; `after` is the `next` of the page before.
    ///
    /// # Errors
    /// What the store says.
    pub fn due(
        &self,
        scope: &Scope,
        until: Timestamp,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<DueRow>, VaultError> {
        let _ = (scope, until, after, limit);
        Err(VaultError::Internal("not yet"))
    }

    /// Hands out the sealed candidates of a device. The audit entry, and the order to rotate if asked for, are durable before.
    ///
    /// # Errors
    /// `ReasonRequired`, `NotFound`, and what the store says. The refused attempt is in the trail.
    pub fn disclose(
        &self,
        scope: &Scope,
        device: &str,
        request: &Request<'_>,
        options: DiscloseOptions,
        now: Timestamp,
    ) -> Result<Disclosure, VaultError> {
        let _ = (scope, device, request, options, now);
        Err(VaultError::Internal("not yet"))
    }

    /// Orders devices to rotate.
    ///
    /// # Errors
    /// `ReasonRequired`, `NotFound`, and what the store says. The refused attempt is in the trail.
    pub fn order_rotation(
        &self,
        scope: &Scope,
        selection: Selection<'_>,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let _ = (scope, selection, request, now);
        Err(VaultError::Internal("not yet"))
    }

    /// Verifies the trail of a scope from its first entry, in pages.
    ///
    /// # Errors
    /// What the store says; a broken trail is a report, not an error.
    pub fn audit_verify(
        &self,
        scope: &Scope,
        expect: Option<AuditHead>,
    ) -> Result<AuditReport, VaultError> {
        let _ = (scope, expect);
        Err(VaultError::Internal("not yet"))
    }

    /// Entries of the trail by number, those behind `after` (0: from the first).
    ///
    /// # Errors
    /// What the store says.
    pub fn audit_entries(
        &self,
        scope: &Scope,
        after: u64,
        limit: usize,
    ) -> Result<Vec<store::StoredEntry>, VaultError> {
        let _ = (scope, after, limit);
        Err(VaultError::Internal("not yet"))
    }

    /// Figures about a scope. Costs grow with the scope.
    ///
    /// # Errors
    /// What the store says.
    pub fn stats(&self, scope: &Scope, now: Timestamp) -> Result<Stats, VaultError> {
        let _ = (scope, now);
        Err(VaultError::Internal("not yet"))
    }
}
