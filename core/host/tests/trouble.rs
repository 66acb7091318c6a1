//! What goes wrong around an agent: disks, locks, copies, rolled-back images, stores that fail or lie.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

#[path = "support/bench.rs"]
mod bench;
#[path = "support/mount.rs"]
mod mount;
#[path = "support/real_account.rs"]
mod real_account;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use bench::{Bench, HONEST};
use laps_core::account::LocalAccount;
use laps_core::error::Code;
use laps_core::identity::{AccountName, Scope, Timestamp};
use laps_core::secret::Password;
use laps_core::vault::{Confirmation, DiscloseOptions, Request};
use laps_host::account::linux::LinuxStore;
use laps_host::account::setter::SetterLock;
use laps_host::account::{Abilities, AccountStore, Action, StoreError, Verification};
use laps_host::agent::channel::ChannelError;
use laps_host::agent::event::AgentEvent;
use laps_host::agent::{Agent, AgentError, PolicySource, RunOutcome};
use laps_host::time::{now, rfc3339};
use mount::Mount;
use real_account::RealAccount;

#[test]
fn a_full_state_folder_changes_nothing_and_is_overcome() {
    let bench = Bench::new();
    let _mount = Mount::new(bench.path("state"));
    assert_eq!(bench.run(), RunOutcome::Committed);
    let first = bench.held();
    bench.order();
    let filler = bench.path("state/filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    assert_eq!(bench.run(), RunOutcome::NotCommitted);
    assert_eq!(bench.held(), first);
    assert!(bench.candidates().contains(&first));
    assert!(bench.names().contains(&"journal-failed"));
    // Whoever asks the same agent for a check-in is told why.
    let mut agent = bench.agent();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::NotCommitted);
    let error = agent.check_in().unwrap_err();
    assert_eq!(error.code(), Code::StorageFull, "{error}");
    drop(agent);
    fs::remove_file(filler).unwrap();
    assert_eq!(bench.run(), RunOutcome::Committed);
    assert_ne!(bench.held(), first);
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn a_read_only_state_folder_is_refused_and_changes_nothing() {
    let bench = Bench::new();
    let mount = Mount::new(bench.path("state"));
    assert_eq!(bench.run(), RunOutcome::Committed);
    let first = bench.held();
    bench.order();
    mount.remount("ro");
    let error = bench.agent_with(bench.options(), Box::new(bench.store())).unwrap_err();
    assert_eq!((error.code(), error.exit_status()), (Code::PermissionDenied, 5));
    assert_eq!(bench.held(), first);
    assert_eq!(bench.journalled(), [first]);
    mount.remount("rw");
    assert_eq!(bench.run(), RunOutcome::Committed);
}

#[test]
fn a_state_folder_in_which_others_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    bench.run();
    let mode = fs::metadata(bench.path("state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    for file in ["journal", "policy", "agent", "setter"] {
        let mode = fs::metadata(bench.path("state").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    fs::set_permissions(bench.path("state"), fs::Permissions::from_mode(0o770)).unwrap();
    let error = bench.agent_with(bench.options(), Box::new(bench.store())).unwrap_err();
    assert!(error.to_string().contains("chmod go-w"), "{error}");
}

#[test]
fn a_state_folder_that_is_a_link_or_of_another_user_is_refused() {
    let bench = Bench::new();
    bench.run();
    let state = bench.path("state");
    let refusal = || {
        let error = bench.agent_with(bench.options(), Box::new(bench.store())).unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied, "{error}");
        let text = error.to_string();
        assert!(text.contains(state.to_str().unwrap()), "{text}");
        text
    };
    std::os::unix::fs::chown(&state, Some(12_345), None).unwrap();
    let text = refusal();
    assert!(text.contains("belongs to user 12345") && text.contains("rm -r"), "{text}");
    std::os::unix::fs::chown(&state, Some(0), None).unwrap();
    fs::rename(&state, bench.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(bench.path("elsewhere"), &state).unwrap();
    let text = refusal();
    assert!(text.contains("is a link") && text.contains("rm "), "{text}");
    let mut options = bench.options();
    options.state = bench.path("state/");
    assert!(bench.agent_with(options, Box::new(bench.store())).is_err());
    fs::remove_file(&state).unwrap();
    fs::rename(bench.path("elsewhere"), &state).unwrap();
    assert_eq!(bench.run(), RunOutcome::NothingDue);
}

#[test]
fn a_link_in_the_state_folder_is_not_followed() {
    let bench = Bench::new();
    bench.run();
    let precious = bench.path("precious");
    fs::write(&precious, "untouched").unwrap();
    std::os::unix::fs::symlink(&precious, bench.path("state/journal.new")).unwrap();
    bench.order();
    let first = bench.held();
    assert_eq!(bench.run(), RunOutcome::NotCommitted);
    assert_eq!(bench.held(), first);
    fs::remove_file(bench.path("state/journal.new")).unwrap();
    for lock in ["agent", "setter"] {
        let path = bench.path("state").join(lock);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        assert!(bench.agent_with(bench.options(), Box::new(bench.store())).is_err(), "{lock}");
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "untouched");
    assert_eq!(bench.run(), RunOutcome::Committed);
}

#[test]
fn a_vault_locked_by_another_process_is_busy_and_tried_again() {
    let bench = Bench::new();
    bench.run();
    bench.order();
    let first = bench.held();
    let code = "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\nc.execute('BEGIN EXCLUSIVE')\nprint('locked',flush=True)\nsys.stdin.read()";
    let mut locker = Command::new("python3")
        .args(["-c", code])
        .arg(bench.path("vault"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(locker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    let outcome = bench.run();
    assert_eq!((outcome, outcome.exit_status()), (RunOutcome::Unreachable, 7));
    assert_eq!(bench.held(), first);
    drop(locker.stdin.take());
    locker.wait().unwrap();
    assert_eq!(bench.run(), RunOutcome::Committed);
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn a_vault_restored_from_an_older_copy_holds_the_password_from_the_next_check_in() {
    let bench = Bench::new();
    bench.run();
    fs::copy(bench.path("vault"), bench.path("older")).unwrap();
    for _ in 0..3 {
        assert_eq!(bench.agent().run_once(true).unwrap(), RunOutcome::Committed);
    }
    for extra in ["vault-wal", "vault-shm"] {
        let _absent = fs::remove_file(bench.path(extra));
    }
    fs::copy(bench.path("older"), bench.path("vault")).unwrap();
    assert!(!bench.candidates().contains(&bench.held()));
    bench.agent().check_in().unwrap();
    assert!(bench.candidates().contains(&bench.held()));
    bench.run();
    assert!(bench.candidates().contains(&bench.held()));
    bench.agent().run_once(true).unwrap();
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn an_image_rolled_back_with_its_account_heals_at_the_next_check_in() {
    let (bench, real) = (Bench::new(), RealAccount::new("image"));
    let mut options = bench.options();
    let policy = format!(r#"{{"BackupDirectory":1,"AdministratorAccountName":"{}"}}"#, real.name);
    options.policy = PolicySource::Texts(vec![("p.json".to_owned(), policy.into_bytes())]);
    let agent = || bench.agent_with(options.clone(), Box::new(LinuxStore::new())).unwrap();
    assert_eq!(agent().run_once(false).unwrap(), RunOutcome::Committed);
    let (journal, hash) = (fs::read(bench.path("state/journal")).unwrap(), real.shadow());
    let [first] = <[String; 1]>::try_from(bench.candidates()).unwrap();
    for _ in 0..3 {
        assert_eq!(agent().run_once(true).unwrap(), RunOutcome::Committed);
    }
    assert!(!bench.candidates().contains(&first));
    // The image comes back: account and journal of then.
    fs::write(bench.path("state/journal"), journal).unwrap();
    real.set_hash(&hash);
    agent().check_in().unwrap();
    assert!(bench.candidates().contains(&first), "what the account has is a candidate again");
    // It rotates by itself, and then there is one.
    let outcome = agent().run_once(false).unwrap();
    assert_eq!(outcome, RunOutcome::Committed);
    assert_ne!(real.shadow(), hash);
    assert_eq!(bench.candidates().len(), 1);
    assert_eq!(bench.candidates(), bench.journalled());
}

#[test]
fn a_second_agent_waits_and_then_refuses() {
    let bench = Bench::new();
    let first = bench.agent();
    let error = bench.agent_with(bench.options(), Box::new(bench.store())).unwrap_err();
    assert_eq!((error.code(), error.exit_status()), (Code::Busy, 7));
    assert!(matches!(error, AgentError::State(_)));
    // One that ends in time is followed.
    let mut options = bench.options();
    options.lock_timeout = Duration::from_secs(60);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            bench.agent_with(options, Box::new(bench.store())).unwrap().run_once(false).unwrap()
        });
        drop(first);
        assert_eq!(second.join().unwrap(), RunOutcome::Committed);
    });
}

#[test]
fn a_lost_or_damaged_journal_heals() {
    for damaged in [false, true] {
        let bench = Bench::new();
        bench.run();
        let journal = bench.path("state/journal");
        if damaged {
            let mut bytes = fs::read(&journal).unwrap();
            bytes[40] ^= 1;
            fs::write(&journal, bytes).unwrap();
        } else {
            fs::remove_file(&journal).unwrap();
        }
        let first = bench.held();
        bench.agent().check_in().unwrap();
        assert!(bench.candidates().contains(&first));
        assert_eq!(bench.run(), RunOutcome::Committed);
        assert_ne!(bench.held(), first);
        assert_eq!(bench.candidates(), [bench.held()]);
        assert_eq!(bench.names().contains(&"journal-damaged"), damaged);
    }
}

/// Runs an agent with a misbehaving store; the promise holds, and an honest store ends with one candidate.
fn misbehaves(script: &str, outcome: RunOutcome, event: &str) {
    let bench = Bench::new();
    bench.run();
    bench.order();
    bench.script(script);
    assert_eq!(bench.run(), outcome, "{script}");
    assert!(bench.names().contains(&event), "{script}: {:?}", bench.names());
    let mut known = bench.candidates();
    known.extend(bench.journalled());
    assert!(known.contains(&bench.held()), "{script}");
    bench.script(HONEST);
    for _ in 0..3 {
        bench.run();
    }
    assert_eq!(bench.run(), RunOutcome::NothingDue, "{script}");
    assert_eq!(bench.candidates(), [bench.held()], "{script}");
    assert_eq!(bench.journalled(), [bench.held()], "{script}");
}

#[test]
fn a_setter_that_only_says_that_it_did_is_caught() {
    let script = HONEST.replace("set)", "set) cat > /dev/null; exit 0 ;; never)");
    misbehaves(&script, RunOutcome::NotCommitted, "backed-up");
}

#[test]
fn a_setter_that_did_it_and_says_that_it_failed_commits() {
    let script = HONEST.replace("\"$D/$2\" ;;", "\"$D/$2\"; exit 1 ;;");
    misbehaves(&script, RunOutcome::Committed, "verified");
}

#[test]
fn a_setter_that_fails_leaves_the_old_password() {
    let script = HONEST.replace("set)", "set) cat > /dev/null; exit 1 ;; never)");
    misbehaves(&script, RunOutcome::NotCommitted, "backed-up");
}

#[test]
fn a_setter_that_does_half_and_cannot_be_verified_leaves_both_candidates() {
    let script = HONEST
        .replace("\"$D/$2\" ;;", "\"$D/$2\"; exit 1 ;;")
        .replace("verify)", "verify) exit 7 ;; never)");
    misbehaves(&script, RunOutcome::NotCommitted, "backed-up");
}

#[test]
fn a_refused_password_is_made_anew() {
    let bench = Bench::new();
    let once = "set) if [ ! -e \"$D/refused\" ]; then cat > \"$D/refused\"; echo no good >&2; exit 10; fi; ";
    bench.script(&HONEST.replace("set) ", once));
    let mut agent = bench.agent();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Committed);
    let refused = fs::read_to_string(bench.path("refused")).unwrap();
    assert_ne!(bench.held(), refused);
    let events = bench.events.lock().unwrap();
    let event = events.iter().find(|event| event.name == "password-refused").unwrap();
    assert_eq!(event.id, Some(10027));
    assert!(event.message.contains("no good"), "{}", event.message);
    drop(events);
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn sixteen_candidates_are_said_and_healed_as_the_event_says() {
    let bench = Bench::new();
    bench.run();
    // The account gives no answer: each run leaves one more candidate.
    bench.script(
        &HONEST.replace("set)", "set) exit 1 ;; never)").replace("verify)", "verify) exit 7 ;; x)"),
    );
    for _ in 0..20 {
        let _outcome = bench.agent().run_once(true).unwrap();
    }
    let file = fs::read(bench.path("state/journal")).unwrap();
    assert_eq!(laps_host::agent::journal::read(&file).unwrap().records.len(), 16);
    assert_eq!(bench.candidates().len(), 16);
    assert!(bench.candidates().contains(&bench.held()));
    let status = laps_host::agent::status::status(&bench.path("state")).unwrap();
    assert_eq!(
        (status.may_hold.len(), status.last.unwrap().name.as_str()),
        (16, "too-many-candidates")
    );
    let events = bench.events.lock().unwrap().clone();
    let said = events.iter().find(|event| event.name == "too-many-candidates").unwrap();
    for word in ["remove-record", "journal", "administrator"] {
        assert!(said.message.contains(word), "{}", said.message);
    }
    // The account answers again, and that alone heals nothing.
    bench.script(HONEST);
    assert_eq!(bench.agent().run_once(true).unwrap(), RunOutcome::NotCommitted);
    // An administrator removes one that does not work, and moves the journal away.
    let held = bench.held();
    let request = Request::new("tester", "a test");
    let disclosure = bench
        .vault()
        .disclose(&Scope::EMPTY, bench::DEVICE, &request, DiscloseOptions::default(), now())
        .unwrap();
    let wrong = disclosure.candidates.iter().find(|each| bench.open(&each.sealed) != held).unwrap();
    bench
        .vault()
        .remove_record(
            &Scope::EMPTY,
            bench::DEVICE,
            wrong.record,
            Confirmation::Given,
            &request,
            now(),
        )
        .unwrap();
    fs::rename(bench.path("state/journal"), bench.path("journal.old")).unwrap();
    assert_eq!(bench.run(), RunOutcome::Committed);
    assert_ne!(bench.held(), held);
    assert_eq!(bench.candidates(), [bench.held()]);
}

/// A store that finds no name for a while, as one that an embedder writes may.
struct Renamed {
    inner: laps_host::account::command::CommandStore,
    nameless: Arc<AtomicBool>,
}

impl AccountStore for Renamed {
    fn name(&self) -> &'static str {
        "renamed"
    }
    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }
    fn find(&mut self, configured: &AccountName) -> Result<LocalAccount, StoreError> {
        let mut account = self.inner.find(configured)?;
        if self.nameless.load(Ordering::Relaxed) {
            account.name = AccountName::EMPTY;
        }
        Ok(account)
    }
    fn change_stamp(&mut self, account: &LocalAccount) -> Result<Option<[u8; 32]>, StoreError> {
        self.inner.change_stamp(account)
    }
    fn set(
        &mut self,
        account: &LocalAccount,
        password: &Password,
        setter: &mut SetterLock,
    ) -> Result<(), StoreError> {
        self.inner.set(account, password, setter)
    }
    fn verify(&mut self, account: &LocalAccount, password: &Password) -> Verification {
        self.inner.verify(account, password)
    }
    fn used_since(
        &mut self,
        account: &LocalAccount,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.inner.used_since(account, since)
    }
    fn act(&mut self, account: &LocalAccount, action: Action) -> Result<(), StoreError> {
        self.inner.act(account, action)
    }
}

#[test]
fn a_machine_that_refuses_its_new_settings_goes_on_with_what_is_under_way() {
    let bench = Bench::new();
    let (nameless, reached) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let store = Renamed { inner: bench.store(), nameless: Arc::clone(&nameless) };
    let vault = bench.vault();
    let channel = {
        let reached = Arc::clone(&reached);
        move |check_in: &[u8]| {
            if !reached.load(Ordering::Relaxed) {
                return Err(ChannelError::new(Code::Unreachable, "the network is down"));
            }
            vault
                .check_in(&Scope::EMPTY, bench::DEVICE, check_in, now())
                .map_err(|error| ChannelError::new(error.code(), error.to_string()))
        }
    };
    let seen = Arc::clone(&bench.events);
    let sink = Box::new(move |event: &AgentEvent| {
        // The network goes away once a password is made.
        if event.name == "prepared" {
            reached.store(false, Ordering::Relaxed);
        }
        seen.lock().unwrap().push(event.clone());
    });
    let mut agent = Agent::open(bench.options(), Box::new(store), Box::new(channel), sink).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Unreachable);
    nameless.store(true, Ordering::Relaxed);
    let error = agent.run_once(false).unwrap_err();
    assert!(error.to_string().contains("account"), "{error}");
    nameless.store(false, Ordering::Relaxed);
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Unreachable);
    // The password in memory is the same one still: no second one was made, and none was recovered from a journal.
    let names = bench.names();
    let count = |name: &str| names.iter().filter(|other| **other == name).count();
    assert_eq!((count("prepared"), count("recovered")), (1, 0), "{names:?}");
}

#[test]
fn a_store_that_cannot_verify_is_believed_and_says_so() {
    let bench = Bench::new();
    bench.script(&HONEST.replace("verify)", "verify) exit 11 ;; never)"));
    assert_eq!(bench.run(), RunOutcome::Committed);
    assert!(bench.names().contains(&"store-cannot"));
    assert!(!bench.names().contains(&"verified"));
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn a_store_that_can_no_longer_verify_is_believed_from_then_on() {
    let bench = Bench::new();
    let mut agent = bench.agent();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::Committed);
    assert!(bench.names().contains(&"verified"));
    // As when somebody disables the account between two rotations of one agent.
    bench.script(&HONEST.replace("verify)", "verify) exit 11 ;; never)"));
    assert_eq!(agent.run_once(true).unwrap(), RunOutcome::Committed);
    assert!(bench.names().contains(&"store-cannot"));
    assert_eq!(bench.candidates(), [bench.held()]);
}

#[test]
fn a_hanging_setter_is_ended_and_reported() {
    let bench = Bench::new();
    bench.run();
    bench.order();
    let first = bench.held();
    bench.script(&HONEST.replace("set)", "set) sleep 600 ;; never)"));
    let mut options = bench.options();
    options.setter_timeout = Duration::from_millis(300);
    let mut agent = bench.agent_with(options, Box::new(bench.store())).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::NotCommitted);
    assert_eq!(bench.held(), first);
    assert!(bench.candidates().contains(&first));
}

