//! People doing ordinary things in an ordinary order, against a whole device: what was once seen to fail.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

#[path = "support/bench.rs"]
mod bench;
#[path = "support/program.rs"]
mod program;

use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::time::Instant;

use bench::{Bench, HONEST};
use laps_core::identity::Scope;
use laps_core::random::Generator;
use laps_core::rotation::message::Answer;
use laps_core::seal::{ReaderKey, Suite};
use laps_core::vault::{Confirmation, Request};
use laps_host::agent::channel::ChannelError;
use laps_host::agent::status::status;
use laps_host::agent::{Agent, RunOutcome};
use laps_host::time::now;

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
    let seen = bench.vault().show(&Scope::EMPTY, bench::DEVICE).unwrap();
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
        let answer = vault.check_in(&Scope::EMPTY, bench::DEVICE, check_in, now()).unwrap();
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
