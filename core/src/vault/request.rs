//! What callers say: who asks, why, and for what.

use crate::identity::Timestamp;

/// Who asks and why. Both are required, and both go into the audit log as they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Whom the program authenticated: at most 256 bytes without control characters; empty when
    /// nobody was. Orders about what somebody was shown go by this.
    pub caller: &'a str,
    /// The id of the reader that opens, where it is known.
    pub reader: Option<[u8; 32]>,
    /// Who asks, as it was typed: 1 to 256 bytes of UTF-8 without control characters, not blank.
    pub actor: &'a str,
    /// Why: 1 to 1 024 bytes, likewise.
    pub reason: &'a str,
    /// What the program adds about where the request comes from (user, host, process): at most 1
    /// 024 bytes, may be empty.
    pub context: &'a str,
}

impl<'a> Request<'a> {
    /// A request without context.
    #[must_use]
    pub const fn new(actor: &'a str, reason: &'a str) -> Self {
        Self { caller: "", reader: None, actor, reason, context: "" }
    }

    /// For whom the program authenticated.
    #[must_use]
    pub const fn with_caller(mut self, caller: &'a str) -> Self {
        self.caller = caller;
        self
    }

    /// With the reader that opens.
    #[must_use]
    pub const fn with_reader(mut self, reader: [u8; 32]) -> Self {
        self.reader = Some(reader);
        self
    }

    /// With what the program knows about where it comes from.
    #[must_use]
    pub const fn with_context(mut self, context: &'a str) -> Self {
        self.context = context;
        self
    }
}

/// When what a disclosure shows is rotated. A second look never moves an earlier deadline.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RotateAfter {
    /// As the setting of the vault says.
    #[default]
    Setting,
    /// This many seconds later. Later than the setting says needs the word.
    Seconds(u64),
    /// Not at all, which needs the word where the setting says otherwise.
    Never,
}

/// What a disclosure includes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct DiscloseOptions<'a> {
    /// The history too, not only the candidates.
    pub history: bool,
    /// When what is disclosed is rotated.
    pub rotate_after: RotateAfter,
    /// The word that a later rotation than the setting says, or none, needs.
    pub longer: Confirmation,
    /// The account: none for the managed one. Others are those that the device managed before.
    pub account: Option<&'a str>,
    /// Also the sealings that came from the device, of records that were re-sealed: for when what
    /// was re-sealed opens for nobody. What is shown is then rotated at once.
    pub from_device: bool,
}

impl<'a> DiscloseOptions<'a> {
    /// Of an account that the device managed before.
    #[must_use]
    pub const fn of_account(mut self, account: &'a str) -> Self {
        self.account = Some(account);
        self
    }

    /// Also the sealings that came from the device.
    #[must_use]
    pub const fn from_device(mut self) -> Self {
        self.from_device = true;
        self
    }

    /// Without an order to rotate, with the word that this needs.
    #[must_use]
    pub const fn without_rotation(mut self) -> Self {
        (self.rotate_after, self.longer) = (RotateAfter::Never, Confirmation::Given);
        self
    }

    /// With the word that a later rotation than the setting says needs.
    #[must_use]
    pub const fn with_word(mut self) -> Self {
        self.longer = Confirmation::Given;
        self
    }

    /// With the history.
    #[must_use]
    pub const fn with_history(mut self) -> Self {
        self.history = true;
        self
    }

    /// With an order to rotate so many seconds later.
    #[must_use]
    pub const fn with_rotation_after(mut self, seconds: u64) -> Self {
        self.rotate_after = RotateAfter::Seconds(seconds);
        self
    }
}

/// Which sealings are exported for re-sealing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ResealOptions {
    /// The word that a reader whom the vault never knew may lose a record.
    pub strangers: Confirmation,
    /// Of records that were re-sealed, the sealings that came from the devices: for when what was
    /// re-sealed opens for nobody.
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

/// Whose entries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Who<'a> {
    /// Of whom the program authenticated; where it authenticated nobody, of what was typed.
    Caller(&'a str),
    /// Of what was typed.
    TypedAs(&'a str),
}

impl<'a> Who<'a> {
    /// The name.
    #[must_use]
    pub const fn name(self) -> &'a str {
        match self {
            Self::Caller(name) | Self::TypedAs(name) => name,
        }
    }
}

/// Which devices an order to rotate is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Selection<'a> {
    /// These; one that is unknown or has no record makes the whole order fail.
    Devices(&'a [&'a str]),
    /// Every device that has a record. For a retired one, here and below, the order waits until it
    /// is back in service.
    All,
    /// Every device whose due date has passed.
    Overdue,
    /// Every device that may hold now what this person was shown since then, opened or not: by a
    /// disclosure, an export, a back-up, or records that were exported for re-sealing or imported
    /// re-sealed. A back-up is of everything that was stored until an hour behind its entry, and so
    /// is what an entry of an earlier version does not name; every other entry names its records.
    ///
    /// The log is read to the entry that is the last one when the order begins, and the entry of
    /// the order names that one: who discloses meanwhile is behind it.
    ///
    /// What the audit log does not know is not in it: the file of the vault copied or restored by
    /// somebody who can read it, and what an [import](crate::vault::Vault::import) brought.
    /// Then order [all](Self::All).
    RevealedBy {
        /// Whose entries.
        who: Who<'a>,
        /// Entries at this time or later; also those that are earlier than one before them, by a
        /// clock that was wrong, and what stands between.
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
