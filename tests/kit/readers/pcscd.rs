//! A real pcscd with two virtual readers, started and ended by the test that owns it.
//!
//! Only inside [`crate::namespace::isolated`]: its socket and the ports of its driver are fixed. The
//! two readers are two copies of the driver, because one library keeps all its sockets in one table
//! and a second configuration entry on the same file takes the first one's over. Each has two slots.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pcsc::{Context, ReaderState, Scope, State};
use tempfile::TempDir;
use wardkeep_model::moment::Moment;

use crate::readers::vpcd::wait_for_port;

/// Port of the first slot of each reader; the second slot is one above.
pub const PORTS: [u16; 2] = [0x8C7B, 0x8C8B];
/// Long enough for a loaded machine; pcscd needs 30 ms.
const START_MAX: Duration = Duration::from_secs(60);

/// A running pcscd. Dropping it ends the daemon.
#[derive(Debug)]
pub struct Pcscd {
    daemon: Option<Child>,
    readers: TempDir,
}

impl Pcscd {
    /// What is missing on this machine, if anything.
    pub fn missing() -> Option<&'static str> {
        if program().is_none() {
            Some("pcscd is not installed")
        } else if driver().is_none() {
            Some("the virtual reader driver is not installed (vsmartcard-vpcd)")
        } else {
            None
        }
    }

    /// Starts pcscd with two readers, and waits for them.
    pub fn start() -> Self {
        let mut pcscd = Self::prepared(&PORTS);
        pcscd.restart();
        pcscd
    }

    /// Prepares a pcscd with a reader at each of these ports, without starting it.
    pub fn prepared(ports: &[u16]) -> Self {
        let named = |(index, port): (usize, &u16)| (*port, format!("Virtual Reader {index}"));
        Self::named(&ports.iter().enumerate().map(named).collect::<Vec<_>>())
    }

    /// The same with readers that are called something.
    pub fn named(readers_at: &[(u16, String)]) -> Self {
        let readers = tempfile::tempdir().expect("a temporary directory");
        let source = driver().expect("asked for by `missing`");
        std::fs::create_dir(readers.path().join("conf.d")).expect("a directory");
        for (index, (port, name)) in readers_at.iter().enumerate() {
            let library = readers.path().join(format!("libifdvpcd-{index}.so"));
            std::fs::copy(&source, &library).expect("a copy of the driver");
            let entry = format!(
                "FRIENDLYNAME \"{name}\"\nDEVICENAME /dev/null:0x{port:X}\n\
                 LIBPATH {}\nCHANNELID 0x{port:X}\n",
                library.display()
            );
            let file = readers.path().join("conf.d").join(format!("reader-{index}"));
            std::fs::write(file, entry).expect("a reader entry");
        }
        Self { daemon: None, readers }
    }

    /// Starts the daemon again, after [`Pcscd::kill`] or [`Pcscd::stop`], and waits for its readers.
    pub fn restart(&mut self) {
        let program = program().expect("asked for by `missing`");
        let configuration = self.readers.path().join("conf.d");
        let mut command = Command::new(&program);
        command.arg("--foreground").arg("--config").arg(&configuration).stdout(Stdio::null());
        if knows_polkit(&program) {
            command.arg("--disable-polkit");
        }
        self.daemon = Some(command.spawn().expect("pcscd starts"));
        let entries = std::fs::read_dir(&configuration).expect("written by `prepared`").count();
        for port in PORTS.iter().take(entries) {
            assert!(wait_for_port(*port, START_MAX), "no virtual reader at port {port}");
        }
        wait_for_socket();
    }

    /// Asks the daemon to end, and waits until it has (it takes a second and a half).
    pub fn stop(&mut self) {
        if let Some(daemon) = &self.daemon {
            let pid = rustix::process::Pid::from_child(daemon);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("our child");
        }
        self.reap();
    }

    /// Ends the daemon at once, as a crash would.
    pub fn kill(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            daemon.kill().expect("our child");
        }
        self.reap();
    }

    fn reap(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.wait().expect("our child");
        }
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> Option<PathBuf> {
    ["/usr/sbin/pcscd", "/usr/bin/pcscd"].into_iter().map(PathBuf::from).find(|path| path.exists())
}

fn driver() -> Option<PathBuf> {
    let directory = std::fs::read_dir("/usr/lib/pcsc/drivers/serial").ok()?;
    directory.filter_map(Result::ok).map(|entry| entry.path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libifdvpcd.so"))
    })
}

/// Newer versions ask polkit, which does not run inside the namespaces.
fn knows_polkit(program: &Path) -> bool {
    Command::new(program).arg("--help").output().is_ok_and(|help| {
        let text = [help.stdout, help.stderr].concat();
        String::from_utf8_lossy(&text).contains("--disable-polkit")
    })
}

/// Waits until pcscd has seen this many things that lie somewhere.
pub fn until_present(count: usize) {
    let started = Moment::read().boot;
    loop {
        let context = Context::establish(Scope::User).expect("a running pcscd");
        let slots = context.list_readers_owned().expect("readers");
        let state = |slot| ReaderState::new(slot, State::UNAWARE);
        let mut states: Vec<ReaderState> = slots.into_iter().map(state).collect();
        context.get_status_change(Duration::ZERO, &mut states).expect("the state of the readers");
        let present = |slot: &&ReaderState| slot.event_state().contains(State::PRESENT);
        if states.iter().filter(present).count() == count {
            return;
        }
        assert!(Moment::read().boot.since(started) < START_MAX, "there are never {count}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until pcscd has seen that nothing lies on the n-th reader: it looks every 400 ms.
pub fn until_empty(number: usize) {
    let started = Moment::read().boot;
    while !is_empty(&format!("Virtual Reader {number} ")) {
        assert!(Moment::read().boot.since(started) < START_MAX, "reader {number} is never empty");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_empty(reader: &str) -> bool {
    let context = Context::establish(Scope::User).expect("a running pcscd");
    let mut slots = context.list_readers_owned().expect("readers");
    slots.retain(|slot| slot.to_string_lossy().starts_with(reader));
    let mut states: Vec<ReaderState> =
        slots.into_iter().map(|slot| ReaderState::new(slot, State::UNAWARE)).collect();
    context.get_status_change(Duration::ZERO, &mut states).expect("the state of the reader");
    states.iter().all(|slot| !slot.event_state().contains(State::PRESENT))
}

/// The daemon answers once it accepts on its socket.
fn wait_for_socket() {
    let started = Moment::read().boot;
    while std::os::unix::net::UnixStream::connect("/run/pcscd/pcscd.comm").is_err() {
        assert!(Moment::read().boot.since(started) < START_MAX, "pcscd does not answer");
        std::thread::sleep(Duration::from_millis(5));
    }
}
