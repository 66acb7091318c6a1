//! The rules that a control breaks, to see that it is then caught. Each is broken around the real machine and the real vault: what they are
//! told before, and what is left of it afterwards.

use alloc::vec::Vec;

use super::records::{A, N, R, W, mask_of, readers};
use super::state::{Setting, World, number};
use crate::rotation::message::{Answer, CheckIn, MAX_ANSWER};
use crate::rotation::{AccountSeen, Applied, Rotation, Verified};
use crate::seal::Record;
use crate::vault::readers::KnownReader;
use crate::vault::state::RuledOut;
use crate::vault::{Confirmation, VaultError};

/// Which rules hold. All do, unless a negative control breaks one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rule {
    /// A removal that leaves a candidate without an active reader asks first.
    Guard,
    /// A record that names a removed reader is flagged, and not ordered again.
    LateFlag,
    /// A device whose readers lost one that its password is sealed to rotates.
    DeviceReaders,
    /// What no active reader can open is refused in the place of what one can.
    Refuse,
    /// And only then.
    RefuseWhile,
    /// The newest committed record that names an active reader stays.
    Protect,
    /// What the store says that it did not do is ruled out.
    Definite,
    /// What is ruled out on a word stays revealable.
    Word,
    /// An account that was missing counts as another one.
    Appear,
    /// A run changes the password at most twice.
    PerRun,
    /// What rests on the vault's word waits.
    Waits,
    /// Beyond what the journal can name the oldest leaves it.
    Fold,
    /// An answer whose version is too far above is malformed.
    Limit,
    /// Each account has its own candidates.
    Accounts,
    /// A sealing that is given back stands beside the device's.
    KeepOriginal,
    /// The number of a sealing that is given back is the next one, and its readers are the active ones.
    NextSealing,
    /// A restored log is said to be restored.
    NoteRestore,
    /// An order from the future is due.
    FutureOrder,
    /// The outcome is reported in the same run.
    Report,
    /// An account's change stamp is kept across commits.
    KeepStamp,
}

/// The rules of a run: all but these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    broken: [Option<Rule>; 3],
}

pub(super) const ALL: Rules = Rules { broken: [None; 3] };
/// So many candidates are sixteen, where [`Rule::Fold`] is broken.
const FULL: usize = 3;

impl Rules {
    pub(super) const fn without(one: Rule) -> Self {
        Self { broken: [Some(one), None, None] }
    }

    pub(super) const fn without_two(one: Rule, other: Rule) -> Self {
        Self { broken: [Some(one), Some(other), None] }
    }

    pub(super) const fn without_three(one: Rule, other: Rule, third: Rule) -> Self {
        Self { broken: [Some(one), Some(other), Some(third)] }
    }

    pub(super) fn hold(&self, rule: Rule) -> bool {
        !self.broken.contains(&Some(rule))
    }

    pub(super) fn removal_word(&self) -> Confirmation {
        if self.hold(Rule::Guard) { Confirmation::NotGiven } else { Confirmation::Given }
    }

    /// Whether the device's readers lost one that the password is sealed to.
    pub(super) fn lost(&self, lost: bool) -> bool {
        lost && self.hold(Rule::DeviceReaders)
    }

    /// What the machine is told about the account.
    pub(super) fn seen(&self, seen: AccountSeen) -> AccountSeen {
        match seen {
            AccountSeen::Missing if !self.hold(Rule::Appear) => AccountSeen::Unknown,
            seen => seen,
        }
    }

    /// What the machine is told about the setter.
    pub(super) fn applied(&self, applied: Applied) -> Applied {
        match applied {
            Applied::Refused | Applied::NotFound | Applied::ManagedElsewhere
                if !self.hold(Rule::Definite) =>
            {
                Applied::Failed
            }
            applied => applied,
        }
    }

    /// What the machine is told about the account's answer.
    pub(super) const fn verified(&self, verified: Verified) -> Verified {
        verified
    }

    /// Whether another record may be made.
    pub(super) fn has_room(&self, machine: &Rotation) -> bool {
        self.hold(Rule::Fold) || machine.journal.held.ids.len() < FULL
    }

