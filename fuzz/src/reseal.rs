//! Re-sealing: a vault whose records are exported and imported, rightly and wrongly, while
//! readers come and go and devices check in, alone and together.

use std::sync::OnceLock;

use laps_core::{
    identity::{DeviceId, RecordId, Scope},
    random::Generator,
    rotation::message::{Answer, CheckIn, Commit},
    rotation::set::MayHold,
    seal::{Header, ReaderKey, Record, SealError, Suite},
    secret::Password,
    vault::Retention,
    vault::{Confirmation, DiscloseOptions, MemoryStore, Resealing, Vault, VaultError},
};
use laps_testkit::bed::{NOW, WHO, blank, counting_from, encoded, exchange, header};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

const DEVICES: [&str; 3] = ["pc-1", "pc-2", "pc-3"];
/// How many records that were re-sealed are kept to be imported later.
const KEPT: usize = 8;

/// The data is a list of things to do. Whatever is imported, a reader of a record gets the
/// password that the device sealed, or nothing; the audit log verifies; and re-sealing that
/// reports nothing left has reached every record.
///
/// # Panics
/// When one of these is broken.
pub fn reseal(data: &[u8]) {
    // What cannot be set up was not made by the data.
    let Some(mut world) = World::new() else { return };
    let mut input = Input(data);
    while let Some(action) = input.byte() {
        if world.act(action, &mut input).is_none() {
            break;
        }
    }
    world.check();
}

/// The bytes that are left.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn index(&mut self, count: usize) -> Option<usize> {
        usize::from(self.byte()?).checked_rem(count)
    }

    /// So many bytes as the next one says.
    fn piece(&mut self) -> Option<&'a [u8]> {
        let (piece, rest) = self.0.split_at_checked(usize::from(self.byte()?))?;
        self.0 = rest;
        Some(piece)
    }

    /// Changes one byte somewhere.
    fn change(&mut self, bytes: &mut [u8]) -> Option<()> {
        let at = usize::from(u16::from_be_bytes([self.byte()?, self.byte()?]));
        let mask = self.byte()?;
        let at = at.checked_rem(bytes.len())?;
        *bytes.get_mut(at)? ^= mask;
        Some(())
    }
}

/// What every search starts from: making it takes longer than most searches.
struct Start {
    store: MemoryStore,
    keys: Vec<ReaderKey>,
}

struct World {
    vault: Vault<MemoryStore>,
    keys: &'static [ReaderKey],
    rng: Generator<ChaCha20Rng>,
    /// Records that were exported and re-sealed, and may come back at any time.
    kept: Vec<Resealing>,
    /// How many records devices have made.
    made: usize,
    /// Whether a changed record was imported: the vault, which has no key, may have taken one
    /// that nobody can open.
    spoilt: bool,
}

fn password(device: &str) -> Option<Password> {
    Password::try_from_str(&format!("the password of {device}")).ok()
}

/// A vault with tokens that differ, from this number on.
fn over(store: MemoryStore, first: u64) -> Vault<MemoryStore> {
    Vault::new(store, counting_from(first))
}

impl Start {
    /// Three keys, of which the first two are readers; three devices with one record each, sealed
    /// to the first.
    fn new() -> Option<Self> {
        let mut rng = Generator::try_new(ChaCha20Rng::seed_from_u64(1)).ok()?;
        let key =
            |rng: &mut Generator<ChaCha20Rng>| ReaderKey::generate(Suite::X25519, "r", rng).ok();
        let keys = vec![key(&mut rng)?, key(&mut rng)?, key(&mut rng)?];
        let store = MemoryStore::new();
        let vault = over(store.clone(), 1);
        let readers = [keys.first()?.reader().clone(), keys.get(1)?.reader().clone()];
        let history = Retention::default();
        vault.initialise(&Scope::EMPTY, &readers, history, &WHO, NOW).ok()?;
        for (device, n) in DEVICES.into_iter().zip(1..) {
            let header = header_of(device, n, 1)?;
            let record =
                Record::seal(&header, &password(device)?, readers.get(..1)?, &mut rng).ok()?;
            assert_eq!(offer(&vault, device, &record)?.stored.len(), 1);
        }
        Some(Self { store, keys })
    }
}

