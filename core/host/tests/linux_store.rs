//! The Linux store against real local accounts, made for the test and removed after it. Needs root.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;

use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;
use laps_host::account::linux::LinuxStore;
use laps_host::account::setter::SetterLock;
use laps_host::account::{AccountStore as _, Action, StoreError, Verification};
use laps_testkit::real_account::{RealAccount, script};

const LONG: Duration = Duration::from_secs(30);

fn name(text: &str) -> AccountName {
    AccountName::new(text).unwrap()
}

fn password(text: &str) -> Password {
    Password::try_from_str(text).unwrap()
}

#[test]
fn a_password_set_on_a_real_account_verifies_and_moves_the_change_stamp() {
    let real = RealAccount::new("set");
    let mut store = LinuxStore::new();
    let account = store.find(&name(&real.name)).unwrap();
    assert_eq!(account.sid.unwrap().to_string(), format!("S-1-22-1-{}", real.uid()));
    let mut lock = SetterLock::unlocked();
    let before = store.change_stamp(&account).unwrap();
    assert_eq!(store.verify(&account, &password("x")), Verification::DoesNotMatch);
    for text in ["Aa1!:$\\'\" ~`{}", "correct horse battery staple", "pässwörd"] {
        assert_eq!(store.set(&account, &password(text), &mut lock), Ok(()));
        assert_eq!(store.verify(&account, &password(text)), Verification::Matches);
        assert_eq!(store.verify(&account, &password("x")), Verification::DoesNotMatch);
    }
    let after = store.change_stamp(&account).unwrap();
    assert_ne!(before, after);
    assert!(real.shadow().starts_with("$y$") || real.shadow().starts_with("$6$"));
    // The same password again is another salt: the change stamp moves.
    assert_eq!(store.set(&account, &password("x"), &mut lock), Ok(()));
    let once = store.change_stamp(&account).unwrap();
    assert_eq!(store.set(&account, &password("x"), &mut lock), Ok(()));
    assert_ne!(store.change_stamp(&account).unwrap(), once);
}

#[test]
fn hashes_of_both_methods_that_chpasswd_makes_are_verified() {
    let real = RealAccount::new("sha");
    let mut store = LinuxStore::new();
    let account = store.find(&name(&real.name)).unwrap();
    for method in ["SHA256", "SHA512", "YESCRYPT"] {
        real.chpasswd_with(method, "correct horse");
        assert_eq!(
            store.verify(&account, &password("correct horse")),
            Verification::Matches,
            "{method}"
        );
        assert_eq!(store.verify(&account, &password("x")), Verification::DoesNotMatch, "{method}");
    }
}

#[test]
fn a_hash_of_an_unknown_method_is_said_before_anything_waits_for_it() {
    let real = RealAccount::new("bcrypt");
    let mut store = LinuxStore::new();
    let account = store.find(&name(&real.name)).unwrap();
    assert!(store.can_verify(&account, &password("never set")));
    for (hash, known) in [
        ("$2b$05$abcdefghijklmnopqrstuuZc8uq0rOGBtFQbZqGYBNqDFwEvSGKKq", false),
        ("!$gy$j9T$abcdefghijklmnop$abcdefghijklmnopabcdefghijklmnopabcdefghijk", false),
        ("$6$abcdefgh$abcdefgh", true),
        ("!", true),
    ] {
        real.set_hash(hash);
        assert_eq!(store.can_verify(&account, &password("never set")), known, "{hash}");
    }
}

#[test]
fn root_and_a_blank_name_are_refused_unless_allowed_by_name() {
    let mut store = LinuxStore::new();
    assert!(matches!(store.find(&name("root")), Err(StoreError::Refused(_))));
    assert!(matches!(store.find(&AccountName::EMPTY), Err(StoreError::Refused(_))));
    let mut allowed = LinuxStore::new().allow(name("root"));
    assert_eq!(allowed.find(&name("root")).unwrap().sid.unwrap().to_string(), "S-1-22-1-0");
    assert_eq!(allowed.find(&AccountName::EMPTY).unwrap().name.as_str(), "root");
    let root = allowed.find(&name("root")).unwrap();
    assert!(matches!(allowed.act(&root, Action::Terminate), Err(StoreError::Cannot(_))));
    assert!(matches!(allowed.act(&root, Action::SignOut), Err(StoreError::Cannot(_))));
    assert!(matches!(store.find(&name("laps-nobody-here")), Err(StoreError::NoSuchAccount(_))));
    assert!(matches!(store.find(&name("nobody")), Err(StoreError::Refused(_))));
}

