//! The rules that a control breaks, to see that it is then caught. Each is broken around the real
//! machine and the real vault: what they are told before, and what is left of it afterwards. This
//! is the machine's half; [`super::broken`] has the vault's.

use crate::rotation::{AccountSeen, Applied, Rotation, Verified};
use crate::vault::Confirmation;

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
    /// A sealing that is imported stands beside the device's.
    KeepOriginal,
    /// The number of a sealing that is imported is the next one, and its readers are the active
    /// ones.
    NextSealing,
    /// A restored log is said to be restored.
    NoteRestore,
    /// An order from the future is due.
    FutureOrder,
    /// The outcome is reported in the same run.
    Report,
    /// An account's change stamp is kept across commits.
    KeepChangeStamp,
    /// The record that stays while nobody can open the current one was committed.
    ProtectCommitted,
    /// Any later commit fulfils an order for a removal, also one that names the reader again.
    RemovalEnds,
    /// A vault with many candidates takes another one.
    VaultRoom,
    /// The newest three that were ruled out on a word stay.
    ThreeOnWord,
    /// The coming reset is shown.
    ShowReset,
    /// What the latest report named is tried first.
    Likely,
    /// An import beside a device whose name differs only in case is refused.
    Names,
    /// What was current within thirty days is not evicted by count.
    KeepRecent,
    /// That a record names an active reader proves nothing.
    Unproven,
}

/// The rules of a run: all but these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    broken: [Option<Rule>; 3],
}

pub(super) const ALL: Rules = Rules { broken: [None; 3] };
/// This many candidates are sixteen, where [`Rule::Fold`] or [`Rule::VaultRoom`] is broken.
pub(super) const FULL: usize = 3;

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

    /// Whether none is broken.
    pub(super) fn all_hold(&self) -> bool {
        self.broken == ALL.broken
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
        if !self.hold(Rule::KeepChangeStamp)
            && let crate::rotation::machine::Step::Settled(settled) = &mut machine.step
        {
            settled.change_stamp = None;
        }
    }
}
