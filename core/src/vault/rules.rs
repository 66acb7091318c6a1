//! The rules of a check-in (protocol §3 and §4), on values alone: no store, no bytes, no clock.
//! [`Vault`](super::Vault) calls exactly these functions, so what an exploration shows about them
//! holds for the vault.
//!
//! | module | what it holds |
//! |---|---|
//! | this one | a check-in: which account, what is stored, refused, committed, answered |
//! | `rules::candidates` | what becomes of an account's records |
//! | `rules::report` | what of a report is believed |
//! | `rules::retention` | how long a displaced record stays |
//! | `rules::orders` | orders to rotate, given and fulfilled |
//! | `rules::administer` | readers and devices that come and go, imported sealings |

use alloc::vec::Vec;
use core::fmt;

use crate::account::{Sid, same_name};
use crate::identity::{AccountName, RecordId, Timestamp};
use crate::rotation::message::{Answer, AuditHead, CheckIn, CommitAnswer, Refusals};
use crate::rotation::set::{IdSet, MayHold, ReaderIds};

use super::readers::Readers;
use super::state::{Account, Candidates, Device, Held, MAX_FORMER, RuledOut};

mod administer;
mod candidates;
mod orders;
mod report;
mod retention;

pub use administer::{Loss, ResealRefused};
pub(in crate::vault) use retention::ON_WORD;
pub use retention::RECENT_SECONDS;

/// How far a version may stand above the highest that is known: more is no counting, and would use
/// the numbers up.
pub const VERSION_STEP: u64 = 1 << 32;

/// From how many bytes of pending records on an account has no room for another: 4 MiB.
pub(crate) const PENDING_BYTES: u64 = 4 << 20;

/// What a check-in depends on besides the device.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Context<'a> {
    /// The readers and settings of the scope.
    pub readers: &'a Readers,
    /// The vault's clock.
    pub now: Timestamp,
    /// The head that the device remembers, when it is not in the vault's log.
    pub unknown_head: Option<AuditHead>,
    /// For how many seconds what was current is not evicted by count; [`RECENT_SECONDS`], save
    /// where a model has no time.
    pub recent_seconds: u64,
}

impl<'a> Context<'a> {
    /// The readers and settings of a scope, and a time.
    #[must_use]
    pub const fn new(readers: &'a Readers, now: Timestamp) -> Self {
        Self { readers, now, unknown_head: None, recent_seconds: RECENT_SECONDS }
    }
}

/// A record that a check-in offers, with the account that its header names.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Offer {
    /// The record.
    pub held: Held,
    /// The account that it is for.
    pub account: AccountName,
    /// Its SID.
    pub sid: Option<Sid>,
}

impl Offer {
    /// A record for an account.
    #[must_use]
    pub const fn new(held: Held, account: AccountName, sid: Option<Sid>) -> Self {
        Self { held, account, sid }
    }
}

/// What the rules decided about one check-in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// Offers that the vault has.
    pub stored: IdSet,
    /// Ids of the may-hold set and of the commit that it has not.
    pub lacking: IdSet,
    /// Offers that it does not take.
    pub refused: Refusals,
    /// What became of the commit.
    pub commit: Option<CommitAnswer>,
    /// Offers that it did not have before. Their bytes must be stored, and their parents noted.
    pub added: Vec<RecordId>,
    /// The token of the account now.
    pub token: [u8; 16],
    /// The highest version that was ever stored of the account.
    pub highest_version: u64,
    /// How many candidates the account has.
    pub candidates: u32,
    /// The records that are to be replaced now.
    pub orders: IdSet,
    /// When the next order is due that is not due yet.
    pub order_at: Option<Timestamp>,
    /// Readers that were removed and that the latest offer of this account names.
    pub removed_readers: ReaderIds,
    /// Where the log of a copy ended, when the device remembers a head that was lost with a
    /// restore.
    pub restored: Option<u64>,
    /// Whether the check-in carried the current token.
    pub live: bool,
    /// Whether what it says about the device was taken over.
    pub believed: bool,
    /// Whether anything but the time of the last check-in changed; if so, a new token was drawn.
    pub changed: bool,
    /// Whether another account has the name of the managed one.
    pub sid_changed: bool,
    /// Whether another account is managed than before.
    pub turned: bool,
    /// Whether the device offers a record that names a removed reader, and the one before did not.
    pub newly_stale: bool,
    /// Whether the device had been retired.
    pub came_back: bool,
}

