//! Security identifiers, read and written strictly (`[MS-DTYP]` 2.4.2).

use core::{fmt, str::FromStr};

use crate::error::Code;

/// A Windows security identifier: revision 1, a 48-bit authority, 1 to 15 sub-authorities.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sid {
    authority: u64,
    // Unused places are zero, so that the derived comparisons hold.
    parts: [u32; Self::MAX_PARTS],
    count: u8,
}

impl Sid {
    /// The most bytes of the binary form: 8 and 4 for each of 15 sub-authorities.
    pub const MAX_BINARY_LEN: usize = 68;
    const MAX_PARTS: usize = 15;
    const MAX_AUTHORITY: u64 = (1 << 48) - 1;

    fn new(authority: u64, parts: &[u32]) -> Option<Self> {
        let mut all = [0; Self::MAX_PARTS];
        all.get_mut(..parts.len())?.copy_from_slice(parts);
        let count = u8::try_from(parts.len()).ok()?;
        (count > 0 && authority <= Self::MAX_AUTHORITY).then_some(Self {
            authority,
            parts: all,
            count,
        })
    }

    /// The identifier that stands for a Unix user: S-1-22-1-uid, as Samba writes it.
    #[must_use]
    pub const fn unix_user(uid: u32) -> Self {
        let mut parts = [0; Self::MAX_PARTS];
        [parts[0], parts[1]] = [1, uid];
        Self { authority: 22, parts, count: 2 }
    }

    /// Reads the binary form: revision, count, authority (6 bytes, big-endian), then each
    /// sub-authority (4 bytes, little-endian), and nothing after.
    ///
    /// # Errors
    /// [`SidError`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SidError> {
        let (head, rest) = bytes.split_first_chunk::<8>().ok_or(SidError)?;
        let [1, count, authority @ ..] = head else { return Err(SidError) };
        let authority = authority.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte));
        let mut parts = [0; Self::MAX_PARTS];
        let used = parts.get_mut(..usize::from(*count)).ok_or(SidError)?;
        if rest.len() != used.len() * 4 {
            return Err(SidError);
        }
        for (part, chunk) in used.iter_mut().zip(rest.as_chunks::<4>().0) {
            *part = u32::from_le_bytes(*chunk);
        }
        Self::new(authority, used).ok_or(SidError)
    }

    /// Writes the binary form to the front of `out` and says how many bytes it is.
    pub fn write_bytes(&self, out: &mut [u8; Self::MAX_BINARY_LEN]) -> usize {
        let [_, _, authority @ ..] = self.authority.to_be_bytes();
        let (head, rest) = out.split_at_mut(8);
        let [a, b, c, d, e, f] = authority;
        head.copy_from_slice(&[1, self.count, a, b, c, d, e, f]);
        for (chunk, part) in rest.as_chunks_mut::<4>().0.iter_mut().zip(self.parts()) {
            *chunk = part.to_le_bytes();
        }
        8 + 4 * self.parts().len()
    }

    /// The 48-bit identifier authority: 5 for Windows accounts, 22 for Unix ones.
    #[must_use]
    pub const fn authority(self) -> u64 {
        self.authority
    }

    /// The sub-authorities, 1 to 15.
    #[must_use]
    pub fn parts(&self) -> &[u32] {
        self.parts.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// The last sub-authority.
    #[must_use]
    pub fn rid(self) -> u32 {
        self.parts().last().copied().unwrap_or_default()
    }

    /// Whether this is the built-in administrator of a machine or domain: S-1-5-21-x-y-z-500.
    #[must_use]
    pub fn is_builtin_administrator(self) -> bool {
        self.is_of_machine() && self.rid() == 500
    }

    /// S-1-5-21-x-y-z-rid: an account of a machine or domain.
    fn is_of_machine(self) -> bool {
        self.authority == 5 && matches!(self.parts(), [21, _, _, _, _])
    }

    /// An account that somebody made: RID 1000 or above, or a Unix user that is neither a
    /// statically allocated system account (uid 1 to 99) nor `nobody` (65534).
    pub(super) fn is_ordinary_account(self) -> bool {
        match (self.authority, self.parts()) {
            (5, [21, _, _, _, rid]) => *rid >= 1000,
            (22, [1, uid]) => !matches!(*uid, 1..=99 | 65534 | u32::MAX),
            _ => false,
        }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.authority > u64::from(u32::MAX) {
            write!(f, "S-1-0x{:012X}", self.authority)?;
        } else {
            write!(f, "S-1-{}", self.authority)?;
        }
        self.parts().iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Only the one way in which Windows writes a SID: no lower-case `s`, no leading zeros, no spaces;
/// an authority from 2^32 on as `0x` and twelve hexadecimal digits in capitals.
impl FromStr for Sid {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Self, SidError> {
        let mut fields = text.strip_prefix("S-1-").ok_or(SidError)?.split('-');
        let authority = read_authority(fields.next().unwrap_or_default()).ok_or(SidError)?;
        let mut parts = [0; Self::MAX_PARTS];
        let mut count = 0;
        for field in fields {
            let value = read_decimal(field).ok_or(SidError)?;
            *parts.get_mut(count).ok_or(SidError)? = value;
            count += 1;
        }
        Self::new(authority, parts.get(..count).unwrap_or_default()).ok_or(SidError)
    }
}

fn read_authority(field: &str) -> Option<u64> {
    let Some(hex) = field.strip_prefix("0x") else {
        return read_decimal(field).map(u64::from);
    };
    let all_digits = hex.len() == 12 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    let value = all_digits.then(|| u64::from_str_radix(hex, 16).ok())??;
    (u32::try_from(value).is_err()).then_some(value)
}

/// Digits without a sign or a leading zero, below 2^32.
fn read_decimal(field: &str) -> Option<u32> {
    let plain =
        field.bytes().all(|b| b.is_ascii_digit()) && (field == "0" || !field.starts_with('0'));
    plain.then(|| field.parse().ok())?
}

/// Not a security identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SidError;

impl SidError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::SidMalformed
    }
}

