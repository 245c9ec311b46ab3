//! A system bus of its own for each test.
//!
//! libdbus and zbus find the system bus through the environment of the process, so a test runs in a
//! child process that is started with the variable set: nothing changes the environment of a running
//! program, and tests run side by side.

use std::env;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::namespace::{say, skipped};

/// Names the directory of the private bus in the child's environment.
pub const DIRECTORY: &str = "WARDKEEP_PRIVATE_BUS";
/// Longest run of one test; reached only by one that is dead.
const TEST_MAX: Duration = Duration::from_secs(300);
/// Longest wait for the daemon.
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// A dbus-daemon on a socket in a directory of its own.
#[derive(Debug)]
pub struct PrivateBus {
    directory: PathBuf,
    daemon: Option<Child>,
}

impl PrivateBus {
    /// The bus of this process, not started yet. `None` outside an isolated test.
    pub fn of_this_process() -> Option<Self> {
        let directory = PathBuf::from(env::var_os(DIRECTORY)?);
        Some(Self { directory, daemon: None })
    }

    /// Starts the daemon and waits until it listens.
    pub fn start(&mut self) {
        let socket = self.directory.join("bus");
        let config = self.directory.join("bus.conf");
        fs::write(&config, configuration(&self.directory)).expect("the directory is ours");
        let daemon = Command::new("dbus-daemon")
            .arg("--nofork")
            .arg(format!("--config-file={}", config.display()))
            .stdin(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        self.daemon = Some(daemon);
        let mut waited = Duration::ZERO;
        while waited < START_MAX {
            if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                return;
            }
            thread::sleep(POLL);
            waited += POLL;
        }
        panic!("dbus-daemon does not listen");
    }

    /// Ends the daemon at once.
    pub fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        daemon.kill().expect("our own child");
        daemon.wait().expect("our own child");
        // A daemon that is killed leaves both behind, and the next would not start.
        for left in ["bus", "pid"] {
            if let Err(error) = fs::remove_file(self.directory.join(left)) {
                say(&format!("private bus: {left}: {error}"));
            }
        }
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.stop();
    }
}

fn configuration(directory: &Path) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={0}/bus</listen>
  <pidfile>{0}/pid</pidfile>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
"#,
        directory.display()
    )
}

/// Runs `body` in a child process whose system bus is a private one, not started yet.
///
/// `test` is the full name of the calling test. Prints `skipped` where dbus-daemon is missing.
pub fn isolated<F: Future<Output = ()>>(test: &str, body: impl FnOnce(PrivateBus) -> F) {
    if let Some(bus) = PrivateBus::of_this_process() {
        fs::write(bus.directory.join("ran"), test).expect("the directory is ours");
        run(body(bus));
    } else {
        run_child(test, &[test, "--exact", "--nocapture", "--test-threads=1"]);
    }
}

/// Runs `body` as [`isolated`] does, for a program that is not a test harness.
pub fn isolated_program<F: Future<Output = ()>>(body: impl FnOnce(PrivateBus) -> F) {
    if let Some(bus) = PrivateBus::of_this_process() {
        fs::write(bus.directory.join("ran"), "program").expect("the directory is ours");
        run(body(bus));
    } else {
        run_child("program", &[]);
    }
}

fn run(body: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(body);
    runtime.shutdown_timeout(Duration::from_secs(1));
}

#[expect(clippy::print_stdout, reason = "the harness shows it if the test failed")]
fn run_child(test: &str, arguments: &[&str]) {
    if Command::new("dbus-daemon").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skipped(test, "dbus-daemon is not installed");
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    // A harness shows what a test printed only if it failed; the child's output is treated alike.
    let output = directory.path().join("output");
    let log = fs::File::create(&output).expect("the directory is ours");
    let mut child = Command::new(env::current_exe().expect("this program has a path"))
        .args(arguments)
        .env(DIRECTORY, directory.path())
        .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}/bus", directory.path().display()))
        .stdout(log.try_clone().expect("an open file"))
        .stderr(log)
        .spawn()
        .expect("this program starts again");
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break Some(status);
        }
        if waited > TEST_MAX {
            break None;
        }
        thread::sleep(POLL);
        waited += POLL;
    };
    if status.is_none() {
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }
    end_orphan(directory.path());
    print!("{}", fs::read_to_string(&output).unwrap_or_default());
    let status = status.unwrap_or_else(|| panic!("{test} did not end in time"));
    assert!(status.success(), "{test} failed in its own process: {status}");
    // A name that fits no test would pass by running nothing.
    assert!(directory.path().join("ran").exists(), "{test} is not the name of this test");
}

/// Ends the bus of a child that was killed before it could. dbus-daemon removes the file when it
/// ends by itself.
fn end_orphan(directory: &Path) {
    let Ok(pid) = fs::read_to_string(directory.join("pid")) else { return };
    let serves_us = fs::read_to_string(format!("/proc/{}/cmdline", pid.trim()))
        .is_ok_and(|line| line.contains(&directory.display().to_string()));
    if serves_us {
        let status = Command::new("kill").arg(pid.trim()).status();
        assert!(status.is_ok_and(|status| status.success()), "dbus-daemon {pid} was not ended");
    }
}
