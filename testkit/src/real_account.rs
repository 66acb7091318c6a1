//! A real local account, made for one test and removed after it. Needs root and shadow-utils.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use laps_core::identity::AccountName;
use laps_host::account::linux::LinuxStore;
use laps_host::account::{AccountStore as _, Action};

/// Removed when dropped.
pub struct RealAccount {
    pub name: String,
}

impl RealAccount {
    /// `laps-<process>-<what>`, so that two test binaries never meet.
    pub fn new(what: &str) -> Self {
        let name = format!("laps-{}-{what}", std::process::id());
        tool("useradd", &["--no-create-home", "--no-user-group", "--shell", "/bin/sh", &name]);
        Self { name }
    }

    pub fn uid(&self) -> u32 {
        let text = tool("id", &["-u", &self.name]);
        text.trim().parse().unwrap()
    }

    /// The password field of the shadow file.
    pub fn shadow(&self) -> String {
        let shadow = fs::read_to_string("/etc/shadow").unwrap();
        let line = shadow.lines().find(|line| line.starts_with(&format!("{}:", self.name)));
        line.unwrap().split(':').nth(1).unwrap().to_owned()
    }

    /// Puts an older hash back, as rolling an image back does.
    pub fn set_hash(&self, hash: &str) {
        tool("usermod", &["--password", hash, &self.name]);
    }

    pub fn chpasswd_with(&self, method: &str, password: &str) {
        let mut child = Command::new("chpasswd")
            .args(["--crypt-method", method])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{}:{password}", self.name).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Runs a program as this account.
    pub fn run(&self, command: &str) -> Child {
        let mut words = command.split(' ');
        Command::new(words.next().unwrap())
            .args(words)
            .uid(self.uid())
            .current_dir("/")
            .spawn()
            .unwrap()
    }
}

impl Drop for RealAccount {
    fn drop(&mut self) {
        // Whatever a failed test left running.
        let mut store = LinuxStore::new();
        if let Ok(account) = AccountName::new(&self.name).map(|name| store.find(&name)) {
            let _ended = account.and_then(|account| store.act(&account, Action::Terminate));
        }
        let _removed = Command::new("userdel").arg("--force").arg(&self.name).output();
    }
}

/// An executable shell script in this folder.
pub fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("script");
    crate::program::write(&path, text);
    path
}

fn tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?} (these tests need root): {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
