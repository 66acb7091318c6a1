//! The runs: with every rule none finds a violation. `LAPS_PROOFS=1` takes the large bounds; each
//! test is a part that can be run alone.

use alloc::format;
use std::println;

use super::acts::{Act, Fault, Lie, any};
use super::judge::{C, L, O, P, S, T, V};
use super::records::{A, R};
use super::rules::ALL;
use super::space::Found;
use super::state::{Left, Setting, World};
use crate::rotation::search::{exhaust, explore};
use crate::rotation::set::MAX_IDS;

/// No act, no fault, no lie.
pub(super) const PLAIN: Setting = Setting {
    acts: 0,
    faults: 0,
    lies: 0,
    left: Left { acts: 0, faults: 0, lies: 0 },
    rules: ALL,
    history: 1,
    crowd: 1,
    first: A | R,
    active: A | R,
    can_verify: true,
    change_stamps: true,
    sids: true,
    once: false,
    checks: S | C | L | T | V,
    pairs: false,
};

pub(super) const EVERY_ACT: u64 = (1 << Act::ALL.len()) - 1;
pub(super) const EVERY_FAULT: u64 = (1 << Fault::ALL.len()) - 1;
pub(super) const EVERY_LIE: u64 = (1 << Lie::ALL.len()) - 1;

pub(super) fn setting(acts: (u8, u64), faults: (u8, u64), lies: (u8, u64)) -> Setting {
    let left = Left { acts: acts.0, faults: faults.0, lies: lies.0 };
    Setting { acts: acts.1, faults: faults.1, lies: lies.1, left, ..PLAIN }
}

pub(super) fn say(name: &str, found: &Found) {
    println!(
        "{name}: {} states in {} s, {} steps, {} continuations; at most {} candidates, \
         {} in history, {} records",
        found.states,
        found.took.as_secs(),
        found.steps,
        found.continuations,
        found.tally.candidates,
        found.tally.history,
        found.tally.records
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
    let found = exhaust::<World>(setting);
    say(name, &found);
    if found.violation.is_some() {
        // Once more, for the shortest trace.
        say(name, &explore::<World>(setting, usize::MAX));
    }
    assert!(found.violation.is_none(), "{name}");
    found
}

fn large() -> bool {
    std::env::var_os("LAPS_PROOFS").is_some()
}

/// The platforms: verification and change stamps.
const PLATFORMS: [(bool, bool); 4] = [(true, true), (false, true), (true, false), (false, false)];

fn on((can_verify, change_stamps): (bool, bool), setting: Setting) -> Setting {
    Setting { can_verify, change_stamps, ..setting }
}

/// Everything that can happen, once: each act with each fault, each act with each lie, each fault
/// with each lie.
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
                holds(&format!("{what}, {platform:?}"), &on(*platform, setting));
            }
        }
    }
}

/// Everyday acts, for the gate.
const EVERYDAY: u64 = any![
    Act::RemoveReader,
    Act::AddReader,
    Act::AddAgain,
    Act::SealToA,
    Act::SealToW,
    Act::Goes,
    Act::Appears,
    Act::Replaced,
    Act::SetByHand,
    Act::PolicyTurns,
    Act::PolicyReturns,
    Act::Order,
    Act::DiscloseUntil,
    Act::Retire,
    Act::Purge,
    Act::Age,
];

/// Every ordered pair of acts: the second follows the first, with nothing but the device's own
/// steps between.
#[test]
fn every_ordered_pair_of_acts() {
    let acts = if large() { EVERY_ACT } else { EVERYDAY };
    let run = setting((2, acts), (0, 0), (0, 0));
    let found = holds("two acts", &Setting { pairs: true, ..run });
    let chosen = || Act::ALL.iter().filter(|act| acts & act.bit() != 0);
    for one in chosen() {
        for other in chosen() {
            assert!(found.tally.pairs.contains(&(*one, *other)), "{one:?}, then {other:?}");
        }
    }
    println!("{} ordered pairs", found.tally.pairs.len());
}

/// How many acts, faults and lies happen together: in proofs, and in the gate.
pub(super) type Bounds = [(u8, u8, u8); 2];
pub(super) const TWO_ONE_ONE: Bounds = [(2, 1, 1), (1, 1, 0)];
pub(super) const FOUR_TWO_ONE: Bounds = [(4, 2, 1), (2, 1, 0)];

