//! The fingerprint of a state: what two states have in common is left out.
//!
//! The machine and what the vault keeps hash as values; this hasher sees what they write and takes
//! three things out of it:
//!
//! - *Times* are counted from the clock of their side. What lies more than a day back is "past",
//!   what lies more than a day ahead is "far": waits are at most a day long, and between two runs
//!   more than a day passes ([`super::device::BETWEEN_RUNS`]). At the vault, which keeps what was
//!   current for thirty days, what lies further back is "long past".
//! - *Ids, tokens, change stamps, digests* matter only through equality: each is named by the place
//!   of its first appearance.
//! - *Versions* only order: each is named by its place among the others.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::records::reader_bit;
use super::state::{Account, Disk, ID_MARK, World, id, number};
use super::vault::{Stored, VaultFile};
use crate::identity::Timestamp;
use crate::rotation::Rotation;
use crate::rotation::journal::{Journal, RuledOutIds};
use crate::rotation::log::Log;
use crate::rotation::message::AuditHead;
use crate::rotation::search::Rank;
use crate::rotation::set::IdSet;
use crate::vault::MemoryStore;
use crate::vault::rules::RECENT_SECONDS;
use crate::vault::state::{Device, UNPROVEN_SECONDS};

const PAST: u64 = u64::MAX - 1;
/// For longer than what was current is kept in any case: at the vault alone, which keeps it.
const LONG_PAST: u64 = u64::MAX - 4;
const FAR: u64 = u64::MAX - 2;
/// Later today: more time passes between two runs.
const AHEAD: u64 = u64::MAX - 3;
const A_DAY: i64 = 86_400 + 3_600;

struct Canon {
    words: Vec<u64>,
    /// The places of versions among the words.
    versions: Vec<usize>,
    /// The clock of the side that is being hashed, in seconds.
    now: i64,
    /// Whether that side is the vault.
    vault: bool,
    short: Vec<[u8; 16]>,
    long: Vec<[u8; 32]>,
}

impl Canon {
    fn mix(&mut self, value: u64) {
        self.words.push(value);
    }

    /// Only the order of versions makes a difference, and whether one lies far above another.
    fn rank_versions(&mut self) {
        let mut all: Vec<u64> = self.versions.iter().map(|at| self.words[*at]).collect();
        all.push(0);
        all.sort_unstable();
        all.dedup();
        let mut ranks = Vec::with_capacity(all.len());
        let mut rank = 0;
        for (at, version) in all.iter().enumerate() {
            let gap = version - all[at.saturating_sub(1)];
            rank += 1 + if gap > 1 << 31 { gap } else { 0 };
            ranks.push(rank);
        }
        for at in &self.versions {
            let place = all.binary_search(&self.words[*at]).unwrap();
            self.words[*at] = ranks[place];
        }
    }

    fn lanes(&self) -> [u64; 2] {
        let mut lanes = [1, 2];
        for value in &self.words {
            let fold = |lane: u64, by: u64| {
                let product = u128::from(lane ^ value ^ by) * u128::from(by);
                ((product >> 64) as u64 ^ product as u64).rotate_left(29).wrapping_add(*value)
            };
            lanes = [fold(lanes[0], 0x9e37_79b9_7f4a_7c15), fold(lanes[1], 0xd6e8_feb8_6659_fd93)];
        }
        lanes
    }

    fn place<const LEN: usize>(known: &mut Vec<[u8; LEN]>, bytes: [u8; LEN]) -> u64 {
        if bytes == [0; LEN] {
            return 0;
        }
        let at = known.iter().position(|one| *one == bytes).unwrap_or_else(|| {
            known.push(bytes);
            known.len() - 1
        });
        at as u64 + 1
    }
}

