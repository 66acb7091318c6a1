//! One state of the world, and what it has in common with others.

use alloc::{rc::Rc, string::String, vec::Vec};
use core::hash::{Hash as _, Hasher as _};
use std::collections::hash_map::DefaultHasher;

use super::rules::Rules;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::journal::{HeldIds, Journal, Settled};
use crate::rotation::log::Log;
use crate::rotation::machine::{Hurry, Rotation, Step, Unsaved};
use crate::rotation::set::{IdSet, MayHold};
use crate::rotation::{Config, MAX_JOURNAL};
use crate::vault::Retention;
use crate::vault::state::Candidates;

pub(super) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// What can go wrong, and how often; the number of each is a bound of the run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Fault {
    /// The agent dies, or the password in memory grows too old.
    Crash,
    /// The setter is refused by the password policy and has no effect.
    Refuse,
    /// The setter fails and has no effect.
    Fail,
    /// The setter takes effect and reports failure.
    LieFail,
    /// The setter reports success and has no effect.
    LieOk,
    /// The account does not answer.
    Mute,
    /// The agent dies while the setter goes on running.
    Orphan,
    /// The device's image is rolled back: journal and account together.
    Image,
    /// The same with the agent's memory.
    Memory,
    /// Another device runs from a copy of the image; the two take turns.
    Clone,
    /// The journal is lost.
    JournalLoss,
    /// An older journal is put back, and the account stays as it is.
    OldJournal,
    /// The vault is put back from an older copy.
    OldVault,
    /// Everything that may be held is ordered to be replaced.
    Order,
    /// The journal cannot be written.
    Disk,
}

pub(super) const FAULTS: usize = 15;
pub(super) type Budget = [u8; FAULTS];

pub(super) fn budget(faults: &[(Fault, u8)]) -> Budget {
    let mut budget = [0; FAULTS];
    for (fault, times) in faults {
        budget[*fault as usize] = *times;
    }
    budget
}

/// The fixed part of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) rules: Rules,
    pub(super) faults: Budget,
    /// The retention of the vault, at least 1.
    pub(super) history: Retention,
    /// How many passwords are made.
    pub(super) passwords: usize,
    pub(super) can_verify: bool,
    /// Whether the account has change stamps.
    pub(super) change_stamps: bool,
}

/// A check-in on its way. Ids are numbers, sets are bit masks; bit 0 of a may-hold set is
/// "unknown".
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Message {
    pub(super) token: u8,
    pub(super) may_hold: u32,
    pub(super) offers: u32,
    pub(super) ruled_out: u32,
    pub(super) commit: u8,
    pub(super) verified: bool,
}

/// An answer on its way.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Reply {
    pub(super) token: u8,
    pub(super) stored: u32,
    pub(super) lacking: u32,
    pub(super) stale: u32,
    pub(super) full: u32,
    /// 0 none, 1 acknowledged, 2 lacking, 3 stale token.
    pub(super) commit: u8,
    pub(super) highest: u64,
    pub(super) candidates: u8,
    pub(super) orders: u32,
    /// Written before the vault was put back from an older copy.
    pub(super) outdated: bool,
}

/// A copy of the device.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) account: u8,
    pub(super) disk: Rc<Vec<u8>>,
    pub(super) memory: Option<Rc<Rotation>>,
}

/// Between a roll-back and the end of the next check-in the account may hold what the vault has
/// displaced.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Excuse {
    None,
    Anything,
    Password(u8),
}

#[derive(Clone, Debug)]
pub(super) struct State {
    /// The password of the account, as the number of its record.
    pub(super) account: u8,
    pub(super) machine: Rotation,
    /// The journal on disk; empty when there is none.
    pub(super) disk: Rc<Vec<u8>>,
    pub(super) vault: Candidates,
    pub(super) latest: Option<Message>,
    /// Answers to the latest check-in.
    pub(super) replies: Vec<Reply>,
    /// Old check-ins with a living token.
    pub(super) old: Vec<Message>,
    /// Ids that dead check-ins may hold, and offer.
    pub(super) dead_held: u32,
    pub(super) dead_offered: u32,
    pub(super) image: Option<Image>,
    pub(super) copy: Option<Candidates>,
    pub(super) left: Budget,
    /// Of every record made; record 0 stands for no record.
    pub(super) versions: Vec<u8>,
    pub(super) previous: Vec<u8>,
    /// Every record that the vault ever stored.
    pub(super) stored: u32,
    pub(super) excuse: Excuse,
    /// A setter that outlived its agent, and what it will set.
    pub(super) orphan: u8,
    pub(super) now: Timestamp,
    pub(super) change_stamps: bool,
}

