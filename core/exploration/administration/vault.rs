//! The vault's side: real check-ins, real administration, and what is kept afterwards.

use alloc::{rc::Rc, vec::Vec};
use core::cell::OnceCell;
use core::hash::Hash as _;
use core::hash::Hasher;
use core::sync::atomic::{AtomicU64, Ordering};

use super::acts::Act;
use sha2::{Digest as _, Sha256};

use super::records::{A, N, R, Sealing, Seen, mask_of, readers, resealed, seen};
use super::rules::Rule;
use super::state::{ACCOUNTS, DEVICE, SCOPE, START, Setting, World, device, number};
use crate::identity::{AccountName, DeviceId, Timestamp};
use crate::rotation::message::AuditHead;
use crate::vault::Retention;
use crate::vault::audit::Action;
use crate::vault::plan::{DeviceRange, Plan, Want};
use crate::vault::readers::{ReaderList, Readers};
use crate::vault::run::{look, run};
use crate::vault::state::{Device, Past, RuledOut};
use crate::vault::store::Durability;
use crate::vault::unit::Rows;
use crate::vault::{
    Confirmation, DiscloseOptions, ExternalCredential, MemoryStore, Request, Resealing, Selection,
    Vault, VaultError, folded,
};

pub(super) const WHO: Request<'static> = Request::new("admin", "exploration");

/// Tokens matter only through equality, so it is enough that no two are equal.
static TOKENS: AtomicU64 = AtomicU64::new(1);

fn draw(out: &mut [u8]) -> bool {
    let number = TOKENS.fetch_add(1, Ordering::Relaxed);
    out.fill(0xf0);
    out[..8].copy_from_slice(&number.to_be_bytes());
    true
}

pub(super) fn open(store: &MemoryStore) -> Vault<MemoryStore> {
    Vault::new(store.clone(), draw)
}

fn ids_of(mask: u8) -> Vec<[u8; 32]> {
    let mut ids: Vec<_> = readers(mask).iter().map(|reader| *reader.id().as_bytes()).collect();
    ids.sort_unstable();
    ids
}

/// Whether a head is in the log of a vault.
pub(super) fn knows(store: &MemoryStore, head: AuditHead) -> bool {
    head.length == 0
        || look(store, Plan::of(&SCOPE).with(Want::Entry(head.length)), |rows| {
            Ok(rows.entry(head.length)?.is_some_and(|entry| entry.hash == head.hash))
        })
        .unwrap()
}

/// What a vault keeps, in numbers.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) readers: Readers,
    pub(super) device: Option<Device>,
    pub(super) active: u8,
    pub(super) removed: u8,
    /// 0 for none.
    pub(super) current: u8,
    pub(super) pending: u64,
    /// Of every account.
    pub(super) all_candidates: u64,
    /// Newest first, with the mark of an unverified commit.
    pub(super) history: Vec<(u8, bool)>,
    pub(super) orders: Vec<u64>,
    /// What can be handed out for a record, the newest sealing first.
    sealings: Vec<(u8, Seen)>,
    /// Whether another device is called like this one but for the case.
    similar: bool,
}

pub(super) fn stored(store: &MemoryStore) -> Stored {
    let ours = device();
    let page = DeviceRange::by_name(None, 10);
    let (readers, similar) = look(store, Plan::page(&SCOPE, &page), |rows| {
        let other =
            |name: &DeviceId| *name != ours && folded(name.as_str()) == folded(ours.as_str());
        Ok((rows.readers()?.clone(), rows.names(&page)?.iter().any(other)))
    })
    .unwrap();
    let state = store.device_state(&SCOPE, &device());
    let device = state.map(|state| state.device);
    let active = mask_of(readers.active().map(|known| &known.id));
    let removed = mask_of(
        readers.known.iter().filter(|known| known.removed.is_some()).map(|known| &known.id),
    );
    let mut stored = Stored {
        readers,
        device: None,
        active,
        removed,
        current: 0,
        pending: 0,
        all_candidates: 0,
        history: Vec::new(),
        orders: Vec::new(),
        sealings: Vec::new(),
        similar,
    };
    if let Some(device) = &device {
        let kept = &device.managed.candidates;
        stored.current = kept.current.as_ref().map_or(0, |held| number(held.id));
        stored.pending = super::state::mask(kept.pending.iter().map(|held| held.id));
        let orders = kept.orders.iter();
        stored.orders = orders.map(|order| super::state::mask(order.ids.iter().copied())).collect();
        for account in device.accounts() {
            let kept = &account.candidates;
            stored.all_candidates |= super::state::mask(kept.iter().map(|held| held.id));
            let marked = |past: &Past| past.unverified > 0 || past.ruled_out == RuledOut::OnWord;
            let history = kept.history.iter();
            stored.history.extend(history.map(|past| (number(past.held.id), marked(past))));
            for held in kept.all() {
                let sealings =
                    held.sealings().map(|sealing| (number(held.id), seen(sealing.digest)));
                stored.sealings.extend(sealings);
            }
        }
    }
    stored.device = device;
    stored
}

