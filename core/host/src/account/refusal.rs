//! What a device's password policy asks for, as the text of its refusal says it.
//!
//! Understood are the English texts of `pam_pwquality` and `pam_cracklib`, `pam_unix`, `passwdqc` and `Windows` (as our store words it), and
//! what programs behind the command store usually say: `too short: minimum 20`, `at least 2 digits`. A text that is not understood
//! asks for nothing, and then another password is made by the same recipe.

use laps_core::generate::Stricter;

/// What this refusal asks for; `length` is that of the refused password. Nothing when the text does not say.
#[must_use]
pub fn asked(reason: &str, length: u8) -> Stricter {
    let text = reason.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut asked = Stricter::default();
    for anchor in LEAST {
        for (number, what) in numbers_behind(&text, anchor) {
            raise(&mut asked, what, number);
        }
    }
    for (number, what) in numbers_behind(&text, "more than") {
        // "more than 3 same characters consecutively"; a limit for whole classes is not one for characters.
        let run = what.contains("consecutive") || what.contains("in a row");
        if run && what.contains("same character") {
            asked.max_run = Some(number);
        }
    }
    if let Some((_, what)) = text.split_once("too few ") {
        raise(&mut asked, noun(what), 1);
    }
    if asked.length == 0 && has(&["too short", "longer password"]) {
        asked.length = length.saturating_add(LONGER);
    }
    asked
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

/// The numbers that stand behind these words, with at most two words between, and what they count.
fn numbers_behind<'t>(text: &'t str, words: &'t str) -> impl Iterator<Item = (u8, &'t str)> {
    text.match_indices(words).filter_map(move |(at, _)| {
        let rest = text.get(at.saturating_add(words.len())..)?;
        let start = rest.find(|c: char| c.is_ascii_digit())?;
        let (between, rest) = rest.split_at_checked(start)?;
        if between.split_whitespace().count() > 2 || between.contains(ENDS) {
            return None;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, rest) = rest.split_at_checked(end)?;
        let number = number.parse().ok().filter(|number| (1..=128).contains(number))?;
        Some((number, noun(rest)))
    })
}

/// What is counted: the words up to the end of their part of the sentence.
fn noun(rest: &str) -> &str {
    let end = rest.find(ENDS).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().trim()
}

/// Words before the least of something.
const LEAST: [&str; 5] = ["less than", "fewer than", "shorter than", "at least", "minimum"];
/// What ends a part of a sentence.
const ENDS: [char; 6] = ['.', ',', ';', ':', '(', '\n'];
/// By how many characters a password grows that is "too short" without a number.
const LONGER: u8 = 4;

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
                "exit status 1: chpasswd: (line 1, user laps3) password not changed BAD PASSWORD: The password is shorter than 17 characters",
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
                "Too short: minimum 18. It must contain at least 2 special characters; at least 3 digits",
                with(|a| (a.length, a.symbols, a.digits) = (18, 2, 3)),
            ),
        ] {
            assert_eq!(asked(text, 14), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_does_not_say_asks_for_nothing() {
        for text in [
            "",
            "no good",
            "Password has been already used. Choose another.",
            "BAD PASSWORD: The password is too similar to the old one",
            "BAD PASSWORD: The password fails the dictionary check - it is based on a dictionary word",
            "BAD PASSWORD: The password contains less than 3 character classes",
            "BAD PASSWORD: The password contains more than 4 characters of the same class consecutively",
            "The password contains monotonic sequence longer than 3 characters consecutively",
            "you changed it 3 days ago",
            "(the message holds the password and is withheld)",
            "the password is 14 characters long",
            "digit 7 is not allowed",
            "chpasswd: (line 1, user laps3) password not changed",
            "less than 2 days since the last change",
        ] {
            assert!(asked(text, 14).is_empty(), "{text}: {:?}", asked(text, 14));
        }
    }

    #[test]
    fn numbers_beyond_all_passwords_are_not_believed() {
        for text in [
            "too short: minimum 0",
            "too short: minimum 999",
            "too short: minimum 99999999999999999999",
        ] {
            assert_eq!(asked(text, 14).length, 18, "{text}");
        }
    }
}
