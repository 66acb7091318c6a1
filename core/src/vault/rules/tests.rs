//! The rules against a second statement of them, step by step over random check-ins: the vault of
//! the protocol's model, on bit masks, with small numbers for ids (bit 0 is "unknown").

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::*;
use crate::identity::{AccountName, DeviceId, RecordId, Scope};
use crate::rotation::message::Commit;
use crate::vault::Retention;
use crate::vault::state::Past;

const IDS: u32 = 12;

fn id(number: u32) -> RecordId {
    RecordId::from_bytes([u8::try_from(number).unwrap(); 16])
}

fn number(id: RecordId) -> u32 {
    u32::from(id.as_bytes()[0])
}

fn bits(mask: u32) -> impl Iterator<Item = u32> {
    (0..32).filter(move |bit| mask >> bit & 1 == 1)
}

fn mask(ids: impl IntoIterator<Item = RecordId>) -> u32 {
    ids.into_iter().fold(0, |mask, id| mask | 1 << number(id))
}

/// current, pending, history newest first, highest version. What is in the history was displaced
/// by the last unverified commit (1), the one before it (2), or neither (0).
type State = (u32, u32, Vec<(u32, u8)>, u64);

struct Model {
    versions: Vec<u64>,
    verify: bool,
    history: usize,
}

struct Report {
    live: bool,
    may_hold: u32,
    offers: u32,
    ruled_out: u32,
    commit: u32,
}

impl Model {
    fn version(&self, id: u32) -> u64 {
        self.versions[id as usize]
    }

    /// One check-in, as the model has it: the state after it, stored, lacking, refused, what became
    /// of the commit.
    fn vault(&self, state: &State, said: &Report) -> (State, [u32; 3], Option<char>) {
        let (mut current, mut pending, mut history, mut highest) = state.clone();
        let least = if self.verify { self.history } else { self.history.max(2) };
        let may_hold = said.may_hold & !1;
        // What a commit that comes again displaced is over.
        let again = said.commit != 0 && said.commit == current;
        let lower = |id: u32| again && self.version(id) < self.version(current);
        let all = |history: &[(u32, u8)]| history.iter().fold(0, |mask, (id, _)| mask | 1 << id);
        let over = bits(all(&history)).filter(|id| lower(*id)).fold(0, |mask, id| mask | 1 << id);
        let named = may_hold & !over | said.offers;
        let back = all(&history) & named;
        pending |= back;
        history.retain(|(id, _)| back >> id & 1 == 0);
        let holds = |pending: u32, current: u32| (pending | 1 << current) & !1;
        let (mut stored, mut refused) = (0, 0);
        let mut offers: Vec<u32> = bits(said.offers).collect();
        offers.sort_by_key(|id| (self.version(*id), *id));
        for id in offers {
            let bit = 1 << id;
            if bit & holds(pending, current) != 0 {
                stored |= bit;
            } else if bit & may_hold != 0 || self.version(id) > highest {
                pending |= bit;
                stored |= bit;
                highest = highest.max(self.version(id));
            } else {
                refused |= bit;
            }
        }
        let mut lacking = may_hold & !holds(pending, current) & !over;
        if said.live {
            let out = said.ruled_out & pending & !may_hold;
            pending &= !out;
            let mut out: Vec<u32> = bits(out).collect();
            out.sort_by_key(|id| Reverse((self.version(*id), *id)));
            let room = least.max(history.len());
            history.extend(out.into_iter().map(|id| (id, 0)));
            history.truncate(room);
        }
        let mut result = None;
        // One that the device is certain of is committed, whatever became of its commit.
        let certain = said.live && said.commit == 0 && said.may_hold.count_ones() == 1;
        let (commit, verify) = match certain {
            true => (may_hold.checked_ilog2().unwrap_or(0), true),
            false => (said.commit, self.verify),
        };
        if commit != 0 {
            let bit = 1 << commit;
            if commit == current {
                result = Some('a');
            } else if !said.live {
                result = Some('s');
            } else if bit & pending == 0 {
                result = Some('l');
                lacking |= if certain { 0 } else { bit };
            } else if current != 0 && self.version(commit) < self.version(current) {
                result = Some('a');
            } else {
                let lower = |id: &u32| self.version(*id) < self.version(commit);
                let mut out: Vec<u32> = bits(pending & !bit).filter(lower).collect();
                out.iter().for_each(|id| pending &= !(1 << id));
                pending &= !bit;
                out.extend((current != 0).then_some(current));
                out.sort_by_key(|id| Reverse((self.version(*id), *id)));
                for (_, mark) in history.iter_mut().filter(|_| !verify) {
                    *mark = if *mark == 1 { 2 } else { 0 };
                }
                let out = out.into_iter().map(|id| (id, u8::from(!verify)));
                history.splice(..0, out);
                let mut place = 0..;
                history.retain(|(_, mark)| place.next().is_some_and(|at| at < least) || *mark > 0);
                current = commit;
                result = Some('a');
            }
        }
        let result = result.filter(|_| !certain);
        ((current, pending, history, highest), [stored, lacking, refused], result)
    }
}

