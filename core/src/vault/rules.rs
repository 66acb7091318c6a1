//! The rules of a check-in (protocol §3), on values alone: no store, no bytes, no clock. [`Vault`](super::Vault) calls
//! exactly this function for every check-in, so what an exploration shows about it holds for the vault.

use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::identity::{RecordId, Timestamp};
use crate::rotation::message::{AuditHead, CheckIn, CommitAnswer, Refusals};
use crate::rotation::set::{IdSet, MAX_IDS, MayHold};

use super::state::{About, Candidates, Device, Held, HistorySetting, Order, Past};

/// What a check-in depends on besides the device.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Surroundings {
    /// How much history is kept.
    pub history: HistorySetting,
    /// The vault's clock.
    pub now: Timestamp,
    /// The head that the device remembers, when it is not in the vault's trail.
    pub foreign_head: Option<AuditHead>,
}

impl Surroundings {
    /// A history setting and a time.
    #[must_use]
    pub const fn new(history: HistorySetting, now: Timestamp) -> Self {
        Self { history, now, foreign_head: None }
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
    /// Offers that it did not have before. Their bytes must be stored, and their predecessors remembered.
    pub added: Vec<RecordId>,
    /// Records that fell out of history. Their bytes can go.
    pub removed: Vec<Held>,
    /// Whether the check-in carried the current token.
    pub live: bool,
    /// Whether anything but the time of the last check-in changed; if so, a new token was drawn.
    pub changed: bool,
    /// Whether the SID of the account changed.
    pub sid_changed: bool,
    /// Whether the device had been retired.
    pub came_back: bool,
}

/// The random source gave no token, or the same one again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NoToken;

impl Device {
    /// One check-in. `offers` are the offered records; `draw` draws a token and is called
    /// if and only if one is due. Nothing is changed when it fails. Orders are given in the answer, by
    /// [`Candidates::orders_for`].
    ///
    /// # Errors
    /// [`NoToken`] when no fresh token could be drawn.
    pub fn check_in(
        &mut self,
        message: &CheckIn,
        offers: &[Held],
        surroundings: Surroundings,
        draw: &mut dyn FnMut() -> Option<[u8; 16]>,
    ) -> Result<Verdict, NoToken> {
        let mut next = self.clone();
        let mut verdict = next.candidates.check_in(message, offers, surroundings);
        next.about.report(message, &mut verdict);
        next.about.foreign_head = surroundings.foreign_head;
        verdict.changed = next != *self;
        // §3.3: the token is kept if and only if the check-in carries it and changes nothing.
        if verdict.changed || !verdict.live {
            let token = draw().ok_or(NoToken)?;
            if next.candidates.token == Some(token) {
                return Err(NoToken);
            }
            next.candidates.token = Some(token);
        }
        *self = next;
        Ok(verdict)
    }
}

impl About {
    /// Takes over what the device says about itself. A message without the current token may be an old one: it is believed
    /// only when its last outcome is no older than the one that is known.
    fn report(&mut self, message: &CheckIn, verdict: &mut Verdict) {
        if self.retired.take().is_some() {
            verdict.came_back = true;
        }
        let older = message.last.map(|last| last.at) < self.outcome.map(|last| last.at);
        if older && !verdict.live {
            return;
        }
        verdict.sid_changed = match (self.sid, message.sid) {
            (Some(before), Some(now)) => before != now,
            _ => false,
        };
        self.account = message.account;
        self.sid = message.sid.or(self.sid);
        // With a commit, a check-in says what holds once that is acknowledged. Until then its due date and outcome are not true.
        match message.commit {
            Some(commit) if verdict.commit == Some(CommitAnswer::Acknowledged) => {
                self.may_hold = MayHold::exactly(commit.id);
            }
            Some(_) => {
                self.may_hold = message.may_hold;
                return;
            }
            None => self.may_hold = message.may_hold,
        }
        self.due = message.due;
        self.outcome = message.last.or(self.outcome);
    }
}

impl Candidates {
    /// §3.3, the order inside one check-in: token, may-hold set, offers, ruled-out ids, commit. The token itself is drawn by
    /// the caller.
    fn check_in(
        &mut self,
        message: &CheckIn,
        offers: &[Held],
        Surroundings { history, now, .. }: Surroundings,
    ) -> Verdict {
        let live = message.token.is_some() && message.token == self.token;
        let mut verdict = Verdict { live, ..Verdict::default() };
        let may_hold = &message.may_hold.ids;
        self.bring_back(|id| may_hold.contains(id) || message.offers.contains(id));
        // From the lowest version up, so that none is stale because of another one beside it.
        let mut offers: Vec<&Held> = offers.iter().collect();
        offers.sort_unstable_by_key(|offer| (offer.version, offer.id));
        for offer in offers {
            self.offer(offer, may_hold.contains(offer.id), &mut verdict);
        }
        for id in may_hold.iter().filter(|id| !self.contains(*id)) {
            // A may-hold set has at most sixteen ids, so there is room.
            let _ = verdict.lacking.insert(id);
        }
        if live {
            self.rule_out(&message.ruled_out, may_hold, now);
        }
        if let Some(commit) = message.commit {
            verdict.commit = Some(self.commit(commit.id, commit.verified, live, now));
            if verdict.commit == Some(CommitAnswer::Lacking) {
                let _ = verdict.lacking.insert(commit.id);
            }
        }
        verdict.removed = self.trim(history, now);
        verdict
    }

