//! A vault and devices that speak to it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
#[cfg(feature = "host")]
use std::path::PathBuf;

use laps_core::error::Code;
use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use laps_core::random::{Generator, SystemSource};
use laps_core::rotation::event::{Directory, EventKind, Outcome, Reason};
use laps_core::rotation::message::{Answer, CheckIn, Commit, record_prefix};
use laps_core::rotation::set::{IdSet, MayHold};
use laps_core::seal::{Header, Reader, ReaderKey, Record, Suite};
use laps_core::secret::Password;
use laps_core::vault::memory::MemoryWork;
use laps_core::vault::plan::{Plan, Want};
use laps_core::vault::store::{Durability, Store, Work};
use laps_core::vault::unit::{Appended, Rows, Writes};
use laps_core::vault::{MemoryStore, Request, StoreError, Vault, VaultError};
#[cfg(feature = "host")]
use laps_host::sqlite::{SqliteStore, SqliteWork};

pub const WHO: Request<'_> = Request::new("alice", "ticket 4711");
/// When every story begins.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// Either store, so that one test serves both; or one that stops.
#[derive(Clone)]
pub enum Either {
    Memory(MemoryStore),
    #[cfg(feature = "host")]
    Sqlite(SqliteStore),
    /// One that can be written so many times more, as if the process had been killed there.
    Stopping(Box<Self>, Arc<AtomicUsize>),
}

impl Either {
    #[must_use]
    pub fn stopping(self, writes: usize) -> Self {
        Self::Stopping(Box::new(self), Arc::new(AtomicUsize::new(writes)))
    }
}

impl Store for Either {
    type Work<'s> = EitherWork<'s>;

    fn ahead(&self) -> usize {
        match self {
            Self::Memory(store) => store.ahead(),
            #[cfg(feature = "host")]
            Self::Sqlite(store) => store.ahead(),
            Self::Stopping(store, _) => store.ahead(),
        }
    }

    fn scopes(&self) -> Result<Vec<Scope>, VaultError> {
        match self {
            Self::Memory(store) => store.scopes(),
            #[cfg(feature = "host")]
            Self::Sqlite(store) => store.scopes(),
            Self::Stopping(store, _) => store.scopes(),
        }
    }

    fn read(&self, plan: &Plan) -> Result<Rows, VaultError> {
        match self {
            Self::Memory(store) => store.read(plan),
            #[cfg(feature = "host")]
            Self::Sqlite(store) => store.read(plan),
            Self::Stopping(store, _) => store.read(plan),
        }
    }

    fn begin(
        &self,
        plan: &Plan,
        durability: Durability,
    ) -> Result<(EitherWork<'_>, Rows), VaultError> {
        match self {
            Self::Memory(store) => {
                let (work, rows) = store.begin(plan, durability)?;
                Ok((EitherWork::Memory(work), rows))
            }
            #[cfg(feature = "host")]
            Self::Sqlite(store) => {
                let (work, rows) = store.begin(plan, durability)?;
                Ok((EitherWork::Sqlite(Box::new(work)), rows))
            }
            Self::Stopping(store, left) => {
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .map_err(|_| StoreError::new(Code::Io, "stopped"))?;
                store.begin(plan, durability)
            }
        }
    }
}

/// A unit of work of either store.
#[derive(Debug)]
pub enum EitherWork<'s> {
    Memory(MemoryWork<'s>),
    #[cfg(feature = "host")]
    Sqlite(Box<SqliteWork<'s>>),
}

impl Work for EitherWork<'_> {
    fn fetch(&mut self, wants: &[Want], rows: &mut Rows) -> Result<(), VaultError> {
        match self {
            Self::Memory(work) => work.fetch(wants, rows),
            #[cfg(feature = "host")]
            Self::Sqlite(work) => work.fetch(wants, rows),
        }
    }

    fn write(self, writes: Writes) -> Result<Appended, VaultError> {
        match self {
            Self::Memory(work) => work.write(writes),
            #[cfg(feature = "host")]
            Self::Sqlite(work) => work.write(writes),
        }
    }

    fn write_part(&mut self, writes: Writes, next: &Plan) -> Result<(Appended, Rows), VaultError> {
        match self {
            Self::Memory(work) => work.write_part(writes, next),
            #[cfg(feature = "host")]
            Self::Sqlite(work) => work.write_part(writes, next),
        }
    }
}

/// A vault with its reader and a clock.
pub struct Bed {
    pub vault: Vault<Either>,
    pub reader: ReaderKey,
    clock: AtomicU64,
    #[cfg(feature = "host")]
    folder: Option<tempfile::TempDir>,
}

impl Bed {
    pub fn in_memory() -> Self {
        Self::new(Either::Memory(MemoryStore::new()))
    }

