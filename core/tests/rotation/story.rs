//! Whole rotations, as an administrator would tell them.

use laps_core::rotation::event::{EventKind, Reason};
use laps_core::rotation::{Applied, DAY, State, Wish};

use crate::world::{FAIR, Weather, World, config, id};

#[test]
fn a_first_rotation_takes_three_round_trips_and_four_journals() {
    let mut world = World::new(config());
    assert_eq!(world.machine.state(), State::Starting);
    world.run();
    world.assert_settled();
    assert_eq!((world.account, world.trips, world.saves), (1, 3, 4));
    let kinds = world.kinds();
    let told = [
        EventKind::RotationDue,
        EventKind::Prepared,
        EventKind::BackedUp,
        EventKind::AccountUpdated,
        EventKind::Verified,
        EventKind::Committed,
    ];
    assert!(told.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let status = world.machine.status();
    assert_eq!(
        status.last.map(|last| (last.id(), last.reason)),
        Some((Some(10029), Reason::Enrolment))
    );
    assert_eq!((status.version, status.due), (1, Some(world.now.plus(30 * DAY))));
    // A running agent needs two.
    world.live(30 * DAY - 1);
    let trips = world.trips;
    world.pass(1);
    world.run();
    world.assert_settled();
    assert_eq!((world.account, world.trips - trips), (2, 2));
}

#[test]
fn an_agent_that_dies_at_any_step_loses_no_password_and_settles_again() {
    for can_verify in [true, false] {
        for stop in 0..200 {
            let mut world = World::new({
                let mut config = config();
                config.can_verify = can_verify;
                config
            });
            world.run();
            world.machine.force(world.now);
            let mut ended = false;
            for _ in 0..stop {
                ended = !world.step();
                if ended {
                    break;
                }
            }
            world.restart();
            assert!(world.candidates().contains(&world.account), "{stop}");
            for _ in 0..5 {
                world.live(3600);
                assert!(world.candidates().contains(&world.account), "{stop}");
            }
            world.assert_settled();
            if ended {
                assert!(stop > 10);
                break;
            }
        }
    }
}

#[test]
fn a_refused_password_is_made_anew_and_a_failing_setter_tries_the_same_one_again() {
    let mut world = World::new(config());
    world.weather.setter = (Applied::Refused, false);
    world.run_to(|wish| matches!(wish, Wish::Apply { .. }));
    world.step();
    world.step();
    world.weather = FAIR;
    world.run();
    assert_eq!(world.account, 2);
    assert_eq!(world.count(EventKind::PasswordRefused), 1);
    world.assert_settled();

    let mut world = World::new(config());
    world.weather.setter = (Applied::Failed, false);
    world.run();
    assert!(world.memory.is_some());
    world.weather = FAIR;
    world.pass(10);
    world.run();
    assert_eq!(world.account, 1);
    world.assert_settled();
}

#[test]
fn a_password_that_cannot_be_backed_up_is_wiped_after_a_quarter_of_an_hour() {
    let mut world = World::new(config());
    world.run();
    world.machine.force(world.now);
    world.run_to(|wish| wish == Wish::CheckIn);
    assert_eq!(world.memory, Some(2));
    world.weather = Weather { vault: false, ..FAIR };
    world.live(899);
    assert_eq!(world.memory, Some(2));
    world.live(2);
    assert_eq!(world.memory, None);
    assert_eq!(world.count(EventKind::PlaintextWiped), 1);
    // And none is made before the vault answers.
    world.live(DAY);
    assert_eq!(world.versions.len(), 3);
    world.weather = FAIR;
    world.live(2 * 3600);
    world.assert_settled();
    assert_eq!(world.account, 3);
    assert!(world.vault.candidates.find(id(2)).is_none());
}

#[test]
fn an_order_is_obeyed_at_the_next_check_in_and_fulfilled_by_the_commit() {
    let mut world = World::new(config());
    world.run();
    world.order();
    world.live(3599);
    assert_eq!(world.current(), Some(1));
    world.live(1);
    world.assert_settled();
    assert_eq!(world.current(), Some(2));
    assert_eq!(world.machine.status().last.map(|last| last.reason), Some(Reason::Order));
    assert_eq!(world.count(EventKind::ResetRequested), 1);
    world.live(DAY);
    assert_eq!(world.current(), Some(2));
}
