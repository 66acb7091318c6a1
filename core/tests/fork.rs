//! A real fork: the child has the parent's generator, and makes other passwords once it has
//! reseeded.
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
        #[cfg(feature = "seal")]
        let sealing = super::sealing::Sealing::new(&mut generator);
        let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
        // SAFETY: there is one thread.
        let child = unsafe { libc::fork() };
        if child == 0 {
            drop(reader);
            // As forked: a copy of the parent's generator, which is why it has to be reseeded.
            let copied = make(&recipe, &mut generator);
            #[cfg(feature = "seal")]
            let drawn = sealing.draw(&mut generator);
            generator.reseed().expect("a system source");
            let texts = [copied, make(&recipe, &mut generator), make(&recipe, &mut generator)];
            let mut told = texts.concat().into_bytes();
            #[cfg(feature = "seal")]
            told.extend(drawn.concat());
            let written = writer.write_all(&told);
            std::process::exit(i32::from(written.is_err()));
        }
        assert!(child > 0, "no fork");
        drop(writer);
        let mut ours = vec![make(&recipe, &mut generator)];
        #[cfg(feature = "seal")]
        let drawn = sealing.draw(&mut generator);
        ours.extend((0..2).map(|_| make(&recipe, &mut generator)));
        let mut told = Vec::new();
        reader.read_to_end(&mut told).expect("what the child drew");
        let mut status = 0;
        // SAFETY: the child is ours, and the status has a place.
        let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!((waited, status), (child, 0), "the child failed");

        let length = usize::from(LENGTH);
        let (told, rest) = told.split_at_checked(3 * length).expect("three passwords");
        let told = core::str::from_utf8(told).expect("text");
        #[cfg(feature = "seal")]
        sealing.compare(&drawn, rest);
        assert_eq!(rest.is_empty(), cfg!(not(feature = "seal")));
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

/// Sealing and its kin repeat nothing, though nobody reseeds the copied generator for them.
#[cfg(all(unix, feature = "seal"))]
mod sealing {
    use laps_core::identity::{AccountName, DeviceId, RecordId, Scope, Timestamp};
    use laps_core::random::{Generator, SystemSource};
    use laps_core::seal::{Header, ReaderKey, Record, Suite};
    use laps_core::secret::Password;

    pub(super) struct Sealing {
        key: ReaderKey,
        header: Header,
        password: Password,
        first: Record,
    }

    /// A public key, a record id, a record and a re-sealed one, from generators that are copies of
    /// each other.
    type Drawn = [Vec<u8>; 4];

    impl Sealing {
        pub(super) fn new(generator: &mut Generator<SystemSource>) -> Self {
            let key = ReaderKey::generate(Suite::X25519, "r", generator).expect("a key");
            let header = Header {
                scope: Scope::EMPTY,
                device: DeviceId::new("device").expect("text"),
                account: AccountName::new("Admin").expect("text"),
                sid: None,
                id: RecordId::generate(generator).expect("an id"),
                previous: None,
                version: 1,
                made_at: Timestamp::default(),
                policy_hash: [0; 32],
            };
            let password = Password::try_from_str("one password").expect("text");
            let readers = [key.reader().clone()];
            let first = Record::seal(&header, &password, &readers, generator).expect("sealed");
            Self { key, header, password, first }
        }

        pub(super) fn draw(&self, generator: &mut Generator<SystemSource>) -> Drawn {
            let readers = [self.key.reader().clone()];
            let other = ReaderKey::generate(Suite::X25519, "r", generator).expect("a key");
            let id = RecordId::generate(generator).expect("an id");
            let record = Record::seal(&self.header, &self.password, &readers, generator);
            let resealed = self.key.reseal(&self.first, &readers, generator);
            [
                other.reader().public_key().to_vec(),
                id.as_bytes().to_vec(),
                record.expect("sealed").as_bytes().to_vec(),
                resealed.expect("re-sealed").as_bytes().to_vec(),
            ]
        }

        /// Parent and child hold the same password under the same header, and yet nothing is alike.
        pub(super) fn compare(&self, ours: &Drawn, theirs: &[u8]) {
            let mut rest = theirs;
            for drawn in ours {
                let (part, after) = rest.split_at_checked(drawn.len()).expect("four things");
                rest = after;
                assert_ne!(part, drawn.as_slice(), "the child repeats what its parent draws");
                // What is encrypted and its tag: another key, so another text from its first bytes
                // on.
                let ends = (part.last_chunk::<177>(), drawn.last_chunk::<177>());
                if let (Some(one), Some(other)) = ends {
                    assert_ne!(one.first_chunk::<16>(), other.first_chunk::<16>(), "one key twice");
                }
            }
            assert!(rest.is_empty());
        }
    }
}
