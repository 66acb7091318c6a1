//! Programs of Windows that do what a post-authentication action asks for.

use super::StoreError;

/// Restarts now; the warning of one minute came before (windows-laps §4.6).
pub(super) fn restart() -> Result<(), StoreError> {
    call("shutdown.exe", &["/r", "/t", "0", "/c", "The managed administrator account was used"])
}

/// Shows a message in the sessions of a user, or in all (`*`).
pub(super) fn warn(user: &str, text: &str) -> Result<(), StoreError> {
    call("msg.exe", &[user, "/time:60", text])
}

/// Runs a program of the system.
fn call(program: &str, arguments: &[&str]) -> Result<(), StoreError> {
    let system = std::env::var_os("SystemRoot").unwrap_or_else(|| "C:\\Windows".into());
    let path = std::path::Path::new(&system).join("System32").join(program);
    match std::process::Command::new(path).args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(StoreError::Failed(format!("{program}: {status}"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(StoreError::Cannot(format!("there is no {program} on this edition of Windows")))
        }
        Err(error) => Err(StoreError::Failed(format!("{program}: {error}"))),
    }
}
