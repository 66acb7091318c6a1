//! The post-authentication actions on Linux.
//!
//! A sign-out ends what a person sees as a session: the sessions that `systemd-logind` knows, where
//! it runs, and everything of the account that has a terminal, first asked (SIGHUP, as when a
//! window is closed), then not (SIGKILL). Processes without a terminal stay; *terminate* ends all.

use core::time::Duration;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::usage::{Process, of_user};
use super::{PATH, StoreError, call};

/// Programs that the actions need, as far as this machine has them.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    /// Restarts the machine, with its arguments.
    pub(super) restart: Option<(PathBuf, &'static [&'static str])>,
    /// Writes to the terminals of everybody.
    wall: Option<PathBuf>,
    /// Ends the sessions of a user; there is no use for it without `systemd-logind`.
    loginctl: Option<PathBuf>,
}

impl Programs {
    /// Looks for them.
    pub(super) fn find() -> Self {
        let booted = |what: &str| fs::metadata(what).is_ok();
        let systemctl = program("systemctl").filter(|_| booted("/run/systemd/system"));
        let restart = systemctl.map(|path| (path, ["reboot"].as_slice()));
        let restart = restart.or_else(|| {
            // Without systemd a `shutdown` of another system's, or of busybox.
            Some((program("shutdown")?, ["-r", "now"].as_slice()))
        });
        let restart = restart.or_else(|| Some((program("reboot")?, [].as_slice())));
        Self {
            restart,
            wall: program("wall"),
            loginctl: program("loginctl").filter(|_| booted("/run/systemd/seats")),
        }
    }

    /// What is missing, and what follows from it.
    pub(super) fn missing(&self) -> impl Iterator<Item = &'static str> {
        [
            (
                self.loginctl.is_none(),
                "finds no systemd-logind: a sign-out ends only what has a \
                 terminal, not graphical sessions",
            ),
            (self.wall.is_none(), "finds no wall: only the terminals of the account are warned"),
        ]
        .into_iter()
        .filter_map(|(missing, text)| missing.then_some(text))
    }
}

fn program(name: &str) -> Option<PathBuf> {
    PATH.split(':').map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Restarts the machine.
pub(super) fn restart(programs: &Programs) -> Result<(), StoreError> {
    let (program, arguments) = programs.restart.as_ref().ok_or_else(|| {
        StoreError::Cannot("there is no systemctl, shutdown or reboot here".to_owned())
    })?;
    call(program, arguments)
}

/// Tells everybody at a terminal, and the account's own terminals, which `wall` does not know when
/// no log-in wrote them down.
pub(super) fn warn(programs: &Programs, uid: u32, text: &str) -> Result<(), StoreError> {
    let told = of_user(uid).filter(|process| tell(process.terminal, text)).count();
    match &programs.wall {
        Some(wall) => call(wall, &[text]),
        None if told > 0 => Ok(()),
        None => Err(StoreError::Cannot("there is no wall here".to_owned())),
    }
}

/// Writes to a terminal; whether it was one. The terminal is the account's, so nothing is followed
/// and nothing waited for.
fn tell(terminal: u64, text: &str) -> bool {
    // The device number of proc(5): the minor one is in bits 31 to 20 and 7 to 0, the major one in
    // bits 15 to 8.
    let (major, minor) = (terminal >> 8 & 0xfff, terminal & 0xff | terminal >> 12 & 0xfff00);
    let path = match major {
        4 if minor < 64 => format!("/dev/tty{minor}"),
        4 => format!("/dev/ttyS{}", minor - 64),
        136..=143 => format!("/dev/pts/{}", minor + (major - 136) * 256),
        _ => return false,
    };
    let flags =
        rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let opened = OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path);
    opened.is_ok_and(|mut file| {
        let same = file.metadata().is_ok_and(|found| {
            found.file_type().is_char_device()
                && found.rdev()
                    == rustix::fs::makedev(
                        u32::try_from(major).unwrap_or(0),
                        u32::try_from(minor).unwrap_or(0),
                    )
        });
        same && write!(file, "\r\n{text}\r\n").is_ok()
    })
}

/// Ends the sessions of a user: by the session manager where there is one, and the processes with a
/// terminal.
pub(super) fn sign_out(programs: &Programs, name: &str, uid: u32) -> Result<(), StoreError> {
    if uid == 0 {
        return Err(StoreError::Cannot("root is not signed out".to_owned()));
    }
    if let Some(loginctl) = &programs.loginctl {
        // It fails for a user whom it does not know; what has a terminal is ended all the same.
        let _ended = call(loginctl, &["terminate-user", name]);
    }
    let with_terminal = || of_user(uid).filter(|process| process.terminal != 0);
    signal(with_terminal(), Signal::HUP)?;
    let begun = Instant::now();
    while with_terminal().next().is_some() && begun.elapsed() < GRACE {
        std::thread::sleep(STEP);
    }
    end(with_terminal)
}

/// Ends every process of a user.
pub(super) fn terminate(uid: u32) -> Result<(), StoreError> {
    if uid == 0 {
        return Err(StoreError::Cannot("the processes of root are not ended".to_owned()));
    }
    end(|| of_user(uid))
}

/// Ends processes until there are none: one may start another while they are looked through.
fn end<I: Iterator<Item = Process>>(which: impl Fn() -> I) -> Result<(), StoreError> {
    let begun = Instant::now();
    loop {
        signal(which(), Signal::KILL)?;
        let left = which().count();
        if left == 0 {
            return Ok(());
        }
        if begun.elapsed() > GRACE {
            return Err(StoreError::Failed(format!("{left} processes of the account do not end")));
        }
        std::thread::sleep(STEP);
    }
}

fn signal(processes: impl Iterator<Item = Process>, signal: Signal) -> Result<(), StoreError> {
    for process in processes {
        let Some(pid) = Pid::from_raw(process.number) else { continue };
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => {
                let number = process.number;
                return Err(StoreError::Failed(format!("cannot end process {number}: {error}")));
            }
        }
    }
    Ok(())
}

/// How long processes may take to end.
const GRACE: Duration = Duration::from_secs(5);
/// How often they are looked at.
const STEP: Duration = Duration::from_millis(50);
