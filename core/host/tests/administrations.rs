//! People doing ordinary things in an ordinary order, against a whole device: what was once seen to
//! fail.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]

extern crate alloc;

use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::time::Instant;

use laps_core::identity::Scope;
use laps_core::random::Generator;
use laps_core::rotation::message::{Answer, CheckIn};
use laps_core::seal::{ReaderKey, Suite};
use laps_core::vault::{Confirmation, DeviceStatus, DiscloseOptions, Request};
use laps_host::agent::channel::ChannelError;
use laps_host::agent::state::status;
use laps_host::agent::{Agent, RunOutcome};
use laps_host::sqlite::{back_up, restore};
use laps_host::time::{now, rfc3339};
use laps_testkit::bench::{Bench, DEVICE, HONEST, POLICY};

/// An honest program that also says whether the account is there.
fn with_account(there: bool) -> String {
    let missing = if there { "" } else { "exit 12; " };
    HONEST.replace("case $1 in", &format!("{missing}case $1 in\nexists) ;;"))
}

#[test]
fn a_reader_removed_at_the_vault_before_the_device_follows_costs_no_storm() {
    let bench = Bench::new();
    let mut generator = Generator::from_system().unwrap();
    let gone = ReaderKey::generate(Suite::XWing, "leaver", &mut generator).unwrap();
    let request = Request::new("tester", "a test");
    let vault = bench.vault();
    for key in [&bench.reader, &gone] {
        vault.add_reader(&Scope::EMPTY, key.reader(), &request, now()).unwrap();
    }
    let both = |bench: &Bench| {
        let mut options = bench.options();
        options.readers.push(gone.reader().clone());
        bench.agent_with(options, Box::new(bench.store())).unwrap()
    };
    assert_eq!(both(&bench).run_once(false).unwrap(), RunOutcome::Committed);
    let id = gone.reader().id();
    let word = Confirmation::Given;
    vault.remove_reader(&Scope::EMPTY, &id, Some(0), word, &request, now()).unwrap();
    // The configuration is still that of before, run after run.
    for _ in 0..5 {
        both(&bench).run_once(false).unwrap();
    }
    let version = status(&bench.path("state")).unwrap().version;
    assert!(version <= 3, "changed {version} times");
    // The device follows: one rotation, by itself, and then it is quiet.
    assert_eq!(bench.run(), RunOutcome::Committed);
    let after = status(&bench.path("state")).unwrap();
    assert_eq!((after.version, after.lost_reader), (version + 1, false));
    assert_eq!(bench.run(), RunOutcome::NothingDue);
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn an_account_that_does_not_exist_yet_is_told_reported_and_enrolled_when_it_appears() {
    let bench = Bench::new();
    bench.script(&with_account(false));
    for _ in 0..20 {
        let outcome = bench.run();
        assert_eq!((outcome, outcome.exit_status()), (RunOutcome::AccountMissing, 4));
    }
    assert!(!bench.names().contains(&"prepared"), "nothing is made");
    let events = bench.events.lock().unwrap().clone();
    let told = events.iter().find(|event| event.name == "account-not-found").unwrap();
    assert_eq!(told.id, Some(10013));
    assert!(told.message.contains("create it"), "{}", told.message);
    assert!(status(&bench.path("state")).unwrap().account_missing);
    let seen = bench.vault().show(&Scope::EMPTY, DEVICE).unwrap();
    assert_eq!(seen.account.as_str(), "Admin", "the vault knows the device");
    bench.script(&with_account(true));
    assert_eq!(bench.run(), RunOutcome::Committed);
    assert_eq!(bench.candidates(), [bench.held()]);
    // It goes, and comes back with a password of its own.
    bench.script(&with_account(false));
    assert_eq!(bench.run(), RunOutcome::AccountMissing);
    std::fs::write(bench.path("Admin"), "another").unwrap();
    bench.script(&with_account(true));
    assert_eq!(bench.run(), RunOutcome::Committed);
    assert_eq!(bench.candidates(), [bench.held()]);
    assert_ne!(bench.held(), "another");
}

#[test]
fn one_answer_with_an_absurd_version_stops_no_device() {
    let bench = Bench::new();
    let vault = bench.vault();
    let mut hostile = true;
    let channel = move |check_in: &[u8]| -> Result<Vec<u8>, ChannelError> {
        let answer = vault.check_in(&Scope::EMPTY, DEVICE, check_in, now()).unwrap();
        if !core::mem::take(&mut hostile) {
            return Ok(answer);
        }
        let mut changed = Answer::decode(&answer).unwrap();
        changed.highest_version = u64::MAX;
        let mut out = [0; laps_core::rotation::message::MAX_ANSWER];
        let length = changed.encode(&mut out).unwrap();
        Ok(out[..length].to_vec())
    };
    let sink = Box::new(|_: &laps_host::agent::event::AgentEvent| ());
    let store = Box::new(bench.store());
    let mut agent = Agent::open(bench.options(), store, Box::new(channel), sink).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Unreachable);
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Committed);
    assert_eq!(status(&bench.path("state")).unwrap().version, 1);
}

