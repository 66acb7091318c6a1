//! The runs: with every rule none finds a violation. `LAPS_PROOFS=1` takes the large bounds; each test is a part that can be run alone.

use std::println;

use super::acts::{Act, Fault, Lie, any};
use super::judge::{C, L, O, P, S, T, V};
use super::records::{A, R};
use super::rules::ALL;
use super::search::{Found, exhaust};
use super::state::{Left, Setting};

/// No act, no fault, no lie.
pub(super) const PLAIN: Setting = Setting {
    acts: 0,
    faults: 0,
    lies: 0,
    left: Left { acts: 0, faults: 0, lies: 0 },
    rules: ALL,
    history: 1,
    first: A | R,
    active: A | R,
    can_verify: true,
    stamps: true,
    sids: true,
    once: false,
    checks: S | C | L | T | V,
    pairs: false,
};

pub(super) const EVERY_ACT: u64 = (1 << Act::ALL.len()) - 1;
const EVERY_FAULT: u64 = (1 << Fault::ALL.len()) - 1;
const EVERY_LIE: u64 = (1 << Lie::ALL.len()) - 1;

/// Readers, on both sides.
const READERS: u64 =
    any![Act::RemoveReader, Act::AddReader, Act::TakeBack, Act::SealToA, Act::SealToW];
/// What befalls the account, and which one the policy names.
const ACCOUNTS: u64 = any![
    Act::Goes,
    Act::Appears,
    Act::Replaced,
    Act::SetByHand,
    Act::PolicyTurns,
    Act::PolicyReturns,
];
/// What an administrator does at the vault every day.
const CARE: u64 = any![Act::Order, Act::DiscloseUntil, Act::Retire, Act::Purge, Act::Age];
/// Copies that come back.
const COPIES: u64 = any![Act::RestoreVault, Act::LoseJournal, Act::RemoveReader, Act::SealToA];
/// Sealings that come back.
const SEALINGS: u64 = any![
    Act::RemoveReader,
    Act::AddReader,
    Act::Reseal,
    Act::ResealSpoilt,
    Act::ResealFewer,
    Act::ResealJump,
];
/// Clocks on both sides, and what has a time.
const CLOCKS: u64 = any![
    Act::DeviceForth,
    Act::DeviceBack,
    Act::VaultForth,
    Act::VaultBack,
    Act::DiscloseUntil,
    Act::Use,
];

pub(super) fn setting(acts: (u8, u64), faults: (u8, u64), lies: (u8, u64)) -> Setting {
    let left = Left { acts: acts.0, faults: faults.0, lies: lies.0 };
    Setting { acts: acts.1, faults: faults.1, lies: lies.1, left, ..PLAIN }
}

pub(super) fn say(name: &str, found: &Found) {
    println!(
        "{name}: {} states, {} steps, {} continuations; at most {} candidates, {} in history, {} records",
        found.states,
        found.steps,
        found.continuations,
        found.candidates,
        found.history,
        found.records
    );
    if let Some((wrong, steps)) = &found.violation {
        for (number, step) in steps.iter().enumerate() {
            println!("   {}. {step}", number + 1);
        }
        println!("   => {wrong}");
    }
}

#[track_caller]
fn holds(name: &str, setting: &Setting) -> Found {
    let found = exhaust(setting);
    say(name, &found);
    if found.violation.is_some() {
        // Once more, for the shortest trace.
        say(name, &super::search::explore(setting, usize::MAX));
    }
    assert!(found.violation.is_none(), "{name}");
    found
}

fn large() -> bool {
    std::env::var_os("LAPS_PROOFS").is_some()
}

/// The platforms: verification and change stamps.
const PLATFORMS: [(bool, bool); 4] = [(true, true), (false, true), (true, false), (false, false)];

fn on((can_verify, stamps): (bool, bool), setting: Setting) -> Setting {
    Setting { can_verify, stamps, ..setting }
}

