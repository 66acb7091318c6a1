//! What a device's password policy asks for, as the text of its refusal says it.
//!
//! Understood are the English texts of `pam_pwquality` and `pam_cracklib`, `pam_unix`, `passwdqc`
//! and `Windows` (as our store words it), and what programs behind the command store usually say:
//! `too short: minimum 20`, `at least 2 digits`, `at most 32 characters`. A text that is not
//! understood asks for nothing, and then another password is made by the same recipe. Whatever is
//! read here, a misunderstanding or an attack, makes no password weaker: what a demand costs is
//! made up for by length, or it is not followed (`Policy::follow`).

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{Stricter, UNKNOWN};

/// What this refusal asks for; `length` is that of the refused password, or of the shortest of its
/// recipe. Nothing when the text does not say. Looks at no more than the first 1024 characters.
#[must_use]
pub fn parse_demands(reason: &str, length: u8) -> Stricter {
    let Numbers { mut asked, short, long } = numbers(&beginning(reason));
    if short {
        asked.length = length.saturating_add(LONGER);
    }
    if long {
        asked.max_length = Some(length.saturating_sub(1));
    }
    asked
}

/// The part of a text that is looked at, in lower case.
fn beginning(said: &str) -> String {
    said.chars().take(MOST_READ).collect::<String>().to_ascii_lowercase()
}

/// What a text asks for by a number, and what without one.
struct Numbers {
    asked: Stricter,
    short: bool,
    long: bool,
}

fn numbers(text: &str) -> Numbers {
    let text = text.split(' ').map(in_figures).collect::<Vec<_>>().join(" ");
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut asked = Stricter::default();
    for (number, what) in LEAST.iter().flat_map(|words| numbers_behind(&text, words)) {
        raise(&mut asked, what, number);
    }
    for (number, what) in MOST.iter().flat_map(|words| numbers_behind(&text, words)) {
        lower(&mut asked, what, number);
    }
    for (number, what) in numbers_behind(&text, "more than") {
        // "more than 3 same characters consecutively"; of a length this says nothing: it may be
        // what is needed.
        if is_run(what) {
            lower(&mut asked, what, number);
        }
    }
    for (least, rest) in numbers_behind(&text, "between") {
        // "between 8 and 16 characters"
        let most = rest.strip_prefix("and ").and_then(number_at_the_start);
        if let Some((most, what)) = most.filter(|(most, _)| *most >= least) {
            raise(&mut asked, what, least);
            lower(&mut asked, what, most);
        }
    }
    if let Some((_, what)) = text.split_once("too few ") {
        raise(&mut asked, noun(what), 1);
    }
    Numbers {
        short: asked.length == 0 && has(&["too short", "longer password"]),
        long: asked.max_length.is_none() && has(&["too long", "shorter password"]),
        asked,
    }
}

/// What a refusal says, in our words: what it asks for, and the cause where it is a known one.
/// [`parse_demands`] finds in it what it finds in `reason`; nothing else of `reason` is in it,
/// which may quote the password.
#[must_use]
pub fn worded(reason: &str) -> String {
    let text = beginning(reason);
    let Numbers { asked, short, long } = numbers(&text);
    let mut parts = Vec::new();
    for (number, what) in [
        (asked.length, "characters"),
        (asked.upper, "upper-case letters"),
        (asked.lower, "lower-case letters"),
        (asked.digits, "digits"),
        (asked.symbols, "special characters"),
    ] {
        if number > 0 {
            parts.push(format!("at least {number} {what}"));
        }
    }
    parts.extend(asked.max_length.map(|most| format!("at most {most} characters")));
    parts.extend(asked.max_run.map(|most| format!("at most {most} same characters in a row")));
    let causes = [(short, "it is too short"), (long, "it is too long")];
    parts.extend(causes.iter().filter(|(is, _)| *is).map(|(_, why)| (*why).to_owned()));
    parts.extend(known(&text, &CAUSES).map(ToOwned::to_owned));
    if parts.is_empty() { UNKNOWN.to_owned() } else { parts.join("; ") }
}

