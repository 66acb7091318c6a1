//! What a device's password policy asks for, as the text of its refusal says it.
//!
//! Understood are the English texts of `pam_pwquality` and `pam_cracklib`, `pam_unix`, `passwdqc` and `Windows` (as our store words it), and
//! what programs behind the command store usually say: `too short: minimum 20`, `at least 2 digits`. A text that is not understood
//! asks for nothing, and then another password is made by the same recipe.

use laps_core::generate::Stricter;

/// What this refusal asks for; `length` is that of the refused password. Nothing when the text does not say.
#[must_use]
pub fn asked(reason: &str, length: u8) -> Stricter {
    let mut asked = Stricter::default();
    // One message may hold several sentences; a number belongs to the words of its own.
    for sentence in reason.to_ascii_lowercase().split(['.', ';', '\n']) {
        asked = asked.and(of_sentence(sentence, length));
    }
    asked
}

fn of_sentence(text: &str, length: u8) -> Stricter {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let number = first_number(text);
    let least = number.unwrap_or(1);
    let nothing = Stricter::default();
    let mut asked = nothing;
    // "contains more than 3 same characters consecutively"; a limit for whole classes is not one for characters.
    if has(&["consecutive", "in a row"]) {
        if !has(&["class", "sequence"]) {
            asked.max_run = number;
        }
        return asked;
    }
    // Neither a history nor a similarity to something says how the next password must look.
    if has(&["class", "categor", "already used", "similar", "dictionary", "palindrome", "days"]) {
        return nothing;
    }
    let too_few = has(&[
        "less than",
        "fewer than",
        "too few",
        "at least",
        "minimum",
        "must contain",
        "not contain enough",
    ]);
    if has(&["digit", "numeric", "number"]) && !has(&["alphanumeric"]) {
        asked.digits = if too_few { least } else { 0 };
    } else if has(&["uppercase", "upper case", "upper-case", "capital"]) {
        asked.upper = if too_few { least } else { 0 };
    } else if has(&["lowercase", "lower case", "lower-case"]) {
        asked.lower = if too_few { least } else { 0 };
    } else if has(&[
        "non-alphanumeric",
        "nonalphanumeric",
        "special",
        "symbol",
        "punctuation",
        "other character",
    ]) {
        asked.symbols = if too_few { least } else { 0 };
    } else if has(&["short", "longer"]) || (too_few && has(&["character", "length", "long"])) {
        asked.length = number.unwrap_or_else(|| length.saturating_add(LONGER));
    }
    asked
}

/// The first number, when it is one that a password can have: 1 to 128.
fn first_number(text: &str) -> Option<u8> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty())?;
    digits.parse().ok().filter(|number| (1..=128).contains(number))
}

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