/// The vault's file. What it keeps is found out once for all states that have it in common.
#[derive(Clone, Debug)]
pub(super) struct VaultFile {
    store: MemoryStore,
    kept: Rc<OnceCell<Stored>>,
}

impl VaultFile {
    fn new(store: MemoryStore) -> Self {
        Self { store, kept: Rc::default() }
    }

    /// To be read from.
    pub(super) const fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// A copy takes its place, to be changed at once.
    fn changing(&mut self) -> &MemoryStore {
        *self = Self::new(self.store.snapshot());
        &self.store
    }

    pub(super) fn kept(&self) -> &Stored {
        self.kept.get_or_init(|| stored(&self.store))
    }

    /// Whether nothing was done to it since it was this one.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.kept, &other.kept)
    }
}

impl Stored {
    pub(super) fn candidates(&self) -> u64 {
        self.pending | if self.current == 0 { 0 } else { 1 << self.current }
    }

    pub(super) fn has(&self, record: u8) -> bool {
        self.sealings.iter().any(|(at, _)| *at == record)
    }

    /// The active readers that a record, as it can be handed out, opens for.
    pub(super) fn opens(&self, record: u8) -> u8 {
        let of = self.sealings.iter().filter(|(at, _)| *at == record);
        of.fold(0, |mask, (_, seen)| mask | seen.opens) & self.active
    }

    /// The readers that any sealing of a record names.
    pub(super) fn names(&self, record: u8) -> u8 {
        let of = self.sealings.iter().filter(|(at, _)| *at == record);
        of.fold(0, |mask, (_, seen)| mask | seen.sealing.readers)
    }

    pub(super) fn sealings(&self, record: u8) -> impl Iterator<Item = Seen> + '_ {
        self.sealings.iter().filter(move |(at, _)| *at == record).map(|(_, seen)| *seen)
    }

    /// Every record that it has.
    pub(super) fn known(&self) -> u64 {
        self.sealings.iter().fold(0, |mask, (record, _)| mask | 1 << record)
    }

    pub(super) fn feed(&self, hash: &mut impl Hasher) {
        let mut readers = self.readers.clone();
        readers.restored.truncate(1);
        readers.restored.fill(0);
        for known in &mut readers.known {
            known.added = Timestamp::default();
            known.removed = known.removed.map(|_| Timestamp::default());
        }
        readers.hash(hash);
        let Some(device) = &self.device else { return hash.write_u8(0) };
        let mut device = device.clone();
        for account in device.accounts_mut() {
            for held in account.candidates.all_mut() {
                held.stored_at = Timestamp::default();
                let sealings = held.resealed.iter_mut().chain([&mut held.original]);
                sealings.for_each(|sealing| sealing.digest = [0; 16]);
            }
            account.since = Timestamp::default();
            if let Some(outcome) = &mut account.report.outcome {
                outcome.at = Timestamp::default();
            }
        }
        device.about.unknown_head = device.about.unknown_head.map(|_| AuditHead::new(0, [0; 32]));
        device.about.last_seen = Timestamp::default();
        device.about.enrolled = Timestamp::default();
        device.hash(hash);
        for (_, seen) in &self.sealings {
            (seen.sealing, seen.opens).hash(hash);
        }
        self.similar.hash(hash);
    }
}

impl World {
    /// Something is done at the vault, or refused there: then nothing but its log has changed.
    pub(super) fn at_vault<T>(
        &mut self,
        work: impl FnOnce(&Vault<MemoryStore>, Timestamp) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let vault = open(self.vault.changing());
        work(&vault, self.vault_now())
    }