/// Known troubles of a program that sets a password, in our words.
#[must_use]
pub fn known_troubles(said: &str) -> Vec<&'static str> {
    known(&beginning(said), &TROUBLES).collect()
}

fn known<'t>(
    text: &'t str,
    list: &'t [(&'static str, &'static str)],
) -> impl Iterator<Item = &'static str> + 't {
    list.iter().filter(move |(words, _)| text.contains(words)).map(|(_, ours)| *ours)
}

/// So many of something, at least.
fn raise(asked: &mut Stricter, what: &str, number: u8) {
    let has = |words: &[&str]| words.iter().any(|word| what.contains(word));
    let place = if has(&["class", "categor", "type"]) {
        return;
    } else if has(&["alphanumeric", "special", "symbol", "punctuation", "other character"]) {
        &mut asked.symbols
    } else if has(&["digit", "numeric", "number"]) {
        &mut asked.digits
    } else if has(&["upper", "capital"]) {
        &mut asked.upper
    } else if has(&["lower"]) {
        &mut asked.lower
    } else if what.is_empty() || has(&["character"]) {
        &mut asked.length
    } else {
        return;
    };
    *place = number.max(*place);
}

/// So many characters, or so many of one character in a row, at most. A limit for digits or for
/// whole classes is none for characters.
fn lower(asked: &mut Stricter, what: &str, number: u8) {
    let place = if is_run(what) {
        &mut asked.max_run
    } else if is_length(what) {
        &mut asked.max_length
    } else {
        return;
    };
    *place = Some(place.map_or(number, |before| number.min(before)));
}

fn is_run(what: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| what.contains(word));
    has(&["consecutive", "in a row"])
        && has(&["same character", "identical character", "repeated character"])
}

/// Characters without a word of what kind. A length that is misunderstood costs more as the most
/// than as the least: nothing may ever be short enough.
fn is_length(what: &str) -> bool {
    what.is_empty() || ["character", "characters"].contains(&what.split(' ').next().unwrap_or(""))
}

/// The numbers that stand behind these words, with at most two words between, and what they count.
fn numbers_behind<'t>(text: &'t str, words: &'t str) -> impl Iterator<Item = (u8, &'t str)> {
    text.match_indices(words).filter_map(move |(at, _)| {
        let rest = text.get(at.saturating_add(words.len())..)?;
        let start = rest.find(|c: char| c.is_ascii_digit())?;
        let (between, rest) = rest.split_at_checked(start)?;
        let ends = |c: char| c != ':' && ENDS.contains(&c);
        if between.split_whitespace().count() > 2 || between.contains(ends) {
            return None;
        }
        number_at_the_start(rest)
    })
}

/// A number from 1 to 128, and what it counts.
fn number_at_the_start(text: &str) -> Option<(u8, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    let number = number.parse().ok().filter(|number| (1..=128).contains(number))?;
    Some((number, noun(rest)))
}

/// What is counted: the words up to the end of their part of the sentence.
fn noun(rest: &str) -> &str {
    let end = rest.find(ENDS).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().trim()
}

/// A number in words, in figures.
fn in_figures(word: &str) -> &str {
    let known = NUMBERS.iter().find(|(name, _)| *name == word);
    known.map_or(word, |(_, figures)| figures)
}

