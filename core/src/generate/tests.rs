use super::*;
#[cfg(feature = "alloc")]
use alloc::string::String;
use alloc::string::ToString as _;
use alloc::vec::Vec;

#[cfg(feature = "alloc")]
mod agreement;
#[cfg(feature = "alloc")]
mod brute;
#[cfg(all(feature = "alloc", feature = "passphrase"))]
mod phrases;
#[cfg(feature = "alloc")]
mod statistics;
#[cfg(feature = "alloc")]
mod uniform;

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

/// In a build without a heap, too.
#[test]
fn what_no_password_satisfies_is_refused_by_its_rules() {
    let letters = || Recipe::builder(8).group("abc", 1, None);
    for (name, builder) in [
        ("nothing left", letters().exclude("abc")),
        ("a first character of no group", letters().first("x")),
        ("a last character of no group", letters().last("x")),
        ("more than the length", Recipe::builder(4).group("abc", 3, None).group("xyz", 2, None)),
        ("fewer than the length", Recipe::builder(8).group("abc", 0, Some(3))),
        ("one character, no runs", Recipe::builder(8).group("a", 0, None).max_run(1)),
        ("more kinds than there are", letters().at_least(2)),
    ] {
        let refused = builder.build().map(drop);
        assert!(
            matches!(refused, Err(RecipeError::Infeasible(_) | RecipeError::NoCharacters)),
            "{name}: {refused:?}"
        );
    }
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

#[cfg(feature = "alloc")]
mod recipes {
    use super::*;
    use crate::random::tests::Counting;

    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";
    const REST: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    fn all(length: u8) -> RecipeBuilder {
        Recipe::builder(length)
            .group(LOWER, 0, None)
            .group(UPPER, 0, None)
            .group(DIGITS, 0, None)
            .group(REST, 0, None)
    }

    /// The recipes that peers time out on or refuse.
    fn tight() -> Vec<Recipe> {
        let words = [
            "admin", "root", "pass", "word", "local", "laps", "user", "login", "test", "guest",
            "abc", "xyz", "qwe", "asd", "123", "000", "dragon", "summer", "winter", "secret",
        ];
        let forbidding = words.iter().fold(all(64), |builder, word| builder.forbid(word));
        [
            Recipe::builder(16)
                .group(DIGITS, 10, None)
                .group(LOWER, 0, None)
                .group(UPPER, 0, None)
                .group(REST, 0, None),
            Recipe::builder(10).group("a", 5, None).group(UPPER, 0, None).group(DIGITS, 0, None),
            Recipe::builder(20).group("a", 8, None).group(UPPER, 0, None).group(DIGITS, 0, None),
            Recipe::builder(4)
                .group(LOWER, 1, None)
                .group(UPPER, 1, None)
                .group(DIGITS, 1, None)
                .group(REST, 1, None),
            Recipe::builder(40)
                .group(LOWER, 10, Some(10))
                .group(UPPER, 10, Some(10))
                .group(DIGITS, 10, Some(10))
                .group(REST, 10, Some(10)),
            Recipe::builder(128).group("ab", 0, None).max_run(1),
            forbidding,
            Recipe::builder(128)
                .group("ab", 0, None)
                .group("bc", 0, None)
                .max_run(1)
                .first("a")
                .last("b"),
            Recipe::builder(5).group("z", 0, None),
            Recipe::builder(6).group("ab", 0, None).forbid("a").forbid("bbbbbbb"),
        ]
        .into_iter()
        .map(|builder| builder.build().unwrap())
        .collect()
    }

    #[test]
    fn tight_recipes_yield_passwords_that_they_admit() {
        let mut generator = Generator::try_new(Counting::new()).unwrap();
        for recipe in tight() {
            for _ in 0..10 {
                let password = recipe.generate(&mut generator).unwrap();
                let text = password.expose_secret();
                let broken: Vec<_> = recipe.check(text).map(|v| v.to_string()).collect();
                assert!(broken.is_empty(), "{text}: {broken:?}");
            }
        }
    }

    /// Passphrases of one's own: words drawn one by one, and letter by letter where they are
    /// ambiguous.
    #[cfg(feature = "passphrase")]
    fn own_lists() -> Vec<Recipe> {
        let words = |count, list: &[&'static str]| Recipe::phrase(count).words(list.to_vec());
        [
            words(4, &["one", "two", "three"]).separator("-").digit(true),
            words(10, &["a", "bc", "def"]).capitalise(false).separator("::"),
            words(5, &["in", "put", "input", "putin"]).capitalise(false),
            words(3, &["a", "aa", "b-b", "b"]).capitalise(false).separator("-").digit(true),
            words(3, &["only"]),
        ]
        .into_iter()
        .map(|builder| builder.build().unwrap())
        .collect()
    }

    /// Fails at a draw, counted from 0.
    struct FailAt(Generator<Counting>, usize);

    impl FailAt {
        fn tick(&mut self) -> Result<(), RandomError> {
            self.1 = self.1.checked_sub(1).ok_or(RandomError::Failed)?;
            Ok(())
        }
    }

    impl Sampler for FailAt {
        fn draw<I: sampler::Index>(
            &mut self,
            range: &sampler::Range,
            out: &mut [I],
        ) -> Result<u64, RandomError> {
            self.tick()?;
            self.0.draw(range, out)
        }

        fn rank(
            &mut self,
            range: &rank_range::RankRange,
            out: &mut [u64],
        ) -> Result<u64, RandomError> {
            self.tick()?;
            self.0.rank(range, out)
        }
    }

    #[test]
    fn a_source_that_fails_at_any_draw_gives_an_error_and_no_password() {
        let mut recipes = tight();
        recipes.push(Recipe::complexity(Complexity::Full, 14).unwrap());
        #[cfg(feature = "passphrase")]
        {
            recipes.push(Recipe::passphrase(Complexity::LongWords, 6).unwrap());
            recipes.extend(own_lists());
        }
        for recipe in recipes {
            for draw in 0.. {
                let mut sampler = FailAt(Generator::try_new(Counting::new()).unwrap(), draw);
                let mut password = Password::try_from_str("what was there before").unwrap();
                let outcome = recipe.sample(&mut sampler, &mut password);
                if outcome.is_ok() {
                    assert!(draw > 0, "a password without a draw");
                    break;
                }
                assert_eq!(outcome, Err(RandomError::Failed));
                assert!(password.is_empty(), "draw {draw}");
            }
        }
    }

    #[test]
    fn the_generator_itself_fails_at_any_word() {
        let recipe = Recipe::complexity(Complexity::Upper, 64).unwrap();
        let mut generator = Generator::try_new(Counting::failing_at(1)).unwrap();
        let mut password = Password::empty();
        let failed =
            (0..40_000).find_map(|_| recipe.generate_into(&mut generator, &mut password).err());
        assert_eq!(failed, Some(RandomError::Failed));
        assert!(password.is_empty());
        assert!(recipe.generate(&mut generator).is_err(), "and it stays so");
    }

    /// Always throws the draw away, as a stuck source would.
    struct Rejecting;

    impl Sampler for Rejecting {
        fn draw<I: sampler::Index>(
            &mut self,
            _: &sampler::Range,
            _: &mut [I],
        ) -> Result<u64, RandomError> {
            Ok(1)
        }

        fn rank(&mut self, _: &rank_range::RankRange, _: &mut [u64]) -> Result<u64, RandomError> {
            Ok(1)
        }
    }

    #[test]
    fn endless_rejections_are_an_error() {
        let recipes = tight().into_iter();
        #[cfg(feature = "passphrase")]
        let recipes = recipes.chain(own_lists());
        for recipe in recipes {
            let mut password = Password::empty();
            assert_eq!(recipe.sample(&mut Rejecting, &mut password), Err(RandomError::Stuck));
            assert!(password.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let conflict = |builder: RecipeBuilder| builder.build().unwrap_err().to_string();
        assert_eq!(
            conflict(Recipe::builder(4).group(LOWER, 3, None).group(DIGITS, 2, None)),
            "no password satisfies these rules together: length, groups[0].min, groups[1].min"
        );
        assert_eq!(
            conflict(all(8).group("a", 3, Some(2))),
            "no password satisfies these rules together: groups[4].min, groups[4].max"
        );
        assert_eq!(
            conflict(Recipe::builder(8).group("ab", 0, None).forbid("A").forbid("b").forbid("c")),
            "no password satisfies these rules together: forbid[0], forbid[1]"
        );
        assert_eq!(
            conflict(Recipe::builder(8).group("a", 0, None).max_run(3).at_least(1)),
            "no password satisfies these rules together: length, max_run"
        );
        assert_eq!(
            conflict(all(8).at_least(5)),
            "no password satisfies these rules together: at_least"
        );
        assert_eq!(conflict(Recipe::builder(8)), "the groups have no character to choose from");
        assert_eq!(
            conflict(Recipe::builder(8).group("ab\u{e9}", 0, None)),
            "groups[0].chars holds 'é', which is not a printable ASCII character"
        );
        assert_eq!(conflict(all(0)), "the length 0 is outside 1 to 128");
        assert_eq!(conflict(all(129)), "the length 129 is outside 1 to 128");
        assert_eq!(
            conflict(all(9).max_run(0)),
            "a longest run of 0 leaves nothing; 1 is the least"
        );
        assert_eq!(
            conflict(all(9).forbid("")),
            "a forbidden substring of 0 characters is outside 1 to 64"
        );
        let many = (0..33).fold(all(9), |builder, _| builder.forbid("x"));
        assert_eq!(conflict(many), "a recipe has at most 32 forbidden substrings");
        let many = (0..9).fold(Recipe::builder(9), |builder, _| builder.group("x", 0, None));
        assert_eq!(conflict(many), "a recipe has at most 8 groups");
    }

    #[test]
    fn what_is_too_complex_is_refused_with_the_limit() {
        // Nine exact counts that overlap by runs: the table would need every vector of counts.
        let sets = ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op"];
        let builder = sets
            .iter()
            .fold(Recipe::builder(64).max_run(1), |builder, set| builder.group(set, 8, Some(8)));
        let refused = builder.build().unwrap_err();
        assert_eq!(refused.code(), crate::error::Code::RecipeTooComplex);
        assert_eq!(
            refused.to_string(),
            "the rules need a counting table of more than 65536 entries; without max_run they need \
             none above it"
        );
        // Without the runs the composition serves.
        let exact = sets
            .iter()
            .fold(Recipe::builder(64), |builder, set| builder.group(set, 8, Some(8)))
            .build();
        assert!(exact.is_ok());
    }

    #[test]
    fn what_cannot_be_is_told_as_such_where_it_is_too_complex_to_count() {
        let groups = |length, min, max| {
            let sets = ["abcd", "efgh", "ijkl", "mnop"];
            let builder = Recipe::builder(length).max_run(2);
            sets.iter().fold(builder, |builder, set| builder.group(set, min, Some(max)))
        };
        let told = |builder: RecipeBuilder| match builder.build() {
            Err(RecipeError::Infeasible(conflict)) => (
                conflict.rules.iter().map(rules::Rule::name).collect::<Vec<_>>().join(" "),
                conflict.minimal,
            ),
            Err(other) => (other.to_string(), true),
            Ok(_) => panic!("there is none"),
        };
        // A minimum above its maximum, beside rules that cannot be counted.
        assert_eq!(
            told(groups(32, 2, 10).group("qrst", 5, Some(4))),
            ("groups[4].min groups[4].max".into(), true)
        );
        // Four times ten characters are fewer than 41, and the runs have no part in it.
        let maxima = "length groups[0].max groups[1].max groups[2].max groups[3].max";
        assert_eq!(told(groups(41, 2, 10)), (maxima.into(), true));
        // What can be and cannot be counted names what to leave out.
        let (relax, _) = told(groups(32, 2, 10));
        assert!(relax.ends_with("; without max_run they need none above it"), "{relax}");
        let without = ["abcd", "efgh", "ijkl", "mnop"];
        let without = without
            .iter()
            .fold(Recipe::builder(32), |builder, set| builder.group(set, 2, Some(10)));
        assert!(without.build().is_ok());
    }

    #[test]
    fn hand_checked_counts() {
        let count =
            |builder: RecipeBuilder| builder.build().unwrap().strength().admissible().to_string();
        let three =
            Recipe::builder(3).group(UPPER, 1, None).group(LOWER, 1, None).group(DIGITS, 1, None);
        assert_eq!(count(three), "40560");
        assert_eq!(count(Recipe::builder(5).group("z", 0, None)), "1");
        assert_eq!(count(Recipe::builder(128).group("ab", 0, None).max_run(1)), "2");
        // Strings of three letters without a, in either case.
        assert_eq!(
            count(Recipe::builder(3).group(LOWER, 0, None).group(UPPER, 0, None).forbid("a")),
            "125000"
        );
    }
}
