//! The audit log: entries, their canonical bytes, the chain (protocol §6.2).
//!
//! Entry n of a scope has the hash SHA-256(label ‖ hash of entry n-1 ‖ canonical bytes of the entry
//! with its scope and number). The hash before the first entry is 32 zero bytes. Numbers are
//! big-endian; a text has its length in four bytes before it. There is one way to write an entry,
//! so a changed column changes the hash.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use crate::codec::{Hex, from_hex};
use crate::error::Code;
use crate::identity::{RecordId, Scope, Timestamp};
use crate::rotation::message::AuditHead;

use super::{Request, Who};

const LABEL: &[u8] = b"laps audit v1";

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What an entry of the audit log is about. A number is never given another meaning.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Action { $($(#[$doc])* $name = $number,)* }

        impl Action {
            /// Every action, in numerical order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number.
            #[must_use]
            pub const fn as_u16(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The action with this number.
            #[must_use]
            pub const fn from_u16(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The name, as documents spell it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

actions! {
    /// The vault, or a scope in it, was set up.
    Initialised = 1, "initialised";
    /// Sealed records were handed out.
    Disclosed = 2, "disclosed";
    /// What became of a disclosure: opened, not opened, by whom.
    Outcome = 3, "outcome";
    /// Rotations were ordered.
    RotationOrdered = 4, "rotation-ordered";
    /// Something was asked for and refused; the detail says what and why.
    Refused = 5, "refused";
    /// A reader was added.
    ReaderAdded = 6, "reader-added";
    /// A reader was removed.
    ReaderRemoved = 7, "reader-removed";
    /// Records were exported for re-sealing.
    ExportedForResealing = 8, "exported-for-resealing";
    /// A record was replaced by the same one, sealed to other readers.
    Resealed = 9, "resealed";
    /// A device was taken out of service.
    Retired = 10, "retired";
    /// A device came back into service.
    Reenrolled = 11, "re-enrolled";
    /// A device and everything about it was removed.
    Purged = 12, "purged";
    /// Records were exported or backed up.
    Exported = 13, "exported";
    /// Records were imported.
    Imported = 14, "imported";
    /// An older copy of the vault was put in its place.
    Restored = 15, "restored";
    /// A setting was changed.
    SettingChanged = 16, "setting-changed";
    /// Two records name the same predecessor: a clone, or a device that was rolled back.
    Fork = 17, "fork";
    /// A device named another device or scope than its own.
    WrongDevice = 18, "wrong-device";
    /// A device remembers a head of the audit log that is not in it: an older copy of the vault is
    /// in use, or the audit log was changed.
    HeadMismatch = 19, "head-mismatch";
    /// A record came in sealed to a reader that had been removed.
    LateRecord = 20, "late-record";
    /// The SID of the managed account changed.
    SidChanged = 21, "sid-changed";
    /// The vault was brought to a later schema.
    Migrated = 22, "migrated";
    /// History or damaged data was removed by an administrator.
    Removed = 23, "removed";
}

/// One entry of the audit log. Every field is covered by the chain.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// When, by the vault's clock.
    pub at: Timestamp,
    /// What.
    pub action: Action,
    /// Whom the program authenticated: the user of the operating system, or what the embedder
    /// found out; for what a device caused, its name. Empty where nobody was authenticated.
    pub caller: String,
    /// Who asked, as it was typed; for what a device caused, its name.
    pub actor: String,
    /// The id of the reader that opened, where it is known.
    pub reader: Option<[u8; 32]>,
    /// Why.
    pub reason: String,
    /// Where the request came from.
    pub context: String,
    /// The device; empty when it is about none or about many.
    pub device: String,
    /// The records it is about.
    pub records: Vec<RecordId>,
    /// The entry that this one follows up; 0 for none.
    pub refers_to: u64,
    /// What else there is to say, in words.
    pub detail: String,
}

impl Entry {
    /// An entry of an action at a time; everything else is empty.
    #[must_use]
    pub const fn new(action: Action, at: Timestamp) -> Self {
        Self {
            at,
            action,
            caller: String::new(),
            actor: String::new(),
            reader: None,
            reason: String::new(),
            context: String::new(),
            device: String::new(),
            records: Vec::new(),
            refers_to: 0,
            detail: String::new(),
        }
    }

    /// An entry that a device caused.
    #[must_use]
    pub(super) fn of_device(action: Action, device: &str, at: Timestamp) -> Self {
        let name = || String::from(device);
        Self { caller: name(), actor: name(), device: name(), ..Self::new(action, at) }
    }

    /// Whether it is one of this person's.
    pub(crate) fn is_of(&self, who: Who<'_>) -> bool {
        match who {
            Who::Caller(name) => {
                self.caller == name || (self.caller.is_empty() && self.actor == name)
            }
            Who::TypedAs(name) => self.actor == name,
        }
    }

    /// Whether it was made for whoever asks now: by the one who was authenticated, or, where nobody
    /// was, by what was typed.
    pub(super) fn is_by(&self, request: &Request<'_>) -> bool {
        self.caller == request.caller && (!self.caller.is_empty() || self.actor == request.actor)
    }

    /// The hash of this entry as number `number` of the scope, behind `before`.
    #[must_use]
    pub fn hash(&self, scope: &Scope, number: u64, before: &[u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let text = |hash: &mut Sha256, bytes: &[u8]| {
            hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(bytes);
        };
        hash.update(LABEL);
        hash.update(before);
        text(&mut hash, scope.as_str().as_bytes());
        hash.update(number.to_be_bytes());
        hash.update(self.at.as_unix_seconds().to_be_bytes());
        hash.update(self.action.as_u16().to_be_bytes());
        hash.update(self.refers_to.to_be_bytes());
        hash.update([u8::from(self.reader.is_some())]);
        hash.update(self.reader.unwrap_or_default());
        for part in
            [&self.caller, &self.actor, &self.reason, &self.context, &self.device, &self.detail]
        {
            text(&mut hash, part.as_bytes());
        }
        hash.update(u32::try_from(self.records.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.records.iter().for_each(|id| hash.update(id.as_bytes()));
        hash.finalize().into()
    }
}

/// The longest detail that quotes a caller, in bytes. A list of devices that were ordered by name
/// is as long as it is.
pub const MAX_DETAIL: usize = 4_096;

/// What a caller said, as the audit log takes it: control characters are written as `\n` or
/// `\u{1b}`, and what does not fit into so many bytes is cut, with an ellipsis. Entries that are
/// there already stay as they are: the chain covers their bytes.
pub(super) fn quoted(text: &str, max: usize) -> String {
    const CUT: char = '…';
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        if out.len() > max {
            while out.len().saturating_add(CUT.len_utf8()) > max && out.pop().is_some() {}
            out.push(CUT);
            break;
        }
    }
    out
}

impl AuditHead {
    /// The head of an audit log without entries.
    pub const EMPTY: Self = Self::new(0, [0; 32]);
}

/// Length, a hyphen, the hash in 64 lower-case hexadecimal digits.
impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.length, Hex(&self.hash))
    }
}

impl FromStr for AuditHead {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let (length, hash) = text.split_once('-').ok_or(InvalidHead)?;
        let canonical = !length.is_empty()
            && length.bytes().all(|digit| digit.is_ascii_digit())
            && (length == "0" || !length.starts_with('0'));
        let hash = from_hex(hash).ok_or(InvalidHead)?;
        match length.parse() {
            Ok(length) if canonical => Ok(Self::new(length, hash)),
            _ => Err(InvalidHead),
        }
    }
}

/// Not a head of the audit log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InvalidHead;

impl InvalidHead {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::InvalidArgument
    }
}

impl fmt::Display for InvalidHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a head of the audit log is a number, a hyphen and 64 lower-case hexadecimal digits",
        )
    }
}

impl core::error::Error for InvalidHead {}
