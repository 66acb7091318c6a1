//! A fleet of true size: the rows of devices that have rotated for years, and the messages of those
//! that are measured.

use std::path::Path;

use laps_core::identity::{AccountName, DeviceId, RecordId};
use laps_core::rotation::message::{Answer, CheckIn, Commit};
use laps_core::rotation::set::MayHold;
use laps_core::seal::{Header, ReaderKey, Record, Suite};
use laps_core::secret::Password;
use laps_core::vault::Retention;
use laps_core::vault::plan::{Plan, Want};
use laps_core::vault::readers::ReaderList;
use laps_core::vault::run::run;
use laps_core::vault::state::{Held, Past};
use laps_core::vault::store::Durability;
use laps_core::vault::unit::{Rows, Stop};
use laps_core::vault::{Request, Vault};
use laps_host::sqlite::SqliteStore;
use laps_testkit::bed::{NOW, blank, encoded, header, rng};
use sha2::{Digest as _, Sha256};

use super::super::SCOPE;

const DAY: u64 = 86_400;

pub struct Fleet {
    devices: usize,
    history: usize,
    key: ReaderKey,
    record_len: usize,
    template: Option<Record>,
}

impl Fleet {
    /// Fills a new vault, a thousand devices in each transaction. Its records have the sealed bytes
    /// of one behind a front of their own, which is all that a vault looks at.
    pub fn fill(path: &Path, devices: usize, history: usize) -> Self {
        Self::make(path, devices, history, false)
    }

    /// Fills a new vault with one record a device, which opens.
    pub fn sealed(path: &Path, devices: usize) -> Self {
        Self::make(path, devices, 0, true)
    }

    fn make(path: &Path, devices: usize, history: usize, opens: bool) -> Self {
        let key = ReaderKey::generate(Suite::XWing, "reader", &mut rng()).unwrap();
        let store = SqliteStore::init(path).unwrap();
        let vault = Vault::from_system(store.clone());
        let who = Request::new("bench", "filling");
        let setting = Retention::count(u16::try_from(history).unwrap());
        vault.initialise(&SCOPE, &[key.reader().clone()], setting, &who, NOW).unwrap();
        let mut fleet = Self { devices, history, key, record_len: 0, template: None };
        let template = fleet.seal(&Self::name(0), 1, id(0, 1), Some(id(0, 0)));
        fleet.record_len = template.as_bytes().len();
        run(&store, &Plan::of(&SCOPE), Durability::Durable, |rows| {
            let mut readers = rows.readers()?.clone();
            readers.sets.push(vec![*fleet.key.id().as_bytes()]);
            rows.put_readers(readers);
            Ok(())
        })
        .unwrap();
        fleet.template = Some(template.clone());
        // Enrolled by name, rotated in another order, the same each time: so the fleet lives, and
        // so its pages lie in the file.
        let versions = history + 1;
        for version in 1..=versions {
            let order: Vec<usize> =
                if version == 1 { (0..devices).collect() } else { fleet.pick(devices).collect() };
            for page in order.chunks(1_000) {
                let names = page.iter().map(|n| DeviceId::new(&Self::name(*n)).unwrap());
                let mut plan = Plan::of(&SCOPE);
                plan.wants.extend(names.map(Want::Device));
                run(&store, &plan, Durability::Relaxed, |rows| {
                    page.iter().try_for_each(|n| fleet.rotate(rows, *n, version, &template, opens))
                })
                .unwrap();
            }
        }
        fleet
    }

    /// A device's rotation to this version; with the first one it is enrolled.
    fn rotate(
        &self,
        rows: &mut Rows,
        n: usize,
        version: usize,
        template: &Record,
        opens: bool,
    ) -> Result<(), Stop> {
        let name = DeviceId::new(&Self::name(n)).unwrap();
        let mut parents = Vec::new();
        let mut device = if version == 1 {
            // Spread over a month, in no order of the names.
            let place = u64::try_from(n).unwrap().wrapping_mul(2_654_435_761) % (30 * DAY);
            let account = AccountName::new("Admin").unwrap();
            let mut device = laps_core::vault::state::Device::first_seen(account, None, NOW);
            device.managed.report.due = Some(NOW.plus(place));
            device.managed.candidates.token = Some([7; 16]);
            // Devices are of all ages, so their ancestries do not all leave the row at the same
            // check-in.
            parents.extend((0..n % 16).map(|old| (id(n, 1_000_000 + old), id(n, 1_000_001 + old))));
            device
        } else {
            rows.device(&name)?.unwrap().1.clone()
        };
        let (this, before) = (id(n, version), id(n, version - 1));
        let sealed = if opens {
            self.seal(name.as_str(), version, this, Some(before)).as_bytes().to_vec()
        } else {
            relabelled(template, &name, version, this, before)
        };
        let mut held = Held::new(this, u64::try_from(version).unwrap());
        held.original.len = u32::try_from(sealed.len()).unwrap();
        let digest = Sha256::digest(&sealed)[..16].try_into().unwrap();
        held.original.digest = digest;
        held.original.readers = ReaderList::Set(0);
        held.stored_at = NOW;
        (held.confirmed, held.committed) = (true, true);
        let past = device.managed.candidates.current.replace(held);
        if let Some(past) = past {
            device.managed.candidates.history.insert(0, past_of(past));
        }
        parents.push((before, this));
        device.managed.report.may_hold = MayHold::exactly(this);
        device.managed.report.likely = device.managed.report.may_hold.ids;
        device.managed.report.offered = Some(ReaderList::Set(0));
        device.managed.candidates.highest_version = u64::try_from(version).unwrap();
        rows.put_records(&name, device, [((this, digest), sealed)], parents);
        Ok(())
    }

