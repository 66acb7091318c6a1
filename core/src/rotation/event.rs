//! What a step reports: fit for the device log, without secrets.
//!
//! Where Windows LAPS has an event for the same thing, ours carries its number (channel
//! `Microsoft-Windows-LAPS/Operational`); all others carry none. A few numbers depend on the
//! directory that the policy names: with `BackupDirectory` 1 (Microsoft Entra) and 2 (Active
//! Directory) our vault stands for that directory.

use core::fmt;

use crate::identity::{RecordId, Timestamp};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Why something happened: why a rotation is due (1–31), or why a step did not succeed
        /// (32–63).
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $name = $number,)* }

        impl Reason {
            /// Every reason, in numerical order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number, stable, as it stands in messages.
            #[must_use]
            pub const fn as_u8(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The reason with this number.
            pub(crate) const fn from_u8(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The name, as documents spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// Nothing in particular.
    None = 0, "none";
    /// The first password of this account.
    Enrolment = 1, "enrolment";
    /// The password reached its age.
    Age = 2, "age";
    /// The vault asked for it.
    Order = 3, "order";
    /// The administrator of this device asked for it.
    Forced = 4, "forced";
    /// The policy changed in a way that asks for a new password.
    PolicyChanged = 5, "policy-changed";
    /// Another account is managed, or the account was made again under the same name.
    AccountChanged = 6, "account-changed";
    /// Somebody used the account, and the delay of the post-authentication actions is over.
    PostAuthentication = 7, "post-authentication";
    /// The vault knows of later passwords than this device: its image was rolled back, or cloned.
    ImageRolledBack = 8, "image-rolled-back";
    /// The journal was lost or damaged.
    JournalLost = 9, "journal-lost";
    /// The account may hold more than one password.
    OutcomeUncertain = 10, "outcome-uncertain";
    /// The password would live longer than the policy allows.
    ExpiryBeyondPolicy = 11, "expiry-beyond-policy";
    /// The device's readers lost one that the password is sealed to.
    ReaderLost = 12, "reader-lost";

    /// The random source failed.
    RandomFailed = 32, "random-failed";
    /// The vault cannot be reached, or did not answer.
    Unreachable = 33, "unreachable";
    /// The vault's answer cannot be read, or answers something else.
    AnswerRefused = 34, "answer-refused";
    /// The vault knows of a higher version; the password is made again above it.
    Stale = 35, "stale";
    /// The vault has no room for another candidate.
    Full = 36, "full";
    /// The device's password policy refused the password.
    PasswordRefused = 37, "password-refused";
    /// The account could not be changed.
    SetterFailed = 38, "setter-failed";
    /// The setter did not end in time; what it did is unknown.
    SetterTimedOut = 39, "setter-timed-out";
    /// The account does not exist.
    AccountNotFound = 40, "account-not-found";
    /// Another policy manages the account.
    ManagedElsewhere = 41, "managed-elsewhere";
    /// The account does not hold the password that was set.
    Mismatch = 42, "mismatch";
    /// Whether the account holds the password could not be found out.
    Unverified = 43, "unverified";
    /// The agent was started again in the middle of a rotation.
    Interrupted = 44, "interrupted";
    /// The password lay in memory for too long before it could be applied.
    PlaintextExpired = 45, "plaintext-expired";
    /// The vault's audit log is not the one that this device remembers.
    AuditMismatch = 46, "audit-mismatch";
    /// The clock moved further than time passed.
    ClockJumped = 47, "clock-jumped";
    /// The platform cannot do this.
    NotSupported = 48, "not-supported";
    /// It was tried as often as is allowed.
    TooManyTries = 49, "too-many-tries";
    /// The password was replaced in the meantime.
    Superseded = 50, "superseded";
    /// None of the vault's active readers could open the record.
    Unreadable = 51, "unreadable";
    /// The vault was restored from an older copy, and its log says so.
    Restored = 52, "restored";
    /// The vault names readers whom it removed and whom this device still seals to.
    RemovedReaders = 53, "removed-readers";
    /// Two passwords were set in this run already.
    TwoChanges = 54, "two-changes";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which directory the policy names; it decides some event numbers.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "BackupDirectory has exactly these two modes that manage"
)]
pub enum Directory {
    /// `BackupDirectory` 1.
    #[default]
    Entra,
    /// `BackupDirectory` 2.
    ActiveDirectory,
}

/// How loud an event is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "the three levels that the Windows events have")]
pub enum Level {
    /// Something went as it should.
    Information,
    /// Somebody should look.
    Warning,
    /// Something failed.
    Error,
}

macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $name:ident = $number:literal, $text:literal, $level:ident, $entra:expr, $ad:expr;
    )*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum EventKind { $($(#[$doc])* $name = $number,)* }

        impl EventKind {
            /// Every kind, in numerical order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number, stable, as it stands in messages and journals. Not the Windows id.
            #[must_use]
            pub const fn as_u8(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The kind with this number.
            pub(crate) const fn from_u8(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The name, as documents spell it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How loud it is.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }

            /// The event id of Windows LAPS, where it has this event.
            #[must_use]
            pub const fn id(self, directory: Directory) -> Option<u32> {
                match (self, directory) {
                    $((Self::$name, Directory::Entra) => $entra,
                      (Self::$name, Directory::ActiveDirectory) => $ad,)*
                }
            }
        }
    };
}

kinds! {
    /// A rotation is due; the reason says why.
    RotationDue = 1, "rotation-due", Information, Some(10015), Some(10015);
    /// An administrator asked for a new password, here or through the vault.
    ResetRequested = 2, "reset-requested", Information, Some(10014), Some(10014);
    /// A rotation begins because the account was used.
    PostAuthenticationReset = 3, "post-authentication-reset", Information, Some(10051), Some(10051);
    /// The password needs no update now.
    NotDue = 4, "not-due", Information, Some(10016), Some(10016);
    /// A password was made and sealed.
    Prepared = 5, "prepared", Information, None, None;
    /// The vault has the record; the account may be changed now.
    BackedUp = 6, "backed-up", Information, None, None;
    /// The vault did not take the record; the account was not changed.
    BackUpFailed = 7, "back-up-failed", Error, Some(10028), Some(10017);
    /// The account was changed.
    AccountUpdated = 8, "account-updated", Information, Some(10020), Some(10020);
    /// The account was not changed, or not certainly.
    AccountUpdateFailed = 9, "account-update-failed", Error, Some(10019), Some(10019);
    /// The managed account does not exist.
    AccountNotFound = 10, "account-not-found", Error, Some(10013), Some(10013);
    /// The device's password policy refused the password.
    PasswordRefused = 11, "password-refused", Error, Some(10027), Some(10027);
    /// The account holds the new password.
    Verified = 12, "verified", Information, None, None;
    /// The vault took the new password as the current one: the rotation is done.
    Committed = 13, "committed", Information, Some(10029), Some(10018);
    /// The account was used; post-authentication actions are scheduled.
    AuthenticationDetected = 14, "authentication-detected", Information, Some(10041), Some(10041);
    /// The delay after a use is over; the actions start.
    GraceExpired = 15, "grace-expired", Information, Some(10042), Some(10042);
    /// The reset after a use failed and will be tried again.
    PostAuthenticationRetry = 16, "post-authentication-retry", Warning, Some(10043), Some(10043);
    /// The reset after a use is done and every action was started.
    PostAuthenticationDone = 17, "post-authentication-done", Information, Some(10044), Some(10044);
    /// The reset after a use was tried as often as is allowed.
    PostAuthenticationGivenUp = 18, "post-authentication-given-up", Error, Some(10048), Some(10048);
    /// A scheduled action after a use was dropped.
    PostAuthenticationCancelled = 19, "post-authentication-cancelled", Information, None, None;
    /// An action after a use failed; the reset itself is done.
    ActionFailed = 20, "action-failed", Warning, None, None;
    /// The restart after a use failed.
    RestartFailed = 21, "restart-failed", Error, Some(10049), Some(10049);
    /// Nothing is managed: `BackupDirectory` is 0.
    Disabled = 22, "disabled", Information, Some(10024), Some(10024);
    /// The agent was started again in the middle of a rotation and goes on from its journal.
    Recovered = 23, "recovered", Warning, None, None;
    /// A record is known never to have been applied.
    RuledOut = 24, "ruled-out", Information, None, None;
    /// The account may hold more than one password; all of them can be revealed.
    Uncertain = 25, "uncertain", Warning, None, None;
    /// There was no journal, or a damaged one, where the vault knows this device.
    JournalLost = 27, "journal-lost", Warning, None, None;
    /// The vault knows later passwords than this device.
    ImageRolledBack = 28, "image-rolled-back", Warning, None, None;
    /// The vault's audit log is not the one that this device remembers.
    AuditMismatch = 29, "audit-mismatch", Error, None, None;
    /// The clock moved further than time passed.
    ClockJumped = 30, "clock-jumped", Warning, None, None;
    /// The vault lacked records that the account may hold; they were offered again.
    OfferedAgain = 31, "offered-again", Warning, None, None;
    /// The vault was not reached.
    CheckInFailed = 32, "check-in-failed", Warning, None, None;
    /// The password in memory was wiped before it could be applied.
    PlaintextWiped = 33, "plaintext-wiped", Warning, None, None;
    /// The managed account changed.
    AccountChanged = 34, "account-changed", Warning, None, None;
    /// Another policy manages the account; we stand aside.
    StoodAside = 35, "stood-aside", Warning, None, None;
    /// No password could be made.
    PrepareFailed = 36, "prepare-failed", Error, None, None;
    /// The policy in force changed.
    PolicyChanged = 37, "policy-changed", Information, None, None;
    /// A rotation is due and waits: it rests on the vault's word alone, or this run has changed the
    /// password twice.
    Waiting = 38, "waiting", Warning, None, None;
    /// The account is there again after it was missing.
    AccountReturned = 39, "account-returned", Warning, None, None;
    /// The vault says that readers were removed whom this device still seals to.
    ReadersRemoved = 40, "readers-removed", Warning, None, None;
    /// The vault ordered a rotation for later.
    OrderScheduled = 41, "order-scheduled", Information, None, None;
    /// The oldest candidate left the journal; the vault keeps it.
    CandidateDropped = 42, "candidate-dropped", Warning, None, None;
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One event.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The event id of Windows LAPS, where it has this event.
    pub id: Option<u32>,
    /// Why.
    pub reason: Reason,
    /// The version of the record that it is about; 0 for none.
    pub version: u64,
    /// The record that it is about.
    pub record: Option<RecordId>,
    /// A number that belongs to the kind: tries for [`EventKind::PostAuthenticationRetry`], a time
    /// in Unix seconds for [`EventKind::AuthenticationDetected`] (the deadline),
    /// [`EventKind::Waiting`] (its end) and [`EventKind::OrderScheduled`], readers for
    /// [`EventKind::ReadersRemoved`], a version for [`EventKind::JournalLost`] and
    /// [`EventKind::ImageRolledBack`]; otherwise 0.
    pub detail: u64,
}

/// How the last rotation, or the last try, ended; for `agent status` and the vault's list.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// What happened.
    pub kind: EventKind,
    /// Which directory's event numbers apply.
    pub directory: Directory,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

impl Outcome {
    /// From its parts.
    #[must_use]
    pub const fn new(kind: EventKind, directory: Directory, reason: Reason, at: Timestamp) -> Self {
        Self { kind, directory, reason, at }
    }

    /// The event id of Windows LAPS, where it has this event.
    #[must_use]
    pub const fn id(&self) -> Option<u32> {
        self.kind.id(self.directory)
    }

    /// The name of the event.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Whether a rotation failed, which is over when none is due any more.
    pub(super) const fn is_failed_rotation(&self) -> bool {
        matches!(
            self.kind,
            EventKind::AccountNotFound
                | EventKind::AccountUpdateFailed
                | EventKind::BackUpFailed
                | EventKind::PasswordRefused
                | EventKind::PrepareFailed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_reasons_have_unique_numbers_and_names() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_u8(kind.as_u8()), Some(*kind));
            assert_eq!(EventKind::ALL.iter().filter(|k| k.name() == kind.name()).count(), 1);
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::from_u8(reason.as_u8()), Some(*reason));
            assert_eq!(Reason::ALL.iter().filter(|r| r.name() == reason.name()).count(), 1);
        }
        assert_eq!((EventKind::from_u8(0), Reason::from_u8(63)), (None, None));
    }

    #[test]
    fn the_windows_ids_depend_on_the_directory_where_they_do_on_windows() {
        use Directory::{ActiveDirectory, Entra};
        assert_eq!(EventKind::Committed.id(Entra), Some(10029));
        assert_eq!(EventKind::Committed.id(ActiveDirectory), Some(10018));
        assert_eq!(EventKind::BackUpFailed.id(Entra), Some(10028));
        assert_eq!(EventKind::BackUpFailed.id(ActiveDirectory), Some(10017));
        assert_eq!(EventKind::BackedUp.id(Entra), None);
    }
}
