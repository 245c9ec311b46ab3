//! The house around the kiosk: X server, D-Bus with BlueZ, pcscd, and the hands and eyes of people.

pub mod puppet;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use wardkeep_model::moment::{BootTime, Moment};

use crate::bluez::private_bus::{DIRECTORY, PrivateBus};
use crate::bluez::{DeviceSpec, FakeBluez};
use crate::house::puppet::{CONFIG, SIMULATED, STATE};
use crate::namespace::skipped;
use crate::readers::pcscd::{PORTS, Pcscd, until_empty};
use crate::readers::vpcd::{Script, VirtualBadge};

/// Names a directory for pictures of the story, for a person to look at.
pub const PICTURES: &str = "WARDKEEP_PICTURES";
/// Where libfprint's virtual reader that knows many fingers listens.
const FINGER: &str = "FP_VIRTUAL_DEVICE_STORAGE";
/// Longest wait for anything on the screen; reached only by a program that is dead.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(40);
/// pcscd looks at its readers every 400 ms.
const TAP: Duration = Duration::from_millis(900);

/// Starts itself again with a system bus of its own, then tells the story.
pub fn enter(tell: fn(&mut House)) {
    if PrivateBus::of_this_process().is_some() {
        return tell(&mut House::build());
    }
    let needed = ["Xvfb", "dbus-daemon"];
    let missing = needed.iter().find(|program| {
        let shown = Command::new(program).arg("-help").output();
        shown.is_err()
    });
    if let Some(reason) = missing.copied().or_else(Pcscd::missing) {
        return skipped("end_to_end", &format!("{reason} is missing"));
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let bus = directory.path().join("bus");
    let status = Command::new(std::env::current_exe().expect("a test knows its own binary"))
        .env(DIRECTORY, directory.path())
        .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", bus.display()))
        .status()
        .expect("this program starts again");
    assert!(status.success(), "the story failed");
}

/// Everything around the kiosk.
pub struct House {
    /// The Bluetooth daemon.
    pub bluez: Arc<FakeBluez>,
    /// A heart rate strap, on nobody yet.
    pub strap: DeviceSpec,
    /// A pulse oximeter, on nobody yet.
    pub clip: DeviceSpec,
    /// The cart's state directory.
    pub state: PathBuf,
    /// The card service, with two readers.
    pub pcscd: Pcscd,
    /// What the daemon's side runs on.
    pub runtime: Runtime,
    /// The screen.
    pub display: Display,
    _bus: PrivateBus,
    /// Everything that is thrown away at the end.
    pub scratch: tempfile::TempDir,
}

impl House {
    fn build() -> Self {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let mut bus = PrivateBus::of_this_process().expect("asked for a moment ago");
        bus.start();
        let runtime = Runtime::new().expect("a runtime");
        let bluez = runtime.block_on(FakeBluez::start());
        let strap = DeviceSpec::heart_rate(1, "Heart strap 07");
        let clip = DeviceSpec::oximeter(2, "Oximeter 21");
        bluez.disconnect_takes(Duration::from_millis(100));
        Self {
            bluez,
            strap,
            clip,
            state: scratch.path().join("state"),
            pcscd: Pcscd::start(),
            runtime,
            display: Display::start(scratch.path()),
            _bus: bus,
            scratch,
        }
    }

    /// Switches the cart on.
    pub fn power_on(&self) -> Kiosk {
        self.start_at(&self.state, false)
    }

    /// Starts a kiosk with these settings, and a fingerprint reader whose socket is there.
    pub fn start_with(&self, state: &Path, config: &Path, finger: &Path) -> Kiosk {
        self.start(state, &[(CONFIG, config.as_os_str()), (FINGER, finger.as_os_str())])
    }

    /// Starts a kiosk on any state directory, on the simulated bedside or on this house's.
    pub fn start_at(&self, state: &Path, simulated: bool) -> Kiosk {
        let simulated = simulated.then_some((SIMULATED, OsStr::new("1")));
        self.start(state, simulated.as_slice())
    }

    fn start(&self, state: &Path, more: &[(&str, &OsStr)]) -> Kiosk {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.scratch.path().join("kiosk.log"))
            .expect("a log file");
        let mut child = Command::new(std::env::current_exe().expect("our own binary"))
            .env(STATE, state)
            .envs(more.iter().copied())
            .env("DISPLAY", &self.display.name)
            .env("SLINT_BACKEND", "winit-software")
            .env("WARDKEEP_LOG", "debug,winit=error,i_slint=error,zbus=error")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the kiosk starts");
        let commands = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Kiosk { child, commands, answers }
    }

    /// What every kiosk has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("kiosk.log")).expect("a log file")
    }

    /// Holds a badge with this number to the reader for a moment.
    pub fn tap(&self, uid: &[u8]) {
        let badge = VirtualBadge::lay(PORTS[0], Script::Uid(uid.to_vec()));
        std::thread::sleep(TAP);
        badge.until_told();
        badge.lift();
        until_empty(0);
    }

    /// Holds the same badge to the reader twice, as for an enrolment.
    pub fn tap_twice(&self, uid: &[u8], between: impl FnOnce()) {
        self.tap(uid);
        between();
        // pcscd has to see that it was taken away.
        std::thread::sleep(TAP);
        self.tap(uid);
    }

    /// One notification of the strap and one of the oximeter.
    pub fn measure(&self, heart_rate: u8, spo2: u8, pulse_rate: u8) {
        let heart = [0x06, heart_rate];
        let oximetry = [0x00, spo2, 0x00, pulse_rate, 0x00];
        self.runtime.block_on(async {
            assert!(self.bluez.notify(self.strap.device, 0x2A37, &heart).await, "strap subscribed");
            assert!(
                self.bluez.notify(self.clip.device, 0x2A5F, &oximetry).await,
                "clip subscribed"
            );
        });
        std::thread::sleep(Duration::from_millis(120));
    }

    /// Somebody listens to both devices.
    pub fn is_heard(&self) -> bool {
        let silent = [0x06_u8, 0];
        self.bluez.is_connected(self.strap.device)
            && self.bluez.is_connected(self.clip.device)
            && self.runtime.block_on(async {
                // Heart rate 0 is never charted, so this asks without leaving a value behind.
                self.bluez.notify(self.strap.device, 0x2A37, &silent).await
                    && self.bluez.notify(self.clip.device, 0x2A5F, &[]).await
            })
    }
}

