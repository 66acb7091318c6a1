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

/// The layout of glibc's `<utmp.h>`, as far as it is read. A time has 32 bits, also on most
/// machines of 64 bits, so that programs of both kinds share the files; some machines never had
/// programs of 32 bits, and there it has 64.
#[derive(Clone, Copy, Debug)]
struct UtmpLayout {
    /// The bytes of a time.
    time: usize,
    /// The size of a `struct lastlog`: time, line[32], host[256].
    lastlog: u64,
    /// The size of a `struct utmp`: i16 type, (2), i32 pid, line[32], id[4], user[32], host[256],
    /// exit (4), session, seconds, microseconds, address (16), unused (20).
    utmp: u64,
    /// Where the seconds are in it.
    seconds: usize,
}

impl UtmpLayout {
    /// On x86-64, 32-bit machines, and all that are not named below.
    const NARROW: Self = Self { time: 4, lastlog: 292, utmp: 384, seconds: 340 };
    /// On ARM64, `LoongArch` and IBM Z.
    const WIDE: Self = Self { time: 8, lastlog: 296, utmp: 400, seconds: 344 };
    /// On this machine, whichever C library we were built for: the files are written by the
    /// programs of the system.
    const HERE: Self =
        if cfg!(any(target_arch = "aarch64", target_arch = "loongarch64", target_arch = "s390x")) {
            Self::WIDE
        } else {
            Self::NARROW
        };

    /// The time at this place. Read as unsigned: 32 bits are good until 2106.
    fn time(self, bytes: &[u8], at: usize) -> Option<Timestamp> {
        let bytes = bytes.get(at..)?.get(..self.time)?;
        let seconds = match self.time {
            4 => u64::from(u32::from_ne_bytes(bytes.try_into().ok()?)),
            _ => u64::from_ne_bytes(bytes.try_into().ok()?),
        };
        Some(Timestamp::from_unix_seconds(seconds))
    }

    /// Time and user of a log-in.
    fn login(self, entry: &[u8]) -> Option<(Timestamp, &[u8])> {
        let kind = i16::from_ne_bytes(entry.get(..2)?.try_into().ok()?);
        let user = entry.get(44..76)?;
        let user = user.split(|byte| *byte == 0).next()?;
        let at = self.time(entry, self.seconds)?;
        (kind == USER_PROCESS).then_some((at, user))
    }
}

// The same as the `libc` crate has it.
#[cfg(target_env = "gnu")]
const _: () = assert!(
    size_of::<libc::utmpx>() as u64 == UtmpLayout::HERE.utmp
        && core::mem::offset_of!(libc::utmpx, ut_tv) == UtmpLayout::HERE.seconds
);

// lastlog(5): one `struct lastlog` for each uid.
fn lastlog(uid: u32) -> std::io::Result<Option<Timestamp>> {
    let mut file = File::open(LASTLOG)?;
    file.seek(SeekFrom::Start(u64::from(uid) * UtmpLayout::HERE.lastlog))?;
    let mut entry = [0; 8];
    match file.read_exact(&mut entry) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    Ok(UtmpLayout::HERE.time(&entry, 0).filter(|at| at.as_unix_seconds() != 0))
}