    /// What the machine forgets before each step.
    pub(super) fn bend(&self, machine: &mut Rotation) {
        if !self.hold(Rule::PerRun) {
            machine.changes = 0;
        }
        if !self.hold(Rule::Waits) {
            machine.journal.on_word = false;
            machine.journal.waits = Default::default();
        }
        if !self.hold(Rule::Report) {
            machine.talk.report = false;
        }
        if !self.hold(Rule::KeepStamp)
            && let crate::rotation::machine::Step::Settled(settled) = &mut machine.step
        {
            settled.stamp = None;
        }
    }

    /// One check-in at the vault, with what is broken around it.
    pub(super) fn around_check_in(
        &self,
        world: &mut World,
        bytes: &[u8],
        setting: &Setting,
        check_in: impl FnOnce(&mut World) -> Result<Vec<u8>, VaultError>,
    ) -> Result<Vec<u8>, VaultError> {
        if self.broken == ALL.broken {
            return check_in(world);
        }
        let (message, records) = CheckIn::decode(bytes).unwrap();
        let offers: Vec<(u8, u8)> = records
            .map(|(id, bytes)| {
                let ids: Vec<_> =
                    Record::parse(bytes).unwrap().reader_ids().map(|id| *id.as_bytes()).collect();
                (number(id), mask_of(&ids))
            })
            .collect();
        let before = super::vault::stored(&world.vault);
        let untouched = world.vault.clone();
        if !self.hold(Rule::Refuse) {
            world.tamper(|_, known| {
                for reader in readers(A | R | N | W) {
                    let id = *reader.id().as_bytes();
                    if !known.known.iter().any(|known| known.id == id) {
                        known.known.push(KnownReader::new(
                            id,
                            alloc::format!("{reader}"),
                            world_start(),
                        ));
                    }
                }
            });
        }
        let mut answer = check_in(world)?;
        if !self.hold(Rule::Refuse) {
            let kept = before.readers.known.clone();
            world.tamper(|_, known| known.known.clone_from(&kept));
        }
        let unreadable = offers.iter().find(|(id, readers)| {
            readers & before.active == 0
                && !message.may_hold.ids.contains(super::state::id(*id))
                && !before.has(*id)
        });
        if let (false, Some((id, _))) = (self.hold(Rule::RefuseWhile), unreadable) {
            let id = super::state::id(*id);
            world.vault = untouched;
            answer = edited(&answer, |answer| {
                answer.stored.remove(id);
                answer.refused.unreadable.insert(id).unwrap();
            });
        }
        if !self.hold(Rule::FutureOrder) {
            let now = world.vault_now();
            let device = super::vault::stored(&world.vault).device;
            let orders = device.map(|device| device.managed.candidates.orders).unwrap_or_default();
            if orders.iter().any(|order| order.not_before() > now) {
                answer = edited(&answer, |answer| {
                    answer.orders = crate::rotation::set::IdSet::EMPTY;
                });
            }
        }
        let now = world.vault_now();
        let history = usize::from(setting.history);
        world.tamper(|device, known| {
            if !self.hold(Rule::Protect) {
                let kept = &mut device.managed.candidates.history;
                let least = if kept.iter().any(|past| past.unverified > 0) { 2 } else { 1 };
                kept.truncate(history.max(least));
            }
            if !self.hold(Rule::Word) {
                let kept = &mut device.managed.candidates.history;
                kept.retain(|past| past.ruled_out != RuledOut::OnWord);
            }
            if !self.hold(Rule::Accounts) {
                for former in core::mem::take(&mut device.former) {
                    device.managed.candidates.pending.extend(former.candidates.current);
                }
            }
            if !self.hold(Rule::LateFlag) {
                for (id, readers) in &offers {
                    if readers & before.removed != 0 && !before.has(*id) {
                        device.order(&[super::state::id(*id)], now, 0);
                    }
                }
            }
            if !self.hold(Rule::NoteRestore) {
                known.restored.clear();
            }
        });
        Ok(answer)
    }
}

const fn world_start() -> crate::identity::Timestamp {
    super::state::START
}

fn edited(answer: &[u8], edit: impl FnOnce(&mut Answer)) -> Vec<u8> {
    let mut answer = Answer::decode(answer).unwrap();
    edit(&mut answer);
    let mut out = [0; MAX_ANSWER];
    let len = answer.encode(&mut out).unwrap();
    out[..len].to_vec()
}
