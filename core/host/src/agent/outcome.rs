//! How a run ended.

/// How one run ended, when nothing failed on the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RunOutcome {
    /// The account does not exist. The vault knows, and nothing is made until it does.
    AccountMissing,
    /// A rotation was due, and the vault has taken its commit.
    Committed,
    /// A rotation is due and not committed: it failed, it waits, or the run was stopped; the events
    /// say why. It goes on at the next run.
    NotCommitted,
    /// Nothing was due.
    NothingDue,
    /// A rotation was due, and the vault was not reached or is locked.
    Unreachable,
}

impl RunOutcome {
    /// The exit status of `laps agent run --once` (architecture §7).
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Committed | Self::NothingDue => 0,
            Self::AccountMissing => 4,
            Self::Unreachable => 7,
            Self::NotCommitted => 8,
        }
    }

    /// One word: `account-missing`, `committed`, `not-committed`, `nothing-due`, `unreachable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountMissing => "account-missing",
            Self::Committed => "committed",
            Self::NotCommitted => "not-committed",
            Self::NothingDue => "nothing-due",
            Self::Unreachable => "unreachable",
        }
    }
}
