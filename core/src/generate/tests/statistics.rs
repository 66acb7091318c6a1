//! Chi-square tests of real recipes with a fixed seed: a second line behind the proof by
//! enumeration.

use crate::random::tests::Counting;

use super::*;

/// Whether counts look uniform. The statistic has `cells - 1` degrees of freedom; it stays within
/// six standard deviations of their mean, which a uniform source misses less than once in a million
/// runs. The seed is fixed.
fn assert_even(counts: &[u32], what: &str) {
    let total: u32 = counts.iter().sum();
    let expected = f64::from(total) / counts.len() as f64;
    let statistic: f64 =
        counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    let freedom = (counts.len() - 1) as f64;
    let distance = (statistic - freedom).abs() / (2.0 * freedom).sqrt();
    assert!(distance < 6.0, "{what}: {statistic} with {freedom} degrees of freedom");
}

/// Makes passwords and counts the characters of one kind at every place.
fn tally(recipe: &Recipe, set: &str, runs: u32) -> (Vec<u32>, Vec<u32>) {
    let mut generator = Generator::try_new(Counting::new()).unwrap();
    let mut password = Password::empty();
    let mut by_char = alloc::vec![0; set.len()];
    let mut by_place = alloc::vec![0; recipe.strength().max_length()];
    for _ in 0..runs {
        recipe.generate_into(&mut generator, &mut password).unwrap();
        for (place, char) in password.expose_secret().chars().enumerate() {
            if let Some(index) = set.find(char) {
                by_char[index] += 1;
                by_place[place] += 1;
            }
        }
    }
    (by_char, by_place)
}

#[test]
fn characters_of_a_kind_are_even_and_so_are_their_places() {
    let lower = "abcdefghijklmnopqrstuvwxyz";
    let digits = "0123456789";
    let exact = Recipe::builder(12).group(lower, 6, Some(6)).group(digits, 6, Some(6));
    let tight = Recipe::builder(16).group(digits, 10, None).group(lower, 0, None);
    let runs = Recipe::builder(24).group("abc", 0, None).max_run(1);
    for (recipe, set) in [
        (Recipe::complexity(Complexity::Full, 14).unwrap(), lower),
        (Recipe::complexity(Complexity::Full, 8).unwrap(), digits),
        (Recipe::complexity(Complexity::Readable, 20).unwrap(), "!#%+@:=?*"),
        (exact.build().unwrap(), lower),
        (tight.build().unwrap(), digits),
        (runs.build().unwrap(), "a"),
    ] {
        let (by_char, by_place) = tally(&recipe, set, 10_000);
        if by_char.len() > 1 {
            assert_even(&by_char, set);
        }
        assert_even(&by_place, set);
    }
}

#[test]
fn a_biased_sampler_would_be_seen() {
    // The mistake of every second peer: a byte modulo 80, as 256 is no multiple of it.
    let mut generator = Generator::try_new(Counting::new()).unwrap();
    let mut bytes = alloc::vec![0; 100_000];
    generator.fill(&mut bytes).unwrap();
    let mut counts = [0_u32; 80];
    for byte in bytes {
        counts[usize::from(byte).checked_rem(80).unwrap()] += 1;
    }
    let seen = std::panic::catch_unwind(|| assert_even(&counts, "biased"));
    assert!(seen.is_err());
}
