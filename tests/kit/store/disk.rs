//! A small file system in the namespaces of a test, with which it ends.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command as Process;

use crate::process;

/// The file system, mounted until it is dropped.
pub struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounts one of this size.
    pub fn mount(size_kib: u32) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        disk.run(&["-t", "tmpfs", "-o", &format!("size={size_kib}k"), "none"]);
        disk
    }

    /// Mounts it anew, e.g. `ro`.
    pub fn remount(&self, option: &str) {
        self.run(&["-o", &format!("remount,{option}")]);
    }

    fn run(&self, arguments: &[&str]) {
        let child = process::spawn(Process::new("mount").args(arguments).arg(self.path()));
        let status = child.unwrap().wait().unwrap();
        assert!(status.success(), "mount {arguments:?}: {status}");
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Bytes that are free.
    pub fn free(&self) -> u64 {
        let facts = rustix::fs::statvfs(self.path()).unwrap();
        facts.f_bavail * facts.f_frsize
    }

    /// Takes room until this much is left.
    pub fn leave(&self, name: &str, bytes: u64) {
        let mut file = fs::File::create(self.path().join(name)).unwrap();
        while self.free() > bytes && file.write_all(&[1; 4096]).is_ok() {}
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let child = process::spawn(Process::new("umount").arg(self.path()));
        let status = child.unwrap().wait().unwrap();
        assert!(status.success() || std::thread::panicking(), "umount: {status}");
    }
}

/// Takes all room that is left.
pub fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    while file.write_all(&[0; 1]).is_ok() {}
}
