//! The command store against programs that behave and programs that do not.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

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
        laps_testkit::program::write(
            &path,
            &format!("D={}\n{script}", self.folder.path().display()),
        );
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
    let text = "at least 20 characters";
    assert_eq!(
        place.set("echo too short, minimum 20 >&2; exit 10"),
        Err(StoreError::Refused(text.to_owned()))
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
fn what_a_program_says_while_it_has_a_password_is_never_passed_on() {
    // In every spelling that a program may quote it in, as a refusal and as a failure.
    let spellings = [
        "cat",
        "sed 's/&/\\&amp;/g; s/ /\\&#32;/g'",
        "sed 's/ /%20/g'",
        "base64",
        "od -An -tx1",
        "tr a-z A-Z",
        "rev",
        "sed 's/./& /g'",
        "tr -d ' '",
        "tail -c 4",
    ];
    for (spelling, status) in spellings.iter().flat_map(|each| [(each, 10), (each, 1)]) {
        let mut place = Place::new();
        let script = format!("{spelling} >&2; echo permission denied >&2; exit {status}");
        let Err(error) = place.set(&script) else { unreachable!("it failed") };
        let refused = "for a reason that is not known here";
        let failed =
            format!("{}: exit status 1: it is not allowed to", place.path("store").display());
        assert_eq!(error.reason(), if status == 10 { refused } else { &failed }, "{spelling}");
        let Verification::NoAnswer(text) = place.verify(&script) else { unreachable!("no answer") };
        assert!(text.ends_with(refused) || text.ends_with(&failed), "{text}");
    }
    // One that got none is quoted.
    let error = Place::new().store("echo no session >&2; exit 1").act(&account(), Action::SignOut);
    assert!(error.unwrap_err().reason().ends_with("exit status 1: no session"));
}

#[test]
fn a_program_gets_no_more_of_the_agent_than_it_needs() {
    let mut place = Place::new();
    // A descriptor that this process, as a careless program would, lets children inherit, and a
    // token in the environment.
    let secret = fs::File::create(place.path("secret")).unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    let most = rustix::process::getrlimit(rustix::process::Resource::Core).maximum;
    let open = rustix::process::Rlimit { current: most, maximum: most };
    rustix::process::setrlimit(rustix::process::Resource::Core, open).unwrap();
    let script = r#"
        env | cut -d= -f1 | sort > "$D/environment"
        ls -l /proc/$$/fd > "$D/open"
        ulimit -c > "$D/core""#;
    assert_eq!(place.set(script), Ok(()));
    let known = [
        "HOME", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER", "PWD", "OLDPWD",
        "SHLVL", "_",
    ];
    let environment = read(&place.path("environment"));
    assert!(environment.lines().all(|name| known.contains(&name)), "{environment}");
    // Cargo gives its tests many names of its own.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!read(&place.path("open")).contains("/secret"));
    assert_eq!(read(&place.path("core")), "0\n");
}

/// It has been killed and has let go of the lock; the rest of its end is up to the system, which
/// may take a moment.
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
