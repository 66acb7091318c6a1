//! What a Windows device's own password policy would say, before it is asked.

use core::fmt;

use super::chars::CharSet;
use super::forbid::fold;
use crate::secret::declassify;

/// The password policy of a Windows device, as far as it looks at the password alone.
///
/// "Password must meet complexity requirements", learn.microsoft.com: at least three of five
/// categories; the account name and the parts of the full name, when they have three or more
/// characters, may not occur, in whatever case. The full name is split at commas, periods, dashes
/// and hyphens, underscores, spaces, number signs and tabs. Case is folded for ASCII letters only;
/// Windows folds others too.
#[derive(Clone, Copy, Debug)]
pub struct WindowsPolicy<'n> {
    /// `MinimumPasswordLength`, in characters; 0 to 14, or to 128 where the limit is relaxed.
    min_length: u8,
    /// `PasswordComplexity` of the security policy.
    complexity: bool,
    user_name: &'n str,
    full_name: &'n str,
}

impl<'n> WindowsPolicy<'n> {
    /// The policy of a device for one account. `complexity` is "Password must meet complexity
    /// requirements".
    #[must_use]
    pub const fn new(
        min_length: u8,
        complexity: bool,
        user_name: &'n str,
        full_name: &'n str,
    ) -> Self {
        Self { min_length, complexity, user_name, full_name }
    }

    /// Why the device would refuse a password; nothing when it would take it.
    ///
    /// The reasons are not secret. Of a password that is all ASCII, as generated ones are, nothing
    /// else is learned from branches or addresses; one with other letters is looked at in the
    /// ordinary way.
    pub fn check<'p>(&'p self, password: &'p str) -> impl Iterator<Item = WindowsRefusal<'n>> + 'p {
        let length =
            if password.is_ascii() { password.len() } else { password.encode_utf16().count() };
        let needed = usize::from(self.min_length);
        let short = (length < needed).then_some(WindowsRefusal::TooShort { min: self.min_length });
        let categories = categories(password);
        let few = (self.complexity && categories < CATEGORIES)
            .then_some(WindowsRefusal::TooFewCategories { categories });
        let user = Some(self.user_name).filter(|name| long_enough(name));
        let user = user.map(|token| WindowsRefusal::HoldsUserName { token });
        let full = self.full_name.split(DELIMITERS).filter(|token| long_enough(token));
        let names = user
            .into_iter()
            .chain(full.map(|token| WindowsRefusal::HoldsFullName { token }))
            .filter(|refusal| self.complexity && holds(password, refusal.token()));
        short.into_iter().chain(few).chain(names)
    }
}

/// Why a Windows device would refuse a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum WindowsRefusal<'n> {
    /// It is shorter than the device's minimum.
    TooShort {
        /// The minimum, in characters.
        min: u8,
    },
    /// It uses fewer than three of five categories: upper-case letters, lower-case letters, digits,
    /// special characters, other letters.
    TooFewCategories {
        /// How many it uses.
        categories: u8,
    },
    /// It holds the account's name.
    HoldsUserName {
        /// The name.
        token: &'n str,
    },
    /// It holds a part of the account's full name.
    HoldsFullName {
        /// The part.
        token: &'n str,
    },
}

impl<'n> WindowsRefusal<'n> {
    /// The rule: `min_length`, `categories`, `user_name` or `full_name`.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "min_length",
            Self::TooFewCategories { .. } => "categories",
            Self::HoldsUserName { .. } => "user_name",
            Self::HoldsFullName { .. } => "full_name",
        }
    }

    const fn token(&self) -> &'n str {
        match self {
            Self::HoldsUserName { token } | Self::HoldsFullName { token } => token,
            Self::TooShort { .. } | Self::TooFewCategories { .. } => "",
        }
    }
}

impl fmt::Display for WindowsRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { min } => write!(f, "it must have at least {min} characters"),
            Self::TooFewCategories { categories } => write!(
                f,
                "it uses {categories} of the five categories (upper-case letters, lower-case \
                 letters, digits, special \
                 characters, other letters), and must use at least {CATEGORIES}"
            ),
            Self::HoldsUserName { token } => {
                write!(f, "it must not hold the account's name {token:?}, in upper or lower case")
            }
            Self::HoldsFullName { token } => write!(
                f,
                "it must not hold {token:?} of the account's full name, in upper or lower case"
            ),
        }
    }
}