impl fmt::Display for SidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a security identifier; one looks like \
             S-1-5-21-1004336348-1177238915-682003330-500",
        )
    }
}

impl core::error::Error for SidError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec::Vec};
    use proptest::prelude::*;

    #[test]
    fn text_and_bytes_are_those_of_windows() {
        // [MS-DTYP] 2.4.2.2 layout, for the built-in administrators' group.
        let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        let sid = Sid::from_bytes(&bytes).unwrap();
        assert_eq!(sid.to_string(), "S-1-5-32-544");
        assert_eq!(sid.rid(), 544);
        let mut out = [0xff; Sid::MAX_BINARY_LEN];
        let len = sid.write_bytes(&mut out);
        assert_eq!(out[..len], bytes);
        let large = "S-1-0x123456789ABC-7";
        assert_eq!(large.parse::<Sid>().unwrap().to_string(), large);
        assert_eq!(Sid::unix_user(1000).to_string(), "S-1-22-1-1000");
    }

    #[test]
    fn anything_but_the_one_way_of_writing_is_refused() {
        for text in [
            "",
            "S-1",
            "S-1-",
            "S-1-5",
            "S-1-5-",
            "s-1-5-18",
            "S-2-5-18",
            "S-1-5-018",
            "S-1-05-18",
            "S-1-5--18",
            "S-1-5-+18",
            "S-1-5-18 ",
            " S-1-5-18",
            "S-1-5-4294967296",
            "S-1-4294967296-1",
            "S-1-0x000000000005-18",
            "S-1-0x12345678ABC-1",
            "S-1-0x+2345678ABCD-1",
            "S-1-0x123456789ABc-7",
            "S-1-5-0x12",
            "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
            "S-1-5-18\0",
            "S-1-5-١٨",
        ] {
            assert_eq!(text.parse::<Sid>(), Err(SidError), "{text:?}");
        }
        let good = [1_u8, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
        assert!(Sid::from_bytes(&good).is_ok());
        for len in 0..good.len() {
            assert_eq!(Sid::from_bytes(&good[..len]), Err(SidError), "{len}");
        }
        for (at, value) in [(0, 0), (0, 2), (1, 0), (1, 2), (1, 16), (1, 255)] {
            let mut bad = good;
            bad[at] = value;
            assert_eq!(Sid::from_bytes(&bad), Err(SidError), "{at} {value}");
        }
        assert_eq!(Sid::from_bytes(&[&good[..], &[0]].concat()), Err(SidError));
        assert_eq!(Sid::from_bytes(&[1, 0, 0, 0, 0, 0, 0, 5]), Err(SidError));
    }

    proptest! {
        #[test]
        fn every_identifier_survives_text_and_bytes(
            authority in 0..=Sid::MAX_AUTHORITY,
            parts in proptest::collection::vec(any::<u32>(), 1..=15),
        ) {
            let sid = Sid::new(authority, &parts).unwrap();
            prop_assert_eq!(sid.to_string().parse::<Sid>(), Ok(sid));
            let mut out = [0; Sid::MAX_BINARY_LEN];
            let len = sid.write_bytes(&mut out);
            prop_assert_eq!(Sid::from_bytes(&out[..len]), Ok(sid));
        }

        #[test]
        fn what_is_read_is_written_back_unchanged(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            text in "[S0-9x-]{0,40}",
        ) {
            if let Ok(sid) = Sid::from_bytes(&bytes) {
                let mut out = [0; Sid::MAX_BINARY_LEN];
                let len = sid.write_bytes(&mut out);
                prop_assert_eq!(&out[..len], &bytes[..]);
            }
            if let Ok(sid) = text.parse::<Sid>() {
                prop_assert_eq!(sid.to_string(), text);
            }
        }
    }

    #[test]
    fn order_and_equality_are_those_of_the_identifier() {
        let mut all: Vec<Sid> =
            ["S-1-5-21-1", "S-1-5-18", "S-1-5-18-0"].map(|text| text.parse().unwrap()).to_vec();
        all.sort_unstable();
        let texts: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["S-1-5-18", "S-1-5-18-0", "S-1-5-21-1"]);
    }
}
