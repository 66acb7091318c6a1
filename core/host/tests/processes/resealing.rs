//! Records are re-sealed by a process that is killed again and again: none is lost, and the last
//! run finds only what is left.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use laps_core::seal::{ReaderKey, Record};
use laps_core::vault::Retention;
use laps_core::vault::{DiscloseOptions, Vault};
use laps_host::sqlite::{SqliteStore, reseal_all};

use super::bed::{self, Bed, WHO, encoded, scope};

/// More than two of the pages in which it is done.
const DEVICES: usize = 450;

/// `PATH KEYFILE`: re-seals everything, and says how many.
pub fn work(arguments: &[String]) {
    let key = ReaderKey::from_key_file(&fs::read(&arguments[1]).unwrap(), None).unwrap();
    let vault = Vault::from_system(SqliteStore::open(&arguments[0]).unwrap());
    let bed = Bed::in_memory();
    let done = reseal_all(&vault, &scope(), &key, &WHO, bed.now()).unwrap();
    assert!(done.failed.is_empty() && done.damaged.is_empty() && done.not_ours == 0);
    println!("{}", done.replaced);
}

pub fn a_killed_run_is_gone_on_with_and_no_record_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = super::vault(folder.path());
    let vault = Vault::new(SqliteStore::open(&path).unwrap(), bed::counting());
    let bed = Bed::in_memory();
    let readers = [bed.reader.reader().clone()];
    vault.initialise(&scope(), &readers, Retention::default(), &WHO, bed.now()).unwrap();
    let offers: Vec<(String, Vec<u8>)> = (0..DEVICES)
        .map(|n| {
            let name = format!("pc-{n:03}");
            let mut device = bed.device(&name);
            let record = device.make();
            let bytes = encoded(&device.message(), &[&record]);
            (name, bytes)
        })
        .collect();
    let sent: Vec<(&str, &[u8])> =
        offers.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let answers = vault.check_in_many(&scope(), &sent, bed.now()).unwrap();
    assert!(answers.iter().all(Result::is_ok));
    let other = bed::key("other");
    vault.add_reader(&scope(), other.reader(), &WHO, bed.now()).unwrap();
    let file = folder.path().join("key");
    fs::write(&file, &*bed.reader.to_key_file(None, &mut bed::rng()).unwrap()).unwrap();
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("reseal").args([&path, &file]).stdout(Stdio::piped()).spawn().unwrap()
    };
    let left = || {
        let page = vault.export_for_resealing(&scope(), None, 1_000, &WHO, bed.now()).unwrap();
        page.items.len()
    };
    let length = || vault.audit_head(&scope()).unwrap().length;
    let mut before = left();
    assert_eq!(before, DEVICES);
    // A page that is handed out and one that is imported are an entry each: killed behind the
    // one, and behind the other.
    for entries in [1, 2, 1, 2] {
        let begun = length();
        let mut child = start();
        while length() < begun + entries && child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let now = left();
        assert!(now <= before, "what is done stays done");
        assert!(entries < 2 || now < before, "a page that was imported is done");
        before = now;
    }
    let output = start().wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), before.to_string(), "the rest");
    assert_eq!(left(), 0);
    for n in 0..DEVICES {
        let name = format!("pc-{n:03}");
        let found =
            vault.disclose(&scope(), &name, &WHO, DiscloseOptions::default(), bed.now()).unwrap();
        let record = Record::parse(&found.candidates[0].sealed).unwrap();
        let expected = format!("Secret-{name}-1");
        for key in [&bed.reader, &other] {
            assert_eq!(key.open(&record).unwrap().password.expose_secret(), expected);
        }
    }
    assert!(vault.audit_verify(&scope(), None).unwrap().ok);
}
