//! What holds whoever else works on a vault at the same time. Each story here is of two people, or
//! of one and a device: what the one does happens at every moment of what the other does, between
//! its units of work and in the middle of them.
//!
//! [`conformance!`](crate::conformance) makes tests of them, for a store of any crate.
#![allow(clippy::indexing_slicing, reason = "a story stops where something is wrong")]

use alloc::sync::Arc;
use std::sync::{Mutex, PoisonError};

use laps_core::identity::Timestamp;
use laps_core::rotation::message::{Answer, Commit, CommitAnswer};
use laps_core::rotation::set::MayHold;
use laps_core::seal::{ReaderKey, Record, SealError};
use laps_core::vault::audit::Action;
use laps_core::vault::plan::Plan;
use laps_core::vault::run::look;
use laps_core::vault::state::Device as State;
use laps_core::vault::store::Store;
use laps_core::vault::unit::Stop;
use laps_core::vault::{
    Confirmation, DiscloseOptions, Request, Retention, Selection, Vault, VaultError, Who,
};

use crate::bed::{Device, NOW, WHO, device_id, exchange, id, key, rng, scope};
use crate::beside::{Beside, Moment};

/// A vault's place, and as many handles of it as are asked for.
pub trait Fixture {
    /// The store.
    type Store: Store + 'static;

    /// An empty place.
    fn new() -> Self;

    /// A handle of it.
    fn store(&self) -> Self::Store;
}

/// A test for each of these stories.
#[macro_export]
macro_rules! conformance {
    ($fixture:ty) => {
        $crate::conformance! { $fixture:
            two_removals_leave_somebody_who_can_open,
            a_removal_asks_for_what_came_in_beside_it,
            what_came_in_beside_a_removal_is_ordered_or_late,
            a_device_that_enrols_beside_a_removal_is_ordered_or_late,
            a_device_that_enrols_twice_is_one_device,
            what_two_change_of_one_device_is_both_there,
            a_later_check_in_is_not_set_back_by_an_earlier_one,
            two_orders_for_one_password_are_one_order,
            an_order_for_what_was_shown_says_how_far_it_read,
            a_reader_that_comes_beside_re_sealing_is_sealed_to,
        }
    };
    ($fixture:ty: $($story:ident),* $(,)?) => {
        $(
            #[test]
            fn $story() {
                $crate::isolation::$story::<$fixture>();
            }
        )*
    };
}

const BOB: Request<'_> = Request::new("bob", "curious");
const NO_WORD: Confirmation = Confirmation::NotGiven;

/// Somebody's answer, for whoever asks later.
type Said<T> = Arc<Mutex<Option<T>>>;

fn say<T>(said: &Said<T>, what: T) {
    *said.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
}

fn heard<T>(said: &Said<T>) -> T {
    said.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap()
}

/// Tells a story with each moment at which the other one can have its turn, between units of work
/// and inside them. It answers whether there was such a moment.
fn at_every_moment(story: impl Fn(Moment) -> bool) {
    let moments = |which: fn(usize) -> Moment| (1..).take_while(|n| story(which(*n))).count();
    let (between, inside) = (moments(Moment::Before), moments(Moment::Inside));
    assert!(between > 0 && inside > 0, "nothing happened beside it");
}

/// A vault with its readers.
struct Stage<F> {
    fixture: F,
    readers: Vec<ReaderKey>,
}

impl<F: Fixture> Stage<F> {
    fn with(readers: &[&str]) -> Self {
        let fixture = F::new();
        let readers: Vec<ReaderKey> = readers.iter().map(|name| key(name)).collect();
        let public: Vec<_> = readers.iter().map(|key| key.reader().clone()).collect();
        let vault = Vault::from_system(fixture.store());
        vault.initialise(&scope(), &public, Retention::default(), &WHO, NOW).unwrap();
        Self { fixture, readers }
    }

    fn vault(&self) -> Vault<F::Store> {
        Vault::from_system(self.fixture.store())
    }

    /// A vault beside which this happens.
    fn beside(
        &self,
        moment: Moment,
        other: impl FnOnce() + Send + 'static,
    ) -> Vault<Beside<F::Store>> {
        Vault::from_system(Beside::new(self.fixture.store(), moment, other))
    }

    /// A device that seals to these.
    fn device(&self, name: &str, readers: &[usize]) -> Device {
        let mut public = readers.iter().map(|at| self.readers[*at].reader().clone());
        let mut device = Device::new(name, public.next().unwrap());
        device.readers.extend(public);
        device
    }

