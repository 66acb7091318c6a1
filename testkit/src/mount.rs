//! A small file system for one test. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system in memory, unmounted when dropped.
pub struct Mount(PathBuf);

impl Mount {
    pub fn new(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        assert!(mount(&["-t", "tmpfs", "-o", "size=96k,mode=0700", "tmpfs"], &path));
        Self(path)
    }

    pub fn remount(&self, how: &str) {
        assert!(mount(&["-o", &format!("remount,{how}")], &self.0));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(options: &[&str], path: &Path) -> bool {
    Command::new("mount").args(options).arg(path).status().unwrap().success()
}
