//! The whole way from a use of a real account to its sign-out: the machine with a clock that is
//! passed in, the vault in a file, the account and its processes real. So two minutes of warning
//! take no time, and no test depends on it. Needs root.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use alloc::collections::BTreeMap;
use std::process::{Command, Stdio};

use laps_core::account::LocalAccount;
use laps_core::generate::{Complexity, Recipe};
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::random::{Generator, SystemSource};
use laps_core::rotation::event::EventKind;
use laps_core::rotation::message::{MAX_HEAD, record_prefix};
use laps_core::rotation::{
    AccountSeen, Acted, Action, Applied, Config, Effect, FollowUp, MAX_JOURNAL, Rotation, Verified,
};
use laps_core::seal::{Header, Record};
use laps_core::secret::Password;
use laps_host::account::linux::LinuxStore;
use laps_host::account::setter::SetterLock;
use laps_host::account::{AccountStore as _, Verification};
use laps_host::time::now;
use laps_testkit::bench::{Bench, DEVICE};
use laps_testkit::real_account::{RealAccount, script};

struct Driver {
    bench: Bench,
    store: LinuxStore,
    account: LocalAccount,
    machine: Rotation,
    generator: Generator<SystemSource>,
    records: BTreeMap<RecordId, Vec<u8>>,
    password: Option<Box<Password>>,
    now: Timestamp,
    acts: Vec<(Timestamp, Action)>,
    kinds: Vec<EventKind>,
}

