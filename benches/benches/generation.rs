//! Generation, side by side with the usual recipes and a peer. Method and numbers: `../README.md`.

#![expect(clippy::expect_used, reason = "a benchmark")]

use core::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use laps_core::generate::{Complexity, Recipe};
use laps_core::random::Generator;
use laps_core::secret::Password;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

fn limit(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit");
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    group.bench_function("chacha20 16 bytes", |b| {
        b.iter(|| {
            let mut bytes = [0_u8; 16];
            rng.fill_bytes(&mut bytes);
            black_box(bytes)
        });
    });
    let mut generator = Generator::from_system().expect("a system source");
    group.bench_function("generator 16 bytes", |b| {
        b.iter(|| {
            let mut bytes = [0_u8; 16];
            generator.fill(&mut bytes).expect("bytes");
            black_box(bytes)
        });
    });
    group.finish();
}

fn passwords(c: &mut Criterion) {
    let mut group = c.benchmark_group("14 characters, four classes");
    let recipe = Recipe::complexity(Complexity::Full, 14).expect("a recipe");
    let mut generator = Generator::from_system().expect("a system source");
    let mut password = Password::empty();
    group.bench_function("laps, wiped, in place", |b| {
        b.iter(|| {
            recipe.generate_into(&mut generator, &mut password).expect("a password");
            black_box(&password);
        });
    });
    let mut rng = rand::rng();
    group.bench_function("rand, place and shuffle", |b| {
        b.iter(|| black_box(place_and_shuffle(&mut rng)));
    });
    group.bench_function("rand, redraw", |b| b.iter(|| black_box(redraw(&mut rng))));
    let peer = passwords_peer();
    group.bench_function("passwords, iterator reused", |b| {
        b.iter(|| black_box(peer.generate_one()));
    });
    group.finish();
}

fn passwords_peer() -> passwords::PasswordGenerator {
    passwords::PasswordGenerator {
        length: 14,
        numbers: true,
        lowercase_letters: true,
        uppercase_letters: true,
        symbols: true,
        spaces: false,
        exclude_similar_characters: false,
        strict: true,
    }
}

fn phrases(c: &mut Criterion) {
    let mut group = c.benchmark_group("six long words");
    let recipe = Recipe::passphrase(Complexity::LongWords, 6).expect("a recipe");
    let mut generator = Generator::from_system().expect("a system source");
    let mut password = Password::empty();
    group.bench_function("laps, wiped, in place", |b| {
        b.iter(|| {
            recipe.generate_into(&mut generator, &mut password).expect("a passphrase");
            black_box(&password);
        });
    });
    group.finish();
}

fn tight(c: &mut Criterion) {
    let mut group = c.benchmark_group("tight recipes");
    for (name, recipe) in tight_recipes() {
        let mut generator = Generator::from_system().expect("a system source");
        let mut password = Password::empty();
        group.bench_function(name, |b| {
            b.iter(|| {
                recipe.generate_into(&mut generator, &mut password).expect("a password");
                black_box(&password);
            });
        });
    }
    group.finish();
}

fn bulk(c: &mut Criterion) {
    const SLOTS: usize = 1_000;
    let mut group = c.benchmark_group("bulk");
    group.sample_size(10).throughput(Throughput::Elements(1_000_000));
    let recipe = Recipe::complexity(Complexity::Full, 14).expect("a recipe");
    let mut generator = Generator::from_system().expect("a system source");
    let mut slots: Vec<Password> = (0..SLOTS).map(|_| Password::empty()).collect();
    group.bench_function("a million in thousands", |b| {
        b.iter(|| {
            for _ in 0..1_000 {
                recipe.generate_many(&mut generator, &mut slots).expect("passwords");
                black_box(&slots);
            }
        });
    });
    group.finish();
}

fn build(c: &mut Criterion) {
    let mut group = c.benchmark_group("build");
    group.bench_function("complexity 4, length 14", |b| {
        b.iter(|| Recipe::complexity(black_box(Complexity::Full), black_box(14)));
    });
    group.finish();
}

/// One of each class, the rest from all, then a shuffle: the recipe that most programs use. Not
/// uniform.
fn place_and_shuffle(rng: &mut impl rand::Rng) -> String {
    let mut bytes: Vec<u8> =
        CLASSES.iter().filter_map(|class| class.choose(rng).copied()).collect();
    let all = CLASSES.concat();
    while bytes.len() < 14 {
        bytes.extend(all.choose(rng));
    }
    bytes.shuffle(rng);
    bytes.into_iter().map(char::from).collect()
}

/// All characters from all classes, until each class is there. Uniform.
fn redraw(rng: &mut impl rand::Rng) -> String {
    loop {
        let text: String =
            (0..14).filter_map(|_| ALL.choose(rng).copied().map(char::from)).collect();
        if CLASSES.iter().all(|class| text.bytes().any(|byte| class.contains(&byte))) {
            return text;
        }
    }
}

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const REST: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const CLASSES: [&[u8]; 4] =
    [UPPER.as_bytes(), LOWER.as_bytes(), DIGITS.as_bytes(), b",.-+;!#&@{}[]$/()%"];
const ALL: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,.-+;!#&@{}[]$/()%";

/// The recipes of which peers time out on some, refuse others and break the rest.
fn tight_recipes() -> Vec<(&'static str, Recipe)> {
    let all = |length, min: u8, max| {
        [LOWER, UPPER, DIGITS, REST]
            .iter()
            .fold(Recipe::builder(length), |builder, set| builder.group(set, min, max))
    };
    let words = [
        "admin", "root", "pass", "word", "local", "laps", "user", "login", "test", "guest", "abc",
        "xyz", "qwe", "asd", "123", "000", "dragon", "summer", "winter", "secret",
    ];
    [
        ("length 16, 10 digits of 94", all(16, 0, None).group(DIGITS, 10, None)),
        ("length 10, 5 of one", all(10, 0, None).group("a", 5, None)),
        ("length 20, 8 of one", all(20, 0, None).group("a", 8, None)),
        ("length 4, four classes", all(4, 1, None)),
        ("length 40, exact counts", all(40, 10, Some(10))),
        ("length 128, run 1 of two", Recipe::builder(128).group("ab", 0, None).max_run(1)),
        (
            "length 64, twenty words",
            words.iter().fold(all(64, 1, None), |builder, word| builder.forbid(word)),
        ),
        ("size 1", Recipe::builder(16).group("z", 0, None)),
    ]
    .into_iter()
    .map(|(name, builder)| (name, builder.build().expect("a feasible recipe")))
    .collect()
}

criterion_group!(generation, limit, passwords, phrases, tight, bulk, build);
criterion_main!(generation);