impl World {
    fn new() -> Option<Self> {
        static START: OnceLock<Option<Start>> = OnceLock::new();
        let start = START.get_or_init(Start::new).as_ref()?;
        let vault = over(start.store.snapshot(), 1 << 20);
        let rng = Generator::try_new(ChaCha20Rng::seed_from_u64(2)).ok()?;
        let made = DEVICES.len();
        Some(Self { vault, keys: &start.keys, rng, kept: Vec::new(), made, spoilt: false })
    }

    /// One thing to do; none when the data is at its end.
    fn act(&mut self, action: u8, input: &mut Input<'_>) -> Option<()> {
        match action.checked_rem(13)? {
            // Any bytes, as any record of any device.
            0 => {
                let (device, record) = (input.index(3)?, input.index(3)?);
                let sealed = input.piece()?.to_vec();
                let _ = self.give(device, record, sealed);
            }
            // A record that was re-sealed by one of the keys for some of them, and changed, or
            // given as another's.
            1 => {
                let (from, device, record) = (input.index(3)?, input.index(3)?, input.index(3)?);
                let (key, readers, changes) = (input.index(3)?, input.byte()?, input.index(3)?);
                let mut sealed = self.resealed(from, key, readers)?;
                for _ in 0..changes {
                    input.change(&mut sealed)?;
                }
                self.spoilt |= changes > 0;
                let _ = self.give(device, record, sealed);
            }
            2 => {
                let reader = self.keys.get(input.index(3)?)?.reader().clone();
                let _ = self.vault.add_reader(&Scope::EMPTY, &reader, &WHO, NOW);
            }
            3 => {
                let reader = self.keys.get(input.index(3)?)?.id();
                let window = (input.byte()? > 127).then_some(60);
                let word = Confirmation::Given;
                let _ = self.vault.remove_reader(&Scope::EMPTY, &reader, window, word, &WHO, NOW);
            }
            // Everything, with one of the keys.
            4 => self.reseal_all(input.index(3)?, &mut |_| {}),
            // Everything, and what is imported is changed on its way.
            5 => {
                let key = input.index(3)?;
                self.reseal_all(key, &mut |sealed| {
                    let _ = input.change(sealed);
                });
            }
            // An export, changed, taken in by another vault.
            6 => {
                let page = self.vault.export(&Scope::EMPTY, None, 10, &WHO, NOW).ok()?;
                let mut frames = page.items.concat();
                for _ in 0..input.index(3)? {
                    input.change(&mut frames)?;
                }
                let other = Vault::new(MemoryStore::new(), |_| false);
                let _ = other.import(&Scope::EMPTY, &frames, &WHO, NOW);
                check_audit_log(&other);
            }
            7 => self.check_in_many(input)?,
            // A device rotates: what it had goes to history.
            8 => {
                let (device, key) = (input.index(3)?, input.index(3)?);
                self.rotate(device, key)?;
            }
            9 => self.export_for_resealing(input)?,
            10 => self.import_resealed(input)?,
            11 => {
                let history = Retention::count(u16::from(input.byte()?));
                let _ = self.vault.set_retention(&Scope::EMPTY, history, &WHO, NOW);
            }
            _ => {
                let device = DEVICES.get(input.index(3)?)?;
                if self.vault.retire(&Scope::EMPTY, device, &WHO, NOW).is_err() {
                    let _ = self.vault.re_enrol(&Scope::EMPTY, device, &WHO, NOW);
                }
            }
        }
        Some(())
    }

    /// Check-ins that are taken together answer what each would be answered by itself, whatever
    /// stands beside them.
    fn check_in_many(&self, input: &mut Input<'_>) -> Option<()> {
        let mut sent = Vec::new();
        for _ in 0..=input.index(4)? {
            let (device, name) = (DEVICES.get(input.index(3)?)?, DEVICES.get(input.index(3)?)?);
            let mut bytes = encoded(&message(device)?, &[]);
            match input.index(4)? {
                0 => bytes = input.piece()?.to_vec(),
                1 => input.change(&mut bytes)?,
                _ => {}
            }
            sent.push((*name, bytes));
        }
        let alone = over(self.vault.store().snapshot(), 1 << 40);
        let check_ins: Vec<_> =
            sent.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        let together = self.vault.check_in_many(&Scope::EMPTY, &check_ins, NOW);
        let together = together
            .map(|answers| answers.into_iter().map(|answer| answer.map(drop)).collect::<Vec<_>>());
        let apart = check_ins
            .into_iter()
            .map(|(name, bytes)| alone.check_in(&Scope::EMPTY, name, bytes, NOW).map(drop));
        assert_eq!(together, Ok(apart.collect()));
        Some(())
    }

