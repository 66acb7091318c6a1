//! Clocks that jump, networks and disks that fail for long.

use laps_core::identity::Timestamp;
use laps_core::rotation::event::EventKind;
use laps_core::rotation::{DAY, Effect};

use crate::world::{FAIR, START, Weather, World, config};

fn settled() -> World {
    let mut world = World::new(config());
    world.run();
    world.assert_settled();
    world.events.clear();
    world
}

/// Sets the wall clock.
fn set_clock(world: &mut World, now: Timestamp) {
    world.now = now;
    world.machine.handle_timeout(now);
    world.drain();
    world.run();
}

#[test]
fn a_clock_that_runs_ahead_makes_one_rotation() {
    let mut world = settled();
    let later = world.now.plus(3650 * DAY);
    set_clock(&mut world, later);
    world.assert_settled();
    assert_eq!(world.account, 2);
    world.live(29 * DAY);
    assert_eq!(world.account, 2);
    // And back: no rotation for that, and the next one no later than thirty days after the last.
    let back = world.now.minus(3650 * DAY);
    set_clock(&mut world, back);
    assert_eq!(world.account, 2);
    assert_eq!(world.count(EventKind::ClockJumped), 1);
    world.live(DAY);
    assert_eq!(world.account, 3);
}

#[test]
fn a_clock_that_is_set_back_postpones_nothing() {
    let mut world = settled();
    world.live(20 * DAY);
    let back = world.now.minus(15 * DAY);
    set_clock(&mut world, back);
    world.live(10 * DAY - 1);
    assert_eq!(world.account, 1);
    world.live(1);
    assert_eq!(world.account, 2);
}

#[test]
fn a_clock_that_is_set_back_while_the_agent_is_down_postpones_by_a_day_at_most() {
    let mut world = settled();
    world.live(20 * DAY);
    world.now = world.now.minus(15 * DAY);
    world.restart();
    world.live(11 * DAY);
    assert_eq!(world.account, 2);
}

#[test]
fn a_clock_that_is_set_back_again_and_again_by_a_little_postpones_nothing() {
    let mut world = settled();
    for _ in 0..30 * 24 * 12 {
        world.live(300);
        // Every five minutes it is set back by four of them.
        let back = world.now.minus(240);
        set_clock(&mut world, back);
        if world.account == 2 {
            break;
        }
    }
    assert!(world.now <= START.plus(30 * DAY));
    world.live(30 * DAY);
    assert_eq!(world.account, 2);
}

#[test]
fn a_device_without_a_battery_does_not_rotate_at_every_start() {
    let mut world = settled();
    for day in 1..=29 {
        world.now = Timestamp::from_unix_seconds(30);
        world.restart();
        world.run();
        world.live(60);
        set_clock(&mut world, START.plus(day * DAY));
    }
    assert_eq!(world.account, 1);
    let day = START.plus(30 * DAY);
    set_clock(&mut world, day);
    assert_eq!(world.account, 2);
}

#[test]
fn a_device_that_never_learns_the_time_still_rotates_at_the_age() {
    let mut world = settled();
    set_clock(&mut world, Timestamp::from_unix_seconds(30));
    world.live(30 * DAY);
    assert_eq!(world.account, 2);
    assert_eq!(world.count(EventKind::ClockJumped), 1);
}

#[test]
fn an_unreachable_vault_is_asked_ever_more_slowly_and_a_due_rotation_waits_for_it() {
    let mut world = settled();
    world.weather = Weather { vault: false, ..FAIR };
    world.live(60 * DAY);
    assert_eq!((world.account, world.memory), (1, None));
    let asked = world.count(EventKind::CheckInFailed);
    // At most twice an hour, once the back-off has grown.
    assert!((60 * 24..=60 * 48 + 10).contains(&asked), "{asked}");
    let last = world.machine.status().last.unwrap();
    assert_eq!(last.kind, EventKind::CheckInFailed);
    world.weather = FAIR;
    world.live(3600);
    world.assert_settled();
    // The one that could not be backed up was wiped.
    assert_eq!(world.account, 3);
}

#[test]
fn nothing_is_set_without_a_journal() {
    for step in 0..2 {
        let mut world = settled();
        world.machine.force(world.now);
        for _ in 0..step {
            world.run_to(|effect| effect == Effect::Save);
            world.step();
        }
        world.weather = Weather { disk: false, ..FAIR };
        world.live(DAY);
        assert!(world.candidates().contains(&world.account));
        assert_eq!(world.account, if step == 1 { 2 } else { 1 }, "{step}");
        assert_eq!(world.memory, None);
        world.weather = FAIR;
        world.live(2 * 3600);
        world.assert_settled();
    }
}
