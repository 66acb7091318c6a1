//! Small sets of record ids, inline and sorted.

use core::fmt;

use crate::identity::RecordId;

/// The most ids in one set, and the most candidates that the vault keeps for one device
/// (protocol §1.2, §2.10).
pub const MAX_IDS: usize = 16;

/// At most sixteen record ids, in increasing order.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct IdSet {
    // Unused places are zero, so that the derived comparison is that of the sets.
    ids: [RecordId; MAX_IDS],
    len: u8,
}

impl IdSet {
    /// No id.
    pub const EMPTY: Self = Self { ids: [RecordId::from_bytes([0; 16]); MAX_IDS], len: 0 };

    /// A set with one id.
    #[must_use]
    pub const fn one(id: RecordId) -> Self {
        let mut ids = Self::EMPTY.ids;
        let [first, ..] = &mut ids;
        *first = id;
        Self { ids, len: 1 }
    }

    /// The ids, in increasing order.
    #[must_use]
    pub fn as_slice(&self) -> &[RecordId] {
        self.ids.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The ids, in increasing order.
    pub fn iter(&self) -> impl Iterator<Item = RecordId> + '_ {
        self.as_slice().iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether no other id has room.
    #[must_use]
    pub(crate) const fn is_full(&self) -> bool {
        self.len() >= MAX_IDS
    }

    /// Whether it holds this id.
    #[must_use]
    pub fn contains(&self, id: RecordId) -> bool {
        self.as_slice().binary_search(&id).is_ok()
    }

    /// Whether it has an id in common with the other.
    #[must_use]
    pub(crate) fn intersects(&self, other: &Self) -> bool {
        self.iter().any(|id| other.contains(id))
    }

    /// Adds an id; adding one that is there changes nothing.
    ///
    /// # Errors
    /// [`SetFull`] when it holds sixteen others.
    pub fn insert(&mut self, id: RecordId) -> Result<(), SetFull> {
        let Err(at) = self.as_slice().binary_search(&id) else { return Ok(()) };
        if self.is_full() {
            return Err(SetFull);
        }
        self.len = self.len.saturating_add(1);
        let used = usize::from(self.len);
        if let Some(tail) = self.ids.get_mut(at..used) {
            tail.rotate_right(1);
            if let Some(place) = tail.first_mut() {
                *place = id;
            }
        }
        Ok(())
    }

    /// Removes an id; says whether it was there.
    pub fn remove(&mut self, id: RecordId) -> bool {
        let Ok(at) = self.as_slice().binary_search(&id) else { return false };
        if let Some(tail) = self.ids.get_mut(at..usize::from(self.len)) {
            tail.rotate_left(1);
            if let Some(place) = tail.last_mut() {
                *place = RecordId::from_bytes([0; 16]);
            }
        }
        self.len = self.len.saturating_sub(1);
        true
    }

    /// The first ids of an iterator, as many as have room. Says whether all had.
    #[must_use]
    pub fn collect_first(ids: impl IntoIterator<Item = RecordId>) -> (Self, bool) {
        let mut set = Self::EMPTY;
        let mut all = true;
        for id in ids {
            all &= set.insert(id).is_ok();
        }
        (set, all)
    }
}

impl Default for IdSet {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Debug for IdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.as_slice()).finish()
    }
}

/// Record ids in the order of their age, the oldest first; at most `N`, and none twice.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(super) struct ByAge<const N: usize> {
    // Unused places are zero, so that the derived comparison is that of the lists.
    ids: [RecordId; N],
    len: u8,
}

impl<const N: usize> ByAge<N> {
    pub(super) const EMPTY: Self = Self { ids: [RecordId::from_bytes([0; 16]); N], len: 0 };

    pub(super) fn as_slice(&self) -> &[RecordId] {
        self.ids.get(..self.len()).unwrap_or_default()
    }

    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len() >= N
    }

    pub(super) fn contains(&self, id: RecordId) -> bool {
        self.as_slice().contains(&id)
    }

    /// The same ids, without their order.
    pub(super) fn set(&self) -> IdSet {
        IdSet::collect_first(self.as_slice().iter().copied()).0
    }

    /// Adds the youngest; one that is there keeps its place.
    ///
    /// # Errors
    /// [`SetFull`] when there is no room.
    pub(super) fn push(&mut self, id: RecordId) -> Result<(), SetFull> {
        if self.contains(id) {
            return Ok(());
        }
        let place = self.ids.get_mut(usize::from(self.len)).ok_or(SetFull)?;
        *place = id;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// Adds the youngest; when there is no room the oldest makes room.
    pub(super) fn push_out(&mut self, id: RecordId) {
        if let Some(oldest) = self.as_slice().first().copied().filter(|_| self.is_full())
            && !self.contains(id)
        {
            self.remove(oldest);
        }
        // There is room now.
        let _ = self.push(id);
    }

    /// Removes an id; says whether it was there.
    pub(super) fn remove(&mut self, id: RecordId) -> bool {
        let Some(at) = self.as_slice().iter().position(|held| *held == id) else { return false };
        if let Some(tail) = self.ids.get_mut(at..usize::from(self.len)) {
            tail.rotate_left(1);
            if let Some(place) = tail.last_mut() {
                *place = RecordId::from_bytes([0; 16]);
            }
        }
        self.len = self.len.saturating_sub(1);
        true
    }
}

