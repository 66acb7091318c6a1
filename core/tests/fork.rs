//! A real fork: the child has the parent's generator, and makes other passwords once it has reseeded.
//!
//! Without the harness: a process with one thread forks, and its child may do anything.

#![expect(clippy::expect_used, reason = "a test without the harness")]

fn main() {
    #[cfg(unix)]
    unix::main();
}

#[cfg(unix)]
mod unix {
    use std::io::{Read as _, Write as _};

    use laps_core::generate::{Complexity, Recipe};
    use laps_core::random::{Generator, SystemSource};

    const LENGTH: u8 = 30;

    fn make(recipe: &Recipe, generator: &mut Generator<SystemSource>) -> String {
        recipe.generate(generator).expect("a password").expose_secret().to_owned()
    }

    pub(super) fn main() {
        let recipe = Recipe::complexity(Complexity::Full, LENGTH).expect("a recipe");
        let mut generator = Generator::from_system().expect("a system source");
        let before = make(&recipe, &mut generator);
        let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
        // SAFETY: there is one thread.
        let child = unsafe { libc::fork() };
        if child == 0 {
            drop(reader);
            // As forked: a copy of the parent's generator, which is why it has to be reseeded.
            let copied = make(&recipe, &mut generator);
            generator.reseed().expect("a system source");
            let texts = [copied, make(&recipe, &mut generator), make(&recipe, &mut generator)];
            let written = writer.write_all(texts.concat().as_bytes());
            std::process::exit(i32::from(written.is_err()));
        }
        assert!(child > 0, "no fork");
        drop(writer);
        let ours: Vec<String> = (0..3).map(|_| make(&recipe, &mut generator)).collect();
        let mut told = String::new();
        reader.read_to_string(&mut told).expect("the child's passwords");
        let mut status = 0;
        // SAFETY: the child is ours, and the status has a place.
        let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!((waited, status), (child, 0), "the child failed");

        let length = usize::from(LENGTH);
        let (copied, reseeded) = told.split_at_checked(length).expect("three passwords");
        let (second, third) = reseeded.split_at_checked(length).expect("three passwords");
        assert_eq!(third.len(), length);
        assert_eq!(ours.first().map(String::as_str), Some(copied), "the fork copied nothing");
        assert_ne!(second, third);
        for text in [second, third] {
            assert!(text != before && !ours.iter().any(|made| made == text), "the child repeats");
        }
        println!("a reseeded child makes passwords of its own");
    }
}
