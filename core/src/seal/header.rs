//! The core header of a record: what the password is for. It never changes, also when readers come
//! and go.

use alloc::vec::Vec;

use super::SealError;
use super::wire::Fields;
use crate::account::Sid;
use crate::codec::Input;
use crate::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};

/// What a core commits to besides what stands in its header (FORMAT.md §4).
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Commitments {
    /// SHA-256("laps password v1" ‖ r ‖ password)
    pub(super) password: [u8; 32],
    /// SHA-256 of the proof that the record was opened.
    pub(super) opened: [u8; 32],
}

/// What a record says about its password, in clear and bound to it (protocol §5.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "callers build it; another field is another format")]
pub struct Header {
    /// The tenant; empty by default.
    pub scope: Scope,
    /// The device; not empty.
    pub device: DeviceId,
    /// The managed account's name: 1 to 64 characters.
    pub account: AccountName,
    /// The managed account's security identifier, where the device knows it.
    pub sid: Option<Sid>,
    /// The identity of this password, drawn for each.
    pub id: RecordId,
    /// The password made before this one on this device, applied or not; none after a lost
    /// journal.
    pub previous: Option<RecordId>,
    /// Counts up per managed account; it only orders.
    pub version: u64,
    /// When the password was made, by the device's clock.
    pub made_at: Timestamp,
    /// SHA-256 of the effective policy it was made under.
    pub policy_hash: [u8; 32],
}

/// Most characters of an account name (protocol §3).
const MAX_ACCOUNT_CHARS: usize = 64;

/// `"LAPS"`, `"R"` for a record.
const MAGIC: &[u8; 5] = b"LAPSR";

/// The format that this version writes and reads.
const FORMAT: u8 = 1;

/// What kind of secret a record holds: the password of a local account. Another one takes another
/// number.
const ACCOUNT_PASSWORD: u8 = 1;

impl Header {
    /// What keeps the header from being sealed, if anything.
    fn fault(&self) -> Option<&'static str> {
        if self.device.is_empty() {
            Some("the device is empty; 1 to 128 bytes are accepted")
        } else if self.account.is_empty() {
            Some("the account name is empty; 1 to 64 characters are accepted")
        } else if self.account.as_str().chars().count() > MAX_ACCOUNT_CHARS {
            Some("the account name has more than 64 characters")
        } else if self.previous == Some(self.id) {
            Some("the record names itself as its predecessor")
        } else {
            None
        }
    }

    /// The core: the header and the commitments, in the one way there is to write them
    /// (FORMAT.md §3).
    pub(super) fn encode(&self, commitments: &Commitments) -> Result<Vec<u8>, SealError> {
        if let Some(fault) = self.fault() {
            return Err(SealError::HeaderRefused(fault));
        }
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(MAGIC);
        out.push(FORMAT);
        out.push(ACCOUNT_PASSWORD);
        text(&mut out, self.scope.as_str());
        text(&mut out, self.device.as_str());
        text(&mut out, self.account.as_str());
        match self.sid {
            None => out.extend_from_slice(&[0, 0]),
            Some(sid) => {
                let mut binary = [0; Sid::MAX_BINARY_LEN];
                let len = sid.write_bytes(&mut binary);
                bytes(&mut out, binary.get(..len).unwrap_or_default());
            }
        }
        out.extend_from_slice(self.id.as_bytes());
        match self.previous {
            None => out.push(0),
            Some(previous) => {
                out.push(1);
                out.extend_from_slice(previous.as_bytes());
            }
        }
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.made_at.as_unix_seconds().to_be_bytes());
        out.extend_from_slice(&self.policy_hash);
        out.extend_from_slice(&commitments.password);
        out.extend_from_slice(&commitments.opened);
        Ok(out)
    }

    /// Reads the core; only the one way to write it is accepted.
    pub(super) fn decode(fields: &mut Fields<'_>) -> Result<(Self, Commitments), SealError> {
        if fields.read(Input::array::<5>, "a sealed record begins with LAPSR")? != *MAGIC {
            return Err(SealError::Malformed { at: 0, what: "a sealed record begins with LAPSR" });
        }
        let format = fields.read(Input::u8, "the format is missing")?;
        if format != FORMAT {
            return Err(SealError::UnsupportedVersion { what: "format", found: format.into() });
        }
        let kind = fields.read(Input::u8, "the kind is missing")?;
        if kind != ACCOUNT_PASSWORD {
            return Err(SealError::UnsupportedVersion { what: "kind", found: kind.into() });
        }
        let at = fields.0.at();
        let malformed = |what| move |_| SealError::Malformed { at, what };
        let scope = Scope::from_bytes(fields.read(Input::field, "the scope is cut short")?)
            .map_err(malformed("the scope is not at most 64 bytes of text"))?;
        let device = DeviceId::from_bytes(fields.read(Input::field, "the device is cut short")?)
            .map_err(malformed("the device is not at most 128 bytes of text"))?;
        let account =
            AccountName::from_bytes(fields.read(Input::field, "the account name is cut short")?)
                .map_err(malformed("the account name is not at most 64 characters of text"))?;
        let sid = match fields.read(Input::field, "the SID is cut short")? {
            [] => None,
            bytes => Some(Sid::from_bytes(bytes).map_err(|_| SealError::Malformed {
                at,
                what: "the SID is not a binary security identifier",
            })?),
        };
        let id = RecordId::from_bytes(fields.read(Input::array, "the record id is cut short")?);
        let previous = match fields.read(Input::u8, "the predecessor is cut short")? {
            0 => None,
            1 => Some(RecordId::from_bytes(
                fields.read(Input::array, "the predecessor is cut short")?,
            )),
            _ => return Err(fields.malformed("the predecessor is marked neither 0 nor 1")),
        };
        let version = fields.read(Input::u64, "the version is cut short")?;
        let seconds = fields.read(Input::u64, "the time is cut short")?;
        let made_at = Timestamp::from_unix_seconds(seconds);
        if made_at.as_unix_seconds() != seconds {
            return Err(fields.malformed("the time is after the year 9999"));
        }
        let policy_hash = fields.read(Input::array, "the policy hash is cut short")?;
        let commitments = Commitments {
            password: fields.read(Input::array, "the commitment is cut short")?,
            opened: fields.read(Input::array, "the opened digest is cut short")?,
        };
        let header =
            Self { scope, device, account, sid, id, previous, version, made_at, policy_hash };
        match header.fault() {
            None => Ok((header, commitments)),
            Some(what) => Err(SealError::Malformed { at, what }),
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    bytes(out, text.as_bytes());
}

/// A field: its length in two bytes, then its bytes. Every field here is far below 64 KiB.
fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}
