//! SQLite's file format, as far as locks and the log's index go: what stands at the beginning of an
//! index, and which bytes are locked.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// The log and its index, as we opened them.
pub(super) struct Beside {
    pub(super) log: File,
    pub(super) index: File,
}

impl Beside {
    pub(super) fn read(&self) -> io::Result<LogIndex> {
        let mut bytes = [0; INDEX];
        let read = rustix::io::pread(&self.index, &mut bytes, 0)?;
        // A shorter one was cut; it says nothing.
        if read < bytes.len() {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(LogIndex(bytes))
        }
    }
}

const HEADER: usize = 48;
const INDEX: usize = 2 * HEADER;

/// The beginning of the log's index, as SQLite's file format has it: the same header twice.
#[derive(Eq, PartialEq)]
pub(super) struct LogIndex([u8; INDEX]);

impl LogIndex {
    /// How long the log must be at least.
    pub(super) fn log(&self) -> u64 {
        let (headers, _) = self.0.as_chunks::<HEADER>();
        headers.iter().map(Self::log_of).min().unwrap_or(0)
    }

    fn log_of(header: &[u8; HEADER]) -> u64 {
        let [.., a, b, c, d, e, f] = header.first_chunk::<20>().copied().unwrap_or([0; 20]);
        let size = u64::from(u16::from_ne_bytes([a, b]));
        let page = if size == 1 { 1 << 16 } else { size };
        match u64::from(u32::from_ne_bytes([c, d, e, f])) {
            0 => 0,
            frames => frames.saturating_mul(page.saturating_add(24)).saturating_add(32),
        }
    }
}

/// Where SQLite's file format has the lock of everybody who has a file open, and how many bytes
/// that are.
pub(super) const IN_FILE: (libc::off_t, libc::off_t) = (0x4000_0002, 510);
/// The same of a log's index.
pub(super) const IN_INDEX: (libc::off_t, libc::off_t) = (128, 1);

/// Takes a lock of SQLite's for ourselves, or gives it back; never waits.
#[expect(unsafe_code, reason = "no safe function has locks of an open file")]
pub(super) fn again(
    file: &File,
    kind: libc::c_int,
    (start, length): (libc::off_t, libc::off_t),
) -> io::Result<()> {
    // SAFETY: a structure of numbers, of which zero is one.
    let mut lock: libc::flock = unsafe { core::mem::zeroed() };
    lock.l_type = libc::c_short::try_from(kind).map_err(io::Error::other)?;
    lock.l_whence = libc::c_short::try_from(libc::SEEK_SET).map_err(io::Error::other)?;
    (lock.l_start, lock.l_len) = (start, length);
    // SAFETY: the file is open, and the system reads the lock and keeps nothing of it.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
