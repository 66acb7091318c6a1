//! A vault: every operation.

use alloc::collections::BTreeMap;
use std::fs;
use std::path::Path;

use laps_core::vault::MemoryStore;
use laps_host::sqlite::SqliteStore;
use rusqlite::Connection;

use super::bed::{Either, scope};
use super::disk::Disk;
use super::fail_everywhere;
use super::faults::script::{Script, Tokens};
use super::faults::state::{State, assert_whole};
use super::recorder::{mark, record};

/// How often the log is folded into the file, in steps.
const FOLDED_EVERY: usize = 5;

pub fn work(folder: &Path) {
    for script in [Script::of_everything(), Script::of_many()] {
        let run = folder.join("run");
        fs::create_dir(&run).unwrap();
        let before = Disk::of(&run);
        let events = record(&run, || play(&script, &run.join("vault")));
        fs::remove_dir_all(&run).unwrap();
        let (mut allowed, mut looked) = (BTreeMap::new(), 0_usize);
        fail_everywhere(before, &events, folder, |left, marks, what| {
            looked += 1;
            let path = left.join("vault");
            if marks.is_empty() && !path.exists() {
                return;
            }
            let tokens = Tokens::default();
            let vault = tokens.vault(Either::Sqlite(SqliteStore::open(&path).unwrap()));
            let found = State::of(vault.store()).unwrap();
            // Mark 0 is behind the making of the file, mark n behind step n.
            let done = marks.len().saturating_sub(1);
            let allowed = allowed.entry(done).or_insert_with(|| states(&script, done));
            let step = script.steps.get(done).map_or("the end", |step| step.name);
            assert!(allowed.contains(&found), "{what}, before {step}: {found:?}");
            let report = vault.audit_verify(&scope(), Some(found.head)).unwrap();
            assert!(report.ok, "{what}: {report:?}");
            if looked.is_multiple_of(16) {
                script.goes_on(&vault);
            }
            drop(vault);
            assert_whole(&path, what);
        });
    }
}

/// With a mark behind every answer.
fn play(script: &Script, path: &Path) {
    drop(SqliteStore::init(path).unwrap());
    mark(0);
    let tokens = Tokens::default();
    let open = || tokens.vault(Either::Sqlite(SqliteStore::open(path).unwrap()));
    let mut vault = open();
    for (number, step) in (1..).zip(&script.steps) {
        if step.reopens() {
            drop(vault);
            vault = open();
        }
        assert!(step.run(&vault, &tokens) == step.answer, "{}", step.name);
        mark(number);
        if usize::try_from(number).unwrap().is_multiple_of(FOLDED_EVERY) {
            let connection = Connection::open(path).unwrap();
            connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
        }
    }
}

/// What a vault may hold after so many steps: what it was, and the next step in part, each
/// transaction as a whole.
fn states(script: &Script, done: usize) -> Vec<State> {
    let empty = MemoryStore::new();
    let after = |steps: usize| match steps.checked_sub(1) {
        Some(step) => &script.steps[step].after,
        None => &empty,
    };
    let mut states = vec![State::of(after(done)).unwrap()];
    // When a device was last seen is written without a sync.
    if done > 0 && script.steps[done - 1].only_notes {
        states.push(State::of(after(done - 1)).unwrap());
    }
    if let Some(step) = script.steps.get(done) {
        for writes in 1..=10 {
            let (answer, store) = step.on_copy(after(done), writes);
            states.push(State::of(&store).unwrap());
            if answer == step.answer {
                break;
            }
        }
    }
    states
}