#[test]
fn an_order_for_a_password_that_was_made_on_an_order_waits_and_is_told() {
    let bench = Bench::new();
    bench.run();
    bench.order();
    assert_eq!(bench.run(), RunOutcome::Committed);
    bench.order();
    assert_eq!(bench.run(), RunOutcome::NotCommitted);
    let waits = status(&bench.path("state")).unwrap().waits.unwrap();
    assert_eq!(waits.why, "order");
    let events = bench.events.lock().unwrap().clone();
    let told = events.iter().find(|event| event.name == "waiting").unwrap();
    assert!(told.message.contains("--force"), "{}", told.message);
    let mut agent = bench.agent();
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
}

#[test]
fn a_stop_ends_a_single_run_at_its_next_step() {
    let bench = Bench::new();
    // Every try fails, and a run would try again for a long while.
    bench.script(&HONEST.replace("set)", "set) cat > /dev/null; exit 1 ;; never)"));
    let mut options = bench.options();
    options.patience = Duration::from_secs(600);
    let mut agent = bench.agent_with(options, Box::new(bench.store())).unwrap();
    let (stop, begun) = (AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, core::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(agent.run_once_until(false, &stop).unwrap(), RunOutcome::NotCommitted);
    });
    assert!(begun.elapsed() < Duration::from_secs(9), "a try would have followed after ten");
    drop(agent);
    let stopped = AtomicBool::new(true);
    assert_eq!(bench.agent().run_once_until(true, &stopped).unwrap(), RunOutcome::NotCommitted);
}

#[test]
fn a_wrong_key_that_is_put_right_leaves_no_failure_behind() {
    let bench = Bench::new();
    let request = Request::new("tester", "a test");
    let vault = bench.vault();
    vault.add_reader(&Scope::EMPTY, bench.reader.reader(), &request, now()).unwrap();
    assert_eq!(bench.run(), RunOutcome::Committed);
    let mut generator = Generator::from_system().unwrap();
    let wrong = ReaderKey::generate(Suite::XWing, "wrong", &mut generator).unwrap();
    let mut options = bench.options();
    options.readers = vec![wrong.reader().clone()];
    let mut agent = bench.agent_with(options, Box::new(bench.store())).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::NotCommitted);
    drop(agent);
    let shown = || vault.show(&Scope::EMPTY, DEVICE).unwrap();
    assert_eq!(shown().state, DeviceStatus::Failed, "{:?}", bench.names());
    // The configuration is as it was: nothing is due, and nobody looks for a failure.
    assert_eq!(bench.run(), RunOutcome::NothingDue);
    assert_eq!((shown().state, shown().version), (DeviceStatus::Settled, Some(1)));
    assert_eq!(status(&bench.path("state")).unwrap().last.unwrap().name, "not-due");
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn an_older_image_whose_account_is_missing_is_believed() {
    let bench = Bench::new();
    assert_eq!(bench.run(), RunOutcome::Committed);
    bench.script(&with_account(false));
    assert_eq!(bench.run(), RunOutcome::AccountMissing);
    let image = bench.path("image");
    let copy = |from, to| {
        let mut copy = std::process::Command::new("cp");
        assert!(copy.arg("-a").arg(from).arg(to).status().unwrap().success());
    };
    copy(bench.path("state"), image.clone());
    bench.script(&with_account(true));
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(bench.run(), RunOutcome::Committed);
    let missing = || {
        let row = bench.vault().show(&Scope::EMPTY, DEVICE).unwrap();
        row.findings.account_missing
    };
    assert!(!missing());
    // The image knows no later outcome than the vault does, and says nothing else than that its
    // account is missing.
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    copy(image, bench.path("state"));
    bench.script(&with_account(false));
    assert_eq!(bench.run(), RunOutcome::AccountMissing);
    assert!(missing(), "one run is enough");
}

#[test]
fn an_order_for_later_is_told_on_both_sides_and_changes_nothing_before() {
    let bench = Bench::new();
    assert_eq!(bench.run(), RunOutcome::Committed);
    let request = Request::new("tester", "a test");
    let options = DiscloseOptions::default().with_rotation_after(3_600);
    let vault = bench.vault();
    vault.disclose(&Scope::EMPTY, DEVICE, &request, options, now()).unwrap();
    assert_eq!(bench.run(), RunOutcome::NothingDue);
    let at = vault.show(&Scope::EMPTY, DEVICE).unwrap().order_at.unwrap();
    let own = status(&bench.path("state")).unwrap();
    assert_eq!((own.order_at, own.version), (Some(rfc3339(at)), 1));
    assert!(bench.names().contains(&"order-scheduled"));
}