#[test]
fn a_refused_policy_keeps_the_last_accepted_one() {
    let bench = Bench::new();
    let mut options = bench.options();
    let refused = r#"{"BackupDirectory":1,"AdministratorAccountName":"Admin","PasswordLength":7}"#;
    options.policy =
        PolicySource::Texts(vec![("bad.json".to_owned(), refused.as_bytes().to_vec())]);
    let run = || bench.agent_with(options.clone(), Box::new(bench.store())).unwrap().run_once(true);
    let error = run().unwrap_err();
    assert_eq!((error.code(), error.exit_status()), (Code::PolicyRefused, 3));
    assert!(error.to_string().contains("PasswordLength"), "{error}");
    assert!(!bench.path("Admin").exists());
    bench.run();
    assert_eq!(run().unwrap(), RunOutcome::Committed);
    assert_eq!(bench.held().len(), 14);
    let events = bench.events.lock().unwrap();
    let event = events.iter().find(|event| event.name == "policy-refused").unwrap();
    assert!(event.message.contains("bad.json") || event.message.contains("PasswordLength"));
}

#[test]
fn backup_directory_0_manages_nothing() {
    let bench = Bench::new();
    let mut options = bench.options();
    let off = r#"{"BackupDirectory":0,"AdministratorAccountName":"Admin"}"#;
    options.policy = PolicySource::Texts(vec![("off.json".to_owned(), off.as_bytes().to_vec())]);
    let mut agent = bench.agent_with(options, Box::new(bench.store())).unwrap();
    assert_eq!(agent.run_once(false).unwrap(), RunOutcome::NothingDue);
    assert!(!bench.path("Admin").exists());
    let events = bench.events.lock().unwrap();
    assert!(events.iter().any(|event| event.id == Some(10024)), "{events:?}");
}

