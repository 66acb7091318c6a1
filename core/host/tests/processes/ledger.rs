//! What a worker was promised, and whether the vault keeps it.

use alloc::collections::BTreeMap;
use core::time::Duration;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Child;

use laps_core::seal::Record;
use laps_core::vault::audit::Action;
use laps_core::vault::plan::{DeviceRange, Plan};
use laps_core::vault::run::look;
use laps_core::vault::{AuditHead, CandidateState, Vault};
use laps_host::sqlite::SqliteStore;
use rusqlite::Connection;

use super::bed::{counting, scope};

#[derive(Default)]
pub struct Ledger {
    stored: BTreeMap<String, (String, u64)>,
    committed: BTreeMap<String, (String, u64)>,
    heads: Vec<AuditHead>,
    acknowledged: u64,
    refused: u64,
    times: Vec<u64>,
}

impl Ledger {
    /// One for each, at the same time.
    pub fn of_each<T: Send>(
        each: impl IntoIterator<Item = T>,
        follow: impl Fn(&mut Self, T) + Sync,
    ) -> Vec<Self> {
        let follow = &follow;
        std::thread::scope(|threads| {
            let start = |one| {
                threads.spawn(move || {
                    let mut ledger = Self::default();
                    follow(&mut ledger, one);
                    ledger
                })
            };
            let running: Vec<_> = each.into_iter().map(start).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// How long each piece of work took, in microseconds, where the worker says so.
    pub fn times(&self) -> &[u64] {
        &self.times
    }

    /// Reads so many lines, waits a little, kills, and reads what was still on its way.
    pub fn follow_and_kill(&mut self, mut child: Child, lines: u64, pause: Duration) {
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in out.by_ref().take(usize::try_from(lines).unwrap()) {
            self.note(&line.unwrap());
        }
        std::thread::sleep(pause);
        child.kill().unwrap();
        // A last line that was cut is not an acknowledgement that anybody received.
        let rest: Vec<String> = out.map_while(Result::ok).collect();
        rest.iter().for_each(|line| self.note(line));
        assert!(!child.wait().unwrap().success());
    }

    pub fn follow_to_the_end(&mut self, mut child: Child) {
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        out.for_each(|line| self.note(&line.unwrap()));
        assert!(child.wait().unwrap().success());
    }

    fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["stored", device, id, version] => {
                self.stored
                    .insert((*device).to_owned(), ((*id).to_owned(), version.parse().unwrap()));
                self.acknowledged += 1;
            }
            ["committed", device, id, version] => {
                self.committed
                    .insert((*device).to_owned(), ((*id).to_owned(), version.parse().unwrap()));
                self.acknowledged += 1;
            }
            ["disclosed", _, head, _] => {
                self.heads.push(head.parse().unwrap());
                self.acknowledged += 1;
            }
            ["refused", _] => self.refused += 1,
            ["took", micros] => self.times.push(micros.parse().unwrap()),
            _ => panic!("an unknown line: {line}"),
        }
    }

    /// Everything that was acknowledged is there, and nothing is there by half.
    pub fn compare(&self, path: &Path) {
        let store = SqliteStore::open(path).unwrap();
        let vault = Vault::new(store, counting());
        for (device, (id, version)) in &self.stored {
            let rows = vault.history(&scope(), device).unwrap();
            let there = rows.iter().any(|row| row.record.to_string() == *id);
            let current = vault.show(&scope(), device).unwrap().version.unwrap();
            assert!(there || current > *version, "{device} {version} was stored");
        }
        for (device, (id, version)) in &self.committed {
            let rows = vault.history(&scope(), device).unwrap();
            let current = rows.iter().find(|row| row.state == CandidateState::Current).unwrap();
            assert!(current.version >= *version, "{device} {version} was committed");
            assert!(current.version > *version || current.record.to_string() == *id);
        }
        let report = vault.audit_verify(&scope(), self.heads.last().copied()).unwrap();
        assert!(report.ok, "{report:?}");
        for head in self.heads.iter().rev().take(5) {
            assert!(
                vault.audit_verify(&scope(), Some(*head)).unwrap().ok,
                "{head} is in the audit log"
            );
        }
        self.compare_orders(&vault);
        let connection = Connection::open(path).unwrap();
        self.compare_records(&vault, &connection);
        let wrong = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
            .unwrap();
        assert_eq!(wrong, "ok");
    }

    /// An entry that says "and ordered to rotate" has its order, until the device rotates.
    fn compare_orders(&self, vault: &Vault<SqliteStore>) {
        let length = vault.audit_head(&scope()).unwrap().length;
        let entries = vault.audit_entries(&scope(), length.saturating_sub(50), 50).unwrap();
        for stored in entries {
            let entry = stored.entry.unwrap();
            assert_eq!(entry.action, Action::Disclosed);
            let rows = vault.history(&scope(), &entry.device).unwrap();
            let current = rows.iter().find(|row| row.state == CandidateState::Current);
            if current.is_some_and(|row| entry.records.contains(&row.record)) {
                assert!(vault.is_ordered(&scope(), &entry.device).unwrap(), "{}", entry.device);
            }
        }
    }

    /// Every record that the vault speaks of has its bytes, and there are no others.
    fn compare_records(&self, vault: &Vault<SqliteStore>, connection: &Connection) {
        let page = DeviceRange::by_name(None, 100);
        let kept = look(vault.store(), Plan::page(&scope(), &page), |rows| {
            let mut kept = Vec::new();
            for name in &rows.names(&page)? {
                let device = rows.stored(name)?.device.clone()?;
                for held in device.accounts().flat_map(|account| account.candidates.all()) {
                    kept.extend(held.sealings().map(|sealing| (*name, held.id, sealing.digest)));
                }
            }
            rows.need_sealed(kept.iter().map(|(name, id, digest)| (name, *id, *digest)))?;
            for (name, id, digest) in &kept {
                let bytes = rows.sealed(name, *id, *digest)?.unwrap();
                assert_eq!(Record::parse(bytes).unwrap().header().id, *id);
            }
            Ok(i64::try_from(kept.len()).unwrap())
        })
        .unwrap();
        let rows: i64 =
            connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, kept);
    }
}
