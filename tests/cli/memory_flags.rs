//! S-3, S-10: a running program may leave no core image, and its memory is closed to its own account.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has to end it")]

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Whoever runs the program where this test is root.
const NOBODY: u32 = 65_534;

/// `wardkeepctl decode --batch` under an account without rights, once it has answered a line.
fn started(dir: &Path) -> Child {
    let program = dir.join("wardkeepctl");
    fs::copy(env!("CARGO_BIN_EXE_wardkeepctl"), &program).unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(program);
    command.args(["decode", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    // Another test that starts a program at this moment holds the copy open until its own program runs.
    let mut tries = 0..500;
    let mut child = loop {
        match command.spawn() {
            Ok(child) => break child,
            Err(error)
                if error.kind() == ErrorKind::ExecutableFileBusy && tries.next().is_some() =>
            {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => panic!("the copy does not start: {error}"),
        }
    };
    let line = b"{\"id\":1,\"characteristic\":\"2a37\",\"value\":\"00 48\"}\n";
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), line).unwrap();
    let mut first = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    child
}

#[test]
fn s3_s10_a_running_program_cannot_be_dumped() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = started(dir.path());
    let proc = format!("/proc/{}", child.id());
    let limits = fs::read_to_string(format!("{proc}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
    // What may be dumped belongs to its account, what may not to root.
    let memory = fs::metadata(format!("{proc}/mem")).unwrap();
    assert_eq!(memory.uid(), 0, "closed to its own account");
    let status = fs::read_to_string(format!("{proc}/status")).unwrap();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap().trim();
    let unlimited = limits
        .lines()
        .find(|line| line.starts_with("Max locked memory"))
        .unwrap()
        .contains("unlimited");
    assert_eq!(locked != "0 kB", unlimited, "locked: {locked}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
