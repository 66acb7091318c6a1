//! What a vault does where a rule is broken: with a check-in, in its answer, and to what it keeps.

use alloc::{format, vec::Vec};

use super::records::{A, N, R, W, mask_of, readers};
use super::rules::{FULL, Rule, Rules};
use super::state::{START, Setting, World, id, number};
use super::vault::{Stored, stored};
use crate::identity::Timestamp;
use crate::rotation::message::{Answer, CheckIn, MAX_ANSWER};
use crate::rotation::set::IdSet;
use crate::seal::Record;
use crate::vault::VaultError;
use crate::vault::readers::{KnownReader, Readers};
use crate::vault::state::{Device, Held, Past, RuledOut};

/// Marks an order that stays although a commit has fulfilled it.
const STAYS: Timestamp = Timestamp::from_unix_seconds(1);

/// One check-in at a vault that breaks a rule, and the vault before it.
struct Broken<'a> {
    rules: &'a Rules,
    setting: &'a Setting,
    message: CheckIn,
    /// The records that it offers, with the readers whom they name.
    offers: Vec<(u8, u8)>,
    before: Stored,
}

impl Rules {
    /// One check-in at the vault, with what is broken around it.
    pub(super) fn around_check_in(
        &self,
        world: &mut World,
        bytes: &[u8],
        setting: &Setting,
        check_in: impl FnOnce(&mut World) -> Result<Vec<u8>, VaultError>,
    ) -> Result<Vec<u8>, VaultError> {
        if self.all_hold() {
            return check_in(world);
        }
        let (message, records) = CheckIn::decode(bytes).unwrap();
        let offers = records.map(|(id, bytes)| {
            let record = Record::parse(bytes).unwrap();
            let ids: Vec<_> = record.reader_ids().map(|id| *id.as_bytes()).collect();
            (number(id), mask_of(&ids))
        });
        let offers = offers.collect();
        let broken =
            Broken { rules: self, setting, message, offers, before: stored(world.vault.store()) };
        let untouched = world.vault.clone();
        let answer = if self.hold(Rule::Refuse) {
            check_in(world)?
        } else {
            broken.with_every_reader(world, check_in)?
        };
        if let Some(answer) = broken.refuses(&answer) {
            world.vault = untouched;
            return Ok(answer);
        }
        let answer = broken.answers(world, answer);
        let now = world.vault_now();
        let current = world.vault.kept().current;
        let readers =
            [broken.before.current, current].map(|record| world.made[usize::from(record)].readers);
        world.tamper(|device, known| {
            broken.keeps(device);
            broken.orders(device, current, readers, now);
            broken.reports(device, known, now);
        });
        Ok(answer)
    }
}

