//! How a store writes down what the vault keeps about a device, and about the readers of a scope.

use alloc::vec::Vec;

use crate::account::Sid;
use crate::codec::{Input, Output};
use crate::rotation::event::{Directory, EventKind, Outcome, Reason};
use crate::rotation::message::AuditHead;
use crate::rotation::set::{IdSet, MayHold};

use super::readers::{KnownReader, ReaderList, Readers};
use super::retention::Retention;
use super::state::{
    About, Account, Candidates, Device, Held, OpenedStatus, Order, Past, Report, RuledOut, Sealing,
};

/// About what a held record takes, and all that a device has only once: most states are written
/// without growing.
const HELD_LEN: usize = 80;
const ABOUT_LEN: usize = 256;

impl Device {
    /// Canonical bytes, with a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.row(&self.managed.candidates.history, &self.former)
    }

    /// The same, as if there were no history and no former account: for a store that keeps apart
    /// what an offer leaves as it is.
    #[must_use]
    pub fn to_bytes_in_flight(&self) -> Vec<u8> {
        self.row(&[], &[])
    }

    /// From these bytes, and what they left out from the row that has it; none when they are not
    /// canonical, or damaged.
    #[must_use]
    pub fn from_bytes_in_flight(bytes: &[u8], settled: Self) -> Option<Self> {
        let mut device = Self::from_bytes(bytes)?;
        device.managed.candidates.history = settled.managed.candidates.history;
        device.former = settled.former;
        Some(device)
    }

    /// Whether a commit is to come that changes the device all over, and until then what
    /// [`to_bytes_in_flight`](Self::to_bytes_in_flight) leaves out is as it was. So is the date
    /// when the device is due.
    pub(super) fn is_in_flight_since(&self, before: &Self) -> bool {
        let (ours, theirs) = (&self.managed.candidates, &before.managed.candidates);
        !ours.pending.is_empty()
            && ours.history == theirs.history
            && self.former == before.former
            && self.due() == before.due()
    }

    fn row(&self, history: &[Past], former: &[Account]) -> Vec<u8> {
        let held = self.managed.candidates.pending.len().saturating_add(history.len());
        let len = held.saturating_add(1).saturating_mul(HELD_LEN).saturating_add(ABOUT_LEN);
        let mut out = Output::row(len);
        write_account(&mut out, &self.managed, history);
        out.list(former, |out, account| {
            write_account(out, account, &account.candidates.history);
        });
        let about = &self.about;
        out.optional(about.unknown_head, |out, head| {
            out.u64(head.length);
            out.bytes(&head.hash);
        });
        out.time(about.enrolled);
        out.time(about.last_seen);
        out.optional(about.retired, Output::time);
        out.summed()
    }

    /// From canonical bytes; none when they are not, or damaged.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Input::row(bytes)?;
        let input = &mut input;
        let managed = read_account(input)?;
        let former = input.list(read_account)?;
        let about = About {
            unknown_head: input
                .optional(|input| Some(AuditHead::new(input.u64()?, input.array()?)))?,
            enrolled: input.time()?,
            last_seen: input.time()?,
            retired: input.optional(Input::time)?,
        };
        input.end()?;
        Some(Self { managed, former, about })
    }
}

fn write_account(out: &mut Output<Vec<u8>>, account: &Account, history: &[Past]) {
    out.blob(account.name.as_str().as_bytes());
    out.optional(account.sid, |out, sid| {
        let mut bytes = [0; Sid::MAX_BINARY_LEN];
        let len = sid.write_bytes(&mut bytes);
        out.blob(bytes.get(..len).unwrap_or_default());
    });
    out.time(account.since);
    out.optional(account.proven_at, Output::time);
    let Candidates { token, current, pending, highest_version, orders, .. } = &account.candidates;
    out.optional(*token, |out, token| out.bytes(&token));
    out.optional(current.as_ref(), write_held);
    out.list(pending, write_held);
    out.list(history, write_past);
    out.u64(*highest_version);
    out.list(orders, |out, order| {
        out.list(&order.ids, |out, id| out.id(*id));
        out.u64(order.above);
        out.time(order.made_at);
        out.u64(order.delay);
    });
    write_report(out, &account.report);
}

fn read_account(input: &mut Input<'_>) -> Option<Account> {
    Some(Account {
        name: input.text()?,
        sid: input.optional(|input| Sid::from_bytes(input.blob()?).ok())?,
        since: input.time()?,
        proven_at: input.optional(Input::time)?,
        candidates: Candidates {
            token: input.optional(Input::array)?,
            current: input.optional(read_held)?,
            pending: input.list(read_held)?,
            history: input.list(read_past)?,
            highest_version: input.u64()?,
            orders: input.list(|input| {
                Some(Order {
                    ids: input.list(Input::id)?,
                    above: input.u64()?,
                    made_at: input.time()?,
                    delay: input.u64()?,
                })
            })?,
        },
        report: read_report(input)?,
    })
}