pub(super) fn id(number: u8) -> RecordId {
    let mut bytes = [0; 16];
    bytes[0] = number;
    RecordId::from_bytes(bytes)
}

pub(super) fn number(id: RecordId) -> u8 {
    id.as_bytes()[0]
}

pub(super) fn bits(mask: u32) -> impl Iterator<Item = u8> {
    (0..32).filter(move |bit| mask >> bit & 1 == 1)
}

pub(super) fn mask(ids: &IdSet) -> u32 {
    ids.iter().fold(0, |mask, id| mask | 1 << number(id))
}

pub(super) fn ids(mask: u32) -> IdSet {
    IdSet::collect_first(bits(mask & !1).map(id)).0
}

pub(super) fn may_hold(mask: u32) -> MayHold {
    MayHold::new(ids(mask), mask & 1 == 1)
}

pub(super) const fn token(code: u8) -> [u8; 16] {
    [code; 16]
}

pub(super) fn names(mask: u32) -> String {
    let names: Vec<String> =
        bits(mask).map(|bit| if bit == 0 { "?".into() } else { alloc::format!("{bit}") }).collect();
    alloc::format!("{{{}}}", names.join(","))
}

pub(super) fn config(setting: &Setting) -> Config {
    let device = DeviceId::new("device").unwrap();
    let mut config = Config::new(Scope::EMPTY, device, AccountName::new("Admin").unwrap(), None);
    config.can_verify = setting.can_verify;
    config
}

impl State {
    /// The account holds record 1, and the vault has it as the current one.
    pub(super) fn first(setting: &Setting) -> Self {
        let config = config(setting);
        let mut machine = Rotation::new(config, START).unwrap();
        let change_stamp = setting.change_stamps.then_some([1; 32]);
        machine.step = Step::Settled(Settled { last_made: Some(id(1)), change_stamp });
        let journal = &mut machine.journal;
        journal.held = HeldIds::exactly(id(1));
        (journal.highest, journal.committed) = (1, 1);
        journal.committed_at = Some(START);
        journal.due = Some(START.plus(30 * 86_400));
        let mut held = crate::vault::state::Held::new(id(1), 1);
        (held.confirmed, held.committed) = (true, true);
        let mut vault = Candidates::default();
        (vault.token, vault.current) = (Some(token(1)), Some(held));
        vault.highest_version = 1;
        let mut state = Self {
            account: 1,
            machine,
            disk: Rc::new(Vec::new()),
            vault,
            latest: None,
            replies: Vec::new(),
            old: Vec::new(),
            dead_held: 0,
            dead_offered: 0,
            image: None,
            copy: None,
            left: setting.faults,
            versions: alloc::vec![0, 1],
            previous: alloc::vec![0, 0],
            stored: 2,
            excuse: Excuse::None,
            orphan: 0,
            now: START,
            change_stamps: setting.change_stamps,
        };
        state.save();
        state.tidy();
        state
    }

    pub(super) fn save(&mut self) {
        let mut out = [0; MAX_JOURNAL];
        let len = self.machine.journal(&mut out).unwrap();
        self.disk = Rc::new(out[..len].to_vec());
        self.machine.handle_saved().unwrap();
    }

    pub(super) fn change_stamp(&self) -> Option<[u8; 32]> {
        self.change_stamps.then_some([self.account; 32])
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.left[fault as usize] > 0
    }

    pub(super) fn spend(&mut self, fault: Fault) {
        self.left[fault as usize] -= 1;
    }

    pub(super) fn candidates(&self) -> u32 {
        self.vault.iter().fold(0, |mask, held| mask | 1 << number(held.id))
    }

    pub(super) fn history(&self) -> u32 {
        self.vault.history.iter().fold(0, |mask, past| mask | 1 << number(past.held.id))
    }

    /// The latest check-in becomes an old one; its answers are for nobody.
    pub(super) fn retire_latest(&mut self) {
        self.replies.clear();
        let Some(message) = self.latest.take() else { return };
        if message.token == 0 {
            self.dead_held |= message.may_hold & !1;
            self.dead_offered |= message.offers;
        } else if let Err(at) = self.old.binary_search(&message) {
            self.old.insert(at, message);
        }
    }

