//! Post-authentication actions: delay, cancellation, restarts, a hundred tries, warnings.

use laps_core::rotation::event::{Directory, EventKind, Reason};
use laps_core::rotation::{Acted, Action, Applied, Config, DAY, Effect, FollowUp, State};

use crate::world::{FAIR, Weather, World, config};

const HOUR: u64 = 3600;

fn with_actions(value: u8) -> World {
    let mut config = config();
    config.post_authentication_delay_seconds = 24 * HOUR;
    config.post_authentication_actions = FollowUp::from_setting(value).unwrap();
    let mut world = World::new(config);
    world.run();
    world.pass(HOUR);
    world.run();
    world.events.clear();
    world
}

fn used(world: &mut World) {
    world.machine.handle_used(world.now, world.now);
    world.drain();
}

fn change(world: &mut World, change: impl Fn(&mut Config)) {
    change(&mut world.config);
    world.machine.handle_config(world.config, world.now).unwrap();
    world.run();
    world.drain();
}

#[test]
fn only_the_values_of_the_setting_are_taken() {
    for value in 0..=255 {
        assert_eq!(FollowUp::from_setting(value).is_some(), [0, 1, 3, 5, 11].contains(&value));
    }
}

#[test]
fn a_use_is_followed_by_a_reset_after_the_delay_exactly() {
    let mut world = with_actions(1);
    used(&mut world);
    let event = world.events[0];
    assert_eq!((event.kind, event.id), (EventKind::AuthenticationDetected, Some(10041)));
    assert_eq!(event.detail, world.now.plus(24 * HOUR).as_unix_seconds());
    world.live(24 * HOUR - 1);
    assert_eq!(world.account, 1);
    assert_eq!(world.vault.managed.report.reset_at, Some(world.now.plus(1)));
    world.live(1);
    world.assert_settled();
    assert_eq!(world.account, 2);
    // The vault learns with the commit that nothing is coming any more.
    assert_eq!(world.vault.managed.report.reset_at, None);
    let last = world.machine.status().last.unwrap();
    assert_eq!(last.reason, Reason::PostAuthentication);
    let kinds = world.kinds();
    let at = |kind| kinds.iter().position(|other| *other == kind);
    let order = [
        EventKind::GraceExpired,
        EventKind::PostAuthenticationReset,
        EventKind::Committed,
        EventKind::PostAuthenticationDone,
    ];
    assert!(
        order.is_sorted_by_key(|kind| at(*kind)) && order.iter().all(|kind| at(*kind).is_some())
    );
    assert!(world.acts.is_empty());
}

#[test]
fn a_second_use_does_not_put_the_reset_off() {
    let mut world = with_actions(1);
    for _ in 0..23 {
        used(&mut world);
        world.live(HOUR);
    }
    assert_eq!((world.account, world.count(EventKind::AuthenticationDetected)), (1, 1));
    world.live(HOUR);
    assert_eq!(world.account, 2);
}

#[test]
fn a_use_that_was_told_or_that_was_of_an_earlier_password_is_none() {
    let mut world = with_actions(1);
    let set_at = world.machine.used_since();
    world.machine.handle_used(set_at, world.now);
    world.drain();
    assert_eq!(world.count(EventKind::AuthenticationDetected), 0, "our own verification");
    let now = world.now;
    used(&mut world);
    assert_eq!(world.machine.used_since(), now);
    used(&mut world);
    assert_eq!(world.count(EventKind::AuthenticationDetected), 1);
}

#[test]
fn a_use_that_is_dated_in_the_future_is_none() {
    let mut world = with_actions(1);
    let before = world.machine.used_since();
    world.machine.handle_used(world.now.plus(301), world.now);
    world.drain();
    assert_eq!(world.count(EventKind::AuthenticationDetected), 0);
    assert_eq!(world.machine.used_since(), before);
    world.machine.handle_used(world.now.plus(300), world.now);
    world.drain();
    assert_eq!(world.count(EventKind::AuthenticationDetected), 1);
    assert_eq!(world.machine.used_since(), world.now, "a clock may be a little ahead");
}

#[test]
fn a_rotation_for_another_reason_cancels_the_reset() {
    let mut world = with_actions(3);
    used(&mut world);
    world.pass(HOUR);
    world.machine.force(world.now);
    world.run();
    assert_eq!(world.count(EventKind::PostAuthenticationCancelled), 1);
    world.live(3 * DAY);
    assert_eq!((world.account, world.acts.len()), (2, 0));
}

#[test]
fn a_use_of_the_new_password_before_it_is_committed_is_scheduled_again() {
    let mut world = with_actions(1);
    used(&mut world);
    world.pass(24 * HOUR);
    world.run_to(|effect| matches!(effect, Effect::Prepare { .. }));
    world.run_to(|effect| effect == Effect::Wipe);
    assert_eq!(world.machine.state(), State::Committing);
    world.pass(60);
    used(&mut world);
    world.run();
    world.assert_settled();
    assert_eq!(world.account, 2);
    let reset_at = world.machine.status().reset_at;
    assert!(reset_at.is_some() && world.vault.managed.report.reset_at == reset_at);
    world.live(24 * HOUR - 1);
    assert_eq!(world.account, 2);
    world.live(1);
    assert_eq!(world.account, 3);
}

