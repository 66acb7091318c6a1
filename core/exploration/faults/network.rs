//! What the vault may receive, and what may befall it.

use alloc::{format, rc::Rc, vec::Vec};

use super::device::Visit;
use super::state::{
    Excuse, Fault, Message, Reply, START, Setting, State, bits, id, ids, mask, may_hold, number,
    token,
};
use crate::rotation::message::CommitAnswer;
use crate::vault::Retention;
use crate::vault::readers::Readers;
use crate::vault::rules::{Context, Offer};
use crate::vault::state::{Candidates, Device, Held, Past, RuledOut};

/// A token that no message has.
const FRESH: [u8; 16] = [9; 16];

impl State {
    pub(super) fn vault_steps(&self, setting: &Setting, visit: &mut Visit<'_>) {
        if let Some(message) = self.latest {
            visit(self.arrive(setting, &message, true), &|| {
                format!("vault receives the latest {}", message.describe())
            });
        }
        for message in &self.old {
            visit(self.arrive(setting, message, false), &|| {
                format!("vault receives an OLD {}", message.describe())
            });
        }
        let living = self.machine.talk.token == Some(token(1))
            || !self.replies.is_empty()
            || !self.old.is_empty()
            || self.latest.is_some_and(|latest| latest.token == 1);
        let dead = |held, offers| Message {
            token: 0,
            may_hold: held,
            offers,
            ruled_out: 0,
            commit: 0,
            verified: false,
        };
        if living {
            visit(self.arrive(setting, &dead(1, 0), false), &|| {
                "vault receives an OLD check-in that adds nothing".into()
            });
        }
        for held in bits(self.dead_held & self.history()) {
            visit(self.arrive(setting, &dead(1 << held, 0), false), &|| {
                format!("vault receives an OLD check-in that may hold {held}")
            });
        }
        for offer in bits(self.dead_offered & !self.candidates()) {
            for held in [1, 1 << offer] {
                visit(self.arrive(setting, &dead(held, 1 << offer), false), &|| {
                    format!("vault receives an OLD offer of {offer}")
                });
            }
        }
        self.vault_faults(visit);
    }

    fn vault_faults(&self, visit: &mut Visit<'_>) {
        if self.has(Fault::OldVault) {
            match &self.copy {
                None => {
                    let mut next = self.clone();
                    next.copy = Some(self.vault.clone());
                    visit(next, &|| "copy the vault".into());
                }
                Some(copy) if copy.token != self.vault.token => {
                    let mut next = self.clone();
                    next.spend(Fault::OldVault);
                    next.vault = copy.clone();
                    next.copy = None;
                    next.excuse = Excuse::Anything;
                    next.replies.iter_mut().for_each(|reply| reply.outdated = true);
                    next.relabel(|code| u8::from(code == 2));
                    visit(next, &|| "the older VAULT is put back".into());
                }
                Some(_) => {}
            }
        }
        if self.has(Fault::Order) {
            let mut next = self.clone();
            next.spend(Fault::Order);
            let ids: Vec<_> = self.vault.iter().map(|held| held.id).collect();
            if next.vault.order(&ids, START, 0) {
                visit(next, &|| "ORDER to rotate".into());
            }
        }
    }

    /// One check-in reaches the vault.
    pub(super) fn arrive(&self, setting: &Setting, message: &Message, latest: bool) -> Self {
        let mut next = self.clone();
        let rules = &setting.rules;
        let mut check_in = message.check_in();
        if !rules.token {
            check_in.token = next.vault.token;
        }
        let live = check_in.token == next.vault.token;
        next.break_rules_before(setting, message, live);
        // What the device says about itself draws no token here: an old check-in that stays alive
        // is the greater danger.
        let mut device = Device::first_seen(check_in.account, None, START);
        device.managed.report.may_hold = check_in.may_hold;
        device.managed.report.likely = check_in.may_hold.ids;
        let held = |id| Held::new(id, u64::from(next.versions[usize::from(number(id))]));
        let offer = |id| Offer::new(held(id), check_in.account, None);
        let offers: Vec<Offer> = check_in.offers.iter().map(offer).collect();
        let before = next.vault.clone();
        device.managed.candidates = core::mem::take(&mut next.vault);
        // Nobody can open anything, and no time passes: both are the business of the exploration of
        // administrations.
        let readers = Readers { history: setting.history, ..Readers::default() };
        let context = Context { recent_seconds: 0, ..Context::new(&readers, START) };
        let verdict = device.check_in(&check_in, &offers, &context, &mut || Some(FRESH)).unwrap();
        next.vault = device.managed.candidates;
        // No rule of this exploration looks at these, and they must not draw tokens either.
        for held in next.vault.all_mut() {
            (held.confirmed, held.committed) = (true, true);
        }
        next.break_rules_after(setting, message, &before);
        if next.vault.token == Some(FRESH) {
            let copied = next.copy.as_ref().is_some_and(|copy| copy.token == Some(token(1)));
            next.relabel(|code| match code {
                1 if copied => 2,
                1 => 0,
                9 => 1,
                code => code,
            });
        }
        next.stored |= mask(&verdict.stored);
        if latest {
            let mut commit = match verdict.commit {
                None => 0,
                Some(CommitAnswer::Acknowledged) => 1,
                Some(CommitAnswer::Lacking) => 2,
                Some(CommitAnswer::StaleToken) => 3,
            };
            let not_current =
                next.vault.current.as_ref().is_none_or(|held| number(held.id) != message.commit);
            if !rules.acknowledge_lower && commit == 1 && not_current {
                commit = 0;
            }
            next.replies.push(Reply {
                token: 1,
                stored: mask(&verdict.stored),
                lacking: mask(&verdict.lacking),
                stale: mask(&verdict.refused.stale),
                full: mask(&verdict.refused.full),
                commit,
                highest: next.vault.highest_version,
                candidates: u8::try_from(next.vault.len()).unwrap(),
                orders: mask(&next.vault.orders_for(&may_hold(message.may_hold), START)),
                outdated: false,
            });
        }
        next
    }

