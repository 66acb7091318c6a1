//! Sets of ids in journals and messages.

use super::set::{IdSet, ReaderIds};
use crate::codec::{Buffer, Input, Output};

impl Output<Buffer<'_>> {
    /// A count of one byte, then the ids in increasing order.
    pub(super) fn ids(&mut self, ids: &IdSet) {
        self.u8(u8::try_from(ids.len()).unwrap_or(u8::MAX));
        for id in ids.iter() {
            self.id(id);
        }
    }

    /// A count of one byte, then the reader ids in increasing order.
    pub(super) fn readers(&mut self, ids: &ReaderIds) {
        self.u8(u8::try_from(ids.as_slice().len()).unwrap_or(u8::MAX));
        for id in ids.as_slice() {
            self.bytes(id);
        }
    }
}

impl Input<'_> {
    /// At most sixteen ids, strictly increasing.
    pub(super) fn ids(&mut self) -> Option<IdSet> {
        let count = self.u8()?;
        let mut set = IdSet::EMPTY;
        for _ in 0..count {
            let id = self.id()?;
            if set.as_slice().last().is_some_and(|last| *last >= id) {
                return None;
            }
            set.insert(id).ok()?;
        }
        Some(set)
    }

    /// At most sixteen reader ids, strictly increasing.
    pub(super) fn readers(&mut self) -> Option<ReaderIds> {
        let count = self.u8()?;
        let mut set = ReaderIds::EMPTY;
        for _ in 0..count {
            let id: [u8; 32] = self.array()?;
            if set.as_slice().last().is_some_and(|last| *last >= id) {
                return None;
            }
            set.insert(id).ok()?;
        }
        Some(set)
    }
}
