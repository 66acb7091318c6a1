//! The sealed record: reading what stands in clear. Sealing and opening it stand in `sealing.rs`.

use alloc::boxed::Box;
use core::fmt;

use super::header::Commitments;
use super::wire::Fields;
use super::{Header, MAX_READERS, MAX_RECORD_LEN, OpenedProof, ReaderId, SealError, Suite};
use crate::codec::Input;

/// A sealed record that parses. Whether it is whole, only a reader's key can tell.
#[derive(Clone, Eq, PartialEq)]
pub struct Record {
    bytes: Box<[u8]>,
    header: Header,
    commitments: Commitments,
    suite: Suite,
    sealing: u32,
    layout: Layout,
}

/// Where the parts of a record end (FORMAT.md §2).
#[derive(Clone, Copy, Eq, PartialEq)]
struct Layout {
    core: usize,
    signature: usize,
    ids: usize,
    list: usize,
    wraps: usize,
}

/// A record is not signed.
pub(super) const UNSIGNED: u8 = 0;

/// A record is signed with Ed25519: public key (32), signature (64).
pub(super) const ED25519: u8 = 1;

/// The body: the plaintext (161 bytes) encrypted, and its tag.
pub(super) const BODY_LEN: usize = super::plaintext::Plaintext::LEN + 16;

impl Record {
    /// Reads a record. Nothing is decrypted and no key is needed.
    ///
    /// # Errors
    /// [`SealError::Malformed`] when the bytes are not a record in the one accepted form;
    /// [`SealError::UnsupportedVersion`] for a later format or suite.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        if bytes.len() > MAX_RECORD_LEN {
            return Err(SealError::Malformed {
                at: MAX_RECORD_LEN,
                what: "a record has at most 32 KiB",
            });
        }
        let mut fields = Fields(Input::new(bytes));
        let (header, commitments) = Header::decode(&mut fields)?;
        let core = fields.0.at();
        match fields.read(Input::u8, "the signature is cut short")? {
            UNSIGNED => {}
            ED25519 => drop(fields.read(|input| input.bytes(96), "the signature is cut short")?),
            _ => return Err(fields.malformed("the signature is of an unknown kind")),
        }
        let signature = fields.0.at();
        let number = fields.read(Input::u16, "the suite is cut short")?;
        let suite = Suite::from_u16(number)
            .ok_or(SealError::UnsupportedVersion { what: "suite", found: number })?;
        let sealing = fields.read(Input::u32, "the number of the sealing is cut short")?;
        let count = usize::from(fields.read(Input::u8, "the number of readers is cut short")?);
        if !(1..=MAX_READERS).contains(&count) {
            return Err(fields.malformed("the number of readers is not 1 to 16"));
        }
        let ids = fields.0.at();
        let mut last: Option<[u8; 32]> = None;
        for _ in 0..count {
            let wrong = fields.malformed("the reader ids do not increase");
            let id = fields.read(Input::array, "a reader id is cut short")?;
            if last.is_some_and(|last| last >= id) {
                return Err(wrong);
            }
            last = Some(id);
        }
        let list = fields.0.at();
        for _ in 0..count {
            fields.read(|input| input.bytes(suite.wrap_len()), "a wrap is cut short")?;
        }
        let wraps = fields.0.at();
        fields.read(|input| input.bytes(BODY_LEN), "the body is cut short")?;
        if !fields.0.rest().is_empty() {
            return Err(fields.malformed("there are bytes after the end of the record"));
        }
        let layout = Layout { core, signature, ids, list, wraps };
        Ok(Self { bytes: bytes.into(), header, commitments, suite, sealing, layout })
    }

    /// The record as it is stored and sent.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the record says about its password. Only opening shows whether that is true.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The readers that can open it, in increasing order.
    pub fn reader_ids(&self) -> impl Iterator<Item = ReaderId> {
        let ids = self.part(self.layout.ids, self.layout.list);
        ids.as_chunks().0.iter().map(|id| ReaderId::from_bytes(*id))
    }

    /// The suite of all its readers.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// How often it was re-sealed for other readers: 0 as the device made it.
    #[must_use]
    pub const fn sealing(&self) -> u32 {
        self.sealing
    }

    /// Whether both hold the same password for the same purpose: only sealing and readers may
    /// differ.
    #[must_use]
    #[cfg(feature = "vault")]
    pub(crate) fn has_core_of(&self, other: &Self) -> bool {
        self.core() == other.core() && self.signature() == other.signature()
    }

    /// Whether this proof shows that somebody opened this record. No key is needed. All sealings of
    /// one record have the same proof.
    #[must_use]
    pub fn is_proven_by(&self, proof: &OpenedProof) -> bool {
        self.commitments.opened == proof.digest()
    }

    /// What the core commits to.
    pub(super) const fn commitments(&self) -> &Commitments {
        &self.commitments
    }

    /// The core: magic to commitment.
    pub(super) fn core(&self) -> &[u8] {
        self.part(0, self.layout.core)
    }

    /// The kind of signature, and what belongs to it.
    pub(super) fn signature(&self) -> &[u8] {
        self.part(self.layout.core, self.layout.signature)
    }

    /// What the wraps are bound to: everything before them.
    pub(super) fn before_wraps(&self) -> &[u8] {
        self.part(0, self.layout.list)
    }

    /// What the body is bound to: everything before it.
    pub(super) fn before_body(&self) -> &[u8] {
        self.part(0, self.layout.wraps)
    }

    /// The wrap for the reader in this place of the list.
    pub(super) fn wrap(&self, place: usize) -> Option<&[u8]> {
        self.part(self.layout.list, self.layout.wraps)
            .chunks_exact(self.suite.wrap_len())
            .nth(place)
    }

    /// The body and its tag.
    pub(super) fn body(&self) -> &[u8] {
        self.part(self.layout.wraps, self.bytes.len())
    }

    fn part(&self, from: usize, to: usize) -> &[u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("header", &self.header)
            .field("suite", &self.suite)
            .field("sealing", &self.sealing)
            .finish_non_exhaustive()
    }
}
