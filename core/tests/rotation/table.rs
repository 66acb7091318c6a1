//! Every input event in every state: where it leads, or that it is refused and changes nothing.

use laps_core::identity::AccountName;
use laps_core::rotation::message::{Answer, AuditHead, MAX_ANSWER, MAX_HEAD};
use laps_core::rotation::{
    AccountSeen, Acted, Action, Applied, Effect, FollowUp, MAX_JOURNAL, RotationError, State,
    Verified,
};

use crate::world::{FAIR, World, config, id};

/// Where a machine can stand, told by its state and its effect.
type Place = (State, &'static str);

const PLACES: [Place; 17] = [
    (State::Starting, "look up"),
    (State::Starting, "check in"),
    (State::Settled, "prepare"),
    (State::BackingUp, "save"),
    (State::BackingUp, "check in"),
    (State::BackingUp, "read the change stamp"),
    (State::Applying, "apply"),
    (State::Applying, "wait"),
    (State::Verifying, "verify"),
    (State::Committing, "wipe"),
    (State::Committing, "read the change stamp"),
    (State::Committing, "save"),
    (State::Committing, "check in"),
    (State::Settled, "save"),
    (State::Settled, "wait"),
    (State::Settled, "wipe"),
    (State::Settled, "act"),
];

fn effect(world: &World) -> &'static str {
    match world.machine.poll() {
        Effect::Wipe => "wipe",
        Effect::Save => "save",
        Effect::LookUp => "look up",
        Effect::CheckIn => "check in",
        Effect::Prepare { .. } => "prepare",
        Effect::ReadChangeStamp => "read the change stamp",
        Effect::Apply { .. } => "apply",
        Effect::Verify { .. } => "verify",
        Effect::Act(_) => "act",
        Effect::WaitUntil(_) => "wait",
    }
}

fn place(world: &World) -> Place {
    (world.machine.state(), effect(world))
}

/// A world whose device stands there, after one commit.
fn at(wanted: Place) -> World {
    let mut config = config();
    config.post_authentication_delay_seconds = 60;
    config.post_authentication_actions = FollowUp::from_setting(11).unwrap();
    let mut world = World::new(config);
    world.run();
    world.pass(1);
    world.restart();
    match wanted {
        (State::Settled, "act") => {
            world.run();
            world.machine.handle_used(world.now, world.now);
            world.pass(60);
        }
        (State::Settled, "wipe") => {
            // A password that the vault refuses.
            world.run();
            world.machine.force(world.now);
            world.run_to(|effect| matches!(effect, Effect::Prepare { .. }));
            world.step();
            world.vault.managed.candidates.highest_version = 40;
        }
        (State::Applying, "wait") => {
            world.weather.setter = (Applied::Failed, false);
            world.machine.force(world.now);
        }
        (State::Settled, "wait") => {}
        _ => world.machine.force(world.now),
    }
    for _ in 0..100 {
        if place(&world) == wanted {
            world.weather = FAIR;
            return world;
        }
        assert!(world.step(), "{wanted:?} is not reached: {:?}", place(&world));
    }
    panic!("{wanted:?} is not reached");
}