#[test]
fn a_run_changes_the_password_at_most_twice_whatever_the_vault_says() {
    let bench = Bench::new();
    assert_eq!(bench.run(), RunOutcome::Committed);
    let vault = bench.vault();
    let channel = move |check_in: &[u8]| -> Result<Vec<u8>, ChannelError> {
        let (message, _) = CheckIn::decode(check_in).unwrap();
        let answer = vault.check_in(&Scope::EMPTY, DEVICE, check_in, now()).unwrap();
        let mut changed = Answer::decode(&answer).unwrap();
        // Everything is to be replaced, there is more of it, and somebody is ahead.
        changed.orders = message.may_hold.ids;
        changed.candidates = 2;
        changed.highest_version = message.highest_version + 1;
        let mut out = [0; laps_core::rotation::message::MAX_ANSWER];
        let length = changed.encode(&mut out).unwrap();
        Ok(out[..length].to_vec())
    };
    let before = bench.names().iter().filter(|name| **name == "account-updated").count();
    let events = alloc::sync::Arc::clone(&bench.events);
    let sink = Box::new(move |event: &laps_host::agent::event::AgentEvent| {
        events.lock().unwrap().push(event.clone());
    });
    let store = Box::new(bench.store());
    let mut agent = Agent::open(bench.options(), store, Box::new(channel), sink).unwrap();
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::NotCommitted);
    let after = bench.names().iter().filter(|name| **name == "account-updated").count();
    assert_eq!(after - before, 2);
    assert_eq!(status(&bench.path("state")).unwrap().waits.unwrap().why, "two-changes");
}

#[test]
fn a_policy_that_turns_to_another_account_and_back_loses_the_password_of_neither() {
    let bench = Bench::new();
    std::fs::write(bench.path("Other"), "of the other").unwrap();
    let run = |account: &str| {
        let policy = POLICY.replace("Admin\"", &format!("{account}\""));
        let mut options = bench.options();
        let texts = vec![("p.json".to_owned(), policy.into_bytes())];
        options.policy = laps_host::agent::PolicySource::Texts(texts);
        bench.agent_with(options, Box::new(bench.store())).unwrap().run_once(false).unwrap()
    };
    let request = Request::new("tester", "a test");
    let of = |account: &str| {
        let options = DiscloseOptions::default().of_account(account).without_rotation();
        let found =
            bench.vault().disclose(&Scope::EMPTY, DEVICE, &request, options, now()).unwrap();
        bench.open(&found.candidates[0].sealed)
    };
    let account = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    for turn in ["Admin", "Other", "Admin", "Other"] {
        assert_eq!(run(turn), RunOutcome::Committed, "{turn}");
        assert_eq!(run(turn), RunOutcome::NothingDue, "{turn}");
        let row = bench.vault().show(&Scope::EMPTY, DEVICE).unwrap();
        assert_eq!((row.account.as_str(), row.candidates), (turn, 1));
        assert_eq!(row.findings.names().count(), 0);
        assert_eq!(of("Admin"), account("Admin"), "{turn}");
        if !row.accounts.is_empty() {
            assert_eq!(of("Other"), account("Other"), "{turn}");
        }
    }
}

#[test]
fn a_restored_log_is_told_until_a_person_acknowledges_it() {
    let bench = Bench::new();
    assert_eq!(bench.run(), RunOutcome::Committed);
    let request = Request::new("tester", "a test");
    back_up(&bench.vault(), &bench.path("copy"), &request, now()).unwrap();
    bench.order();
    assert_eq!(bench.run(), RunOutcome::Committed);
    for name in ["vault", "vault-wal", "vault-shm"] {
        let _none = std::fs::remove_file(bench.path(name));
    }
    restore(&bench.path("copy"), &bench.path("vault"), &request, now()).unwrap();
    let found = || {
        let row = bench.vault().show(&Scope::EMPTY, DEVICE).unwrap();
        (row.findings.log_restored, status(&bench.path("state")).unwrap().audit)
    };
    for _ in 0..2 {
        bench.run();
        assert_eq!(found(), (true, "restored".to_owned()));
    }
    let mut options = bench.options();
    options.acknowledge_log = true;
    bench.agent_with(options, Box::new(bench.store())).unwrap().run_once(false).unwrap();
    bench.run();
    assert_eq!(found(), (false, "none".to_owned()));
    assert_eq!(bench.candidates(), [bench.held()]);
}
