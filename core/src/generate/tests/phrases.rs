//! Passphrases of one's own against brute force: the strength is that of the distinct texts, and
//! each of them is equally likely.

use alloc::collections::{BTreeMap, BTreeSet};

use super::super::passphrase::Phrase;
use super::super::{PassphraseBuilder, RecipeKind};
use super::uniform::Every;
use super::*;

/// Every text, written down naively.
fn texts(
    words: &[&str],
    count: usize,
    capitalise: bool,
    separator: &str,
    digit: bool,
) -> BTreeSet<String> {
    let spelled = words.iter().map(|word| {
        let (first, rest) = word.split_at(1);
        if capitalise { first.to_ascii_uppercase() + rest } else { String::from(*word) }
    });
    let spelled: Vec<String> = spelled.collect();
    let mut all: Vec<String> = spelled.clone();
    for _ in 1..count {
        all = all
            .iter()
            .flat_map(|text| {
                spelled.iter().map(move |word| alloc::format!("{text}{separator}{word}"))
            })
            .collect();
    }
    if digit {
        all =
            all.iter().flat_map(|text| (0..10).map(move |d| alloc::format!("{text}{d}"))).collect();
    }
    all.into_iter().collect()
}

#[test]
fn strength_is_that_of_the_distinct_texts_and_each_is_equally_likely() {
    let lists: [&[&str]; 7] = [
        &["one", "two"],
        &["a", "ab", "b"],
        &["acid", "Acid", "acid"],
        &["in", "put", "input", "putin"],
        &["a-b", "a", "b"],
        &["a", "aa"],
        &["x1", "x", "1"],
    ];
    let mut ambiguous = 0;
    for words in lists {
        for capitalise in [false, true] {
            for separator in ["", "-", "a", "--"] {
                for digit in [false, true] {
                    let expected = texts(words, 3, capitalise, separator, digit);
                    let builder = Recipe::phrase(3).words(words.iter().copied()).digit(digit);
                    let recipe =
                        builder.capitalise(capitalise).separator(separator).build().unwrap();
                    let context = alloc::format!("{words:?} {capitalise} {separator:?} {digit}");
                    let count = recipe.strength().admissible().to_string();
                    assert_eq!(count, expected.len().to_string(), "{context}");
                    let seen = distribution(&recipe);
                    assert!(seen.keys().eq(expected.iter()), "{context}");
                    let times = seen.values().next().unwrap();
                    assert!(seen.values().all(|count| count == times), "{context} {seen:?}");
                    ambiguous += usize::from(expected.len() < words.len().pow(3));
                    for text in &expected {
                        assert_eq!(recipe.check(text).count(), 0, "{text} {context}");
                    }
                }
            }
        }
    }
    assert!(ambiguous >= 15, "{ambiguous} ambiguous ones");
}

fn distribution(recipe: &Recipe) -> BTreeMap<String, u32> {
    let RecipeKind::Words(words) = &recipe.kind else { panic!("characters") };
    let mut sampler = Every::default();
    let mut seen = BTreeMap::new();
    loop {
        let mut text = Phrase::default();
        assert_eq!(words.attempt(&mut sampler, &mut text), Ok(0));
        *seen.entry(text.read()).or_insert(0) += 1;
        if !sampler.advance() {
            return seen;
        }
    }
}

#[test]
fn check_refuses_every_other_text() {
    let recipe = Recipe::phrase(3).words(["in", "put", "input"]).capitalise(false).build().unwrap();
    let admitted = texts(&["in", "put", "input"], 3, false, "", false);
    for text in
        ["", "in", "inin", "inputinputinputin", "INININ", "in-in-in", "ininputx", "inputput"]
    {
        assert_eq!(recipe.check(text).count() == 0, admitted.contains(text), "{text}");
    }
}

#[test]
fn the_eff_lists_are_read_in_one_way_only() {
    for level in [Complexity::LongWords, Complexity::ShortWords, Complexity::ShortUniqueWords] {
        let windows = Recipe::passphrase(level, 6).unwrap();
        for (capitalise, separator) in [(true, ""), (false, " "), (false, ""), (false, "-")] {
            let own = Recipe::phrase(6).eff(level).capitalise(capitalise).separator(separator);
            let own = own.build().unwrap();
            assert_eq!(own.strength().admissible(), windows.strength().admissible(), "{level:?}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_passphrase_is_said() {
    let refused = |builder: PassphraseBuilder| builder.build().unwrap_err().to_string();
    let words = || Recipe::phrase(4).words(["one", "two"]);
    assert_eq!(refused(Recipe::phrase(4)), "the list has no words");
    assert_eq!(refused(Recipe::phrase(2).words(["one"])), "2 words are outside 3 to 10");
    assert_eq!(refused(Recipe::phrase(11).words(["one"])), "11 words are outside 3 to 10");
    assert_eq!(refused(words().words([""])), "a word of 0 characters is outside 1 to 16");
    assert_eq!(
        refused(words().words(["seventeen-letters"])),
        "a word of 17 characters is outside 1 to 16"
    );
    assert_eq!(
        refused(words().words(["na\u{ef}ve"])),
        "words holds 'ï', which is not a printable ASCII character"
    );
    assert_eq!(refused(words().separator("-----")), "a separator of 5 characters is above 4");
    assert_eq!(refused(words().eff(Complexity::Full)), "complexity 4 is outside 6 to 8");
    assert_eq!(
        refused(Recipe::phrase(10).words(["sixteen-letters!"])),
        "a passphrase could have 160 characters, which is above 127"
    );
}

#[test]
fn phrases_are_made_as_asked() {
    let mut generator = Generator::try_new(crate::random::tests::Counting::new()).unwrap();
    let recipe = Recipe::phrase(4).eff(Complexity::LongWords).separator("-").digit(true);
    let recipe = recipe.capitalise(false).build().unwrap();
    let phrase = recipe.generate(&mut generator).unwrap();
    let text = phrase.expose_secret();
    assert!(text.ends_with(|char: char| char.is_ascii_digit()), "{text}");
    assert!(text.matches('-').count() >= 3 && text == text.to_ascii_lowercase(), "{text}");
    assert_eq!(recipe.check(text).count(), 0);
}
