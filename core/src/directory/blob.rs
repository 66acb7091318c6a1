//! What a DPAPI-NG blob says in clear: which root key, which time, who may open it (windows-laps §5.3).
//!
//! CMS `EnvelopedData` (RFC 5652) with one `KEKRecipientInfo`; its key identifier is MS-GKDI's, its "other" attribute the SID of the
//! protection descriptor. LAPS appends the encrypted content to the CMS; other users of DPAPI-NG put it inside.

use core::fmt;

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
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_0_PRIMITIVE: u8 = 0x80;
const CONTEXT_2: u8 = 0xa2;
/// 1.2.840.113549.1.7.3
const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
/// 1.3.6.1.4.1.311.74.1
const PROTECTION: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x4a, 0x01];
/// 2.16.840.1.101.3.4.1.46
const AES_256_GCM: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e];

const NOT_CMS: DirectoryError =
    DirectoryError::new("the blob is not CMS enveloped data as DPAPI-NG writes it");

impl<'a> ProtectedBlob<'a> {
    /// Reads a blob. Nothing is decrypted.
    ///
    /// # Errors
    /// [`DirectoryError`] when it is not DPAPI-NG protected to one SID.
    pub fn read(blob: &'a [u8]) -> Result<Self, DirectoryError> {
        // ContentInfo ::= SEQUENCE { contentType OID, content [0] EXPLICIT EnvelopedData }
        let mut outside = Der(blob);
        let mut info = outside.inside(SEQUENCE)?;
        info.expect(OID, ENVELOPED_DATA)?;
        // EnvelopedData ::= SEQUENCE { version 2, recipientInfos SET, encryptedContentInfo }
        let mut data = info.inside(CONTEXT_0)?.inside(SEQUENCE)?;
        data.expect(INTEGER, &[2])?;
        // KEKRecipientInfo ::= [2] SEQUENCE { version 4, kekid, keyEncryptionAlgorithm, encryptedKey }
        let mut recipient = data.inside(SET)?.inside(CONTEXT_2)?;
        recipient.expect(INTEGER, &[4])?;
        // KEKIdentifier ::= SEQUENCE { keyIdentifier OCTET STRING, other SEQUENCE { OID, SEQUENCE { OID, … } } }
        let mut kekid = recipient.inside(SEQUENCE)?;
        let identifier = KeyIdentifier::read(kekid.take(OCTETS)?)?;
        let mut other = kekid.inside(SEQUENCE)?;
        other.expect(OID, PROTECTION)?;
        let mut descriptor = other.inside(SEQUENCE)?;
        descriptor.take(OID)?;
        let mut rule = descriptor.inside(SEQUENCE)?.inside(SEQUENCE)?.inside(SEQUENCE)?;
        rule.expect(UTF8, b"SID")?;
        let sid = core::str::from_utf8(rule.take(UTF8)?).ok().and_then(|text| text.parse().ok());
        recipient.take(SEQUENCE)?;
        let wrapped_key = recipient.take(OCTETS)?;
        // EncryptedContentInfo ::= SEQUENCE { contentType, SEQUENCE { OID, GCMParameters }, [0] content OPTIONAL }
        let mut content = data.inside(SEQUENCE)?;
        content.take(OID)?;
        let mut algorithm = content.inside(SEQUENCE)?;
        algorithm.expect(OID, AES_256_GCM)?;
        let nonce = algorithm.inside(SEQUENCE)?.take(OCTETS)?;
        let content = match content.take(CONTEXT_0_PRIMITIVE) {
            Ok(inside) if outside.0.is_empty() => inside,
            Ok(_) => return Err(NOT_CMS),
            Err(_) => outside.0,
        };
        Ok(Self {
            flags: identifier.flags,
            l0: identifier.l0,
            l1: identifier.l1,
            l2: identifier.l2,
            root_key: identifier.root_key,
            domain: identifier.domain,
            forest: identifier.forest,
            sid: sid
                .ok_or(DirectoryError::new("the blob is protected to something else than a SID"))?,
            wrapped_key,
            nonce,
            content,
        })
    }
}

/// What follows in a sequence of DER elements.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The contents of the next element, which has this tag. Only definite lengths in their shortest form, below 2^16.
    fn take(&mut self, tag: u8) -> Result<&'a [u8], DirectoryError> {
        let (len, rest) = match self.0 {
            [found, ..] if *found != tag => return Err(NOT_CMS),
            [_, len @ 0..=0x7f, rest @ ..] => (usize::from(*len), rest),
            [_, 0x81, len @ 0x80..=0xff, rest @ ..] => (usize::from(*len), rest),
            [_, 0x82, high @ 1..=0xff, low, rest @ ..] => {
                (usize::from(u16::from_be_bytes([*high, *low])), rest)
            }
            _ => return Err(NOT_CMS),
        };
        let (contents, rest) = rest.split_at_checked(len).ok_or(NOT_CMS)?;
        self.0 = rest;
        Ok(contents)
    }

    fn inside(&mut self, tag: u8) -> Result<Self, DirectoryError> {
        self.take(tag).map(Self)
    }

    fn expect(&mut self, tag: u8, contents: &[u8]) -> Result<(), DirectoryError> {
        if self.take(tag)? == contents { Ok(()) } else { Err(NOT_CMS) }
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