    /// A check-in reaches the vault; its answer.
    pub(super) fn deliver(&mut self, bytes: &[u8], setting: &Setting) -> Option<Vec<u8>> {
        let before = self.vault.kept().current;
        let answer = setting.rules.around_check_in(self, bytes, setting, |world| {
            world.at_vault(|vault, now| vault.check_in(&SCOPE, DEVICE, bytes, now))
        });
        let after = self.vault.kept().current;
        if after != before && after != 0 {
            self.committed |= 1 << after;
        }
        answer.ok()
    }

    fn remove(&mut self, window: Option<u64>, word: Confirmation) {
        let reader = readers(R)[0].id();
        let _ = self
            .at_vault(|vault, now| vault.remove_reader(&SCOPE, &reader, window, word, &WHO, now));
    }

    /// An act at the vault.
    pub(super) fn administer(&mut self, act: Act, setting: &Setting) {
        match act {
            Act::RemoveReader => self.remove(Some(0), setting.rules.removal_word()),
            Act::RemoveQuietly => {
                self.excuse.word = true;
                self.remove(None, Confirmation::Given);
            }
            Act::RemoveByWord => {
                self.excuse.word = true;
                self.remove(Some(0), Confirmation::Given);
            }
            Act::AddReader | Act::AddAgain => {
                let reader = &readers(if act == Act::AddReader { N } else { R })[0];
                let _ = self.at_vault(|vault, now| vault.add_reader(&SCOPE, reader, &WHO, now));
            }
            Act::Order => {
                let _ = self.at_vault(|vault, now| {
                    vault.order_rotation(&SCOPE, Selection::Devices(&[DEVICE]), &WHO, now)
                });
            }
            Act::Disclose | Act::DiscloseUntil => {
                let mut options = DiscloseOptions::default();
                if act == Act::DiscloseUntil {
                    options = options.with_rotation_after(24 * 3_600);
                }
                let _ =
                    self.at_vault(|vault, now| vault.disclose(&SCOPE, DEVICE, &WHO, options, now));
            }
            Act::RestoreVault => self.restore_vault(),
            Act::Retire => {
                let _ = self.at_vault(|vault, now| vault.retire(&SCOPE, DEVICE, &WHO, now));
            }
            Act::ReEnrol => {
                let _ = self.at_vault(|vault, now| vault.re_enrol(&SCOPE, DEVICE, &WHO, now));
            }
            Act::Purge => {
                // What was committed there is known no more.
                (self.excuse.torn, self.committed) = (true, 0);
                let word = Confirmation::Given;
                let _ = self.at_vault(|vault, now| vault.purge(&SCOPE, DEVICE, word, &WHO, now));
            }
            Act::Reseal | Act::ResealSpoilt | Act::ResealFewer | Act::ResealJump => {
                self.import_resealed(act, setting);
            }
            Act::ReadNew => self.read(),
            Act::Import => self.import(setting),
            _ => unreachable!("not an act at the vault"),
        }
    }

    /// Somebody re-seals what the vault exports, and imports it, well or badly.
    fn import_resealed(&mut self, act: Act, setting: &Setting) {
        let before = self.vault.clone();
        let kept = before.kept();
        let made = Rc::clone(&self.made);
        let rules = setting.rules;
        let mut broken = Vec::new();
        let _ = self.at_vault(|vault, now| {
            let page = vault.export_for_resealing(&SCOPE, None, 10, &WHO, now)?;
            let mut back = Vec::new();
            for item in page.items {
                let record = number(item.record);
                let highest = kept.sealings(record).map(|seen| seen.sealing.number).max();
                let sealing = Sealing {
                    number: if act == Act::ResealJump {
                        u32::MAX
                    } else {
                        highest.unwrap_or(0).saturating_add(1)
                    },
                    readers: if act == Act::ResealFewer { A } else { kept.active },
                    spoilt: act == Act::ResealSpoilt,
                };
                let bytes = resealed(record, made[usize::from(record)], sealing);
                back.push(Resealing::new(item.device, item.record, bytes.to_vec()));
            }
            if !rules.hold(Rule::KeepOriginal) || !rules.hold(Rule::NextSealing) {
                broken = back;
                return Ok(crate::vault::Resealed::default());
            }
            vault.import_resealed_each(&SCOPE, &back, &WHO, now)
        });
        if !broken.is_empty() {
            self.force_back(&broken, rules.hold(Rule::KeepOriginal));
        }
    }

