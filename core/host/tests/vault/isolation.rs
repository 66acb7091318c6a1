//! The stories of the test kit about two who work at the same time, on each store; and on one that
//! locks nothing, which fails them.

use std::panic::catch_unwind;

use laps_core::vault::MemoryStore;
use laps_host::sqlite::SqliteStore;
use laps_testkit::beside::Unlocked;
use laps_testkit::isolation::{self, Fixture};

struct InMemory(MemoryStore);

impl Fixture for InMemory {
    type Store = MemoryStore;

    fn new() -> Self {
        Self(MemoryStore::new())
    }

    fn store(&self) -> MemoryStore {
        self.0.clone()
    }
}

struct OnSqlite {
    first: SqliteStore,
    folder: tempfile::TempDir,
}

impl Fixture for OnSqlite {
    type Store = SqliteStore;

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { first: SqliteStore::init(folder.path().join("vault")).unwrap(), folder }
    }

    fn store(&self) -> SqliteStore {
        let another = SqliteStore::open(self.folder.path().join("vault")).unwrap();
        assert_eq!(another.path(), self.first.path());
        another
    }
}

struct WithoutLocks(MemoryStore);

impl Fixture for WithoutLocks {
    type Store = Unlocked<MemoryStore>;

    fn new() -> Self {
        Self(MemoryStore::new())
    }

    fn store(&self) -> Unlocked<MemoryStore> {
        Unlocked(self.0.clone())
    }
}

mod on_memory {
    laps_testkit::conformance!(super::InMemory);
}

mod on_sqlite {
    laps_testkit::conformance!(super::OnSqlite);
}

#[test]
fn a_store_without_locks_fails_these_stories() {
    let stories: [(&str, fn()); 5] = [
        ("two removals", isolation::two_removals_leave_somebody_who_can_open::<WithoutLocks>),
        (
            "an enrolment beside a removal",
            isolation::a_device_that_enrols_beside_a_removal_is_ordered_or_late::<WithoutLocks>,
        ),
        ("two enrolments", isolation::a_device_that_enrols_twice_is_one_device::<WithoutLocks>),
        ("two changes", isolation::what_two_change_of_one_device_is_both_there::<WithoutLocks>),
        ("two orders", isolation::two_orders_for_one_password_are_one_order::<WithoutLocks>),
    ];
    for (name, story) in stories {
        assert!(catch_unwind(story).is_err(), "{name}");
    }
}
