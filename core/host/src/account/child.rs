//! The one place that starts children: password on standard input, output bounded, time bounded, in
//! a process group of its own.
//!
//! * Standard input is a pipe that is filled before the child starts. So a child sees all of its
//!   input or does not run: an agent that is killed here never leaves a child behind that reads an
//!   empty password.
//! * The environment is a fixed list of names ([`ENVIRONMENT`]): what else the agent was given,
//!   tokens for example, is none of a child's business. A program that needs more is started
//!   through `env NAME=VALUE PROGRAM`.
//! * A child inherits standard input, output and error, and a setter its lock; whatever else is
//!   open is closed where the system can do that (Linux). It leaves no core dump.
//! * A child without a secret ends with the call that runs it ([`stop`]); one with a secret runs to
//!   its own limit.
//! * What a child says is passed on only when it got no secret. A child that got one may quote it
//!   in any spelling, so its words are compared with fixed lists, and what is told is ours.

use core::time::Duration;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, PipeReader, Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use command_fds::CommandFdExt as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, setrlimit};
use zeroize::Zeroizing;

use laps_core::refusal;

use super::setter::{self, SetterLock};
use crate::stop;

/// How a child ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It was ended because its time was over.
    TimedOut,
    /// It was ended because the call that ran it was to end.
    Stopped,
}

/// What a child left behind.
pub(crate) struct Finished {
    pub(crate) ending: Ending,
    /// At most [`MOST_OUTPUT`] bytes.
    pub(crate) stdout: Vec<u8>,
    /// At most [`MOST_OUTPUT`] bytes. Read by [`Finished::describe`] and [`Finished::refusal`]
    /// alone.
    stderr: Zeroizing<Vec<u8>>,
    /// The child got a secret.
    secret: bool,
    /// The setter lock could not be had back: something that the child started still runs.
    pub(crate) left_behind: bool,
}

impl Finished {
    /// How it ended, and why: in its own words when it got no secret, in ours when it did.
    pub(crate) fn describe(&self) -> String {
        let how = match self.ending {
            Ending::Exited(status) => format!("exit status {status}"),
            Ending::Signalled(signal) => format!("ended by signal {signal}"),
            Ending::TimedOut => "no answer in time".to_owned(),
            Ending::Stopped => "ended before it answered, because this call was to end".to_owned(),
        };
        let text = self.text();
        let why = if self.secret {
            refusal::known_troubles(&text).join(", ")
        } else {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            line.chars().filter(|c| !c.is_control()).take(MAX_DESCRIBED).collect()
        };
        if why.is_empty() { how } else { format!("{how}: {why}") }
    }

    /// Why it refused a password, in our words.
    pub(crate) fn refusal(&self) -> String {
        refusal::worded(&self.text())
    }

    /// Whether its words have one of these in them.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        let text = self.text();
        words.iter().any(|word| text.contains(word))
    }

    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(String::from_utf8_lossy(&self.stderr).into_owned())
    }
}

/// A command that starts with the fixed environment and nothing else.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // Every text that is compared with a list is English.
    command.env("LC_ALL", "C");
    command
}

/// What a child reads.
#[derive(Clone, Copy)]
pub(crate) enum ChildInput<'a> {
    /// Public bytes, as many as there are.
    Public(&'a [u8]),
    /// A secret in parts, at most [`MOST_INPUT`] bytes together. It goes through a pipe and never
    /// into a file.
    Secret(&'a [&'a [u8]]),
}

impl ChildInput<'_> {
    fn into_stdin(self) -> io::Result<Stdio> {
        match self {
            Self::Public(bytes) => {
                let mut file = nameless_file()?;
                file.write_all(bytes)?;
                file.rewind()?;
                Ok(file.into())
            }
            Self::Secret(parts) => {
                if parts.iter().map(|part| part.len()).sum::<usize>() > MOST_INPUT {
                    let text = "too much for standard input";
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
                }
                let (stdin, mut fill) = io::pipe()?;
                for part in parts {
                    fill.write_all(part)?;
                }
                Ok(stdin.into())
            }
        }
    }
}

