//! What follows a device is never weaker than the policy, satisfies both, and is the shortest that
//! does.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::generate::{Complexity, Recipe, RecipeError};
use crate::random::Generator;

fn demand(length: u8, digits: u8, max_run: Option<u8>) -> Stricter {
    Stricter { length, digits, max_run, ..Stricter::default() }
}

/// How many characters of each set of [`Complexity::sets`], and of none: counted naively, as a
/// device does.
fn counts(text: &[u8]) -> [usize; 4] {
    let count = |is: fn(&u8) -> bool| text.iter().filter(|byte| is(byte)).count();
    let upper = count(u8::is_ascii_uppercase);
    let lower = count(u8::is_ascii_lowercase);
    let digits = count(u8::is_ascii_digit);
    [upper, lower, digits, text.len() - upper - lower - digits]
}

fn longest_run(text: &[u8]) -> usize {
    text.chunk_by(|one, two| one == two).map(<[u8]>::len).max().unwrap_or(0)
}

/// Whether a device that asks for this takes the text.
fn takes(device: &Stricter, text: &str) -> bool {
    let text = text.as_bytes();
    let least = [device.upper, device.lower, device.digits, device.symbols];
    text.len() >= usize::from(device.length)
        && device.max_length.is_none_or(|most| text.len() <= usize::from(most))
        && counts(text).into_iter().zip(least).all(|(is, least)| is >= usize::from(least))
        && device.max_run.is_none_or(|most| longest_run(text) <= usize::from(most.max(1)))
}

/// Whether a text is what the policy asks for, of any length that is not below its own.
fn fits(complexity: Complexity, length: u8, text: &str) -> bool {
    let (text, sets) = (text.as_bytes(), complexity.sets());
    (usize::from(length)..=64).contains(&text.len())
        && sets.iter().all(|set| text.iter().any(|byte| set.contains(*byte)))
        && text.iter().all(|byte| sets.iter().any(|set| set.contains(*byte)))
}

fn demands() -> impl Strategy<Value = Stricter> {
    let least = || prop_oneof![4 => Just(0_u8), 4 => 1..=6_u8, 2 => 0..=30_u8, 1 => any::<u8>()];
    let length = prop_oneof![3 => Just(0_u8), 4 => 8..=40_u8, 1 => any::<u8>()];
    let any = || any::<u8>().prop_map(Some);
    let most = prop_oneof![4 => Just(None), 3 => (8..=64_u8).prop_map(Some), 1 => any()];
    let run = prop_oneof![4 => Just(None), 2 => (0..=3_u8).prop_map(Some), 1 => any()];
    (length, most, (least(), least(), least(), least()), run).prop_map(
        |(length, max_length, (upper, lower, digits, symbols), max_run)| Stricter {
            length,
            max_length,
            upper,
            lower,
            digits,
            symbols,
            max_run,
        },
    )
}

fn levels() -> impl Strategy<Value = Complexity> {
    select(
        &[
            Complexity::Upper,
            Complexity::UpperLower,
            Complexity::UpperLowerDigits,
            Complexity::Full,
            Complexity::Readable,
        ][..],
    )
}

