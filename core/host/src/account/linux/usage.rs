//! When an account was last used, from what Linux writes down.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use laps_core::identity::Timestamp;

use super::StoreError;
use crate::time::now;

/// The last use at or after `since`: see the store's `used_since`.
pub(super) fn last_use(
    name: &str,
    uid: u32,
    since: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let failed = |what: &str, error: std::io::Error| {
        StoreError::Failed(format!("cannot read {what}: {error}"))
    };
    // What is dated later was written while the clock was wrong, and must not hide the others.
    let latest = now().plus(AHEAD);
    let mut uses = Vec::new();
    uses.extend(lastlog(uid).or_else(absent).map_err(|e| failed(LASTLOG, e))?);
    uses.extend(wtmp(name, since, latest).or_else(absent).map_err(|e| failed(WTMP, e))?);
    if uid != 0 {
        uses.extend(processes(uid));
    }
    Ok(uses.into_iter().filter(|at| *at >= since && *at <= latest).max())
}

/// A log that is not there says nothing.
fn absent(error: std::io::Error) -> std::io::Result<Option<Timestamp>> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(None) } else { Err(error) }
}

// lastlog(5): one `struct lastlog` for each uid: i32 time, 32 bytes line, 256 bytes host, on every architecture.
fn lastlog(uid: u32) -> std::io::Result<Option<Timestamp>> {
    let mut file = File::open(LASTLOG)?;
    file.seek(SeekFrom::Start(u64::from(uid) * LASTLOG_ENTRY))?;
    let mut time = [0; 4];
    match file.read_exact(&mut time) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    // Read as unsigned: good until 2106.
    let time = u32::from_ne_bytes(time);
    Ok((time != 0).then(|| Timestamp::from_unix_seconds(u64::from(time))))
}

// utmp(5), the layout of glibc on 64-bit machines: i16 type, (2), i32 pid, line[32], id[4], user[32], host[256],
// exit (4), i32 session, i32 seconds, i32 microseconds, address (16), unused (20): 384 bytes.
fn wtmp(name: &str, since: Timestamp, latest: Timestamp) -> std::io::Result<Option<Timestamp>> {
    let mut file = File::open(WTMP)?;
    let length = file.metadata()?.len();
    let mut end = length - length.checked_rem(UTMP_ENTRY).unwrap_or(0);
    let mut last = None;
    let mut chunk = Vec::new();
    // From the end, until entries are older than `since`.
    while end > 0 {
        let start = end.saturating_sub(UTMP_ENTRY * ENTRIES_AT_ONCE);
        file.seek(SeekFrom::Start(start))?;
        chunk.clear();
        file.by_ref().take(end - start).read_to_end(&mut chunk)?;
        let mut oldest = Timestamp::MAX;
        for entry in chunk.chunks_exact(384) {
            let Some((at, user)) = login(entry) else { continue };
            oldest = oldest.min(at);
            let named = user == name.as_bytes().get(..name.len().min(32)).unwrap_or_default();
            if named && at <= latest {
                last = last.max(Some(at));
            }
        }
        // A day of grace for a clock that was set back.
        if oldest.plus(86_400) < since {
            break;
        }
        end = start;
    }
    Ok(last)
}

/// Time and user of a log-in.
fn login(entry: &[u8]) -> Option<(Timestamp, &[u8])> {
    let kind = i16::from_ne_bytes(entry.get(..2)?.try_into().ok()?);
    let user = entry.get(44..76)?;
    let user = user.split(|byte| *byte == 0).next()?;
    let seconds = u32::from_ne_bytes(entry.get(340..344)?.try_into().ok()?);
    (kind == USER_PROCESS).then(|| (Timestamp::from_unix_seconds(u64::from(seconds)), user))
}

/// The start of every process that runs as this user.
fn processes(uid: u32) -> Vec<Timestamp> {
    let Some(boot) = boot_time() else { return Vec::new() };
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    of_user(uid).filter_map(|process| Some(boot.plus(process.start.checked_div(ticks)?))).collect()
}

/// A process that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) number: i32,
    /// The device number of its controlling terminal; 0 for none.
    pub(super) terminal: u64,
    /// In ticks since the start of the machine.
    start: u64,
}

/// The processes that run as a user, or that the user started and that run as somebody else, as `sudo` does. A process that hides itself from its user's
/// debuggers belongs to root in `/proc`, so it is asked and not the owner of its folder. One that has ended, and waits to be looked at, is none.
pub(super) fn of_user(uid: u32) -> impl Iterator<Item = Process> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(move |process| {
        let number = process.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(process.path().join("status")).ok()?;
        let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        // Real and effective.
        if !ids.split_whitespace().take(2).any(|id| id.parse() == Ok(uid)) {
            return None;
        }
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        // proc(5): fields are counted behind the last bracket; 3 is the state, 7 the terminal, 22 the start.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        if matches!(fields.first(), Some(&("Z" | "X"))) {
            return None;
        }
        // The kernel prints a signed number.
        let terminal: i32 = fields.get(4)?.parse().ok()?;
        let start = fields.get(19)?.parse().ok()?;
        Some(Process { number, terminal: u64::from(terminal.cast_unsigned()), start })
    })
}

fn boot_time() -> Option<Timestamp> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(Timestamp::from_unix_seconds(line.trim().parse().ok()?))
}

const LASTLOG: &str = "/var/log/lastlog";
const WTMP: &str = "/var/log/wtmp";
/// How far ahead of the clock a use may be dated, in seconds: what the rotation tolerates of a clock.
const AHEAD: u64 = 300;
const LASTLOG_ENTRY: u64 = 292;
const UTMP_ENTRY: u64 = 384;
const ENTRIES_AT_ONCE: u64 = 256;
/// utmp(5): a normal process of a user.
const USER_PROCESS: i16 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_is_read_from_its_place_in_the_entry() {
        let mut entry = [0_u8; 384];
        entry[..2].copy_from_slice(&7_i16.to_ne_bytes());
        entry[44..49].copy_from_slice(b"admin");
        entry[340..344].copy_from_slice(&1_790_000_000_u32.to_ne_bytes());
        assert_eq!(
            login(&entry),
            Some((Timestamp::from_unix_seconds(1_790_000_000), b"admin".as_slice()))
        );
        entry[0] = 8;
        assert_eq!(login(&entry), None);
    }

    #[test]
    fn our_own_processes_are_found_by_their_user() {
        let me = rustix::process::getuid().as_raw();
        let mine = i32::try_from(std::process::id()).unwrap();
        assert!(of_user(me).any(|process| process.number == mine));
        assert!(!processes(me).is_empty());
        assert!(of_user(4_000_000_001).next().is_none());
    }
}
