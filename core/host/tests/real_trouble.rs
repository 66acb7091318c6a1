//! What goes wrong around an agent, on a real local account that is made for each test and removed
//! after it; what the account has is asked of the shadow file. Needs root.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

use core::time::Duration;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use laps_core::account::LocalAccount;
use laps_core::error::Code;
use laps_core::identity::AccountName;
use laps_core::secret::Password;
use laps_host::account::linux::LinuxStore;
use laps_host::account::{AccountStore as _, Verification};
use laps_host::agent::{Agent, AgentError, AgentOptions, PolicySource, RunOutcome};
use laps_testkit::bench::Bench;
use laps_testkit::mount::Mount;
use laps_testkit::real_account::{RealAccount, script};

struct Device {
    bench: Bench,
    real: RealAccount,
    account: LocalAccount,
    options: AgentOptions,
}

impl Device {
    fn new(what: &str) -> Self {
        let (bench, real) = (Bench::new(), RealAccount::new(what));
        let account = LinuxStore::new().find(&AccountName::new(&real.name).unwrap()).unwrap();
        let mut options = bench.options();
        let policy =
            format!(r#"{{"BackupDirectory":1,"AdministratorAccountName":"{}"}}"#, real.name);
        options.policy = PolicySource::Texts(vec![("p.json".to_owned(), policy.into_bytes())]);
        options.setter_timeout = Duration::from_secs(2);
        Self { bench, real, account, options }
    }

    /// With a password that is committed.
    fn settled(what: &str) -> Self {
        let device = Self::new(what);
        assert_eq!(device.run(), RunOutcome::Committed);
        device
    }

    fn open(&self, store: LinuxStore) -> Result<Agent, AgentError> {
        self.bench.agent_with(self.options.clone(), Box::new(store))
    }

    fn run(&self) -> RunOutcome {
        self.open(LinuxStore::new()).unwrap().run_once(false).unwrap()
    }

    /// A forced run whose `chpasswd` is this script.
    fn run_with(&self, text: &str) -> RunOutcome {
        let setter = script(self.bench.folder.path(), text);
        let store = LinuxStore::new().with_setter(&setter);
        self.open(store).unwrap().run_once(true).unwrap()
    }

    fn has(&self, text: &str) -> bool {
        let password = Password::try_from_str(text).unwrap();
        LinuxStore::new().verify(&self.account, &password) == Verification::Matches
    }

    /// The promise: a reader can get the password of the account, from the vault or from the
    /// journal.
    #[track_caller]
    fn holds(&self) {
        let mut known = self.bench.candidates();
        known.extend(self.bench.journalled());
        assert!(known.iter().any(|text| self.has(text)), "nobody knows the account's password");
    }

    /// Failures have stopped: exactly one candidate remains, and it is the account's.
    #[track_caller]
    fn settles(&self) {
        for _ in 0..5 {
            self.holds();
            if self.run() == RunOutcome::NothingDue && self.bench.candidates().len() == 1 {
                break;
            }
        }
        let [only] = <[String; 1]>::try_from(self.bench.candidates()).unwrap();
        assert!(self.has(&only), "the one candidate is not the account's");
    }
}

#[test]
fn a_full_state_folder_changes_no_account() {
    let device = Device::new("full");
    let _mount = Mount::new(device.bench.path("state"));
    assert_eq!(device.run(), RunOutcome::Committed);
    let before = device.real.shadow();
    let filler = device.bench.path("state/filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    device.bench.order();
    assert_eq!(device.run(), RunOutcome::NotCommitted);
    assert_eq!(device.real.shadow(), before);
    device.holds();
    fs::remove_file(filler).unwrap();
    assert_eq!(device.run(), RunOutcome::Committed);
    assert_ne!(device.real.shadow(), before);
    device.settles();
}

#[test]
fn a_read_only_state_folder_is_refused_and_changes_no_account() {
    let device = Device::new("ro");
    let mount = Mount::new(device.bench.path("state"));
    assert_eq!(device.run(), RunOutcome::Committed);
    let before = device.real.shadow();
    device.bench.order();
    mount.remount("ro");
    let error = device.open(LinuxStore::new()).unwrap_err();
    assert_eq!((error.code(), error.exit_status()), (Code::PermissionDenied, 5));
    assert_eq!(device.real.shadow(), before);
    device.holds();
    mount.remount("rw");
    assert_eq!(device.run(), RunOutcome::Committed);
    assert_ne!(device.real.shadow(), before);
    device.settles();
}

#[test]
fn a_vault_locked_by_another_process_changes_no_account() {
    let device = Device::settled("locked");
    let before = device.real.shadow();
    device.bench.order();
    let code = "import \
                sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\nc.execute('BEGIN \
                EXCLUSIVE')\nprint('locked',flush=True)\nsys.stdin.read()";
    let mut locker = Command::new("python3")
        .args(["-c", code])
        .arg(device.bench.path("vault"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(locker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    assert_eq!(device.run(), RunOutcome::Unreachable);
    assert_eq!(device.real.shadow(), before);
    drop(locker.stdin.take());
    locker.wait().unwrap();
    assert_eq!(device.run(), RunOutcome::Committed);
    device.settles();
}

#[test]
fn a_vault_replaced_by_an_older_copy_knows_the_account_from_the_next_check_in() {
    let device = Device::settled("older");
    fs::copy(device.bench.path("vault"), device.bench.path("older")).unwrap();
    for _ in 0..3 {
        let mut agent = device.open(LinuxStore::new()).unwrap();
        assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    }
    for extra in ["vault-wal", "vault-shm"] {
        let _absent = fs::remove_file(device.bench.path(extra));
    }
    fs::copy(device.bench.path("older"), device.bench.path("vault")).unwrap();
    assert!(!device.bench.candidates().iter().any(|text| device.has(text)));
    // The journal alone has it meanwhile.
    device.holds();
    device.open(LinuxStore::new()).unwrap().check_in().unwrap();
    assert!(device.bench.candidates().iter().any(|text| device.has(text)));
    device.settles();
}

#[test]
fn of_two_agents_one_works_and_the_other_refuses() {
    let device = Device::settled("two");
    let before = device.real.shadow();
    let mut first = device.open(LinuxStore::new()).unwrap();
    let error = device.open(LinuxStore::new()).unwrap_err();
    assert_eq!((error.code(), error.exit_status()), (Code::Busy, 7));
    assert_eq!(device.real.shadow(), before);
    assert_eq!(first.run_once(true).unwrap(), RunOutcome::Committed);
    drop(first);
    device.settles();
}

#[test]
fn a_chpasswd_that_fails_hangs_or_lies_loses_no_password() {
    let device = Device::settled("chpasswd");
    for (text, outcome) in [
        // Fails and does nothing; does nothing and says that it did.
        ("cat > /dev/null; exit 1", RunOutcome::NotCommitted),
        ("cat > /dev/null; exit 0", RunOutcome::NotCommitted),
        // Does it, and fails.
        ("/usr/sbin/chpasswd; exit 1", RunOutcome::Committed),
        // Hangs before and after it did it.
        ("sleep 600", RunOutcome::NotCommitted),
        ("/usr/sbin/chpasswd; sleep 600", RunOutcome::Committed),
        // Is ended by a signal after it did it.
        ("/usr/sbin/chpasswd; kill -KILL $$", RunOutcome::Committed),
    ] {
        assert_eq!(device.run_with(text), outcome, "{text}");
        device.holds();
        device.settles();
    }
}

#[test]
fn a_use_by_somebody_else_of_the_setter_leaves_the_next_rotation_whole() {
    let device = Device::settled("byhand");
    // An administrator sets a password by hand: no promise holds for that one, and the next
    // rotation replaces it.
    device.real.chpasswd_with("SHA512", "by hand");
    assert!(device.has("by hand"));
    let mut agent = device.open(LinuxStore::new()).unwrap();
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    drop(agent);
    assert!(!device.has("by hand"));
    device.settles();
}