    /// One that has a password.
    fn settled(&self, name: &str, readers: &[usize]) -> Device {
        let (mut device, vault) = (self.device(name, readers), self.vault());
        tell(&vault, &mut device, &[], NOW);
        let record = device.make();
        assert_eq!(tell(&vault, &mut device, &[&record], NOW).stored.len(), 1);
        device.holds(&record);
        let mut message = device.message();
        message.commit = Some(Commit::new(id(&record), true));
        let answer = exchange(&vault, &message, &[], NOW).unwrap();
        assert_eq!(answer.commit, Some(CommitAnswer::Acknowledged));
        device.token = Some(answer.token);
        device.may_hold = MayHold::exactly(id(&record));
        tell(&vault, &mut device, &[], NOW);
        device
    }

    fn state(&self, device: &str) -> State {
        let name = device_id(device);
        look(&self.fixture.store(), Plan::device(&scope(), name), |rows| {
            let (_, state) = rows.device(&name)?.ok_or(VaultError::NotFound("device"))?;
            Ok::<_, Stop>(state.clone())
        })
        .unwrap()
    }

    fn is_active(&self, reader: usize) -> bool {
        is_active(&self.vault(), &self.readers[reader])
    }

    /// How many candidates of a device nobody can open who is a reader now.
    fn unreadable(&self, device: &str) -> usize {
        let options = DiscloseOptions::default().without_rotation();
        let shown = self.vault().disclose(&scope(), device, &WHO, options, NOW).unwrap();
        let active = |record: &Record| {
            (0..self.readers.len()).any(|at| {
                let reader = self.readers[at].id();
                self.is_active(at) && record.reader_ids().any(|id| id == reader)
            })
        };
        let sealed = shown.candidates.iter().map(|shown| Record::parse(&shown.sealed).unwrap());
        sealed.filter(|record| !active(record)).count()
    }

    /// Whether what a device stored for a removed reader was ordered to rotate, or was noted as
    /// late.
    fn is_ordered_or_late(&self, device: &str) -> bool {
        let late = |entry: &laps_core::vault::audit::Entry| {
            entry.action == Action::LateRecord && entry.device == device
        };
        self.vault().is_ordered(&scope(), device).unwrap() || self.log().iter().any(late)
    }

    fn log(&self) -> Vec<laps_core::vault::audit::Entry> {
        let vault = self.vault();
        assert!(vault.audit_verify(&scope(), None).unwrap().ok, "the log is one");
        let entries = vault.audit_entries(&scope(), 0, 1_000).unwrap();
        entries.into_iter().map(|stored| stored.entry.unwrap()).collect()
    }
}

fn tell(
    vault: &Vault<impl Store>,
    device: &mut Device,
    records: &[&Record],
    now: Timestamp,
) -> Answer {
    let answer = exchange(vault, &device.message(), records, now).unwrap();
    device.token = Some(answer.token);
    answer
}

fn is_active(vault: &Vault<impl Store>, reader: &ReaderKey) -> bool {
    let known = vault.readers(&scope()).unwrap();
    known.iter().any(|row| row.reader.id() == reader.id() && row.removed.is_none())
}

/// Two administrators remove one reader each. Each removal alone leaves somebody who can open; both
/// together leave nobody.
pub fn two_removals_leave_somebody_who_can_open<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann", "ben", "new"]);
        let device = stage.settled("pc-1", &[0, 1]);
        let (second, vault, ben) = (Said::default(), stage.vault(), stage.readers[1].id());
        let said = Arc::clone(&second);
        let beside = stage.beside(moment, move || {
            say(&said, vault.remove_reader(&scope(), &ben, Some(0), NO_WORD, &WHO, NOW));
        });
        let ann = stage.readers[0].id();
        let first = beside.remove_reader(&scope(), &ann, Some(0), NO_WORD, &WHO, NOW);
        if !beside.store().happened() {
            return false;
        }
        let answers = [first, heard(&second)];
        let refused = VaultError::WouldLose { records: 1, devices: 1 };
        assert_eq!(answers.iter().filter(|one| one.is_ok()).count(), 1, "{moment:?}: {answers:?}");
        assert!(answers.iter().any(|one| one.as_ref().err() == Some(&refused)), "{answers:?}");
        assert_eq!(stage.unreadable(device.name.as_str()), 0, "{moment:?}");
        let gone = [0, 1].map(|at| !stage.is_active(at));
        assert_eq!(gone, answers.map(|one| one.is_ok()), "{moment:?}");
        stage.log();
        true
    });
}

