//! Threads that share commits: what each of them was answered outlives the power.

use std::fs;
use std::path::Path;

use laps_core::vault::Vault;
use laps_host::sqlite::SqliteStore;

use super::disk::{Disk, Event};
use super::fail_everywhere;
use super::faults::threads::{Log, at_once, look, prepare};
use super::recorder::{mark, record};

const ROUNDS: usize = 6;

pub fn work(folder: &Path) {
    let run = folder.join("run");
    fs::create_dir(&run).unwrap();
    let path = run.join("vault");
    let mut devices = prepare(&path);
    let (before, log) = (Disk::of(&run), Log::default());
    let events = record(&run, || {
        let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
        let told = |told| {
            let number = {
                let mut log = log.lock().unwrap();
                log.push(told);
                log.len() - 1
            };
            mark(u64::try_from(number).unwrap());
        };
        let failed = at_once(&vault, &mut devices, ROUNDS, told, |error| panic!("{error}"));
        assert_eq!(failed, 0);
    });
    fs::remove_dir_all(&run).unwrap();
    let log = log.into_inner().unwrap();
    let syncs = events.iter().filter(|event| matches!(event, Event::Synced(_))).count();
    println!("{} operations, {syncs} syncs", log.len());
    fail_everywhere(before, &events, folder, |left, marks, what| {
        let told = marks.iter().map(|mark| &log[usize::try_from(*mark).unwrap()]);
        look(&left.join("vault"), told, what);
    });
}
