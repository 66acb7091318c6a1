//! What a DPAPI-NG blob says in clear: which root key, which time, who may open it
//! (windows-laps §5.3).
//!
//! CMS `EnvelopedData` (RFC 5652) with one `KEKRecipientInfo`; its key identifier is MS-GKDI's,
//! its "other" attribute the SID of the protection descriptor. LAPS appends the encrypted content
//! to the CMS; other users of DPAPI-NG put it inside.

use core::fmt;

use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged, asn1::AnyRef};

use super::DirectoryError;
use crate::{account::Sid, identity::Text};

/// What stands in clear in a DPAPI-NG blob that is protected to a SID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ProtectedBlob<'a> {
    /// Flags of the key identifier; bit 0 says that a public key stands in it.
    pub flags: u32,
    /// The time index of the group key: L0 counts 1024 times L1's 32 times L2's 10 hours.
    pub l0: u32,
    /// See [`Self::l0`].
    pub l1: u32,
    /// See [`Self::l0`].
    pub l2: u32,
    /// The KDS root key.
    pub root_key: RootKeyId,
    /// The domain of the key.
    pub domain: Text<256>,
    /// The forest of the key.
    pub forest: Text<256>,
    /// Who may open it: a group, most often.
    pub sid: Sid,
    /// The content key, wrapped (RFC 3394).
    pub wrapped_key: &'a [u8],
    /// AES-256-GCM's nonce.
    pub nonce: &'a [u8],
    /// The encrypted content and its tag.
    pub content: &'a [u8],
}

/// The GUID of a KDS root key; printed as GUIDs are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RootKeyId([u8; 16]);

impl fmt::Display for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, rest @ ..] = self.0;
        let (first, second) = (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, g]));
        write!(f, "{first:08x}-{second:04x}-{:04x}-", u16::from_le_bytes([h, i]))?;
        for (at, byte) in rest.iter().enumerate() {
            write!(f, "{}{byte:02x}", if at == 2 { "-" } else { "" })?;
        }
        Ok(())
    }
}

// DER tags and object identifiers, by the names of RFC 5652 and [MS-GKDI].
const CONTEXT_0: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
const CONTEXT_0_PRIMITIVE: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };
const CONTEXT_2: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(2) };
/// 1.2.840.113549.1.7.3
const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
/// 1.2.840.113549.1.7.1
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// 1.3.6.1.4.1.311.74.1
const PROTECTION: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x4a, 0x01];
/// 2.16.840.1.101.3.4.1.45
const AES_256_WRAP: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d];
/// 2.16.840.1.101.3.4.1.46
const AES_256_GCM: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e];

const NOT_CMS: DirectoryError =
    DirectoryError::new("the blob is not CMS enveloped data as DPAPI-NG writes it");
const RECIPIENTS: DirectoryError = DirectoryError::new(
    "the blob has several recipients, which Windows LAPS never writes: others than the first can \
     open it",
);
const EITHER: DirectoryError = DirectoryError::new(
    "the blob is protected to several principals, each of which can open it (Windows LAPS names \
     one)",
);
const TOGETHER: DirectoryError = DirectoryError::new(
    "the blob opens only for who is several principals at once (Windows LAPS names one)",
);
const NO_SID: DirectoryError =
    DirectoryError::new("the blob is protected to something else than a SID");

