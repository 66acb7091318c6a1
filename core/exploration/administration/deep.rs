//! Four acts, two faults and one lie together, of one kind of act from each of up to four kinds.
//!
//! [`super::parts`] takes all acts of two kinds, with two of them on one path; here are fewer words
//! and longer paths. Every two kinds of acts share a run. An act may happen four times, a fault
//! twice.

use super::acts::{Act, Fault, Lie, any};
use super::runs::{FOUR_TWO_ONE, together};

const BOTH: (bool, bool) = (true, true);
const CHANGE_STAMPS: (bool, bool) = (false, true);
const VERIFIES: (bool, bool) = (true, false);
const BLIND: (bool, bool) = (false, false);

macro_rules! deep {
    ($($name:ident: $($act:ident)+, $($fault:ident)+, $($lie:ident)+, $on:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let acts = any![$(Act::$act),+];
                let (faults, lies) = (any![$(Fault::$fault),+], any![$(Lie::$lie),+]);
                together(stringify!($name), acts, faults, lies, $on, FOUR_TWO_ONE);
            }
        )*
    };
}

deep! {
    account_policy_sealings: SetByHand PolicyTurns PolicyReturns Reseal,
        Crash, SetsNothing, BOTH;
    account_copies_sealings: SetByHand RestoreJournal Reseal,
        Crash, SetsNothing, BOTH;
    policy_copies: PolicyTurns PolicyReturns LoseJournal,
        Crash, SetsNothing, BOTH;
    vault_policy_runs_clocks: RemoveReader PolicyOff PolicyOn Force DeviceForth,
        Lose Refuse, HighestNext, VERIFIES;
    device_lives_sealings_clocks: SealToA Age ResealFewer VaultForth,
        Nothing, Full, CHANGE_STAMPS;
    vault_device_account_copies: RemoveReader SealToA Goes LoseJournal,
        Crash, Lacking, BLIND;
    account_orders_copies_clocks: Renamed Order RestoreVault VaultBack,
        Lose, Restored, BOTH;
    device_orders_sealings_runs: SealToW DiscloseUntil ResealSpoilt Use,
        Missing Fail, Orders, VERIFIES;
    vault_orders_lives_sealings: RemoveQuietly Order Purge Reseal,
        Repeat, StaleToken, CHANGE_STAMPS;
    account_copies_lives_runs: Replaced RestoreDevice Retire Force,
        Soon Mute, FailsSet, BLIND;
    device_policy_lives: SealToAr PolicyTurns PolicyReturns Age,
        Clone, CommitLacking, BOTH;
    policy_orders_lives: PolicyTurns PolicyReturns Order Age,
        Clone, CommitLacking, BOTH;
    device_orders_lives: SealToAr Order Age,
        Clone, CommitLacking, BOTH;
}
