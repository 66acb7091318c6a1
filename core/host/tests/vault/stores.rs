//! The store of SQLite beside that of memory: what a transaction writes in whichever order is what
//! the next one reads.

use alloc::collections::BTreeMap;

use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::vault::VaultError;
use laps_core::vault::memory::MemoryStore;
use laps_core::vault::plan::{DeviceRange, Plan};
use laps_core::vault::run::{look, run};
use laps_core::vault::state::{Account, Candidates, Device, Held, Past};
use laps_core::vault::store::{Durability, Store};
use laps_core::vault::unit::{Rows, Stop};
use laps_host::sqlite::SqliteStore;
use rusqlite::Connection;

/// Splitmix64 (Steele, Lea and Flood, 2014).
#[derive(Clone)]
struct Sampler(u64);

impl Sampler {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One time in so many.
    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn id(&mut self) -> RecordId {
        let n = self.below(40).to_be_bytes();
        RecordId::from_bytes([n, n].as_flattened().try_into().unwrap())
    }

    fn held(&mut self) -> Held {
        Held::new(self.id(), self.next())
    }

    fn change(&mut self, device: &mut Device) {
        if self.one_in(30) {
            // Another account is managed.
            let name = AccountName::new(if self.one_in(2) { "Admin" } else { "Root" }).unwrap();
            let other = Account::new(name, None, Timestamp::default());
            device.former.insert(0, core::mem::replace(&mut device.managed, other));
            device.former.truncate(3);
        }
        let Candidates { pending, history, token, current, .. } = &mut device.managed.candidates;
        *token = Some([u8::try_from(self.below(256)).unwrap(); 16]);
        match self.below(8) {
            // An offer, most of the time.
            0..4 => pending.push(self.held()),
            4 | 5 => {
                // A commit.
                if let Some(past) = current.take() {
                    history.insert(0, Past::new(past, Timestamp::from_unix_seconds(7)));
                }
                *current = pending.pop();
                pending.clear();
                history.truncate(12);
            }
            6 => device.managed.report.due = Some(Timestamp::from_unix_seconds(self.below(10))),
            _ => device.about.last_seen = Timestamp::from_unix_seconds(self.below(1 << 40)),
        }
        if self.one_in(10) {
            device.managed.candidates.history.pop();
        }
        if self.one_in(20) {
            device.about.retired = device.about.retired.is_none().then_some(Timestamp::default());
        }
    }
}

const NAMES: [&str; 5] = ["pc-1", "pc-2", "pc-3", "pc-4", "pc-5"];

/// One decision that a sampler makes up; what it read. Asked again, it decides the same.
fn act(rows: &mut Rows, mut sampler: Sampler) -> Result<Vec<String>, Stop> {
    let mut seen = Vec::new();
    for _ in 0..=sampler.below(6) {
        let name = DeviceId::new(NAMES[usize::try_from(sampler.below(5)).unwrap()]).unwrap();
        let Some((_, device)) = rows.device(&name)? else {
            let account = AccountName::new("Admin").unwrap();
            let mut device = Device::first_seen(account, None, Timestamp::default());
            sampler.change(&mut device);
            rows.put_device(&name, device);
            continue;
        };
        let mut device = device.clone();
        seen.push(format!("{name}: {device:?}"));
        let (predecessor, id) = (sampler.id(), sampler.id());
        match sampler.below(400) {
            0 => rows.remove_device(&name),
            1..10 => {
                // As whoever goes through a page of devices.
                let page = rows.names(&DeviceRange::by_name(None, 3))?;
                for name in page {
                    let Some((_, device)) = rows.device(&name)? else { continue };
                    let mut device = device.clone();
                    sampler.change(&mut device);
                    rows.put_device(&name, device);
                }
            }
            10..40 => {
                // The ancestry alone.
                rows.put_records(&name, device, [], [(predecessor, id)]);
            }
            _ => {
                // Which one of several is the store's choice.
                seen.push(format!("{}", rows.fork(&name, predecessor, id)?.is_some()));
                if sampler.one_in(4) && rows.read_device(&name).is_some() {
                    seen.push(format!("{:?}", rows.ancestry(&name)?));
                }
                sampler.change(&mut device);
                rows.put_records(&name, device.clone(), [], [(predecessor, id)]);
                if sampler.one_in(4) {
                    sampler.change(&mut device);
                    rows.put_device(&name, device);
                }
            }
        }
    }
    if sampler.one_in(10) {
        return Err(Stop::Refused(VaultError::Internal("on purpose")));
    }
    Ok(seen)
}

/// Everything that can be read, without the numbers of the rows.
fn everything(store: &impl Store) -> Vec<String> {
    let page = DeviceRange::by_name(None, 10);
    let by_due = DeviceRange::ByDue { until: Timestamp::MAX, after: None, limit: 10 };
    look(store, Plan::page(&Scope::EMPTY, &page), |rows| {
        let mut all = Vec::new();
        for name in &rows.names(&page)? {
            let device = rows.stored(name)?.device.clone()?;
            assert_eq!(rows.device(name)?.unwrap(), (*name, &*device));
            all.push(format!("{name} {device:?} {:?}", rows.ancestry(name)?));
        }
        let mut due = Vec::new();
        for name in &rows.names(&by_due)? {
            let device = rows.stored(name)?.device.clone()?;
            due.push((device.due(), *name, format!("{device:?}")));
        }
        due.sort();
        all.push(format!("{due:?}"));
        Ok(all)
    })
    .unwrap()
}

