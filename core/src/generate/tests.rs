use super::*;
use alloc::string::ToString as _;
use alloc::vec::Vec;

#[test]
fn windows_levels_have_their_exact_strength() {
    for (level, length, micro) in [
        (Complexity::Full, 8, 49_552_165),
        (Complexity::Full, 14, 88_207_138),
        (Complexity::Full, 20, 126_324_689),
        (Complexity::Full, 64, 404_603_117),
        (Complexity::Readable, 8, 46_703_264),
        (Complexity::Readable, 14, 83_558_044),
    ] {
        let recipe = Recipe::complexity(level, length).unwrap();
        assert_eq!(recipe.strength().bits_micro(), micro, "{level:?} {length}");
    }
    let upper = Recipe::complexity(Complexity::Upper, 8).unwrap();
    assert_eq!(upper.strength().admissible().to_string(), "208827064576");
}

#[test]
fn lengths_outside_windows_range_are_refused() {
    for length in [0, 7, 65, 255] {
        let error = Recipe::complexity(Complexity::Full, length).unwrap_err();
        assert_eq!(error, RecipeError::Length { length: u32::from(length), min: 8, max: 64 });
        assert_eq!(error.to_string(), alloc::format!("the length {length} is outside 8 to 64"));
    }
    assert!(Recipe::complexity(Complexity::LongWords, 14).is_err());
}

#[cfg(feature = "getrandom")]
#[test]
fn every_level_makes_passwords_that_it_admits() {
    let mut generator = Generator::from_system().unwrap();
    for level in Complexity::ALL.into_iter().filter(|level| !level.is_passphrase()) {
        for length in [8, 14, 15, 16, 17, 33, 64] {
            let recipe = Recipe::complexity(level, length).unwrap();
            for _ in 0..20 {
                let password = recipe.generate(&mut generator).unwrap();
                let broken: Vec<_> =
                    recipe.check(password.expose_secret()).map(|v| v.rule()).collect();
                assert!(broken.is_empty(), "{level:?} {length}: {broken:?}");
                assert_eq!(password.len(), usize::from(length));
            }
        }
    }
}

#[test]
fn check_names_every_broken_rule() {
    let recipe = Recipe::complexity(Complexity::Full, 8).unwrap();
    let rules = |text: &str| -> Vec<&str> { recipe.check(text).map(|v| v.rule()).collect() };
    assert!(rules("Z,E2q68}").is_empty());
    assert_eq!(rules("ZE2q68aa"), ["groups[3].min"]);
    assert_eq!(rules("short"), ["length", "groups[0].min", "groups[2].min", "groups[3].min"]);
    assert_eq!(rules("Z,E2q68\u{e9}"), ["characters"]);
    assert_eq!(
        rules(""),
        ["length", "groups[0].min", "groups[1].min", "groups[2].min", "groups[3].min"]
    );
    let message = recipe.check("ZE2q68aa").next().unwrap().to_string();
    assert_eq!(message, "it must have at least 1 of \"!#$%&()+,-./;@[]{}\"");
}

#[cfg(all(feature = "passphrase", feature = "getrandom"))]
#[test]
fn passphrases_are_capitalised_words_of_the_list() {
    let mut generator = Generator::from_system().unwrap();
    for (level, size) in [
        (Complexity::LongWords, 7776_u64),
        (Complexity::ShortWords, 1296),
        (Complexity::ShortUniqueWords, 1296),
    ] {
        for words in [3, 6, 10] {
            let recipe = Recipe::passphrase(level, words).unwrap();
            let strength = recipe.strength();
            let expected = nat::Nat::power(size, usize::from(words));
            assert_eq!(strength.admissible().to_string(), expected.to_string());
            let phrase = recipe.generate(&mut generator).unwrap();
            let text = phrase.expose_secret();
            assert_eq!(text.bytes().filter(u8::is_ascii_uppercase).count(), usize::from(words));
            assert!((strength.min_length()..=strength.max_length()).contains(&text.len()));
            assert_eq!(recipe.check(text).count(), 0, "{text}");
            assert_eq!(recipe.check(&text[1..]).count(), 1, "{text}");
        }
        assert!(Recipe::passphrase(level, 2).is_err() && Recipe::passphrase(level, 11).is_err());
    }
    assert!(Recipe::passphrase(Complexity::Full, 6).is_err());
}

#[cfg(feature = "passphrase")]
#[test]
fn a_known_passphrase_is_admitted() {
    let recipe = Recipe::passphrase(Complexity::LongWords, 6).unwrap();
    assert_eq!(recipe.check("SkiingProduceIdentifyStarlitOctaneDistress").count(), 0);
    assert_eq!(recipe.check("SkiingproduceIdentifyStarlitOctaneDistress").count(), 1);
    let message = recipe.check("").next().unwrap().to_string();
    assert!(message.starts_with("it must be 6 words of the list of 7776"), "{message}");
}