/// A device stores a record that only the reader can open who is being removed.
pub fn a_removal_asks_for_what_came_in_beside_it<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann", "ben"]);
        let mut device = stage.settled("pc-1", &[0, 1]);
        device.readers.truncate(1);
        let record = device.make();
        let (stored, vault) = (Said::default(), stage.vault());
        let said = Arc::clone(&stored);
        let beside = stage.beside(moment, move || {
            let answer = tell(&vault, &mut device, &[&record], NOW);
            say(&said, answer.stored.contains(id(&record)));
        });
        let ann = stage.readers[0].id();
        let removed = beside.remove_reader(&scope(), &ann, None, NO_WORD, &WHO, NOW);
        if !beside.store().happened() {
            return false;
        }
        let stored = heard(&stored);
        let candidates = 1 + usize::from(stored);
        assert_eq!(stage.state("pc-1").managed.candidates.iter().count(), candidates, "{moment:?}");
        let refused = VaultError::WouldLose { records: 1, devices: 1 };
        assert_eq!(removed.as_ref().err(), stored.then_some(&refused), "{moment:?}");
        assert_eq!(stage.is_active(0), stored, "{moment:?}");
        assert_eq!(stage.unreadable("pc-1"), 0, "{moment:?}");
        stage.log();
        true
    });
}

/// A device stores a record that the reader can open, too, who is being removed.
pub fn what_came_in_beside_a_removal_is_ordered_or_late<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann", "ben"]);
        let mut device = stage.settled("pc-1", &[1]);
        device.readers.push(stage.readers[0].reader().clone());
        let record = device.make();
        let vault = stage.vault();
        let beside = stage.beside(moment, move || {
            let answer = tell(&vault, &mut device, &[&record], NOW);
            assert!(answer.stored.contains(id(&record)));
        });
        let ann = stage.readers[0].id();
        beside.remove_reader(&scope(), &ann, Some(0), NO_WORD, &WHO, NOW).unwrap();
        if !beside.store().happened() {
            return false;
        }
        assert_eq!(stage.state("pc-1").managed.candidates.iter().count(), 2, "{moment:?}");
        assert!(stage.is_ordered_or_late("pc-1"), "{moment:?}");
        true
    });
}

/// A reader is removed while a new device sends its first record, which is sealed to it.
pub fn a_device_that_enrols_beside_a_removal_is_ordered_or_late<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann", "ben"]);
        let mut device = stage.device("pc-1", &[0, 1]);
        let record = device.make();
        let (vault, ann) = (stage.vault(), stage.readers[0].id());
        let beside = stage.beside(moment, move || {
            vault.remove_reader(&scope(), &ann, Some(0), NO_WORD, &WHO, NOW).unwrap();
        });
        let answer = tell(&beside, &mut device, &[&record], NOW);
        if !beside.store().happened() {
            return false;
        }
        assert!(answer.stored.contains(id(&record)) && !stage.is_active(0));
        assert!(stage.is_ordered_or_late("pc-1"), "{moment:?}");
        true
    });
}

/// The first check-in of a device comes twice at the same time.
pub fn a_device_that_enrols_twice_is_one_device<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann"]);
        let [mut one, mut two] = [stage.device("pc-1", &[0]), stage.device("pc-1", &[0])];
        let vault = stage.vault();
        let beside = stage.beside(moment, move || {
            tell(&vault, &mut two, &[], NOW);
        });
        tell(&beside, &mut one, &[], NOW);
        if !beside.store().happened() {
            return false;
        }
        assert_eq!(stage.vault().list(&scope(), None, 10).unwrap().items.len(), 1);
        let record = one.make();
        assert!(tell(&stage.vault(), &mut one, &[&record], NOW).stored.contains(id(&record)));
        true
    });
}

/// A device offers a record; an administrator orders it to rotate, and another one retires it.
pub fn what_two_change_of_one_device_is_both_there<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann"]);
        let mut device = stage.settled("pc-1", &[0]);
        let record = device.make();
        let (vault, offered) = (stage.vault(), id(&record));
        let beside = stage.beside(moment, move || {
            let ordered = Selection::Devices(&["pc-1"]);
            vault.order_rotation(&scope(), ordered, &WHO, NOW).unwrap();
        });
        assert!(tell(&beside, &mut device, &[&record], NOW).stored.contains(offered));
        if !beside.store().happened() {
            return false;
        }
        let state = stage.state("pc-1");
        assert!(state.managed.candidates.iter().any(|held| held.id == offered), "{moment:?}");
        assert!(state.is_ordered(), "{moment:?}");
        true
    });
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann"]);
        stage.settled("pc-1", &[0]);
        let vault = stage.vault();
        let beside = stage.beside(moment, move || {
            vault.retire(&scope(), "pc-1", &WHO, NOW).unwrap();
        });
        let ordered = Selection::Devices(&["pc-1"]);
        beside.order_rotation(&scope(), ordered, &WHO, NOW).unwrap();
        if !beside.store().happened() {
            return false;
        }
        let state = stage.state("pc-1");
        let ordered = !state.managed.candidates.orders.is_empty();
        assert!(state.about.retired.is_some() && ordered, "{moment:?}");
        true
    });
}

