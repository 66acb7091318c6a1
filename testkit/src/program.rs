//! Programs that a test writes and then runs, and tests that are their own helpers.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a helper does with its arguments.
pub type Worker = fn(&[String]);

/// Functions and their names, for [`run`].
#[macro_export]
macro_rules! named {
    ($($(#[$attribute:meta])* $first:ident $(:: $rest:ident)*),* $(,)?) => {
        &[$(
            $(#[$attribute])*
            (concat!(stringify!($first) $(, "::", stringify!($rest))*), $first $(:: $rest)* as fn())
        ),*]
    };
}

/// The main function of a test that is its own helper: called with the name of a worker it is that
/// one; else it runs the tests, those whose name has the first argument in it.
pub fn run(workers: &[(&str, Worker)], tests: &[(&str, fn())]) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = arguments.split_first()
        && let Some((_, work)) = workers.iter().find(|(name, _)| name == first)
    {
        return work(rest);
    }
    let wanted = arguments.first().filter(|argument| !argument.starts_with('-'));
    for (name, test) in tests {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            let started = Instant::now();
            test();
            println!("test {name} ... ok ({:.1} s)", started.elapsed().as_secs_f32());
        }
    }
}

/// Writes a shell script that can be run. Another process writes it: a file that this one has open
/// for writing is also open in whatever another thread is just starting, and cannot be run until
/// that has begun ("Text file busy").
pub fn write(path: &Path, text: &str) {
    let mut writer = Command::new("/bin/sh");
    writer.args(["-c", r#"cat > "$1" && chmod 700 "$1""#, "sh"]).arg(path);
    let mut writer = writer.stdin(Stdio::piped()).spawn().unwrap();
    writer.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{text}\n").as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
}
