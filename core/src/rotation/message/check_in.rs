//! The check-in: what the device says.

use core::fmt;

use super::{
    AuditHead, FORMAT, MAX_ACCOUNT_CHARACTERS, MAX_HEAD, MAX_RECORD, MessageError, malformed,
};
use crate::account::Sid;
use crate::codec::{Buffer, Input, Output};
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
use crate::rotation::event::{Directory, EventKind, Outcome, Reason};
use crate::rotation::set::{IdSet, MayHold};

const MAGIC: &[u8; 4] = b"LPci";

/// A message of a device to the vault; the records that it offers follow behind the head.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct CheckIn {
    /// The tenant.
    pub scope: Scope,
    /// The device. The vault compares it with the one that was authenticated.
    pub device: DeviceId,
    /// Drawn for this check-in; the answer repeats it.
    pub nonce: [u8; 16],
    /// The token of the last answer that this run of the agent received.
    pub token: Option<[u8; 16]>,
    /// What the account may hold now.
    pub may_hold: MayHold,
    /// The highest version that the device knows of.
    pub highest_version: u64,
    /// The managed account.
    pub account: AccountName,
    /// Its SID, where the platform has one.
    pub sid: Option<Sid>,
    /// When the next rotation is due; none before the first commit.
    pub due: Option<Timestamp>,
    /// When the password is to be reset because the account was used.
    pub reset_at: Option<Timestamp>,
    /// Until when the device waits with a rotation that is due.
    pub waits_until: Option<Timestamp>,
    /// Whether the account was missing at the latest look-up.
    pub account_missing: bool,
    /// How the last rotation or try ended.
    pub last: Option<Outcome>,
    /// The audit log as this device remembers it.
    pub audit: Option<AuditHead>,
    /// Records that the account was seen not to hold: verification said no, or the change stamp is
    /// unchanged (protocol §3.9).
    pub ruled_out: IdSet,
    /// Records that were ruled out on somebody's word alone: the store said that it set nothing,
    /// where nothing else can be asked, or the vault refused the offer. Never one of
    /// `ruled_out`.
    pub ruled_out_on_word: IdSet,
    /// The records behind the head.
    pub offers: IdSet,
    /// The record that the account holds, to be made the current one.
    pub commit: Option<Commit>,
}

/// A commit: the account holds this record's password.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Commit {
    /// The record.
    pub id: RecordId,
    /// Whether the account was asked. False only where the platform cannot verify and the setter
    /// reported success.
    pub verified: bool,
}

impl Commit {
    /// From its parts.
    #[must_use]
    pub const fn new(id: RecordId, verified: bool) -> Self {
        Self { id, verified }
    }
}

impl CheckIn {
    /// A check-in that says as little as one can: nothing is known, nothing offered, nothing
    /// committed.
    #[must_use]
    pub const fn new(
        scope: Scope,
        device: DeviceId,
        account: AccountName,
        nonce: [u8; 16],
    ) -> Self {
        Self {
            scope,
            device,
            nonce,
            token: None,
            may_hold: MayHold::UNKNOWN,
            highest_version: 0,
            account,
            sid: None,
            due: None,
            reset_at: None,
            waits_until: None,
            account_missing: false,
            last: None,
            audit: None,
            ruled_out: IdSet::EMPTY,
            ruled_out_on_word: IdSet::EMPTY,
            offers: IdSet::EMPTY,
            commit: None,
        }
    }