/// The same demand without the growth that keeps the strength: what a recipe that only adds rules
/// would be.
fn only_rules(
    complexity: Complexity,
    length: u8,
    device: &Stricter,
) -> Result<Recipe, RecipeError> {
    let mut builder = Recipe::builder(length.max(device.length));
    let least = [device.upper, device.lower, device.digits, device.symbols];
    for (set, least) in complexity.sets().iter().zip(least) {
        let chars: Vec<u8> = (0..=127).filter(|byte| set.contains(*byte)).collect();
        builder =
            builder.group(core::str::from_utf8(&chars).unwrap_or_default(), least.max(1), None);
    }
    if let Some(times) = device.max_run {
        builder = builder.max_run(times.max(1));
    }
    builder.build()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 512,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_a_device_asks_for_a_password_is_never_weaker_and_satisfies_both(
        complexity in levels(),
        length in 8..=64_u8,
        device in demands(),
    ) {
        let policy = Recipe::complexity(complexity, length).unwrap();
        let max = device.max_length.unwrap_or(64).min(64);
        match Recipe::complexity_and(complexity, length, &device) {
            Ok(recipe) => {
                prop_assert!(recipe.strength().admissible() >= policy.strength().admissible());
                prop_assert!(recipe.strength().bits_micro() >= policy.strength().bits_micro());
                let mut generator = Generator::from_system().unwrap();
                for _ in 0..16 {
                    let password = recipe.generate(&mut generator).unwrap();
                    let text = password.expose_secret();
                    prop_assert!(takes(&device, text), "{device}");
                    prop_assert!(fits(complexity, length, text));
                }
                // Not longer than it takes.
                let made = u8::try_from(recipe.strength().min_length()).unwrap();
                if made > length.max(device.length) {
                    let shorter = Stricter { length: 0, max_length: None, ..device };
                    let shorter = only_rules(complexity, made - 1, &shorter);
                    let enough = policy.strength().admissible();
                    let fewer = |shorter: Recipe| shorter.strength().admissible() < enough;
                    prop_assert!(shorter.map_or(true, fewer));
                }
            }
            Err(NotStricter::Weaker { max: said }) => {
                prop_assert_eq!(said, max);
                let longest = Stricter { length: 0, max_length: None, ..device };
                let longest = only_rules(complexity, max, &longest).unwrap();
                prop_assert!(longest.strength().admissible() < policy.strength().admissible());
            }
            Err(NotStricter::TooLong { length: needs, max: said }) => {
                prop_assert_eq!(said, max);
                prop_assert!(needs > usize::from(max));
                let least = [device.upper, device.lower, device.digits, device.symbols];
                let least = least.iter().take(complexity.sets().len());
                let sum = least.map(|least| usize::from((*least).max(1))).sum::<usize>();
                let all = [usize::from(length), usize::from(device.length), sum];
                prop_assert!(all.contains(&needs));
            }
            Err(NotStricter::Beyond { .. }) => {
                let least = [device.upper, device.lower, device.digits, device.symbols];
                prop_assert!(least.iter().skip(complexity.sets().len()).any(|least| *least > 0));
            }
            Err(NotStricter::Recipe(error)) => {
                prop_assert!(matches!(error, RecipeError::TooComplex { .. }), "{error}");
                prop_assert!(device.max_run.is_some());
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    #[cfg(feature = "passphrase")]
    fn whatever_a_device_asks_for_a_passphrase_is_never_weaker_and_satisfies_both(
        complexity in select(&[
            Complexity::LongWords,
            Complexity::ShortWords,
            Complexity::ShortUniqueWords,
        ][..]),
        words in 3..=10_u8,
        device in demands(),
    ) {
        let policy = Recipe::passphrase(complexity, words).unwrap();
        if let Ok(recipe) = Recipe::passphrase_and(complexity, words, &device) {
            prop_assert!(recipe.strength().admissible() >= policy.strength().admissible());
            let mut generator = Generator::from_system().unwrap();
            for _ in 0..8 {
                let password = recipe.generate(&mut generator).unwrap();
                prop_assert!(takes(&device, password.expose_secret()), "{device}");
                prop_assert!(recipe.check(password.expose_secret()).count() == 0);
            }
        }
    }
}

#[test]
fn a_recipe_that_only_adds_rules_would_be_weaker() {
    for device in
        [demand(0, 10, None), demand(0, 2, None), demand(0, 0, Some(1)), demand(14, 0, Some(2))]
    {
        let policy = Recipe::complexity(Complexity::Full, 14).unwrap();
        let rules = only_rules(Complexity::Full, 14, &device).unwrap();
        assert!(rules.strength().admissible() < policy.strength().admissible(), "{device}");
        let recipe = Recipe::complexity_and(Complexity::Full, 14, &device).unwrap();
        assert!(recipe.strength().admissible() >= policy.strength().admissible(), "{device}");
        assert!(recipe.strength().min_length() > 14, "{device}");
    }
}

#[test]
fn ten_digits_take_three_more_characters() {
    // Counted by another program, as a sum over the four counts: 17 is the first length with as
    // many.
    let recipe = Recipe::complexity_and(Complexity::Full, 14, &demand(0, 10, None)).unwrap();
    assert_eq!((recipe.strength().min_length(), recipe.strength().max_length()), (17, 17));
}

#[test]
fn a_device_that_asks_for_less_changes_nothing() {
    for least in [Stricter::default(), demand(8, 1, None)] {
        let recipe = Recipe::complexity_and(Complexity::Full, 14, &least).unwrap();
        let policy = Recipe::complexity(Complexity::Full, 14).unwrap();
        assert_eq!(recipe.strength(), policy.strength());
    }
}

#[test]
fn what_cannot_be_followed_says_why() {
    let full = |length, device: &Stricter| {
        Recipe::complexity_and(Complexity::Full, length, device)
            .map(|recipe| recipe.strength())
            .unwrap_err()
    };
    let at_most = |most| Stricter { max_length: Some(most), ..Stricter::default() };
    let digits = demand(0, 1, None);
    let error = Recipe::complexity_and(Complexity::UpperLower, 14, &digits).unwrap_err();
    assert_eq!(error, NotStricter::Beyond { complexity: Complexity::UpperLower, what: "digits" });
    assert_eq!(error.to_string(), "PasswordComplexity 2 makes no digits");
    assert_eq!(full(14, &demand(65, 0, None)), NotStricter::TooLong { length: 65, max: 64 });
    assert_eq!(full(14, &demand(0, 62, None)), NotStricter::TooLong { length: 65, max: 64 });
    assert_eq!(full(14, &at_most(13)), NotStricter::TooLong { length: 14, max: 13 });
    assert_eq!(full(64, &demand(0, 2, None)), NotStricter::Weaker { max: 64 });
    let both = Stricter { digits: 10, ..at_most(16) };
    assert_eq!(full(14, &both), NotStricter::Weaker { max: 16 });
    assert_eq!(
        full(7, &Stricter::default()),
        NotStricter::Recipe(RecipeError::Length { length: 7, min: 8, max: 64 })
    );
}

#[test]
fn a_largest_length_that_leaves_room_is_kept_to() {
    let device = Stricter { digits: 4, max_length: Some(16), ..Stricter::default() };
    let recipe = Recipe::complexity_and(Complexity::Full, 14, &device).unwrap();
    assert!((15..=16).contains(&recipe.strength().max_length()));
}

#[test]
fn demands_are_said_in_words_and_one_at_a_time() {
    let all = Stricter {
        length: 20,
        max_length: Some(40),
        upper: 1,
        lower: 2,
        digits: 3,
        symbols: 4,
        max_run: Some(2),
    };
    let text = "at least 20 characters, at least 1 upper-case letters, at least 2 lower-case \
                letters, at least 3 digits, at least 4 symbols, \
                at most 40 characters, no character more than 2 times in a row";
    assert_eq!(all.to_string(), text);
    assert_eq!(all.parts().count(), 7);
    assert_eq!(all.parts().fold(Stricter::default(), Stricter::and), all);
    assert_eq!(Stricter::default().to_string(), "");
    assert_eq!(Stricter::default().parts().count(), 0);
}

#[cfg(feature = "passphrase")]
#[test]
fn a_passphrase_gets_more_words_until_every_one_has_what_is_asked_for() {
    let phrase =
        |words, device: &Stricter| Recipe::passphrase_and(Complexity::ShortWords, words, device);
    let few = Recipe::passphrase(Complexity::ShortWords, 3).unwrap();
    let more = phrase(3, &demand(20, 0, None)).unwrap();
    assert!(few.strength().min_length() < 20 && more.strength().min_length() >= 20);
    // Each word has an upper-case letter and at least two lower-case ones.
    let letters = Stricter { upper: 5, lower: 9, ..Stricter::default() };
    assert_eq!(phrase(3, &letters).unwrap().strength(), phrase(5, &letters).unwrap().strength());
    assert_eq!(
        phrase(5, &demand(0, 0, Some(2))).unwrap().strength(),
        phrase(5, &letters).unwrap().strength()
    );
    assert_eq!(phrase(3, &demand(64, 0, None)).unwrap_err(), NotStricter::TooFewWords);
    for device in [demand(0, 1, None), demand(0, 0, Some(1))] {
        let error = phrase(6, &device).unwrap_err();
        assert!(matches!(error, NotStricter::Beyond { .. }), "{error}");
    }
    let short = Stricter { max_length: Some(20), ..Stricter::default() };
    assert_eq!(phrase(6, &short).unwrap_err(), NotStricter::TooLong { length: 30, max: 20 });
}

#[cfg(feature = "passphrase")]
#[test]
fn words_of_windows_lists_begin_in_upper_case_end_in_lower_case_and_hold_no_row_of_three() {
    for complexity in [Complexity::LongWords, Complexity::ShortWords, Complexity::ShortUniqueWords]
    {
        let recipe = Recipe::passphrase(complexity, 3).unwrap();
        let (lower, run) = recipe.least_lower_and_longest_run().unwrap();
        assert_eq!((lower, run), (2, 2), "{complexity:?}");
        for file in ["eff-long", "eff-short", "eff-short-unique-prefix"] {
            let path =
                std::format!("{}/src/generate/wordlists/{file}.txt", env!("CARGO_MANIFEST_DIR"));
            let list = std::fs::read_to_string(path).unwrap();
            assert!(list.lines().all(|word| {
                word.starts_with(|c: char| c.is_ascii_lowercase())
                    && word.ends_with(|c: char| c.is_ascii_lowercase())
            }));
        }
    }
}
