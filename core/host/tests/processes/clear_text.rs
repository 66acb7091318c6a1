//! A process that seals, reveals, re-seals and copies is killed in the middle: no file has a
//! password in it. Not the vault, its log and its copies, not what was left half done, not its
//! folder for temporary files, not a file that it had open without a name.

use core::time::Duration;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use laps_core::seal::{ReaderKey, Record};
use laps_core::vault::Retention;
use laps_core::vault::{Confirmation, DiscloseOptions, Vault};
use laps_host::sqlite::{SqliteStore, back_up, migrate, reseal_all, restore};

use super::bed::{self, Bed, Device, NOW, WHO, scope};
use super::{age, worker};

/// How every password of this test begins.
const BEGINNING: &str = "Secret-";
const STEPS: [&str; 7] = ["rotate", "reveal", "reseal", "export", "back-up", "restore", "migrate"];

/// `FOLDER KEYFILE`: does all of it, round after round, and says what comes next.
pub fn work(arguments: &[String]) {
    let folder = PathBuf::from(&arguments[0]);
    let key = ReaderKey::from_key_file(&fs::read(&arguments[1]).unwrap(), None).unwrap();
    let vault = Vault::from_system(SqliteStore::open(folder.join("vault")).unwrap());
    let bed = Bed::in_memory();
    let mut devices: Vec<Device> = (0..3)
        .map(|n| {
            let mut device = bed.device(&format!("pc-{n}"));
            device.readers = vec![key.reader().clone()];
            device
        })
        .collect();
    for round in 0_u32.. {
        for step in STEPS {
            println!("step {step}");
            let name = |what: &str| folder.join(format!("{what}-{}-{round}", std::process::id()));
            match step {
                "rotate" => {
                    let mut rotate = |device| worker::rotate(&vault, device).unwrap();
                    devices.iter_mut().for_each(&mut rotate);
                }
                "reveal" => {
                    devices.iter().for_each(|device| {
                        assert_eq!(reveal(&vault, &key, device), device.version);
                    });
                }
                "reseal" => {
                    let other = bed::key("other");
                    vault.add_reader(&scope(), other.reader(), &WHO, NOW).unwrap();
                    let done = reseal_all(&vault, &scope(), &key, &WHO, NOW).unwrap();
                    assert!(done.replaced > 0);
                    let word = Confirmation::NotGiven;
                    vault.remove_reader(&scope(), &other.id(), None, word, &WHO, NOW).unwrap();
                }
                "export" => {
                    let page = vault.export(&scope(), None, 100, &WHO, NOW).unwrap();
                    fs::write(name("export"), page.items.concat()).unwrap();
                }
                "back-up" => back_up(&vault, &name("copy"), &WHO, NOW).unwrap(),
                "restore" => drop(restore(&name("copy"), &name("restored"), &WHO, NOW).unwrap()),
                _ => {
                    let aged = name("restored");
                    age::age(&aged);
                    migrate(&aged, true, &WHO, NOW).unwrap();
                }
            }
        }
    }
}

/// The version that a revealed password says it has.
fn reveal(vault: &Vault<SqliteStore>, key: &ReaderKey, device: &Device) -> u64 {
    let options = DiscloseOptions::default().with_history();
    let found = vault.disclose(&scope(), device.name.as_str(), &WHO, options, NOW).unwrap();
    let record = Record::parse(&found.candidates[0].sealed).unwrap();
    let password = key.open(&record).unwrap().password;
    let password = password.expose_secret();
    assert!(password.starts_with(BEGINNING));
    password.rsplit('-').next().unwrap().parse().unwrap()
}

