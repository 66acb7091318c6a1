//! Orders to rotate (protocol §3.6): made, given to the device, fulfilled by a later commit.

use alloc::vec::Vec;

use crate::identity::{RecordId, Timestamp};
use crate::rotation::set::{IdSet, MayHold};

use super::super::readers::Readers;
use super::super::state::{Candidates, Device, Held, Order};

impl Candidates {
    /// Orders end of which no record is a candidate any more: no device would obey them.
    pub(super) fn end_orders(&mut self) {
        let Self { current, pending, orders, .. } = self;
        orders.retain(|order| {
            current.iter().chain(&*pending).any(|held| order.ids.contains(&held.id))
        });
    }

    /// Orders the rotation of these records, this many seconds from now. False when an open order
    /// says as much already, so a deadline never moves to a later time; or when none of them is
    /// a candidate.
    pub fn order(&mut self, ids: &[RecordId], now: Timestamp, delay: u64) -> bool {
        let named: Vec<&Held> = self.iter().filter(|held| ids.contains(&held.id)).collect();
        let Some(above) = named.iter().map(|held| held.version).max() else { return false };
        let mut ids: Vec<RecordId> = named.iter().map(|held| held.id).collect();
        ids.sort_unstable();
        let order = Order { ids, above, made_at: now, delay };
        if self.orders.iter().any(|open| open.covers(&order, now)) {
            return false;
        }
        self.orders.retain(|open| !order.covers(open, now));
        self.orders.push(order);
        true
    }

    /// Orders the rotation of all that the account may hold, this many seconds from now.
    pub(crate) fn order_all(&mut self, now: Timestamp, delay: u64) -> bool {
        let ids: Vec<RecordId> = self.iter().map(|held| held.id).collect();
        self.order(&ids, now, delay)
    }

    /// The ids that the answer names: those of orders that are due and that the device may hold, or
    /// any of such orders when it does not know what it holds (§3.6). Empty: no order.
    pub(crate) fn orders_for(&self, may_hold: &MayHold, now: Timestamp) -> IdSet {
        let due = self.orders.iter().filter(|order| order.is_due(now));
        let ids = due.flat_map(|order| order.ids.iter().copied());
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

    /// When the earliest order is due that is for this device and not due yet.
    pub(crate) fn next_order_for(&self, may_hold: &MayHold, now: Timestamp) -> Option<Timestamp> {
        let obeyed = |order: &&Order| {
            may_hold.unknown || order.ids.iter().any(|id| may_hold.ids.contains(*id))
        };
        let later = self.orders.iter().filter(|order| !order.is_due(now)).filter(obeyed);
        later.map(Order::not_before).min()
    }
}

impl Device {
    /// Orders the rotation of these records, of whichever account. False when open orders say as
    /// much already.
    pub fn order(&mut self, ids: &[RecordId], now: Timestamp, delay: u64) -> bool {
        let mut ordered = false;
        for account in self.accounts_mut() {
            ordered |= account.candidates.order(ids, now, delay);
        }
        ordered
    }

    /// Orders the rotation of every password of which a kept sealing names this reader, of every
    /// account. False when there is none, or open orders say as much already.
    pub(crate) fn order_readable_by(
        &mut self,
        reader: &[u8; 32],
        readers: &Readers,
        now: Timestamp,
        delay: u64,
    ) -> bool {
        let mut ordered = false;
        for account in self.accounts_mut() {
            let named = account.candidates.iter().filter(|held| held.names(readers, reader));
            let ids: Vec<RecordId> = named.map(|held| held.id).collect();
            ordered |= account.candidates.order(&ids, now, delay);
        }
        ordered
    }
}

impl Order {
    /// Whether the other one asks for nothing more.
    fn covers(&self, other: &Self, now: Timestamp) -> bool {
        let earlier =
            self.is_due(now) || (!other.is_due(now) && self.not_before() <= other.not_before());
        earlier && other.above <= self.above && other.ids.iter().all(|id| self.ids.contains(id))
    }
}