// utmp(5)
fn wtmp(name: &str, since: Timestamp, latest: Timestamp) -> std::io::Result<Option<Timestamp>> {
    let mut file = File::open(WTMP)?;
    let length = file.metadata()?.len();
    let size = UtmpLayout::HERE.utmp;
    let mut end = length - length.checked_rem(size).unwrap_or(0);
    let mut last = None;
    let mut chunk = Vec::new();
    // From the end, until entries are older than `since`.
    while end > 0 {
        let start = end.saturating_sub(size * ENTRIES_AT_ONCE);
        file.seek(SeekFrom::Start(start))?;
        chunk.clear();
        file.by_ref().take(end - start).read_to_end(&mut chunk)?;
        let mut oldest = Timestamp::MAX;
        for entry in chunk.chunks_exact(usize::try_from(size).unwrap_or(usize::MAX)) {
            let Some((at, user)) = UtmpLayout::HERE.login(entry) else { continue };
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

/// The processes that run as a user, or that the user started and that run as somebody else, as
/// `sudo` does. A process that hides itself from its user's debuggers belongs to root in `/proc`,
/// so it is asked and not the owner of its folder. One that has ended, and waits to be looked at,
/// is none.
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
        // proc(5): fields are counted behind the last bracket; 3 is the state, 7 the terminal, 22
        // the start.
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
/// How far ahead of the clock a use may be dated, in seconds: what the rotation tolerates of a
/// clock.
const AHEAD: u64 = 300;
const ENTRIES_AT_ONCE: u64 = 256;
/// utmp(5): a normal process of a user.
const USER_PROCESS: i16 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_is_read_from_its_place_in_the_entry() {
        for layout in [UtmpLayout::NARROW, UtmpLayout::WIDE] {
            let mut entry = vec![0_u8; usize::try_from(layout.utmp).unwrap()];
            entry[..2].copy_from_slice(&7_i16.to_ne_bytes());
            entry[44..49].copy_from_slice(b"admin");
            let (time, at) = (1_790_000_000_u64.to_ne_bytes(), layout.seconds);
            let little = if cfg!(target_endian = "little") { 0 } else { 8 - layout.time };
            entry[at..at + layout.time].copy_from_slice(&time[little..][..layout.time]);
            let expected = (Timestamp::from_unix_seconds(1_790_000_000), b"admin".as_slice());
            assert_eq!(layout.login(&entry), Some(expected));
            assert_eq!(layout.login(&entry[..at + layout.time - 1]), None);
            entry[..2].copy_from_slice(&8_i16.to_ne_bytes());
            assert_eq!(layout.login(&entry), None);
        }
    }

    /// The C library's own headers, of this machine and of ARM64, say the same. `make packages`
    /// installs what this needs.
    #[test]
    fn the_layouts_are_those_of_the_c_librarys_headers() {
        const ARM64: [&str; 4] =
            ["-isystem", "/usr/aarch64-linux-gnu/include", "-U__x86_64__", "-D__aarch64__"];
        let here: (&[&str], UtmpLayout) = (&[], UtmpLayout::HERE);
        let arm64: (&[&str], UtmpLayout) = (&ARM64, UtmpLayout::WIDE);
        for (options, layout) in [here, arm64] {
            let checks = [
                ("sizeof(struct lastlog)", usize::try_from(layout.lastlog).unwrap()),
                ("offsetof(struct lastlog, ll_time)", 0),
                ("sizeof(((struct lastlog *)0)->ll_time)", layout.time),
                ("sizeof(struct utmp)", usize::try_from(layout.utmp).unwrap()),
                ("offsetof(struct utmp, ut_type)", 0),
                ("sizeof(((struct utmp *)0)->ut_type)", 2),
                ("offsetof(struct utmp, ut_user)", 44),
                ("sizeof(((struct utmp *)0)->ut_user)", 32),
                ("offsetof(struct utmp, ut_tv.tv_sec)", layout.seconds),
                ("sizeof(((struct utmp *)0)->ut_tv.tv_sec)", layout.time),
                ("USER_PROCESS", usize::try_from(USER_PROCESS).unwrap()),
            ];
            let mut text = String::from("#include <utmp.h>\n#define offsetof __builtin_offsetof\n");
            for (what, is) in checks {
                text += &format!("_Static_assert({what} == {is}, \"{what}\");\n");
            }
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("layout.c");
            fs::write(&file, text).unwrap();
            let mut cc = std::process::Command::new("cc");
            let done = cc.args(options).arg("-fsyntax-only").arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success() && said.is_empty(), "{options:?}: {said}");
        }
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
