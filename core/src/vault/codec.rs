//! How a store writes down what the vault keeps about a device, and about the readers of a scope.

use alloc::vec::Vec;

use crate::account::Sid;
use crate::rotation::event::{Directory, EventKind, Outcome, Reason};
use crate::rotation::message::AuditHead;
use crate::rotation::set::{IdSet, MayHold};

use super::bytes::{In, Out};
use super::readers::{KnownReader, Readers};
use super::state::{About, Candidates, Device, Held, HistorySetting, Order, Past};

/// About what a held record takes, and all that a device has only once: most states are written without growing.
const HELD_LEN: usize = 80;
const ABOUT_LEN: usize = 256;

impl Device {
    /// Canonical bytes, with a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.row(&self.candidates.history)
    }

    /// The same, as if there were no history: for a store that keeps it apart.
    #[must_use]
    pub fn to_bytes_without_history(&self) -> Vec<u8> {
        self.row(&[])
    }

    fn row(&self, history: &[Past]) -> Vec<u8> {
        let held = self.candidates.pending.len().saturating_add(history.len()).saturating_add(1);
        let len = held.saturating_mul(HELD_LEN).saturating_add(ABOUT_LEN);
        let mut out = Out::row(len);
        self.write(history, &mut out);
        out.summed()
    }

    fn write(&self, history: &[Past], out: &mut Out) {
        let Candidates { token, current, pending, highest_version, orders, .. } = &self.candidates;
        out.optional(*token, |out, token| out.bytes(&token));
        out.optional(current.as_ref(), write_held);
        out.list(pending, write_held);
        out.list(history, |out, past| {
            write_held(out, &past.held);
            out.time(past.displaced_at);
            out.u8(past.unverified);
            out.flag(past.ruled_out);
        });
        out.u64(*highest_version);
        out.list(orders, |out, order| {
            out.u64(order.request);
            out.list(&order.ids, |out, id| out.id(*id));
            out.u64(order.above);
            out.time(order.not_before);
        });
        let about = &self.about;
        out.blob(about.account.as_str().as_bytes());
        out.optional(about.sid, |out, sid| {
            let mut bytes = [0; Sid::MAX_BINARY_LEN];
            let len = sid.write_bytes(&mut bytes);
            out.blob(bytes.get(..len).unwrap_or_default());
        });
        out.list(about.may_hold.ids.as_slice(), |out, id| out.id(*id));
        out.flag(about.may_hold.unknown);
        out.optional(about.due, Out::time);
        out.optional(about.outcome, write_outcome);
        out.optional(about.foreign_head, |out, head| {
            out.u64(head.length);
            out.bytes(&head.hash);
        });
        out.time(about.enrolled);
        out.time(about.last_seen);
        out.optional(about.retired, Out::time);
    }

    /// From canonical bytes; none when they are not, or damaged.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = In::row(bytes)?;
        let input = &mut input;
        let candidates = Candidates {
            token: input.optional(In::array)?,
            current: input.optional(read_held)?,
            pending: input.list(read_held)?,
            history: input.list(|input| {
                Some(Past {
                    held: read_held(input)?,
                    displaced_at: input.time()?,
                    unverified: input.u8()?,
                    ruled_out: input.flag()?,
                })
            })?,
            highest_version: input.u64()?,
            orders: input.list(|input| {
                Some(Order {
                    request: input.u64()?,
                    ids: input.list(In::id)?,
                    above: input.u64()?,
                    not_before: input.time()?,
                })
            })?,
        };
        let about = About {
            account: input.text()?,
            sid: input.optional(|input| Sid::from_bytes(input.blob()?).ok())?,
            may_hold: {
                let ids = input.list(In::id)?;
                let (ids, all) = IdSet::collect_first(ids);
                MayHold::new(all.then_some(ids)?, input.flag()?)
            },
            due: input.optional(In::time)?,
            outcome: input.optional(read_outcome)?,
            foreign_head: input
                .optional(|input| Some(AuditHead::new(input.u64()?, input.array()?)))?,
            enrolled: input.time()?,
            last_seen: input.time()?,
            retired: input.optional(In::time)?,
        };
        input.end()?;
        Some(Self::new(candidates, about))
    }
}