#[test]
fn the_schedule_outlives_restarts_and_a_deadline_that_passed_meanwhile_is_met_at_the_start() {
    let mut world = with_actions(3);
    used(&mut world);
    world.run();
    world.restart();
    world.live(HOUR);
    assert_eq!(world.account, 1);
    world.now = world.now.plus(3 * DAY);
    world.restart();
    world.run();
    world.assert_settled();
    assert_eq!(world.account, 2);
    world.live(HOUR);
    assert_eq!(world.acts.len(), 2);
}

#[test]
fn a_policy_without_actions_cancels_the_schedule_and_earlier_uses_stay_forgotten() {
    let mut world = with_actions(1);
    used(&mut world);
    change(&mut world, |config| config.post_authentication_delay_seconds = 0);
    assert_eq!(world.count(EventKind::PostAuthenticationCancelled), 1);
    world.pass(60);
    used(&mut world);
    change(&mut world, |config| config.post_authentication_delay_seconds = HOUR);
    world.live(2 * DAY);
    assert_eq!(world.account, 1);
}

#[test]
fn the_vault_hears_at_once_what_a_policy_ended_that_managed_nothing_for_a_while() {
    let mut world = with_actions(1);
    used(&mut world);
    world.live(DAY - 1);
    assert!(world.vault.managed.report.reset_at.is_some());
    change(&mut world, |config| config.directory = None);
    assert_eq!(world.machine.status().reset_at, None);
    change(&mut world, |config| config.directory = Some(Directory::Entra));
    assert_eq!(world.vault.managed.report.reset_at, None);
    assert_eq!(world.account, 1);
    // Once: what it manages already it does not report again.
    let trips = world.trips;
    change(&mut world, |config| config.max_age_seconds -= 1);
    assert_eq!(world.trips, trips);
}

#[test]
fn another_account_takes_no_schedule_over() {
    let mut world = with_actions(1);
    used(&mut world);
    change(&mut world, |config| {
        config.account = laps_core::identity::AccountName::new("Other").unwrap();
    });
    assert_eq!(world.count(EventKind::PostAuthenticationCancelled), 1);
    let account = world.account;
    world.live(2 * DAY);
    assert_eq!(world.account, account);
}

/// What is done after the reset, in seconds after the commit.
fn follows(value: u8) -> Vec<(u64, Action)> {
    let mut world = with_actions(value);
    used(&mut world);
    world.live(24 * HOUR - 1);
    world.pass(1);
    let committed = world.now;
    world.live(HOUR);
    assert_eq!(world.count(EventKind::PostAuthenticationDone), 1);
    world.acts.iter().map(|(at, action)| (at.seconds_since(committed), *action)).collect()
}

#[test]
fn the_actions_follow_the_reset_with_their_warnings() {
    assert_eq!(follows(1), []);
    assert_eq!(follows(3), [(0, Action::WarnSignOut), (120, Action::SignOut)]);
    assert_eq!(follows(5), [(0, Action::WarnRestart), (60, Action::Restart)]);
    assert_eq!(
        follows(11),
        [(0, Action::WarnSignOut), (120, Action::SignOut), (120, Action::Terminate)]
    );
}

#[test]
fn nothing_follows_a_reset_that_has_not_succeeded() {
    let mut world = with_actions(11);
    used(&mut world);
    world.weather = Weather { vault: false, ..FAIR };
    world.live(2 * DAY);
    assert!(world.acts.is_empty());
    world.weather = FAIR;
    world.live(2 * HOUR);
    // The password that could not be backed up was wiped; this is another.
    assert_eq!((world.account, world.acts.len()), (3, 3));
}

#[test]
fn a_hundred_failed_resets_are_the_last() {
    let mut world = with_actions(1);
    used(&mut world);
    world.weather = Weather { setter: (Applied::Refused, false), ..FAIR };
    world.live(30 * DAY - 3 * HOUR);
    assert_eq!(world.count(EventKind::PostAuthenticationRetry), 99);
    assert_eq!(world.count(EventKind::PostAuthenticationGivenUp), 1);
    let made = world.versions.len();
    assert!((101..=105).contains(&made), "{made}");
    // Only its age asks for another.
    world.weather = FAIR;
    world.live(3 * HOUR);
    world.assert_settled();
    let retries: Vec<u64> = world
        .events
        .iter()
        .filter(|event| event.kind == EventKind::PostAuthenticationRetry)
        .map(|event| event.detail)
        .collect();
    assert!(retries.iter().copied().eq(1..100));
}

#[test]
fn an_action_that_fails_is_reported_and_not_tried_again() {
    for (value, kind) in [(3, EventKind::ActionFailed), (5, EventKind::RestartFailed)] {
        let mut world = with_actions(value);
        used(&mut world);
        world.weather.acted = Acted::Failed;
        world.live(26 * HOUR);
        assert!(world.count(kind) >= 1);
        assert_eq!(world.acts.len(), 2);
    }
}

#[test]
fn a_restart_happens_once_however_often_the_agent_dies() {
    let mut world = with_actions(5);
    used(&mut world);
    world.live(24 * HOUR + 59);
    assert_eq!(world.acts.len(), 1);
    world.pass(1);
    // It is journalled before it is asked for.
    assert_eq!(world.machine.poll(), Effect::Save);
    world.step();
    assert_eq!(world.machine.poll(), Effect::Act(Action::Restart));
    world.restart();
    world.live(DAY);
    assert_eq!(world.acts.len(), 1, "the agent that died at the restart was the restart");

    // The other way round: it dies while the warning runs, and restarts the device afterwards.
    let mut world = with_actions(5);
    used(&mut world);
    world.live(24 * HOUR + 30);
    world.restart();
    world.live(DAY);
    assert_eq!(world.acts.len(), 2);
}