    /// Renames the tokens after one was drawn or the older vault came back.
    fn relabel(&mut self, rename: impl Fn(u8) -> u8) {
        let new = |bytes: &mut Option<[u8; 16]>| {
            if let Some(bytes) = bytes {
                *bytes = token(rename(bytes[0]));
            }
        };
        new(&mut self.machine.talk.token);
        new(&mut self.vault.token);
        if let Some(copy) = &mut self.copy {
            new(&mut copy.token);
        }
        if let Some(machine) = self.image.as_mut().and_then(|image| image.memory.as_mut()) {
            new(&mut Rc::make_mut(machine).talk.token);
        }
        for reply in &mut self.replies {
            reply.token = rename(reply.token);
        }
        if let Some(latest) = &mut self.latest {
            latest.token = rename(latest.token);
        }
        for mut message in core::mem::take(&mut self.old) {
            message.token = rename(message.token);
            if message.token == 0 {
                self.dead_held |= message.may_hold & !1;
                self.dead_offered |= message.offers;
            } else {
                self.old.push(message);
            }
        }
        self.old.sort_unstable();
        self.old.dedup();
    }

    /// The broken vaults of the negative controls: each is the real one with one thing spoilt
    /// around it.
    fn break_rules_before(&mut self, setting: &Setting, message: &Message, live: bool) {
        let rules = &setting.rules;
        let vault = &mut self.vault;
        if !rules.keep_unverified {
            vault.history.iter_mut().for_each(|past| past.unverified = 0);
        }
        if !rules.ruled_out_last && live {
            let out = ids(message.ruled_out & !message.may_hold);
            let (gone, rest): (Vec<Held>, Vec<Held>) =
                vault.pending.drain(..).partition(|held| out.contains(held.id));
            vault.pending = rest;
            for held in gone {
                let mut past = past(held);
                past.ruled_out = RuledOut::Seen;
                vault.history.insert(0, past);
            }
            vault.history.truncate(usize::from(setting.history.count).max(1));
        }
        if !rules.pending_is_a_set && bits(message.offers).any(|new| vault.find(id(new)).is_none())
        {
            vault.pending.clear();
        }
        if !rules.refuse_stale && live && message.commit != 0 {
            // An older commit takes the place of a newer one.
            let older = vault.pending.iter().position(|held| held.id == id(message.commit));
            if let Some(at) = older
                && let Some(current) =
                    vault.current.take_if(|current| vault.pending[at].version < current.version)
            {
                vault.current = Some(vault.pending.remove(at));
                vault.history.insert(0, past(current));
            }
        }
    }

    fn break_rules_after(&mut self, setting: &Setting, message: &Message, before: &Candidates) {
        let rules = &setting.rules;
        let vault = &mut self.vault;
        if !rules.keep_unverified {
            vault.history.iter_mut().for_each(|past| past.unverified = 0);
            vault.history.truncate(2);
        }
        if !rules.bring_back {
            // What was in history stays there.
            let was = |held: &Held| before.history.iter().any(|past| past.held.id == held.id);
            let (back, rest): (Vec<Held>, Vec<Held>) = vault.pending.iter().cloned().partition(was);
            if message.commit == 0 {
                vault.pending = rest;
                vault.history.extend(back.into_iter().map(past));
                if *vault == (Candidates { token: vault.token, ..before.clone() }) {
                    vault.token = before.token;
                }
            }
        }
    }
}

const fn past(held: Held) -> Past {
    Past::new(held, START)
}

/// The retention of a run.
pub(super) const fn history(count: u16) -> Retention {
    Retention::count(count)
}