impl Broken<'_> {
    fn hold(&self, rule: Rule) -> bool {
        self.rules.hold(rule)
    }

    /// Nobody looks whether an active reader is named.
    fn with_every_reader(
        &self,
        world: &mut World,
        check_in: impl FnOnce(&mut World) -> Result<Vec<u8>, VaultError>,
    ) -> Result<Vec<u8>, VaultError> {
        world.tamper(|_, known| {
            for reader in readers(A | R | N | W) {
                let id = *reader.id().as_bytes();
                if !known.known.iter().any(|known| known.id == id) {
                    known.known.push(KnownReader::new(id, format!("{reader}"), START));
                }
            }
        });
        let answer = check_in(world)?;
        let kept = self.before.readers.known.clone();
        world.tamper(|_, known| known.known.clone_from(&kept));
        Ok(answer)
    }

    /// The answer where an offer is refused that should be taken.
    fn refuses(&self, answer: &[u8]) -> Option<Vec<u8>> {
        let new = self.offers.iter().filter(|(record, _)| !self.before.has(*record));
        let unheld = |record: u8| !self.message.may_hold.ids.contains(id(record));
        let crowd = self.before.candidates().count_ones() as usize;
        for (record, readers) in new {
            let unreadable = readers & self.before.active == 0 && unheld(*record);
            if unreadable && !self.hold(Rule::RefuseWhile) {
                return Some(edited(answer, |answer| {
                    answer.stored.remove(id(*record));
                    answer.refused.unreadable.insert(id(*record)).unwrap();
                }));
            }
            if crowd >= FULL && !self.hold(Rule::VaultRoom) {
                return Some(edited(answer, |answer| {
                    answer.stored.remove(id(*record));
                    answer.refused.full.insert(id(*record)).unwrap();
                }));
            }
        }
        None
    }

    /// Orders that are withheld.
    fn answers(&self, world: &World, answer: Vec<u8>) -> Vec<u8> {
        let device = world.vault.kept().device.as_ref();
        let orders = device.map_or(&[][..], |device| &device.managed.candidates.orders);
        let now = world.vault_now();
        let future = orders.iter().any(|order| order.not_before() > now);
        // One that stays is given once for each list of the device's readers.
        let lasting = !orders.is_empty() && orders.iter().all(|order| order.made_at == STAYS);
        let same = self
            .message
            .may_hold
            .ids
            .iter()
            .all(|held| world.made[usize::from(number(held))].readers == world.readers);
        if future && !self.hold(Rule::FutureOrder) || lasting && same {
            return edited(&answer, |answer| answer.orders = IdSet::EMPTY);
        }
        answer
    }

    /// What is evicted that should stay.
    fn keeps(&self, device: &mut Device) {
        let active = &self.before.readers;
        let candidates = &mut device.managed.candidates;
        let openable = |held: &&Held| held.is_openable(active);
        let newest = candidates.all().filter(openable).max_by_key(|held| held.version);
        let newest = newest.map(|held| held.id);
        let history = &mut candidates.history;
        let marked = history.iter().any(|past| past.unverified > 0);
        let count = usize::from(self.setting.history).max(if marked { 2 } else { 1 });
        if !self.hold(Rule::Protect) || !self.hold(Rule::KeepRecent) {
            history.truncate(count);
        }
        if !self.hold(Rule::ProtectCommitted) {
            let mut place = 0;
            history.retain(|past| {
                place += 1;
                place <= count || Some(past.held.id) == newest
            });
        }
        let on_word = |past: &Past| past.ruled_out == RuledOut::OnWord;
        if !self.hold(Rule::Word) {
            history.retain(|past| !on_word(past));
        }
        if !self.hold(Rule::ThreeOnWord) {
            let mut place = 0;
            history.retain(|past| {
                place += u8::from(on_word(past));
                !on_word(past) || place <= 2
            });
        }
        if !self.hold(Rule::Accounts) {
            // One that the device has only named so far has no password to be mixed up.
            let former = core::mem::take(&mut device.former).into_iter();
            let (mixed, named): (Vec<_>, Vec<_>) =
                former.partition(|former| former.candidates.current.is_some());
            device.former = named;
            let mixed = mixed.into_iter().filter_map(|former| former.candidates.current);
            device.managed.candidates.pending.extend(mixed);
        }
    }

    /// What is ordered that should not be. `readers`: of the current record, before and now.
    fn orders(&self, device: &mut Device, current: u8, readers: [u8; 2], now: Timestamp) {
        if !self.hold(Rule::LateFlag) {
            for (record, readers) in &self.offers {
                if readers & self.before.removed != 0 && !self.before.has(*record) {
                    device.order(&[id(*record)], now, 0);
                }
            }
        }
        let committed = current != self.before.current && !self.before.orders.is_empty();
        let fulfilled = committed && device.managed.candidates.orders.is_empty();
        let named = readers.iter().all(|readers| readers & self.before.removed != 0);
        if fulfilled && named && !self.hold(Rule::RemovalEnds) {
            device.order(&[id(current)], now, 0);
            for order in &mut device.managed.candidates.orders {
                order.made_at = STAYS;
            }
        }
    }

    /// What is said that is not so, or is not said.
    fn reports(&self, device: &mut Device, known: &mut Readers, now: Timestamp) {
        let report = &mut device.managed.report;
        if !self.hold(Rule::ShowReset) {
            report.reset_at = None;
        }
        if !self.hold(Rule::Likely) {
            report.likely = IdSet::EMPTY;
        }
        if !self.hold(Rule::Unproven) {
            device.managed.proven_at = Some(now);
        }
        if !self.hold(Rule::NoteRestore) {
            known.restored.clear();
        }
    }
}

fn edited(answer: &[u8], edit: impl FnOnce(&mut Answer)) -> Vec<u8> {
    let mut answer = Answer::decode(answer).unwrap();
    edit(&mut answer);
    let mut out = [0; MAX_ANSWER];
    let len = answer.encode(&mut out).unwrap();
    out[..len].to_vec()
}
