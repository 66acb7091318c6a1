//! Real sealed records. Each is sealed once in a thread and kept: a state names it by what it is
//! made of.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::cell::RefCell;
use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::state::{ACCOUNTS, START, device, id};
use crate::account::Sid;
use crate::identity::{AccountName, Scope};
use crate::random::{Generator, SystemSource};
use crate::seal::{Header, Reader, ReaderKey, Record, Suite};
use crate::secret::Password;

/// Readers as bits. A stays; R is removed; N is added later; W is a key that no vault knows.
pub(super) const A: u8 = 1;
pub(super) const R: u8 = 2;
pub(super) const N: u8 = 4;
pub(super) const W: u8 = 8;

/// What a device made: everything of a record but its number.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Made {
    pub(super) version: u64,
    /// The number of the predecessor; 0 for none.
    pub(super) previous: u8,
    /// The name in the header, and the SID's last part.
    pub(super) name: u8,
    pub(super) sid: u8,
    /// The readers that the device sealed it to.
    pub(super) readers: u8,
}

/// One sealing of a record: the device's is number 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Sealing {
    pub(super) number: u32,
    pub(super) readers: u8,
    /// It names its readers, and opens for none of them.
    pub(super) spoilt: bool,
}

/// What stored bytes are, by their digest.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Seen {
    pub(super) record: u8,
    pub(super) sealing: Sealing,
    /// The readers that it opens for, found out by opening it.
    pub(super) opens: u8,
}

/// Up to this number a sealing is made honestly, one after the other.
const HONEST: u32 = 12;

struct Sealer {
    keys: [ReaderKey; 4],
    generator: Generator<SystemSource>,
    made: HashMap<(u8, Made, Sealing), Rc<[u8]>>,
    seen: HashMap<[u8; 16], Seen>,
}

std::thread_local! {
    static SEALER: RefCell<Sealer> = RefCell::new(Sealer::new());
}

impl Sealer {
    fn new() -> Self {
        let mut generator = Generator::from_system().unwrap();
        let mut key = |name| ReaderKey::generate(Suite::X25519, name, &mut generator).unwrap();
        let keys = [key("stays"), key("removed"), key("new"), key("wrong")];
        Self { keys, generator, made: HashMap::new(), seen: HashMap::new() }
    }

    fn readers(&self, mask: u8) -> Vec<Reader> {
        self.members(mask).map(|key| key.reader().clone()).collect()
    }

    fn members(&self, mask: u8) -> impl Iterator<Item = &ReaderKey> {
        self.keys
            .iter()
            .enumerate()
            .filter(move |(bit, _)| mask >> bit & 1 == 1)
            .map(|(_, key)| key)
    }

    fn sealed(&mut self, number: u8, made: Made, sealing: Sealing) -> Rc<[u8]> {
        if let Some(bytes) = self.made.get(&(number, made, sealing)) {
            return Rc::clone(bytes);
        }
        let record = if sealing.number == 0 {
            let header = Header {
                scope: Scope::EMPTY,
                device: device(),
                account: AccountName::new(ACCOUNTS[usize::from(made.name)]).unwrap(),
                sid: sid(made.sid),
                id: id(number),
                previous: (made.previous != 0).then(|| id(made.previous)),
                version: made.version,
                made_at: START,
                policy_hash: [0; 32],
            };
            let password = Password::try_from_str("correct horse battery staple").unwrap();
            let readers = self.readers(made.readers);
            Record::seal(&header, &password, &readers, &mut self.generator).unwrap()
        } else {
            // Whoever re-seals has a key: here any of the four that the device sealed it to.
            let first = Sealing { number: 0, readers: made.readers, spoilt: false };
            let first = Record::parse(&self.sealed(number, made, first)).unwrap();
            let readers = self.readers(sealing.readers);
            let mut generator = Generator::from_system().unwrap();
            let key = self.members(made.readers).next().unwrap();
            let mut record = key.reseal(&first, &readers, &mut generator).unwrap();
            while record.sealing() < sealing.number && sealing.number <= HONEST {
                let key = self.members(sealing.readers).next().unwrap();
                record = key.reseal(&record, &readers, &mut generator).unwrap();
            }
            record
        };
        let mut bytes = record.as_bytes().to_vec();
        if sealing.number > HONEST {
            bytes = renumbered(&bytes, sealing.number);
        }
        if sealing.spoilt {
            *bytes.last_mut().unwrap() ^= 1;
        }
        let record = Record::parse(&bytes).unwrap();
        assert_eq!(record.sealing(), sealing.number, "the sealing that was asked for");
        let mut opens = 0;
        for (bit, key) in self.keys.iter().enumerate() {
            opens |= u8::from(key.open(&record).is_ok()) << bit;
        }
        let bytes: Rc<[u8]> = bytes.into();
        let seen = Seen { record: number, sealing, opens };
        self.seen.insert(Sha256::digest(&bytes)[..16].try_into().unwrap(), seen);
        self.made.insert((number, made, sealing), Rc::clone(&bytes));
        bytes
    }
}

