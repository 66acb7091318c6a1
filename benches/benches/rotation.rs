//! The rotation machine, its messages, and a whole run of the agent against what its syncs alone
//! cost.
//!
//! `LAPS_FOLDER` names the folder, and with it the disk, of the runs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark stops where something is wrong"
)]

use core::hint::black_box;
use std::fs::{self, File};

use std::io::{Seek as _, Write as _};
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope};
use laps_core::random::Generator;
use laps_core::rotation::message::{Answer, CheckIn, MAX_ANSWER, MAX_HEAD, record_prefix};
use laps_core::rotation::{AccountSeen, Applied, Config, Effect, MAX_JOURNAL, Rotation, Verified};
use laps_core::seal::{Header, ReaderKey, Record, Suite};
use laps_core::secret::Password;
use laps_core::vault::{MemoryStore, Vault};
use laps_host::agent::channel::VaultChannel;
use laps_host::agent::{Agent, AgentOptions, PolicySource, RunOutcome};
use laps_host::sqlite::SqliteStore;
use laps_testkit::account::InMemory;
use laps_testkit::bed::{NOW, header};

const DEVICE: &str = "pc-1";
const CHANGE_STAMP: Option<[u8; 32]> = Some([7; 32]);

fn config() -> Config {
    let account = AccountName::new("Admin").unwrap();
    Config::new(Scope::EMPTY, DeviceId::new(DEVICE).unwrap(), account, None)
}

/// A device with its vault in memory and one sealed record for every password.
struct World {
    machine: Rotation,
    vault: Vault<MemoryStore>,
    generator: Generator<laps_core::random::SystemSource>,
    reader: ReaderKey,
    record: Vec<u8>,
    nonce: u8,
}

impl World {
    fn new() -> Self {
        let mut generator = Generator::from_system().unwrap();
        let reader = ReaderKey::generate(Suite::XWing, "reader", &mut generator).unwrap();
        let vault = Vault::from_system(MemoryStore::new());
        let machine = Rotation::new(config(), NOW).unwrap();
        Self { machine, vault, generator, reader, record: Vec::new(), nonce: 0 }
    }

    /// Steps until the effect is of this kind.
    fn until(mut self, kind: impl Fn(Effect) -> bool) -> Self {
        for _ in 0..100 {
            if kind(self.machine.poll()) {
                return self;
            }
            self.step();
        }
        panic!("not reached: {:?}", self.machine.poll());
    }

    fn step(&mut self) {
        let machine = &mut self.machine;
        match machine.poll() {
            Effect::Wipe => machine.handle_wiped().unwrap(),
            Effect::Save => {
                machine.journal(&mut [0; MAX_JOURNAL]).unwrap();
                machine.handle_saved().unwrap();
            }
            Effect::LookUp => {
                machine.handle_account(AccountSeen::Present { change_stamp: CHANGE_STAMP }, NOW);
            }
            Effect::CheckIn => {
                let message = self.message();
                let answer = self.vault.check_in(&Scope::EMPTY, DEVICE, &message, NOW).unwrap();
                self.machine.handle_answer(&answer, NOW, 0).unwrap();
            }
            Effect::Prepare { previous, version } => {
                let id = self.seal(previous, version);
                self.machine.handle_prepared(id, version, CHANGE_STAMP, NOW).unwrap();
            }
            Effect::ReadChangeStamp => machine.handle_change_stamp(CHANGE_STAMP, NOW, 0).unwrap(),
            Effect::Apply { .. } => machine.handle_applied(Applied::Success, NOW).unwrap(),
            Effect::Verify { .. } => machine.handle_verified(Verified::Match, NOW, 0).unwrap(),
            Effect::Act(_) | Effect::WaitUntil(_) => machine.force(NOW),
        }
        while self.machine.poll_event().is_some() {}
    }

    fn message(&mut self) -> Vec<u8> {
        self.nonce = self.nonce.wrapping_add(1);
        let mut head = [0; MAX_HEAD];
        let length = self.machine.check_in([self.nonce; 16], &mut head).unwrap();
        let mut message = head[..length].to_vec();
        for _ in self.machine.offers().iter() {
            message.extend(record_prefix(&self.record).unwrap());
            message.extend(&self.record);
        }
        message
    }

    fn seal(&mut self, previous: Option<RecordId>, version: u64) -> RecordId {
        let mut id = [0; 16];
        self.generator.fill(&mut id).unwrap();
        let id = RecordId::from_bytes(id);
        let header = Header { previous, ..header(config().device, id, version) };
        let password: Box<Password> = Box::new(Password::try_from_str("Aa1!Aa1!Aa1!Aa").unwrap());
        let readers = [self.reader.reader().clone()];
        let record = Record::seal(&header, &password, &readers, &mut self.generator).unwrap();
        self.record = record.as_bytes().to_vec();
        id
    }
}

