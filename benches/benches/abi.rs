//! What a call through the C ABI costs over the same call in Rust. Method and numbers:
//! `../README.md`.
//!
//! The shared library is loaded as a program in C loads it: the one that `LAPS_LIBRARY` names
//! (`make bench` builds the one that is shipped), or what `cargo build --release -p laps-ffi` left.

#![expect(clippy::expect_used, reason = "a benchmark")]

use core::ffi::c_void;
use core::hint::black_box;
use core::ptr;
use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use laps_core::generate::{Complexity, Recipe};
use laps_core::random::Generator;
use laps_core::secret::Password;
use libloading::Library;

/// An object of the library, or its way out.
type Object = *mut c_void;
type Out = *mut Object;

/// The library, by the types that `laps.h` declares.
struct Abi {
    library: Library,
}

macro_rules! calls {
    ($($name:ident: $type:ty,)*) => {
        impl Abi {
            $(fn $name(&self) -> $type {
                // SAFETY: the type is that of laps.h, and the library outlives the call.
                unsafe {
                    let name = concat!("laps_", stringify!($name));
                    *self.library.get(name.as_bytes()).expect("a symbol")
                }
            })*
        }
    };
}

calls! {
    generator_new: unsafe extern "C" fn(Out) -> i32,
    generator_password: unsafe extern "C" fn(Object, Object, Out) -> i32,
    generator_passwords: unsafe extern "C" fn(Object, Object, *mut u8, usize, usize) -> i32,
    recipe_new: unsafe extern "C" fn(u8, u8, Out) -> i32,
    recipe_bits_micro: unsafe extern "C" fn(Object) -> u64,
    password_copy_utf8: unsafe extern "C" fn(Object, *mut u8, usize, *mut usize) -> i32,
    password_copy_utf16: unsafe extern "C" fn(Object, *mut u16, usize, *mut usize) -> i32,
    password_free: unsafe extern "C" fn(Object),
}

fn open() -> Option<Abi> {
    let path = std::env::var_os("LAPS_LIBRARY").map(PathBuf::from).or_else(|| {
        let program = std::env::current_exe().ok()?; // target/release/deps/abi-…
        Some(program.parent()?.parent()?.join("liblaps.so"))
    })?;
    // SAFETY: the library runs nothing when it is loaded.
    let library = unsafe { Library::new(&path) };
    if let Err(error) = &library {
        eprintln!("no library, no figures: {error}; `cargo build --release -p laps-ffi` makes it");
    }
    Some(Abi { library: library.ok()? })
}

fn made(call: impl FnOnce(Out) -> i32) -> Object {
    let mut object = ptr::null_mut();
    assert_eq!(call(&raw mut object), 0, "a call failed");
    object
}

fn abi(c: &mut Criterion) {
    let Some(abi) = open() else { return };
    let (new_generator, new_recipe) = (abi.generator_new(), abi.recipe_new());
    // SAFETY: contract of laps.h, here and below: objects of the library, buffers of the length
    // that is said.
    let (generator, recipe) =
        unsafe { (made(|out| new_generator(out)), made(|out| new_recipe(4, 14, out))) };
    let rust_recipe = Recipe::complexity(Complexity::Full, 14).expect("a recipe");
    let mut rust_generator = Generator::from_system().expect("a system source");

    fills_a_buffer(c, &abi, generator, recipe, &rust_recipe, &mut rust_generator);
    hands_out_an_object(c, &abi, generator, recipe, &rust_recipe, &mut rust_generator);
    answers_a_number(c, &abi, recipe, &rust_recipe);
}

fn fills_a_buffer(
    c: &mut Criterion,
    abi: &Abi,
    generator: Object,
    recipe: Object,
    rust_recipe: &Recipe,
    rust_generator: &mut Generator<laps_core::random::SystemSource>,
) {
    let mut buffer = [0_u8; 15];
    let mut group = c.benchmark_group("a password into the caller's buffer");
    let mut password = Password::empty();
    group.bench_function("Rust", |b| {
        b.iter(|| {
            rust_recipe.generate_into(rust_generator, &mut password).expect("a password");
            black_box(&mut buffer)[..14].copy_from_slice(password.expose_secret().as_bytes());
        });
    });
    let passwords = abi.generator_passwords();
    group.bench_function("C", |b| {
        // SAFETY: as above.
        b.iter(|| unsafe {
            passwords(generator, recipe, black_box(&mut buffer).as_mut_ptr(), 15, 1)
        });
    });
    group.finish();

    let password_of_c = abi.generator_password();
    // SAFETY: as above.
    let object = made(|out| unsafe { password_of_c(generator, recipe, out) });
    let mut len = 0;
    let mut group = c.benchmark_group("a copy in UTF-8");
    group.bench_function("Rust", |b| {
        b.iter(|| {
            let text = black_box(&password).expose_secret();
            if let Some(place) = black_box(&mut buffer).get_mut(..text.len()) {
                place.copy_from_slice(text.as_bytes());
            }
        });
    });
    let copy = abi.password_copy_utf8();
    group.bench_function("C", |b| {
        // SAFETY: as above.
        b.iter(|| unsafe { copy(object, black_box(&mut buffer).as_mut_ptr(), 15, &raw mut len) });
    });
    group.finish();

    let mut units = [0_u16; 15];
    let mut group = c.benchmark_group("a copy in UTF-16");
    group.bench_function("Rust", |b| {
        b.iter(|| {
            let text = black_box(&password).expose_secret();
            black_box(&mut units)
                .iter_mut()
                .zip(text.encode_utf16())
                .for_each(|(to, from)| *to = from);
        });
    });
    let copy = abi.password_copy_utf16();
    group.bench_function("C", |b| {
        // SAFETY: as above.
        b.iter(|| unsafe { copy(object, black_box(&mut units).as_mut_ptr(), 15, &raw mut len) });
    });
    group.finish();
    let free = abi.password_free();
    // SAFETY: as above; freed once.
    unsafe { free(object) };
}

fn hands_out_an_object(
    c: &mut Criterion,
    abi: &Abi,
    generator: Object,
    recipe: Object,
    rust_recipe: &Recipe,
    rust_generator: &mut Generator<laps_core::random::SystemSource>,
) {
    let mut group = c.benchmark_group("a password handed out and freed");
    group.bench_function("Rust, boxed", |b| {
        b.iter(|| {
            let mut password = Box::new(Password::empty());
            rust_recipe.generate_into(rust_generator, &mut password).expect("a password");
            black_box(password)
        });
    });
    let (new, free) = (abi.generator_password(), abi.password_free());
    group.bench_function("C", |b| {
        // SAFETY: as above; freed once.
        b.iter(|| unsafe { free(made(|out| new(generator, recipe, out))) });
    });
    group.finish();
}

fn answers_a_number(c: &mut Criterion, abi: &Abi, recipe: Object, rust_recipe: &Recipe) {
    let mut group = c.benchmark_group("a number");
    group.bench_function("Rust", |b| b.iter(|| black_box(rust_recipe).strength().bits_micro()));
    let bits = abi.recipe_bits_micro();
    // SAFETY: as above.
    group.bench_function("C", |b| b.iter(|| unsafe { bits(black_box(recipe)) }));
    group.finish();
}

criterion_group!(benches, abi);
criterion_main!(benches);