impl Verdict {
    /// The answer to this check-in.
    #[must_use]
    pub const fn answer(
        &self,
        message: &CheckIn,
        audit_at: Option<[u8; 32]>,
        audit: AuditHead,
    ) -> Answer {
        let mut answer = Answer::new(message.nonce, self.token, audit);
        answer.stored = self.stored;
        answer.lacking = self.lacking;
        answer.refused = self.refused;
        answer.commit = self.commit;
        answer.highest_version = self.highest_version;
        answer.candidates = self.candidates;
        answer.orders = self.orders;
        answer.order_at = self.order_at;
        answer.removed_readers = self.removed_readers;
        answer.audit_at = audit_at;
        answer.restored = self.restored;
        answer
    }
}

/// Why a check-in was not taken. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refused {
    /// The random source gave no token, or the same one again.
    NoToken,
    /// An offer's version is more than [`VERSION_STEP`] above everything that is known, and the
    /// account cannot hold it.
    Version,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoToken => "no fresh token could be drawn",
            Self::Version => "a version is more than 2^32 above every one that is known",
        })
    }
}

impl core::error::Error for Refused {}

impl Device {
    /// One check-in. `offers` are the offered records; `draw` draws a token and is called
    /// if and only if one is due. Nothing is changed when it fails.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check_in(
        &mut self,
        message: &CheckIn,
        offers: &[Offer],
        context: &Context<'_>,
        draw: &mut dyn FnMut() -> Option<[u8; 16]>,
    ) -> Result<Verdict, Refused> {
        let (next, verdict) = self.after_check_in(message, offers, context, draw)?;
        *self = next;
        Ok(verdict)
    }

    /// What a check-in makes of the device.
    pub(super) fn after_check_in(
        &self,
        message: &CheckIn,
        offers: &[Offer],
        context: &Context<'_>,
        draw: &mut dyn FnMut() -> Option<[u8; 16]>,
    ) -> Result<(Self, Verdict), Refused> {
        let mut next = self.clone();
        let mut verdict = Verdict::default();
        let place = next.place(&message.account, message.sid, context);
        let account = next.account_mut(place);
        let (ours, others): (Vec<&Offer>, Vec<&Offer>) =
            offers.iter().partition(|offer| account.is(&offer.account, offer.sid));
        account.check_in(message, &ours, place > 0, context, &mut verdict)?;
        for offer in others {
            next.take_of_another(offer, context, &mut verdict)?;
        }
        let before = self.managed.name;
        let place = next.place(&message.account, message.sid, context);
        let sid = next.account_mut(place).sid;
        if verdict.believed && verdict.live && place > 0 {
            let same = same_name(before.as_str(), message.account.as_str());
            verdict.sid_changed = same && sid != self.managed.sid;
            verdict.turned = true;
            next.manage(place);
        }
        if next.about.retired.take().is_some() {
            verdict.came_back = true;
        }
        next.about.unknown_head = context.unknown_head;
        verdict.restored =
            context.unknown_head.and_then(|head| context.readers.restored_before(head.length));
        verdict.changed = next != *self;
        let place = next.place(&message.account, message.sid, context);
        let account = next.account_mut(place);
        // §3.3: the token is kept if and only if the check-in carries it and changes nothing.
        if verdict.changed || !verdict.live {
            let token = draw().ok_or(Refused::NoToken)?;
            if account.candidates.token == Some(token) {
                return Err(Refused::NoToken);
            }
            account.candidates.token = Some(token);
        }
        account.answer(message, context, &mut verdict);
        Ok((next, verdict))
    }

    /// Where the account of that name and SID stands: 0 for the managed one, then the former ones.
    /// One that is not there is added.
    fn place(&mut self, name: &AccountName, sid: Option<Sid>, context: &Context<'_>) -> usize {
        let by_sid = self.accounts().position(|account| sid.is_some() && account.sid == sid);
        let found = by_sid.or_else(|| self.accounts().position(|account| account.is(name, sid)));
        found.unwrap_or_else(|| {
            if self.managed.is_blank() {
                self.managed = Account::new(*name, sid, context.now);
                return 0;
            }
            if self.former.len() >= MAX_FORMER {
                self.former.pop();
            }
            self.former.insert(0, Account::new(*name, sid, context.now));
            1
        })
    }

    fn account_mut(&mut self, place: usize) -> &mut Account {
        match place.checked_sub(1).and_then(|at| self.former.get_mut(at)) {
            Some(account) => account,
            None => &mut self.managed,
        }
    }

    /// The account in this place is the managed one from now on. A check-in of the one before it,
    /// should it still arrive, carries no token that counts.
    fn manage(&mut self, place: usize) {
        let Some(at) = place.checked_sub(1).filter(|at| *at < self.former.len()) else { return };
        let mut before = core::mem::replace(&mut self.managed, self.former.remove(at));
        before.candidates.token = None;
        self.former.insert(0, before);
    }

    /// A record that the vault lacked of an account which the device has turned from.
    fn take_of_another(
        &mut self,
        offer: &Offer,
        context: &Context<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Refused> {
        let place = self.place(&offer.account, offer.sid, context);
        let account = self.account_mut(place);
        account.learn(&offer.account, offer.sid);
        let may_hold = MayHold::new(IdSet::EMPTY, account.report.may_hold.unknown);
        account.candidates.take(&[&offer.held], &may_hold, context, verdict)
    }
}