    #[cfg(feature = "host")]
    pub fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::init(folder.path().join("vault")).unwrap();
        Self { folder: Some(folder), ..Self::new(Either::Sqlite(store)) }
    }

    /// Over this vault, on the same clock as a new one.
    #[cfg(feature = "host")]
    pub fn over(store: SqliteStore) -> Self {
        Self::new(Either::Sqlite(store))
    }

    /// The vault as one that can only be a file.
    #[cfg(feature = "host")]
    pub fn on_file(&self) -> Vault<SqliteStore> {
        let Either::Sqlite(store) = self.vault.store() else { unreachable!("a file") };
        Vault::new(store.clone(), counting())
    }

    fn new(store: Either) -> Self {
        Self {
            vault: Vault::new(store, counting()),
            reader: key("reader"),
            clock: AtomicU64::new(NOW.as_unix_seconds()),
            #[cfg(feature = "host")]
            folder: None,
        }
    }

    /// The file of the vault.
    #[cfg(feature = "host")]
    pub fn path(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("vault")
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.clock.load(Ordering::Relaxed))
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// The vault's clock is corrected.
    pub fn set_back(&self, seconds: u64) {
        self.clock.fetch_sub(seconds, Ordering::Relaxed);
    }

    /// What was current a month ago is not protected any more, and a day later that is still so.
    pub fn outlive(&self, device: &mut Device) {
        for seconds in [30 * 86_400, 86_400] {
            self.pass(seconds);
            device.check_in(self);
        }
    }

    pub fn device(&self, name: &str) -> Device {
        Device::new(name, self.reader.reader().clone())
    }

    /// A device that has rotated so many times.
    pub fn settled(&self, name: &str, rotations: u64) -> Device {
        let mut device = self.device(name);
        for _ in 0..rotations {
            device.rotate(self);
        }
        device
    }

    /// The passwords that a reader gets from a disclosure, in its order.
    pub fn reveal(&self, device: &str) -> Vec<String> {
        let options = laps_core::vault::DiscloseOptions::default().without_rotation();
        let disclosure = self.vault.disclose(&scope(), device, &WHO, options, self.now()).unwrap();
        disclosure
            .candidates
            .iter()
            .map(|candidate| {
                let record = Record::parse(&candidate.sealed).unwrap();
                self.reader.open(&record).unwrap().password.expose_secret().to_owned()
            })
            .collect()
    }

    /// The details and actions of the audit log.
    pub fn audit_log(&self) -> Vec<laps_core::vault::audit::Entry> {
        let entries = self.vault.audit_entries(&scope(), 0, 10_000).unwrap();
        entries.into_iter().map(|stored| stored.entry.unwrap()).collect()
    }
}

/// A vault's source of tokens that differ.
pub fn counting() -> impl Fn(&mut [u8]) -> bool + Send + Sync {
    counting_from(1)
}

pub fn counting_from(first: u64) -> impl Fn(&mut [u8]) -> bool + Send + Sync {
    let drawn = AtomicU64::new(first);
    move |out| {
        let number = drawn.fetch_add(1, Ordering::Relaxed);
        let bytes = [number.to_be_bytes(), [0xa5; 8]].concat();
        out.copy_from_slice(&bytes);
        true
    }
}

pub fn scope() -> Scope {
    Scope::EMPTY
}

pub fn key(name: &str) -> ReaderKey {
    ReaderKey::generate(Suite::X25519, name, &mut rng()).unwrap()
}

pub fn rng() -> Generator<SystemSource> {
    Generator::from_system().unwrap()
}

/// A device, as the vault sees one: what it says, and the records it has.
pub struct Device {
    pub name: DeviceId,
    pub scope: Scope,
    pub readers: Vec<Reader>,
    pub token: Option<[u8; 16]>,
    pub may_hold: MayHold,
    pub version: u64,
    pub last: Option<RecordId>,
    pub due: Option<Timestamp>,
    pub outcome: Option<Outcome>,
    pub ruled_out: IdSet,
    pub audit: Option<laps_core::vault::AuditHead>,
    pub sid: Option<laps_core::account::Sid>,
    pub account: AccountName,
}

impl Device {
    pub fn new(name: &str, reader: Reader) -> Self {
        Self {
            name: DeviceId::new(name).unwrap(),
            scope: scope(),
            readers: vec![reader],
            token: None,
            may_hold: MayHold::UNKNOWN,
            version: 0,
            last: None,
            due: None,
            outcome: None,
            ruled_out: IdSet::EMPTY,
            audit: None,
            sid: None,
            account: AccountName::new("Admin").unwrap(),
        }
    }

    /// Makes a record above the version that the device knows.
    pub fn make(&mut self) -> Record {
        self.version += 1;
        let record =
            self.seal(self.version, self.last, &format!("Secret-{}-{}", self.name, self.version));
        self.last = Some(record.header().id);
        record
    }