/// An input event, with the call that reports it.
type InputEvent = (&'static str, fn(&mut World) -> Result<(), RotationError>);

fn new(world: &World) -> u8 {
    u8::try_from(world.versions.len()).unwrap()
}

fn prepared(world: &mut World) -> Result<(), RotationError> {
    let (new, version) = (new(world), world.versions.last().unwrap() + 1);
    let change_stamp = world.change_stamp();
    world.machine.handle_prepared(id(new), version, change_stamp, world.now)?;
    world.versions.push(version);
    world.memory = Some(new);
    Ok(())
}

fn applied(world: &mut World, applied: Applied, effect: bool) -> Result<(), RotationError> {
    world.machine.handle_applied(applied, world.now)?;
    if effect {
        world.account = world.memory.unwrap();
    }
    Ok(())
}

/// Those that are refused where they were not asked for.
const ASKED: [InputEvent; 17] = [
    ("wiped", |w| {
        w.machine.handle_wiped()?;
        w.memory = None;
        Ok(())
    }),
    ("saved", |w| {
        let mut out = [0; MAX_JOURNAL];
        let len = w.machine.journal(&mut out)?;
        w.disk = Some(out[..len].to_vec());
        w.machine.handle_saved()
    }),
    ("saved, not written", |w| w.machine.handle_saved()),
    ("checked in", |w| w.machine.check_in([1; 16], &mut [0; MAX_HEAD]).map(|_| ())),
    ("answer to nothing", |w| {
        let mut out = [0; MAX_ANSWER];
        let len = Answer::new([9; 16], [9; 16], AuditHead::new(0, [0; 32])).encode(&mut out)?;
        w.machine.handle_answer(&out[..len], w.now, 0)
    }),
    ("answer that cannot be read", |w| w.machine.handle_answer(b"LPan", w.now, 0)),
    ("prepared", prepared),
    ("prepared for another version", |w| w.machine.handle_prepared(id(99), 99, None, w.now)),
    ("prepared under an old id", |w| {
        let version = w.versions.last().unwrap() + 1;
        w.machine.handle_prepared(id(1), version, None, w.now)
    }),
    ("not prepared", |w| w.machine.handle_prepare_failed(w.now, 0)),
    ("change stamp", |w| w.machine.handle_change_stamp(w.change_stamp(), w.now, 0)),
    ("applied", |w| applied(w, Applied::Success, true)),
    ("refused", |w| applied(w, Applied::Refused, false)),
    ("match", |w| w.machine.handle_verified(Verified::Match, w.now, 0)),
    ("mismatch", |w| w.machine.handle_verified(Verified::Mismatch, w.now, 0)),
    ("no answer", |w| w.machine.handle_verified(Verified::Unavailable, w.now, 0)),
    ("acted", |w| {
        let Effect::Act(action) = w.machine.poll() else {
            return w.machine.handle_acted(Acted::Done, w.now);
        };
        assert_eq!(action, Action::WarnSignOut);
        w.machine.handle_acted(Acted::Done, w.now)
    }),
];

/// Where those lead that are not refused.
const NEXT: [(Place, &str, Place); 31] = [
    ((State::Starting, "look up"), "checked in", (State::Starting, "look up")),
    ((State::Starting, "look up"), "saved", (State::Starting, "look up")),
    ((State::Starting, "check in"), "checked in", (State::Starting, "check in")),
    ((State::Starting, "check in"), "saved", (State::Starting, "check in")),
    ((State::Settled, "prepare"), "prepared", (State::BackingUp, "save")),
    ((State::Settled, "prepare"), "not prepared", (State::Settled, "look up")),
    ((State::Settled, "prepare"), "checked in", (State::Settled, "prepare")),
    ((State::Settled, "prepare"), "saved", (State::Settled, "prepare")),
    ((State::BackingUp, "save"), "saved", (State::BackingUp, "check in")),
    ((State::BackingUp, "check in"), "checked in", (State::BackingUp, "check in")),
    ((State::BackingUp, "check in"), "saved", (State::BackingUp, "check in")),
    ((State::BackingUp, "read the change stamp"), "change stamp", (State::Applying, "apply")),
    (
        (State::BackingUp, "read the change stamp"),
        "saved",
        (State::BackingUp, "read the change stamp"),
    ),
    ((State::Applying, "apply"), "applied", (State::Verifying, "verify")),
    ((State::Applying, "apply"), "refused", (State::Verifying, "verify")),
    ((State::Applying, "apply"), "saved", (State::Applying, "apply")),
    ((State::Applying, "wait"), "saved", (State::Applying, "wait")),
    ((State::Verifying, "verify"), "match", (State::Committing, "wipe")),
    ((State::Verifying, "verify"), "mismatch", (State::Applying, "wait")),
    ((State::Verifying, "verify"), "no answer", (State::Verifying, "read the change stamp")),
    ((State::Verifying, "verify"), "saved", (State::Verifying, "verify")),
    ((State::Committing, "wipe"), "wiped", (State::Committing, "read the change stamp")),
    ((State::Committing, "wipe"), "saved", (State::Committing, "wipe")),
    ((State::Committing, "read the change stamp"), "change stamp", (State::Committing, "save")),
    (
        (State::Committing, "read the change stamp"),
        "saved",
        (State::Committing, "read the change stamp"),
    ),
    ((State::Committing, "save"), "saved", (State::Committing, "check in")),
    ((State::Committing, "check in"), "checked in", (State::Committing, "check in")),
    ((State::Committing, "check in"), "saved", (State::Committing, "check in")),
    ((State::Settled, "save"), "saved", (State::Settled, "wait")),
    ((State::Settled, "wait"), "checked in", (State::Settled, "wait")),
    ((State::Settled, "wait"), "saved", (State::Settled, "wait")),
];

/// The rest of the same table: what is special about the places off the straight path.
const OFF_PATH: [(Place, &str, Place); 5] = [
    ((State::Settled, "wipe"), "wiped", (State::Settled, "save")),
    ((State::Settled, "wipe"), "saved", (State::Settled, "wipe")),
    ((State::Settled, "act"), "acted", (State::Settled, "save")),
    ((State::Settled, "act"), "saved", (State::Settled, "act")),
    ((State::Settled, "act"), "checked in", (State::Settled, "act")),
];

#[test]
fn each_event_in_each_state_leads_where_the_table_says_or_is_refused() {
    for from in PLACES {
        for (name, tell) in ASKED {
            let mut world = at(from);
            let before = world.machine.clone();
            let mut rows = NEXT.iter().chain(&OFF_PATH);
            let next = rows.find(|(place, event, _)| *place == from && *event == name);
            let told = tell(&mut world);
            world.drain();
            if let Some((.., to)) = next {
                assert_eq!(told, Ok(()), "{from:?} {name}");
                assert_eq!(place(&world), *to, "{from:?} {name}");
            } else {
                assert!(told.is_err(), "{from:?} {name} leads to {:?}", place(&world));
                assert_eq!(place(&world), from, "{from:?} {name}");
                if !name.starts_with("answer") {
                    assert_eq!(world.machine, before, "{from:?} {name}");
                }
            }
            ends_well(world, &format!("{from:?} {name}"));
        }
    }
}

type Event = (&'static str, fn(&mut World));

/// Those that may come at any time.
const ANY_TIME: [Event; 13] = [
    ("account there", World::look),
    ("account changed by somebody else", |w| {
        let seen = AccountSeen::Present { change_stamp: Some([99; 32]) };
        w.machine.handle_account(seen, w.now);
    }),
    ("account missing", |w| w.machine.handle_account(AccountSeen::Missing, w.now)),
    ("a reader lost", |w| w.machine.handle_readers([9; 8], true, w.now)),
    ("time", |w| w.pass(7)),
    ("much time", |w| w.pass(100 * 86_400)),
    ("time back", |w| {
        w.now = w.now.minus(86_400);
        w.machine.handle_timeout(w.now);
    }),
    ("used", |w| w.machine.handle_used(w.now, w.now)),
    ("forced", |w| w.machine.force(w.now)),
    ("no back-off", |w| w.machine.skip_back_off(w.now)),
    ("check-in failed", |w| w.machine.handle_check_in_failed(w.now, 0)),
    ("not saved", |w| w.machine.handle_save_failed(w.now, 0)),
    ("another account", |w| {
        w.config.account = AccountName::new("Other").unwrap();
        w.machine.handle_config(w.config, w.now).unwrap();
    }),
];

#[test]
fn what_may_come_at_any_time_ends_well_wherever_it_comes() {
    for from in PLACES {
        for (name, tell) in ANY_TIME {
            let mut world = at(from);
            tell(&mut world);
            world.drain();
            ends_well(world.clone(), &format!("{from:?} {name}"));
            // And after it the agent dies.
            if world.config.account.as_str() == "Admin" {
                world.restart();
                ends_well(world, &format!("{from:?} {name}, restart"));
            }
        }
    }
}

/// From here on nothing fails: the vault always has the password, and there is one in the end.
fn ends_well(mut world: World, name: &str) {
    world.weather = FAIR;
    for _ in 0..8 {
        assert!(world.candidates().contains(&world.account), "{name}");
        world.live(1800);
    }
    assert_eq!(world.candidates(), [world.account], "{name}");
    world.assert_settled();
}
