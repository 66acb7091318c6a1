//! Generation allocates nothing, however much is made.

#![expect(
    clippy::expect_used,
    reason = "a test without the harness, which allocates between tests"
)]

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::System;

use laps_core::generate::{Complexity, Recipe};
use laps_core::random::Generator;
use laps_core::secret::Password;

/// The system's allocator, with a count of the calls that ask for memory.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let mut generator = Generator::from_system().expect("a system source");
    let exact = Recipe::builder(12)
        .group("abcdefghijklmnopqrstuvwxyz", 6, Some(6))
        .group("0123456789", 6, Some(6))
        .build();
    let run = Recipe::builder(24).group("abc", 0, None).max_run(1).build();
    let recipes = [
        Recipe::complexity(Complexity::Full, 14).expect("a recipe"),
        Recipe::passphrase(Complexity::LongWords, 6).expect("a recipe"),
        exact.expect("a recipe"),
        run.expect("a recipe"),
    ];
    let mut slots = [const { Password::empty() }; 100];
    let before = CALLS.load(Ordering::Relaxed);
    for recipe in &recipes {
        for _ in 0..10 {
            recipe.generate_many(&mut generator, &mut slots).expect("passwords");
        }
    }
    let after = CALLS.load(Ordering::Relaxed);
    assert_eq!(after, before, "generation allocates");
    // The counter is on: building a recipe with a table does allocate.
    core::hint::black_box(vec![0_u8; 1]);
    assert!(CALLS.load(Ordering::Relaxed) > after, "the counter does not count");
}
