//! What a device asks for, one refusal after the other: the recipe that follows is never weaker
//! than the policy's, and has all that is followed.

use laps_core::generate::Complexity;
use laps_core::policy::{Policy, evaluate, read};
use laps_core::refusal::Stricter;
use proptest::prelude::*;

fn policy(complexity: u8, length: u8, words: u8) -> Policy {
    let text = format!(
        r#"{{"PasswordComplexity":{complexity},
        "PasswordLength":{length},"PassphraseLength":{words}}}"#
    );
    evaluate(&[read(text.as_bytes(), "test").unwrap()]).policy.unwrap()
}

/// One refusal: most name one or two things, and some are absurd.
fn refusal() -> impl Strategy<Value = Stricter> {
    let number = prop_oneof![6 => 1..=12_u8, 3 => 8..=40_u8, 1 => any::<u8>()];
    proptest::collection::vec((0..7_u8, number), 1..=3).prop_map(|demands| {
        let mut asked = Stricter::default();
        for (what, number) in demands {
            match what {
                0 => asked.length = number,
                1 => asked.max_length = Some(number.saturating_add(6)),
                2 => asked.upper = number,
                3 => asked.lower = number,
                4 => asked.digits = number,
                5 => asked.symbols = number,
                _ => asked.max_run = Some(number),
            }
        }
        asked
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 48,
        ..ProptestConfig::default()
    })]

    #[test]
    fn through_any_refusals_the_strength_never_falls_below_the_policy(
        complexity in 1..=if cfg!(feature = "passphrase") { 8 } else { 5_u8 },
        length in 8..=64_u8,
        words in 3..=10_u8,
        refusals in proptest::collection::vec(refusal(), 1..=4),
    ) {
        let policy = policy(complexity, length, words);
        let own = policy.recipe().unwrap().strength();
        let mut followed = Stricter::default();
        for asked in refusals {
            let mut refused = Vec::new();
            let next = policy.follow(&followed, &asked, |part, why| refused.push((part, why)));
            let strength = policy.recipe_and(&next).unwrap().strength();
            prop_assert!(strength.admissible() >= own.admissible(), "{next}");
            // Every part is followed, or it is named with its reason; so is one that was followed
            // before.
            for part in asked.parts().chain(followed.parts()) {
                let is_refused = refused.iter().any(|(of, _)| *of == part);
                prop_assert_eq!(is_refused, next.and(part) != next, "{}", part);
            }
            for (_, why) in &refused {
                prop_assert!(!why.to_string().is_empty());
            }
            // Nothing is made up.
            prop_assert_eq!(followed.and(asked).and(next), followed.and(asked));
            followed = next;
        }
    }
}

#[test]
fn the_newer_word_counts_where_both_cannot_be_followed() {
    let policy = policy(Complexity::Full.as_u8(), 14, 6);
    let mut long = Stricter::default();
    long.length = 40;
    let mut short = Stricter::default();
    short.max_length = Some(20);
    let count = |before: &Stricter, asked: &Stricter| {
        let mut refused = 0;
        let followed = policy.follow(before, asked, |_, _| refused += 1);
        (followed, refused)
    };
    assert_eq!(count(&Stricter::default(), &long), (long, 0));
    assert_eq!(count(&long, &short), (short, 1));
    assert_eq!(count(&short, &long), (long, 1));
    // What there is room for stays.
    let mut digits = long;
    digits.digits = 2;
    let mut both = short;
    both.digits = 2;
    assert_eq!(count(&digits, &short), (both, 1));
    // What cannot be followed in any case drops nothing.
    short.max_length = Some(13);
    assert_eq!(count(&long, &short), (long, 1));
    assert_eq!(policy.recipe_and(&long).unwrap().strength().min_length(), 40);
}