#[test]
fn a_setter_that_fails_refuses_or_lies_is_seen_by_verification() {
    let real = RealAccount::new("lie");
    let folder = tempfile::tempdir().unwrap();
    let lock_path = folder.path().join("setter");
    let with = |text: &str, script_text: &str, timeout: Duration| {
        let mut lock = SetterLock::acquire(&lock_path, timeout).unwrap();
        let mut store = LinuxStore::new().with_setter(&script(folder.path(), script_text));
        let account = store.find(&name(&real.name)).unwrap();
        let outcome = store.set(&account, &password(text), &mut lock);
        (outcome, store.verify(&account, &password(text)))
    };
    let (outcome, verified) = with("one", "cat > /dev/null; exit 1", LONG);
    assert!(matches!(outcome, Err(StoreError::Failed(_))));
    assert_eq!(verified, Verification::DoesNotMatch);
    // Says success and did nothing.
    let (outcome, verified) = with("two", "cat > /dev/null; exit 0", LONG);
    assert_eq!((outcome, verified), (Ok(()), Verification::DoesNotMatch));
    // Says failure and did it.
    let (outcome, verified) = with("three", "/usr/sbin/chpasswd; exit 1", LONG);
    assert!(matches!(outcome, Err(StoreError::Failed(_))));
    assert_eq!(verified, Verification::Matches);
    let (outcome, _) =
        with("four", "cat > /dev/null; echo BAD PASSWORD: too short >&2; exit 1", LONG);
    assert!(matches!(outcome, Err(StoreError::Refused(_))));
    // Hangs.
    let (outcome, verified) =
        with("five", "cat > /dev/null; sleep 600", Duration::from_millis(300));
    assert!(matches!(outcome, Err(StoreError::TimedOut(_))));
    assert_eq!(verified, Verification::DoesNotMatch);
}

#[test]
fn a_line_cannot_be_smuggled_into_chpasswd() {
    let real = RealAccount::new("line");
    let mut store = LinuxStore::new();
    let account = store.find(&name(&real.name)).unwrap();
    let before = real.shadow();
    for text in ["", "a\nroot:b", "a\0b"] {
        let outcome = store.set(&account, &password(text), &mut SetterLock::unlocked());
        assert!(matches!(outcome, Err(StoreError::Refused(_))), "{text:?}");
    }
    assert_eq!(real.shadow(), before);
}

#[test]
fn a_process_of_the_account_is_a_use_and_our_verification_is_none() {
    let real = RealAccount::new("use");
    let mut store = LinuxStore::new();
    let account = store.find(&name(&real.name)).unwrap();
    let since = Timestamp::from_unix_seconds(1_000_000_000);
    assert_eq!(store.set(&account, &password("x"), &mut SetterLock::unlocked()), Ok(()));
    assert_eq!(store.verify(&account, &password("x")), Verification::Matches);
    assert_eq!(store.used_since(&account, since), Ok(None));
    let mut process = real.run("sleep 600");
    let at = store.used_since(&account, since).unwrap().unwrap();
    assert!(laps_host::time::now().seconds_since(at) < 60 && at <= laps_host::time::now().plus(2));
    assert_eq!(store.used_since(&account, at.plus(1)), Ok(None));
    // Every process of the account is ended, and nobody else's.
    assert_eq!(store.act(&account, Action::Terminate), Ok(()));
    assert!(!process.wait().unwrap().success());
    assert_eq!(store.used_since(&account, since), Ok(None));
}

/// A log-in with a terminal of its own, whose picture goes to a file.
struct Session {
    child: std::process::Child,
    picture: std::path::PathBuf,
}

impl Session {
    fn new(real: &RealAccount, folder: &std::path::Path, command: &str) -> Self {
        let picture = folder.join("picture");
        let inside = format!("setpriv --reuid {} --clear-groups sh -c '{command}'", real.uid());
        let child = std::process::Command::new("setsid")
            .args(["--wait", "script", "--quiet", "--flush", "--command", &inside])
            .arg(&picture)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let session = Self { child, picture };
        session.shows("ready");
        session
    }