/// A device that was silent for long checks in twice: who is answered later was not heard earlier.
pub fn a_later_check_in_is_not_set_back_by_an_earlier_one<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann"]);
        let device = stage.settled("pc-1", &[0]);
        let (vault, message) = (stage.vault(), device.message());
        let (earlier, later) = (NOW.plus(86_400), NOW.plus(86_401));
        let beside = stage.beside(moment, move || {
            exchange(&vault, &message, &[], later).unwrap();
        });
        exchange(&beside, &device.message(), &[], earlier).unwrap();
        if !beside.store().happened() {
            return false;
        }
        let seen = stage.state("pc-1").about.last_seen;
        assert!(seen == later || moment == Moment::Inside(1) && seen == earlier, "{moment:?}");
        true
    });
}

/// Two administrators order the same.
pub fn two_orders_for_one_password_are_one_order<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann"]);
        stage.settled("pc-1", &[0]);
        let (second, vault) = (Said::default(), stage.vault());
        let said = Arc::clone(&second);
        let beside = stage.beside(moment, move || {
            let ordered = vault.order_rotation(&scope(), Selection::All, &BOB, NOW).unwrap();
            say(&said, ordered.devices);
        });
        let first = beside.order_rotation(&scope(), Selection::All, &WHO, NOW).unwrap();
        if !beside.store().happened() {
            return false;
        }
        assert_eq!(first.devices + heard(&second), 1, "{moment:?}: one of them ordered it");
        assert_eq!(stage.state("pc-1").managed.candidates.orders.len(), 1);
        stage.log();
        true
    });
}

/// Bob is shown passwords while somebody orders the rotation of what he was shown.
pub fn an_order_for_what_was_shown_says_how_far_it_read<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann"]);
        let show = |vault: &Vault<F::Store>, device: &str| {
            let options = DiscloseOptions::default().without_rotation();
            vault.disclose(&scope(), device, &BOB, options, NOW).unwrap();
        };
        stage.vault().set_rotate_after(&scope(), None, &WHO, NOW).unwrap();
        for name in ["pc-1", "pc-2"] {
            stage.settled(name, &[0]);
        }
        show(&stage.vault(), "pc-1");
        let vault = stage.vault();
        let beside = stage.beside(moment, move || show(&vault, "pc-2"));
        let selection = Selection::RevealedBy { who: Who::Caller("bob"), since: NOW };
        beside.order_rotation(&scope(), selection, &WHO, NOW).unwrap();
        if !beside.store().happened() {
            return false;
        }
        let log = stage.log();
        let ordered = log.iter().find(|entry| entry.action == Action::RotationOrdered).unwrap();
        let read = ordered.detail.split("by entry ").nth(1).unwrap();
        let read: usize = read.split(':').next().unwrap().parse().unwrap();
        for shown in log.iter().take(read).filter(|entry| entry.action == Action::Disclosed) {
            assert!(stage.state(&shown.device).is_ordered(), "{moment:?}: {}", shown.device);
        }
        assert!(stage.state("pc-1").is_ordered(), "{moment:?}");
        true
    });
}

/// A reader is added while somebody re-seals for those of before.
pub fn a_reader_that_comes_beside_re_sealing_is_sealed_to<F: Fixture>() {
    at_every_moment(|moment| {
        let stage = Stage::<F>::with(&["ann", "ben"]);
        stage.settled("pc-1", &[0]);
        let (vault, new) = (stage.vault(), key("new"));
        let beside = stage.beside(moment, move || {
            vault.add_reader(&scope(), new.reader(), &WHO, NOW).unwrap();
        });
        let resealed = beside.reseal_all(&scope(), &WHO, NOW, |items, readers| {
            let again = |sealed: &[u8]| -> Result<Vec<u8>, SealError> {
                let record = Record::parse(sealed)?;
                let record = stage.readers[0].reseal(&record, readers, &mut rng())?;
                Ok(record.as_bytes().to_vec())
            };
            items.iter().map(|item| again(&item.sealed)).collect()
        });
        if !beside.store().happened() {
            return false;
        }
        let resealed = resealed.unwrap();
        assert_eq!((resealed.failed, resealed.replaced), (Vec::new(), 1), "{moment:?}");
        true
    });
}