    /// Writes the head; the length written. The records of `offers` follow, in the order of the
    /// set, each behind its [`record_prefix`](super::record_prefix).
    ///
    /// # Errors
    /// [`MessageError::BufferTooSmall`] ([`MAX_HEAD`] is always enough), or `Malformed` when a
    /// field is outside its limits.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, MessageError> {
        self.check()?;
        let mut w = Output::into(out);
        w.bytes(MAGIC);
        w.u8(FORMAT);
        w.text(&self.scope);
        w.text(&self.device);
        w.bytes(&self.nonce);
        w.optional(self.token, |w, token| w.bytes(&token));
        w.u8(u8::from(self.may_hold.unknown));
        w.ids(&self.may_hold.ids);
        w.u64(self.highest_version);
        w.text(&self.account);
        w.optional(self.sid, write_sid);
        w.optional(self.due, Output::time);
        w.optional(self.reset_at, Output::time);
        w.optional(self.waits_until, Output::time);
        w.u8(u8::from(self.account_missing));
        w.optional(self.last, write_outcome);
        w.optional(self.audit, write_audit);
        w.ids(&self.ruled_out);
        w.ids(&self.ruled_out_on_word);
        w.ids(&self.offers);
        w.optional(self.commit, |w, commit| {
            w.u8(u8::from(commit.verified));
            w.id(commit.id);
        });
        w.finish().ok_or(MessageError::BufferTooSmall)
    }

    /// Reads a whole check-in: the head and the records behind it.
    ///
    /// # Errors
    /// [`MessageError`] for anything but the one encoding of a check-in within the limits.
    pub fn decode(bytes: &[u8]) -> Result<(Self, RecordsIter<'_>), MessageError> {
        let (check_in, rest) = Self::decode_head(bytes)?;
        let records = RecordsIter { ids: check_in.offers, at: 0, rest: Input::new(rest) };
        let mut probe = records.clone();
        probe.by_ref().for_each(drop);
        if probe.at < check_in.offers.len() || probe.rest.end().is_none() {
            return Err(malformed("records"));
        }
        Ok((check_in, records))
    }

    /// Reads the head of a check-in; the bytes behind it.
    ///
    /// # Errors
    /// As [`CheckIn::decode`].
    pub fn decode_head(bytes: &[u8]) -> Result<(Self, &[u8]), MessageError> {
        let mut r = Input::new(bytes);
        if r.array() != Some(*MAGIC) {
            return Err(malformed("the beginning"));
        }
        if r.u8().ok_or(malformed("format"))? != FORMAT {
            return Err(MessageError::UnsupportedVersion);
        }
        let scope = r.text().ok_or(malformed("scope"))?;
        let device = r.text().ok_or(malformed("device"))?;
        let nonce = r.array().ok_or(malformed("nonce"))?;
        let mut check_in = Self::new(scope, device, AccountName::EMPTY, nonce);
        check_in.token = r.optional(Input::array).ok_or(malformed("token"))?;
        check_in.may_hold.unknown = r.flag().ok_or(malformed("may-hold set"))?;
        check_in.may_hold.ids = r.ids().ok_or(malformed("may-hold set"))?;
        check_in.highest_version = r.u64().ok_or(malformed("highest version"))?;
        check_in.account = r.text().ok_or(malformed("account"))?;
        check_in.sid = r.optional(read_sid).ok_or(malformed("account SID"))?;
        check_in.due = r.optional(Input::time).ok_or(malformed("due date"))?;
        check_in.reset_at = r.optional(Input::time).ok_or(malformed("reset time"))?;
        check_in.waits_until = r.optional(Input::time).ok_or(malformed("end of the wait"))?;
        check_in.account_missing = r.flag().ok_or(malformed("missing account"))?;
        check_in.last = r.optional(read_outcome).ok_or(malformed("last outcome"))?;
        check_in.audit = r.optional(read_audit).ok_or(malformed("audit head"))?;
        check_in.ruled_out = r.ids().ok_or(malformed("ruled-out ids"))?;
        check_in.ruled_out_on_word =
            r.ids().ok_or(malformed("ids that were ruled out on a word"))?;
        check_in.offers = r.ids().ok_or(malformed("offers"))?;
        check_in.commit = r.optional(read_commit).ok_or(malformed("commit"))?;
        check_in.check()?;
        Ok((check_in, r.rest()))
    }

    /// The limits that go beyond the form of single fields.
    fn check(&self) -> Result<(), MessageError> {
        if self.device.is_empty() {
            return Err(malformed("device"));
        }
        let characters = self.account.as_str().chars().count();
        if characters == 0 || characters > MAX_ACCOUNT_CHARACTERS {
            return Err(malformed("account"));
        }
        if self.may_hold.ids.is_empty() && !self.may_hold.unknown {
            return Err(malformed("may-hold set"));
        }
        if self.commit.is_some_and(|commit| !self.may_hold.ids.contains(commit.id)) {
            return Err(malformed("commit"));
        }
        if self.ruled_out.intersects(&self.ruled_out_on_word) {
            return Err(malformed("ids that were ruled out on a word"));
        }
        Ok(())
    }
}