    /// §3.2: records in history that the device may hold, or offers, are candidates again.
    fn bring_back(&mut self, named: impl Fn(RecordId) -> bool) {
        let (back, rest): (Vec<Past>, Vec<Past>) =
            self.history.iter().partition(|past| named(past.held.id));
        if !back.is_empty() {
            self.history = rest;
            back.iter().for_each(|past| self.insert_pending(past.held));
        }
    }

    /// §3.2, §3.5: an offer only adds. A stale one is refused, and one for which there is no room.
    fn offer(&mut self, offer: &Held, may_hold: bool, verdict: &mut Verdict) {
        let set = if self.contains(offer.id) {
            &mut verdict.stored
        } else if !may_hold && offer.version <= self.highest_version {
            &mut verdict.refused.stale
        } else if self.len() >= MAX_IDS {
            &mut verdict.refused.full
        } else {
            self.insert_pending(*offer);
            self.highest_version = self.highest_version.max(offer.version);
            verdict.added.push(offer.id);
            &mut verdict.stored
        };
        // A check-in offers at most sixteen records, so there is room.
        let _ = set.insert(offer.id);
    }

    /// §3.9: from pending to the oldest end of history. Only with the current token, and never what the same check-in says
    /// it may hold.
    fn rule_out(&mut self, ruled_out: &IdSet, may_hold: &IdSet, now: Timestamp) {
        let out = |held: &Held| ruled_out.contains(held.id) && !may_hold.contains(held.id);
        let (mut gone, rest): (Vec<Held>, Vec<Held>) =
            self.pending.iter().partition(|held| out(held));
        if gone.is_empty() {
            return;
        }
        self.pending = rest;
        gone.sort_unstable_by_key(|held| Reverse((held.version, held.id)));
        self.history.extend(gone.into_iter().map(|held| Past {
            held,
            displaced_at: now,
            unverified: 0,
            ruled_out: true,
        }));
    }

