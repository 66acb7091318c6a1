//! Names for an account that LAPS itself makes (windows-laps §3.1): a name or prefix, and six
//! random digits.

use core::fmt;

use rand_core::TryCryptoRng;

use super::{LocalAccount, same_name};
use crate::{error::Code, identity::AccountName, random::Generator};

/// A local account name has at most 20 characters (windows-laps §3.1).
const MAX_NAME: usize = 20;
/// The digits that make a name random, and what is left for the prefix beside them.
const DIGITS: usize = 6;
const MAX_PREFIX: usize = MAX_NAME - DIGITS;
/// So many names are tried before giving up: with a million of them, all taken means that something
/// is wrong.
const TRIES: usize = 32;
/// Characters that Windows refuses in the name of a local account.
const FORBIDDEN: &str = "\"/\\[]:;|=,+*?<>@";

/// The name of the automatically managed account.
///
/// With `randomize`, the name is the prefix, cut to 14 characters, and six random digits (`000000`
/// to `999999`, each equally likely); one that is `taken` is drawn again. Without, it is the prefix
/// itself, and `taken` must not hold it: leave out the account that is managed already.
///
/// # Errors
/// [`NamingError`] when the prefix cannot be a name, every try is taken, or the random source
/// fails.
pub fn automatic_name<S: TryCryptoRng>(
    prefix: &str,
    randomize: bool,
    taken: &[LocalAccount],
    generator: &mut Generator<S>,
) -> Result<AccountName, NamingError> {
    if randomize {
        generator.reseed().or(Err(NamingError::Random))?;
    }
    draw_name(prefix, randomize, taken, generator)
}

fn draw_name<R: TryCryptoRng>(
    prefix: &str,
    randomize: bool,
    taken: &[LocalAccount],
    rng: &mut R,
) -> Result<AccountName, NamingError> {
    check_name(prefix)?;
    let is_taken = |name: &AccountName| {
        taken.iter().any(|account| same_name(account.name.as_str(), name.as_str()))
    };
    if !randomize {
        let name = AccountName::new(prefix).or(Err(NamingError::Forbidden))?;
        return if is_taken(&name) { Err(NamingError::Taken) } else { Ok(name) };
    }
    let prefix = cut_prefix(prefix);
    for _ in 0..TRIES {
        let name = with_digits(prefix, six_digits(rng)?)?;
        if !is_taken(&name) {
            return Ok(name);
        }
    }
    Err(NamingError::Taken)
}

/// Whether a text can be the name of a local account: 1 to 20 characters (UTF-16 units, as Windows
/// counts), none of `" / \ [ ] : ; | = , + * ? < > @`, no control characters, no space at either
/// end, no dot at the end.
///
/// # Errors
/// [`NamingError`] names the rule that is broken.
pub fn check_name(name: &str) -> Result<(), NamingError> {
    if name.is_empty() {
        return Err(NamingError::Empty);
    }
    if name.chars().map(char::len_utf16).sum::<usize>() > MAX_NAME {
        return Err(NamingError::TooLong);
    }
    if name.contains(|letter: char| FORBIDDEN.contains(letter) || letter.is_control()) {
        return Err(NamingError::Forbidden);
    }
    if name.trim() != name || name.ends_with('.') {
        return Err(NamingError::Ends);
    }
    Ok(())
}

/// What stays of a prefix when six digits follow it: at most 14 characters (UTF-16 units).
pub(crate) fn cut_prefix(prefix: &str) -> &str {
    cut(prefix, MAX_PREFIX)
}

/// The longest start of `text` with at most `units` UTF-16 units that does not split a character.
fn cut(text: &str, units: usize) -> &str {
    let mut left = units;
    let end = text
        .char_indices()
        .find(|(_, letter)| {
            let fits = letter.len_utf16() <= left;
            left = left.saturating_sub(letter.len_utf16());
            !fits
        })
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// A number below one million, exactly uniform: a draw of 20 bits above it is thrown away.
fn six_digits<R: TryCryptoRng>(rng: &mut R) -> Result<u32, NamingError> {
    // 2^20 is 1 048 576: one draw in 22 is refused; 64 refusals in a row mean a source that is
    // stuck.
    for _ in 0..64 {
        let draw = rng.try_next_u32().or(Err(NamingError::Random))? & 0xf_ffff;
        if draw < 1_000_000 {
            return Ok(draw);
        }
    }
    Err(NamingError::Random)
}

fn with_digits(prefix: &str, number: u32) -> Result<AccountName, NamingError> {
    // 14 characters of at most three bytes (a pair of UTF-16 units has four for two), and six
    // digits.
    let mut bytes = [0; 3 * MAX_PREFIX + DIGITS];
    let (start, rest) = bytes.split_at_mut_checked(prefix.len()).ok_or(NamingError::TooLong)?;
    start.copy_from_slice(prefix.as_bytes());
    let digits = rest.get_mut(..DIGITS).ok_or(NamingError::TooLong)?;
    let mut divisor = 100_000;
    for digit in digits {
        let value = number.checked_div(divisor).and_then(|n| n.checked_rem(10)).unwrap_or_default();
        *digit = b'0' + u8::try_from(value).unwrap_or_default();
        divisor = divisor.checked_div(10).unwrap_or(1).max(1);
    }
    let used = bytes.get(..prefix.len() + DIGITS).ok_or(NamingError::TooLong)?;
    AccountName::from_bytes(used).or(Err(NamingError::Forbidden))
}

/// Why there is no name for the automatically managed account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NamingError {
    /// Nothing to start from.
    Empty,
    /// A space at an end, or a dot at the end.
    Ends,
    /// A character that Windows refuses in the name of a local account.
    Forbidden,
    /// The random source failed.
    Random,
    /// The name, or every name that was tried, belongs to another account.
    Taken,
    /// Over 20 characters.
    TooLong,
}

