//! A policy names a real local account that is not there: yet, any more, or under that name. Needs
//! root.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::process::Command;
use std::time::Instant;

use laps_core::identity::{AccountName, Scope};
use laps_core::secret::Password;
use laps_core::vault::{DeviceRow, DiscloseOptions, Request};
use laps_host::account::linux::LinuxStore;
use laps_host::account::{AccountStore as _, Verification};
use laps_host::agent::state::status;
use laps_host::agent::status::AgentStatus;
use laps_host::agent::{Agent, PolicySource, RunOutcome};
use laps_host::time::now;
use laps_testkit::bench::{Bench, DEVICE};
use laps_testkit::real_account::RealAccount;

/// A device whose policy names an account of this test.
struct Device {
    bench: Bench,
    account: RealAccount,
}

impl Device {
    fn new(what: &str) -> Self {
        let name = format!("laps-{}-{what}", std::process::id());
        // Nobody has made it yet; it is removed like one that somebody has.
        Self { bench: Bench::new(), account: RealAccount { name } }
    }

    fn agent(&self) -> Agent {
        let mut options = self.bench.options();
        let name = &self.account.name;
        let policy = format!(r#"{{"BackupDirectory":1,"AdministratorAccountName":"{name}"}}"#);
        options.policy = PolicySource::Texts(vec![("p.json".to_owned(), policy.into_bytes())]);
        self.bench.agent_with(options, Box::new(LinuxStore::new())).unwrap()
    }

    fn run(&self) -> RunOutcome {
        self.agent().run_once(false).unwrap()
    }

    /// The agent as a service, until this is so.
    fn serve_until(&self, holds: impl Fn(&Self) -> bool) {
        let stop = Arc::new(AtomicBool::new(false));
        let mut agent = self.agent();
        let heard = Arc::clone(&stop);
        let service = std::thread::spawn(move || agent.run(&heard, Duration::from_secs(60)));
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", self.bench.names());
            std::thread::sleep(Duration::from_millis(20));
        }
        let told = Instant::now();
        stop.store(true, Ordering::Relaxed);
        service.join().unwrap().unwrap();
        assert!(told.elapsed() < Duration::from_secs(1), "a stop ends it within a second");
    }

    fn status(&self) -> AgentStatus {
        status(&self.bench.path("state")).unwrap()
    }

    fn row(&self) -> Option<DeviceRow> {
        self.bench.vault().show(&Scope::EMPTY, DEVICE).ok()
    }

    /// It is missing, and everybody says so.
    #[track_caller]
    fn is_reported(&self) {
        let status = self.status();
        assert_eq!((status.state.as_str(), status.account_missing), ("account-missing", true));
        let row = self.row().unwrap();
        assert_eq!(row.account.as_str(), self.account.name);
        assert!(row.findings.account_missing);
        let events = self.bench.events.lock().unwrap().clone();
        let told = events.iter().rfind(|event| event.name == "account-not-found").unwrap();
        assert_eq!(told.id, Some(10013));
        assert!(told.message.contains("create it"), "{}", told.message);
    }

    /// It is there, and its password is what a reader gets first.
    #[track_caller]
    fn is_settled(&self) {
        assert_eq!(self.status().state, "settled");
        let row = self.row().unwrap();
        assert!(!row.findings.account_missing && row.account.as_str() == self.account.name);
        let [only] = <[String; 1]>::try_from(self.bench.candidates()).unwrap();
        let mut store = LinuxStore::new();
        let account = store.find(&AccountName::new(&self.account.name).unwrap()).unwrap();
        let password = Password::try_from_str(&only).unwrap();
        assert_eq!(store.verify(&account, &password), Verification::Matches);
    }
}

fn tool(words: &[&str]) {
    let done = Command::new(words.first().unwrap()).args(words.iter().skip(1)).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn make(name: &str) {
    tool(&["useradd", "--no-create-home", "--no-user-group", "--shell", "/bin/sh", name]);
}

#[test]
fn single_runs_tell_report_and_follow_an_account_that_comes_goes_and_is_renamed() {
    let mut device = Device::new("comes");
    for _ in 0..3 {
        let outcome = device.run();
        assert_eq!((outcome, outcome.exit_status()), (RunOutcome::AccountMissing, 4));
        device.is_reported();
    }
    assert_eq!((device.status().version, device.row().unwrap().candidates), (0, 0));
    assert!(!device.bench.names().contains(&"prepared"), "nothing is made");
    make(&device.account.name);
    assert_eq!(device.run(), RunOutcome::Committed);
    device.is_settled();
    // Another name than the policy has.
    let (old, new) = (device.account.name.clone(), format!("{}-2", device.account.name));
    tool(&["usermod", "--login", &new, &old]);
    assert_eq!(device.run(), RunOutcome::AccountMissing);
    device.is_reported();
    // The policy follows: it is the same account, and its password goes by the new name from now
    // on.
    device.account.name.clone_from(&new);
    assert_eq!(device.run(), RunOutcome::Committed);
    device.is_settled();
    assert!(device.row().unwrap().accounts.is_empty(), "no other account");
    // It is deleted, and what it had stays with the vault.
    tool(&["userdel", "--force", &new]);
    assert_eq!(device.run(), RunOutcome::AccountMissing);
    device.is_reported();
    let request = Request::new("tester", "a test");
    let options = DiscloseOptions::default();
    let found = device.bench.vault().disclose(&Scope::EMPTY, DEVICE, &request, options, now());
    assert_eq!(found.unwrap().candidates.len(), 1);
    make(&new);
    assert_eq!(device.run(), RunOutcome::Committed);
    device.is_settled();
    assert_eq!(device.run(), RunOutcome::NothingDue);
}

#[test]
fn a_password_that_a_hand_set_between_two_runs_is_replaced_once() {
    let device = Device::new("byhand");
    make(&device.account.name);
    assert_eq!(device.run(), RunOutcome::Committed);
    device.account.chpasswd_with("SHA512", "of a hand");
    assert_eq!(device.run(), RunOutcome::Committed);
    device.is_settled();
    assert_eq!(device.status().last.unwrap().reason, "account-changed");
    assert_eq!(device.run(), RunOutcome::NothingDue);
}

#[test]
fn a_service_tells_reports_and_follows_an_account_that_comes_and_goes() {
    let device = Device::new("served");
    let missing = |device: &Device| device.row().is_some_and(|row| row.findings.account_missing);
    let settled = |device: &Device| {
        device.status().state == "settled" && !missing(device) && device.row().is_some()
    };
    device.serve_until(missing);
    device.is_reported();
    make(&device.account.name);
    device.serve_until(settled);
    device.is_settled();
    tool(&["userdel", "--force", &device.account.name]);
    device.serve_until(missing);
    device.is_reported();
}
