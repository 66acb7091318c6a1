//! Two acts, a fault and a lie together, in parts that can be run alone.
//!
//! The acts are of ten kinds. Each part takes two of them, so every two acts share a part, in both
//! orders. Faults, lies and platforms go round: every kind of act meets most of them, and each is
//! in some part. Every fault and every lie with every act is a run of its own ([`super::runs`]).

use super::acts::{Act, Fault, Lie, any};
use super::runs::{EVERY_ACT, EVERY_FAULT, EVERY_LIE, TWO_ONE_ONE, together};

/// Readers that come and go at the vault.
const VAULT: u64 =
    any![Act::RemoveReader, Act::RemoveQuietly, Act::RemoveByWord, Act::AddReader, Act::AddAgain,];
/// Readers of the device.
const DEVICE: u64 =
    any![Act::SealToA, Act::SealToAr, Act::SealToAn, Act::SealToR, Act::SealToN, Act::SealToW,];
/// What befalls the account.
const ACCOUNT: u64 = any![Act::Goes, Act::Appears, Act::Replaced, Act::Renamed, Act::SetByHand];
/// Which account the policy names.
const POLICY: u64 = any![Act::PolicyTurns, Act::PolicyReturns, Act::PolicyOff, Act::PolicyOn];
/// What people ask the vault for.
const ORDERS: u64 = any![Act::Order, Act::Disclose, Act::DiscloseUntil, Act::ReadNew, Act::Import];
/// Copies that come back.
const COPIES: u64 = any![
    Act::RestoreVault,
    Act::RestoreDevice,
    Act::RestoreJournal,
    Act::LoseJournal,
    Act::Acknowledge,
];
/// Devices that leave and come back, and time.
const LIVES: u64 = any![Act::Retire, Act::ReEnrol, Act::Purge, Act::Age];
/// sealings that are imported.
const SEALINGS: u64 = any![Act::Reseal, Act::ResealSpoilt, Act::ResealFewer, Act::ResealJump];
/// Runs and uses.
const RUNS: u64 = any![Act::Force, Act::Use, Act::Stop];
/// Clocks.
const CLOCKS: u64 = any![Act::DeviceForth, Act::DeviceBack, Act::VaultForth, Act::VaultBack];

/// Verification and change stamps, both, one of them, or none.
const BOTH: (bool, bool) = (true, true);
const CHANGE_STAMPS: (bool, bool) = (false, true);
const VERIFIES: (bool, bool) = (true, false);
const BLIND: (bool, bool) = (false, false);

macro_rules! parts {
    ($($name:ident: $one:ident $other:ident, $($fault:ident)+, $($lie:ident)+, $on:ident;)*) => {
        /// The acts, faults and lies of every part.
        const PARTS: &[(u64, u64, u64)] =
            &[$(($one | $other, any![$(Fault::$fault),+], any![$(Lie::$lie),+])),*];
        $(
            #[test]
            fn $name() {
                let (faults, lies) = (any![$(Fault::$fault),+], any![$(Lie::$lie),+]);
                together(stringify!($name), $one | $other, faults, lies, $on, TWO_ONE_ONE);
            }
        )*
    };
}

