//! The post-authentication actions on Linux.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::usage::owned_by;
use super::{StoreError, call};

/// Restarts the machine.
pub(super) fn restart() -> Result<(), StoreError> {
    call("shutdown", &["-r", "now", "the managed administrator account was used"])
}

/// Tells everybody at a terminal.
pub(super) fn warn(text: &str) -> Result<(), StoreError> {
    call("wall", &[text])
}

/// Ends the sessions of a user: by the session manager where there is one, and the processes with a terminal.
pub(super) fn sign_out(name: &str, uid: u32) -> Result<(), StoreError> {
    if uid == 0 {
        return Err(StoreError::Cannot("root is not signed out".to_owned()));
    }
    // systemd-logind knows graphical sessions; it is not on every machine, and it does not know every user.
    if fs::metadata("/run/systemd/seats").is_ok() {
        let _ended = call("loginctl", &["terminate-user", name]);
    }
    end(uid, Signal::HUP, has_terminal)
}

/// Ends every process of a user.
pub(super) fn terminate(uid: u32) -> Result<(), StoreError> {
    if uid == 0 {
        return Err(StoreError::Cannot("the processes of root are not ended".to_owned()));
    }
    end(uid, Signal::KILL, |_| true)
}

fn end(uid: u32, signal: Signal, which: impl Fn(i32) -> bool) -> Result<(), StoreError> {
    for number in owned_by(uid).filter(|number| which(*number)) {
        let Some(pid) = Pid::from_raw(number) else { continue };
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => {
                return Err(StoreError::Failed(format!("cannot end process {number}: {error}")));
            }
        }
    }
    Ok(())
}

/// proc(5): field 7 of stat is the controlling terminal, 0 for none.
fn has_terminal(number: i32) -> bool {
    fs::read_to_string(format!("/proc/{number}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .and_then(|(_, after)| after.split_whitespace().nth(4))
            .is_some_and(|terminal| terminal != "0")
    })
}