    fn seal(
        &self,
        device: &str,
        version: usize,
        id: RecordId,
        previous: Option<RecordId>,
    ) -> Record {
        let version = u64::try_from(version).unwrap();
        let header = Header { previous, ..header(DeviceId::new(device).unwrap(), id, version) };
        let password = Password::try_from_str("a password of 20 char").unwrap();
        Record::seal(&header, &password, &[self.key.reader().clone()], &mut rng()).unwrap()
    }

    pub fn name(n: usize) -> String {
        format!("device-{n:07}")
    }

    pub const fn record_len(&self) -> usize {
        self.record_len
    }

    pub const fn key(&self) -> &ReaderKey {
        &self.key
    }

    /// So many devices all over the fleet, each at most once where there are enough.
    pub fn pick(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let devices = self.devices;
        // The step has no factor in common with powers of ten.
        (0..count).map(move |n| n * 7_919 % devices)
    }

    pub fn device(&self, n: usize) -> Device {
        let held = id(n, self.history + 1);
        Device { n, version: self.history + 1, token: None, held, made: held }
    }

    /// One reader more.
    pub fn add_reader(&self, vault: &Vault<SqliteStore>) {
        let other = ReaderKey::generate(Suite::XWing, "other", &mut rng()).unwrap();
        vault.add_reader(&SCOPE, other.reader(), &Request::new("bench", "adding"), NOW).unwrap();
    }
}

/// The record with another front. What stands in the front of the template is looked for, and not
/// counted to: another field in front of it is no matter. The name has the same length.
fn relabelled(
    record: &Record,
    device: &DeviceId,
    version: usize,
    id: RecordId,
    before: RecordId,
) -> Vec<u8> {
    let mut bytes = record.as_bytes().to_vec();
    let header = record.header();
    let mut put = |old: &[u8], new: &[u8]| {
        let place = bytes.windows(old.len()).position(|part| part == old).unwrap();
        bytes[place..][..old.len()].copy_from_slice(new);
    };
    put(header.device.as_str().as_bytes(), device.as_str().as_bytes());
    put(header.id.as_bytes(), id.as_bytes());
    let old = header.previous.unwrap();
    let new = [before.as_bytes().as_slice(), &(version as u64).to_be_bytes()].concat();
    put(&[old.as_bytes().as_slice(), &header.version.to_be_bytes()].concat(), &new);
    bytes
}

fn past_of(held: Held) -> Past {
    Past::new(held, NOW)
}

fn id(n: usize, version: usize) -> RecordId {
    let hash = Sha256::digest(format!("{n} {version}"));
    RecordId::from_bytes(hash[..16].try_into().unwrap())
}

/// A device that is measured.
pub struct Device {
    n: usize,
    version: usize,
    token: Option<[u8; 16]>,
    held: RecordId,
    /// The record it made last: the predecessor of the next one.
    made: RecordId,
}

impl Device {
    pub fn name(&self) -> String {
        Fleet::name(self.n)
    }

    fn message(&self) -> CheckIn {
        let mut message = blank(DeviceId::new(&self.name()).unwrap());
        message.token = self.token;
        message.may_hold = MayHold::exactly(self.held);
        message.due = Some(NOW.plus(DAY));
        message
    }

    /// A check-in that offers nothing.
    fn start(&mut self, commits: bool) -> Vec<u8> {
        if commits {
            self.held = self.made;
        }
        let mut message = self.message();
        message.commit = commits.then_some(Commit::new(self.held, true));
        encoded(&message, &[])
    }

    fn take(&mut self, answer: &[u8]) {
        self.token = Some(Answer::decode(answer).unwrap().token);
    }

    pub fn say_nothing(&mut self, vault: &Vault<SqliteStore>) {
        let bytes = encoded(&self.message(), &[]);
        let answer = vault.check_in(&SCOPE, &self.name(), &bytes, NOW).unwrap();
        assert_eq!(Some(Answer::decode(&answer).unwrap().token), self.token);
    }

    /// A check-in that offers a new record: what a rotation sends first.
    pub fn offer(&mut self, fleet: &Fleet) -> Vec<u8> {
        self.version += 1;
        let name = DeviceId::new(&self.name()).unwrap();
        let record = relabelled(
            fleet.template.as_ref().unwrap(),
            &name,
            self.version,
            id(self.n, self.version),
            self.made,
        );
        let record = Record::parse(&record).unwrap();
        self.made = record.header().id;
        encoded(&self.message(), &[&record])
    }
}

pub fn send_many(vault: &Vault<SqliteStore>, group: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let check_ins: Vec<(&str, &[u8])> =
        group.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let answers = vault.check_in_many(&SCOPE, &check_ins, NOW).unwrap();
    answers.into_iter().map(Result::unwrap).collect()
}

/// Every device learns its token, commits the record that it made last, and has nothing more to
/// say.
pub fn settle(vault: &Vault<SqliteStore>, known: &mut [Device]) {
    for commits in [false, true, false] {
        for devices in known.chunks_mut(1_000) {
            let messages: Vec<_> =
                devices.iter_mut().map(|device| (device.name(), device.start(commits))).collect();
            let answers = send_many(vault, &messages);
            devices.iter_mut().zip(&answers).for_each(|(device, answer)| device.take(answer));
        }
    }
}