    fn shows(&self, text: &str) {
        while !std::fs::read_to_string(&self.picture).is_ok_and(|all| all.contains(text)) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_sign_out_warns_and_ends_what_has_a_terminal_and_terminate_ends_the_rest() {
    let real = RealAccount::new("out");
    let folder = tempfile::tempdir().unwrap();
    let mut store = LinuxStore::new();
    let account = store.find(&name(&real.name)).unwrap();
    let since = Timestamp::from_unix_seconds(1_000_000_000);
    // One that goes when its window is closed, and one that does not want to.
    for command in
        ["echo ready; sleep 600", "trap \"\" HUP TERM; echo ready; while :; do sleep 1; done"]
    {
        let mut session = Session::new(&real, folder.path(), command);
        let mut behind = real.run("setsid --wait sleep 600");
        assert_eq!(store.act(&account, Action::WarnSignOut), Ok(()));
        session.shows("is signed out in two minutes");
        assert_eq!(store.act(&account, Action::WarnRestart), Ok(()));
        session.shows("restarts in one minute");
        assert_eq!(store.act(&account, Action::SignOut), Ok(()));
        session.child.wait().unwrap();
        // What has no terminal is not a session.
        assert!(behind.try_wait().unwrap().is_none());
        assert!(store.used_since(&account, since).unwrap().is_some());
        assert_eq!(store.act(&account, Action::Terminate), Ok(()));
        assert!(!behind.wait().unwrap().success());
        assert_eq!(store.used_since(&account, since), Ok(None));
        std::fs::remove_file(&session.picture).unwrap();
    }
}

#[test]
fn a_process_that_hides_from_its_user_and_one_that_breeds_are_ended_too() {
    let real = RealAccount::new("breed");
    let mut store = LinuxStore::new();
    let account = store.find(&name(&real.name)).unwrap();
    let since = Timestamp::from_unix_seconds(1_000_000_000);
    // A program that its user may run and not read: Linux gives the process's folder in /proc to
    // root.
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path, mode: u32| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(path, mode).unwrap();
    };
    mode(folder.path(), 0o755);
    let unreadable = folder.path().join("sleep");
    std::fs::copy("/bin/sleep", &unreadable).unwrap();
    mode(&unreadable, 0o711);
    let mut hidden = real.run(&format!("{} 600", unreadable.display()));
    while !std::fs::read_to_string(format!("/proc/{}/cmdline", hidden.id()))
        .unwrap()
        .contains("600")
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(store.used_since(&account, since).unwrap().is_some());
    // A chain in which each process starts the next one and ends.
    let chain = script(folder.path(), "sleep 0.02; \"$0\" & exit 0");
    mode(&chain, 0o755);
    let mut first = real.run(&chain.display().to_string());
    first.wait().unwrap();
    assert_eq!(store.act(&account, Action::Terminate), Ok(()));
    assert!(!hidden.wait().unwrap().success());
    assert_eq!(store.used_since(&account, since), Ok(None));
}

#[test]
fn a_restart_is_the_program_that_was_found_and_a_machine_without_one_says_so() {
    let real = RealAccount::new("boot");
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("restarted");
    // Never the real one here: this program stands in its place.
    let program = script(folder.path(), &format!("echo \"$#\" > {}", mark.display()));
    let mut store = LinuxStore::new().with_restart(&program);
    let account = store.find(&name(&real.name)).unwrap();
    assert!(store.abilities().restart);
    assert_eq!(store.act(&account, Action::Restart), Ok(()));
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "0\n");
    let mut store = LinuxStore::new().with_restart(&folder.path().join("none"));
    assert!(!store.abilities().restart);
    assert!(store.findings().iter().any(|text| text.contains("cannot restart")));
    assert!(matches!(store.act(&account, Action::Restart), Err(StoreError::Cannot(_))));
    let failing = script(folder.path(), "echo not today >&2; exit 1");
    let mut store = LinuxStore::new().with_restart(&failing);
    let error = store.act(&account, Action::Restart).unwrap_err();
    assert!(matches!(&error, StoreError::Failed(text) if text.contains("not today")), "{error}");
}
