//! Makes so many passwords of one kind and nothing else: for instruction counts, which repeat where
//! times do not.
//!
//! `count KIND NUMBER`, KIND one of `chacha20`, `generator`, `password`, `passphrase`, `exact`,
//! `bulk`. For `bulk`, NUMBER passwords are made by one call into one buffer, five times, and the
//! least time of one password is printed in nanoseconds.

#![expect(clippy::expect_used, reason = "a measuring tool")]

use core::hint::black_box;

use laps_core::generate::{Complexity, Recipe};
use laps_core::random::Generator;
use laps_core::secret::Password;
use rand_core::{Rng as _, SeedableRng as _};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().expect("a kind");
    let number: u64 = arguments.next().and_then(|text| text.parse().ok()).expect("a number");
    let mut generator = Generator::from_system().expect("a system source");
    let recipe = match kind.as_str() {
        "passphrase" => Recipe::passphrase(Complexity::LongWords, 6),
        "exact" => Recipe::builder(40)
            .group("abcdefghijklmnopqrstuvwxyz", 10, Some(10))
            .group("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10, Some(10))
            .group("0123456789", 10, Some(10))
            .group("!#$%&()*+,-./:;<=>?@[]^_{|}~", 10, Some(10))
            .build(),
        _ => Recipe::complexity(Complexity::Full, 14),
    }
    .expect("a recipe");
    if kind == "bulk" {
        let length = usize::try_from(number).expect("a number that fits");
        let mut all: Vec<Password> = (0..length).map(|_| Password::empty()).collect();
        let each = |_| {
            let began = std::time::Instant::now();
            recipe.generate_many(&mut generator, &mut all).expect("passwords");
            black_box(&all);
            began.elapsed().as_secs_f64() * 1e9 / number as f64
        };
        println!("{:.1}", (0..5).map(each).fold(f64::INFINITY, f64::min));
        return;
    }
    let mut reference = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let mut password = Password::empty();
    let mut bytes = [0_u8; 16];
    for _ in 0..number {
        match kind.as_str() {
            "chacha20" => reference.fill_bytes(&mut bytes),
            "generator" => generator.fill(&mut bytes).expect("bytes"),
            _ => recipe.generate_into(&mut generator, &mut password).expect("a password"),
        }
        black_box((&bytes, &password));
    }
}