pub(in crate::rotation) fn write_outcome(w: &mut Output<Buffer<'_>>, outcome: Outcome) {
    w.u8(outcome.kind.as_u8());
    w.u8(match outcome.directory {
        Directory::Entra => 1,
        Directory::ActiveDirectory => 2,
    });
    w.u8(outcome.reason.as_u8());
    w.time(outcome.at);
}

pub(in crate::rotation) fn read_outcome(r: &mut Input<'_>) -> Option<Outcome> {
    let kind = EventKind::from_u8(r.u8()?)?;
    let directory = match r.u8()? {
        1 => Directory::Entra,
        2 => Directory::ActiveDirectory,
        _ => return None,
    };
    Some(Outcome { kind, directory, reason: Reason::from_u8(r.u8()?)?, at: r.time()? })
}

pub(in crate::rotation) fn write_audit(w: &mut Output<Buffer<'_>>, audit: AuditHead) {
    w.u64(audit.length);
    w.bytes(&audit.hash);
}

pub(in crate::rotation) fn read_audit(r: &mut Input<'_>) -> Option<AuditHead> {
    Some(AuditHead { length: r.u64()?, hash: r.array()? })
}

pub(in crate::rotation) fn write_sid(w: &mut Output<Buffer<'_>>, sid: Sid) {
    let mut bytes = [0; Sid::MAX_BINARY_LEN];
    let len = sid.write_bytes(&mut bytes);
    w.bytes(bytes.get(..len).unwrap_or_default());
}

/// The binary form says its own length: eight bytes, then four for each of the parts that the
/// second byte counts.
pub(in crate::rotation) fn read_sid(r: &mut Input<'_>) -> Option<Sid> {
    let parts = *r.rest().get(1)?;
    Sid::from_bytes(r.bytes(8_usize.saturating_add(4 * usize::from(parts)))?).ok()
}

fn read_commit(r: &mut Input<'_>) -> Option<Commit> {
    Some(Commit { verified: r.flag()?, id: r.id()? })
}

/// The records behind the head of a check-in, each with the id under which it is offered. The ids
/// are not yet compared with what the records say: that is the vault's business.
#[derive(Clone)]
pub struct RecordsIter<'a> {
    ids: IdSet,
    at: usize,
    rest: Input<'a>,
}

impl fmt::Debug for RecordsIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordsIter").field("ids", &self.ids).finish_non_exhaustive()
    }
}

impl<'a> Iterator for RecordsIter<'a> {
    type Item = (RecordId, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let id = *self.ids.as_slice().get(self.at)?;
        let mut rest = self.rest;
        let len = usize::try_from(rest.u32()?).ok()?;
        if len == 0 || len > MAX_RECORD {
            return None;
        }
        let record = rest.bytes(len)?;
        self.rest = rest;
        self.at = self.at.saturating_add(1);
        Some((id, record))
    }
}

const _: () = assert!(
    5 + 66 + 130 + 16 + 17 + 258 + 8 + 258 + 69 + 3 * 9 + 1 + 12 + 41 + 3 * 257 + 18 <= MAX_HEAD,
    "the longest head fits"
);
