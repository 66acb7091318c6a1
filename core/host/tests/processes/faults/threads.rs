//! Threads that work on one vault at the same time, and so share commits; and whether the vault
//! keeps what each was told.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::path::Path;
use std::sync::{Barrier, Mutex};

use laps_core::identity::RecordId;
use laps_core::rotation::message::Answer;
use laps_core::vault::Retention;
use laps_core::vault::plan::{DeviceRange, Plan};
use laps_core::vault::run;
use laps_core::vault::{DiscloseOptions, Vault, VaultError};
use laps_host::sqlite::SqliteStore;
use rusqlite::Connection;

use super::super::bed::{self, Bed, Device, NOW, WHO, encoded, scope};
use super::state::assert_whole;

const THREADS: usize = 8;
/// A device offers one record in each round, and has room for sixteen that it never commits.
pub const MOST_ROUNDS: usize = 14;

/// What a thread was told.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This record of this device is stored.
    Stored(String, RecordId),
    /// The entry with this number is in the audit log.
    Disclosed(u64),
}

/// A vault in which every device is known.
pub fn prepare(path: &Path) -> Vec<Device> {
    let vault = Vault::from_system(SqliteStore::init(path).unwrap());
    let bed = Bed::in_memory();
    let readers = [bed.reader.reader().clone()];
    vault.initialise(&scope(), &readers, Retention::default(), &WHO, NOW).unwrap();
    let mut devices: Vec<Device> = (0..THREADS).map(|n| bed.device(&format!("pc-{n}"))).collect();
    devices.iter_mut().for_each(|device| drop(send(&vault, device).unwrap()));
    devices
}

/// Each device in a thread of its own. How many calls failed; `failed` is told why.
pub fn at_once(
    vault: &Vault<SqliteStore>,
    devices: &mut [Device],
    rounds: usize,
    told: impl Fn(Reply) + Sync,
    failed: impl Fn(&VaultError) + Sync,
) -> usize {
    let (start, failures) = (Barrier::new(devices.len()), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for device in devices {
            let (start, failures, told, failed) = (&start, &failures, &told, &failed);
            threads.spawn(move || {
                start.wait();
                for round in 0..2 * rounds {
                    let done =
                        if round % 2 == 0 { send(vault, device) } else { disclose(vault, device) };
                    match done {
                        Ok(answer) => told(answer),
                        Err(error) => {
                            failures.fetch_add(1, Ordering::Relaxed);
                            failed(&error);
                        }
                    }
                }
            });
        }
    });
    failures.into_inner()
}

/// One check-in with a new record.
fn send(vault: &Vault<SqliteStore>, device: &mut Device) -> Result<Reply, VaultError> {
    let record = device.make();
    let bytes = encoded(&device.message(), &[&record]);
    let answer = vault.check_in(&scope(), device.name.as_str(), &bytes, NOW)?;
    assert!(Answer::decode(&answer).unwrap().stored.contains(bed::id(&record)));
    Ok(Reply::Stored(device.name.to_string(), bed::id(&record)))
}

fn disclose(vault: &Vault<SqliteStore>, device: &Device) -> Result<Reply, VaultError> {
    let options = DiscloseOptions::default();
    let found = vault.disclose(&scope(), device.name.as_str(), &WHO, options, NOW)?;
    Ok(Reply::Disclosed(found.entry))
}

/// Opens the vault, and looks for all that was told.
pub fn look<'a>(path: &Path, told: impl Iterator<Item = &'a Reply>, what: &str) {
    let vault = Vault::from_system(SqliteStore::open(path).unwrap());
    let length = vault.audit_head(&scope()).unwrap().length;
    for told in told {
        match told {
            Reply::Stored(device, record) => {
                let rows = vault.history(&scope(), device).unwrap();
                assert!(rows.iter().any(|row| row.record == *record), "{what}: {told:?}");
            }
            Reply::Disclosed(entry) => assert!(*entry <= length, "{what}: {told:?} of {length}"),
        }
    }
    let report = vault.audit_verify(&scope(), None).unwrap();
    assert!(report.ok, "{what}: {report:?}");
    let page = DeviceRange::by_name(None, 1_000);
    let kept = run::look(vault.store(), Plan::page(&scope(), &page), |rows| {
        let mut kept = Vec::new();
        for name in &rows.names(&page)? {
            let device = rows.stored(name)?.device.clone()?;
            let held = device.managed.candidates.iter();
            kept.extend(held.map(|held| (*name, held.id, held.original.digest)));
        }
        rows.need_sealed(kept.iter().map(|(name, id, digest)| (name, *id, *digest)))?;
        for (name, id, digest) in &kept {
            assert!(rows.sealed(name, *id, *digest)?.is_some(), "{what}");
        }
        Ok(i64::try_from(kept.len()).unwrap())
    });
    let kept = kept.unwrap();
    drop(vault);
    let connection = Connection::open(path).unwrap();
    let rows: i64 =
        connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, rows, "{what}: bytes without a record");
    drop(connection);
    assert_whole(path, what);
}

/// What threads were told, in an order in which it could have been.
pub type Log = Mutex<Vec<Reply>>;