/// Everything that can happen, once: each act with each fault, each act with each lie, each fault with each lie.
#[test]
fn each_act_fault_and_lie() {
    let platforms = if large() { &PLATFORMS[..] } else { &PLATFORMS[1..2] };
    for platform in platforms {
        for (what, setting) in [
            ("an act and a fault", setting((1, EVERY_ACT), (1, EVERY_FAULT), (0, 0))),
            ("an act and a lie", setting((1, EVERY_ACT), (0, 0), (1, EVERY_LIE))),
            ("a fault and a lie", setting((0, 0), (1, EVERY_FAULT), (1, EVERY_LIE))),
        ] {
            if large() || what != "an act and a lie" {
                holds(&alloc::format!("{what}, {platform:?}"), &on(*platform, setting));
            }
        }
    }
}

/// Every ordered pair of acts: the second follows the first, with nothing but the device's own steps between.
#[test]
fn every_ordered_pair_of_acts() {
    let (acts, copies) =
        if large() { (EVERY_ACT, true) } else { (READERS | ACCOUNTS | CARE, false) };
    let run = setting((2, acts), (0, 0), (0, 0));
    let found = holds("two acts", &Setting { pairs: true, ..run });
    let chosen: alloc::vec::Vec<Act> =
        Act::ALL.iter().copied().filter(|act| acts & act.bit() != 0).collect();
    for one in &chosen {
        for other in &chosen {
            assert!(found.pairs.contains(&(*one, *other)), "{one:?}, then {other:?}");
        }
    }
    assert_eq!(copies, large());
    println!("{} ordered pairs", found.pairs.len());
}

/// Four acts of one kind, two faults and a lie together.
#[track_caller]
fn together(name: &str, acts: u64, faults: u64, lies: u64, platform: (bool, bool)) {
    let bounds = if large() { (4, 2, 1) } else { (2, 1, 0) };
    let run = setting((bounds.0, acts), (bounds.1, faults), (bounds.2, lies));
    let name = alloc::format!("{name}: {bounds:?} acts, faults, lies");
    holds(&name, &on(platform, run));
}

#[test]
fn readers_together() {
    let faults = any![Fault::Crash, Fault::Lose];
    together("readers", READERS, faults, any![Lie::Unreadable, Lie::Stored], (true, true));
}

#[test]
fn accounts_together() {
    let faults = any![Fault::Crash, Fault::Refuse];
    together("accounts", ACCOUNTS, faults, any![Lie::MissesSet, Lie::Orders], (false, true));
}

#[test]
fn care_together() {
    let faults = any![Fault::Crash, Fault::Lose];
    together("care", CARE, faults, any![Lie::Orders, Lie::Candidates], (true, true));
}

#[test]
fn copies_together() {
    let faults = any![Fault::Lose, Fault::Mute];
    together("copies", COPIES, faults, any![Lie::Lacking, Lie::HighestNext], (true, true));
}

#[test]
fn sealings_together() {
    together(
        "sealings",
        SEALINGS,
        any![Fault::Crash, Fault::Lose],
        any![Lie::Orders],
        (true, true),
    );
}

#[test]
fn clocks_together() {
    together("clocks", CLOCKS, any![Fault::Crash, Fault::Lose], any![Lie::OrderAt], (true, true));
}

/// A single run after another, by hand, skips no wait; nor does a vault that orders without end.
#[test]
fn single_runs_and_hostile_orders() {
    let lies = any![Lie::Orders, Lie::Candidates, Lie::HighestNext];
    for once in [false, true] {
        let run = setting(
            (0, 0),
            (2, any![Fault::Soon, Fault::Crash]),
            (if large() { 3 } else { 2 }, lies),
        );
        holds(&alloc::format!("hostile, once {once}"), &Setting { once, ..run });
    }
}

/// The password in use stays one that an active reader opens, whatever readers the devices are given.
#[test]
fn nobody_is_locked_out() {
    let acts = any![Act::SealToW, Act::SealToA, Act::Age, Act::RemoveReader];
    let run = setting((if large() { 4 } else { 3 }, acts), (1, any![Fault::Lose]), (0, 0));
    holds("wrong readers", &Setting { checks: S | O | L, ..run });
    let acts = any![Act::RestoreVault, Act::AddReader, Act::SealToN, Act::Order, Act::Age];
    let run = setting((if large() { 4 } else { 2 }, acts), (0, 0), (0, 0));
    holds("a vault that forgot the reader in use", &Setting { checks: P, first: A, ..run });
}
