//! The vault's rules over a store: records, orders, history, readers, audit log. The vault holds
//! no key that opens anything.
//!
//! | module | what it holds |
//! |---|---|
//! | [`rules`] | the rules of a check-in, on values alone |
//! | [`state`] | what is kept about a device; the part that the rules work on |
//! | [`plan`] | what a decision reads, named before it is read |
//! | [`mod@unit`] | the rows that decisions read, and what they write |
//! | [`run`] | the driver: fetch, decide, write |
//! | [`store`] | the two traits that a database implements |
//! | [`memory`] | the store in memory |
//! | [`audit`] | the audit log: entries, canonical bytes, heads |
//! | [`readers`] | who may open records |
//! | [`query`] | looking without opening |
//! | [`rows`] | rows, pages, disclosures, reports |
//! | [`request`] | who asks, why, and for what |
//! | [`observed`] | what happened, for metrics |
//! | [`error`] | what it answers instead |

pub mod audit;
pub mod error;
pub mod memory;
pub mod observed;
pub mod plan;
pub mod query;
pub mod readers;
pub mod request;
pub mod rows;
pub mod rules;
pub mod run;
pub mod state;
pub mod store;
pub mod unit;

mod accessed;
mod check_ins;
mod checksum;
mod codec;
mod copies;
mod disclosure;
mod external;
mod lifecycle;
mod names;
mod noted;
mod orders;
mod places;
mod removal;
mod resealing;
mod restore;
mod retention;
mod scope;
mod spelling;
mod status;
mod stored;
mod verify;
mod writes;

use alloc::sync::Arc;
use core::fmt;

pub use crate::rotation::message::AuditHead;
pub use error::{StoreError, VaultError};
pub use external::{ExternalCredential, ExternalDevice};
pub use memory::MemoryStore;
pub use observed::Observed;
pub use query::Metadata;
pub use request::{
    Confirmation, DiscloseOptions, Request, ResealOptions, RotateAfter, Selection, Who,
};
pub use restore::Restorable;
pub use retention::Retention;
pub use rows::{
    AuditReport, Candidate, CandidateState, DeviceRow, Disclosure, DueRow, FindingCounts, Findings,
    FormerAccount, Ordered, Page, ReaderRow, RecordRow, ResealPage, Resealed, Resealing, Stats,
    Unsealed,
};
pub use rules::Loss;
pub use scope::finding;
pub use spelling::{Nearest, folded};
pub use state::OpenedStatus;
pub use status::DeviceStatus;
pub use store::Store;

use crate::identity::DeviceId;

/// Where tokens come from: fills the buffer, or says that it could not.
pub type TokenSource = dyn Fn(&mut [u8]) -> bool + Send + Sync;

/// Who is told what happened.
pub type Observer = dyn Fn(&Observed) + Send + Sync;

/// A vault over a store. A clone is another handle to the same vault.
///
/// ```
/// # #[cfg(feature = "getrandom")] {
/// use laps_core::identity::{Scope, Timestamp};
/// use laps_core::random::Generator;
/// use laps_core::seal::{ReaderKey, Suite};
/// use laps_core::vault::{MemoryStore, Request, Retention, Vault};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let key = ReaderKey::generate(Suite::XWing, "Helpdesk", &mut Generator::from_system()?)?;
/// let vault = Vault::from_system(MemoryStore::new());
/// let who = Request::new("ann", "a vault for the branch in Oslo");
/// let head = vault.initialise(
///     &Scope::EMPTY,
///     &[key.reader().clone()],
///     Retention::default(),
///     &who,
///     now,
/// )?;
///
/// // `check_in` takes what devices send (the loop in `rotation`); the log proves what was done.
/// assert!(vault.list(&Scope::EMPTY, None, 10)?.items.is_empty());
/// assert!(vault.audit_verify(&Scope::EMPTY, Some(head))?.ok);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Every method is one transaction, unless it says otherwise. What it answers is durable.
#[derive(Clone)]
pub struct Vault<S> {
    store: S,
    tokens: Arc<TokenSource>,
    observer: Option<Arc<Observer>>,
    ignores_case: bool,
}

impl<S> fmt::Debug for Vault<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl<S: Store> Vault<S> {
    /// A vault over a store. `tokens` fills a buffer from a random source and answers false when
    /// that failed.
    #[must_use]
    pub fn new(store: S, tokens: impl Fn(&mut [u8]) -> bool + Send + Sync + 'static) -> Self {
        Self { store, tokens: Arc::new(tokens), observer: None, ignores_case: false }
    }

    /// A vault that draws its tokens from the operating system.
    #[cfg(feature = "getrandom")]
    #[must_use]
    pub fn from_system(store: S) -> Self {
        Self::new(store, |out| getrandom::fill(out).is_ok())
    }

    /// Tells `observer` what happened, after it is durable. It must not call back into the vault.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Observed) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// A token, or none from a source that failed or gives one byte again and again.
    fn draw_token(&self) -> Option<[u8; 16]> {
        let mut token = [0; 16];
        let drawn = (self.tokens)(&mut token);
        let [first, rest @ ..] = &token;
        (drawn && rest.iter().any(|byte| byte != first)).then_some(token)
    }

    fn observe(&self, observed: &Observed) {
        if let Some(observer) = &self.observer {
            observer(observed);
        }
    }
}

/// A device's name: 1 to 128 bytes.
fn name(device: &str) -> Result<DeviceId, VaultError> {
    match DeviceId::new(device) {
        Ok(name) if !name.is_empty() => Ok(name),
        _ => Err(VaultError::InvalidArgument(
            "a device is named by 1 to 128 bytes of UTF-8 without control characters",
        )),
    }
}