    /// Takes sealings back as a vault would that looks at nothing.
    fn force_back(&mut self, back: &[Resealing], keep_original: bool) {
        let plan = Plan::device(&SCOPE, device());
        let taken = run(self.vault.changing(), &plan, Durability::Durable, |rows| {
            let Some((name, known)) = rows.device(&device())? else { return Ok(()) };
            let (mut known, mut bytes) = (known.clone(), Vec::new());
            for item in back {
                let Some(held) =
                    known.managed.candidates.all_mut().find(|held| held.id == item.record)
                else {
                    continue;
                };
                let mut sealing = held.original.clone();
                sealing.digest = Sha256::digest(&item.sealed)[..16].try_into().unwrap();
                sealing.number = seen(sealing.digest).sealing.number;
                sealing.readers = ReaderList::of(&ids_of(seen(sealing.digest).sealing.readers));
                bytes.push(((held.id, sealing.digest), item.sealed.clone()));
                if keep_original {
                    held.resealed = Some(sealing);
                } else {
                    (held.original, held.resealed) = (sealing, None);
                }
            }
            rows.put_records(&name, known, bytes, []);
            Ok(())
        });
        taken.unwrap();
    }

    /// An administrator discloses, and a reader opens the newest sealing.
    fn read(&mut self) {
        let _ = self.at_vault(|vault, now| {
            let shown = vault.disclose(&SCOPE, DEVICE, &WHO, DiscloseOptions::default(), now)?;
            vault.record_outcome(&SCOPE, shown.entry, true, &[], &WHO, now)
        });
    }

    /// What another directory knows of this machine, under its name in upper case, is taken in.
    fn import(&mut self, setting: &Setting) {
        if self.vault.kept().device.is_none() {
            return;
        }
        let name = AccountName::new(ACCOUNTS[0]).unwrap();
        let found = [ExternalCredential::new(name, None, START)];
        let taken = self.at_vault(|vault, _| vault.external_to_import(&SCOPE, "PC-1", &found));
        if taken.is_ok() || !setting.rules.hold(Rule::Names) {
            let other = Device::first_seen(name, None, START);
            let name = DeviceId::new("PC-1").unwrap();
            let insert = |rows: &mut Rows| {
                rows.put_device(&name, other.clone());
                Ok(())
            };
            let plan = Plan::of(&SCOPE);
            let _ = run(self.vault.changing(), &plan, Durability::Durable, insert);
        }
    }

    /// The older copy takes the place of the vault's file, as `laps vault restore` does it.
    fn restore_vault(&mut self) {
        let Some(copy) = self.copy.take() else { return };
        (self.excuse.torn, self.excuse.restored) = (true, true);
        let entries = open(copy.store()).audit_verify(&SCOPE, None).unwrap().entries;
        // A purge between the copy and now forgot that this one had been committed.
        self.committed |= 1 << copy.kept().current;
        self.vault = copy;
        let _ = self.at_vault(|vault, now| {
            vault.note_in(&[SCOPE], Action::Restored, "restored from a copy", &WHO, now)
        });
        self.tamper(|_, readers| readers.note_restore(entries));
    }

    /// A vault with its readers, before the device has checked in.
    pub(super) fn new_vault(setting: &Setting, now: Timestamp) -> VaultFile {
        let store = MemoryStore::new();
        let history = Retention::count(setting.history);
        open(&store).initialise(&SCOPE, &readers(setting.active), history, &WHO, now).unwrap();
        VaultFile::new(store)
    }

    /// Changes what is kept about the device behind the vault's back: for controls.
    pub(super) fn tamper(&mut self, change: impl FnOnce(&mut Device, &mut Readers)) {
        let mut change = Some(change);
        let plan = Plan::device(&SCOPE, device());
        run(self.vault.changing(), &plan, Durability::Durable, |rows| {
            let mut readers = rows.readers()?.clone();
            if let Some((name, known)) =
                rows.device(&device())?.filter(|(name, _)| *name == device())
                && let Some(change) = change.take()
            {
                let mut known = known.clone();
                change(&mut known, &mut readers);
                rows.put_device(&name, known);
            }
            rows.put_readers(readers);
            Ok(())
        })
        .unwrap();
    }
}