fn write_report(out: &mut Output<Vec<u8>>, report: &Report) {
    write_ids(out, &report.may_hold.ids);
    out.flag(report.may_hold.unknown);
    let other = Some(&report.likely).filter(|likely| **likely != report.may_hold.ids);
    out.optional(other, write_ids);
    out.optional(report.due, Output::time);
    out.optional(report.reset_at, Output::time);
    out.optional(report.waits_until, Output::time);
    out.flag(report.missing);
    out.optional(report.outcome, write_outcome);
    out.optional(report.offered.as_ref(), write_list);
    out.flag(report.late);
}

fn read_report(input: &mut Input<'_>) -> Option<Report> {
    let may_hold = MayHold::new(read_ids(input)?, input.flag()?);
    Some(Report {
        may_hold,
        likely: input.optional(read_ids)?.unwrap_or(may_hold.ids),
        due: input.optional(Input::time)?,
        reset_at: input.optional(Input::time)?,
        waits_until: input.optional(Input::time)?,
        missing: input.flag()?,
        outcome: input.optional(read_outcome)?,
        offered: input.optional(read_list)?,
        late: input.flag()?,
    })
}

fn write_ids(out: &mut Output<Vec<u8>>, ids: &IdSet) {
    out.list(ids.as_slice(), |out, id| out.id(*id));
}

fn read_ids(input: &mut Input<'_>) -> Option<IdSet> {
    let (ids, all) = IdSet::collect_first(input.list(Input::id)?);
    all.then_some(ids)
}

fn write_past(out: &mut Output<Vec<u8>>, past: &Past) {
    write_held(out, &past.held);
    out.time(past.displaced_at);
    out.u8(past.unverified);
    out.u8(match past.ruled_out {
        RuledOut::No => 0,
        RuledOut::Seen => 1,
        RuledOut::OnWord => 2,
    });
    out.optional(past.outlived_at, Output::time);
}

fn read_past(input: &mut Input<'_>) -> Option<Past> {
    Some(Past {
        held: read_held(input)?,
        displaced_at: input.time()?,
        unverified: input.u8()?,
        ruled_out: match input.u8()? {
            0 => RuledOut::No,
            1 => RuledOut::Seen,
            2 => RuledOut::OnWord,
            _ => return None,
        },
        outlived_at: input.optional(Input::time)?,
    })
}

fn write_held(out: &mut Output<Vec<u8>>, held: &Held) {
    out.id(held.id);
    out.u64(held.version);
    out.time(held.stored_at);
    // Five answers in a byte: there are many records.
    let opened = match held.opened {
        OpenedStatus::No => 0,
        OpenedStatus::Claimed => 4,
        OpenedStatus::Proven => 8,
    };
    let flags = [(held.confirmed, 1), (held.committed, 2), (held.resealed.is_some(), 16)];
    out.u8(flags.iter().fold(opened, |all, (is, bit)| if *is { all | bit } else { all }));
    write_sealing(out, &held.original);
    if let Some(resealed) = &held.resealed {
        write_sealing(out, resealed);
    }
}

fn read_held(input: &mut Input<'_>) -> Option<Held> {
    let (id, version, stored_at) = (input.id()?, input.u64()?, input.time()?);
    let flags = input.u8()?;
    let opened = match flags & 12 {
        0 => OpenedStatus::No,
        4 => OpenedStatus::Claimed,
        8 => OpenedStatus::Proven,
        _ => return None,
    };
    if flags & !31 != 0 {
        return None;
    }
    let original = read_sealing(input)?;
    let resealed = if flags & 16 > 0 { Some(read_sealing(input)?) } else { None };
    let (confirmed, committed) = (flags & 1 > 0, flags & 2 > 0);
    Some(Held { id, version, stored_at, confirmed, committed, opened, original, resealed })
}

fn write_sealing(out: &mut Output<Vec<u8>>, sealing: &Sealing) {
    out.bytes(&sealing.digest);
    out.u32(sealing.len);
    out.u32(sealing.number);
    write_list(out, &sealing.readers);
}

fn read_sealing(input: &mut Input<'_>) -> Option<Sealing> {
    Some(Sealing {
        digest: input.array()?,
        len: input.u32()?,
        number: input.u32()?,
        readers: read_list(input)?,
    })
}

fn write_list(out: &mut Output<Vec<u8>>, list: &ReaderList) {
    match list {
        ReaderList::Set(number) => {
            out.flag(true);
            out.u32(*number);
        }
        ReaderList::Ids(ids) => {
            out.flag(false);
            out.list(ids, |out, id| out.bytes(id));
        }
    }
}

