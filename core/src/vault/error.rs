//! What the vault can answer instead of a result.

use alloc::string::String;
use core::fmt;

use crate::error::Code;
use crate::rotation::message::MessageError;
use crate::seal::SealError;

/// Why the vault did not do what was asked.
///
/// Nothing was changed, save the entry in the audit log that names the refused attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VaultError {
    /// The check-in does not parse.
    Message(MessageError),
    /// The check-in, or a record in it, names another scope or device than the one that was
    /// authenticated.
    WrongDevice {
        /// The device that was authenticated.
        authenticated: String,
    },
    /// A record that does not parse, or is of a later format.
    Record(SealError),
    /// There is no such device, record, reader or audit entry; the text says which of them.
    NotFound(&'static str),
    /// There is no such device; the nearest name is given.
    Mistyped {
        /// The name that was given.
        device: String,
        /// The name of a device that is there.
        nearest: String,
    },
    /// Of devices that were named, this one is unknown or has no record; nothing was done for any
    /// of them.
    NoSuchDevice {
        /// Its name.
        device: String,
        /// Whether the vault knows it.
        known: bool,
    },
    /// A name, reason, number or cursor outside its range; the text says which and what is
    /// accepted.
    InvalidArgument(&'static str),
    /// The actor or the reason is blank.
    ReasonRequired,
    /// It would remove the last of something; the text says what, and wants an explicit word.
    ConfirmationRequired(&'static str),
    /// No active reader could open these any more; it wants an explicit word.
    WouldLose {
        /// How many records that devices may hold.
        records: u64,
        /// Of how many devices.
        devices: u64,
    },
    /// It is there already; the text says what, where, and what would be accepted.
    AlreadyExists(String),
    /// Stored bytes are not what was stored; the text says which.
    Damaged {
        /// What is damaged.
        what: &'static str,
        /// The device whose data it is; empty when it belongs to none.
        device: String,
    },
    /// The random source failed, or gave the same bytes twice.
    Random,
    /// The store could not do it.
    Store(StoreError),
    /// A bug in this library.
    Internal(&'static str),
}

impl VaultError {
    /// The number of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Message(error) => error.code(),
            Self::WrongDevice { .. } => Code::MessageWrongDevice,
            Self::Record(error) => error.code(),
            Self::NotFound(_) | Self::NoSuchDevice { .. } | Self::Mistyped { .. } => Code::NotFound,
            Self::InvalidArgument(_) => Code::InvalidArgument,
            Self::ReasonRequired => Code::ReasonRequired,
            Self::ConfirmationRequired(_) | Self::WouldLose { .. } => Code::ConfirmationRequired,
            Self::AlreadyExists(_) => Code::AlreadyExists,
            Self::Damaged { .. } => Code::VaultDamaged,
            Self::Random => Code::RandomFailure,
            Self::Store(error) => error.code,
            Self::Internal(_) => Code::Internal,
        }
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongDevice { authenticated } => write!(
                f,
                "the message names another scope or device than {authenticated}, which was \
                 authenticated"
            ),
            Self::NotFound(what) => write!(f, "there is no such {what}"),
            Self::Mistyped { device, nearest } => {
                write!(f, "there is no such device as {device}; the nearest name is {nearest}")
            }
            Self::NoSuchDevice { device, known } => write!(
                f,
                "device {device}: {}; nothing was done for any device",
                if *known { "it has no record yet" } else { "there is no such device" }
            ),
            Self::InvalidArgument(what) | Self::ConfirmationRequired(what) => f.write_str(what),
            Self::WouldLose { records, devices } => write!(
                f,
                "no active reader could open {records} passwords in use of {devices} devices any \
                 more; seal them again for another \
                 reader first, or give the word"
            ),
            Self::ReasonRequired => {
                f.write_str("an actor and a reason are required, neither blank")
            }
            Self::AlreadyExists(what) => f.write_str(what),
            Self::Damaged { what, device } if device.is_empty() => {
                write!(f, "the vault is damaged: {what}")
            }
            Self::Damaged { what, device } => {
                write!(f, "the vault is damaged: {what} of device {device}")
            }
            Self::Store(error) => fmt::Display::fmt(error, f),
            Self::Internal(what) => write!(f, "internal error: {what}"),
            Self::Message(error) => fmt::Display::fmt(error, f),
            Self::Record(error) => fmt::Display::fmt(error, f),
            Self::Random => fmt::Display::fmt(&self.code(), f),
        }
    }
}

impl core::error::Error for VaultError {}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a store could not do: a number, and one line about what and where.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoreError {
    /// Who must act.
    pub code: Code,
    /// Lower case, what was wrong and where, and what mends it.
    pub message: String,
}

impl StoreError {
    /// From its parts.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The number of this error.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for StoreError {}
