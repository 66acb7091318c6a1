//! The answer: what the vault says.

use super::check_in::{read_audit, write_audit};
use super::{AuditHead, FORMAT, MAX_ANSWER, MessageError, malformed};
use crate::codec::{Input, Output};
use crate::identity::{RecordId, Timestamp};
use crate::rotation::set::{IdSet, MAX_IDS, ReaderIds};

const MAGIC: &[u8; 4] = b"LPan";

/// The vault's answer to one check-in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The nonce of the check-in that it answers.
    pub nonce: [u8; 16],
    /// The vault's token for this device now.
    pub token: [u8; 16],
    /// The offered records that the vault has, durably.
    pub stored: IdSet,
    /// The ids of the may-hold set and of the commit that the vault does not have.
    pub lacking: IdSet,
    /// The offered records that it did not take.
    pub refused: Refusals,
    /// What became of the commit; none when the check-in had none.
    pub commit: Option<CommitAnswer>,
    /// The highest version that the vault knows of this device.
    pub highest_version: u64,
    /// How many candidates it keeps of this account, and one more where none was committed: the
    /// password that was there before.
    pub candidates: u32,
    /// Records that are ordered to be replaced: the ids of the device's may-hold set that open
    /// orders name, or any ids of open orders where the set has "unknown". Empty: no order.
    pub orders: IdSet,
    /// When the earliest order is given to the device that is not in `orders` yet: the deadline
    /// that a disclosure set, say.
    pub order_at: Option<Timestamp>,
    /// Readers whom the vault removed and whom the device's latest offer names, as it was offered:
    /// advice for people. A device never changes its readers on a vault's word.
    pub removed_readers: ReaderIds,
    /// The hash of the audit log at the length that the device remembers; none when it remembers
    /// none, or the audit log is shorter than that.
    pub audit_at: Option<[u8; 32]>,
    /// Where a copy of the vault was restored: how many entries its log had. Heads up to there
    /// must match; later ones are gone, and that is known. None when the log was never
    /// restored, or the device remembers nothing later.
    pub restored: Option<u64>,
    /// The audit log now.
    pub audit: AuditHead,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a new one is a new message format")]
pub enum CommitAnswer {
    /// Taken, or known already.
    Acknowledged,
    /// The vault does not have the record: offer it and commit again.
    Lacking,
    /// The check-in did not carry the current token: commit again with the one in this answer.
    StaleToken,
}

impl CommitAnswer {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Lacking => "lacking",
            Self::StaleToken => "stale-token",
        }
    }
}

/// Why an offered record was not taken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a new one is a new message format")]
pub enum OfferRefusal {
    /// Its version is not above the highest one that the vault knows.
    Stale,
    /// The vault has no room for another candidate of this account.
    Full,
    /// It names no active reader, the account does not hold it, and the account's password can be
    /// opened as it is.
    Unreadable,
}

/// One offered record that was not taken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct RefusedOffer {
    /// The record.
    pub id: RecordId,
    /// Why.
    pub why: OfferRefusal,
}

/// The offered records that were not taken.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Refusals {
    /// Those whose version is too low.
    pub stale: IdSet,
    /// Those for which there is no room.
    pub full: IdSet,
    /// Those that no active reader could open.
    pub unreadable: IdSet,
}

impl Refusals {
    /// None.
    pub const NONE: Self =
        Self { stale: IdSet::EMPTY, full: IdSet::EMPTY, unreadable: IdSet::EMPTY };

    const fn by_reason(&self) -> [(OfferRefusal, &IdSet); 3] {
        [
            (OfferRefusal::Stale, &self.stale),
            (OfferRefusal::Full, &self.full),
            (OfferRefusal::Unreadable, &self.unreadable),
        ]
    }

    /// Why this record was refused, if it was.
    #[must_use]
    pub(crate) fn why(&self, id: RecordId) -> Option<OfferRefusal> {
        self.by_reason().into_iter().find(|(_, ids)| ids.contains(id)).map(|(why, _)| why)
    }

    /// All of them, in increasing order of their ids within each reason.
    #[cfg(feature = "vault")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = RefusedOffer> + '_ {
        let each = |(why, ids)| IdSet::iter(ids).map(move |id| RefusedOffer { id, why });
        self.by_reason().into_iter().flat_map(each)
    }
}