    pub fn seal(&self, version: u64, previous: Option<RecordId>, password: &str) -> Record {
        let mut id = [0; 16];
        rng().fill(&mut id).unwrap();
        let header = Header {
            scope: self.scope,
            account: self.account,
            sid: self.sid,
            previous,
            ..header(self.name, RecordId::from_bytes(id), version)
        };
        let password = Password::try_from_str(password).unwrap();
        Record::seal(&header, &password, &self.readers, &mut rng()).unwrap()
    }

    pub fn message(&self) -> CheckIn {
        let mut nonce = [0; 16];
        rng().fill(&mut nonce).unwrap();
        let mut message = CheckIn::new(self.scope, self.name, self.account, nonce);
        message.token = self.token;
        message.may_hold = self.may_hold;
        message.highest_version = self.version;
        message.due = self.due;
        message.last = self.outcome;
        message.ruled_out = self.ruled_out;
        message.audit = self.audit;
        message.sid = self.sid;
        message
    }

    /// Sends a message; the device remembers the token of the answer.
    pub fn send(&mut self, bed: &Bed, message: &CheckIn, records: &[&Record]) -> Answer {
        let answer = deliver(bed, message, records).unwrap();
        assert_eq!(answer.nonce, message.nonce);
        self.token = Some(answer.token);
        answer
    }

    pub fn check_in(&mut self, bed: &Bed) -> Answer {
        self.send(bed, &self.message(), &[])
    }

    pub fn offer(&mut self, bed: &Bed, records: &[&Record]) -> Answer {
        self.send(bed, &self.message(), records)
    }

    pub fn commit(&mut self, bed: &Bed, record: &Record, verified: bool) -> Answer {
        self.holds(record);
        let mut message = self.message();
        message.commit = Some(Commit::new(record.header().id, verified));
        self.send(bed, &message, &[])
    }

    /// The record joins the may-hold set.
    pub fn holds(&mut self, record: &Record) {
        self.may_hold.ids.insert(record.header().id).unwrap();
    }

    /// A whole rotation: start, offer, apply, commit, and a last check-in that tells of it.
    pub fn rotate(&mut self, bed: &Bed) -> Record {
        self.rotate_as(bed, true)
    }

    pub fn rotate_as(&mut self, bed: &Bed, verified: bool) -> Record {
        self.token = None;
        self.check_in(bed);
        let record = self.make();
        assert_eq!(self.offer(bed, &[&record]).stored.len(), 1);
        let answer = self.commit(bed, &record, verified);
        assert_eq!(answer.commit, Some(laps_core::rotation::message::CommitAnswer::Acknowledged));
        self.may_hold = MayHold::exactly(record.header().id);
        self.due = Some(bed.now().plus(30 * 86_400));
        self.outcome =
            Some(Outcome::new(EventKind::Committed, Directory::Entra, Reason::Age, bed.now()));
        self.check_in(bed);
        bed.pass(1);
        record
    }
}

/// Delivers a message as it is.
pub fn deliver(bed: &Bed, message: &CheckIn, records: &[&Record]) -> Result<Answer, VaultError> {
    exchange(&bed.vault, message, records, bed.now())
}

/// What a vault answers to a message with records.
pub fn exchange(
    vault: &Vault<impl Store>,
    message: &CheckIn,
    records: &[&Record],
    now: Timestamp,
) -> Result<Answer, VaultError> {
    let bytes = encoded(message, records);
    let answer = vault.check_in(&message.scope, message.device.as_str(), &bytes, now)?;
    Ok(Answer::decode(&answer).unwrap())
}

/// A message with records, as bytes. It offers those and no others.
pub fn encoded(message: &CheckIn, records: &[&Record]) -> Vec<u8> {
    let mut message = *message;
    let mut records = records.to_vec();
    records.sort_by_key(|record| record.header().id);
    message.offers = IdSet::collect_first(records.iter().map(|record| record.header().id)).0;
    let mut out = vec![0; 4096];
    let len = message.encode(&mut out).unwrap();
    out.truncate(len);
    for record in records {
        out.extend(record_prefix(record.as_bytes()).unwrap());
        out.extend(record.as_bytes());
    }
    out
}

/// A check-in that says nothing yet. It has always the same nonce.
pub fn blank(device: DeviceId) -> CheckIn {
    CheckIn::new(scope(), device, AccountName::new("Admin").unwrap(), [3; 16])
}

/// The header of a record in no scope, for the account of this name, without a predecessor.
pub fn header(device: DeviceId, id: RecordId, version: u64) -> Header {
    Header {
        scope: scope(),
        device,
        account: AccountName::new("Admin").unwrap(),
        sid: None,
        id,
        previous: None,
        version,
        made_at: NOW,
        policy_hash: [0; 32],
    }
}

pub fn id(record: &Record) -> RecordId {
    record.header().id
}

pub fn device_id(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}
