//! Whole rotations, as an administrator would tell them.

use laps_core::identity::AccountName;
use laps_core::rotation::event::{EventKind, Reason};
use laps_core::rotation::{Applied, DAY, Effect, State};
use laps_core::vault::DeviceStatus;
use laps_core::vault::state::Device;

use crate::world::{FAIR, Weather, World, config, id};

#[test]
fn a_first_rotation_takes_three_round_trips_and_three_journals() {
    let mut world = World::new(config());
    assert_eq!(world.machine.state(), State::Starting);
    world.run();
    world.assert_settled();
    assert_eq!((world.account, world.trips, world.saves), (1, 3, 3));
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
fn the_vault_knows_with_the_commit_how_the_device_stands_and_until_when() {
    let mut world = World::new(config());
    world.run_to(|effect| effect == Effect::CheckIn);
    world.run_to(|effect| matches!(effect, Effect::Apply { .. }));
    assert_eq!(world.vault.due(), None);
    world.entropy = u64::MAX;
    world.run();
    world.assert_settled();
    let status = world.machine.status();
    assert_eq!(status.due, Some(world.now.plus(27 * DAY)));
    assert_eq!((world.vault_status(), world.vault.due()), (DeviceStatus::Settled, status.due));
    let report = world.vault.managed.report.clone();
    assert_eq!((report.outcome, report.may_hold), (status.last, status.may_hold));
    // Nothing is new at the next check-in, so it costs the vault nothing.
    let token = world.vault.managed.candidates.token;
    world.live(2 * 3600);
    assert_eq!(
        (&world.vault.managed.report, world.vault.managed.candidates.token),
        (&report, token)
    );
}

#[test]
fn a_commit_that_is_not_acknowledged_leaves_the_due_date_and_the_outcome_as_they_were() {
    let mut world = World::new(config());
    world.run();
    let before = world.vault.managed.report.clone();
    world.pass(DAY);
    world.machine.force(world.now);
    world.run_to(|effect| matches!(effect, Effect::Verify { .. }));
    // The token has changed meanwhile, as after a message that was late.
    world.vault.managed.candidates.token = Some([9; 16]);
    while world.machine.state() != State::Committing || world.machine.poll() != Effect::CheckIn {
        world.step();
    }
    let message = world.send();
    assert_ne!((message.due, message.last), (before.due, before.outcome));
    let answer = world.deliver(&message);
    let report = &world.vault.managed.report;
    assert_eq!((report.due, report.outcome), (before.due, before.outcome));
    assert_eq!(world.vault_status(), DeviceStatus::Uncertain);
    world.machine.handle_answer(&answer, world.now, 0).unwrap();
    assert_eq!(world.machine.status().due, before.due);
    world.run();
    world.assert_settled();
    assert_eq!(world.vault_status(), DeviceStatus::Settled);
    assert_eq!(world.vault.due(), world.machine.status().due);
    assert_ne!(world.vault.due(), before.due);
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
                assert!(stop > 9);
                break;
            }
        }
    }
}

#[test]
fn a_run_that_begins_with_a_commit_looks_the_account_up_too() {
    // A driver may tell what it saw before the run began, too: the look comes all the same.
    for (missing, told) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut world = World::new(config());
        run_to_commit(&mut world);
        world.restart();
        world.missing = missing;
        if told {
            world.look();
        }
        let trips = world.trips;
        world.run();
        assert_eq!(world.current(), Some(1));
        assert_eq!(world.count(EventKind::AccountNotFound), usize::from(missing));
        let last = world.vault.managed.report.outcome.map(|last| last.kind);
        let told = if missing { EventKind::AccountNotFound } else { EventKind::Committed };
        assert_eq!(last, Some(told));
        // One check-in for a token, one for the commit, and one for what was seen after it.
        assert_eq!(world.trips - trips, 2 + usize::from(missing));
    }
}

#[test]
fn a_run_that_turns_to_a_missing_account_says_so_however_much_it_had_to_say_before() {
    let mut world = World::new(config());
    world.run();
    world.machine.force(world.now);
    run_to_commit(&mut world);
    let (disk, account) = (world.disk.clone(), world.account);
    world.run();
    world.machine.force(world.now);
    world.run();
    // The image from before comes back, and the policy names an account that is not there.
    (world.disk, world.account) = (disk, account);
    world.config.account = AccountName::new("Other").unwrap();
    world.missing = true;
    world.restart();
    world.run();
    assert_eq!(world.vault.managed.name.as_str(), "Other");
    assert!(world.vault.managed.report.missing);
    let last = world.vault.managed.report.outcome.map(|last| last.kind);
    assert_eq!(last, Some(EventKind::AccountNotFound));
}

/// To the check-in that carries the commit, or asks for a token for it.
fn run_to_commit(world: &mut World) {
    world.run_to(|effect| matches!(effect, Effect::Verify { .. }));
    while world.machine.state() != State::Committing || world.machine.poll() != Effect::CheckIn {
        world.step();
    }
}

#[test]
fn a_refused_password_is_made_again_and_a_failing_setter_tries_the_same_one_again() {
    let mut world = World::new(config());
    world.weather.setter = (Applied::Refused, false);
    world.run_to(|effect| matches!(effect, Effect::Apply { .. }));
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
    world.run_to(|effect| effect == Effect::CheckIn);
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
    assert!(world.vault.managed.candidates.find(id(2)).is_none());
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

/// The vault is a copy from before the account's first record, or the device was purged.
fn forget(world: &mut World) {
    world.vault = Device::first_seen(world.config.account, None, world.now);
}

#[test]
fn a_vault_that_forgot_a_commit_takes_the_record_that_the_device_is_certain_of() {
    let mut world = World::new(config());
    world.run();
    let before = world.vault.clone();
    forget(&mut world);
    world.live(3600);
    world.assert_settled();
    assert_eq!((world.vault_status(), world.current()), (DeviceStatus::Settled, Some(1)));
    // The copy may be one of later: of the next password it knows nothing, of this one all.
    world.live(31 * DAY);
    assert_eq!(world.account, 2);
    world.vault = before;
    world.restart();
    world.run();
    world.assert_settled();
    assert_eq!((world.vault_status(), world.current()), (DeviceStatus::Settled, Some(2)));
    assert_eq!(world.versions.len(), 3, "nobody had a reason to replace a password");
}

#[test]
fn a_vault_that_forgot_a_commit_hears_of_it_from_runs_that_each_begin_without_a_token() {
    let mut world = World::new(config());
    world.run();
    forget(&mut world);
    world.restart();
    world.run_to(|effect| effect == Effect::CheckIn);
    world.step();
    // Meanwhile a message that was late drew another token: the record is stored, and no more.
    world.vault.managed.candidates.token = Some([9; 16]);
    world.run_to(|effect| effect == Effect::CheckIn);
    let message = world.send();
    world.deliver(&message);
    assert_eq!((world.vault_status(), world.current()), (DeviceStatus::Pending, None));
    world.restart();
    world.run();
    world.assert_settled();
    assert_eq!((world.vault_status(), world.current()), (DeviceStatus::Settled, Some(1)));
}
