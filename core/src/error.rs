//! One numbering of errors for Rust, C and Python.
//!
//! Every error type of this workspace has `code()`, which gives one of these. The bands say who
//! must act: 1–63 the caller, 64–95 the author of a policy or recipe, 96–127 the owner of the data,
//! 128–159 the machine, 240–255 us. A number is never given another meaning; a new one takes a free
//! place in its band. 0 is success.

use core::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What went wrong, as a stable number.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Code { $($(#[$doc])* $name = $number,)* }

        impl Code {
            /// Every code, in numerical order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number.
            #[must_use]
            pub const fn as_u16(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The code with this number, if there is one.
            #[must_use]
            pub const fn from_u16(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The name, as Rust spells it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// One line in plain words, lower case, without a full stop.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// A null pointer where an object or an out parameter belongs (C only).
    NullArgument = 1, "a null pointer was given where an object or an out parameter belongs";
    /// An argument outside what the call accepts.
    InvalidArgument = 2, "an argument is outside what this call accepts";
    /// The caller's buffer is too small; nothing was written.
    BufferTooSmall = 3, "the buffer is too small";
    /// An event that cannot happen in this state: the driver has a bug.
    UnexpectedEvent = 4, "this event cannot happen in the present state";
    /// Text that is not UTF-8.
    InvalidUtf8 = 5, "the text is not valid UTF-8";
    /// No such device, record, reader or entry.
    NotFound = 6, "there is no such device, record or reader";
    /// An actor or a reason is missing.
    ReasonRequired = 7, "an actor and a reason are required";
    /// Needs an explicit word, because it removes the last of something.
    ConfirmationRequired = 8,
        "this removes the last of its kind and needs an explicit confirmation";
    /// It is there already.
    AlreadyExists = 9, "it exists already";

    /// Not a policy document of any known form.
    PolicyMalformed = 64, "the policy document cannot be read";
    /// A policy with error findings.
    PolicyRefused = 65, "the policy has settings that are refused";
    /// A recipe whose rules are outside the stated limits.
    RecipeInvalid = 66, "a rule of the recipe is outside its limits";
    /// No string satisfies the recipe.
    RecipeInfeasible = 67, "no password satisfies these rules together";
    /// The counting table would exceed its limit.
    RecipeTooComplex = 68, "the recipe needs a counting table above the limit";
    /// The recipe needs a heap, and this build has none.
    RecipeNeedsHeap = 69, "the recipe needs a counting table and this build has no heap";
    /// No local account matches the policy.
    AccountNotFound = 70, "no local account matches the policy";
    /// More than one local account matches, or the name cannot be one.
    AccountRefused = 71, "the local account cannot be managed";
    /// A SID that does not parse.
    SidMalformed = 72, "the security identifier is malformed";
    /// Another product manages the account.
    AccountManagedElsewhere = 73, "another policy manages this account";

    /// A sealed record that does not parse.
    RecordMalformed = 96, "the record is malformed";
    /// A format or suite from a later version.
    UnsupportedVersion = 97, "the format version or suite is not supported";
    /// Whatever a key or a tag decides.
    Rejected = 98, "the key does not open this, or it was changed";
    /// The record is sealed to other readers only.
    NotAReader = 99, "the record is sealed to other readers";
    /// A key file that does not parse.
    KeyFileMalformed = 100, "the key file is malformed";
    /// A key file with a wrong passphrase, or damaged inside.
    KeyFileRejected = 101, "the passphrase is wrong or the key file is damaged";
    /// A check-in or an answer that does not parse.
    MessageMalformed = 102, "the check-in message is malformed";
    /// A check-in that names another device than the authenticated one.
    MessageWrongDevice = 103,
        "the message names another device than the one that was authenticated";
    /// A journal that does not parse.
    JournalMalformed = 104, "the journal is malformed";
    /// The vault file is damaged.
    VaultDamaged = 105, "the vault is damaged";
    /// The audit log does not verify.
    AuditBroken = 106, "the audit log does not verify";
    /// The vault has an older schema.
    SchemaOlder = 107, "the vault has an older schema and must be migrated";
    /// The vault has a later schema.
    SchemaNewer = 108, "the vault was written by a later version";
    /// A reader set that is older than the one in force, or not signed by the authority.
    ReaderSetRefused = 109,
        "the reader set is older than the one in force or not signed by the authority";
    /// A line of text that is not a reader's public key.
    ReaderMalformed = 110, "the text is not a reader's public key";
    /// A reader set that does not parse.
    ReaderSetMalformed = 111, "the reader set is malformed";

    /// The random source failed or is stuck.
    RandomFailure = 128, "the random source failed";
    /// Memory could not be had.
    OutOfMemory = 129, "out of memory";
    /// Locked by somebody else; try again.
    Busy = 130, "busy, try again";
    /// Input or output failed.
    Io = 131, "input or output failed";
    /// The operating system said no.
    PermissionDenied = 132, "permission denied";
    /// The disk is full.
    StorageFull = 133, "the disk is full";
    /// The device's password policy refused the password.
    PasswordRefused = 134, "the device's password policy refused the password";
    /// The account could not be changed.
    AccountFailed = 135, "the account could not be changed";
    /// The channel to the vault failed.
    Unreachable = 136, "the vault cannot be reached";

    /// An earlier bug left this object unusable.
    Poisoned = 254, "an earlier internal error left this object unusable";
    /// A bug in this library.
    Internal = 255, "internal error";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Code {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ordered_unique_and_inside_a_band() {
        let numbers: alloc::vec::Vec<u16> = Code::ALL.iter().map(|c| c.as_u16()).collect();
        assert!(numbers.windows(2).all(|w| w[0] < w[1]));
        for code in Code::ALL {
            assert!(matches!(code.as_u16(), 1..=159 | 240..=255), "{code:?}");
            assert_eq!(Code::from_u16(code.as_u16()), Some(*code));
            assert!(!code.message().is_empty() && !code.message().ends_with('.'));
        }
        assert_eq!(Code::from_u16(0), None);
    }
}
