//! A password is in no argument, environment, event or file of the device, while an agent and its
//! account store work.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::fs;
use std::io::Read as _;
use std::process::Command;

use laps_host::agent::RunOutcome;
use laps_host::agent::event::AgentEvent;
use laps_testkit::bench::{Bench, HONEST};

/// Looks through the arguments and the environment of every process that has this word in its
/// arguments, while `work` runs: what was seen, and how often there was something to see.
fn watched(word: &'static str, work: impl FnOnce()) -> (Vec<u8>, u32) {
    let stop = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let (mut seen, mut looks) = (Vec::new(), 0_u32);
            while !stop.load(Ordering::Relaxed) {
                let mut found = false;
                for process in fs::read_dir("/proc").unwrap().flatten() {
                    let read = |name: &str| fs::read(process.path().join(name)).unwrap_or_default();
                    let arguments = read("cmdline");
                    if contains(&arguments, word.as_bytes()) {
                        found = true;
                        seen.extend(arguments);
                        seen.extend(read("environ"));
                    }
                }
                looks += u32::from(found);
                std::thread::sleep(Duration::from_millis(2));
            }
            (seen, looks)
        }
    });
    work();
    stop.store(true, Ordering::Relaxed);
    watcher.join().unwrap()
}

#[test]
fn the_password_is_in_no_argument_environment_or_event() {
    let bench = Bench::new();
    // Slow enough to be looked at several times while each child lives.
    bench.script(&format!("sleep 0.1{HONEST}"));
    let mut passwords = Vec::new();
    let (seen, looks) = watched("account.sh", || {
        for _ in 0..3 {
            assert_eq!(bench.agent().run_once(true).unwrap(), RunOutcome::Committed);
            passwords.push(bench.held());
        }
    });
    assert!(looks > 6, "the children were not seen: {looks}");
    assert!(contains(&seen, b"Admin"), "the arguments were not read");
    assert!(contains(&seen, b"PATH="), "the environment was not read");
    let events = bench.events.lock().unwrap();
    let log: String = events.iter().map(AgentEvent::to_json).collect();
    let mut state = Vec::new();
    for file in fs::read_dir(bench.path("state")).unwrap().flatten() {
        fs::File::open(file.path()).unwrap().read_to_end(&mut state).unwrap();
    }
    for password in passwords {
        assert!(!contains(&seen, password.as_bytes()));
        assert!(!contains(log.as_bytes(), password.as_bytes()));
        assert!(!contains(&state, password.as_bytes()));
    }
}

#[test]
fn a_password_in_arguments_or_the_environment_would_be_seen() {
    for (argument, environment) in [("Secret-in-arguments", "no"), ("no", "Secret-in-environment")]
    {
        let (seen, looks) = watched("leaking-child", || {
            let mut child = Command::new("sh")
                .args(["-c", "sleep 0.3", "leaking-child", argument])
                .env("LEAK", environment)
                .spawn()
                .unwrap();
            child.wait().unwrap();
        });
        assert!(looks > 0 && contains(&seen, b"Secret-in-"), "{argument} {environment}");
    }
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}