#[test]
fn whatever_a_transaction_writes_both_stores_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let (memory, sqlite) = (MemoryStore::new(), SqliteStore::init(&path).unwrap());
    let file = Connection::open(&path).unwrap();
    let count = |table: &str| -> i64 {
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let mut most: BTreeMap<&str, i64> = BTreeMap::new();
    let mut sampler = Sampler(1);
    let plan = Plan::of(&Scope::EMPTY);
    for step in 0..3_000 {
        let seed = Sampler(sampler.next());
        let act = |rows: &mut Rows| act(rows, seed.clone());
        let one = run(&memory, &plan, Durability::Relaxed, act).map(|(seen, _)| seen);
        let other = run(&sqlite, &plan, Durability::Relaxed, act).map(|(seen, _)| seen);
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "step {step}");
        if step % 10 == 0 {
            for (one, other) in everything(&memory).iter().zip(everything(&sqlite)) {
                assert_eq!(*one, other, "step {step}");
            }
            for table in ["in_flight", "ancestry_part", "ancestry"] {
                let seen = most.entry(table).or_default();
                *seen = (*seen).max(count(table));
            }
        }
    }
    // Every table was in use.
    assert!(most.values().all(|rows| *rows > 1), "{most:?}");
    let page = DeviceRange::by_name(None, 10);
    run(&sqlite, &Plan::page(&Scope::EMPTY, &page), Durability::Relaxed, |rows| {
        rows.names(&page)?.iter().for_each(|name| rows.remove_device(name));
        Ok(())
    })
    .unwrap();
    for table in ["device", "in_flight", "ancestry_part", "ancestry"] {
        assert_eq!(count(table), 0, "{table}");
    }
}

/// What one decision removed, a later one of the same unit of work adds: with nothing of before,
/// whatever was changed of it in between.
#[test]
fn a_device_that_is_removed_and_added_in_one_unit_has_nothing_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let (memory, sqlite) = (MemoryStore::new(), SqliteStore::init(&path).unwrap());
    begins_again(&memory);
    begins_again(&sqlite);
    let file = Connection::open(&path).unwrap();
    let count = |table: &str| -> i64 {
        file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let left = ["device", "record", "ancestry_part", "ancestry", "in_flight"].map(count);
    assert_eq!(left, [1, 1, 0, 0, 0]);
}

fn begins_again(store: &impl Store) {
    let name = DeviceId::new("pc-1").unwrap();
    let id = |n: u8| RecordId::from_bytes([n; 16]);
    let device = |records: &[u8]| {
        let account = AccountName::new("Admin").unwrap();
        let mut device = Device::first_seen(account, None, Timestamp::default());
        for n in records {
            let mut held = Held::new(id(*n), u64::from(*n));
            held.original.digest = [*n; 16];
            device.managed.candidates.pending.push(held);
        }
        device
    };
    let bytes = |n: u8| ((id(n), [n; 16]), vec![n; 8]);
    let plan = Plan::device(&Scope::EMPTY, name);
    let write = |act: &dyn Fn(&mut Rows) -> Result<(), Stop>| {
        run(store, &plan, Durability::Relaxed, act).unwrap();
    };
    // More parents than stand in a row.
    for n in 1..40 {
        write(&|rows| {
            rows.put_records(&name, device(&[n]), [bytes(n)], [(id(n), id(n + 1))]);
            Ok(())
        });
    }
    write(&|rows| {
        // Of these nothing is left, nor of the record that the new device has, too.
        rows.put_records(&name, device(&[39, 50]), [bytes(50)], [(id(1), id(50))]);
        assert_eq!(rows.fork(&name, id(1), id(2))?, Some(id(50)));
        rows.remove_device(&name);
        assert!(rows.device(&name)?.is_none());
        rows.put_records(&name, device(&[39]), [bytes(39)], [(id(1), id(60))]);
        assert_eq!(rows.fork(&name, id(1), id(60))?, None, "ancestry is cut at once");
        assert_eq!(rows.sealed(&name, id(39), [39; 16])?, Some(&[39; 8][..]));
        assert_eq!(rows.sealed(&name, id(50), [50; 16])?, None);
        Ok(())
    });
    let all = Plan::device(&Scope::EMPTY, name);
    look(store, all, |rows| {
        assert_eq!(rows.device(&name)?.map(|(_, found)| found.clone()), Some(device(&[39])));
        assert_eq!(rows.ancestry(&name)?, [(id(1), id(60))]);
        assert_eq!(rows.sealed(&name, id(39), [39; 16])?, Some(&[39; 8][..]));
        Ok(())
    })
    .unwrap();
}
