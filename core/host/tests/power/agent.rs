//! An agent and its vault: whenever the power fails, the account has a password that a reader can
//! open, from the vault or from the journal, and the agent that is started afterwards brings both
//! to one and the same.
//!
//! The account itself is in memory: setting a password is one event between two marks, and between
//! them the power can have left the old password or the new one.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use std::fs;
use std::path::Path;

use laps_core::error::Code;
use laps_core::identity::{DeviceId, Scope};
use laps_core::vault::{DiscloseOptions, Request, Selection, Vault};
use laps_host::agent::channel::ChannelError;
use laps_host::agent::event::AgentEvent;
use laps_host::agent::{Agent, RunOutcome, journal};
use laps_host::sqlite::SqliteStore;
use laps_host::time::now;
use laps_testkit::account::InMemory;
use laps_testkit::bench::{Bench, DEVICE};

use super::disk::Disk;
use super::fail_everywhere;
use super::recorder::{mark, record};

const WHO: Request<'_> = Request::new("tester", "a test");
const SCOPE: Scope = Scope::EMPTY;

/// A device whose files are in a folder.
struct Device<'a> {
    bench: &'a Bench,
    folder: &'a Path,
    account: InMemory,
}

impl Device<'_> {
    fn vault(&self) -> Vault<SqliteStore> {
        Vault::from_system(SqliteStore::open(self.folder.join("vault")).unwrap())
    }

    /// An agent; the network goes away at the event of this name.
    fn agent(&self, lost_at: Option<&'static str>) -> Agent {
        let (vault, reached) = (self.vault(), Arc::new(AtomicBool::new(true)));
        let reaches = Arc::clone(&reached);
        let channel = move |check_in: &[u8]| {
            if !reaches.load(Ordering::Relaxed) {
                return Err(ChannelError::new(Code::Unreachable, "the network is down"));
            }
            vault
                .check_in(&SCOPE, DEVICE, check_in, now())
                .map_err(|error| ChannelError::new(error.code(), error.to_string()))
        };
        let sink = move |event: &AgentEvent| {
            if lost_at == Some(event.name) {
                reached.store(false, Ordering::Relaxed);
            }
        };
        let mut options = self.bench.options();
        options.state = self.folder.join("state");
        options.device = DeviceId::new(DEVICE).unwrap();
        let store = Box::new(self.account.clone());
        Agent::open(options, store, Box::new(channel), Box::new(sink)).unwrap()
    }

    fn run(&self) -> RunOutcome {
        self.agent(None).run_once(false).unwrap()
    }

    fn order(&self) {
        self.vault().order_rotation(&SCOPE, Selection::Devices(&[DEVICE]), &WHO, now()).unwrap();
    }

    /// What a reader gets from the vault.
    fn candidates(&self) -> Vec<String> {
        match self.vault().disclose(&SCOPE, DEVICE, &WHO, DiscloseOptions::default(), now()) {
            Ok(found) => found.candidates.iter().map(|one| self.bench.open(&one.sealed)).collect(),
            Err(error) if error.code() == Code::NotFound => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// What a reader gets from the journal.
    fn journalled(&self) -> Vec<String> {
        let Ok(bytes) = fs::read(self.folder.join("state/journal")) else { return Vec::new() };
        let file = journal::read(&bytes).unwrap();
        file.records.iter().map(|sealed| self.bench.open(sealed)).collect()
    }

    /// Everything that can happen to an agent, with a rotation in each of the states of its
    /// network.
    fn live(&self) {
        // What it finds is not managed yet.
        assert_eq!(self.run(), RunOutcome::Committed);
        assert_eq!(self.run(), RunOutcome::NothingDue);
        for lost_at in [None, Some("prepared"), Some("backed-up"), Some("account-updated")] {
            // An order for a password that was made on an order waits: a person forces those that
            // follow.
            let forced = lost_at.is_some();
            if !forced {
                self.order();
            }
            let mut agent = self.agent(lost_at);
            agent.run_once(forced).unwrap();
            // The same agent goes on, or the next one, which has no password in memory.
            if lost_at == Some("prepared") {
                agent.run_once(false).unwrap();
            }
            drop(agent);
            self.run();
        }
        assert!(self.candidates().iter().any(|password| self.account.has(password)));
        assert!(self.account.passwords().len() >= 5);
    }
}

pub fn work(folder: &Path) {
    for helpful in [true, false] {
        let bench = Bench::new();
        let mut account = InMemory::new(helpful, &[]);
        account.mark = Some(mark);
        let device = Device { bench: &bench, folder: bench.folder.path(), account };
        let before = Disk::of(device.folder);
        let events = record(device.folder, || device.live());
        let had = device.account.passwords().clone();
        let mut looked = 0_usize;
        fail_everywhere(before, &events, folder, |left, marks, what| {
            let last = marks.last().map(|last| usize::try_from(*last).unwrap());
            // Where it was being set, it is the one before or the new one; before the first one it
            // is nobody's.
            let (from, to) = match last {
                None => return,
                Some(last) if last % 2 == 0 => ((last / 2).saturating_sub(1), last / 2),
                Some(last) => (last / 2, last / 2),
            };
            for latest in from..=to {
                looked += 1;
                let account = InMemory::new(helpful, &had[..=latest]);
                let device = Device { bench: &bench, folder: left, account };
                let mut known = device.candidates();
                known.extend(device.journalled());
                assert!(known.contains(&had[latest]), "{what}: locked out");
                // The other password has its own disk.
                if from == to && looked.is_multiple_of(3) {
                    go_on(&device, what);
                }
            }
        });
    }
}

/// The agent is started again, and settles.
fn go_on(device: &Device<'_>, what: &str) {
    let held = |known: &[String]| known.iter().any(|password| device.account.has(password));
    for run in 0..6 {
        let outcome = device.run();
        let candidates = device.candidates();
        assert!(held(&candidates) || held(&device.journalled()), "{what}: lost in run {run}");
        if outcome == RunOutcome::NothingDue {
            assert!(held(&candidates), "{what}: not in the vault");
            // Without verification and change stamps both passwords may stay candidates until the
            // next rotation.
            assert!(
                !device.account.helpful || candidates.len() == 1,
                "{what}: {}",
                candidates.len()
            );
            return;
        }
    }
    panic!("{what}: does not settle");
}
