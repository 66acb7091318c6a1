//! What callers say: who asks, why, and for what.

use crate::identity::Timestamp;

/// Who asks and why. Both are required, and both go into the audit trail as they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Who asks: 1 to 256 bytes of UTF-8 without control characters, not blank.
    pub actor: &'a str,
    /// Why: 1 to 1 024 bytes, likewise.
    pub reason: &'a str,
    /// What the program adds about where the request comes from (user, host, process): at most 1 024 bytes, may be empty.
    pub context: &'a str,
}

impl<'a> Request<'a> {
    /// A request without context.
    #[must_use]
    pub const fn new(actor: &'a str, reason: &'a str) -> Self {
        Self { actor, reason, context: "" }
    }

    /// With what the program knows about where it comes from.
    #[must_use]
    pub const fn with_context(mut self, context: &'a str) -> Self {
        self.context = context;
        self
    }
}

/// What a disclosure includes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct DiscloseOptions {
    /// The history too, not only the candidates.
    pub history: bool,
    /// Order the rotation of what is disclosed, so many seconds later; none: no order.
    pub rotate_after: Option<u64>,
}

impl DiscloseOptions {
    /// With the history.
    #[must_use]
    pub const fn with_history(mut self) -> Self {
        self.history = true;
        self
    }

    /// With an order to rotate so many seconds later.
    #[must_use]
    pub const fn with_rotation_after(mut self, seconds: u64) -> Self {
        self.rotate_after = Some(seconds);
        self
    }
}

/// Which sealings are handed out to be sealed again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ResealOptions {
    /// The word that a reader whom the vault never knew may lose a record.
    pub strangers: Confirmation,
    /// Of records that were given back, the sealings that came from the devices: for when what was given back opens for nobody.
    pub from_devices: bool,
}

impl ResealOptions {
    /// Also what names a reader that the vault never knew.
    #[must_use]
    pub const fn with_strangers(mut self) -> Self {
        self.strangers = Confirmation::Given;
        self
    }

    /// The sealings that came from the devices.
    #[must_use]
    pub const fn from_devices(mut self) -> Self {
        self.from_devices = true;
        self
    }
}

/// Which devices an order to rotate is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Selection<'a> {
    /// These; one that is unknown or has no record makes the whole order fail.
    Devices(&'a [&'a str]),
    /// Every device that has a record. For a retired one, here and below, the order waits until it is back in service.
    All,
    /// Every device whose due date has passed.
    Overdue,
    /// Every device that may hold now what this actor was shown since then, opened or not: by a disclosure, an export, a back-up,
    /// or records that were handed out to be sealed anew or given back. A back-up is of everything that was stored until an
    /// hour behind its entry, and so is what an entry of an earlier version does not name; every other entry names its records.
    ///
    /// What the trail does not know is not in it: the file of the vault copied or restored by somebody who can read it, and what
    /// an [import](crate::vault::Vault::import) brought. Then order [all](Self::All).
    RevealedBy {
        /// The actor of the entries.
        actor: &'a str,
        /// Entries at this time or later.
        since: Timestamp,
    },
}

/// Whether the caller has said the explicit word that removing the last of something needs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Confirmation {
    /// No: what removes the last of something is refused.
    #[default]
    NotGiven,
    /// Yes.
    Given,
}