impl House {
    /// The X server's frame buffer (an XWD file that it keeps current).
    pub fn frame_buffer(&self) -> PathBuf {
        self.scratch.path().join("Xvfb_screen0")
    }

    /// Starts any program on this display.
    pub fn start_program(&self, program: &str, arguments: &[&str]) -> Child {
        Command::new(program)
            .args(arguments)
            .env("DISPLAY", &self.display.name)
            .env("SLINT_BACKEND", "winit-software")
            .stderr(Stdio::null())
            .spawn()
            .expect("a program starts")
    }
}

/// Waits until `holds`, or fails with `what`.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let tries = PATIENCE.as_millis() / POLL.as_millis();
    for _ in 0..tries {
        if holds() {
            return;
        }
        std::thread::sleep(POLL);
    }
    panic!("{what}: not within {PATIENCE:?}");
}

/// A kiosk process and the strings to it.
pub struct Kiosk {
    /// The process.
    pub child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Kiosk {
    /// Pulls one string; the words are those of [`puppet`].
    pub fn ask(&mut self, words: &[&str]) -> Option<String> {
        writeln!(self.commands, "{}", words.join("\t")).expect("the kiosk lives");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the kiosk answers");
        assert!(!line.is_empty(), "the kiosk has died while asked for {words:?}");
        line.trim_end_matches('\n').strip_prefix("ok\t").map(str::to_owned)
    }

    /// Whether a thread of this name has not run for a moment and does not want to.
    pub fn is_asleep(&self, thread: &str) -> bool {
        let before = self.ran(thread);
        std::thread::sleep(Duration::from_millis(10));
        before.is_some() && before == self.ran(thread)
    }

    /// How long the thread has run; `None` while it runs or waits for a processor.
    fn ran(&self, thread: &str) -> Option<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?.flatten();
        let read = |task: &Path, name| std::fs::read_to_string(task.join(name)).ok();
        let mut tasks = tasks.map(|task| task.path());
        let task = tasks.find(|task| read(task, "comm").is_some_and(|it| it.trim() == thread))?;
        // The state comes after the name in brackets.
        let sleeps = read(&task, "stat")?.rsplit_once(") ")?.1.starts_with('S');
        if sleeps { read(&task, "schedstat") } else { None }
    }

    /// The value of the element with this label.
    pub fn value(&mut self, label: &str) -> Option<String> {
        self.ask(&["value", label])
    }