/// Words of a refusal, and the cause in ours. None of ours asks for anything, as
/// [`parse_demands`] reads it.
const CAUSES: [(&str, &str); 9] = [
    ("already been used", "it was used before"),
    ("already used", "it was used before"),
    ("character class", "it needs more kinds of characters"),
    ("dictionary", "it is like a word of a dictionary"),
    ("palindrome", "it reads the same backwards"),
    ("sequence", "it has a sequence in it"),
    ("similar", "it is too much like the old one"),
    ("simplistic", "it is too regular"),
    ("user name", "it is like the account's name"),
];
/// Words of a program that failed, and what they mean in ours.
const TROUBLES: [(&str, &str); 14] = [
    ("authentication token lock busy", "another program has the password file locked"),
    ("authentication token manipulation error", "authentication token manipulation error"),
    ("cannot lock", "another program has the password file locked"),
    ("cannot open", "it cannot open a file"),
    ("command not found", "a program that it starts is not there"),
    ("connection refused", "a connection was refused"),
    ("does not exist", "something that it needs is not there"),
    ("no space left", "the disk is full"),
    ("no such file", "a file that it needs is not there"),
    ("operation not permitted", "it is not allowed to"),
    ("password not changed", "the password was not changed"),
    ("permission denied", "it is not allowed to"),
    ("read-only file system", "the file system is read-only"),
    ("try again", "it asks to be tried again"),
];
/// Words before the least of something.
const LEAST: [&str; 5] = ["less than", "fewer than", "shorter than", "at least", "minimum"];
/// Words before the most of something.
const MOST: [&str; 6] =
    ["at most", "maximum", "no more than", "not more than", "no longer than", "not exceed"];
/// Numbers that are often written out.
const NUMBERS: [(&str, &str); 5] =
    [("one", "1"), ("two", "2"), ("three", "3"), ("four", "4"), ("five", "5")];
