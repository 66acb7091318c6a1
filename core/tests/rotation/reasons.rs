//! Every reason for a rotation, and what does not ask for one.

use laps_core::account::Sid;
use laps_core::identity::AccountName;
use laps_core::rotation::event::{Directory, EventKind, Reason};
use laps_core::rotation::{Applied, Config, DAY, Effect, RotationError, State};

use crate::world::{FAIR, Weather, World, config, id};

pub(crate) fn settled() -> World {
    settled_with(config())
}

pub(crate) fn settled_with(config: Config) -> World {
    let mut world = World::new(config);
    world.run();
    world.assert_settled();
    world.events.clear();
    world
}

/// Why the last rotation was made.
pub(crate) fn why(world: &World) -> Option<Reason> {
    let last = world.machine.status().last?;
    assert_eq!(last.kind, EventKind::Committed);
    Some(last.reason)
}

pub(crate) fn change(world: &mut World, change: impl Fn(&mut Config)) {
    change(&mut world.config);
    world.machine.handle_config(world.config, world.now).unwrap();
    world.run();
    world.drain();
}

#[test]
fn a_password_is_replaced_at_its_age_and_not_before() {
    let mut world = settled();
    world.live(30 * DAY - 1);
    assert_eq!(world.account, 1);
    world.live(1);
    world.assert_settled();
    assert_eq!((world.account, why(&world)), (2, Some(Reason::Age)));
    assert_eq!(world.count(EventKind::RotationDue), 1);
}

#[test]
fn the_jitter_is_drawn_at_each_commit_and_only_shortens() {
    let mut world = World::new(config());
    let mut dues = Vec::new();
    for entropy in [0, u64::MAX, 1 << 63, 12345 << 40] {
        world.entropy = entropy;
        world.machine.force(world.now);
        world.run();
        let due = world.machine.status().due.unwrap().seconds_since(world.now);
        assert!((27 * DAY..=30 * DAY).contains(&due));
        dues.push(due);
    }
    dues.dedup();
    assert_eq!(dues.len(), 4);
}

#[test]
fn a_forced_rotation_happens_now_and_restarts_the_age() {
    let mut world = settled();
    world.pass(5 * DAY);
    world.machine.force(world.now);
    world.run();
    world.assert_settled();
    assert_eq!((world.account, why(&world)), (2, Some(Reason::Forced)));
    assert_eq!(world.machine.status().due, Some(world.now.plus(30 * DAY)));
    assert_eq!(world.count(EventKind::ResetRequested), 1);
}

#[test]
fn an_order_for_a_record_that_is_not_held_is_not_obeyed() {
    let mut world = settled();
    world.order();
    world.machine.force(world.now);
    world.run();
    // The commit fulfilled the order: nothing more happens.
    world.live(DAY);
    assert_eq!(world.account, 2);
    assert!(world.vault.managed.candidates.orders.is_empty());
}

#[test]
fn an_order_does_not_wait_for_the_back_off_and_fails_into_it() {
    let mut world = settled();
    world.weather.setter = (Applied::Refused, false);
    world.entropy = u64::MAX;
    world.machine.force(world.now);
    world.run();
    for _ in 0..20 {
        world.live(3600);
    }
    let made = world.versions.len();
    world.run();
    assert_eq!(world.versions.len(), made, "waits for its back-off");
    world.order();
    let before = world.versions.len();
    world.live(3600);
    assert!(world.versions.len() > before);
    world.weather = FAIR;
    world.live(2 * 3600);
    world.assert_settled();
}

#[test]
fn another_account_is_unknown_until_its_first_rotation() {
    let mut world = settled();
    change(&mut world, |config| config.account = AccountName::new("Other").unwrap());
    world.assert_settled();
    assert_eq!((world.account, why(&world)), (2, Some(Reason::AccountChanged)));
    assert_eq!(world.machine.account().as_str(), "Other");
    assert_eq!(world.count(EventKind::AccountChanged), 1);
}

#[test]
fn an_account_created_again_under_the_same_name_is_another_account() {
    let with = |rid| {
        let mut config = config();
        config.sid = Some(Sid::unix_user(rid));
        config
    };
    let mut world = settled_with(with(1000));
    change(&mut world, |config| config.sid = None); // For a moment it cannot be found out.
    assert_eq!(world.account, 1);
    world.config = with(1001);
    world.account = 0;
    world.restart();
    // The vault is asked first whether it has what is forgotten then.
    assert!(!world.machine.status().may_hold.unknown);
    world.run();
    world.assert_settled();
    assert_eq!((world.account, why(&world)), (2, Some(Reason::AccountChanged)));
    assert_eq!(world.machine.sid(), Some(Sid::unix_user(1001)));
}