/// How many of the five categories a password uses; every character is looked at.
fn categories(password: &str) -> u8 {
    if password.is_ascii() {
        let mut used = [0_u64; 4];
        let [upper, lower, digit, special] = &mut used;
        for byte in password.bytes() {
            let letter = is_within(byte, b'A', b'Z');
            let small = is_within(byte, b'a', b'z');
            let number = is_within(byte, b'0', b'9');
            *upper |= letter;
            *lower |= small;
            *digit |= number;
            // Every other printable character is one of Windows' special ones.
            *special |= is_within(byte, b' ', b'~') & !(letter | small | number);
        }
        return used.iter().map(|used| u8::from(!declassify(*used))).sum();
    }
    let mut used = [false; 5];
    let [upper, lower, digit, special, other] = &mut used;
    for char in password.chars() {
        *upper |= char.is_uppercase();
        *lower |= char.is_lowercase();
        *digit |= char.is_ascii_digit();
        let byte = u8::try_from(char).unwrap_or(0);
        *special |= SPECIAL.contains(byte);
        *other |= char.is_alphabetic() && !char.is_uppercase() && !char.is_lowercase();
    }
    used.iter().map(|used| u8::from(*used)).sum()
}

fn long_enough(token: &str) -> bool {
    token.chars().nth(MIN_TOKEN - 1).is_some()
}

fn holds(password: &str, token: &str) -> bool {
    // 0 once the token was found; every place is looked at to its end.
    let missing = password.as_bytes().windows(token.len()).fold(1, |missing, part| {
        let differ = part
            .iter()
            .zip(token.bytes())
            .fold(0, |differ, (byte, letter)| differ | u64::from(fold(*byte) ^ fold(letter)));
        missing & differ.wrapping_neg() >> 63
    });
    declassify(missing)
}

/// 1 when a byte lies within bounds, else 0; without a comparison.
const fn is_within(byte: u8, first: u8, last: u8) -> u64 {
    let below = (byte as u16).wrapping_sub(first as u16) >> 15;
    let above = (last as u16).wrapping_sub(byte as u16) >> 15;
    (1 ^ (below | above)) as u64
}

/// Categories that a password must use.
const CATEGORIES: u8 = 3;
/// Shorter names are not looked for.
const MIN_TOKEN: usize = 3;
const DELIMITERS: [char; 7] = [',', '.', '-', '_', ' ', '#', '\t'];
/// The special characters of Windows, without those that are not ASCII.
const SPECIAL: CharSet = CharSet::of("'-!\"#$%&()*,./:;?@[]^_`{|}~+<=> \\");

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString as _};
    use alloc::vec::Vec;

    fn refusals(policy: &WindowsPolicy<'_>, password: &str) -> Vec<String> {
        policy.check(password).map(|refusal| refusal.to_string()).collect()
    }

    #[test]
    fn a_good_password_is_taken() {
        let policy = WindowsPolicy::new(14, true, "Admin", "Local Administrator");
        assert!(refusals(&policy, "Zlh+lzC[0e0/VU").is_empty());
    }

    #[test]
    fn every_reason_is_named() {
        let policy = WindowsPolicy::new(14, true, "Admin", "Anna-Lena Berg,IT");
        assert_eq!(
            refusals(&policy, "xADMINannaITlena"),
            [
                "it uses 2 of the five categories (upper-case letters, lower-case letters, digits, \
                 special characters, other \
                 letters), and must use at least 3",
                "it must not hold the account's name \"Admin\", in upper or lower case",
                "it must not hold \"Anna\" of the account's full name, in upper or lower case",
                "it must not hold \"Lena\" of the account's full name, in upper or lower case",
            ]
        );
        assert_eq!(refusals(&policy, "Ab1"), ["it must have at least 14 characters"]);
    }

    #[test]
    fn every_character_is_of_one_category() {
        for byte in 0..128_u8 {
            let char = char::from(byte);
            let expected = u8::from(char.is_ascii_alphanumeric() || SPECIAL.contains(byte));
            assert_eq!(categories(char.encode_utf8(&mut [0; 4])), expected, "{char:?}");
            assert_eq!(fold(byte), byte.to_ascii_lowercase());
        }
        assert_eq!(categories("aB3!"), 4);
        assert_eq!(categories("\u{e4}B3!\u{6f22}"), 5);
    }

    #[test]
    fn short_names_and_relaxed_policies_are_let_through() {
        let policy = WindowsPolicy::new(0, true, "Al", "Bo Li");
        assert!(refusals(&policy, "alBoLi1").is_empty());
        let relaxed = WindowsPolicy::new(3, false, "Admin", "");
        assert!(refusals(&relaxed, "admin").is_empty());
    }

    #[test]
    fn other_alphabets_are_a_category() {
        let policy = WindowsPolicy::new(0, true, "", "");
        assert!(refusals(&policy, "a1\u{6f22}").is_empty());
        assert_eq!(refusals(&policy, "a1").len(), 1);
    }
}