/// What ends a part of a sentence.
const ENDS: [char; 6] = ['.', ',', ';', ':', '(', '\n'];
/// By how many characters a password grows that is "too short" without a number.
const LONGER: u8 = 4;
/// Characters of a refusal that are read.
const MOST_READ: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Stricter)) -> Stricter {
        let mut asked = Stricter::default();
        change(&mut asked);
        asked
    }

    #[test]
    fn refusals_of_pam_modules_windows_and_programs_say_what_they_ask_for() {
        let length = |least| with(|asked| asked.length = least);
        for (text, expected) in [
            ("exit status 1: BAD PASSWORD: The password is shorter than 20 characters", length(20)),
            ("BAD PASSWORD: The password is too short", length(18)),
            ("BAD PASSWORD: it is WAY too short", length(18)),
            ("You must choose a longer password.", length(18)),
            ("too short: minimum 20", length(20)),
            ("at least 16 characters are needed", length(16)),
            ("Minimum length is 15.", length(15)),
            (
                "exit status 1: chpasswd: (line 1, user laps3) password not changed BAD PASSWORD: \
                 The password is shorter than 17 characters",
                length(17),
            ),
            ("Windows' password policy refused the password: its minimum length is 24", length(24)),
            ("BAD PASSWORD: The password contains less than 3 digits", with(|a| a.digits = 3)),
            ("BAD PASSWORD: The password contains too few digits", with(|a| a.digits = 1)),
            ("The password contains less than 2 uppercase letters", with(|a| a.upper = 2)),
            ("The password contains less than 4 lowercase letters", with(|a| a.lower = 4)),
            (
                "BAD PASSWORD: The password contains less than 2 non-alphanumeric characters",
                with(|a| a.symbols = 2),
            ),
            (
                "The password contains more than 2 same characters consecutively",
                with(|a| a.max_run = Some(2)),
            ),
            (
                "Too short: minimum 18. It must contain at least 2 special characters; at least 3 \
                 digits",
                with(|a| (a.length, a.symbols, a.digits) = (18, 2, 3)),
            ),
            ("at least 12 or more characters", length(12)),
            ("It needs at least one special character", with(|a| a.symbols = 1)),
            (
                "Minimum length: 12, maximum length: 32",
                with(|a| (a.length, a.max_length) = (12, Some(32))),
            ),
            ("too long: at most 12 characters", with(|a| a.max_length = Some(12))),
            ("The password must not exceed 16 characters", with(|a| a.max_length = Some(16))),
            (
                "must be between 8 and 12 characters long",
                with(|a| (a.length, a.max_length) = (8, Some(12))),
            ),
            ("The password is too long", with(|a| a.max_length = Some(13))),
            ("no more than 2 identical characters in a row", with(|a| a.max_run = Some(2))),
        ] {
            assert_eq!(parse_demands(text, 14), expected, "{text}");
            assert_eq!(parse_demands(&worded(text), 14), expected, "{}", worded(text));
        }
    }

    #[test]
    fn our_words_for_a_refusal_are_ours() {
        assert_eq!(worded("hunter2 is no good"), UNKNOWN);
        assert_eq!(
            worded(
                "'pa&apos;ss' is too short: minimum 20; 'pa&apos;ss' is based on a dictionary word"
            ),
            "at least 20 characters; it is like a word of a dictionary"
        );
        assert_eq!(worded("pa ss: it is WAY too short"), "it is too short");
        assert_eq!(known_troubles("chpasswd: pa ss: Permission denied"), ["it is not allowed to"]);
        for (_, ours) in CAUSES.iter().chain(&TROUBLES) {
            assert!(parse_demands(ours, 14).is_empty(), "{ours}");
        }
    }

    #[test]
    fn a_text_that_does_not_say_asks_for_nothing() {
        for text in [
            "",
            "no good",
            "Password has been already used. Choose another.",
            "BAD PASSWORD: The password is too similar to the old one",
            "BAD PASSWORD: The password fails the dictionary check - it is based on a dictionary \
             word",
            "BAD PASSWORD: The password contains less than 3 character classes",
            "BAD PASSWORD: The password contains more than 4 characters of the same class \
             consecutively",
            "The password contains monotonic sequence longer than 3 characters consecutively",
            "you changed it 3 days ago",
            "the password is 14 characters long",
            "digit 7 is not allowed",
            "chpasswd: (line 1, user laps3) password not changed",
            "less than 2 days since the last change",
            "at most 2 digits",
            "at most 2 of these characters",
            "the maximum age of a password is 30 days",
            "you may try it at most 3 times",
            "Password must be longer than 8 characters or so",
            "between 3 and 5 attempts are left",
            "at least one of these is missing",
            "at least \u{0663} digits",
        ] {
            assert!(parse_demands(text, 14).is_empty(), "{text}: {:?}", parse_demands(text, 14));
            assert!(parse_demands(&worded(text), 14).is_empty(), "{}", worded(text));
        }
    }

    #[test]
    fn numbers_beyond_all_passwords_are_not_believed() {
        for text in [
            "too short: minimum 0",
            "too short: minimum 999",
            "too short: minimum 99999999999999999999",
        ] {
            assert_eq!(parse_demands(text, 14).length, 18, "{text}");
        }
    }

    #[test]
    fn no_text_is_too_long_or_too_strange() {
        let hostile = "at least ".repeat(1 << 17) + "20 characters";
        assert!(parse_demands(&hostile, 14).is_empty());
        let many = "at least 9 digits; ".repeat(1 << 16);
        assert_eq!(parse_demands(&many, 14), with(|a| a.digits = 9));
        // Every sequence of four pieces.
        let pieces = [
            "at least",
            "minimum ",
            "at most",
            "between 1 and",
            "more than",
            "too few",
            "one",
            "99999999999999999999",
            "128",
            "0",
            "\u{e9}",
            "\u{1f512}",
            " ",
            ":",
            "digits",
            "characters",
            "same characters in a row",
            "too short",
            "\0",
            "\u{202e}",
        ];
        for first in pieces {
            for second in pieces {
                for (third, fourth) in
                    pieces.iter().flat_map(|third| pieces.map(|fourth| (third, fourth)))
                {
                    let picked = [first, second, third, fourth];
                    for text in [picked.concat(), picked.join(" ")] {
                        let asked = parse_demands(&text, u8::MAX);
                        assert_eq!(
                            parse_demands(&worded(&text), u8::MAX),
                            asked,
                            "{text}: {}",
                            worded(&text)
                        );
                        assert_eq!(asked.parts().fold(Stricter::default(), Stricter::and), asked);
                        let most = asked.max_length.into_iter().chain(asked.max_run);
                        assert!(asked.digits <= 128 && most.fold(0, u8::max) <= 254, "{text}");
                    }
                }
            }
        }
    }
}