    /// Asks until the answer suits, or fails with a picture of the screen.
    fn until(&mut self, what: &str, words: &[&str], suits: impl Fn(Option<&str>) -> bool) {
        let mut last = None;
        let tries = PATIENCE.as_millis() / POLL.as_millis();
        for _ in 0..tries {
            last = self.ask(words);
            if suits(last.as_deref()) {
                return;
            }
            std::thread::sleep(POLL);
        }
        if let Some(directory) = std::env::var_os(PICTURES) {
            self.picture(&Path::new(&directory).join("failed.png"));
        }
        panic!("{what}: not within {PATIENCE:?}; last {last:?}");
    }

    /// Waits until the element with this label is on the screen.
    pub fn sees(&mut self, label: &str) {
        self.until(&format!("see \"{label}\""), &["value", label], |value| value.is_some());
    }

    /// Waits until the element with this label has this value.
    pub fn shows(&mut self, label: &str, value: &str) {
        let what = format!("\"{label}\" shows \"{value}\"");
        self.until(&what, &["value", label], |shown| shown == Some(value));
    }

    /// Waits until the value of the element with this label begins like this.
    pub fn begins(&mut self, label: &str, start: &str) {
        let what = format!("\"{label}\" begins with \"{start}\"");
        self.until(&what, &["value", label], |shown| {
            shown.is_some_and(|value| value.starts_with(start))
        });
    }

    /// Presses the button or field with this label, once it is there.
    pub fn press(&mut self, label: &str) {
        self.until(&format!("press \"{label}\""), &["press", label], |done| done.is_some());
    }

    /// Holds the button with this label for longer than a second.
    pub fn hold(&mut self, label: &str) {
        self.until(&format!("hold \"{label}\""), &["hold", label], |done| done.is_some());
    }

    /// Presses a field and types into it.
    pub fn fill(&mut self, label: &str, text: &str) {
        self.press(label);
        assert!(self.ask(&["type", text]).is_some(), "typing");
    }

    /// Presses the digits of a PIN on the pad.
    pub fn pin(&mut self, digits: &str) {
        for digit in digits.chars() {
            self.press(&format!("Digit {digit}"));
        }
    }

    /// Saves what is on the screen, for a person to look at.
    pub fn picture(&mut self, path: &Path) {
        let path = path.to_str().expect("a path in plain letters");
        assert!(self.ask(&["picture", path]).is_some(), "a picture");
    }

    /// Ends the program in order.
    pub fn end(mut self) {
        assert!(self.ask(&["quit"]).is_some(), "quitting");
        let status = self.child.wait().expect("our own child");
        assert!(status.success(), "the kiosk ended with {status}");
    }

    /// Somebody asks its window to close.
    pub fn asked_to_close(&mut self) {
        assert!(self.ask(&["close"]).is_some(), "asking");
    }

    /// The display is gone: it has to end in a way that gets it started again.
    pub fn loses_its_screen(mut self) {
        assert!(self.ask(&["lose-screen"]).is_some(), "losing");
        let status = self.child.wait().expect("our own child");
        assert!(!status.success(), "whoever keeps it running would leave it ended: {status}");
    }

    /// Cuts the power.
    pub fn cut(mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }
}

/// What is measured rather than told.
impl Kiosk {
    /// Presses the button with this label and says when the finger touched it.
    pub fn press_at(&mut self, label: &str) -> Moment {
        self.press(label);
        let answered = self.ask(&["pressed"]).expect("something was pressed");
        let since_boot = Duration::from_nanos(answered.parse().expect("nanoseconds"));
        Moment { boot: BootTime(since_boot), ..Moment::read() }
    }

    /// The process, for its figures.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Taps a badge on the simulated bedside: that of `it` or of the `nurse`.
    pub fn tap_simulated(&mut self, whose: &str) {
        assert!(self.ask(&["tap", whose]).is_some(), "a simulated bedside");
    }

    /// Asks without pause until the element with this label is on the screen.
    pub fn sees_at_once(&mut self, label: &str) {
        let begun = Moment::read();
        while self.value(label).is_none() {
            let waited = Moment::read().boot.since(begun.boot);
            assert!(waited < PATIENCE, "{label} did not come");
        }
    }
}

/// An X server without a screen.
pub struct Display {
    server: Child,
    /// What X clients call it.
    pub name: String,
}

impl Display {
    fn start(scratch: &Path) -> Self {
        let number = scratch.join("display");
        let file = std::fs::File::create(&number).expect("a file");
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .arg("-fbdir")
            .arg(scratch)
            .stdout(file)
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut name = String::new();
        until("an X display", || {
            name = std::fs::read_to_string(&number).expect("our own file");
            name.ends_with('\n')
        });
        Self { server, name: format!(":{}", name.trim()) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if self.server.kill().is_ok() {
            self.server.wait().expect("our own child");
        }
    }
}
