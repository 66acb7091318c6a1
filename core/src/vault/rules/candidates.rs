//! What offers, ruled-out ids and a commit make of an account's records (protocol §3.2 to §3.5).

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::identity::{RecordId, Timestamp};
use crate::rotation::message::CommitAnswer;
use crate::rotation::set::{IdSet, MayHold};

use super::super::state::{Candidates, Held, Past, RuledOut};
use super::{Context, PENDING_BYTES, Refused, VERSION_STEP, Verdict, retention};

impl Candidates {
    /// §3.2: records in history that the device may hold, or offers, are candidates again.
    pub(super) fn bring_back(&mut self, named: impl Fn(&Held) -> bool) {
        if !self.history.iter().any(|past| named(&past.held)) {
            return;
        }
        let (back, rest): (Vec<Past>, Vec<Past>) =
            core::mem::take(&mut self.history).into_iter().partition(|past| named(&past.held));
        self.history = rest;
        back.into_iter().for_each(|past| self.insert_pending(past.held));
    }

    /// §3.2, §3.5: offers only add.
    pub(super) fn take(
        &mut self,
        offers: &[&Held],
        may_hold: &MayHold,
        context: &Context<'_>,
        verdict: &mut Verdict,
    ) -> Result<(), Refused> {
        let is_held = |id: RecordId| may_hold.ids.contains(id);
        let known = self.iter().chain(offers.iter().copied()).filter(|held| is_held(held.id));
        let highest = known.map(|held| held.version).chain([self.highest_version]).max();
        let limit = highest.and_then(|highest| highest.checked_add(VERSION_STEP));
        let too_high =
            |offer: &Held| !is_held(offer.id) && limit.is_some_and(|limit| offer.version > limit);
        if offers.iter().any(|offer| too_high(offer) && !self.contains(offer.id)) {
            return Err(Refused::Version);
        }
        // Whether one of the passwords that the account may have now can be opened as it is.
        let readers = context.readers;
        let readable = self
            .iter()
            .filter(|held| may_hold.unknown || is_held(held.id))
            .chain(offers.iter().copied().filter(|offer| is_held(offer.id)))
            .any(|held| held.is_openable(readers));
        // From the lowest version up, so that none is stale because of another one beside it.
        let mut offers = offers.to_vec();
        offers.sort_unstable_by_key(|offer| (offer.version, offer.id));
        for offer in offers {
            let unreadable = readable && !offer.is_openable(readers);
            self.offer(offer, is_held(offer.id), unreadable, verdict);
        }
        Ok(())
    }

    /// What may be held is always taken. Of the rest a stale one is refused, one that nobody could
    /// open in the place of one that somebody can, and one for which there is no room.
    fn offer(&mut self, offer: &Held, is_held: bool, unreadable: bool, verdict: &mut Verdict) {
        let set = if self.contains(offer.id) {
            &mut verdict.stored
        } else if !is_held && offer.version <= self.highest_version {
            &mut verdict.refused.stale
        } else if !is_held && unreadable {
            &mut verdict.refused.unreadable
        } else if !is_held && self.is_full_for(offer) {
            &mut verdict.refused.full
        } else {
            self.insert_pending(offer.clone());
            self.highest_version = self.highest_version.max(offer.version);
            verdict.added.push(offer.id);
            &mut verdict.stored
        };
        // A check-in offers at most sixteen records, so there is room.
        let _ = set.insert(offer.id);
    }

    fn is_full_for(&self, offer: &Held) -> bool {
        let sealings = self.pending.iter().chain([offer]).flat_map(Held::sealings);
        let bytes = sealings.map(|sealing| u64::from(sealing.len));
        bytes.fold(0_u64, u64::saturating_add) > PENDING_BYTES
    }

    /// §3.9: from pending to the oldest end of history. Only with the current token, and never what
    /// the same check-in says it may hold.
    pub(super) fn rule_out(
        &mut self,
        ids: &IdSet,
        how: RuledOut,
        may_hold: &IdSet,
        now: Timestamp,
    ) {
        let out = |held: &Held| ids.contains(held.id) && !may_hold.contains(held.id);
        if how == RuledOut::Seen {
            let seen = |past: &&mut Past| past.ruled_out == RuledOut::OnWord && out(&past.held);
            self.history.iter_mut().filter(seen).for_each(|past| past.ruled_out = how);
        }
        if !self.pending.iter().any(out) {
            return;
        }
        let (mut gone, rest): (Vec<Held>, Vec<Held>) =
            core::mem::take(&mut self.pending).into_iter().partition(out);
        self.pending = rest;
        gone.sort_unstable_by_key(|held| Reverse((held.version, held.id)));
        let past = |held| Past { ruled_out: how, ..Past::new(held, now) };
        self.history.extend(gone.into_iter().map(past));
    }

    /// §3.3, §3.4.
    pub(super) fn commit(
        &mut self,
        id: RecordId,
        verified: bool,
        live: bool,
        context: &Context<'_>,
    ) -> CommitAnswer {
        if self.current.as_ref().is_some_and(|current| current.id == id) {
            return CommitAnswer::Acknowledged;
        }
        if !live {
            return CommitAnswer::StaleToken;
        }
        let Some(at) = self.pending.iter().position(|held| held.id == id) else {
            return CommitAnswer::Lacking;
        };
        let version = self.pending.get(at).map_or(0, |held| held.version);
        if self.current.as_ref().is_some_and(|current| version < current.version) {
            return CommitAnswer::Acknowledged;
        }
        let mut next = self.pending.remove(at);
        next.committed = true;
        let openable = next.is_openable(context.readers);
        let (mut out, rest): (Vec<Held>, Vec<Held>) =
            core::mem::take(&mut self.pending).into_iter().partition(|held| held.version < version);
        self.pending = rest;
        out.extend(self.current.replace(next));
        out.sort_unstable_by_key(|held| Reverse((held.version, held.id)));
        for past in &mut self.history {
            if !verified {
                past.unverified = if past.unverified == 1 { 2 } else { 0 };
            }
            if past.ruled_out == RuledOut::OnWord {
                past.ruled_out = RuledOut::Seen;
            }
        }
        let unverified = u8::from(!verified);
        let mut history: Vec<Past> = out
            .into_iter()
            .map(|held| Past { unverified, ..Past::new(held, context.now) })
            .collect();
        history.append(&mut self.history);
        self.history = history;
        if openable {
            retention::drop_displaced_originals(&mut self.history);
        }
        self.orders.retain(|order| version <= order.above);
        CommitAnswer::Acknowledged
    }

    fn insert_pending(&mut self, held: Held) {
        let key = |held: &Held| (held.version, held.id);
        let at = self.pending.partition_point(|other| key(other) < key(&held));
        self.pending.insert(at, held);
    }
}
