//! The helper: rotates its devices, discloses them, and says what was acknowledged, one line each.

use core::time::Duration;
use std::io::Write as _;
use std::time::Instant;

use laps_core::rotation::message::{Commit, CommitAnswer};
use laps_core::rotation::set::MayHold;
use laps_core::vault::{DiscloseOptions, Vault, VaultError};
use laps_host::sqlite::SqliteStore;

use super::bed::{Bed, Device, NOW, WHO, exchange, id, scope};

const DEVICES: usize = 3;

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody listens any more: the parent has ended us.
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}

/// `PATH SLOT ROUNDS`
pub fn work(arguments: &[String]) {
    let (path, slot) = (&arguments[0], &arguments[1]);
    let rounds: usize = arguments[2].parse().unwrap();
    let store = match SqliteStore::open(path) {
        Ok(store) => store,
        Err(error) => return say(&format!("refused {}", error.code().as_u16())),
    };
    let vault = Vault::from_system(store);
    let bed = Bed::in_memory();
    let mut devices: Vec<Device> =
        (0..DEVICES).map(|n| bed.device(&format!("worker-{slot}-{n}"))).collect();
    let mut failed = 0;
    for round in 0..rounds {
        let device = &mut devices[round % DEVICES];
        if let Err(error) = rotate(&vault, device) {
            say(&format!("refused {}", error.code().as_u16()));
            failed += 1;
            device.may_hold = MayHold::UNKNOWN;
            if failed > 20 {
                return;
            }
        }
    }
}

pub fn rotate(vault: &Vault<SqliteStore>, device: &mut Device) -> Result<(), VaultError> {
    rotate_in_pieces(vault, device, &mut Vec::new())
}

/// The same, with the time that each of its four calls took.
pub fn rotate_in_pieces(
    vault: &Vault<SqliteStore>,
    device: &mut Device,
    times: &mut Vec<Duration>,
) -> Result<(), VaultError> {
    let name = device.name;
    let mut started = Instant::now();
    let mut piece = || times.push(core::mem::replace(&mut started, Instant::now()).elapsed());
    device.token = None;
    let answer = exchange(vault, &device.message(), &[], NOW)?;
    piece();
    device.token = Some(answer.token);
    device.version = answer.highest_version;
    let record = device.make();
    let answer = exchange(vault, &device.message(), &[&record], NOW)?;
    piece();
    device.token = Some(answer.token);
    if answer.stored.contains(id(&record)) {
        say(&format!("stored {name} {} {}", id(&record), device.version));
    }
    let mut message = device.message();
    message.may_hold.ids.insert(id(&record)).unwrap();
    message.commit = Some(Commit::new(id(&record), true));
    let answer = exchange(vault, &message, &[], NOW)?;
    piece();
    if answer.commit == Some(CommitAnswer::Acknowledged) {
        device.may_hold = MayHold::exactly(id(&record));
        say(&format!("committed {name} {} {}", id(&record), device.version));
    }
    let options = DiscloseOptions::default().with_rotation_after(60);
    let disclosure = vault.disclose(&scope(), name.as_str(), &WHO, options, NOW)?;
    piece();
    say(&format!("disclosed {name} {} {}", disclosure.head, disclosure.candidates.len()));
    Ok(())
}

/// `PATH KIND COUNT`: one device, settled, that then sends so many check-ins, each with a new
/// record (`offer`) or with nothing new (`nothing`).
pub fn send_many(arguments: &[String]) {
    let vault = Vault::from_system(SqliteStore::open(&arguments[0]).unwrap());
    let bed = Bed::in_memory();
    let mut device = bed.device("counted");
    rotate(&vault, &mut device).unwrap();
    for _ in 0..2 {
        let answer = exchange(&vault, &device.message(), &[], NOW).unwrap();
        device.token = Some(answer.token);
    }
    for _ in 0..arguments[2].parse::<usize>().unwrap() {
        let records = if arguments[1] == "offer" { vec![device.make()] } else { Vec::new() };
        let answer =
            exchange(&vault, &device.message(), &records.iter().collect::<Vec<_>>(), NOW).unwrap();
        assert_eq!(answer.stored.len(), records.len());
        assert_eq!(device.token == Some(answer.token), records.is_empty());
        device.token = Some(answer.token);
    }
}