impl<'a> ProtectedBlob<'a> {
    /// Reads a blob. Nothing is decrypted.
    ///
    /// Every element is read or refused: what this says of who can open the blob is all that
    /// the blob says.
    ///
    /// # Errors
    /// [`DirectoryError`] when it is not DPAPI-NG protected to one SID.
    pub fn read(blob: &'a [u8]) -> Result<Self, DirectoryError> {
        // ContentInfo ::= SEQUENCE { contentType OID, content [0] EXPLICIT EnvelopedData }
        let mut outside = DerElements::new(blob)?;
        let mut info = outside.inside(Tag::Sequence)?;
        info.expect(Tag::ObjectIdentifier, ENVELOPED_DATA)?;
        // EnvelopedData ::= SEQUENCE { version 2, recipientInfos SET, encryptedContentInfo }
        let mut explicit = info.inside(CONTEXT_0)?;
        info.end(NOT_CMS)?;
        let mut data = explicit.inside(Tag::Sequence)?;
        explicit.end(NOT_CMS)?;
        data.expect(Tag::Integer, &[2])?;
        let mut recipients = data.inside(Tag::Set)?;
        let mut content = data.inside(Tag::Sequence)?;
        data.end(NOT_CMS)?;
        // KEKRecipientInfo ::= [2] SEQUENCE { version 4, kekid, keyEncryptionAlgorithm,
        // encryptedKey }
        let mut recipient = recipients.inside(CONTEXT_2)?;
        recipients.end(RECIPIENTS)?;
        recipient.expect(Tag::Integer, &[4])?;
        // KEKIdentifier ::= SEQUENCE { keyIdentifier OCTET STRING, other SEQUENCE { OID, SEQUENCE {
        // OID, … } } }
        let mut kekid = recipient.inside(Tag::Sequence)?;
        let identifier = KeyIdentifier::read(kekid.take(Tag::OctetString)?)?;
        let mut other = kekid.inside(Tag::Sequence)?;
        kekid.end(NOT_CMS)?;
        other.expect(Tag::ObjectIdentifier, PROTECTION)?;
        let sid = only_sid(other.inside(Tag::Sequence)?)?;
        other.end(NOT_CMS)?;
        let mut wrapping = recipient.inside(Tag::Sequence)?;
        wrapping.expect(Tag::ObjectIdentifier, AES_256_WRAP)?;
        wrapping.end(NOT_CMS)?;
        let wrapped_key = recipient.take(Tag::OctetString)?;
        recipient.end(NOT_CMS)?;
        // EncryptedContentInfo ::= SEQUENCE { contentType, SEQUENCE { OID, GCMParameters }, [0]
        // content OPTIONAL }
        content.expect(Tag::ObjectIdentifier, DATA)?;
        let mut algorithm = content.inside(Tag::Sequence)?;
        algorithm.expect(Tag::ObjectIdentifier, AES_256_GCM)?;
        // GCMParameters ::= SEQUENCE { aes-nonce OCTET STRING, aes-ICVlen INTEGER } (RFC 5084)
        let mut parameters = algorithm.inside(Tag::Sequence)?;
        algorithm.end(NOT_CMS)?;
        let nonce = parameters.take(Tag::OctetString)?;
        parameters.expect(Tag::Integer, &[16])?;
        parameters.end(NOT_CMS)?;
        let appended = outside.rest()?;
        let content = if content.0.is_finished() {
            appended
        } else {
            let inside = content.take(CONTEXT_0_PRIMITIVE)?;
            content.end(NOT_CMS)?;
            if !appended.is_empty() {
                return Err(NOT_CMS);
            }
            inside
        };
        Ok(Self {
            flags: identifier.flags,
            l0: identifier.l0,
            l1: identifier.l1,
            l2: identifier.l2,
            root_key: identifier.root_key,
            domain: identifier.domain,
            forest: identifier.forest,
            sid,
            wrapped_key,
            nonce,
            content,
        })
    }
}

/// The SID of a protection descriptor that names one: `SEQUENCE { OID, either }`, where
/// `either` is a sequence of rules that are each enough, a rule one of conditions that must all
/// hold, and a condition `SEQUENCE { name UTF8String, value UTF8String }`.
fn only_sid(mut descriptor: DerElements<'_>) -> Result<Sid, DirectoryError> {
    descriptor.take(Tag::ObjectIdentifier)?;
    let mut either = descriptor.inside(Tag::Sequence)?;
    descriptor.end(NOT_CMS)?;
    let mut together = either.inside(Tag::Sequence)?;
    either.end(EITHER)?;
    let mut condition = together.inside(Tag::Sequence)?;
    together.end(TOGETHER)?;
    let name = condition.take(Tag::Utf8String)?;
    let value = condition.take(Tag::Utf8String)?;
    condition.end(NOT_CMS)?;
    let sid = core::str::from_utf8(value).ok().filter(|_| name == b"SID");
    sid.and_then(|text| text.parse().ok()).ok_or(NO_SID)
}

