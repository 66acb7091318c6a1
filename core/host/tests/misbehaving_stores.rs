//! Account stores that fail, lie, hang, give no answer or refuse: the promise holds, and an honest
//! store ends with one candidate.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]

extern crate alloc;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::fs;

use laps_core::error::Code;
use laps_core::identity::{AccountName, Scope};
use laps_host::agent::channel::ChannelError;
use laps_host::agent::event::AgentEvent;
use laps_host::agent::{Agent, RunOutcome};
use laps_host::time::now;
use laps_testkit::account::{Call, Watched};
use laps_testkit::bench::{Bench, DEVICE, HONEST};

/// Runs an agent with a misbehaving store; the promise holds, and an honest store ends with one
/// candidate.
fn misbehaves(script: &str, outcome: RunOutcome, event: &str) {
    let bench = Bench::new();
    bench.run();
    bench.order();
    bench.script(script);
    assert_eq!(bench.run(), outcome, "{script}");
    assert!(bench.names().contains(&event), "{script}: {:?}", bench.names());
    let mut known = bench.candidates();
    known.extend(bench.journalled());
    assert!(known.contains(&bench.held()), "{script}");
    bench.script(HONEST);
    for _ in 0..3 {
        bench.run();
    }
    assert_eq!(bench.run(), RunOutcome::NothingDue, "{script}");
    assert_eq!(bench.candidates(), [bench.held()], "{script}");
    assert_eq!(bench.journalled(), [bench.held()], "{script}");
}

#[test]
fn a_setter_that_only_says_that_it_did_is_caught() {
    let script = HONEST.replace("set)", "set) cat > /dev/null; exit 0 ;; never)");
    misbehaves(&script, RunOutcome::NotCommitted, "backed-up");
}

#[test]
fn a_setter_that_did_it_and_says_that_it_failed_commits() {
    let script = HONEST.replace("\"$D/$2\" ;;", "\"$D/$2\"; exit 1 ;;");
    misbehaves(&script, RunOutcome::Committed, "verified");
}

#[test]
fn a_setter_that_fails_leaves_the_old_password() {
    let script = HONEST.replace("set)", "set) cat > /dev/null; exit 1 ;; never)");
    misbehaves(&script, RunOutcome::NotCommitted, "backed-up");
}

#[test]
fn a_setter_that_does_half_and_cannot_be_verified_leaves_both_candidates() {
    let script = HONEST
        .replace("\"$D/$2\" ;;", "\"$D/$2\"; exit 1 ;;")
        .replace("verify)", "verify) exit 7 ;; never)");
    misbehaves(&script, RunOutcome::NotCommitted, "backed-up");
}

#[test]
fn a_refused_password_is_made_again() {
    let bench = Bench::new();
    let once = "set) if [ ! -e \"$D/refused\" ]; then cat > \"$D/refused\"; echo no good >&2; exit \
                10; fi; ";
    bench.script(&HONEST.replace("set) ", once));
    let mut agent = bench.agent();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Committed);
    let refused = fs::read_to_string(bench.path("refused")).unwrap();
    assert_ne!(bench.held(), refused);
    let events = bench.events.lock().unwrap();
    let event = events.iter().find(|event| event.name == "password-refused").unwrap();
    assert_eq!(event.id, Some(10027));
    assert!(!event.message.contains("no good"), "{}", event.message);
    drop(events);
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn more_than_sixteen_candidates_are_said_and_heal_by_themselves() {
    let bench = Bench::new();
    bench.run();
    // The account gives no answer: each run leaves one more candidate.
    bench.script(
        &HONEST.replace("set)", "set) exit 1 ;; never)").replace("verify)", "verify) exit 7 ;; x)"),
    );
    for _ in 0..20 {
        let _outcome = bench.agent().run_once(true).unwrap();
    }
    // The last of them was left between two tries: the next start settles it, and waits.
    assert_eq!(bench.run(), RunOutcome::NotCommitted);
    let status = laps_host::agent::state::status(&bench.path("state")).unwrap();
    assert!(status.may_hold.len() >= 16);
    assert!(bench.candidates().contains(&bench.held()));
    let waits = status.waits.unwrap();
    assert_eq!(waits.why, "interrupted");
    let events = bench.events.lock().unwrap().clone();
    let said = events.iter().find(|event| event.name == "candidate-dropped").unwrap();
    for word in ["the vault keeps it", "once a day", "find out why"] {
        assert!(said.message.contains(word), "{}", said.message);
    }
    // The account answers again. Nothing else has to be done, and who does not want to wait for the
    // day forces.
    bench.script(HONEST);
    assert_eq!(bench.agent().run_once(false).unwrap(), RunOutcome::NotCommitted);
    assert_eq!(bench.agent().run_once(true).unwrap(), RunOutcome::Committed);
    assert_eq!(bench.candidates(), [bench.held()]);
    assert_eq!(bench.journalled(), [bench.held()]);
}