fn write_held(out: &mut Out, held: &Held) {
    out.id(held.id);
    out.u64(held.version);
    out.u64(held.row);
    out.time(held.stored_at);
    out.bytes(&held.digest);
    out.u32(held.readers);
    out.flag(held.late);
}

fn read_held(input: &mut In<'_>) -> Option<Held> {
    Some(Held {
        id: input.id()?,
        version: input.u64()?,
        row: input.u64()?,
        stored_at: input.time()?,
        digest: input.array()?,
        readers: input.u32()?,
        late: input.flag()?,
    })
}

fn write_outcome(out: &mut Out, outcome: Outcome) {
    out.u8(outcome.kind.as_u8());
    out.flag(outcome.directory == Directory::ActiveDirectory);
    out.u8(outcome.reason.as_u8());
    out.time(outcome.at);
}

fn read_outcome(input: &mut In<'_>) -> Option<Outcome> {
    let kind = EventKind::from_u8(input.u8()?)?;
    let directory = if input.flag()? { Directory::ActiveDirectory } else { Directory::Entra };
    Some(Outcome::new(kind, directory, Reason::from_u8(input.u8()?)?, input.time()?))
}

impl Readers {
    /// Canonical bytes, with a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Out::row(0);
        out.list(&self.known, |out, reader| {
            out.bytes(&reader.id);
            out.blob(reader.line.as_bytes());
            out.time(reader.added);
            out.optional(reader.removed, Out::time);
        });
        out.list(&self.sets, |out, set| out.list(set, |out, id| out.bytes(id)));
        out.u16(self.history.count);
        out.optional(self.history.days, Out::u16);
        out.summed()
    }

    /// From canonical bytes; none when they are not, or damaged.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = In::row(bytes)?;
        let input = &mut input;
        let readers = Self {
            known: input.list(|input| {
                Some(KnownReader {
                    id: input.array()?,
                    line: input.string()?,
                    added: input.time()?,
                    removed: input.optional(In::time)?,
                })
            })?,
            sets: input.list(|input| input.list(In::array))?,
            history: HistorySetting { count: input.u16()?, days: input.optional(In::u16)? },
        };
        input.end()?;
        Some(readers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{AccountName, RecordId, Timestamp};

    fn device() -> Device {
        let held = |n: u8| {
            let mut held = Held::new(RecordId::from_bytes([n; 16]), u64::from(n));
            held.row = 1_000;
            held.digest = [n; 16];
            held
        };
        let candidates = Candidates {
            token: Some([7; 16]),
            current: Some(held(3)),
            pending: alloc::vec![held(4)],
            history: alloc::vec![Past::new(held(2), Timestamp::MAX)],
            highest_version: 4,
            ..Candidates::default()
        };
        Device::new(candidates, About::new(AccountName::new("Admin").unwrap(), Timestamp::MAX))
    }

    #[test]
    fn a_row_of_another_version_is_not_read() {
        let bytes = device().to_bytes();
        for version in (0..=u8::MAX).filter(|version| *version != bytes[0]) {
            let mut out = Out::default();
            out.u8(version);
            out.bytes(&bytes[1..bytes.len() - 8]);
            assert!(Device::from_bytes(&out.summed()).is_none(), "{version}");
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_of_a_row_is_found() {
        let bytes = device().to_bytes();
        assert!(Device::from_bytes(&bytes) == Some(device()));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                assert!(Device::from_bytes(&changed).is_none(), "bit {bit} of byte {place}");
            }
        }
        for len in 0..bytes.len() {
            assert!(Device::from_bytes(&bytes[..len]).is_none(), "{len} bytes");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(Device::from_bytes(&longer).is_none());
    }

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        // XXH3 of nothing, as the reference implementation has it.
        let nothing = Out::default().summed();
        assert_eq!(nothing, 0x2d06_8005_38d3_94c2_u64.to_be_bytes());
    }
}
