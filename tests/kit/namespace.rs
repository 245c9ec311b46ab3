//! Runs a test inside network, mount and process namespaces of its own.
//!
//! Real daemons use fixed places: pcscd its socket below `/run`, its virtual driver ports on every
//! network address. Inside, `/run` is an empty file system and the only network is a loopback of the
//! test's own, so tests run beside each other and nothing is reachable from outside. Everything the
//! test started ends with it, however it ends.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::process::{arguments, is_inner, run, spawn};

/// Starts the line that a test prints instead of running.
pub(crate) const SKIPPED: &str = "skipped: ";

/// Ways to get the namespaces: as root, or as anybody where the kernel allows it.
const WAYS: [&[&str]; 2] = [&["-mnpf", "--mount-proc"], &["-Urmnpf", "--mount-proc"]];

/// Prepares the namespaces, then becomes the test.
const PREPARE: &str = r#"ip link set lo up && mount -t tmpfs none /run && exec "$0" "$@""#;

/// Runs `body` in namespaces of its own. `test` is the full name of the calling test: the test binary
/// is started once more for it alone.
///
/// Where the system gives no namespaces, says so on standard error and returns.
pub fn isolated(test: &str, body: impl FnOnce()) {
    if is_inner(test) {
        return body();
    }
    let Some(way) = WAYS.into_iter().find(|way| works(way)) else {
        return skipped(
            test,
            "no namespaces (unshare, ip and mount needed, as root or as anybody)",
        );
    };
    let binary = std::env::current_exe().expect("a test knows its own binary");
    let mut inner = Command::new("unshare");
    inner.args(way).args(["--kill-child", "sh", "-c", PREPARE]).arg(binary);
    run(test, inner.args(arguments(test)));
}

/// Says that a test did not run, past the test runner's capture, so that it is seen in any log.
pub fn skipped(test: &str, reason: &str) {
    say(&format!("{SKIPPED}{test}: {reason}"));
}

/// Writes a line past the test runner's capture.
pub fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error is open");
}

fn works(way: &[&str]) -> bool {
    let mut probe = Command::new("unshare");
    probe.args(way).args(["sh", "-c", PREPARE, "true"]);
    spawn(probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
        .and_then(|mut child| child.wait())
        .is_ok_and(|status| status.success())
}