fn state_of(candidates: &Candidates) -> State {
    let current = candidates.current.as_ref().map_or(0, |held| number(held.id));
    let pending = mask(candidates.pending.iter().map(|held| held.id));
    let past = |past: &Past| (number(past.held.id), past.unverified);
    let history = candidates.history.iter().map(past).collect();
    (current, pending, history, candidates.highest_version)
}

struct Sampler(u64);

impl Sampler {
    fn draw(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 33).unwrap().checked_rem(sides).unwrap()
    }

    /// A few of the ids.
    fn some(&mut self, mean: u32) -> u32 {
        (1..=IDS).filter(|_| self.draw(IDS) < mean).fold(0, |mask, id| mask | 1 << id)
    }
}

#[test]
fn every_check_in_has_the_effect_that_the_model_gives_it() {
    let mut sampler = Sampler(0x9e37_79b9_7f4a_7c15);
    let mut seen = BTreeSet::new();
    for run in 0..4_000_u32 {
        let verify = run.is_multiple_of(2);
        let history = 1 + sampler.draw(4) as usize;
        // Versions mostly rise with the ids; a clone's repeat.
        let versions = (0..=IDS).map(|id| u64::from(id + sampler.draw(3))).collect();
        let model = Model { versions, verify, history };
        // The least history without verification is 2 in the model, once something was committed
        // so.
        let count = if verify { history } else { history.max(2) };
        let setting = Retention::count(u16::try_from(count).unwrap());
        let account = AccountName::new("a").unwrap();
        let mut device = Device::first_seen(account, None, Timestamp::default());
        let readers = Readers { history: setting, ..Readers::default() };
        let mut tokens = 0_u8;
        for _ in 0..30 {
            let before = state_of(&device.managed.candidates);
            let mut said = Report {
                live: sampler.draw(3) > 0,
                may_hold: sampler.some(2),
                offers: sampler.some(2),
                ruled_out: sampler.some(2),
                commit: if sampler.draw(2) == 0 { 1 + sampler.draw(IDS) } else { 0 },
            };
            said.may_hold |= u32::from(said.may_hold == 0) | (1 << said.commit & !1);
            let scope = Scope::EMPTY;
            let name = DeviceId::new("d").unwrap();
            let mut message = CheckIn::new(scope, name, account, [0; 16]);
            message.token = if said.live { device.managed.candidates.token } else { None };
            said.live = message.token.is_some();
            message.may_hold.unknown = said.may_hold & 1 == 1;
            message.may_hold.ids = IdSet::collect_first(bits(said.may_hold & !1).map(id)).0;
            message.offers = IdSet::collect_first(bits(said.offers).map(id)).0;
            message.ruled_out = IdSet::collect_first(bits(said.ruled_out).map(id)).0;
            message.commit = (said.commit != 0).then(|| Commit::new(id(said.commit), verify));
            let offer = |n| Offer::new(Held::new(id(n), model.version(n)), account, None);
            let offers: Vec<Offer> = bits(said.offers).map(offer).collect();
            let context =
                Context { recent_seconds: 0, ..Context::new(&readers, Timestamp::default()) };
            let mut draw = || {
                tokens += 1;
                Some([tokens; 16])
            };
            let verdict = device.check_in(&message, &offers, &context, &mut draw).unwrap();
            let (after, [stored, lacking, refused], result) = model.vault(&before, &said);
            let found = state_of(&device.managed.candidates);
            assert_eq!(found, after, "run {run}, from {before:?}");
            assert_eq!(mask(verdict.stored.iter()), stored);
            assert_eq!(mask(verdict.lacking.iter()), lacking);
            assert_eq!(mask(verdict.refused.iter().map(|refused| refused.id)), refused);
            let commit = verdict.commit.map(|commit| match commit {
                CommitAnswer::Acknowledged => 'a',
                CommitAnswer::Lacking => 'l',
                CommitAnswer::StaleToken => 's',
            });
            assert_eq!(commit, result);
            seen.insert((commit, said.live, verdict.changed, refused != 0, verify));
        }
    }
    // Every kind of answer was met: four results with and without the token, changed or not,
    // refused or not.
    assert!(seen.len() > 40, "{}", seen.len());
}
