//! Sealing anew: a vault whose records are handed out and given back, rightly and wrongly, while readers come and go.

use laps_core::{
    identity::{AccountName, DeviceId, RecordId, Scope, Timestamp},
    rotation::message::{Answer, CheckIn, record_prefix},
    rotation::set::IdSet,
    seal::{Header, ReaderKey, Record, SealError, Suite},
    secret::Password,
    vault::state::HistorySetting,
    vault::{Confirmation, DiscloseOptions, MemoryStore, Request, Resealing, Vault, VaultError},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

const WHO: Request<'_> = Request::new("fuzzer", "a search");
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DEVICES: [&str; 3] = ["pc-1", "pc-2", "pc-3"];

/// The data is a list of things to do. Whatever is given back, a reader of a record gets the password that the device
/// sealed, or nothing; the trail verifies; and sealing anew that reports nothing left has reached every record.
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

struct World {
    vault: Vault<MemoryStore>,
    keys: Vec<ReaderKey>,
    rng: ChaCha20Rng,
    /// Whether a changed record was given back: the vault, which has no key, may have taken one that nobody can open.
    spoilt: bool,
}

fn password(device: &str) -> Option<Password> {
    Password::try_from_str(&format!("the password of {device}")).ok()
}

impl World {
    /// Three keys, of which the first two are readers; three devices with one record each, sealed to the first.
    fn new() -> Option<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = |rng: &mut ChaCha20Rng| ReaderKey::generate(Suite::X25519, "r", rng).ok();
        let keys = vec![key(&mut rng)?, key(&mut rng)?, key(&mut rng)?];
        let vault = Vault::new(MemoryStore::new(), |out| {
            out.iter_mut().zip(1_u8..).for_each(|(byte, n)| *byte = n);
            true
        });
        let readers = [keys.first()?.reader().clone(), keys.get(1)?.reader().clone()];
        let history = HistorySetting::default();
        vault.initialise(&Scope::EMPTY, &readers, history, &WHO, NOW).ok()?;
        for (device, n) in DEVICES.into_iter().zip(1..) {
            let record =
                Record::seal(&header(device, n)?, &password(device)?, readers.get(..1)?, &mut rng);
            offer(&vault, device, &record.ok()?)?;
        }
        Some(Self { vault, keys, rng, spoilt: false })
    }

    /// One thing to do; none when the data is at its end.
    fn act(&mut self, action: u8, input: &mut Input<'_>) -> Option<()> {
        match action.checked_rem(7)? {
            // Any bytes, as any record of any device.
            0 => {
                let (device, record) = (input.index(3)?, input.index(3)?);
                let sealed = input.piece()?.to_vec();
                let _ = self.give(device, record, sealed);
            }
            // A record that was sealed anew by one of the keys for some of them, and changed, or given as another's.
            1 => {
                let (from, device, record) = (input.index(3)?, input.index(3)?, input.index(3)?);
                let (key, readers, changes) = (input.index(3)?, input.byte()?, input.index(3)?);
                let mut sealed = self.anew(from, key, readers)?;
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
            // Everything, and what is given back is changed on its way.
            5 => {
                let key = input.index(3)?;
                self.reseal_all(key, &mut |sealed| {
                    let _ = input.change(sealed);
                });
            }
            // An export, changed, taken in by another vault.
            _ => {
                let page = self.vault.export(&Scope::EMPTY, None, 10, &WHO, NOW).ok()?;
                let mut frames = page.items.concat();
                for _ in 0..input.index(3)? {
                    input.change(&mut frames)?;
                }
                let other = Vault::new(MemoryStore::new(), |_| false);
                let _ = other.import(&Scope::EMPTY, &frames, &WHO, NOW);
                check_trail(&other);
            }
        }
        Some(())
    }

    fn give(&self, device: usize, record: usize, sealed: Vec<u8>) -> Result<usize, VaultError> {
        let device = DEVICES.get(device).and_then(|name| DeviceId::new(name).ok());
        let item = Resealing::new(device.unwrap_or_default(), id(record), sealed);
        self.vault.reseal(&Scope::EMPTY, &[item], &WHO, NOW)
    }

    /// The stored record of a device, sealed anew; its bytes as they are where the key does not open it.
    fn anew(&mut self, device: usize, key: usize, readers: u8) -> Option<Vec<u8>> {
        let stored = self.stored(DEVICES.get(device)?)?;
        let chosen = self.keys.iter().enumerate();
        let chosen = chosen.filter(|(n, _)| {
            readers.checked_shr(u32::try_from(*n).unwrap_or(8)).is_some_and(|bits| bits & 1 == 1)
        });
        let readers: Vec<_> = chosen.map(|(_, key)| key.reader().clone()).collect();
        let record = self.keys.get(key)?.reseal(&stored, &readers, &mut self.rng);
        Some(record.map_or_else(|_| stored.as_bytes().to_vec(), |one| one.as_bytes().to_vec()))
    }

    fn stored(&self, device: &str) -> Option<Record> {
        let options = DiscloseOptions::default();
        let found = self.vault.disclose(&Scope::EMPTY, device, &WHO, options, NOW).ok()?;
        Record::parse(&found.candidates.first()?.sealed).ok()
    }

    fn reseal_all(&mut self, key: usize, change: &mut dyn FnMut(&mut [u8])) {
        let Some(key) = self.keys.get(key) else { return };
        let mut untouched = true;
        let done = self.vault.reseal_all(&Scope::EMPTY, &WHO, NOW, |items, readers| {
            let anew = |item: &Resealing| {
                let record = Record::parse(&item.sealed)?;
                let record = key.reseal(&record, readers, &mut self.rng)?;
                let mut sealed = record.as_bytes().to_vec();
                change(&mut sealed);
                untouched &= sealed == record.as_bytes();
                Ok::<_, SealError>(sealed)
            };
            items.iter().map(anew).collect()
        });
        self.spoilt |= !untouched;
        let Ok(done) = done else { return };
        assert!(done.damaged.is_empty(), "nothing was damaged");
        assert!(self.spoilt || done.failed.is_empty(), "{:?}", done.failed);
        if !self.spoilt && done.not_ours == 0 {
            let page = self.vault.resealing(&Scope::EMPTY, None, 10, &WHO, NOW);
            assert!(page.is_ok_and(|page| page.items.is_empty()), "a record was left out");
        }
    }

    fn check(&self) {
        for device in DEVICES {
            let record = self.stored(device);
            assert!(record.is_some(), "the record of {device} is gone");
            let Some((record, expected)) = record.zip(password(device)) else { continue };
            assert_eq!(record.header().device.as_str(), device);
            for key in &self.keys {
                match key.open(&record) {
                    Ok(found) => assert_eq!(found.expose_secret(), expected.expose_secret()),
                    Err(SealError::NotAReader | SealError::Rejected) => {}
                    Err(error) => unreachable!("opening says only these two: {error}"),
                }
            }
        }
        check_trail(&self.vault);
    }
}

fn check_trail(vault: &Vault<MemoryStore>) {
    let report = vault.audit_verify(&Scope::EMPTY, None);
    assert!(report.is_ok_and(|report| report.ok), "the trail does not verify");
}

fn id(n: usize) -> RecordId {
    RecordId::from_bytes([u8::try_from(n).unwrap_or(0).saturating_add(1); 16])
}

fn header(device: &str, n: usize) -> Option<Header> {
    Some(Header {
        scope: Scope::EMPTY,
        device: DeviceId::new(device).ok()?,
        account: AccountName::new("Admin").ok()?,
        sid: None,
        id: id(n.checked_sub(1)?),
        previous: None,
        version: 1,
        made_at: NOW,
        policy_hash: [0; 32],
    })
}

/// The check-in of a device that offers a record.
fn offer(vault: &Vault<MemoryStore>, device: &str, record: &Record) -> Option<()> {
    let name = DeviceId::new(device).ok()?;
    let mut message = CheckIn::new(Scope::EMPTY, name, AccountName::new("Admin").ok()?, [3; 16]);
    message.offers = IdSet::one(record.header().id);
    let mut bytes = vec![0; 4_096];
    let len = message.encode(&mut bytes).ok()?;
    bytes.truncate(len);
    bytes.extend(record_prefix(record.as_bytes()).ok()?);
    bytes.extend(record.as_bytes());
    let answer = vault.check_in(&Scope::EMPTY, device, &bytes, NOW).ok()?;
    assert_eq!(Answer::decode(&answer).ok()?.stored.len(), 1);
    Some(())
}
