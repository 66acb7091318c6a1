//! How a device stands, in a word.

/// How a device stands (architecture §7).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DeviceStatus {
    /// One candidate, and the device knows that it holds it.
    Settled,
    /// A rotation is under way, or nothing was committed yet.
    Pending,
    /// The device may hold one of several passwords.
    Uncertain,
    /// None of the records that the account may hold names an active reader: nobody can open the
    /// password in use.
    Unreadable,
    /// The last rotation failed; the password before it is still in force.
    Failed,
    /// Taken out of service by an administrator.
    Retired,
}

impl DeviceStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Pending => "pending",
            Self::Uncertain => "uncertain",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
            Self::Retired => "retired",
        }
    }
}