#[test]
fn a_renamed_account_keeps_its_password_until_the_rotation_that_follows() {
    let mut config = config();
    config.sid = Some(Sid::unix_user(1000));
    let mut world = settled_with(config);
    world.config.account = AccountName::new("Renamed").unwrap();
    world.machine.handle_config(world.config, world.now).unwrap();
    let may_hold = world.machine.status().may_hold;
    assert!(may_hold.ids.contains(id(1)) && !may_hold.unknown);
    world.run();
    assert_eq!((world.account, why(&world)), (2, Some(Reason::AccountChanged)));
}

#[test]
fn a_lost_journal_is_told_from_an_enrolment_by_the_vault() {
    let mut world = World::new(config());
    world.run();
    assert_eq!(why(&world), Some(Reason::Enrolment));
    world.disk = None;
    world.restart();
    world.run();
    world.assert_settled();
    assert_eq!((world.account, why(&world)), (2, Some(Reason::JournalLost)));
    assert_eq!(world.count(EventKind::JournalLost), 1);
    assert_eq!(world.versions, [0, 1, 2], "above what the vault knows");
}

#[test]
fn a_rolled_back_image_is_noticed_and_rotated() {
    let mut world = settled();
    let (disk, account) = (world.disk.clone(), world.account);
    world.machine.force(world.now);
    world.run();
    world.disk = disk;
    world.account = account;
    world.restart();
    world.run();
    world.assert_settled();
    assert_eq!((world.account, why(&world)), (3, Some(Reason::ImageRolledBack)));
    assert_eq!(world.count(EventKind::ImageRolledBack), 1);
}

#[test]
fn clones_do_not_chase_each_other() {
    // Two devices with one identity, one journal and one vault, for thirty days.
    let mut one = settled();
    let mut two = one.clone();
    two.machine.handle_timeout(two.now);
    let mut rotations = 0;
    for _ in 0..30 * 24 {
        for (world, other) in [(true, false), (false, true)] {
            let _ = other;
            let (active, idle) = if world { (&mut one, &two) } else { (&mut two, &one) };
            active.vault = idle.vault.clone();
            active.versions = idle.versions.clone();
            active.tokens = idle.tokens;
            let before = active.versions.len();
            active.live(3600);
            rotations += active.versions.len() - before;
        }
    }
    assert!((2..=80).contains(&rotations), "{rotations}");
    assert!(one.candidates().contains(&one.account) || two.candidates().contains(&two.account));
}

#[test]
fn an_uncertain_outcome_is_a_reason() {
    let mut world = settled();
    world.weather = Weather { account: false, ..FAIR };
    world.machine.force(world.now);
    world.run();
    world.live(25);
    let status = world.machine.status();
    assert_eq!(status.may_hold.ids.len(), 2);
    assert_eq!(world.count(EventKind::Uncertain), 1);
    world.weather = FAIR;
    world.live(3600);
    world.assert_settled();
}

#[test]
fn a_policy_replaced_in_the_middle_of_a_rotation_does_not_disturb_it() {
    let middle: [fn(Effect) -> bool; 5] = [
        |effect| effect == Effect::CheckIn,
        |effect| effect == Effect::ReadChangeStamp,
        |effect| matches!(effect, Effect::Apply { .. }),
        |effect| matches!(effect, Effect::Verify { .. }),
        |effect| effect == Effect::Wipe,
    ];
    for effect in middle {
        let mut world = settled();
        world.machine.force(world.now);
        world.run_to(|effect| matches!(effect, Effect::Prepare { .. }));
        world.step();
        world.run_to(effect);
        change(&mut world, |config| {
            config.demand = [1; 8];
            config.max_age_seconds = 9 * DAY;
        });
        world.assert_settled();
        // The record was made under the old policy; the new one asks for another.
        assert_eq!((world.account, why(&world)), (3, Some(Reason::PolicyChanged)));
    }
}