impl Account {
    /// Whether nothing is known of it: a device that was made before its first check-in.
    fn is_blank(&self) -> bool {
        self.name.is_empty() && self.candidates == Candidates::default()
    }

    /// §3.3, the order inside one check-in: token, may-hold set, offers, ruled-out ids, commit,
    /// outcome. The token itself is drawn by the caller.
    fn check_in(
        &mut self,
        message: &CheckIn,
        offers: &[&Offer],
        is_former: bool,
        context: &Context<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Refused> {
        let candidates = &mut self.candidates;
        verdict.live = message.token.is_some() && message.token == candidates.token;
        let may_hold = &message.may_hold.ids;
        // Where the answer to a commit was lost, it comes again: what it displaced is over.
        let committed = message.commit.map(|commit| commit.id);
        let again = candidates.current.as_ref().filter(|current| committed == Some(current.id));
        let again = again.map(|current| current.version);
        let offered = |id| message.offers.contains(id);
        let over = |held: &Held| again.is_some_and(|version| held.version < version);
        candidates.bring_back(|held| offered(held.id) || may_hold.contains(held.id) && !over(held));
        let held: Vec<&Held> = offers.iter().map(|offer| &offer.held).collect();
        candidates.take(&held, &message.may_hold, context, verdict)?;
        for named in candidates.all_mut() {
            named.confirmed |= may_hold.contains(named.id) || committed == Some(named.id);
        }
        let is_over = |id| candidates.find(id).is_some_and(over);
        for id in may_hold.iter().filter(|id| !candidates.contains(*id) && !is_over(*id)) {
            // A may-hold set has at most sixteen ids, so there is room.
            let _ = verdict.lacking.insert(id);
        }
        if verdict.live {
            candidates.rule_out(&message.ruled_out, RuledOut::Seen, may_hold, context.now);
            candidates.rule_out(
                &message.ruled_out_on_word,
                RuledOut::OnWord,
                may_hold,
                context.now,
            );
        }
        match message.commit {
            Some(commit) => {
                let answer = candidates.commit(commit.id, commit.verified, verdict.live, context);
                verdict.commit = Some(answer);
                if answer == CommitAnswer::Lacking {
                    let _ = verdict.lacking.insert(commit.id);
                }
            }
            // A restored copy, or a purge, forgot that it was committed: the device, which knows,
            // has no reason to commit it again.
            None => {
                if let Some(id) = message.may_hold.only().filter(|_| verdict.live) {
                    candidates.commit(id, true, true, context);
                }
            }
        }
        candidates.trim(context);
        candidates.end_orders();
        self.take_report(message, offers, is_former, context.readers, verdict);
        Ok(())
    }

    /// What the answer says about this account.
    fn answer(&self, message: &CheckIn, context: &Context<'_>, verdict: &mut Verdict) {
        let candidates = &self.candidates;
        verdict.token = candidates.token.unwrap_or_default();
        verdict.highest_version = candidates.highest_version;
        // Where none was committed, the account may have a password that was there before.
        let before = usize::from(candidates.current.is_none());
        let count = candidates.len().saturating_add(before);
        verdict.candidates = u32::try_from(count).unwrap_or(u32::MAX);
        verdict.orders = candidates.orders_for(&message.may_hold, context.now);
        verdict.order_at = candidates.next_order_for(&message.may_hold, context.now);
        verdict.removed_readers = self.removed_readers(context.readers);
    }

    /// Readers that were removed and that the latest offer names, as it was offered.
    #[must_use]
    pub fn removed_readers(&self, readers: &Readers) -> ReaderIds {
        let mut removed = ReaderIds::EMPTY;
        let offered = self.report.offered.as_ref().map_or(&[][..], |list| readers.ids(list));
        for id in offered.iter().filter(|id| readers.is_removed(id)) {
            // A record names at most sixteen readers, so there is room.
            let _ = removed.insert(*id);
        }
        removed
    }
}

#[cfg(test)]
mod tests;