fn read_list(input: &mut Input<'_>) -> Option<ReaderList> {
    Some(if input.flag()? {
        ReaderList::Set(input.u32()?)
    } else {
        ReaderList::Ids(input.list(Input::array)?)
    })
}

fn write_outcome(out: &mut Output<Vec<u8>>, outcome: Outcome) {
    out.u8(outcome.kind.as_u8());
    out.flag(outcome.directory == Directory::ActiveDirectory);
    out.u8(outcome.reason.as_u8());
    out.time(outcome.at);
}

fn read_outcome(input: &mut Input<'_>) -> Option<Outcome> {
    let kind = EventKind::from_u8(input.u8()?)?;
    let directory = if input.flag()? { Directory::ActiveDirectory } else { Directory::Entra };
    Some(Outcome::new(kind, directory, Reason::from_u8(input.u8()?)?, input.time()?))
}

impl Readers {
    /// Canonical bytes, with a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Output::row(0);
        out.list(&self.known, |out, reader| {
            out.bytes(&reader.id);
            out.blob(reader.line.as_bytes());
            out.time(reader.added);
            out.optional(reader.removed, Output::time);
        });
        out.list(&self.sets, |out, set| out.list(set, |out, id| out.bytes(id)));
        out.u16(self.history.count);
        out.optional(self.history.days, Output::u16);
        out.optional(self.rotate_after, Output::u64);
        out.list(&self.restored, |out, entries| out.u64(*entries));
        out.summed()
    }

    /// From canonical bytes; none when they are not, or damaged.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Input::row(bytes)?;
        let input = &mut input;
        let readers = Self {
            known: input.list(|input| {
                Some(KnownReader {
                    id: input.array()?,
                    line: input.string()?,
                    added: input.time()?,
                    removed: input.optional(Input::time)?,
                })
            })?,
            sets: input.list(|input| input.list(Input::array))?,
            history: Retention { count: input.u16()?, days: input.optional(Input::u16)? },
            rotate_after: input.optional(Input::u64)?,
            restored: input.list(Input::u64)?,
        };
        input.end()?;
        Some(readers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{AccountName, RecordId, Timestamp};

    /// One of everything that a row can have.
    fn device() -> Device {
        let id = |n: u8| RecordId::from_bytes([n; 16]);
        let held = |n: u8| {
            let mut held = Held::new(id(n), u64::from(n));
            held.original.digest = [n; 16];
            held.original.readers = ReaderList::Set(300);
            held
        };
        let mut current = held(3).sealed_to(&[[1; 32], [2; 32]]);
        (current.confirmed, current.committed, current.opened) = (true, true, OpenedStatus::Proven);
        current.resealed = Some(held(9).original);
        let word = Past { ruled_out: RuledOut::OnWord, ..Past::new(held(1), Timestamp::MAX) };
        let order =
            Order { ids: alloc::vec![id(3)], above: 3, made_at: Timestamp::MAX, delay: 86_400 };
        let mut device =
            Device::first_seen(AccountName::new("Admin").unwrap(), None, Timestamp::MAX);
        device.managed.proven_at = Some(Timestamp::MAX);
        device.managed.candidates = Candidates {
            token: Some([7; 16]),
            current: Some(current),
            pending: alloc::vec![held(4)],
            history: alloc::vec![Past::new(held(2), Timestamp::MAX), word],
            highest_version: 4,
            orders: alloc::vec![order],
        };
        device.managed.report.likely = IdSet::one(id(3));
        device.managed.report.missing = true;
        device.managed.report.offered = Some(ReaderList::Set(1));
        device.former =
            alloc::vec![Account::new(AccountName::new("Root").unwrap(), None, Timestamp::MAX)];
        device
    }

    #[test]
    fn a_row_of_another_version_is_not_read() {
        let bytes = device().to_bytes();
        for version in (0..=u8::MAX).filter(|version| *version != bytes[0]) {
            let mut out = Output::<Vec<u8>>::default();
            out.u8(version);
            out.bytes(&bytes[1..bytes.len() - 8]);
            assert!(Device::from_bytes(&out.summed()).is_none(), "{version}");
        }
    }

    #[test]
    fn what_an_offer_leaves_as_it_is_comes_back_from_the_row() {
        let device = device();
        let bytes = device.to_bytes_in_flight();
        let read = Device::from_bytes(&bytes).unwrap();
        assert!(read.former.is_empty() && read.managed.candidates.history.is_empty());
        let settled = Device::from_bytes(&device.to_bytes()).unwrap();
        assert!(Device::from_bytes_in_flight(&bytes, settled) == Some(device));
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
        let nothing = Output::<Vec<u8>>::default().summed();
        assert_eq!(nothing, 0x2d06_8005_38d3_94c2_u64.to_be_bytes());
    }
}
