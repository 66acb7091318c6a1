//! Reads, writes and syncs of the vault's files fail, each in its turn: what was acknowledged is
//! there, what was not is there whole or not at all, and the error says what happened.
//!
//! The oracle is the same vault in memory: whatever the file holds must be a state that memory was
//! in. `LAPS_FAULTS=all` lets every single call fail; without it, a sample of them.

mod copies;
mod grouped;
mod library;
mod script;
mod state;
mod threads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use laps_core::error::Code;
use laps_core::vault::{MemoryStore, VaultError};
use laps_host::sqlite::SqliteStore;

use self::library::{FAULTS, Fault, How, Kind};
use self::script::{Script, Step, Tokens};
use self::state::{State, assert_whole};
use super::bed::{Either, scope};

pub fn no_failing_call_loses_what_was_acknowledged_or_leaves_half_an_operation() {
    let folder = tempfile::tempdir().unwrap();
    let library = library::compile(folder.path());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("faults").arg(folder.path()).env("LD_PRELOAD", library);
    assert!(command.status().unwrap().success());
}

/// `FOLDER`, with the library loaded.
pub fn work(arguments: &[String]) {
    let folder = Path::new(&arguments[0]);
    let all = std::env::var("LAPS_FAULTS").is_ok_and(|faults| faults == "all");
    copies::fail_in_turn(folder, if all { usize::MAX } else { 6 });
    grouped::fail_in_turn(folder, if all { usize::MAX } else { 12 });
    for (script, most) in [(Script::of_everything(), 30), (Script::of_many(), 20)] {
        for (kind, how) in FAULTS {
            let bench = Bench { folder, script: &script };
            let (calls, _) =
                bench.run(Fault { kind, how: How::Nothing, at: usize::MAX >> 1, for_ever: false });
            let step = if all { 1 } else { calls.div_ceil(most).max(1) };
            for for_ever in [false, true] {
                // Another sample for each kind of failure.
                let first = (how as usize * 2 + usize::from(for_ever)) % step;
                let mut told = 0;
                for at in (first..calls).step_by(step) {
                    let fault = Fault { kind, how, at, for_ever };
                    let (_, failed) = bench.run(fault);
                    told += usize::from(failed > 0);
                }
                println!(
                    "{kind:?} {how:?} for ever {for_ever}: {calls} calls, every {step}., {told} \
                     runs were told"
                );
                // Syncs and cuts of the log's own housekeeping fail without harm to any operation.
                assert!(told > 0 || kind == Kind::Cut, "a failure that nobody was told of");
            }
        }
    }
}

/// What the vault may hold.
struct Expected {
    /// What the open vault shows.
    live: MemoryStore,
    /// What it may show once it was closed: of an operation that failed, the log can hold all that
    /// makes it valid.
    ghosts: Vec<MemoryStore>,
    /// Some devices as in one of them, some as in another: each check-in of many stands for
    /// itself.
    mixed: bool,
}

impl Expected {
    /// The one that was found.
    fn assert(&self, found: &State, what: &str) -> MemoryStore {
        let stores: Vec<&MemoryStore> = core::iter::once(&self.live).chain(&self.ghosts).collect();
        let states: Vec<State> = stores.iter().map(|store| State::of(*store).unwrap()).collect();
        match states.iter().position(|state| state == found) {
            Some(place) => stores[place].clone(),
            None if self.mixed && found.is_mixed_of(&states) => self.live.clone(),
            None => panic!("{what}: half an operation, or a lost one: {found:?}"),
        }
    }

    /// A page could not be read, and the step was answered with what could be, or with damage.
    fn mixed(&mut self, step: &Step) {
        self.ghosts.push(step.on_copy(&self.live, usize::MAX).1);
        self.mixed = true;
    }

    /// The step was answered, and not with an error of the store.
    fn answered(&mut self, step: &Step, answer: &Result<Vec<u8>, VaultError>) {
        let (expected, after) = step.on_copy(&self.live, usize::MAX);
        assert_same(answer, &expected, step.name);
        if State::of(&after).unwrap() != State::of(&self.live).unwrap() {
            // It took the place in the log.
            self.ghosts.clear();
        }
        self.live = after;
    }

    /// The step was answered, and what it had to note was noted or not.
    fn noted(&mut self, step: &Step, answer: &Result<Vec<u8>, VaultError>, vault: &Either) {
        let (expected, after) = step.on_copy(&self.live, usize::MAX);
        assert_same(answer, &expected, step.name);
        self.ghosts.push(after);
        self.see(vault, step.name);
    }

    /// The step failed: any of its transactions may be the last one that was written.
    fn failed(&mut self, step: &Step, vault: &Either) {
        let mut writes = 1;
        loop {
            let (answer, after) = step.on_copy(&self.live, writes);
            self.ghosts.push(after);
            if !matches!(answer, Err(VaultError::Store(_))) || writes > 10 {
                break;
            }
            writes += 1;
        }
        self.see(vault, step.name);
    }

    /// Looks which of them it is.
    fn see(&mut self, vault: &Either, what: &str) {
        if let Ok(found) = library::paused(|| State::of(vault)) {
            self.live = self.assert(&found, what);
        }
    }
}

struct Bench<'a> {
    folder: &'a Path,
    script: &'a Script,
}