impl Answer {
    /// An answer that says nothing but who is speaking.
    #[must_use]
    pub const fn new(nonce: [u8; 16], token: [u8; 16], audit: AuditHead) -> Self {
        Self {
            nonce,
            token,
            stored: IdSet::EMPTY,
            lacking: IdSet::EMPTY,
            refused: Refusals::NONE,
            commit: None,
            highest_version: 0,
            candidates: 0,
            orders: IdSet::EMPTY,
            order_at: None,
            removed_readers: ReaderIds::EMPTY,
            audit_at: None,
            restored: None,
            audit,
        }
    }

    /// Writes the answer; the length written.
    ///
    /// # Errors
    /// [`MessageError::BufferTooSmall`] ([`MAX_ANSWER`] is always enough), or `Malformed` when an
    /// id stands in two sets that exclude each other.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, MessageError> {
        self.check()?;
        let mut w = Output::into(out);
        w.bytes(MAGIC);
        w.u8(FORMAT);
        w.bytes(&self.nonce);
        w.bytes(&self.token);
        w.ids(&self.stored);
        w.ids(&self.lacking);
        w.ids(&self.refused.stale);
        w.ids(&self.refused.full);
        w.ids(&self.refused.unreadable);
        w.u8(match self.commit {
            None => 0,
            Some(CommitAnswer::Acknowledged) => 1,
            Some(CommitAnswer::Lacking) => 2,
            Some(CommitAnswer::StaleToken) => 3,
        });
        w.u64(self.highest_version);
        w.u32(self.candidates);
        w.ids(&self.orders);
        w.optional(self.order_at, Output::time);
        w.readers(&self.removed_readers);
        w.optional(self.audit_at, |w, hash| w.bytes(&hash));
        w.optional(self.restored, Output::u64);
        write_audit(&mut w, self.audit);
        w.finish().ok_or(MessageError::BufferTooSmall)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`MessageError`] for anything but the one encoding of an answer within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut r = Input::new(bytes);
        if r.array() != Some(*MAGIC) {
            return Err(malformed("the beginning"));
        }
        if r.u8().ok_or(malformed("format"))? != FORMAT {
            return Err(MessageError::UnsupportedVersion);
        }
        let answer = Self {
            nonce: r.array().ok_or(malformed("nonce"))?,
            token: r.array().ok_or(malformed("token"))?,
            stored: r.ids().ok_or(malformed("stored ids"))?,
            lacking: r.ids().ok_or(malformed("lacking ids"))?,
            refused: Refusals {
                stale: r.ids().ok_or(malformed("stale offers"))?,
                full: r.ids().ok_or(malformed("offers without room"))?,
                unreadable: r.ids().ok_or(malformed("unreadable offers"))?,
            },
            commit: read_commit(&mut r).ok_or(malformed("commit"))?,
            highest_version: r.u64().ok_or(malformed("highest version"))?,
            candidates: r.u32().ok_or(malformed("candidate count"))?,
            orders: r.ids().ok_or(malformed("orders"))?,
            order_at: r.optional(Input::time).ok_or(malformed("time of the next order"))?,
            removed_readers: r.readers().ok_or(malformed("removed readers"))?,
            audit_at: r.optional(Input::array).ok_or(malformed("audit hash"))?,
            restored: r.optional(Input::u64).ok_or(malformed("restored length"))?,
            audit: read_audit(&mut r).ok_or(malformed("audit head"))?,
        };
        r.end().ok_or(malformed("the end"))?;
        answer.check()?;
        Ok(answer)
    }

    /// An offer is either stored or refused, for one reason.
    fn check(&self) -> Result<(), MessageError> {
        let Refusals { stale, full, unreadable } = &self.refused;
        let mut rest = &[&self.stored, stale, full, unreadable][..];
        while let [set, behind @ ..] = rest {
            if behind.iter().any(|other| set.intersects(other)) {
                return Err(malformed("refused offers"));
            }
            rest = behind;
        }
        Ok(())
    }
}

fn read_commit(r: &mut Input<'_>) -> Option<Option<CommitAnswer>> {
    match r.u8()? {
        0 => Some(None),
        1 => Some(Some(CommitAnswer::Acknowledged)),
        2 => Some(Some(CommitAnswer::Lacking)),
        3 => Some(Some(CommitAnswer::StaleToken)),
        _ => None,
    }
}

const _: () = assert!(
    5 + 16 + 16 + 6 * (1 + 16 * MAX_IDS) + 1 + 8 + 4 + 9 + 513 + 33 + 9 + 40 <= MAX_ANSWER,
    "the longest answer fits"
);