    /// A device backs a new record up, sealed to one key, and commits it.
    fn rotate(&mut self, device: usize, key: usize) -> Option<()> {
        let device = DEVICES.get(device)?;
        let before = self.vault.history(&Scope::EMPTY, device).ok()?;
        let newest = before.iter().max_by_key(|row| row.version)?;
        self.made = self.made.checked_add(1).filter(|made| *made < 250)?;
        let mut header = header_of(device, self.made, newest.version.checked_add(1)?)?;
        header.previous = Some(newest.record);
        let readers = [self.keys.get(key)?.reader().clone()];
        let record = Record::seal(&header, &password(device)?, &readers, &mut self.rng).ok()?;
        let answer = offer(&self.vault, device, &record)?;
        if !answer.stored.contains(header.id) {
            return Some(());
        }
        let mut message = message(device)?;
        message.token = Some(answer.token);
        message.may_hold = MayHold::exactly(header.id);
        message.commit = Some(Commit::new(header.id, true));
        let _ = exchange(&self.vault, &message, &[], NOW);
        Some(())
    }

    /// A page goes to one of the keys, which keeps what it re-sealed.
    fn export_for_resealing(&mut self, input: &mut Input<'_>) -> Option<()> {
        let after = input.index(4)?.checked_sub(1).and_then(|at| DEVICES.get(at)).copied();
        let (limit, key) = (input.index(4)?, self.keys.get(input.index(3)?)?);
        let page = self.vault.export_for_resealing(&Scope::EMPTY, after, limit, &WHO, NOW).ok()?;
        assert!(page.damaged.is_empty() && page.damaged_records.is_empty(), "nothing was damaged");
        let known = self.vault.readers(&Scope::EMPTY).ok()?;
        let active = known.into_iter().filter(|row| row.removed.is_none());
        let readers: Vec<_> = active.map(|row| row.reader).collect();
        for item in page.items {
            let Ok(record) = Record::parse(&item.sealed) else { continue };
            let Ok(record) = key.reseal(&record, &readers, &mut self.rng) else { continue };
            let sealed = record.as_bytes().to_vec();
            self.kept.push(Resealing::new(item.device, item.record, sealed));
        }
        let over = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..over);
        Some(())
    }

    /// Some of what was kept comes back, in any order and number, perhaps one of them changed. What
    /// comes back as it was sealed is refused only when its readers are not those of now.
    fn import_resealed(&mut self, input: &mut Input<'_>) -> Option<()> {
        let mut given = Vec::new();
        for _ in 0..=input.index(4)? {
            given.push(self.kept.get(input.index(self.kept.len())?)?.clone());
        }
        let changed = input.index(3)? == 0;
        if changed {
            let at = input.index(given.len())?;
            input.change(&mut given.get_mut(at)?.sealed)?;
            self.spoilt = true;
        }
        let done = self.vault.import_resealed_each(&Scope::EMPTY, &given, &WHO, NOW).ok()?;
        let failed = u64::try_from(done.failed.len()).ok()?;
        assert!(done.replaced.checked_add(failed)? <= u64::try_from(given.len()).ok()?);
        if !self.spoilt {
            for one in done.failed {
                assert_eq!(one.why.code().as_u16(), 2, "{}", one.why);
            }
        }
        Some(())
    }

    fn give(&self, device: usize, record: usize, sealed: Vec<u8>) -> Result<usize, VaultError> {
        let device = DEVICES.get(device).and_then(|name| DeviceId::new(name).ok());
        let item = Resealing::new(device.unwrap_or_default(), id(record), sealed);
        self.vault.import_resealed(&Scope::EMPTY, &[item], &WHO, NOW)
    }

    /// The stored record of a device, re-sealed; its bytes as they are where the key does not
    /// open it.
    fn resealed(&mut self, device: usize, key: usize, readers: u8) -> Option<Vec<u8>> {
        let stored = self.stored(DEVICES.get(device)?)?;
        let chosen = self.keys.iter().enumerate();
        let chosen = chosen.filter(|(n, _)| {
            readers.checked_shr(u32::try_from(*n).unwrap_or(8)).is_some_and(|bits| bits & 1 == 1)
        });
        let readers: Vec<_> = chosen.map(|(_, key)| key.reader().clone()).collect();
        let record = self.keys.get(key)?.reseal(&stored, &readers, &mut self.rng);
        Some(record.map_or_else(|_| stored.as_bytes().to_vec(), |one| one.as_bytes().to_vec()))
    }

    /// The newest candidate of a device.
    fn stored(&self, device: &str) -> Option<Record> {
        self.all_stored(device)?.into_iter().next()
    }

    fn all_stored(&self, device: &str) -> Option<Vec<Record>> {
        let row = self.vault.show(&Scope::EMPTY, device).ok()?;
        // A check-in may have turned the device to another account: its records stay with the one
        // that they are for.
        let former = row.accounts.iter().map(|former| former.account.to_string());
        let mut records = Vec::new();
        for account in former.chain([row.account.to_string()]) {
            let options = DiscloseOptions::default().with_history().of_account(&account);
            let found = self.vault.disclose(&Scope::EMPTY, device, &WHO, options, NOW);
            let Ok(found) = found else { continue };
            assert!(found.damaged.is_empty(), "nothing was damaged");
            for candidate in &found.candidates {
                records.push(Record::parse(&candidate.sealed).ok()?);
            }
        }
        Some(records)
    }

    fn reseal_all(&mut self, key: usize, change: &mut dyn FnMut(&mut [u8])) {
        let Some(key) = self.keys.get(key) else { return };
        let mut untouched = true;
        let done = self.vault.reseal_all(&Scope::EMPTY, &WHO, NOW, |items, readers| {
            let resealed = |item: &Resealing| {
                let record = Record::parse(&item.sealed)?;
                let record = key.reseal(&record, readers, &mut self.rng)?;
                let mut sealed = record.as_bytes().to_vec();
                change(&mut sealed);
                untouched &= sealed == record.as_bytes();
                Ok::<_, SealError>(sealed)
            };
            items.iter().map(resealed).collect()
        });
        self.spoilt |= !untouched;
        let Ok(done) = done else { return };
        assert!(done.damaged.is_empty(), "nothing was damaged");
        assert!(self.spoilt || done.failed.is_empty(), "{:?}", done.failed);
        if !self.spoilt && done.not_ours == 0 {
            let page = self.vault.export_for_resealing(&Scope::EMPTY, None, 10, &WHO, NOW);
            assert!(page.is_ok_and(|page| page.items.is_empty()), "a record was left out");
        }
    }

    fn check(&self) {
        for device in DEVICES {
            let records = self.all_stored(device).unwrap_or_default();
            assert!(!records.is_empty(), "the records of {device} are gone");
            let Some(expected) = password(device) else { continue };
            for record in records {
                assert_eq!(record.header().device.as_str(), device);
                for key in self.keys {
                    match key.open(&record) {
                        Ok(found) => {
                            assert!(found.password.equals(&expected));
                            assert!(record.is_proven_by(&found.proof));
                        }
                        Err(SealError::NotAReader) => {
                            assert!(record.reader_ids().all(|id| id != key.id()), "it is one");
                        }
                        Err(SealError::Rejected) => {
                            assert!(self.spoilt, "a record that a reader cannot open");
                        }
                        Err(error) => unreachable!("opening says only these two: {error}"),
                    }
                }
            }
        }
        check_audit_log(&self.vault);
    }
}

fn check_audit_log(vault: &Vault<MemoryStore>) {
    let report = vault.audit_verify(&Scope::EMPTY, None);
    assert!(report.is_ok_and(|report| report.ok), "the audit log does not verify");
}

fn id(n: usize) -> RecordId {
    RecordId::from_bytes([u8::try_from(n).unwrap_or(0).saturating_add(1); 16])
}

fn header_of(device: &str, n: usize, version: u64) -> Option<Header> {
    Some(header(DeviceId::new(device).ok()?, id(n.checked_sub(1)?), version))
}

fn message(device: &str) -> Option<CheckIn> {
    DeviceId::new(device).ok().map(blank)
}

/// The answer to the check-in of a device that offers a record.
fn offer(vault: &Vault<MemoryStore>, device: &str, record: &Record) -> Option<Answer> {
    exchange(vault, &message(device)?, &[record], NOW).ok()
}