#[test]
fn a_use_of_the_account_starts_the_delay() {
    let bench = Bench::new();
    bench.run();
    // Uses up to the second of the rotation were of the password before.
    let committed = now();
    while now() <= committed {
        std::thread::sleep(Duration::from_millis(20));
    }
    let at = rfc3339(now());
    bench.script(&HONEST.replace("used-since) ", &format!("used-since) echo {at} ")));
    assert_eq!(bench.run(), RunOutcome::NothingDue);
    assert_eq!(bench.run(), RunOutcome::NothingDue);
    let detected = bench.names().iter().filter(|name| **name == "authentication-detected").count();
    assert_eq!(detected, 1);
    let events = bench.events.lock().unwrap();
    assert!(events.iter().any(|event| event.id == Some(10041)));
}

/// Looks through the arguments and the environment of every process that has this word in its arguments, while `work` runs: what was seen, and how
/// often there was something to see.
fn watched(word: &'static str, work: impl FnOnce()) -> (Vec<u8>, u32) {
    let stop = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let (mut seen, mut looks) = (Vec::new(), 0_u32);
            while !stop.load(Ordering::Relaxed) {
                let mut found = false;
                for process in fs::read_dir("/proc").unwrap().flatten() {
                    let read = |name: &str| fs::read(process.path().join(name)).unwrap_or_default();
                    let arguments = read("cmdline");
                    if contains(&arguments, word.as_bytes()) {
                        found = true;
                        seen.extend(arguments);
                        seen.extend(read("environ"));
                    }
                }
                looks += u32::from(found);
                std::thread::sleep(Duration::from_millis(2));
            }
            (seen, looks)
        }
    });
    work();
    stop.store(true, Ordering::Relaxed);
    watcher.join().unwrap()
}

