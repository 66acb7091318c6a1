//! Where events are kept on the device: a file of JSON lines, or the system's log.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

#[cfg(unix)]
use laps_core::rotation::event::Level;

use super::event::AgentEvent;

/// A log of events. Losing an event never stops a rotation.
#[derive(Debug)]
pub struct EventLog(LogTarget);

#[derive(Debug)]
enum LogTarget {
    File(File),
    #[cfg(unix)]
    Syslog(std::os::unix::net::UnixDatagram, PathBuf),
}

impl EventLog {
    /// What `--log` names: `syslog`, or a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(text: &str) -> io::Result<Self> {
        #[cfg(unix)]
        if text == "syslog" {
            return Self::syslog(Path::new("/dev/log"));
        }
        Self::file(Path::new(text))
    }

    /// Appends to a file, which is made with 0600. A log rotation that renames it needs a new start
    /// of the agent; one that copies and truncates does not.
    ///
    /// # Errors
    /// What the system says.
    pub fn file(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self(LogTarget::File(options.open(path)?)))
    }

    /// Sends to a local system log, as facility `auth`: `laps: ` and the JSON object.
    ///
    /// # Errors
    /// What the system says when there is no log.
    #[cfg(unix)]
    pub fn syslog(path: &Path) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixDatagram::unbound()?;
        socket.connect(path)?;
        // A log that does not read must not stop us.
        socket.set_nonblocking(true)?;
        Ok(Self(LogTarget::Syslog(socket, path.to_owned())))
    }

    /// Keeps one event, in one write.
    ///
    /// # Errors
    /// What the system says; the agent goes on without.
    pub fn write(&mut self, event: &AgentEvent) -> io::Result<()> {
        match &mut self.0 {
            LogTarget::File(file) => file.write_all(format!("{}\n", event.to_json()).as_bytes()),
            #[cfg(unix)]
            LogTarget::Syslog(socket, path) => {
                let line = format!("<{}>laps: {}", priority(event.level), event.to_json());
                socket.send(line.as_bytes()).or_else(|_| {
                    // The log was started again.
                    socket.connect(path)?;
                    socket.send(line.as_bytes())
                })?;
                Ok(())
            }
        }
    }
}

// RFC 3164 §4.1.1: facility times eight plus severity; 4 is auth; 3 error, 4 warning, 6
// informational.
#[cfg(unix)]
const fn priority(level: Level) -> u8 {
    4 * 8
        + match level {
            Level::Error => 3,
            Level::Warning => 4,
            Level::Information => 6,
        }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use laps_core::identity::Timestamp;
    use std::os::unix::fs::PermissionsExt as _;

    fn event(level: Level) -> AgentEvent {
        AgentEvent {
            time: Timestamp::from_unix_seconds(0),
            name: "stopped",
            id: None,
            level,
            device: "pc".to_owned(),
            account: String::new(),
            version: 0,
            reason: "none",
            message: String::new(),
        }
    }

    #[test]
    fn a_file_gets_one_json_object_a_line_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for _ in 0..2 {
            let mut log = EventLog::open(path.to_str().unwrap()).unwrap();
            log.write(&event(Level::Warning)).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let line = event(Level::Warning).to_json();
        assert_eq!(text, format!("{line}\n{line}\n"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_system_log_gets_the_severity_and_may_be_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut buffer = [0; 1024];
        let server = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        let mut log = EventLog::syslog(&path).unwrap();
        log.write(&event(Level::Error)).unwrap();
        let length = server.recv(&mut buffer).unwrap();
        let want = format!("<35>laps: {}", event(Level::Error).to_json());
        assert_eq!(core::str::from_utf8(&buffer[..length]), Ok(want.as_str()));
        drop(server);
        std::fs::remove_file(&path).unwrap();
        assert!(log.write(&event(Level::Error)).is_err());
        let server = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        log.write(&event(Level::Information)).unwrap();
        assert!(server.recv(&mut buffer).unwrap() > 4 && buffer.starts_with(b"<38>"));
    }
}
