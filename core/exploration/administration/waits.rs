//! How long what rests on the vault's word waits, measured on the machine and a vault that lies.

use alloc::vec::Vec;

use super::acts::Lie;
use super::device::{BETWEEN_RUNS, Place};
use super::lies;
use super::records::A;
use super::runs::PLAIN;
use super::state::{DAY, Setting, World};
use crate::identity::Timestamp;
use crate::rotation::event::Reason;

const QUIET: Setting = PLAIN;

/// A resident agent whose vault gives the same lie in every answer that belongs to no rotation.
/// Seconds between its commits, as many as are asked for.
fn gaps(world: &mut World, lie: Lie, commits: usize) -> Vec<u64> {
    let (mut at, mut gaps): (Option<Timestamp>, Vec<u64>) = (None, Vec::new());
    // Each turn of this loop is one step or one wait of the device; it ends with the commits.
    while gaps.len() < commits {
        let before = world.machine.journal.committed;
        step(world, Some(lie));
        if world.machine.journal.committed != before {
            let now = world.device_now();
            gaps.extend(at.map(|at| now.seconds_since(at)));
            at = Some(now);
        }
    }
    gaps
}

/// One step of a resident agent; time passes as far as the device waits.
fn step(world: &mut World, lie: Option<Lie>) {
    let place = world.place();
    match place {
        Place::InFlight => {
            let honest = world.answer.take().unwrap().to_vec();
            let lie = lie.filter(|_| world.machine.step.attempt().is_none());
            let told = lie.and_then(|lie| lies::falsify(lie, &honest, &world.machine));
            world.take(&told.unwrap_or(honest), &QUIET);
            world.go_on(&QUIET);
        }
        Place::Idle(until) | Place::Pause(until) => {
            let seconds = until.seconds_since(world.device_now());
            world.now = world.now.plus(seconds);
            let now = world.device_now();
            world.machine.handle_timeout(now);
            world.go_on(&QUIET);
        }
        Place::Save | Place::CheckIn | Place::Apply | Place::Verify => {
            assert!(world.one_step(&QUIET), "the device goes on");
        }
    }
}

/// Until the device waits; the answers are honest, or tell this lie once.
fn settle(world: &mut World, mut lie: Option<Lie>) {
    while !matches!(world.place(), Place::Idle(_)) {
        let answered = world.place() == Place::InFlight && world.machine.step.attempt().is_none();
        step(world, lie);
        if answered {
            lie = None;
        }
    }
}

/// The device's next scheduled look at the vault; the answer tells this lie.
fn look(world: &mut World, lie: Option<Lie>) {
    let seconds = world.machine.talk.check_in_at.seconds_since(world.device_now());
    later(world, seconds, lie);
}

fn later(world: &mut World, seconds: u64, lie: Option<Lie>) {
    world.now = world.now.plus(seconds);
    let now = world.device_now();
    world.machine.handle_timeout(now);
    world.go_on(&QUIET);
    settle(world, lie);
}

fn committed(world: &World) -> u64 {
    world.machine.journal.committed
}

/// A device that the vault has ordered to rotate so often, each time at the end of the wait.
fn ordered(times: usize) -> World {
    let mut world = World::first(&QUIET);
    gaps(&mut world, Lie::Orders, times - 1);
    settle(&mut world, None);
    world
}

#[test]
fn orders_without_end_wait_ever_longer() {
    let mut world = World::first(&QUIET);
    let minutes: Vec<u64> = gaps(&mut world, Lie::Orders, 10);
    // At least 1, 2, 4 … 60 minutes. A run changes a password twice at most, and runs are an hour
    // apart: where that is longer, it is what is waited for.
    let least = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60];
    for (gap, least) in minutes.iter().zip(least) {
        assert!(*gap >= least * 60, "{minutes:?}");
        assert!(*gap <= 2 * 3_600, "{minutes:?}");
    }
    let day: u64 = minutes.iter().rev().take(4).sum();
    assert!(day >= 4 * 3_600, "no more than one an hour in the end: {minutes:?}");
}

#[test]
fn a_quiet_day_is_forgotten() {
    for (quiet, first) in [(DAY, true), (12 * 3_600, false)] {
        let mut world = ordered(6);
        later(&mut world, quiet, None);
        let before = committed(&world);
        // The wait of an hour is over in both cases: the next order is obeyed at once.
        look(&mut world, Some(Lie::Orders));
        assert_eq!(committed(&world), before + 1);
        let count = world.machine.journal.waits[0].count;
        assert_eq!(count == 1, first, "{count} orders in a row after {quiet} s");
    }
}

/// An order that comes in a new run, while the wait of the last one is not over: it stays open.
fn hears_an_order(world: &mut World) {
    let before = committed(world);
    run_by_hand(world, Lie::Orders);
    assert_eq!(committed(world), before);
    assert_eq!(world.machine.status().waits.map(|waits| waits.why), Some(Reason::Order));
}

/// `agent run --once`, whose first answer is this lie.
fn run_by_hand(world: &mut World, lie: Lie) {
    world.restart(&QUIET);
    let now = world.device_now();
    world.machine.skip_back_off(now);
    world.go_on(&QUIET);
    settle(world, Some(lie));
}

#[test]
fn one_kind_delays_no_other() {
    let mut world = ordered(6);
    hears_an_order(&mut world);
    let before = committed(&world);
    // What the vault says of another kind is answered at once; the number between was the lie's.
    let mut other = world.clone();
    run_by_hand(&mut other, Lie::HighestNext);
    assert_eq!(committed(&other), before + 2);
    // And so is what needs no word of it: the device's readers lost one.
    world.readers = A;
    world.go_on(&QUIET);
    settle(&mut world, None);
    assert_eq!(committed(&world), before + 1);
    assert_eq!(world.machine.journal.last.map(|last| last.reason), Some(Reason::ReaderLost));
}

#[test]
fn only_a_person_who_forces_skips_a_wait() {
    let mut world = ordered(6);
    let before = committed(&world);
    // Again and again: each is a run of its own, and none skips the wait.
    for _ in 0..5 {
        hears_an_order(&mut world);
    }
    let now = world.device_now();
    world.machine.force(now);
    world.go_on(&QUIET);
    settle(&mut world, None);
    assert_eq!(committed(&world), before + 1);
    // And after two days nothing of it is left.
    later(&mut world, BETWEEN_RUNS, None);
    assert_eq!(committed(&world), before + 1);
}
