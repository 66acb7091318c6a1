//! Threads that work on one vault at the same time, and so share commits: what each of them was answered outlives the power, and
//! what a thread is told of another one's commit is on the disk as well.

use std::fs;
use std::path::Path;
use std::sync::{Barrier, Mutex};

use laps_core::identity::{RecordId, Timestamp};
use laps_core::rotation::message::Answer;
use laps_core::vault::state::HistorySetting;
use laps_core::vault::store::Store as _;
use laps_core::vault::{DiscloseOptions, Vault};
use laps_host::sqlite::SqliteStore;

use super::bed::{self, Device, WHO, counting, scope};
use super::disk::{Disk, Event};
use super::fail_everywhere;
use super::recorder::{mark, record};
use super::vault::assert_whole;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const THREADS: usize = 8;
const ROUNDS: usize = 6;
/// Marks from here on are numbers of entries.
const ENTRIES: u64 = 1 << 32;

/// What the numbers of the marks stand for.
type Stored = Mutex<Vec<(String, RecordId)>>;

pub fn work(folder: &Path) {
    let run = folder.join("run");
    fs::create_dir(&run).unwrap();
    let path = run.join("vault");
    let reader = bed::key("reader");
    let vault = Vault::new(SqliteStore::init(&path).unwrap(), counting());
    let readers = [reader.reader().clone()];
    vault.initialise(&scope(), &readers, HistorySetting::default(), &WHO, NOW).unwrap();
    let bed = bed::Bed::in_memory();
    let mut devices: Vec<Device> = (0..THREADS).map(|n| bed.device(&format!("pc-{n}"))).collect();
    let stored = Stored::default();
    devices.iter_mut().for_each(|device| send(&vault, device, &stored, false));
    drop(vault);
    let before = Disk::of(&run);
    let events = record(&run, || {
        let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
        let start = Barrier::new(THREADS);
        std::thread::scope(|threads| {
            for device in &mut devices {
                let (vault, start, stored) = (&vault, &start, &stored);
                threads.spawn(move || {
                    start.wait();
                    for _ in 0..ROUNDS {
                        send(vault, device, stored, true);
                        disclose(vault, device);
                    }
                });
            }
        });
    });
    fs::remove_dir_all(&run).unwrap();
    let syncs = events.iter().filter(|event| matches!(event, Event::Synced(_))).count();
    println!("{} operations, {syncs} syncs", 2 * THREADS * ROUNDS);
    let stored = stored.into_inner().unwrap();
    fail_everywhere(before, &events, folder, |left, marks, what| {
        look(&left.join("vault"), &stored, marks, what);
    });
}

/// One check-in with a new record.
fn send(vault: &Vault<SqliteStore>, device: &mut Device, stored: &Stored, marks: bool) {
    let record = device.make();
    let bytes = Device::bytes(&device.message(), &[&record]);
    let answer = vault.check_in(&scope(), device.name.as_str(), &bytes, NOW).unwrap();
    assert!(Answer::decode(&answer).unwrap().stored.contains(bed::id(&record)));
    let number = {
        let mut stored = stored.lock().unwrap();
        stored.push((device.name.to_string(), bed::id(&record)));
        stored.len() - 1
    };
    if marks {
        mark(u64::try_from(number).unwrap());
    }
}

fn disclose(vault: &Vault<SqliteStore>, device: &Device) {
    let options = DiscloseOptions::default();
    let found = vault.disclose(&scope(), device.name.as_str(), &WHO, options, NOW).unwrap();
    mark(ENTRIES + found.entry);
}

fn look(path: &Path, stored: &[(String, RecordId)], marks: &[u64], what: &str) {
    let vault = Vault::new(SqliteStore::open(path).unwrap(), counting());
    let length = vault.audit_head(&scope()).unwrap().length;
    for mark in marks {
        let Some(entry) = mark.checked_sub(ENTRIES) else {
            let (device, record) = &stored[usize::try_from(*mark).unwrap()];
            let rows = vault.history(&scope(), device).unwrap();
            assert!(rows.iter().any(|row| row.record == *record), "{what}: {record} of {device}");
            continue;
        };
        assert!(entry <= length, "{what}: entry {entry} of {length}");
    }
    let report = vault.audit_verify(&scope(), None).unwrap();
    assert!(report.ok, "{what}: {report:?}");
    // No record without its bytes, and no bytes without their record.
    let read = vault.store().read(|tx| {
        let (mut kept, mut last) = (0, 0);
        for found in tx.devices(&scope(), None, 1_000)? {
            for held in found.device?.candidates.iter() {
                assert!(tx.record(held.row)?.is_some(), "{what}");
                (kept, last) = (kept + 1, last.max(held.row));
            }
        }
        let rows = (1..=last + 100).filter(|row| tx.record(*row).is_ok_and(|row| row.is_some()));
        Ok((kept, rows.count()))
    });
    let (kept, rows) = read.unwrap();
    assert_eq!(kept, rows, "{what}");
    drop(vault);
    assert_whole(path, what);
}