/// The number of a sealing is no secret, and whoever has the bytes can write another one. It opens
/// for nobody then.
fn renumbered(bytes: &[u8], number: u32) -> Vec<u8> {
    let record = Record::parse(bytes).unwrap();
    let own = record.sealing().to_be_bytes();
    let places = (0..bytes.len() - 4).filter(|at| bytes[*at..][..4] == own);
    let mut others = places.map(|at| {
        let mut other = bytes.to_vec();
        other[at..][..4].copy_from_slice(&number.to_be_bytes());
        other
    });
    let is_it = |other: &Vec<u8>| {
        Record::parse(other)
            .is_ok_and(|other| other.sealing() == number && other.has_core_of(&record))
    };
    others.find(is_it).unwrap()
}

/// The bytes of a record as its device sealed it.
pub(super) fn sealed(number: u8, made: Made) -> Rc<[u8]> {
    resealed(number, made, Sealing { number: 0, readers: made.readers, spoilt: false })
}

/// The bytes of one sealing of a record.
pub(super) fn resealed(number: u8, made: Made, sealing: Sealing) -> Rc<[u8]> {
    SEALER.with(|sealer| sealer.borrow_mut().sealed(number, made, sealing))
}

/// What the bytes with this digest are.
pub(super) fn seen(digest: [u8; 16]) -> Seen {
    SEALER.with(|sealer| sealer.borrow().seen[&digest])
}

/// The public keys of a mask.
pub(super) fn readers(mask: u8) -> Vec<Reader> {
    SEALER.with(|sealer| sealer.borrow().readers(mask))
}

/// The mask of reader ids; what is not one of ours is no bit.
pub(super) fn mask_of<'a>(ids: impl IntoIterator<Item = &'a [u8; 32]>) -> u8 {
    SEALER.with(|sealer| {
        let known: BTreeMap<[u8; 32], u8> = {
            let sealer = sealer.borrow();
            sealer.keys.iter().zip(0_u8..).map(|(key, bit)| (*key.id().as_bytes(), bit)).collect()
        };
        ids.into_iter().filter_map(|id| known.get(id)).fold(0, |mask, bit| mask | 1 << bit)
    })
}

/// Whether these are the bytes of one of our readers' ids.
pub(super) fn reader_bit(id: &[u8]) -> Option<u8> {
    SEALER.with(|sealer| {
        let sealer = sealer.borrow();
        sealer
            .keys
            .iter()
            .zip(0_u8..)
            .find(|(key, _)| key.id().as_bytes() == id)
            .map(|(_, bit)| bit)
    })
}

pub(super) fn names(mask: u8) -> alloc::string::String {
    let all = [(A, 'A'), (R, 'R'), (N, 'N'), (W, 'W')];
    let text: alloc::string::String =
        all.into_iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| name).collect();
    if text.is_empty() { "nobody".into() } else { text }
}

/// The SID of an account; 0: the platform has none.
pub(super) fn sid(last: u8) -> Option<Sid> {
    (last != 0).then(|| alloc::format!("S-1-5-21-1-2-3-{last}").parse().unwrap())
}

/// The last part of such a SID.
pub(super) fn sid_number(sid: Option<Sid>) -> u8 {
    sid.map_or(0, |sid| {
        let text = alloc::format!("{sid}");
        text.rsplit('-').next().unwrap().parse().unwrap()
    })
}
