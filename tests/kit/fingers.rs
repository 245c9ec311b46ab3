//! libfprint's own virtual readers: fingers laid on by a line of text over a socket.
//!
//! libfprint finds such a reader through an environment variable, which must be set before it looks
//! for the first time, and one process has one reader. So every test runs in a process of its own:
//! the test binary, started once more for that test alone.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::process::{arguments, is_inner, run};

/// Where the inner process finds the reader's socket.
const SOCKET: &str = "WARDKEEP_TEST_FINGER";
/// How long a finger waits for its reader to be claimed; reached only by a driver that is dead.
const PATIENCE_STEPS: u32 = 6_000;
const STEP: Duration = Duration::from_millis(10);
/// Flags of a socket that listens, as the kernel writes them.
const LISTENS: &str = "00010000";
/// The driver's thread, which waits for the finger.
const DRIVER: &str = "fingerprint";

/// Which of libfprint's virtual readers.
#[derive(Clone, Copy)]
pub enum Model {
    /// Compares a finger with many templates at once, and knows duplicates.
    Identifies,
    /// Compares a finger with one template.
    VerifiesOnly,
    /// Is there, but cannot be opened.
    Locked,
    /// There is none.
    None,
}

/// Runs `body` in a process of its own that has this reader. `test` is the calling test's full name.
pub fn with_reader(test: &str, model: Model, body: impl FnOnce()) {
    if is_inner(test) {
        return body();
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let socket = match model {
        Model::Locked => folder.path().join("missing/finger"),
        Model::Identifies | Model::VerifiesOnly | Model::None => folder.path().join("finger"),
    };
    let mut inner = Command::new(std::env::current_exe().expect("a test knows its own binary"));
    inner.args(arguments(test));
    // A reader that the machine may have is none of the test's business.
    inner.env("FP_DRIVERS_WHITELIST", "virtual_device:virtual_device_storage");
    inner.env(SOCKET, &socket);
    match model {
        Model::Identifies | Model::Locked => inner.env("FP_VIRTUAL_DEVICE_STORAGE", &socket),
        Model::VerifiesOnly => inner.env("FP_VIRTUAL_DEVICE", &socket),
        Model::None => &mut inner,
    };
    run(test, &mut inner);
}

/// One instruction to the reader, as soon as it is claimed: `SCAN name`, `RETRY n`, `ERROR n`, `UNPLUG`.
pub fn instruct(line: &str) {
    for _ in 0..PATIENCE_STEPS {
        wait_until_claimed(true);
        // What comes while the claim is being taken, the virtual reader throws away.
        thread::sleep(5 * STEP);
        if !driver_sleeps() {
            continue;
        }
        // Refused where the claim has just passed from one command to the next.
        if let Ok(mut reader) = UnixStream::connect(socket()) {
            reader.write_all(line.as_bytes()).expect("a claimed reader listens");
            return;
        }
    }
    panic!("nobody takes: {line}");
}

/// The reader fails; its claim is given up and taken anew.
pub fn fail() {
    wait_until_claimed(true);
    let before = claim();
    instruct("ERROR 0");
    wait_until_claimed_anew(&before);
}

/// The claim: the socket on which the reader listens. The kernel is asked, so that the reader is not
/// disturbed.
pub fn claim() -> Option<String> {
    let sockets = std::fs::read_to_string("/proc/net/unix").expect("procfs");
    let socket = socket();
    let path = socket.to_str().expect("a plain path");
    // Number, references, protocol, flags, type, state, inode, path.
    let fields = sockets.lines().map(|line| line.split(' ').filter(|field| !field.is_empty()));
    let mut sockets = fields.map(Iterator::collect::<Vec<_>>);
    let listening = sockets.find(|fields| fields.last() == Some(&path) && fields[3] == LISTENS);
    listening.map(|fields| fields[6].to_owned())
}

/// The reader is claimed: it listens.
pub fn is_claimed() -> bool {
    claim().is_some()
}

/// Waits until it is claimed, or not any more.
pub fn wait_until_claimed(claimed: bool) {
    let what = if claimed { "claimed" } else { "free" };
    wait_until(what, || is_claimed() == claimed);
}

/// Waits until the claim is another one.
pub fn wait_until_claimed_anew(before: &Option<String>) {
    wait_until("claimed anew", || {
        let after = claim();
        after.is_some() && after != *before
    });
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..PATIENCE_STEPS {
        if holds() {
            return;
        }
        thread::sleep(STEP);
    }
    panic!("the reader did not become {what}");
}

/// The driver has not run for some steps and does not want to: it waits for the finger.
fn driver_sleeps() -> bool {
    let before = driver_runs();
    thread::sleep(STEP);
    before.is_some() && before == driver_runs()
}

/// How long the driver's thread has run; `None` while it runs or waits for a processor.
fn driver_runs() -> Option<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs").flatten();
    let read = |task: &std::path::Path, name| std::fs::read_to_string(task.join(name)).ok();
    let mut tasks = tasks.map(|task| task.path());
    let driver = tasks.find(|task| read(task, "comm").is_some_and(|name| name.trim() == DRIVER))?;
    // After the name in brackets.
    let sleeps = read(&driver, "stat")?.rsplit_once(") ")?.1.starts_with('S');
    if sleeps { read(&driver, "schedstat") } else { None }
}

fn socket() -> PathBuf {
    PathBuf::from(std::env::var_os(SOCKET).expect("the outer process has set it"))
}
