//! The power fails: at every write, with any part of what was not synced on the disk.
//!
//! A process is watched while it works on its files. Then, for each moment, the disks are made that
//! a power loss could have left behind ([`disk`] says which), and what is on them is opened:
//! everything that was answered is there, nothing is there by half, and an account's password can
//! be opened.
//!
//! `LAPS_FAULTS=all` looks at more of them. An argument chooses the tests whose names have it in
//! them.

#![cfg(all(feature = "sqlite", feature = "agent", target_os = "linux"))]
#![expect(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::integer_division_remainder_used,
    reason = "a test stops where something is wrong, and uses a part of what others have"
)]

extern crate alloc;

use laps_testkit::{age, bed};

mod agent;
mod copies;
mod disk;
mod faults;
mod grouped;
mod recorder;
mod vault;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use disk::{Disk, Event, Luck};

/// What a child does with the library loaded, in a folder of its own.
type Case = fn(&Path);

const TESTS: [(&str, &str, Case); 4] = [
    ("what_a_vault_answered_outlives_the_power", "vault", vault::work),
    ("what_many_threads_were_answered_outlives_the_power", "grouped", grouped::work),
    ("new_files_are_whole_or_not_there", "copies", copies::work),
    ("an_account_has_a_password_that_can_be_opened_whenever_the_power_fails", "agent", agent::work),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, case, folder] = arguments.as_slice()
        && word == "case"
    {
        let (_, _, work) = TESTS.iter().find(|(_, name, _)| name == case).unwrap();
        return work(Path::new(folder));
    }
    let wanted = arguments.first().filter(|argument| !argument.starts_with('-'));
    for (name, case, _) in TESTS {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            recorder::run(case);
            println!("test {name} ... ok");
        }
    }
}

/// Goes through the events, and lets the power fail before each of them and behind the last: `look`
/// gets the folder with what is left, which it may change, and what was marked until then.
fn fail_everywhere(
    mut disk: Disk,
    events: &[Event],
    folder: &Path,
    mut look: impl FnMut(&Path, &[u64], &str),
) {
    let all = std::env::var("LAPS_FAULTS").is_ok_and(|faults| faults == "all");
    let (mut seen, mut marks, mut looked) = (HashSet::new(), Vec::new(), 0);
    let place: PathBuf = folder.join("left");
    for at in 0..=events.len() {
        let event = events.get(at);
        let seed = u64::try_from(at).unwrap() << 8;
        let chances = if all { 30 } else { 2 };
        let mut lucks = vec![Luck::Nothing, Luck::Everything];
        lucks.extend((0..chances).flat_map(|n| [Luck::Some(seed + n), Luck::Calls(seed + n)]));
        for luck in lucks {
            let left = disk.left(luck);
            // The same disk behind another answer is another test.
            if !seen.insert((left.number(), marks.len())) {
                continue;
            }
            fs::create_dir(&place).unwrap();
            left.write(&place);
            look(&place, &marks, &format!("before event {at} of {}, {luck:?}", events.len()));
            fs::remove_dir_all(&place).unwrap();
            looked += 1;
        }
        if let Some(event) = event {
            if let Event::Mark(number) = event {
                marks.push(*number);
            }
            disk.apply(event);
        }
    }
    assert!(events.iter().any(|event| matches!(event, Event::Synced(_))), "nothing was synced");
    assert!(looked > events.len(), "{looked}");
    println!("{} events, {looked} disks", events.len());
}
