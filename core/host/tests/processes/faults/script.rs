//! What is done to a vault: steps that do the same again to any vault that is in the same state.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use laps_core::identity::Timestamp;
use laps_core::rotation::message::{Answer, CheckIn, Commit};
use laps_core::rotation::set::MayHold;
use laps_core::seal::{Reader, ReaderKey, Record};
use laps_core::vault::Retention;
use laps_core::vault::{
    Confirmation, DiscloseOptions, MemoryStore, Resealing, Selection, Vault, VaultError,
};

use super::super::bed::{self, Bed, Device, Either, WHO, encoded, id, scope};
use super::state::State;

type Work = dyn Fn(&Vault<Either>, Timestamp) -> Result<Vec<u8>, VaultError>;

pub struct Step {
    pub name: &'static str,
    at: Timestamp,
    number: u64,
    /// Whether all that it writes is when a device was last seen, which a full disk does not keep
    /// from being answered.
    pub only_notes: bool,
    /// None: the vault is closed and opened again.
    work: Option<Box<Work>>,
    /// What it answers, and what the vault keeps afterwards, when nothing fails.
    pub answer: Result<Vec<u8>, VaultError>,
    pub after: MemoryStore,
}

/// Where a vault's tokens come from: for each step the same ones.
#[derive(Clone, Default)]
pub struct Tokens(Arc<AtomicU64>);

impl Tokens {
    pub fn vault(&self, target: Either) -> Vault<Either> {
        let next = self.0.clone();
        Vault::new(target, move |out| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            out.copy_from_slice(&[number.to_be_bytes(), [0xa5; 8]].concat());
            true
        })
    }
}

impl Step {
    pub const fn reopens(&self) -> bool {
        self.work.is_none()
    }

    pub fn run(&self, vault: &Vault<Either>, tokens: &Tokens) -> Result<Vec<u8>, VaultError> {
        tokens.0.store(self.number << 20, Ordering::Relaxed);
        self.work.as_ref().map_or_else(|| Ok(Vec::new()), |work| work(vault, self.at))
    }

    /// On a copy of a store, which is written to so many times and no more.
    pub fn on_copy(
        &self,
        store: &MemoryStore,
        writes: usize,
    ) -> (Result<Vec<u8>, VaultError>, MemoryStore) {
        let (store, tokens) = (store.snapshot(), Tokens::default());
        let target = Either::Memory(store.clone()).stopping(writes);
        let answer = self.run(&tokens.vault(target), &tokens);
        (answer, store)
    }
}

/// Steps that were done once already, in memory, and what came of them.
pub struct Script {
    bed: Bed,
    pub steps: Vec<Step>,
}

fn rendered(answer: impl fmt::Debug) -> Vec<u8> {
    format!("{answer:?}").into_bytes()
}

impl Script {
    fn new() -> Self {
        Self { bed: Bed::in_memory(), steps: Vec::new() }
    }

    pub fn empty() -> MemoryStore {
        MemoryStore::new()
    }

    fn now(&self) -> &MemoryStore {
        &self.steps.last().unwrap().after
    }

    fn push(&mut self, name: &'static str, work: Option<Box<Work>>) {
        let before = self.steps.last().map_or_else(Self::empty, |step| step.after.clone());
        self.bed.pass(1);
        let number = u64::try_from(self.steps.len()).unwrap() + 1;
        let (answer, after) = (Ok(Vec::new()), MemoryStore::new());
        let (at, only_notes) = (self.bed.now(), false);
        let mut step = Step { name, at, number, only_notes, work, answer, after };
        (step.answer, step.after) = step.on_copy(&before, usize::MAX);
        self.steps.push(step);
    }

    fn step<T: fmt::Debug>(
        &mut self,
        name: &'static str,
        work: impl Fn(&Vault<Either>, Timestamp) -> Result<T, VaultError> + 'static,
    ) {
        self.push(name, Some(Box::new(move |vault, now| work(vault, now).map(rendered))));
        let step = self.steps.last().unwrap();
        assert!(step.answer.is_ok() || name.starts_with("refused"), "{name}: {:?}", step.answer);
    }

    fn reopen(&mut self) {
        self.push("closed and opened again", None);
    }

    fn send(&mut self, device: &mut Device, message: &CheckIn, records: &[&Record]) -> Answer {
        let (name, bytes) = (device.name, encoded(message, records));
        let work =
            move |vault: &Vault<Either>, now| vault.check_in(&scope(), name.as_str(), &bytes, now);
        self.push("check-in", Some(Box::new(work)));
        let answer = self.steps.last().unwrap().answer.clone().unwrap();
        let answer = Answer::decode(&answer).unwrap();
        device.token = Some(answer.token);
        answer
    }

    fn rotate(&mut self, device: &mut Device) -> Record {
        device.token = None;
        self.send(device, &device.message(), &[]);
        let record = device.make();
        self.send(device, &device.message(), &[&record]);
        let mut message = device.message();
        message.may_hold.ids.insert(id(&record)).unwrap();
        message.commit = Some(Commit::new(id(&record), true));
        let answer = self.send(device, &message, &[]);
        assert!(answer.commit.is_some());
        device.may_hold = MayHold::exactly(id(&record));
        device.due = Some(self.bed.now().plus(86_400));
        self.send(device, &device.message(), &[]);
        record
    }

    fn set_up(&mut self) {
        let readers = [self.bed.reader.reader().clone()];
        self.step("set up", move |vault, now| {
            vault.initialise(&scope(), &readers, Retention::default(), &WHO, now)
        });
    }