    /// §3.3, §3.4.
    fn commit(&mut self, id: RecordId, verified: bool, live: bool, now: Timestamp) -> CommitAnswer {
        if self.current.is_some_and(|current| current.id == id) {
            return CommitAnswer::Acknowledged;
        }
        if !live {
            return CommitAnswer::StaleToken;
        }
        let Some(next) = self.pending.iter().find(|held| held.id == id).copied() else {
            return CommitAnswer::Lacking;
        };
        if self.current.is_some_and(|current| next.version < current.version) {
            return CommitAnswer::Acknowledged;
        }
        let (mut out, rest): (Vec<Held>, Vec<Held>) = self
            .pending
            .iter()
            .filter(|held| held.id != id)
            .partition(|held| held.version < next.version);
        self.pending = rest;
        out.extend(self.current.replace(next));
        out.sort_unstable_by_key(|held| Reverse((held.version, held.id)));
        if !verified {
            for past in &mut self.history {
                past.unverified = if past.unverified == 1 { 2 } else { 0 };
            }
        }
        let unverified = u8::from(!verified);
        let mut history: Vec<Past> = out
            .into_iter()
            .map(|held| Past { held, displaced_at: now, unverified, ruled_out: false })
            .collect();
        history.append(&mut self.history);
        self.history = history;
        self.orders.retain(|order| next.version <= order.above);
        CommitAnswer::Acknowledged
    }

    /// Cuts the history to its setting. What the last two unverified commits displaced stays (§3.4); what was ruled out
    /// stands behind everything else and goes first (§3.9).
    pub(super) fn trim(&mut self, setting: HistorySetting, now: Timestamp) -> Vec<Held> {
        let unverified = self.history.iter().any(|past| past.unverified > 0);
        let least = if unverified { 2 } else { 1 };
        let count = usize::from(setting.count).max(least);
        let young = |past: &Past| {
            setting.days.is_some_and(|days| {
                now.seconds_since(past.displaced_at) < u64::from(days).saturating_mul(86_400)
            })
        };
        let mut removed = Vec::new();
        let mut place = 0_usize;
        self.history.retain(|past| {
            let keep = place < count || past.unverified > 0 || (!past.ruled_out && young(past));
            place = place.saturating_add(1);
            if !keep {
                removed.push(past.held);
            }
            keep
        });
        removed
    }

    fn insert_pending(&mut self, held: Held) {
        let key = |held: &Held| (held.version, held.id);
        let at = self.pending.partition_point(|other| key(other) < key(&held));
        self.pending.insert(at, held);
    }

    /// Orders the rotation of these records, from `not_before` on (§3.6). False when an open order says as much already, or
    /// none of them is a candidate.
    pub fn order(&mut self, ids: &[RecordId], request: u64, not_before: Timestamp) -> bool {
        let named: Vec<Held> = self.iter().filter(|held| ids.contains(&held.id)).copied().collect();
        let Some(above) = named.iter().map(|held| held.version).max() else { return false };
        let mut ids: Vec<RecordId> = named.iter().map(|held| held.id).collect();
        ids.sort_unstable();
        let order = Order { request, ids, above, not_before };
        if self.orders.iter().any(|open| open.covers(&order)) {
            return false;
        }
        self.orders.retain(|open| !order.covers(open));
        self.orders.push(order);
        true
    }

    /// The ids that the answer names: those of open orders that the device may hold, or any of open orders when it does not
    /// know what it holds (§3.6). Empty: no order.
    #[must_use]
    pub fn orders_for(&self, may_hold: &MayHold, now: Timestamp) -> IdSet {
        let open = self.orders.iter().filter(|order| order.not_before <= now);
        let ids = open.flat_map(|order| order.ids.iter().copied());
        let held = ids.clone().filter(|id| may_hold.ids.contains(*id));
        let (mut set, _) = IdSet::collect_first(held);
        if may_hold.unknown {
            // As many as have room: one is enough to be obeyed.
            for id in ids {
                let _ = set.insert(id);
            }
        }
        set
    }
}

impl Order {
    /// Whether the other one asks for nothing more.
    fn covers(&self, other: &Self) -> bool {
        self.not_before <= other.not_before
            && other.above <= self.above
            && other.ids.iter().all(|id| self.ids.contains(id))
    }
}

#[cfg(test)]
mod tests;
