//! The command store against programs that behave and programs that do not.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/program.rs"]
mod program;

use core::time::Duration;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use laps_core::account::LocalAccount;
use laps_core::identity::{AccountName, Timestamp};
use laps_core::secret::Password;
use laps_host::account::command::CommandStore;
use laps_host::account::setter::SetterLock;
use laps_host::account::{AccountStore as _, Action, StoreError, Verification};

struct Place {
    folder: tempfile::TempDir,
    lock: SetterLock,
}

impl Place {
    fn new() -> Self {
        Self::with_timeout(Duration::from_secs(30))
    }

    fn with_timeout(timeout: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lock = SetterLock::acquire(&folder.path().join("setter"), timeout).unwrap();
        Self { folder, lock }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self, script: &str) -> CommandStore {
        let path = self.path("store");
        program::write(&path, &format!("D={}\n{script}", self.folder.path().display()));
        CommandStore::new(&format!("'{}' --accounts file", path.display())).unwrap()
    }

    fn set(&mut self, script: &str) -> Result<(), StoreError> {
        self.store(script).set(&account(), &password(), &mut self.lock)
    }

    fn verify(&self, script: &str) -> Verification {
        self.store(script).verify(&account(), &password())
    }
}

fn account() -> LocalAccount {
    LocalAccount { name: AccountName::new("Admin").unwrap(), sid: None, enabled: true }
}

fn password() -> Password {
    Password::try_from_str("pa ss'w\"ord").unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_password_goes_to_standard_input_whole_and_nowhere_else() {
    let mut place = Place::new();
    let script = r#"cat > "$D/input"; printf '%s|' "$@" > "$D/arguments"; env > "$D/environment""#;
    assert_eq!(place.set(script), Ok(()));
    assert_eq!(read(&place.path("input")), "pa ss'w\"ord");
    assert_eq!(read(&place.path("arguments")), "--accounts|file|set|Admin|");
    assert!(!read(&place.path("environment")).contains("pa ss"));
}

#[test]
fn exit_statuses_mean_what_the_table_says() {
    let mut place = Place::new();
    assert_eq!(
        place.set("echo too simple >&2; exit 10"),
        Err(StoreError::Refused("too simple".to_owned()))
    );
    assert!(matches!(place.set("exit 11"), Err(StoreError::Cannot(_))));
    assert!(matches!(place.set("exit 12"), Err(StoreError::NoSuchAccount(_))));
    for other in ["exit 1", "exit 13", "exit 127", "kill -9 $$"] {
        assert!(matches!(place.set(other), Err(StoreError::Failed(_))), "{other}");
    }
    assert_eq!(place.verify("exit 0"), Verification::Matches);
    assert_eq!(place.verify("exit 13"), Verification::DoesNotMatch);
    assert_eq!(place.verify("exit 11"), Verification::Cannot);
    for other in ["exit 1", "exit 10", "exit 12", "exit 255", "kill -9 $$"] {
        assert!(matches!(place.verify(other), Verification::NoAnswer(_)), "{other}");
    }
}

#[test]
fn a_message_that_holds_the_password_is_withheld() {
    let mut place = Place::new();
    let Err(error) = place.set("cat >&2; exit 10") else { unreachable!("it failed") };
    assert!(!error.to_string().contains("pa ss"), "{error}");
    assert!(error.to_string().contains("withheld"), "{error}");
}

/// It has been killed and has let go of the lock; the rest of its end is up to the system, which may take a moment.
fn assert_ends(process: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.trim())).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return;
        }
        assert!(Instant::now() < until, "{stat}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_setter_that_hangs_is_ended_with_everything_it_started() {
    let mut place = Place::with_timeout(Duration::from_millis(300));
    let script = "sleep 600 & echo $! > \"$D/child\"; sleep 600";
    let Err(error) = place.set(script) else { unreachable!("it hangs") };
    assert!(error.to_string().contains("no answer in time"), "{error}");
    assert_ends(&read(&place.path("child")));
    // The lock was had back, so the next one runs.
    assert_eq!(place.set("exit 0"), Ok(()));
}