    /// The records that are there, re-sealed to these readers.
    fn reseal(&mut self, readers: &[Reader]) {
        self.step("export for re-sealing", |vault, now| {
            vault.export_for_resealing(&scope(), None, 100, &WHO, now)
        });
        let vault = Tokens::default().vault(Either::Memory(self.now().snapshot()));
        let page = vault.export_for_resealing(&scope(), None, 100, &WHO, self.bed.now()).unwrap();
        let resealed = |item: &Resealing| {
            let record = Record::parse(&item.sealed).unwrap();
            let record = self.bed.reader.reseal(&record, readers, &mut bed::rng()).unwrap();
            Resealing::new(item.device, item.record, record.as_bytes().to_vec())
        };
        let resealed: Vec<Resealing> = page.items.iter().map(resealed).collect();
        assert!(resealed.len() > 4);
        self.step("re-sealed", move |vault, now| {
            vault.import_resealed(&scope(), &resealed, &WHO, now)
        });
    }

    /// Check-ins of several devices in one call, each with a new record.
    fn together(&mut self, devices: &mut [Device]) {
        let sent: Vec<(String, Vec<u8>)> = devices
            .iter_mut()
            .map(|device| {
                let record = device.make();
                (device.name.to_string(), encoded(&device.message(), &[&record]))
            })
            .collect();
        self.step("check-ins together", move |vault, now| {
            let sent: Vec<(&str, &[u8])> =
                sent.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            vault.check_in_many(&scope(), &sent, now)
        });
        let answer = String::from_utf8(self.steps.last().unwrap().answer.clone().unwrap()).unwrap();
        assert!(!answer.contains("Err("), "{answer}");
    }

    /// Every operation that writes.
    pub fn of_everything() -> Self {
        let mut script = Self::new();
        script.set_up();
        let other: ReaderKey = bed::key("other");
        let mut devices = ["a", "b", "c", "d"].map(|name| script.bed.device(name));
        for device in &mut devices {
            script.rotate(device);
        }
        let displaced = devices[0].last.unwrap();
        script.rotate(&mut devices[0]);
        script.step("disclose", |vault, now| {
            let options = DiscloseOptions::default().with_history().with_rotation_after(60);
            vault.disclose(&scope(), "a", &WHO, options, now)
        });
        script.step("outcome", |vault, now| {
            let entry = vault.audit_head(&scope())?.length;
            vault.record_outcome(&scope(), entry, true, &[], &WHO, now)
        });
        script.step("refused: an unknown device", |vault, now| {
            vault.disclose(&scope(), "z", &WHO, DiscloseOptions::default(), now)
        });
        let reader = other.reader().clone();
        script
            .step("add a reader", move |vault, now| vault.add_reader(&scope(), &reader, &WHO, now));
        let both = [script.bed.reader.reader().clone(), other.reader().clone()];
        script.reseal(&both);
        script.reopen();
        devices.iter_mut().for_each(|device| device.readers = both.to_vec());
        script.together(&mut devices);
        script
            .step("order", |vault, now| vault.order_rotation(&scope(), Selection::All, &WHO, now));
        script.step("export", |vault, now| vault.export(&scope(), None, 10, &WHO, now));
        script.step("retire", |vault, now| vault.retire(&scope(), "b", &WHO, now));
        script.step("retire", |vault, now| vault.retire(&scope(), "c", &WHO, now));
        script.step("re-enrol", |vault, now| vault.re_enrol(&scope(), "b", &WHO, now));
        script
            .step("purge", |vault, now| vault.purge(&scope(), "d", Confirmation::Given, &WHO, now));
        script.step("remove a record", move |vault, now| {
            vault.remove_record(&scope(), "a", displaced, Confirmation::Given, &WHO, now)
        });
        script.step("set the history", |vault, now| {
            vault.set_retention(&scope(), Retention::count(1), &WHO, now)
        });
        let removed = other.id();
        script.step("remove a reader", move |vault, now| {
            let word = Confirmation::NotGiven;
            vault.remove_reader(&scope(), &removed, Some(60), word, &WHO, now)
        });
        // A check-in that changes nothing, more than an hour later: when it was last seen is stored
        // without a sync.
        let device = &mut devices[1];
        device.token = None;
        script.send(device, &device.message(), &[]);
        script.bed.pass(4_000);
        script.send(device, &device.message(), &[]);
        script.steps.last_mut().unwrap().only_notes = true;
        script.rotate(&mut devices[2]);
        script
    }

    /// Many check-ins in one call, on a vault whose pages are not in memory.
    pub fn of_many() -> Self {
        let mut script = Self::new();
        script.set_up();
        let name = |n| format!("device-with-a-long-name-so-that-few-share-a-page-{n:03}");
        let mut devices: Vec<Device> = (0..60).map(|n| script.bed.device(&name(n))).collect();
        script.together(&mut devices);
        script.reopen();
        script.together(&mut devices);
        script
    }

    /// That the vault goes on from here.
    pub fn goes_on(&self, vault: &Vault<Either>) {
        let before = State::of(vault.store()).unwrap().head.length;
        let mut device = self.bed.device("later");
        let record = device.make();
        let bytes = encoded(&device.message(), &[&record]);
        let now = self.bed.now();
        vault.check_in(&scope(), "later", &bytes, now).unwrap();
        let options = DiscloseOptions::default();
        let disclosed = vault.disclose(&scope(), "later", &WHO, options, now).unwrap();
        assert_eq!(disclosed.candidates[0].sealed, record.as_bytes());
        assert_eq!(disclosed.entry, before + 1);
        assert!(vault.audit_verify(&scope(), Some(disclosed.head)).unwrap().ok);
    }
}
