//! Which password was made cannot be learned from branches or addresses (architecture §3, promise
//! 5).
//!
//! Runs itself under valgrind with every random byte marked as undefined: a branch or an address
//! that depends on one is an error. What is made public on purpose (whether a redraw is kept, which
//! rules a checked password breaks, the length of a passphrase) happens in functions named
//! `declassify…`, which `constant_time.supp` names. A leaky twin must be reported, so that the
//! check is known to be on.
//!
//! Without arguments it is the test; with `--probe NAME` it is what valgrind runs.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test without the harness; one leaky twin indexes on purpose"
)]

fn main() {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    linux::main();
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    println!("valgrind's requests are written down for x86-64 Linux only; nothing was shown here");
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod linux {
    use core::hint::black_box;
    use std::process::Command;

    use laps_core::generate::{Complexity, Recipe, RecipeBuilder, WindowsPolicy};
    use laps_core::random::{Generator, RandomError};
    use laps_core::secret::Password;
    use rand_core::{TryCryptoRng, TryRng};

    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const DIGITS: &str = "0123456789";

    /// What is run, and whether valgrind must report it.
    const PROBES: [(&str, fn(), bool); 14] = [
        ("complexity", complexity, false),
        ("long", long, false),
        ("rules by redrawing", redrawn_rules, false),
        ("counts by composition", composition, false),
        ("counts by position", positions, false),
        ("passphrase", passphrase, false),
        ("own list", own_list, false),
        ("ambiguous list", ambiguous_list, false),
        ("check", check, false),
        ("text", text, false),
        ("Windows' check", windows, false),
        ("comparison", comparison, false),
        ("leaky branch", leaky_branch, true),
        ("leaky address", leaky_address, true),
    ];

    pub(super) fn main() {
        let mut arguments = std::env::args().skip(1);
        if arguments.next().as_deref() == Some("--probe") {
            let name = arguments.next().expect("a name");
            let (_, probe, _) = PROBES.iter().find(|probe| probe.0 == name).expect("a known name");
            probe();
            return;
        }
        let mut failed = false;
        for (name, _, must_report) in PROBES {
            let (reported, text) = under_valgrind(name);
            let right = reported == must_report;
            println!("{name}: {}", if right { "as it must be" } else { "WRONG" });
            if !right {
                println!("{text}");
                failed = true;
            }
        }
        if failed {
            std::process::exit(1);
        }
    }

    /// Whether valgrind reports an error in a probe, and what it says.
    fn under_valgrind(name: &str) -> (bool, String) {
        const REPORTED: i32 = 77;
        let output = Command::new("valgrind")
            .arg("--quiet")
            .arg(format!("--error-exitcode={REPORTED}"))
            .arg(concat!(
                "--suppressions=",
                env!("CARGO_MANIFEST_DIR"),
                "/tests/constant_time.supp"
            ))
            .arg(std::env::current_exe().expect("a path"))
            .args(["--probe", name])
            .output()
            .expect("this test needs valgrind: apt-get install valgrind");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => (false, text),
            Some(REPORTED) => (true, text),
            _ => panic!("{name}: the probe failed\n{text}"),
        }
    }

    /// A source whose bytes are undefined for valgrind.
    struct Undefined(u8);

    impl TryRng for Undefined {
        type Error = RandomError;

        fn try_next_u32(&mut self) -> Result<u32, RandomError> {
            Err(RandomError::Failed)
        }

        fn try_next_u64(&mut self) -> Result<u64, RandomError> {
            Err(RandomError::Failed)
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            for byte in &mut *out {
                self.0 = self.0.wrapping_mul(5).wrapping_add(17);
                *byte = self.0;
            }
            make_undefined(out);
            Ok(())
        }
    }

    impl TryCryptoRng for Undefined {}

    fn generator() -> Generator<Undefined> {
        Generator::try_new(Undefined(1)).expect("a source that works")
    }

    fn make(recipe: &Recipe) {
        let mut generator = generator();
        let mut password = Password::empty();
        for _ in 0..20 {
            recipe.generate_into(&mut generator, &mut password).expect("a password");
            black_box(&password);
        }
    }

    fn build(builder: RecipeBuilder) -> Recipe {
        builder.build().expect("a feasible recipe")
    }

    fn complexity() {
        make(&Recipe::complexity(Complexity::Full, 14).expect("a recipe"));
    }

    fn long() {
        make(&Recipe::complexity(Complexity::Readable, 64).expect("a recipe"));
    }

    fn rules() -> Recipe {
        let groups = Recipe::builder(20).group(LOWER, 1, None).group(DIGITS, 2, Some(12));
        build(groups.first(LOWER).last(DIGITS).max_run(1).forbid("admin").forbid("12").at_least(2))
    }

    fn redrawn_rules() {
        make(&rules());
    }

    fn composition() {
        make(&build(Recipe::builder(12).group(LOWER, 6, Some(6)).group(DIGITS, 6, Some(6))));
        make(&build(Recipe::builder(16).group(DIGITS, 10, None).group(LOWER, 0, None)));
    }

    fn positions() {
        make(&build(Recipe::builder(24).group("abc", 3, None).group("cd", 2, None).max_run(1)));
        make(&build(Recipe::builder(24).group("abAB", 0, None).forbid("a").max_run(3)));
        make(&build(Recipe::builder(24).group("abc", 0, None).forbid("ab").forbid("ca")));
    }

    fn passphrase() {
        #[cfg(feature = "passphrase")]
        for level in [Complexity::LongWords, Complexity::ShortWords] {
            make(&Recipe::passphrase(level, 4).expect("a recipe"));
        }
    }

    fn own_list() {
        #[cfg(feature = "passphrase")]
        {
            let words = Recipe::phrase(5).words(["one", "three", "twenty-one", "sixteen-letters!"]);
            make(&words.separator("-").digit(true).build().expect("a recipe"));
        }
    }

    fn ambiguous_list() {
        #[cfg(feature = "passphrase")]
        {
            let words = Recipe::phrase(4).words(["in", "put", "input", "putin"]).capitalise(false);
            make(&words.digit(true).build().expect("a recipe"));
        }
    }

    /// The text of a generated password: that it is ASCII is known without a look at it.
    fn text() {
        let recipe = Recipe::complexity(Complexity::Full, 30).expect("a recipe");
        let password = recipe.generate(&mut generator()).expect("a password");
        assert_eq!(black_box(password.expose_secret()).len(), 30);
    }

    fn windows() {
        let recipe = Recipe::complexity(Complexity::Full, 14).expect("a recipe");
        let password = recipe.generate(&mut generator()).expect("a password");
        let policy = WindowsPolicy::new(14, true, "Admin", "Anna-Lena Berg");
        assert_eq!(policy.check(password.expose_secret()).count(), 0);
    }

    fn check() {
        let full = Recipe::complexity(Complexity::Full, 14).expect("a recipe");
        assert!(check_undefined(&full, "Z,E2q68}abcDEF"));
        assert!(!check_undefined(&full, "abcdefghijklmn"));
        assert!(!check_undefined(&rules(), "admin1212345555xx"));
        #[cfg(feature = "passphrase")]
        {
            let words = Recipe::passphrase(Complexity::ShortWords, 3).expect("a recipe");
            assert!(!check_undefined(&words, "AcidAcornAcreX"));
        }
    }

    /// Whether a password that is undefined for valgrind is admitted.
    fn check_undefined(recipe: &Recipe, password: &str) -> bool {
        let mut password = String::from(password);
        // SAFETY: marking bytes for valgrind changes none of them.
        make_undefined(unsafe { password.as_bytes_mut() });
        recipe.check(&password).next().is_none()
    }

    fn comparison() {
        let recipe = Recipe::complexity(Complexity::Full, 14).expect("a recipe");
        let mut generator = generator();
        let one = recipe.generate(&mut generator).expect("a password");
        let two = recipe.generate(&mut generator).expect("a password");
        // The answer is looked at by nobody here: it would be the caller's branch.
        black_box(one.equals(&two));
    }

    fn leaky_branch() {
        let mut bytes = [7; 16];
        Undefined(1).try_fill_bytes(&mut bytes).expect("bytes");
        for byte in bytes {
            if black_box(byte) >= 250 {
                black_box("redrawn");
            }
        }
    }

    fn leaky_address() {
        let alphabet = black_box(*b"abcdefghijklmnopqrstuvwxyzABCDEF");
        let mut bytes = [7; 16];
        Undefined(1).try_fill_bytes(&mut bytes).expect("bytes");
        for byte in bytes {
            black_box(alphabet[usize::from(byte >> 3)]);
        }
    }

    /// Tells valgrind that these bytes are undefined; does nothing outside valgrind.
    fn make_undefined(bytes: &mut [u8]) {
        // memcheck.h: VG_USERREQ__MAKE_MEM_UNDEFINED, the second request of tool "MC".
        const MAKE_MEM_UNDEFINED: u64 = (0x4d << 24 | 0x43 << 16) + 1;
        let request =
            [MAKE_MEM_UNDEFINED, bytes.as_ptr().addr() as u64, bytes.len() as u64, 0, 0, 0];
        // SAFETY: the sequence of valgrind.h for AMD64. It rotates rdi by 128 bits in all,
        // exchanges rbx with itself, and outside valgrind leaves every register as it was;
        // rdx holds the answer.
        unsafe {
            core::arch::asm!(
                "rol rdi, 3",
                "rol rdi, 13",
                "rol rdi, 61",
                "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") request.as_ptr(),
                inout("rdx") 0_u64 => _,
                options(nostack),
            );
        }
    }
}
