//! Who holds a lock, as the kernel tells it in `/proc/locks`: a process, its program, and how to
//! end it.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;

/// The byte of the log's index that SQLite locks for a transaction that writes.
const WRITER: &str = "120";

/// Who has the turn. SQLite's own lock counts first: another program (`sqlite3`) has only that.
pub(super) fn of_turn(log: &File, index: &File) -> Option<String> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let writer = find(&locks, index, |kind, from| kind == "POSIX" && from == WRITER);
    describe(writer.or_else(|| find(&locks, log, |kind, _| kind == "FLOCK"))?)
}

/// Who has a `flock` on a file.
pub(super) fn of_flock(file: &File) -> Option<String> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    describe(find(&locks, file, |kind, _| kind == "FLOCK")?)
}

/// The process that has a lock for writing on the file: 0 where it is one of another container.
fn find(locks: &str, file: &File, wanted: impl Fn(&str, &str) -> bool) -> Option<u32> {
    let found = file.metadata().ok()?;
    let (major, minor) = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
    let name = format!("{major:02x}:{minor:02x}:{}", found.ino());
    holder(locks, &name, wanted)
}

fn holder(locks: &str, file: &str, wanted: impl Fn(&str, &str) -> bool) -> Option<u32> {
    locks.lines().find_map(|line| {
        // 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF; whoever waits has an arrow behind the
        // number.
        let parts: Vec<&str> = line.split_ascii_whitespace().collect();
        match parts.as_slice() {
            [_, kind, _, "WRITE", process, at, from, ..] if *at == file && wanted(kind, from) => {
                process.parse::<i64>().ok().map(|process| u32::try_from(process).unwrap_or(0))
            }
            _ => None,
        }
    })
}

fn describe(process: u32) -> Option<String> {
    if process == 0 {
        return Some("by a process of another container; try again".to_owned());
    }
    if process == std::process::id() {
        return Some("by another handle of this process; try again".to_owned());
    }
    let read = |what: &str| fs::read_to_string(format!("/proc/{process}/{what}")).ok();
    let program: String = read("comm")?.trim().chars().filter(|c| !c.is_control()).collect();
    let status = read("status").unwrap_or_default();
    let stopped = status.lines().any(|line| line.starts_with("State:\tT"));
    let how = if stopped {
        format!(
            "which is stopped: `kill -CONT {process}` lets it go on, and `kill -KILL {process}` \
             ends it"
        )
    } else {
        format!(
            "which has not committed anything for a while: try again, or end it with `kill \
             {process}`"
        )
    };
    Some(format!("by process {process} ({program}), {how}; what it has not committed is undone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_read_from_the_list_of_the_kernel() {
        let locks = "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 4712 08:01:1234 0 EOF\n\
                     2: POSIX  ADVISORY  READ 17 08:01:1235 120 120\n\
                     3: POSIX  ADVISORY  WRITE 18 08:01:1235 120 120\n\
                     4: OFDLCK ADVISORY  WRITE -1 08:01:1236 0 EOF\n";
        let flock = |kind: &str, _: &str| kind == "FLOCK";
        assert_eq!(holder(locks, "08:01:1234", flock), Some(4711));
        assert_eq!(holder(locks, "08:01:123", flock), None);
        assert_eq!(holder(locks, "08:01:1235", flock), None);
        let writer = |kind: &str, from: &str| kind == "POSIX" && from == WRITER;
        assert_eq!(holder(locks, "08:01:1235", writer), Some(18));
        assert_eq!(holder(locks, "08:01:1236", |_, _| true), Some(0));
        assert!(describe(0).is_some_and(|text| text.contains("container")));
    }
}
