//! Processes that tests start, themselves once more among them.
//!
//! Tests of one target are threads of one process. What a test sets for all of it (the environment) or
//! looks for in all of it (threads, memory) it does in a process of its own: [`alone`]. And between its
//! fork and its exec, a process that one test starts holds a copy of every file that another has open,
//! locks on state directories included: [`spawn`] and [`settle`] keep the two apart.

use std::io;
use std::process::{Child, Command, Output};
use std::sync::{PoisonError, RwLock};

use crate::namespace::{SKIPPED, say};

/// Marks the inner process, and names the test it runs.
const INSIDE: &str = "WARDKEEP_TEST_INSIDE";
/// Starts the line by which the inner process says which test it is.
const RAN: &str = "inside: ";

/// Held alone while a process is being started.
static STARTING: RwLock<()> = RwLock::new(());

/// Starts a process, and returns once it no longer holds copies of this one's files.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    command.spawn()
}

/// Waits until no process that is just being started has copies of files that are closed by now.
pub fn settle() {
    drop(STARTING.read().unwrap_or_else(PoisonError::into_inner));
}

/// Runs `body` in a process of its own. `test` is the full name of the calling test: the test binary is
/// started once more for it alone.
pub fn alone(test: &str, body: impl FnOnce()) {
    if is_inner(test) {
        return body();
    }
    let program = std::env::current_exe().expect("a test knows its own binary");
    run(test, Command::new(program).args(arguments(test)));
}

/// This process was started for one test.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// This process was started for this test; it says so.
pub(crate) fn is_inner(test: &str) -> bool {
    let is_inner = std::env::var_os(INSIDE).is_some_and(|inside| inside == test);
    if is_inner {
        say(&format!("{RAN}{test}"));
    }
    is_inner
}

/// What a test harness is told to run one test.
pub(crate) fn arguments(test: &str) -> [&str; 4] {
    ["--exact", test, "--nocapture", "--test-threads=1"]
}

/// Runs the inner process of a test to its end, and fails unless it ran that test and the test held.
pub(crate) fn run(test: &str, command: &mut Command) {
    let child = spawn(
        command
            .env(INSIDE, test)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped()),
    );
    let output = child.and_then(Child::wait_with_output).expect("a test can be started again");
    let Output { status, stdout, stderr } = output;
    // Held back while it passes, so that a log counts the test once.
    let said = String::from_utf8_lossy(&stderr);
    said.lines().filter(|line| line.starts_with(SKIPPED)).for_each(say);
    // Set off, for the same reason.
    let whole = format!("{}{said}", String::from_utf8_lossy(&stdout)).replace('\n', "\n  | ");
    assert!(status.success(), "{test} failed in its process:\n  | {whole}");
    // A name that fits no test would pass by running nothing.
    let ran = said.lines().any(|line| line.strip_prefix(RAN) == Some(test));
    assert!(ran, "{test} is not the name of this test");
}