#[test]
fn a_setter_that_leaves_something_behind_is_not_over() {
    let mut place = Place::with_timeout(Duration::from_millis(500));
    let started = Instant::now();
    // What it leaves behind has the lock, until it is ended at the time-out.
    assert_eq!(place.set("sleep 600 > /dev/null 2>&1 & echo $! > \"$D/child\"; exit 0"), Ok(()));
    assert!(started.elapsed() >= Duration::from_millis(500));
    assert_ends(&read(&place.path("child")));
}

#[test]
fn a_setter_that_outlived_its_agent_is_waited_for_and_then_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("setter");
    let child_file = folder.path().join("child");
    for recorded in [true, false] {
        // A setter of an agent that is gone: it and its child have the lock.
        let mut setter = Command::new("flock")
            .arg(&path)
            .args(["sh", "-c", &format!("sleep 600 & echo $! > {}; wait", child_file.display())])
            .process_group(0)
            .spawn()
            .unwrap();
        while fs::read_to_string(&child_file).map_or(true, |text| !text.ends_with('\n')) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if recorded {
            fs::write(&path, format!("{}\n", setter.id())).unwrap();
        } else {
            // The number of somebody else: it must not be ended.
            fs::write(&path, format!("{}\n", std::process::id())).unwrap();
        }
        let started = Instant::now();
        let lock = SetterLock::acquire(&path, Duration::from_millis(300)).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert!(!setter.wait().unwrap().success());
        assert_ends(&read(&child_file));
        drop(lock);
        fs::remove_file(&child_file).unwrap();
    }
    // One that ends by itself is waited for, not ended.
    let mut setter = Command::new("flock").arg(&path).args(["sleep", "0.2"]).spawn().unwrap();
    while setter.try_wait().unwrap().is_none() {
        drop(SetterLock::acquire(&path, Duration::from_secs(30)).unwrap());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(setter.wait().unwrap().success());
}

#[test]
fn used_since_takes_and_prints_rfc_3339() {
    let place = Place::new();
    let since = Timestamp::from_unix_seconds(1_795_000_000);
    let used = |script: &str| place.store(script).used_since(&account(), since);
    assert_eq!(
        used("test \"$5\" = 2026-11-18T11:06:40Z && echo 2026-11-18T12:06:41+00:00"),
        Ok(Some(since.plus(3601)))
    );
    assert_eq!(used("exit 0"), Ok(None));
    assert_eq!(used("echo 2026-11-18T11:06:39Z"), Ok(None));
    assert!(matches!(used("echo yesterday"), Err(StoreError::Failed(_))));
    assert!(matches!(used("exit 11"), Err(StoreError::Cannot(_))));
}

#[test]
fn actions_are_called_by_their_words() {
    let place = Place::new();
    for (action, word) in [
        (Action::SignOut, "sign-out"),
        (Action::Terminate, "terminate"),
        (Action::Restart, "restart"),
    ] {
        let mut store = place.store("printf '%s' \"$3 $4\" > \"$D/called\"");
        assert_eq!(store.act(&account(), action), Ok(()));
        assert_eq!(read(&place.path("called")), format!("{word} Admin"));
    }
}

#[test]
fn a_store_without_a_program_and_a_blank_account_are_refused() {
    assert!(matches!(CommandStore::new("  "), Err(StoreError::Refused(_))));
    assert!(matches!(CommandStore::new("a 'b"), Err(StoreError::Refused(_))));
    let mut place = Place::new();
    let mut store = CommandStore::new("/nonexistent/program").unwrap();
    assert!(matches!(store.find(&AccountName::EMPTY), Err(StoreError::Refused(_))));
    assert!(matches!(
        store.set(&account(), &password(), &mut place.lock),
        Err(StoreError::Failed(_))
    ));
    // The lock came back, although the program could not be started.
    assert_eq!(place.set("exit 0"), Ok(()));
}
