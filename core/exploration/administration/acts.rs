//! What people, machines and liars do: the words of the exploration.

/// Defines an enumeration whose every value is known, with a text for traces.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub(super) enum $name { $($(#[$value_doc])* $value,)* }

        impl $name {
            pub(super) const ALL: &'static [Self] = &[$(Self::$value,)*];

            pub(super) const fn text(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }

            pub(super) const fn bit(self) -> u64 {
                1 << self as u8
            }
        }
    };
}

words! {
    /// What an administrator does, or what happens to the machine under his hands: a cause of its
    /// own each time.
    Act {
        RemoveReader = "VAULT removes reader R, with rotation",
        RemoveQuietly = "VAULT removes reader R, without rotation",
        RemoveByWord = "VAULT removes reader R, with the word",
        AddReader = "VAULT adds reader N",
        AddAgain = "VAULT adds reader R again",
        SealToA = "DEVICE seals to A",
        SealToAr = "DEVICE seals to A and R",
        SealToAn = "DEVICE seals to A and N",
        SealToR = "DEVICE seals to R",
        SealToN = "DEVICE seals to N",
        SealToW = "DEVICE seals to a wrong key",
        Goes = "ACCOUNT goes",
        Appears = "ACCOUNT appears, with a password of its own",
        Replaced = "ACCOUNT is replaced under its name",
        Renamed = "ACCOUNT is renamed",
        SetByHand = "ACCOUNT's password is set by hand",
        PolicyTurns = "POLICY names the other account",
        PolicyReturns = "POLICY names the account",
        PolicyOff = "POLICY manages nothing",
        PolicyOn = "POLICY manages again",
        Order = "ADMIN orders a rotation",
        Disclose = "ADMIN discloses",
        DiscloseUntil = "ADMIN discloses, with a deadline",
        RestoreVault = "RESTORE the older vault",
        RestoreDevice = "RESTORE the older device",
        RestoreJournal = "RESTORE the older journal, account as it is",
        LoseJournal = "JOURNAL lost",
        Retire = "VAULT retires the device",
        ReEnrol = "VAULT enrols the device again",
        Purge = "VAULT purges the device",
        Reseal = "RE-SEALED records are imported",
        ResealSpoilt = "spoilt RE-SEALED records are imported",
        ResealFewer = "records RE-SEALED for A alone are imported",
        ResealJump = "records with sealing number 4294967295 are imported",
        ReadNew = "a reader OPENS the password in use",
        Age = "password due by AGE",
        Force = "agent run --force",
        Use = "somebody USES the account",
        Stop = "SIGTERM",
        Import = "ADMIN imports PC-1, whose stale password another directory holds",
        Acknowledge = "agent run --acknowledge-log",
        DeviceForth = "DEVICE clock goes forth",
        DeviceBack = "DEVICE clock goes back",
        VaultForth = "VAULT clock goes forth",
        VaultBack = "VAULT clock goes back",
    }
}

words! {
    /// What goes wrong by itself.
    Fault {
        Crash = "agent CRASH",
        Lose = "answer LOST",
        Repeat = "an older check-in arrives AGAIN",
        Refuse = "set REFUSED, no effect",
        Missing = "set: NO SUCH ACCOUNT, no effect",
        Nothing = "set: MANAGED ELSEWHERE, no effect",
        Fail = "set FAILS, no effect",
        Mute = "verification gives NO ANSWER",
        Clone = "a CLONE of the device changes the password of its own account twice",
        Soon = "no more time passes than the machine waits",
    }
}

words! {
    /// What is not true: of a setter, of a vault's answer.
    Lie {
        SetsNothing = "LIE: set, and is not",
        RefusesSet = "LIE: refused, and set",
        MissesSet = "LIE: no such account, and set",
        ElsewhereSet = "LIE: managed elsewhere, and set",
        FailsSet = "set FAILS, and took effect",
        Stored = "LIE: stored, and is not",
        Acknowledged = "LIE: committed, and is not",
        Unreadable = "LIE: no active reader, and is stored",
        Full = "LIE: full, and is stored",
        Stale = "LIE: stale, and is stored",
        StaleToken = "LIE: another token",
        CommitLacking = "LIE: the commit is lacking",
        Orders = "LIE: all that may be held is ordered to be replaced",
        OrderAt = "LIE: an order comes soon",
        Candidates = "LIE: two candidates",
        ManyCandidates = "LIE: 4294967295 candidates",
        Lacking = "LIE: lacks all that may be held",
        HighestNext = "LIE: a version one above",
        HighestFar = "LIE: a version 2^32 above",
        HighestTooFar = "LIE: a version 2^32 + 1 above",
        HighestMax = "LIE: version 2^64 - 1",
        RemovedReaders = "LIE: readers A and N are removed",
        Restored = "LIE: the log was restored",
        OtherLog = "LIE: another log",
    }
}

/// A set of words as bits.
macro_rules! any {
    ($($word:expr),* $(,)?) => { 0 $(| $word.bit())* };
}
pub(super) use any;