impl Bench<'_> {
    /// How many calls of the kind there were, and how many operations failed.
    fn run(&self, fault: Fault) -> (usize, usize) {
        let run = self.folder.join("run");
        fs::create_dir(&run).unwrap();
        let path = run.join("vault");
        drop(SqliteStore::init(&path).unwrap());
        library::arm(&run, fault);
        let mut expected = Expected { live: Script::empty(), ghosts: Vec::new(), mixed: false };
        let failed = self.play(&path, fault, &mut expected);
        let (calls, met) = library::disarm();
        assert_eq!(met, fault.at < calls, "{fault:?}");
        self.look(&path, &expected, &format!("{fault:?}, closed"));
        self.look(&self.folder.join("killed"), &expected, &format!("{fault:?}, killed"));
        fs::remove_dir_all(&run).unwrap();
        (calls, failed)
    }

    /// Plays the script, and leaves a copy of what a kill would have left. How many operations
    /// failed.
    fn play(&self, path: &Path, fault: Fault, expected: &mut Expected) -> usize {
        let (tokens, mut failed) = (Tokens::default(), 0);
        // Whether the vault is where the script was when it was written.
        let mut as_written = true;
        let mut vault = None;
        for step in &self.script.steps {
            if vault.is_none() || step.reopens() {
                drop(vault.take());
                vault = open(path, &tokens, fault, &mut failed);
                if let Some(vault) = vault.as_ref().filter(|_| failed > 0) {
                    // What is in the log counts from now on, also of an operation whose sync
                    // failed.
                    expected.see(vault.store(), "opened again");
                }
            }
            let Some(vault) = &vault else { break };
            let answer = step.run(vault, &tokens);
            match &answer {
                Err(VaultError::Store(error)) => {
                    assert_named(error.code, &error.message, path, fault);
                    failed += 1;
                    expected.failed(step, vault.store());
                }
                _ if fault.is_damage() && answer != step.answer => {
                    // What is left of the script would be about other states than the script's.
                    if let Err(error) = &answer {
                        assert_eq!(error.code(), Code::VaultDamaged, "{fault:?}: {error}");
                        assert!(error.to_string().contains("a page of the file"), "{error}");
                    }
                    expected.mixed(step);
                    failed = usize::MAX;
                }
                _ if step.only_notes => {
                    expected.noted(step, &answer, vault.store());
                    as_written = false;
                }
                _ if failed == 0 && as_written => {
                    assert_same(&answer, &step.answer, step.name);
                    expected.live = step.after.clone();
                }
                _ => expected.answered(step, &answer),
            }
            if failed > 3 {
                break;
            }
        }
        library::paused(|| {
            for suffix in ["", "-wal"] {
                let from = PathBuf::from(format!("{}{suffix}", path.display()));
                if from.exists() {
                    let to = self.folder.join(format!("killed{suffix}"));
                    fs::copy(from, to).unwrap();
                }
            }
        });
        failed
    }

    /// Opens what is left, compares it, and goes on with it.
    fn look(&self, path: &Path, expected: &Expected, what: &str) {
        let tokens = Tokens::default();
        let vault = tokens.vault(Either::Sqlite(SqliteStore::open(path).unwrap()));
        let found = State::of(vault.store()).unwrap();
        expected.assert(&found, what);
        let report = vault.audit_verify(&scope(), Some(found.head)).unwrap();
        assert!(report.ok, "{what}: {report:?}");
        self.script.goes_on(&vault);
        drop(vault);
        assert_whole(path, what);
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }
}

fn assert_same(
    found: &Result<Vec<u8>, VaultError>,
    expected: &Result<Vec<u8>, VaultError>,
    step: &str,
) {
    let text = |answer: &Result<Vec<u8>, VaultError>| match answer {
        Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Err(error) => error.to_string(),
    };
    assert!(found == expected, "{step}: {}, not {}", text(found), text(expected));
}

/// Opens the vault, a second time if the first one fails.
fn open(
    path: &Path,
    tokens: &Tokens,
    fault: Fault,
    failed: &mut usize,
) -> Option<laps_core::vault::Vault<Either>> {
    for _ in 0..2 {
        match SqliteStore::open(path) {
            Ok(store) => return Some(tokens.vault(Either::Sqlite(store))),
            Err(error) => {
                assert_named(error.code, &error.message, path, fault);
                *failed += 1;
            }
        }
    }
    assert!(fault.for_ever, "{fault:?}: the second try fails too");
    None
}

/// Who reads it knows which file it is and what is wrong with it.
fn assert_named(code: Code, message: &str, path: &Path, fault: Fault) {
    let index = message.contains("no room for its index");
    let (expected, says) = match (fault.how, fault.kind) {
        (How::Nothing | How::Torn | How::Stale, _) if index => {
            (Code::StorageFull, "the disk is full, or fails")
        }
        (How::Full | How::Short, _) => (Code::StorageFull, "the disk is full"),
        (_, Kind::Write) => (Code::Io, "cannot be written ("),
        (_, Kind::Sync) => (Code::Io, "cannot be synced to the disk"),
        (_, Kind::Read) => (Code::Io, "cannot be read ("),
        (_, Kind::Cut) => (Code::Io, "cannot be read or written"),
    };
    assert_eq!(code, expected, "{fault:?}: {message}");
    let path = path.display().to_string();
    assert!(message.contains(&path) && message.contains(says), "{fault:?}: {message}");
}