#[test]
fn a_lost_answer_to_a_commit_costs_no_second_change() {
    let mut world = settled();
    world.machine.force(world.now);
    world.run_to(|effect| matches!(effect, Effect::Verify { .. }));
    while world.machine.poll() != Effect::CheckIn {
        world.step();
    }
    let commit = world.send();
    assert!(commit.commit.is_some());
    let _lost = world.deliver(&commit);
    world.machine.handle_check_in_failed(world.now, 0);
    world.live(2 * DAY);
    world.assert_settled();
    assert_eq!((world.account, world.candidates()), (2, vec![2]));
}

#[test]
fn a_password_that_was_set_and_replaced_at_once_counts_among_the_two_of_a_run() {
    let mut world = settled();
    world.machine.force(world.now);
    let mut set = Vec::new();
    while world.machine.status().waits.map(|waits| waits.why) != Some(Reason::TwoChanges) {
        let effect = world.machine.poll();
        if let Effect::WaitUntil(until) = effect {
            let wait = until.seconds_since(world.now);
            world.pass(wait);
            continue;
        }
        if let Effect::Apply { id } = effect {
            set.push(id);
        } else if let Effect::Verify { .. } = effect {
            // Somebody sets another one before the account is asked.
            world.account = 0;
        }
        world.step();
    }
    // Each is tried a few times.
    set.dedup();
    assert_eq!(set.len(), 2);
}

#[test]
fn a_store_that_says_set_and_changes_nothing_is_not_told_as_two_changes() {
    let mut config = config();
    config.can_verify = false;
    let mut world = settled_with(config);
    world.weather.setter = (Applied::Success, false);
    world.machine.force(world.now);
    let (end, mut waited) = (world.now.plus(1800), 0);
    while world.now < end {
        world.run();
        if let Some(waits) = world.machine.status().waits {
            assert_ne!(waits.why, Reason::TwoChanges, "the change stamp is the same");
            waited += 1;
        }
        let Effect::WaitUntil(until) = world.machine.poll() else { unreachable!() };
        world.pass(until.seconds_since(world.now));
    }
    assert!(waited > 2);
    world.weather = FAIR;
    world.live(DAY);
    world.assert_settled();
}

#[test]
fn an_account_is_left_once_the_vault_knows_what_it_may_hold() {
    // A start has no token, and what comes without one is not believed.
    for (starts, check_ins) in [(false, 1), (true, 2)] {
        let mut world = settled();
        world.config.account = AccountName::new("Other").unwrap();
        if starts {
            world.restart();
        } else {
            world.machine.handle_config(world.config, world.now).unwrap();
        }
        let before = world.trips;
        while world.machine.account().as_str() == "Admin" {
            world.step();
        }
        assert_eq!(world.trips - before, check_ins);
    }
}

#[test]
fn an_account_replaced_in_the_middle_never_gets_the_password_of_the_other() {
    type Middle = (fn(Effect) -> bool, bool);
    let middle: [Middle; 5] = [
        (|effect| effect == Effect::CheckIn, false),
        (|effect| effect == Effect::ReadChangeStamp, false),
        (|effect| matches!(effect, Effect::Apply { .. }), true),
        (|effect| matches!(effect, Effect::Verify { .. }), true),
        (|effect| effect == Effect::Wipe, true),
    ];
    for (effect, goes_on) in middle {
        let mut world = settled();
        world.machine.force(world.now);
        world.run_to(|effect| matches!(effect, Effect::Prepare { .. }));
        world.step();
        world.run_to(effect);
        world.config.account = AccountName::new("Other").unwrap();
        world.machine.handle_config(world.config, world.now).unwrap();
        let account = world.machine.account().as_str();
        assert_eq!(account, "Admin", "until the vault knows what that one may hold");
        while !matches!(world.machine.poll(), Effect::Prepare { .. }) {
            if let Effect::Apply { .. } = world.machine.poll() {
                assert!(goes_on && world.machine.account().as_str() == "Admin");
            }
            world.step();
        }
        assert_eq!(world.machine.account().as_str(), "Other");
        assert!(world.machine.status().may_hold.unknown);
        world.run();
        world.assert_settled();
    }
}