#[test]
fn a_machine_that_refuses_its_new_settings_goes_on_with_what_is_in_flight() {
    let bench = Bench::new();
    let (nameless, reached) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    // A store that finds no name for a while, as one that an embedder writes may.
    let store = {
        let nameless = Arc::clone(&nameless);
        let watch = move |call: Call<'_>| {
            if let (Call::Found(account), true) = (call, nameless.load(Ordering::Relaxed)) {
                account.name = AccountName::EMPTY;
            }
        };
        Watched { inner: Box::new(bench.store()), watch }
    };
    let vault = bench.vault();
    let channel = {
        let reached = Arc::clone(&reached);
        move |check_in: &[u8]| {
            if !reached.load(Ordering::Relaxed) {
                return Err(ChannelError::new(Code::Unreachable, "the network is down"));
            }
            vault
                .check_in(&Scope::EMPTY, DEVICE, check_in, now())
                .map_err(|error| ChannelError::new(error.code(), error.to_string()))
        }
    };
    let seen = Arc::clone(&bench.events);
    let sink = Box::new(move |event: &AgentEvent| {
        // The network goes away once a password is made.
        if event.name == "prepared" {
            reached.store(false, Ordering::Relaxed);
        }
        seen.lock().unwrap().push(event.clone());
    });
    let mut agent = Agent::open(bench.options(), Box::new(store), Box::new(channel), sink).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Unreachable);
    nameless.store(true, Ordering::Relaxed);
    let error = agent.run_once(false).unwrap_err();
    assert!(error.to_string().contains("account"), "{error}");
    nameless.store(false, Ordering::Relaxed);
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Unreachable);
    // The password in memory is the same one still: no second one was made, and none was recovered
    // from a journal.
    let names = bench.names();
    let count = |name: &str| names.iter().filter(|other| **other == name).count();
    assert_eq!((count("prepared"), count("recovered")), (1, 0), "{names:?}");
}

#[test]
fn a_store_that_cannot_verify_is_believed_and_says_so() {
    let bench = Bench::new();
    bench.script(&HONEST.replace("verify)", "verify) exit 11 ;; never)"));
    assert_eq!(bench.run(), RunOutcome::Committed);
    assert!(bench.names().contains(&"store-cannot"));
    assert!(!bench.names().contains(&"verified"));
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn a_store_that_can_no_longer_verify_is_believed_from_then_on() {
    let bench = Bench::new();
    let mut agent = bench.agent();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Committed);
    assert!(bench.names().contains(&"verified"));
    // As when somebody disables the account between two rotations of one agent.
    bench.script(&HONEST.replace("verify)", "verify) exit 11 ;; never)"));
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    assert!(bench.names().contains(&"store-cannot"));
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn a_hanging_setter_is_ended_and_reported() {
    let bench = Bench::new();
    bench.run();
    bench.order();
    let first = bench.held();
    bench.script(&HONEST.replace("set)", "set) sleep 600 ;; never)"));
    let mut options = bench.options();
    options.setter_timeout = Duration::from_millis(300);
    let mut agent = bench.agent_with(options, Box::new(bench.store())).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::NotCommitted);
    assert_eq!(bench.held(), first);
    assert!(bench.candidates().contains(&first));
}