    /// Takes out of the state what time alone decides, and what nobody looks at.
    pub(super) fn tidy(&mut self) {
        let machine = &mut self.machine;
        timeless(machine);
        machine.log = Log::EMPTY;
        machine.wipe = false; // Nothing but memory: wiped in no time.
        if machine.unsaved == Unsaved::Detail {
            machine.unsaved = Unsaved::Nothing;
        }
        machine.written = false;
        self.replies.sort_unstable();
        self.replies.dedup();
        self.dead_held &= !self.dead_offered;
    }

    /// A fingerprint of 128 bits.
    pub(super) fn key(&self) -> u128 {
        let half = |salt: u8| {
            let mut hash = DefaultHasher::new();
            hash.write_u8(salt);
            self.feed(&mut hash);
            u128::from(hash.finish())
        };
        half(1) << 64 | half(2)
    }

    fn feed(&self, hash: &mut DefaultHasher) {
        feed_machine(&self.machine, hash);
        self.disk.hash(hash);
        feed_vault(&self.vault, hash);
        (self.account, self.latest, &self.replies, &self.old).hash(hash);
        (self.dead_held, self.dead_offered, self.left, self.excuse, self.orphan).hash(hash);
        (&self.versions, &self.previous, self.stored, self.now).hash(hash);
        if let Some(image) = &self.image {
            (1_u8, image.account, &image.disk).hash(hash);
            if let Some(machine) = &image.memory {
                feed_machine(machine, hash);
            }
        }
        if let Some(copy) = &self.copy {
            feed_vault(copy, hash);
        }
    }

    /// What a failure-free continuation from a restart depends on.
    pub(super) fn restart_key(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        (self.account, &self.disk, &self.versions, self.now).hash(&mut hash);
        feed_vault(&self.vault, &mut hash);
        hash.finish()
    }
}

/// Everything of the machine but its settings, its log, and the account's name.
fn feed_machine(machine: &Rotation, hash: &mut DefaultHasher) {
    feed_journal(&machine.journal, hash);
    (machine.unsaved, machine.step, machine.clock).hash(hash);
    let talk = &machine.talk;
    (talk.token.map(|token| token[0]), talk.heard, mask(&talk.lacking)).hash(hash);
    (mask(&talk.unheld), talk.candidates, talk.crowded).hash(hash);
    if let Some(sent) = &talk.sent {
        let commit = sent.commit.map(|commit| (number(commit.id), commit.due));
        (mask(&sent.offers), commit, sent.token.is_some()).hash(hash);
    }
}

fn feed_journal(journal: &Journal, hash: &mut DefaultHasher) {
    (journal.highest, journal.committed, journal.held.unknown).hash(hash);
    for list in [journal.held.ids.as_slice(), journal.ruled_out.as_slice()] {
        list.len().hash(hash);
        list.iter().for_each(|id| number(*id).hash(hash));
    }
    mask(&journal.ruled_out_on_word.set()).hash(hash);
    (journal.due, journal.committed_at, journal.reasons).hash(hash);
}

fn feed_vault(vault: &Candidates, hash: &mut DefaultHasher) {
    (vault.token.map(|token| token[0]), vault.current.as_ref().map(|held| number(held.id)))
        .hash(hash);
    for held in &vault.pending {
        number(held.id).hash(hash);
    }
    for past in &vault.history {
        (number(past.held.id), past.unverified, past.ruled_out).hash(hash);
    }
    vault.highest_version.hash(hash);
    for order in &vault.orders {
        (order.above, &order.ids).hash(hash);
    }
}

/// Every waiting time is over, and no count of failures makes a difference.
pub(super) fn timeless(machine: &mut Rotation) {
    let start = Timestamp::default();
    machine.save_at = start;
    let talk = &mut machine.talk;
    talk.check_in_at = START.plus(100 * 86_400);
    talk.check_in_not_before = start;
    talk.ask_at = None;
    (talk.spins, talk.silent, talk.report, talk.looked) = (0, 0, false, false);
    (machine.remade, machine.changes, machine.hurry) = (0, 0, Hurry::No);
    machine.reported = crate::rotation::machine::Reported::default();
    let journal = &mut machine.journal;
    journal.last = None;
    journal.audit = None;
    journal.failures = 0;
    journal.not_before = None;
    journal.waits = Default::default();
    journal.on_word = false;
    journal.seen = START;
    journal.covered = start;
}
