//! Locks of a process that its own `close` cancelled, locks that are held too long, and turns that
//! are fair.

use core::time::Duration;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use laps_core::error::Code;
use laps_core::identity::Scope;
use laps_core::vault::plan::Plan;
use laps_core::vault::store::{Durability, Store as _, Work as _};
use laps_core::vault::unit::Writes;
use laps_core::vault::{DiscloseOptions, Vault};
use laps_host::sqlite::SqliteStore;
use rusqlite::Connection;

use super::bed::{Bed, Device, WHO, scope};
use super::ledger::Ledger;
use super::worker;

fn child(words: &[&str], path: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("locks").arg(path).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// `PATH KIND …`
pub fn work(arguments: &[String]) {
    let path = Path::new(&arguments[0]);
    let say = |line: &str| {
        println!("{line}");
        std::io::stdout().flush().unwrap();
    };
    match arguments[1].as_str() {
        // Another program: it has SQLite's locks alone.
        "look" => {
            let file = Connection::open(path).unwrap();
            file.query_row("SELECT count(*) FROM audit", [], |_| Ok(())).unwrap();
        }
        "hold-plain" => {
            let file = Connection::open(path).unwrap();
            file.execute_batch("BEGIN IMMEDIATE").unwrap();
            say("held");
            wait();
        }
        "hold" => {
            let store = SqliteStore::open(path).unwrap();
            let held = store.begin(&Plan::of(&Scope::EMPTY), Durability::Durable);
            let (held, _) = held.unwrap();
            say("held");
            wait();
            held.write(Writes::default()).unwrap();
        }
        "careless" => {
            let bed = Bed::in_memory();
            let store = SqliteStore::open(path).unwrap();
            let vault = Vault::from_system(store);
            let slot = &arguments[2];
            let mut devices: Vec<Device> =
                (0..2).map(|n| bed.device(&format!("careless-{slot}-{n}"))).collect();
            for round in 0..arguments[3].parse::<usize>().unwrap() {
                read_all(path);
                worker::rotate(&vault, &mut devices[round % 2]).unwrap();
            }
        }
        "fair" => fair(path, &arguments[2], &arguments[3]),
        other => panic!("{other}"),
    }
}

/// Until the parent closes its end.
fn wait() {
    let _ = std::io::stdin().lines().next();
}

/// What a program does that hashes or copies the files: it opens and closes them, and the system
/// cancels every lock of SQLite's that this process has on them.
fn read_all(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        fs::read(beside(path, suffix)).unwrap();
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Another process removed the log, and disclosures went into a file without a name.
pub fn nothing_is_lost_when_a_process_cancelled_its_own_locks() {
    let folder = tempfile::tempdir().unwrap();
    let path = super::vault(folder.path());
    let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
    let bed = Bed::in_memory();
    let mut device = bed.device("pc-1");
    worker::rotate(&vault, &mut device).unwrap();
    let disclose = || vault.disclose(&scope(), "pc-1", &WHO, DiscloseOptions::default(), bed.now());
    // Other processes of ours come and go, and leave the log alone while anybody has the vault
    // open.
    let mut ledger = Ledger::default();
    for slot in 0..3 {
        read_all(&path);
        ledger.follow_to_the_end(child(&["careless", &slot.to_string(), "2"], &path));
        disclose().unwrap();
    }
    ledger.compare(&path);
    // Another program cannot take it for a vault that nobody has open.
    read_all(&path);
    disclose().unwrap();
    read_all(&path);
    assert!(child(&["look"], &path).wait().unwrap().success());
    assert!(beside(&path, "-wal").exists(), "another program removed the log");
    let head = disclose().unwrap().head;
    drop(vault);
    assert!(!beside(&path, "-wal").exists(), "whoever is the last one removes the log");
    let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
    let report = vault.audit_verify(&scope(), Some(head)).unwrap();
    assert!(report.ok && report.entries == head.length, "{report:?}");
}

/// With SQLite's locks cancelled all the time, only ours keep one from writing over the other.
pub fn careless_processes_share_one_vault_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = super::vault(folder.path());
    let children: Vec<Child> =
        (0..4).map(|slot| child(&["careless", &slot.to_string(), "6"], &path)).collect();
    let ledgers = Ledger::of_each(children, Ledger::follow_to_the_end);
    for ledger in &ledgers {
        assert_eq!((ledger.acknowledged(), ledger.refused()), (18, 0));
        ledger.compare(&path);
    }
    assert!(!beside(&path, "-wal").exists(), "the last one to close folded the log");
}

/// A stopped process stopped every disclosure, and nobody said which.
pub fn whoever_holds_the_lock_too_long_is_named_with_the_way_to_end_it() {
    let holders = ["hold", "hold-plain"].map(|kind| {
        std::thread::spawn(move || {
            let folder = tempfile::tempdir().unwrap();
            let path = super::vault(folder.path());
            let mut holder = child(&[kind], &path);
            let mut out = BufReader::new(holder.stdout.take().unwrap()).lines();
            assert_eq!(out.next().unwrap().unwrap(), "held");
            let process = holder.id().to_string();
            let signal = |name: &str| {
                let sent = Command::new("kill").args([name, &process]).status().unwrap();
                assert!(sent.success());
            };
            signal("-STOP");
            let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
            let bed = Bed::in_memory();
            let mut device = bed.device("pc-1");
            let started = Instant::now();
            let refused = worker::rotate(&vault, &mut device).unwrap_err();
            assert!(started.elapsed() >= Duration::from_secs(9));
            assert_eq!(refused.code(), Code::Busy);
            let text = refused.to_string();
            for part in [format!("process {process} ("), format!("kill -CONT {process}")] {
                assert!(text.contains(&part), "{kind}: {text}");
            }
            assert!(text.contains("processes"), "{kind}: the program: {text}");
            // Whoever gave up holds nobody up.
            signal("-KILL");
            holder.wait().unwrap();
            worker::rotate(&vault, &mut device).unwrap();
            drop(vault);
            assert!(!beside(&path, "-wal").exists());
        })
    });
    holders.into_iter().for_each(|holder| holder.join().unwrap());
}

/// `SLOT SECONDS`: mixed work, each piece with its time.
fn fair(path: &Path, slot: &str, seconds: &str) {
    let until = Duration::from_secs(seconds.parse().unwrap());
    let vault = Vault::from_system(SqliteStore::open(path).unwrap());
    let bed = Bed::in_memory();
    let mut devices: Vec<Device> =
        (0..4).map(|n| bed.device(&format!("fair-{slot}-{n}"))).collect();
    let mut times = Vec::new();
    let started = Instant::now();
    let mut round = 0;
    while started.elapsed() < until {
        let device = &mut devices[round % 4];
        round += 1;
        let done = worker::rotate_in_pieces(&vault, device, &mut times).and_then(|()| {
            let before = Instant::now();
            vault.list(&scope(), None, 20)?;
            times.push(before.elapsed());
            Ok(())
        });
        if let Err(error) = done {
            println!("refused {}", error.code().as_u16());
            device.may_hold = laps_core::rotation::set::MayHold::UNKNOWN;
        }
    }
    for time in times {
        println!("took {}", time.as_micros());
    }
}

/// How many processes, and for how long: the long run is a part of `make proofs`.
fn load() -> (usize, u64) {
    if std::env::var("LAPS_PROOFS").is_ok() { (16, 180) } else { (6, 2) }
}

/// Of sixteen processes some waited eighteen seconds, and some were told that the vault is busy.
pub fn processes_take_turns_and_nobody_is_told_that_the_vault_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let path = super::vault(folder.path());
    let (processes, seconds) = load();
    let words = seconds.to_string();
    let started = Instant::now();
    let children: Vec<Child> =
        (0..processes).map(|slot| child(&["fair", &slot.to_string(), &words], &path)).collect();
    let ledgers = Ledger::of_each(children, Ledger::follow_to_the_end);
    let elapsed = started.elapsed();
    for ledger in &ledgers {
        assert_eq!(ledger.refused(), 0, "nobody is told that the vault is busy");
        assert!(ledger.acknowledged() > 0, "everybody has a turn");
        ledger.compare(&path);
    }
    let mut times: Vec<u64> = ledgers.iter().flat_map(|l| l.times().iter().copied()).collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 1000).min(times.len() - 1)];
    let counts = ledgers.iter().map(Ledger::acknowledged);
    let (least, most) = (counts.clone().min().unwrap(), counts.clone().max().unwrap());
    let (p50, p99) = (at(500), at(990));
    let mean = times.iter().sum::<u64>() / u64::try_from(times.len()).unwrap();
    println!(
        "{processes} processes, {} s: {} answers acknowledged, {} pieces of work timed; \
         p50 {p50} µs, mean {mean} µs, p99 {p99} µs, worst {} µs; the busiest had {most} answers \
         and the idlest {least}",
        elapsed.as_secs(),
        counts.sum::<u64>(),
        times.len(),
        at(1000),
    );
    if std::env::var("LAPS_PROOFS").is_ok() {
        assert!(p99 <= 20 * p50, "p99 {p99} µs is more than twenty times p50, {p50} µs");
        assert!(least * 2 >= most, "the busiest had {most} answers and the idlest {least}");
    }
}