#[test]
fn a_start_with_nothing_to_manage_says_so_first_and_once() {
    let mut off = config();
    off.directory = None;
    let mut world = World::new(off);
    world.drain();
    let said: Vec<_> = world.events.iter().map(|event| (event.kind, event.id)).collect();
    assert_eq!(said, [(EventKind::Disabled, Some(10024))]);
    world.live(40 * DAY);
    assert_eq!((world.count(EventKind::Disabled), world.trips), (1, 0));

    let mut world = settled();
    world.config.directory = None;
    world.events.clear();
    world.restart();
    assert_eq!(world.kinds(), [EventKind::Disabled]);
    // One that is managed says nothing of the kind.
    assert_eq!(settled().count(EventKind::Disabled), 0);
}

#[test]
fn nothing_is_managed_with_the_directory_switched_off_but_a_commit_is_finished() {
    let mut world = settled();
    world.machine.force(world.now);
    world.run_to(|effect| matches!(effect, Effect::Apply { .. }));
    change(&mut world, |config| config.directory = None);
    world.assert_settled();
    assert_eq!(world.account, 2);
    assert_eq!(world.count(EventKind::Disabled), 1);
    let trips = world.trips;
    world.live(400 * DAY);
    assert_eq!((world.account, world.trips), (2, trips));

    let mut world = settled();
    world.machine.force(world.now);
    world.run_to(|effect| effect == Effect::ReadChangeStamp);
    change(&mut world, |config| config.directory = None);
    assert_eq!((world.account, world.memory), (1, None));
    change(&mut world, |config| config.directory = Some(Directory::Entra));
    world.live(30 * DAY);
    world.assert_settled();
}

#[test]
fn a_vault_that_refuses_the_version_gets_a_higher_one_at_once() {
    let mut world = settled();
    world.machine.force(world.now);
    world.run_to(|effect| matches!(effect, Effect::Prepare { .. }));
    world.step();
    world.vault.managed.candidates.highest_version = 40;
    world.run();
    world.assert_settled();
    assert_eq!(world.versions, [0, 1, 2, 41]);
    assert_eq!(world.count(EventKind::BackUpFailed), 1);
}

#[test]
fn beyond_sixteen_candidates_the_oldest_leaves_the_journal_and_one_is_made_a_day() {
    let mut world = settled();
    world.weather = Weather { account: false, ..FAIR };
    world.machine.force(world.now);
    world.live(2 * DAY);
    assert_eq!(world.machine.status().may_hold.ids.len(), 16);
    assert!(world.candidates().contains(&world.account));
    let (made, dropped) = (world.versions.len(), world.count(EventKind::CandidateDropped));
    world.live(10 * DAY);
    let more = world.versions.len() - made;
    assert!((9..=10).contains(&more), "{more}");
    assert!(world.count(EventKind::CandidateDropped) - dropped >= 9);
    assert!(world.machine.status().may_hold.unknown);
    // A single run by hand does not make it more often.
    let made = world.versions.len();
    for _ in 0..5 {
        world.restart();
        world.machine.skip_back_off(world.now);
        world.live(60);
    }
    assert_eq!(world.versions.len(), made);
    world.weather = FAIR;
    world.live(2 * DAY);
    world.assert_settled();
}

#[test]
fn an_audit_log_that_changed_behind_the_vault_is_reported_once() {
    let mut world = settled();
    world.live(DAY);
    assert_eq!(world.count(EventKind::AuditMismatch), 0);
    world.audit_at = None;
    world.live(3600);
    assert_eq!(world.count(EventKind::AuditMismatch), 1);
}

#[test]
fn an_answer_is_accepted_once_and_only_for_the_latest_check_in() {
    let mut world = settled();
    let first = world.send();
    let first = world.deliver(&first);
    let second = world.send();
    let second = world.deliver(&second);
    let mut take = |answer: &[u8]| world.machine.handle_answer(answer, world.now, 0);
    assert_eq!(take(&first), Err(RotationError::UnexpectedAnswer));
    assert!(matches!(take(&second[..9]), Err(RotationError::Message(_))));
    assert_eq!(take(&second), Ok(()));
    assert_eq!(take(&second), Err(RotationError::UnexpectedAnswer));
}

#[test]
fn a_machine_that_starts_says_so_until_the_vault_answers() {
    let mut world = settled();
    world.restart();
    assert_eq!(world.machine.state(), State::Starting);
    world.weather.vault = false;
    world.run();
    assert_eq!(world.machine.state(), State::Starting);
    world.weather.vault = true;
    world.live(120);
    assert_eq!(world.machine.state(), State::Settled);
}
