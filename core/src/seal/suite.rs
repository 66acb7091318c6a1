//! The two suites: which key encapsulation, key derivation and cipher wrap a content key.

/// How the content key of a record is wrapped for its readers. One record never mixes suites.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[repr(u16)]
pub enum Suite {
    /// X-Wing (ML-KEM-768 and X25519), HKDF-SHA256, ChaCha20-Poly1305: safe against a later quantum
    /// computer as long as either half holds. The default. An Internet-Draft, pinned in
    /// FORMAT.md.
    XWing = 1,
    /// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305 (RFC 9180).
    X25519 = 2,
}

impl Suite {
    /// Every suite, in numerical order.
    pub const ALL: &'static [Self] = &[Self::XWing, Self::X25519];

    /// The number that stands in records.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        match self {
            Self::XWing => 1,
            Self::X25519 => 2,
        }
    }

    /// The suite with this number, if there is one.
    #[must_use]
    pub const fn from_u16(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::XWing),
            2 => Some(Self::X25519),
            _ => None,
        }
    }

    /// The name that stands in readers' lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XWing => "x-wing",
            Self::X25519 => "x25519",
        }
    }

    /// The suite with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|suite| suite.name() == name)
    }

    /// Length of a public key in bytes.
    #[must_use]
    pub(crate) const fn public_key_len(self) -> usize {
        match self {
            Self::XWing => 1216,
            Self::X25519 => 32,
        }
    }

    /// Length of an encapsulated key in bytes.
    pub(crate) const fn encapsulated_len(self) -> usize {
        match self {
            Self::XWing => 1120,
            Self::X25519 => 32,
        }
    }

    /// Length of a wrap in bytes: the encapsulated key, the content key (32) and its tag (16).
    #[must_use]
    pub const fn wrap_len(self) -> usize {
        self.encapsulated_len() + 32 + 16
    }
}