impl<const N: usize> fmt::Debug for ByAge<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// At most sixteen ids of readers (protocol §4.2), in increasing order.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ReaderIds {
    // Unused places are zero, so that the derived comparison is that of the sets.
    ids: [[u8; 32]; MAX_IDS],
    len: u8,
}

impl ReaderIds {
    /// No id.
    pub const EMPTY: Self = Self { ids: [[0; 32]; MAX_IDS], len: 0 };

    /// The ids, in increasing order.
    #[must_use]
    pub fn as_slice(&self) -> &[[u8; 32]] {
        self.ids.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an id; adding one that is there changes nothing.
    ///
    /// # Errors
    /// [`SetFull`] when it holds sixteen others.
    pub(crate) fn insert(&mut self, id: [u8; 32]) -> Result<(), SetFull> {
        let Err(at) = self.as_slice().binary_search(&id) else { return Ok(()) };
        if usize::from(self.len) >= MAX_IDS {
            return Err(SetFull);
        }
        self.len = self.len.saturating_add(1);
        if let Some(tail) = self.ids.get_mut(at..usize::from(self.len)) {
            tail.rotate_right(1);
            if let Some(place) = tail.first_mut() {
                *place = id;
            }
        }
        Ok(())
    }
}

impl Default for ReaderIds {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Debug for ReaderIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.as_slice()).finish()
    }
}

/// The set holds sixteen ids already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SetFull;

impl fmt::Display for SetFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the set holds sixteen ids already")
    }
}

impl core::error::Error for SetFull {}

/// The records whose password the account may have right now (protocol §1.2). Never empty without
/// `unknown`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct MayHold {
    /// The records.
    pub ids: IdSet,
    /// Whether it may also be a password that none of these records holds: before the first
    /// commit, after a lost journal, after the account was missing or changed by somebody
    /// else, and when the oldest of more than sixteen records had to leave the journal.
    pub unknown: bool,
}

impl MayHold {
    /// Nothing is known: no journal, no commit yet.
    pub const UNKNOWN: Self = Self { ids: IdSet::EMPTY, unknown: true };

    /// From its parts.
    #[must_use]
    pub(crate) const fn new(ids: IdSet, unknown: bool) -> Self {
        Self { ids, unknown }
    }

    /// Exactly this record.
    #[must_use]
    pub const fn exactly(id: RecordId) -> Self {
        Self { ids: IdSet::one(id), unknown: false }
    }

    /// The record, where it is certain to be this one.
    #[must_use]
    #[cfg(feature = "vault")]
    pub(crate) fn only(&self) -> Option<RecordId> {
        let (only, rest) = self.ids.as_slice().split_first()?;
        (rest.is_empty() && !self.unknown).then_some(*only)
    }

    /// Whether more than one password is possible, which is a reason to rotate (protocol §2.10).
    #[must_use]
    #[cfg(feature = "vault")]
    pub(crate) const fn is_uncertain(&self) -> bool {
        self.unknown || self.ids.len() > 1
    }

    /// Whether an order to replace these records is for this device (protocol §3.6): a set with
    /// "unknown" obeys every order.
    #[must_use]
    pub(crate) fn obeys(&self, ordered: &IdSet) -> bool {
        !ordered.is_empty() && (self.unknown || self.ids.intersects(ordered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> RecordId {
        RecordId::from_bytes([byte; 16])
    }

    #[test]
    fn a_set_stays_sorted_and_bounded_under_any_order_of_changes() {
        let mut set = IdSet::EMPTY;
        for byte in [7, 3, 9, 3, 1] {
            set.insert(id(byte)).unwrap();
        }
        assert_eq!(set.as_slice(), [id(1), id(3), id(7), id(9)]);
        assert!(set.remove(id(3)) && !set.remove(id(3)));
        assert_eq!(set, IdSet::collect_first([id(9), id(1), id(7)]).0);
        for byte in 100..113 {
            set.insert(id(byte)).unwrap();
        }
        assert!(set.is_full());
        assert_eq!(set.insert(id(50)), Err(SetFull));
        assert_eq!(set.insert(id(100)), Ok(()));
        assert_eq!(set.len(), 16);
        assert!(!IdSet::collect_first((0..17).map(id)).1);
    }

    #[test]
    fn a_list_by_age_keeps_its_order_and_the_oldest_makes_room() {
        let mut list = ByAge::<3>::EMPTY;
        for byte in [7, 3, 9, 7] {
            list.push(id(byte)).unwrap();
        }
        assert_eq!(list.as_slice(), [id(7), id(3), id(9)]);
        assert_eq!(list.push(id(1)), Err(SetFull));
        list.push_out(id(1));
        list.push_out(id(9));
        assert_eq!(list.as_slice(), [id(3), id(9), id(1)]);
        assert!(list.remove(id(9)) && !list.remove(id(9)));
        assert_eq!(list.set(), IdSet::collect_first([id(1), id(3)]).0);
    }

    #[test]
    fn an_order_is_obeyed_when_it_names_a_record_that_may_be_held_or_nothing_is_known() {
        let ordered = IdSet::collect_first([id(1), id(2)]).0;
        assert!(MayHold::exactly(id(2)).obeys(&ordered));
        assert!(!MayHold::exactly(id(3)).obeys(&ordered));
        assert!(MayHold::UNKNOWN.obeys(&ordered));
        assert!(!MayHold::UNKNOWN.obeys(&IdSet::EMPTY));
    }
}