impl Driver {
    fn new(real: &RealAccount, mut store: LinuxStore, actions: u8) -> Self {
        let account = store.find(&AccountName::new(&real.name).unwrap()).unwrap();
        let device = DeviceId::new(DEVICE).unwrap();
        let mut config = Config::new(Scope::EMPTY, device, account.name, account.sid);
        config.post_authentication_actions = FollowUp::from_setting(actions).unwrap();
        config.post_authentication_delay_seconds = 3600;
        let now = now();
        Self {
            bench: Bench::new(),
            store,
            account,
            machine: Rotation::new(config, now).unwrap(),
            generator: Generator::from_system().unwrap(),
            records: BTreeMap::new(),
            password: None,
            now,
            acts: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// Performs the effects until there is something to wait for; until when.
    fn run(&mut self) -> Timestamp {
        loop {
            let now = self.now;
            match self.machine.poll() {
                Effect::WaitUntil(at) => {
                    while let Some(event) = self.machine.poll_event() {
                        self.kinds.push(event.kind);
                    }
                    return at;
                }
                Effect::Wipe => {
                    self.password = None;
                    self.machine.handle_wiped().unwrap();
                }
                Effect::Save => {
                    self.machine.journal(&mut [0; MAX_JOURNAL]).unwrap();
                    self.machine.handle_saved().unwrap();
                }
                Effect::LookUp => {
                    let change_stamp = self.store.change_stamp(&self.account).unwrap();
                    self.machine.handle_account(AccountSeen::Present { change_stamp }, now);
                }
                Effect::CheckIn => self.check_in(),
                Effect::Prepare { previous, version } => self.prepare(previous, version),
                Effect::ReadChangeStamp => {
                    let change_stamp = self.store.change_stamp(&self.account).unwrap();
                    self.machine.handle_change_stamp(change_stamp, now, 0).unwrap();
                }
                Effect::Apply { .. } => {
                    let password = self.password.as_ref().unwrap();
                    let mut lock = SetterLock::unlocked();
                    self.store.set(&self.account, password, &mut lock).unwrap();
                    self.machine.handle_applied(Applied::Success, now).unwrap();
                }
                Effect::Verify { .. } => {
                    let answer = self.store.verify(&self.account, self.password.as_ref().unwrap());
                    assert_eq!(answer, Verification::Matches);
                    self.machine.handle_verified(Verified::Match, now, 0).unwrap();
                }
                Effect::Act(action) => {
                    assert_eq!(self.store.act(&self.account, action), Ok(()), "{action:?}");
                    self.acts.push((now, action));
                    self.machine.handle_acted(Acted::Done, now).unwrap();
                }
            }
        }
    }

    fn check_in(&mut self) {
        let mut nonce = [0; 16];
        self.generator.fill(&mut nonce).unwrap();
        let mut head = [0; MAX_HEAD];
        let length = self.machine.check_in(nonce, &mut head).unwrap();
        let mut message = head.get(..length).unwrap().to_vec();
        for id in self.machine.offers().iter() {
            let record = self.records.get(&id).unwrap();
            message.extend(record_prefix(record).unwrap());
            message.extend(record);
        }
        let vault = self.bench.vault();
        let answer = vault.check_in(&Scope::EMPTY, DEVICE, &message, self.now).unwrap();
        self.machine.handle_answer(&answer, self.now, 0).unwrap();
    }

    fn prepare(&mut self, previous: Option<RecordId>, version: u64) {
        let mut id = [0; 16];
        self.generator.fill(&mut id).unwrap();
        let id = RecordId::from_bytes(id);
        let recipe = Recipe::complexity(Complexity::Full, 14).unwrap();
        let mut password = Box::new(Password::empty());
        recipe.generate_into(&mut self.generator, &mut password).unwrap();
        let header = Header {
            scope: Scope::EMPTY,
            device: DeviceId::new(DEVICE).unwrap(),
            account: self.account.name,
            sid: self.account.sid,
            id,
            previous,
            version,
            made_at: self.now,
            policy_hash: [0; 32],
        };
        let readers = [self.bench.reader.reader().clone()];
        let record = Record::seal(&header, &password, &readers, &mut self.generator).unwrap();
        self.records.insert(id, record.as_bytes().to_vec());
        self.password = Some(password);
        let change_stamp = self.store.change_stamp(&self.account).unwrap();
        self.machine.handle_prepared(id, version, change_stamp, self.now).unwrap();
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(seconds);
        self.machine.handle_timeout(self.now);
        self.run();
    }

    /// What the store sees of a use, told to the machine.
    fn look_for_use(&mut self) {
        let since = self.machine.used_since().plus(1);
        let at = self.store.used_since(&self.account, since).unwrap().unwrap();
        self.machine.handle_used(at, self.now);
    }
}

#[test]
fn a_used_account_gets_a_new_password_and_its_processes_end_two_minutes_after_a_warning() {
    let real = RealAccount::new("after");
    let mut driver = Driver::new(&real, LinuxStore::new(), 11);
    driver.run();
    let first = real.shadow();
    // Later, somebody works as the account: once at a terminal, once without one.
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("picture");
    let inside = format!("setpriv --reuid {} --clear-groups sleep 600", real.uid());
    let mut session = Command::new("setsid")
        .args(["--wait", "script", "--quiet", "--flush", "--command", &inside])
        .arg(&picture)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut job = real.run("setsid --wait sleep 600");
    driver.pass(5);
    // Processes begin at the machine's clock, which this test is a little ahead of: wait until it
    // is past the commit.
    while driver.store.used_since(&driver.account, driver.machine.used_since().plus(1)) == Ok(None)
    {
        std::thread::sleep(core::time::Duration::from_millis(50));
        if now() > driver.now {
            driver.pass(1);
        }
        job.kill().unwrap();
        job.wait().unwrap();
        job = real.run("setsid --wait sleep 600");
    }
    driver.look_for_use();
    driver.run();
    assert!(driver.kinds.contains(&EventKind::AuthenticationDetected));
    driver.pass(3590);
    assert_eq!((real.shadow() == first, driver.acts.len()), (true, 0), "before the delay is over");
    driver.pass(20);
    assert_ne!(real.shadow(), first, "the password is reset when the delay is over");
    let began = driver.now;
    assert_eq!(driver.acts, [(began, Action::WarnSignOut)]);
    driver.pass(119);
    assert!(session.try_wait().unwrap().is_none() && job.try_wait().unwrap().is_none());
    driver.pass(1);
    session.wait().unwrap();
    assert!(!job.wait().unwrap().success());
    let end = began.plus(120);
    assert_eq!(driver.acts.get(1..), Some(&[(end, Action::SignOut), (end, Action::Terminate)][..]));
    assert!(driver.kinds.contains(&EventKind::PostAuthenticationDone));
    assert_eq!(driver.bench.candidates().len(), 1);
}

#[test]
fn a_restart_comes_one_minute_after_a_warning_and_once() {
    let real = RealAccount::new("minute");
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("restarted");
    // Never the real one.
    let program = script(folder.path(), &format!("echo once >> {}", mark.display()));
    let mut driver = Driver::new(&real, LinuxStore::new().with_restart(&program), 5);
    driver.run();
    driver.pass(10);
    driver.machine.handle_used(driver.now, driver.now);
    driver.pass(3600);
    let began = driver.now;
    assert_eq!(driver.acts, [(began, Action::WarnRestart)]);
    driver.pass(59);
    assert!(!mark.exists());
    driver.pass(1);
    assert_eq!(driver.acts.last(), Some(&(began.plus(60), Action::Restart)));
    driver.pass(86_400);
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "once\n");
}