parts! {
    vault_and_device: VAULT DEVICE, Crash Lose, Orders Stored, BOTH;
    vault_and_account: VAULT ACCOUNT, Refuse Nothing, Lacking HighestNext, CHANGE_STAMPS;
    vault_and_policy: VAULT POLICY, Fail Soon, RemovedReaders OtherLog, VERIFIES;
    vault_and_orders: VAULT ORDERS, Crash Missing, SetsNothing RefusesSet, BLIND;
    vault_and_copies: VAULT COPIES, Refuse Missing, MissesSet ElsewhereSet, CHANGE_STAMPS;
    vault_and_lives: VAULT LIVES, Nothing Mute, FailsSet Unreadable, VERIFIES;
    vault_and_sealings: VAULT SEALINGS, Crash Refuse, Full Stale, BLIND;
    vault_and_runs: VAULT RUNS, Lose Nothing, StaleToken CommitLacking, BOTH;
    vault_and_clocks: VAULT CLOCKS, Missing Nothing, OrderAt ManyCandidates, VERIFIES;
    device_and_account: DEVICE ACCOUNT, Crash Repeat, HighestFar HighestTooFar, BLIND;
    device_and_policy: DEVICE POLICY, Crash Refuse, HighestMax Restored, BOTH;
    device_and_orders: DEVICE ORDERS, Fail Lose, Orders Candidates, CHANGE_STAMPS;
    device_and_copies: DEVICE COPIES, Crash Lose, Lacking Acknowledged, BLIND;
    device_and_lives: DEVICE LIVES, Soon Lose, RemovedReaders OtherLog, BOTH;
    device_and_sealings: DEVICE SEALINGS, Fail Crash, SetsNothing RefusesSet, CHANGE_STAMPS;
    device_and_runs: DEVICE RUNS, Nothing Soon, MissesSet ElsewhereSet, VERIFIES;
    device_and_clocks: DEVICE CLOCKS, Clone Soon, FailsSet Unreadable, BOTH;
    account_and_policy: ACCOUNT POLICY, Fail Soon, Full Stale, CHANGE_STAMPS;
    account_and_orders: ACCOUNT ORDERS, Missing Mute, StaleToken CommitLacking, VERIFIES;
    account_and_copies: ACCOUNT COPIES, Refuse Clone, OrderAt ManyCandidates, BLIND;
    account_and_lives: ACCOUNT LIVES, Fail Clone, HighestFar HighestTooFar, CHANGE_STAMPS;
    account_and_sealings: ACCOUNT SEALINGS, Refuse Nothing, HighestMax Restored, VERIFIES;
    account_and_runs: ACCOUNT RUNS, Refuse Fail, Orders Candidates, BLIND;
    account_and_clocks: ACCOUNT CLOCKS, Soon Refuse, Lacking HighestNext, BOTH;
    policy_and_orders: POLICY ORDERS, Repeat Refuse, RemovedReaders OtherLog, VERIFIES;
    policy_and_copies: POLICY COPIES, Refuse Nothing, SetsNothing RefusesSet, BLIND;
    policy_and_lives: POLICY LIVES, Clone Lose, MissesSet ElsewhereSet, BOTH;
    policy_and_sealings: POLICY SEALINGS, Crash Missing, FailsSet Unreadable, CHANGE_STAMPS;
    policy_and_runs: POLICY RUNS, Refuse Missing, Full Stale, BLIND;
    policy_and_clocks: POLICY CLOCKS, Mute Soon, StaleToken CommitLacking, BOTH;
    orders_and_copies: ORDERS COPIES, Crash Refuse, OrderAt ManyCandidates, CHANGE_STAMPS;
    orders_and_lives: ORDERS LIVES, Refuse Mute, HighestFar HighestTooFar, VERIFIES;
    orders_and_sealings: ORDERS SEALINGS, Fail Mute, HighestMax Restored, BOTH;
    orders_and_runs: ORDERS RUNS, Crash Repeat, Orders Candidates, CHANGE_STAMPS;
    orders_and_clocks: ORDERS CLOCKS, Repeat Nothing, Lacking HighestNext, VERIFIES;
    copies_and_lives: COPIES LIVES, Fail Lose, RemovedReaders OtherLog, BLIND;
    copies_and_sealings: COPIES SEALINGS, Crash Lose, SetsNothing RefusesSet, CHANGE_STAMPS;
    copies_and_runs: COPIES RUNS, Lose Refuse, MissesSet ElsewhereSet, VERIFIES;
    copies_and_clocks: COPIES CLOCKS, Fail Crash, FailsSet Unreadable, BLIND;
    lives_and_sealings: LIVES SEALINGS, Mute Lose, Full Stale, BOTH;
    lives_and_runs: LIVES RUNS, Crash Lose, StaleToken CommitLacking, VERIFIES;
    lives_and_clocks: LIVES CLOCKS, Fail Soon, OrderAt Acknowledged, BLIND;
    sealings_and_runs: SEALINGS RUNS, Fail Soon, HighestFar HighestTooFar, BOTH;
    sealings_and_clocks: SEALINGS CLOCKS, Refuse Clone, HighestMax Restored, CHANGE_STAMPS;
    runs_and_clocks: RUNS CLOCKS, Fail Clone, Orders Candidates, BLIND;
}

/// Every two acts share a part, and every fault and every lie is in one.
#[test]
fn every_two_acts_share_a_part() {
    for one in Act::ALL {
        for other in Act::ALL {
            let both = one.bit() | other.bit();
            assert!(PARTS.iter().any(|part| part.0 & both == both), "{one:?} and {other:?}");
        }
    }
    let all =
        PARTS.iter().fold((0, 0, 0), |all, part| (all.0 | part.0, all.1 | part.1, all.2 | part.2));
    assert_eq!(all, (EVERY_ACT, EVERY_FAULT, EVERY_LIE));
}
