//! What goes wrong around an agent: disks, locks, copies, rolled-back images, refused policies.
#![cfg(all(target_os = "linux", feature = "agent", feature = "sqlite"))]

extern crate alloc;

use core::time::Duration;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use laps_core::error::Code;
use laps_host::account::linux::LinuxStore;
use laps_host::agent::{AgentError, PolicySource, RunOutcome};
use laps_host::time::{now, rfc3339};
use laps_testkit::bench::{Bench, HONEST};
use laps_testkit::mount::Mount;
use laps_testkit::real_account::RealAccount;

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
    assert!(text.contains("belongs to user 12345") && text.contains("chown"), "{text}");
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
    let code = "import \
                sqlite3,sys\nc=sqlite3.connect(sys.argv[1],isolation_level=None)\nc.execute('BEGIN \
                EXCLUSIVE')\nprint('locked',flush=True)\nsys.stdin.read()";
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