impl Hasher for Canon {
    fn finish(&self) -> u64 {
        self.lanes()[0]
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Ok(short) = bytes.try_into() {
            let place = Self::place(&mut self.short, short);
            self.mix(place);
        } else if let Ok(long) = <[u8; 32]>::try_from(bytes) {
            let place = match reader_bit(&long) {
                Some(bit) => 1_000 + u64::from(bit),
                None => Self::place(&mut self.long, long),
            };
            self.mix(place);
        } else {
            for chunk in bytes.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                self.mix(u64::from_le_bytes(word));
            }
        }
    }

    fn write_u64(&mut self, value: u64) {
        let value = match value {
            // A time.
            1_600_000_000..=2_200_000_000 => match value as i64 - self.now {
                before if self.vault && before < -(RECENT_SECONDS as i64) => LONG_PAST,
                before if before < -A_DAY => PAST,
                after if after > A_DAY => FAR,
                after if after > 0 => AHEAD,
                near => near as u64,
            },
            // A version; 0 is none.
            1..=60 | 0x8000_0000..=0xffff_ffff_ffff_fff0 => {
                self.versions.push(self.words.len());
                value
            }
            value => value,
        };
        self.mix(value);
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    /// How wrong a clock is: neither a time nor a version.
    fn write_i64(&mut self, value: i64) {
        self.mix(value as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.mix(value as u64);
    }
}

/// What nobody looks at, and what makes no difference: counters that grow without end in a lasting
/// condition.
fn blurred(machine: &Rotation, known: u64) -> Rotation {
    let mut machine = machine.clone();
    machine.log = Log::EMPTY;
    machine.journal = blurred_journal(&machine.journal, known);
    machine.written = false;
    machine.talk.log = None;
    machine
}

/// A record that no vault has is ruled out with or without its name in the list.
fn blurred_journal(journal: &Journal, known: u64) -> Journal {
    let mut journal = *journal;
    for list in [&mut journal.ruled_out, &mut journal.ruled_out_on_word] {
        let before = core::mem::replace(list, RuledOutIds::EMPTY);
        let known = before.as_slice().iter().filter(|id| known >> number(**id) & 1 == 1);
        for id in known {
            list.push_out(*id);
        }
    }
    journal.audit = None;
    journal.seen = Timestamp::default();
    journal.failures = journal.failures.min(1);
    if let Some(used) = &mut journal.used {
        used.tries = used.tries.min(1);
    }
    if let Some(last) = &mut journal.last {
        last.at = Timestamp::default();
    }
    journal
}

/// Where a head that a device remembers stands: nowhere, in this log, in none of it.
fn place(head: Option<AuditHead>, store: &MemoryStore) -> u8 {
    match head {
        None => 0,
        Some(head) if super::vault::knows(store, head) => 1,
        Some(_) => 2,
    }
}

/// The number of a record is no part of the state, only which one it is.
fn feed_account(account: &Account, hash: &mut Canon) {
    (account.present, account.hands, account.name, account.sid).hash(hash);
    hash.write(id(account.holds).as_bytes());
}

impl World {
    fn feed(&self, hash: &mut Canon, all: bool) {
        hash.now = self.device_now().as_unix_seconds() as i64;
        let kept = self.vault.kept();
        // A copy that nobody can bring back any more is no part of the state, nor is a message that
        // cannot arrive again.
        let copy = self.copy.as_ref().filter(|_| all && self.left.acts > 0);
        let image = self.image.as_ref().filter(|_| self.left.acts > 0);
        let older = self.older.as_ref().filter(|_| self.left.faults > 0);
        let copied = copy.map(VaultFile::kept);
        let known = kept.known() | copied.map_or(0, Stored::known);
        let disk = |disk: &Option<alloc::rc::Rc<Disk>>, hash: &mut Canon| {
            let journal = |disk: &Disk| (blurred_journal(&disk.journal, known), disk.phase);
            disk.as_ref().map(|disk| journal(disk)).hash(hash);
        };
        disk(&self.disk, hash);
        let heads = [
            all.then_some(self.machine.journal.audit).flatten(),
            self.disk.as_ref().and_then(|disk| disk.journal.audit),
        ];
        if all {
            blurred(&self.machine, known).hash(hash);
        }
        (self.readers, self.turned, self.off).hash(hash);
        (self.excuse.restored, self.excuse.lie).hash(hash);
        (self.device_skew, self.vault_skew).hash(hash);
        self.accounts.iter().for_each(|account| feed_account(account, hash));
        hash.now = self.vault_now().as_unix_seconds() as i64;
        hash.vault = true;
        kept.feed(hash);
        hash.vault = false;
        heads.map(|head| place(head, self.vault.store())).hash(hash);
        self.feed_order(kept, hash, all);
        if !all {
            (self.excuse.unseen, self.excuse.rewound).hash(hash);
            self.feed_made(hash, all);
            return;
        }
        self.last.hash(hash);
        if let (Some(copy), Some(copied)) = (copy, copied) {
            hash.vault = true;
            copied.feed(hash);
            hash.vault = false;
            self.feed_order(copied, hash, all);
            heads.map(|head| place(head, copy.store())).hash(hash);
        }
        if let Some(image) = image {
            hash.now = self.device_now().as_unix_seconds() as i64;
            image.accounts.iter().for_each(|account| feed_account(account, hash));
            disk(&image.disk, hash);
        }
        hash.now = self.vault_now().as_unix_seconds() as i64;
        for message in [self.answer.as_ref(), older].into_iter().flatten() {
            self.feed_message(message, known, hash);
        }
        self.feed_made(hash, all);
    }

    /// A report without the token is believed when its outcome is a later one: which is later, by
    /// the device's clock, is all that is left of the times of outcomes. And whether the account
    /// has been without a proof for long is all that is left of its age.
    fn feed_order(&self, kept: &Stored, hash: &mut Canon, all: bool) {
        let last = |journal: &Journal| journal.last.map(|last| last.at);
        let said = [
            all.then_some(last(&self.machine.journal)).flatten(),
            self.disk.as_ref().and_then(|disk| last(&disk.journal)),
            self.image.as_ref().and_then(|image| last(&image.disk.as_ref()?.journal)),
        ];
        for account in kept.device.iter().flat_map(Device::accounts) {
            let known = account.report.outcome.map(|outcome| outcome.at);
            said.map(|said| said.cmp(&known) as i8).hash(hash);
            let at = account.proven_at.unwrap_or(account.since);
            (self.vault_now().seconds_since(at) > UNPROVEN_SECONDS).hash(hash);
        }
    }

    /// What the records are that were named by now.
    fn feed_made(&self, hash: &mut Canon, all: bool) {
        for at in 0..hash.short.len() {
            let Some(number) = Self::named(&hash.short[at]) else { continue };
            if let Some(made) = self.made.get(number) {
                (made.readers, made.name, made.sid).hash(hash);
                (all && self.committed >> number & 1 == 1).hash(hash);
            }
        }
    }

    fn named(bytes: &[u8; 16]) -> Option<usize> {
        (bytes[0] == ID_MARK && bytes[2..] == [0; 14]).then(|| usize::from(bytes[1]))
    }

    fn feed_message(&self, bytes: &[u8], known: u64, hash: &mut Canon) {
        use crate::rotation::message::{Answer, CheckIn};
        if let Ok(mut answer) = Answer::decode(bytes) {
            let head = place(Some(answer.audit), self.vault.store());
            let at = answer.audit_at.is_some();
            (answer.audit, answer.audit_at) = (AuditHead::new(0, [0; 32]), None);
            (answer, head, at).hash(hash);
        } else if let Ok((mut check_in, _)) = CheckIn::decode(bytes) {
            let head = place(check_in.audit, self.vault.store());
            check_in.audit = None;
            for set in [&mut check_in.ruled_out, &mut check_in.ruled_out_on_word] {
                let named = set.iter().filter(|id| known >> number(*id) & 1 == 1);
                (*set, _) = IdSet::collect_first(named);
            }
            (check_in, head).hash(hash);
        }
    }

    fn fingerprint(&self, all: bool) -> u128 {
        let mut hash = Canon {
            words: Vec::with_capacity(512),
            versions: Vec::with_capacity(16),
            now: 0,
            vault: false,
            short: Vec::with_capacity(12),
            long: Vec::with_capacity(8),
        };
        self.feed(&mut hash, all);
        hash.rank_versions();
        let [high, low] = hash.lanes();
        u128::from(high) << 64 | u128::from(low)
    }

    /// Names the state but for its rank.
    pub(super) fn key(&self) -> u128 {
        self.fingerprint(true)
    }

    /// How much may still happen, how near a storm is, and what is not excused.
    pub(super) fn rank(&self) -> Rank {
        let (left, excuse) = (&self.left, &self.excuse);
        [
            left.acts,
            left.faults,
            left.lies,
            self.since.min(3),
            self.in_run.min(3),
            u8::from(!excuse.torn),
            u8::from(!excuse.word),
            u8::from(!excuse.unseen),
            u8::from(!excuse.rewound),
        ]
    }

    /// Names what a continuation from a restart depends on.
    pub(super) fn restart_key(&self) -> u128 {
        self.fingerprint(false)
    }
}