/// A file in memory.
#[cfg(target_os = "linux")]
fn nameless_file() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("laps-check-in", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

/// A file whose name is gone at once.
#[cfg(not(target_os = "linux"))]
fn nameless_file() -> io::Result<File> {
    let name = format!("laps-check-in-{}-{:?}", std::process::id(), Instant::now());
    let path = std::env::temp_dir().join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Runs `command`, with `input` on its standard input, for at most `timeout`.
///
/// With a setter lock, the child inherits it; when this returns, it is held again or `left_behind`
/// is set.
pub(crate) fn run(
    command: &mut Command,
    input: ChildInput<'_>,
    timeout: Duration,
    setter: Option<&mut SetterLock>,
) -> io::Result<Finished> {
    let deadline = Instant::now() + timeout;
    let secret = matches!(input, ChildInput::Secret(_));
    let stdin = input.into_stdin()?;
    let (stdout, stdout_writer) = io::pipe()?;
    let (stderr, stderr_writer) = io::pipe()?;
    command.stdin(stdin).stdout(stdout_writer).stderr(stderr_writer).process_group(0);
    confine(command);
    let mut setter = setter;
    if let Some(lock) = setter.as_deref_mut() {
        // An earlier child may have left something behind.
        lock.reclaim(deadline)?;
    }
    let lent = setter.as_deref_mut().and_then(SetterLock::lend);
    if let Some(lock) = &lent {
        command.preserved_fds(vec![above_standard_streams(lock)?]);
    }
    let spawned = command.spawn();
    // Our ends of the pipes, and a copy of the lock, live in the command until here.
    *command = Command::new("");
    command.stdin(Stdio::null());
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            drop(lent);
            if let Some(lock) = setter {
                lock.reclaim(deadline)?;
            }
            return Err(error);
        }
    };
    // Our own copy of the lock ends here: from now on only the child has it.
    if let Some(lock) = lent {
        // Without the record, the lock itself still tells who has it.
        let _recorded = setter::record(&lock, child.id());
    }
    let mut outputs = [ChildOutput::new(stdout)?, ChildOutput::new(stderr)?];
    // What may be changing a password is never cut short.
    let ended: &dyn Fn() -> bool = if secret { &|| false } else { &stop::is_ended };
    let ending = wait(&mut child, &mut outputs, deadline, ended)?;
    let left_behind = setter.is_some_and(|lock| lock.reclaim(deadline).is_err());
    for output in &mut outputs {
        output.read();
    }
    let [stdout, stderr] = outputs.map(|output| output.bytes);
    Ok(Finished { ending, stdout: stdout.to_vec(), stderr, secret, left_behind })
}

/// Between fork and exec: nothing that is open is inherited, beside what is asked for after this,
/// and no core is dumped.
#[expect(unsafe_code, reason = "the one place between fork and exec")]
fn confine(command: &mut Command) {
    let last = || {
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        #[cfg(target_os = "linux")]
        // SAFETY: a system call on numbers. It marks descriptors as closed on exec, those of the
        // standard library's own too, which are so already. An older kernel says that it
        // does not know it, and then they stay as they were.
        unsafe {
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        }
        Ok(())
    };
    // SAFETY: the closure makes two system calls and allocates nothing, as signal-safety(7) asks
    // for between fork and exec.
    unsafe { command.pre_exec(last) };
}

/// A copy of the lock's file whose number is above those of standard input, output and error, which
/// a child replaces.
fn above_standard_streams(lock: &File) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(lock, 3)?)
}

fn wait(
    child: &mut Child,
    outputs: &mut [ChildOutput; 2],
    deadline: Instant,
    ended: &dyn Fn() -> bool,
) -> io::Result<Ending> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(match (status.code(), status.signal()) {
                (Some(code), _) => Ending::Exited(code),
                (None, signal) => Ending::Signalled(signal.unwrap_or(0)),
            });
        }
        let ended = ended();
        if ended || Instant::now() >= deadline {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ended = kill_process_group(group, Signal::KILL);
            }
            let _ended = child.kill();
            child.wait()?;
            return Ok(if ended { Ending::Stopped } else { Ending::TimedOut });
        }
        let mut fds: Vec<PollFd<'_>> = outputs
            .iter()
            .filter(|output| !output.at_end)
            .map(|output| PollFd::from_borrowed_fd(output.pipe.as_fd(), PollFlags::IN))
            .collect();
        // An ended child is seen by asking, so the wait is short; what it prints is seen at once.
        let _ready = poll(&mut fds, Some(&STEP));
        drop(fds);
        for output in outputs.iter_mut() {
            output.read();
        }
    }
}

/// One output of a child, read without waiting, bounded.
struct ChildOutput {
    pipe: PipeReader,
    /// Wiped: a child may quote what it got.
    bytes: Zeroizing<Vec<u8>>,
    at_end: bool,
}

impl ChildOutput {
    fn new(pipe: PipeReader) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe, bytes: Zeroizing::default(), at_end: false })
    }

    /// Reads what is there; what is above the bound is thrown away.
    fn read(&mut self) {
        let mut buffer = [0; 1024];
        while !self.at_end {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.at_end = true,
                Ok(read) => {
                    let room = MOST_OUTPUT.saturating_sub(self.bytes.len());
                    self.bytes.extend(buffer.iter().take(read.min(room)));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.at_end = true,
            }
        }
    }
}

/// Names of the environment that a child gets, where the agent has them: how programs, files and
/// the time zone are found.
pub(crate) const ENVIRONMENT: [&str; 7] =
    ["HOME", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"];
/// A pipe holds at least this much without a reader (POSIX `PIPE_BUF` on Linux).
const MOST_INPUT: usize = 4096;
/// What is kept of each output.
const MOST_OUTPUT: usize = 64 * 1024;
/// What is passed on of a message, in characters.
const MAX_DESCRIBED: usize = 300;
/// How long one wait for output may be.
const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
