//! A record leaves the vault only when the entry that says so is on the disk: as the kernel sees
//! the calls, and killed at each of them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use laps_core::seal::Record;
use laps_core::vault::audit::Action;
use laps_core::vault::{DiscloseOptions, Vault};
use laps_host::sqlite::SqliteStore;

use super::bed::{Bed, WHO, scope};

const DISCLOSURES: usize = 3;
const ANSWER: &str = "answer ";

/// `PATH`: discloses a device and writes the answer to standard output, a few times.
pub fn work(arguments: &[String]) {
    let vault = Vault::from_system(SqliteStore::open(&arguments[0]).unwrap());
    let now = Bed::in_memory().now();
    let mut out = std::io::stdout();
    for _ in 0..DISCLOSURES {
        let options = DiscloseOptions::default().with_rotation_after(60);
        let found = vault.disclose(&scope(), "pc-1", &WHO, options, now).unwrap();
        let sealed = &found.candidates[0].sealed;
        // One call for each answer: a line in all.
        let id = Record::parse(sealed).unwrap().header().id;
        out.write_all(format!("{ANSWER}{} {id} {}\n", found.entry, sealed.len()).as_bytes())
            .unwrap();
    }
}

struct Traced {
    /// The calls that change or sync the log, and those that answer, in their order.
    calls: Vec<String>,
    answers: usize,
    /// Disclosures in the audit log, once the vault was opened again.
    entries: usize,
}

/// Runs the worker on a copy of a vault, under strace, killed as `inject` says.
fn run(vault: &Path, inject: Option<(&str, usize)>) -> Traced {
    let folder = tempfile::tempdir().unwrap();
    let (path, trace) = (folder.path().join("vault"), folder.path().join("trace"));
    fs::copy(vault, &path).unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "16", "-e", "trace=write,pwrite64,fdatasync,fsync"]);
    if let Some((call, number)) = inject {
        strace.args(["-e", &format!("inject={call}:signal=SIGKILL:when={number}")]);
    }
    strace.arg("-o").arg(&trace).arg(std::env::current_exe().unwrap());
    let output = strace.arg("answers").arg(&path).stderr(Stdio::null()).output().unwrap();
    assert_eq!(output.status.success(), inject.is_none(), "{inject:?}");
    let answers = String::from_utf8(output.stdout).unwrap().matches(ANSWER).count();
    let bed = Bed::over(SqliteStore::open(&path).unwrap());
    let entries = bed.audit_log().iter().filter(|entry| entry.action == Action::Disclosed).count();
    assert!(bed.vault.audit_verify(&scope(), None).unwrap().ok);
    assert_eq!(bed.vault.is_ordered(&scope(), "pc-1").unwrap(), entries > 0, "{inject:?}");
    let trace = fs::read_to_string(trace).unwrap();
    let calls = trace.lines().filter(|line| line.contains('(')).map(str::to_owned).collect();
    Traced { calls, answers, entries }
}

fn prepared(folder: &Path) -> PathBuf {
    let path = folder.join("vault");
    let store = SqliteStore::init(&path).unwrap();
    let bed = Bed::over(store);
    bed.settled("pc-1", 1);
    path
}

pub fn a_record_leaves_only_when_its_entry_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let vault = prepared(folder.path());
    let whole = run(&vault, None);
    assert_eq!((whole.answers, whole.entries), (DISCLOSURES, DISCLOSURES));
    // Written, then synced, then nothing more written, then answered.
    let (mut written, mut synced, mut answered) = (false, false, 0);
    for call in &whole.calls {
        let log = call.contains("vault-wal>");
        if call.contains("pwrite64(") && log {
            (written, synced) = (true, false);
        } else if call.contains("sync(") && log {
            assert!(call.ends_with("= 0"), "{call}");
            synced = written;
        } else if call.contains(&format!("\"{ANSWER}")) {
            assert!(written && synced, "an answer before its entry: {:#?}", whole.calls);
            (written, synced) = (false, false);
            answered += 1;
        }
    }
    assert_eq!(answered, DISCLOSURES);
    // Killed where the answer would have left, and at every call before.
    for call in ["write", "pwrite64", "fdatasync"] {
        let count = whole.calls.iter().filter(|line| line.contains(&format!(" {call}("))).count();
        assert!(count >= DISCLOSURES, "{count} of {call}");
        for number in 1..=count {
            let killed = run(&vault, Some((call, number)));
            let Traced { answers, entries, .. } = killed;
            if call == "write" {
                assert_eq!((answers, entries), (number - 1, number), "killed at answer {number}");
            }
            assert!(entries == answers || entries == answers + 1, "{call} {number}");
        }
    }
}
