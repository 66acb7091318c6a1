//! Programs that a test writes and then runs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a shell script that can be run. Another process writes it: a file that this one has open
/// for writing is also open in whatever another thread is just starting, and cannot be run until
/// that has begun ("Text file busy").
pub(crate) fn write(path: &Path, text: &str) {
    let mut writer = Command::new("/bin/sh");
    writer.args(["-c", r#"cat > "$1" && chmod 700 "$1""#, "sh"]).arg(path);
    let mut writer = writer.stdin(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{text}\n").as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}