/// Each step of the machine; the goal is less than 1 µs.
fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    let settled = World::new().until(|effect| matches!(effect, Effect::WaitUntil(_))).machine;
    group.bench_function("poll", |b| b.iter(|| black_box(&settled).poll()));
    let mut step = |name: &str, from: &Rotation, work: &mut dyn FnMut(&mut Rotation)| {
        group.bench_function(name, |b| {
            b.iter_batched_ref(|| from.clone(), |machine| work(machine), BatchSize::SmallInput);
        });
    };
    step("timeout", &settled, &mut |m| m.handle_timeout(NOW.plus(60)));
    let prepare = World::new().until(|effect| matches!(effect, Effect::Prepare { .. })).machine;
    let Effect::Prepare { version, .. } = prepare.poll() else { panic!("effects no password") };
    let id = RecordId::from_bytes([9; 16]);
    step("prepared", &prepare, &mut |m| m.handle_prepared(id, version, CHANGE_STAMP, NOW).unwrap());
    let change_stamp = World::new().until(|effect| effect == Effect::ReadChangeStamp).machine;
    step("change stamp", &change_stamp, &mut |m| {
        m.handle_change_stamp(CHANGE_STAMP, NOW, 0).unwrap();
    });
    let apply = World::new().until(|effect| matches!(effect, Effect::Apply { .. })).machine;
    step("applied", &apply, &mut |m| m.handle_applied(Applied::Success, NOW).unwrap());
    let verify = World::new().until(|effect| matches!(effect, Effect::Verify { .. })).machine;
    step("verified", &verify, &mut |m| m.handle_verified(Verified::Match, NOW, 0).unwrap());
    let save = World::new().until(|effect| effect == Effect::Save).machine;
    step("journal written and saved", &save, &mut |m| {
        m.journal(&mut [0; MAX_JOURNAL]).unwrap();
        m.handle_saved().unwrap();
    });
    let mut journal = [0; MAX_JOURNAL];
    let length = save.clone().journal(&mut journal).unwrap();
    let journal = &journal[..length];
    group.bench_function("resume from a journal", |b| {
        b.iter(|| Rotation::resume(black_box(journal), config(), CHANGE_STAMP, NOW).unwrap());
    });
}

/// The two messages on the device, and the vault's side with a store in memory.
fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    // A check-in with a record, as in the middle of a rotation.
    let mut offering = World::new()
        .until(|effect| effect == Effect::Save)
        .until(|effect| effect == Effect::CheckIn);
    let message = offering.message();
    let machine = offering.machine.clone();
    group.bench_function("check-in, encode the head", |b| {
        b.iter_batched_ref(
            || machine.clone(),
            |machine| machine.check_in([1; 16], &mut [0; MAX_HEAD]).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Bytes(u64::try_from(message.len()).unwrap()));
    group.bench_function("check-in with a record, decode", |b| {
        b.iter(|| {
            let (head, records) = CheckIn::decode(black_box(&message)).unwrap();
            (head.offers, records.count())
        });
    });
    let answer = offering.vault.check_in(&Scope::EMPTY, DEVICE, &message, NOW).unwrap();
    group.throughput(Throughput::Bytes(u64::try_from(answer.len()).unwrap()));
    group.bench_function("answer, decode", |b| {
        b.iter(|| Answer::decode(black_box(&answer)).unwrap());
    });
    let decoded = Answer::decode(&answer).unwrap();
    group.bench_function("answer, encode", |b| {
        b.iter(|| black_box(&decoded).encode(&mut [0; MAX_ANSWER]).unwrap());
    });
    let waiting = offering.machine.clone();
    group.bench_function("answer, decode and handle", |b| {
        b.iter_batched_ref(
            || waiting.clone(),
            |machine| machine.handle_answer(&answer, NOW, 0).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let mut quiet = World::new().until(|effect| matches!(effect, Effect::WaitUntil(_)));
    let message = quiet.message();
    group.throughput(Throughput::Elements(1));
    group.bench_function("vault in memory, nothing new", |b| {
        b.iter(|| quiet.vault.check_in(&Scope::EMPTY, DEVICE, black_box(&message), NOW).unwrap());
    });
}

/// A running agent with a vault in a file, beside the syncs that it makes and nothing else.
fn runs(criterion: &mut Criterion) {
    let folder = std::env::var("LAPS_FOLDER").map_or_else(
        |_| tempfile::tempdir().unwrap(),
        |folder| tempfile::tempdir_in(folder).unwrap(),
    );
    let mut generator = Generator::from_system().unwrap();
    let reader = ReaderKey::generate(Suite::XWing, "reader", &mut generator).unwrap();
    let device = DeviceId::new(DEVICE).unwrap();
    let text = br#"{"BackupDirectory":1,"AdministratorAccountName":"Admin"}"#.to_vec();
    let policy = PolicySource::Texts(vec![("policy.json".to_owned(), text)]);
    let state = folder.path().join("state");
    let options = AgentOptions::new(device, vec![reader.reader().clone()], policy, state.clone());
    let vault = SqliteStore::init(folder.path().join("vault")).unwrap();
    let channel = VaultChannel::new(Vault::from_system(vault), Scope::EMPTY, device);
    let store = Box::new(InMemory::new(true, &[]));
    let mut agent = Agent::open(options, store, Box::new(channel), Box::new(|_| {})).unwrap();
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    let journal = fs::read(state.join("journal")).unwrap();

    let mut group = criterion.benchmark_group("run_once");
    group.sample_size(20);
    group.bench_function("nothing due", |b| {
        b.iter(|| assert_eq!(agent.check_in().unwrap(), RunOutcome::NothingDue));
    });
    group.bench_function("a rotation", |b| {
        b.iter(|| assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed));
    });
    // The floor: three journals, each a file and its folder, and the vault's two commits (the
    // record and the commit; a running agent has its token).
    let beside = folder.path().join("floor");
    fs::create_dir(&beside).unwrap();
    let mut log = File::create(beside.join("log")).unwrap();
    group.bench_function("its eight syncs alone", |b| {
        b.iter(|| {
            for _ in 0..3 {
                replace(&beside, &journal);
            }
            for _ in 0..2 {
                log.rewind().unwrap();
                // Two pages of the log, as a commit has at least.
                log.write_all(&[0; 8192]).unwrap();
                log.sync_data().unwrap();
            }
        });
    });
    group.finish();
}

fn replace(folder: &Path, bytes: &[u8]) {
    let new = folder.join("journal.new");
    let mut file = File::create(&new).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    fs::rename(&new, folder.join("journal")).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

criterion_group!(benches, steps, messages, runs);
criterion_main!(benches);