#[test]
fn the_password_is_in_no_argument_environment_or_event() {
    let bench = Bench::new();
    // Slow enough to be looked at several times while each child lives.
    bench.script(&format!("sleep 0.1{HONEST}"));
    let mut passwords = Vec::new();
    let (seen, looks) = watched("account.sh", || {
        for _ in 0..3 {
            assert_eq!(bench.agent().run_once(true).unwrap(), RunOutcome::Committed);
            passwords.push(bench.held());
        }
    });
    assert!(looks > 6, "the children were not seen: {looks}");
    assert!(contains(&seen, b"Admin"), "the arguments were not read");
    assert!(contains(&seen, b"PATH="), "the environment was not read");
    let events = bench.events.lock().unwrap();
    let log: String = events.iter().map(AgentEvent::to_json).collect();
    let mut state = Vec::new();
    for file in fs::read_dir(bench.path("state")).unwrap().flatten() {
        fs::File::open(file.path()).unwrap().read_to_end(&mut state).unwrap();
    }
    for password in passwords {
        assert!(!contains(&seen, password.as_bytes()));
        assert!(!contains(log.as_bytes(), password.as_bytes()));
        assert!(!contains(&state, password.as_bytes()));
    }
}

#[test]
fn a_password_in_arguments_or_the_environment_would_be_seen() {
    for (argument, environment) in [("Secret-in-arguments", "no"), ("no", "Secret-in-environment")]
    {
        let (seen, looks) = watched("leaking-child", || {
            let mut child = Command::new("sh")
                .args(["-c", "sleep 0.3", "leaking-child", argument])
                .env("LEAK", environment)
                .spawn()
                .unwrap();
            child.wait().unwrap();
        });
        assert!(looks > 0 && contains(&seen, b"Secret-in-"), "{argument} {environment}");
    }
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}