impl NamingError {
    /// The number of this error.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Random => Code::RandomFailure,
            Self::Empty | Self::Ends | Self::Forbidden | Self::Taken | Self::TooLong => {
                Code::AccountRefused
            }
        }
    }
}

impl fmt::Display for NamingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the account name is empty; 1 to 20 characters are accepted",
            Self::Ends => {
                "the account name begins or ends with a space, or ends with a dot; \
                 remove it"
            }
            Self::Forbidden => {
                "the account name has a character that Windows refuses: one of \" / \\ [ ] : ; | = \
                 , + * ? < > @ or a control character"
            }
            Self::Random => "the random source failed; no account name was made",
            Self::Taken => {
                "the account name belongs to another account; choose another name or \
                 prefix"
            }
            Self::TooLong => {
                "the account name has over 20 characters, the most that Windows \
                 accepts"
            }
        })
    }
}

impl core::error::Error for NamingError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString as _, vec::Vec};
    use core::convert::Infallible;
    use rand_core::TryRng;

    /// Gives one number after another.
    struct Steps(u32);

    impl TryRng for Steps {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            self.0 = self.0.wrapping_add(1);
            Ok(self.0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            self.try_next_u32().map(u64::from)
        }
        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
            out.fill(7);
            Ok(())
        }
    }

    impl TryCryptoRng for Steps {}

    fn account(name: &str) -> LocalAccount {
        LocalAccount { name: AccountName::new(name).unwrap(), sid: None, enabled: true }
    }

    fn name(prefix: &str, taken: &[LocalAccount]) -> Result<alloc::string::String, NamingError> {
        draw_name(prefix, true, taken, &mut Steps(41)).map(|name| name.to_string())
    }

    #[test]
    fn six_digits_follow_the_prefix_which_is_cut_to_fourteen() {
        assert_eq!(name("WLapsAdmin", &[]).unwrap(), "WLapsAdmin000042");
        assert_eq!(name("AVeryLongPrefixIndeed", &[]), Err(NamingError::TooLong));
        assert_eq!(name("AVeryLongPrefix12345", &[]).unwrap(), "AVeryLongPrefi000042");
        // Fourteen UTF-16 units; a pair is not split.
        assert_eq!(name("1234567890123\u{1f511}", &[]).unwrap(), "1234567890123000042");
        assert_eq!(name("\u{4e00}".repeat(20).as_str(), &[]).unwrap().chars().count(), 20);
    }

    #[test]
    fn a_name_that_is_taken_is_drawn_again() {
        assert_eq!(
            name("ops", &[account("OPS000042"), account("ops000043")]).unwrap(),
            "ops000044"
        );
        let all: Vec<_> = (0..200).map(|n| account(&alloc::format!("ops{n:06}"))).collect();
        assert_eq!(name("ops", &all), Err(NamingError::Taken));
        let fixed = |taken: &[LocalAccount]| draw_name("ops", false, taken, &mut Steps(0));
        assert_eq!(fixed(&[account("Ops")]), Err(NamingError::Taken));
        assert_eq!(fixed(&[account("Other")]).unwrap().as_str(), "ops");
    }

    #[test]
    fn draws_above_a_million_are_thrown_away_and_a_stuck_source_is_an_error() {
        let named = draw_name("a", true, &[], &mut Steps(999_998)).unwrap();
        assert_eq!(named.as_str(), "a999999");
        assert_eq!(
            draw_name("a", true, &[], &mut Steps(0xf_0000 + 0xffff)).unwrap().as_str(),
            "a000000"
        );
        assert_eq!(draw_name("a", true, &[], &mut Steps(1_000_000)), Err(NamingError::Random));
    }

    #[test]
    fn names_that_windows_refuses_are_refused_with_the_rule() {
        assert_eq!(check_name(""), Err(NamingError::Empty));
        assert_eq!(check_name("123456789012345678901"), Err(NamingError::TooLong));
        for letter in FORBIDDEN.chars() {
            let name: alloc::string::String = ['a', letter].iter().collect();
            assert_eq!(check_name(&name), Err(NamingError::Forbidden), "{letter}");
        }
        for name in [" a", "a ", ".", "a."] {
            assert_eq!(check_name(name), Err(NamingError::Ends), "{name:?}");
        }
        assert_eq!(check_name("Jürgen's admin-1_"), Ok(()));
    }
}