/// What follows in a sequence of DER elements.
struct DerElements<'a>(SliceReader<'a>);

impl<'a> DerElements<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, DirectoryError> {
        SliceReader::new(bytes).map(Self).map_err(|_| NOT_CMS)
    }

    /// The contents of the next element, which has this tag.
    fn take(&mut self, tag: Tag) -> Result<&'a [u8], DirectoryError> {
        let element = AnyRef::decode(&mut self.0).map_err(|_| NOT_CMS)?;
        if element.tag() == tag { Ok(element.value()) } else { Err(NOT_CMS) }
    }

    fn inside(&mut self, tag: Tag) -> Result<Self, DirectoryError> {
        self.take(tag).and_then(Self::new)
    }

    fn expect(&mut self, tag: Tag, contents: &[u8]) -> Result<(), DirectoryError> {
        if self.take(tag)? == contents { Ok(()) } else { Err(NOT_CMS) }
    }

    /// Nothing follows; what does would go unseen.
    fn end(self, otherwise: DirectoryError) -> Result<(), DirectoryError> {
        self.0.finish().map_err(|_| otherwise)
    }

    /// What follows, whatever it is.
    fn rest(mut self) -> Result<&'a [u8], DirectoryError> {
        let len = self.0.remaining_len();
        self.0.read_slice(len).map_err(|_| NOT_CMS)
    }
}

/// [MS-GKDI] 2.2.4 as DPAPI-NG uses it: little-endian throughout.
struct KeyIdentifier {
    flags: u32,
    l0: u32,
    l1: u32,
    l2: u32,
    root_key: RootKeyId,
    domain: Text<256>,
    forest: Text<256>,
}

impl KeyIdentifier {
    fn read(bytes: &[u8]) -> Result<Self, DirectoryError> {
        const WRONG: DirectoryError =
            DirectoryError::new("the key identifier of the blob is not that of a group key");
        let (version, rest) = word(bytes).ok_or(WRONG)?;
        let rest = rest.strip_prefix(b"KDSK").ok_or(WRONG)?;
        let (flags, rest) = word(rest).ok_or(WRONG)?;
        let (l0, rest) = word(rest).ok_or(WRONG)?;
        let (l1, rest) = word(rest).ok_or(WRONG)?;
        let (l2, rest) = word(rest).ok_or(WRONG)?;
        let (root_key, rest) = rest.split_first_chunk::<16>().ok_or(WRONG)?;
        let (info, rest) = length(rest).ok_or(WRONG)?;
        let (domain, rest) = length(rest).ok_or(WRONG)?;
        let (forest, rest) = length(rest).ok_or(WRONG)?;
        let (_, rest) = rest.split_at_checked(info).ok_or(WRONG)?;
        let (domain, rest) = rest.split_at_checked(domain).ok_or(WRONG)?;
        let (forest, rest) = rest.split_at_checked(forest).ok_or(WRONG)?;
        if version != 1 || !rest.is_empty() {
            return Err(WRONG);
        }
        Ok(Self {
            flags,
            l0,
            l1,
            l2,
            root_key: RootKeyId(*root_key),
            domain: wide(domain).ok_or(WRONG)?,
            forest: wide(forest).ok_or(WRONG)?,
        })
    }
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*word), rest))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (word, rest) = word(bytes)?;
    Some((usize::try_from(word).ok()?, rest))
}

/// UTF-16, little-endian, with a zero at its end.
fn wide(bytes: &[u8]) -> Option<Text<256>> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let ([0, 0], pairs) = pairs.split_last()? else { return None };
    let mut buffer = [0; 256];
    let mut len = 0;
    for letter in char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))) {
        let letter = letter.ok()?;
        let place = buffer.get_mut(len..).filter(|rest| rest.len() >= letter.len_utf8())?;
        len += letter.encode_utf8(place).len();
    }
    odd.is_empty().then(|| Text::from_bytes(buffer.get(..len)?).ok()).flatten()
}
