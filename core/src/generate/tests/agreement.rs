//! Generator and `check` agree over random recipes, and both with the naive judge of the brute
//! force.

use proptest::prelude::*;
use proptest::sample::select;

use super::brute::Plain;
use super::*;
use crate::random::tests::Counting;

/// Sets that overlap in many ways; forbidden words and ends are made of the same characters.
const SETS: [&str; 10] =
    ["abc", "bcd1", "XYZa", "12", "1aX", "!", "a", "efghijk", "ABCDE", "0123456789"];
const WORDS: [&[&str]; 6] =
    [&[], &["a"], &["ab", "BA"], &["aXa", "11", "e"], &["!!"], &["xyz", "1a1"]];

fn recipes() -> impl Strategy<Value = Plain> {
    let group = (select(&SETS[..]), 0..=3_u8, proptest::option::of(0..=12_u8));
    let ends = || proptest::option::of(select(&SETS[..]));
    let max_run = proptest::option::of(1..=3_u8);
    let groups = proptest::collection::vec(group, 1..=5);
    let exclude = select(&["", "", "a", "1X", "efg"][..]);
    let rest = (0..=3_u8, exclude, max_run, select(&WORDS[..]), ends(), ends());
    (1..=10_u8, groups, rest).prop_map(
        |(length, groups, (at_least, exclude, max_run, forbid, first, last))| Plain {
            length,
            groups,
            at_least,
            exclude,
            max_run,
            forbid,
            first,
            last,
        },
    )
}

/// Another text: one character replaced, left out, doubled, or two exchanged.
fn mutated(text: &str, way: u8, place: usize, with: char) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let place = place.checked_rem(chars.len()).unwrap_or(0);
    match way {
        0 => chars[place] = with,
        1 => drop(chars.remove(place)),
        2 => chars.insert(place, chars[place]),
        3 => chars.swap(0, place),
        _ => chars.insert(place, with),
    }
    chars.into_iter().collect()
}

/// What a mutation puts in: characters of the sets, others, and one that is not ASCII.
const STRANGERS: [char; 12] = ['a', 'b', 'X', '1', '!', 'e', '0', 'A', 'z', ' ', '~', '\u{e9}'];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_is_admitted_and_what_is_mutated_is_judged_alike(
        plain in recipes(),
        start in any::<u8>(),
        mutations in
            proptest::collection::vec((0..5_u8, any::<usize>(), select(&STRANGERS[..])), 24),
    ) {
        let recipe = match plain.builder().build() {
            Ok(recipe) => recipe,
            Err(RecipeError::Infeasible(_)) => {
                // Small enough to look for a string that satisfies it after all.
                let size = plain.alphabet().len().pow(u32::from(plain.length.min(5)));
                if plain.length <= 5 && size <= 20_000 {
                    prop_assert!(plain.admissible().is_empty(), "{plain:?}");
                }
                return Ok(());
            }
            Err(RecipeError::NoCharacters) => {
                prop_assert!(plain.alphabet().is_empty(), "{plain:?}");
                return Ok(());
            }
            // Refused with its limit, as is said; seldom at this length.
            Err(RecipeError::TooComplex { .. }) => return Ok(()),
            Err(other) => return Err(TestCaseError::fail(alloc::format!("{other}: {plain:?}"))),
        };
        let mut generator = Generator::try_new(Counting::starting_at(start)).unwrap();
        for _ in 0..3 {
            let password = recipe.generate(&mut generator).unwrap();
            let text = password.expose_secret();
            prop_assert!(plain.admits(text), "{text} {plain:?}");
            prop_assert_eq!(recipe.check(text).count(), 0, "{} {:?}", text, plain);
            for (way, place, with) in &mutations {
                let other = mutated(text, *way, *place, *with);
                let admitted = recipe.check(&other).next().is_none();
                prop_assert_eq!(admitted, plain.admits(&other), "{} {:?}", other, plain);
            }
        }
    }
}