/// `LAPS_BOUNDS=3,1,1` takes others: acts, faults, lies.
fn chosen([proofs, gate]: Bounds) -> (u8, u8, u8) {
    let Ok(wanted) = std::env::var("LAPS_BOUNDS") else {
        return if large() { proofs } else { gate };
    };
    let mut numbers = wanted.split(',').map(|number| number.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    (next(), next(), next())
}

/// Those of the words that `LAPS_ONLY=Order,Crash` names: what a finding does not need, left out.
fn only<W: Copy + core::fmt::Debug>(words: u64, all: &[W], bit: impl Fn(W) -> u64) -> u64 {
    let Ok(wanted) = std::env::var("LAPS_ONLY") else { return words };
    let named = |word: &&W| wanted.split(',').any(|name| name == format!("{word:?}"));
    words & all.iter().filter(named).fold(0, |bits, word| bits | bit(*word))
}

/// The acts of a part, with its faults and lies, all of which happen on one path.
#[track_caller]
pub(super) fn together(
    name: &str,
    acts: u64,
    faults: u64,
    lies: u64,
    platform: (bool, bool),
    bounds: Bounds,
) {
    let bounds = chosen(bounds);
    let acts = only(acts, Act::ALL, Act::bit);
    let faults = only(faults, Fault::ALL, Fault::bit);
    let lies = only(lies, Lie::ALL, Lie::bit);
    let run = setting((bounds.0, acts), (bounds.1, faults), (bounds.2, lies));
    let found = holds(&format!("{name}: {bounds:?} acts, faults, lies"), &on(platform, run));
    assert!(found.tally.spent, "{name}: not all of {bounds:?} on one path");
}

/// What the exhaustive search leaves out leads nowhere else: the one that leaves nothing out finds
/// the same states to go on from.
#[test]
fn nothing_is_left_out() {
    let acts = any![Act::RemoveReader, Act::SealToA, Act::Goes, Act::LoseJournal];
    let run = setting((2, acts), (1, any![Fault::Lose]), (1, any![Lie::Lacking]));
    let run = on((false, false), run);
    let (every, most) = (explore::<World>(&run, usize::MAX), exhaust::<World>(&run));
    assert_eq!((every.violation, most.violation), (None, None));
    assert_eq!(every.continuations, most.continuations);
    assert!(most.states < every.states, "{} of {}", most.states, every.states);
}

/// The journal names sixteen records at most, and this run begins with fifteen: what is made beyond
/// them is not lost either.
#[test]
fn sixteen_records() {
    let acts = any![Act::Age, Act::LoseJournal, Act::Order, Act::Force];
    let (faults, lies) = (any![Fault::Crash, Fault::Lose], any![Lie::Full, Lie::Lacking]);
    let bounds = if large() { (2, 2, 1) } else { (1, 1, 0) };
    let run = setting((bounds.0, acts), (bounds.1, faults), (bounds.2, lies));
    let run = Setting { crowd: MAX_IDS - 1, ..on((false, false), run) };
    let found = holds("sixteen records", &run);
    assert!(found.tally.candidates as usize > MAX_IDS, "the vault keeps more than the journal");
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
        holds(&format!("hostile, once {once}"), &Setting { once, ..run });
    }
}

/// The password in use stays one that an active reader opens, whatever readers the devices are
/// given.
#[test]
fn nobody_is_locked_out() {
    let acts = any![Act::SealToW, Act::SealToA, Act::Age, Act::RemoveReader];
    let run = setting((if large() { 4 } else { 3 }, acts), (1, any![Fault::Lose]), (0, 0));
    holds("wrong readers", &Setting { checks: S | O | L, ..run });
    let acts = any![Act::RestoreVault, Act::AddReader, Act::SealToN, Act::Order, Act::Age];
    let run = setting((if large() { 4 } else { 2 }, acts), (0, 0), (0, 0));
    holds("a vault that forgot the reader in use", &Setting { checks: P, first: A, ..run });
}

/// A record that was made while a lie about versions was believed is not too far above what the
/// device knows when the vault has it.
#[test]
fn a_lie_about_versions_is_forgotten() {
    let run = setting((2, any![Act::Age]), (0, 0), (1, any![Lie::HighestFar]));
    for platform in [(false, false), (true, false), (true, true)] {
        holds("a lie about versions", &on(platform, run));
    }
}
