//! Calls of a vault on SQLite that wait for no disk, with a thousand devices: the time of one, by
//! criterion. What waits for the disk, and fleets of other sizes, stand in `vault.rs`.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::integer_division_remainder_used,
    dead_code,
    reason = "a benchmark stops where something is wrong, and uses a part of what the other one has"
)]

mod vault {
    pub mod fleet;
}

use criterion::{Criterion, criterion_group, criterion_main};
use laps_core::identity::{Scope, Timestamp};
use laps_core::vault::Vault;
use laps_host::sqlite::SqliteStore;

use vault::fleet::{Fleet, settle};

const SCOPE: Scope = Scope::EMPTY;
const DEVICES: usize = 1_000;

fn calls(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    let fleet = Fleet::fill(&path, DEVICES, 12);
    let vault = Vault::from_system(SqliteStore::open(&path).unwrap());
    let mut devices = [fleet.device(7)];
    settle(&vault, &mut devices);
    let [mut device] = devices;
    let mut group = c.benchmark_group("vault");
    group.bench_function("check-in that changes nothing", |b| {
        b.iter(|| device.say_nothing(&vault));
    });
    let mut turn = 0;
    group.bench_function("look-up", |b| {
        b.iter(|| {
            turn = (turn + 7_919) % DEVICES;
            vault.show(&SCOPE, &Fleet::name(turn)).unwrap()
        });
    });
    group.bench_function("history of a device", |b| {
        b.iter(|| vault.history(&SCOPE, &Fleet::name(7)).unwrap());
    });
    group.bench_function("the 1000 soonest due", |b| {
        b.iter(|| vault.due(&SCOPE, Timestamp::MAX, None, 1_000).unwrap());
    });
    group.bench_function("opening the file", |b| b.iter(|| SqliteStore::open(&path).unwrap()));
}

criterion_group!(benches, calls);
criterion_main!(benches);