/// The beginning as it could stand in a file: as it is, as UTF-16, in hexadecimal digits, in Base64
/// at each of three places.
fn needles() -> Vec<Vec<u8>> {
    let wide = |bytes: fn(u16) -> [u8; 2]| BEGINNING.encode_utf16().flat_map(bytes).collect();
    let hex =
        |digit: fn(u8) -> String| BEGINNING.bytes().map(digit).collect::<String>().into_bytes();
    let mut needles: Vec<Vec<u8>> =
        vec![BEGINNING.into(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
    needles.push(hex(|byte| format!("{byte:02x}")));
    needles.push(hex(|byte| format!("{byte:02X}")));
    needles.extend(["U2VjcmV0L", "NlY3JldC", "TZWNyZXQt"].map(|text| text.as_bytes().to_vec()));
    needles
}

/// The files with a password in them, and how many bytes were looked at.
fn search(files: &[PathBuf]) -> (Vec<PathBuf>, usize) {
    let (needles, mut looked) = (needles(), 0);
    let mut first = [false; 256];
    needles.iter().for_each(|needle| first[usize::from(needle[0])] = true);
    let hit = |file: &&PathBuf| {
        // A file may be gone since its folder was read; what it had is in another one or nowhere.
        let Ok(bytes) = fs::read(file) else { return false };
        looked += bytes.len();
        let places = (0..bytes.len()).filter(|place| first[usize::from(bytes[*place])]);
        let mut rests = places.map(|place| &bytes[place..]);
        rests.any(|rest| needles.iter().any(|needle| rest.starts_with(needle)))
    };
    let found = files.iter().filter(hit).cloned().collect();
    (found, looked)
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

/// What a process has open, also without a name: only regular files, as anything else could wait to
/// be written.
fn open_files(process: u32) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file())).collect()
}

fn signal(process: &Child, signal: i32) {
    let id = i32::try_from(process.id()).unwrap();
    // SAFETY: the process is our child, which was not waited for yet.
    assert_eq!(unsafe { libc::kill(id, signal) }, 0);
}

/// Stops the process at a step, looks at what it has open, kills it.
fn kill_at(folder: &Path, key: &Path, step: &str, round: usize, pause: Duration) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("clear-text").args([folder, key]).env("TMPDIR", folder.join("tmp"));
    command.env("SQLITE_TMPDIR", folder.join("tmp"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let wanted = format!("step {step}");
    let mut begun = lines.by_ref().filter(|line| line.as_ref().is_ok_and(|line| *line == wanted));
    assert!(begun.nth(round).is_some(), "it ended before");
    std::thread::sleep(pause);
    signal(&child, libc::SIGSTOP);
    let (found, _) = search(&open_files(child.id()));
    signal(&child, libc::SIGKILL);
    assert!(!child.wait().unwrap().success());
    assert_eq!(found, Vec::<PathBuf>::new(), "open when it was stopped at {step}");
}

pub fn a_killed_process_leaves_no_password_in_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("vault"), outside.path().join("key"));
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let vault = Vault::from_system(SqliteStore::init(&path).unwrap());
    let key = bed::key("reader");
    let readers = [key.reader().clone()];
    vault.initialise(&scope(), &readers, Retention::default(), &WHO, NOW).unwrap();
    fs::write(&file, &*key.to_key_file(None, &mut bed::rng()).unwrap()).unwrap();
    let mut draw = super::sampler();
    let ends = STEPS.map(|step| (step, 0)).into_iter().chain([("rotate", 1)]);
    for (step, round) in ends {
        kill_at(folder.path(), &file, step, round, Duration::from_micros(draw(4_000)));
        let (found, _) = search(&files_in(folder.path()));
        assert_eq!(found, Vec::<PathBuf>::new(), "killed at {step}");
    }
    // What was looked at is what it should be.
    let files = files_in(folder.path());
    for part in ["vault", "vault-wal", "export-", "copy-", "restored-", ".schema-0"] {
        let named = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().contains(part);
        assert!(files.iter().any(named), "{part}: {files:?}");
    }
    assert!(search(&files).1 > 1_000_000);
    let pc = Bed::in_memory().device("pc-0");
    assert!(reveal(&vault, &key, &pc) > 0, "and a password can be had from it");
    the_search_finds_what_is_planted(folder.path());
}

/// The control: in each of the forms, in the vault's own folder, and in a file without a name.
fn the_search_finds_what_is_planted(folder: &Path) {
    for needle in needles() {
        let planted = folder.join("tmp").join("planted");
        fs::write(&planted, [b"x".repeat(100_001), needle, b"y".to_vec()].concat()).unwrap();
        assert_eq!(search(&files_in(folder)).0, core::slice::from_ref(&planted));
        fs::remove_file(planted).unwrap();
    }
    let mut nameless = tempfile::tempfile_in(folder).unwrap();
    nameless.write_all(format!("{BEGINNING}pc-1-1").as_bytes()).unwrap();
    assert_eq!(search(&files_in(folder)).0, Vec::<PathBuf>::new());
    if cfg!(target_os = "linux") {
        assert_eq!(search(&open_files(std::process::id())).0.len(), 1);
    }
}
