//! An X server, and a kiosk on the simulated bedside that is pressed by accessible label.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use wardkeep_model::moment::Moment;

use crate::search::{Hit, found};
use kit::house::puppet::{SIMULATED, STATE};

/// Longest wait for anything on the screen; reached only by a program that is dead.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(40);

/// An X server without a screen.
pub struct Display {
    server: Child,
    name: String,
}

impl Display {
    pub fn start() -> std::io::Result<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut name = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut name)?;
        Ok(Self { server, name: format!(":{}", name.trim()) })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if self.server.kill().is_ok() {
            self.server.wait().expect("our own child");
        }
    }
}

/// A kiosk process and the strings to it.
pub struct Kiosk {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    _state: tempfile::TempDir,
}

impl Kiosk {
    pub fn start(display: &Display) -> Self {
        let state = tempfile::tempdir().expect("a temporary directory");
        let mut child = Command::new(std::env::current_exe().expect("our own binary"))
            .env(STATE, state.path())
            .env(SIMULATED, "1")
            .env("DISPLAY", &display.name)
            .env("SLINT_BACKEND", "winit-software")
            .env("WARDKEEP_LOG", "warn,winit=error,i_slint=error")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the kiosk starts");
        let commands = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, commands, answers, _state: state }
    }

    fn ask(&mut self, words: &[&str]) -> Option<String> {
        writeln!(self.commands, "{}", words.join("\t")).expect("the kiosk lives");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the kiosk answers");
        assert!(!line.is_empty(), "the kiosk has died while asked for {words:?}");
        line.trim_end_matches('\n').strip_prefix("ok\t").map(str::to_owned)
    }

    fn until(&mut self, words: &[&str]) {
        let tries = PATIENCE.as_millis() / POLL.as_millis();
        for _ in 0..tries {
            if self.ask(words).is_some() {
                return;
            }
            std::thread::sleep(POLL);
        }
        panic!("{words:?}: not within {PATIENCE:?}");
    }

    /// Waits until the element with this label is on the screen.
    pub fn sees(&mut self, label: &str) {
        self.until(&["value", label]);
    }

    /// Presses the button or field with this label, once it is there.
    pub fn press(&mut self, label: &str) {
        self.until(&["press", label]);
    }

    /// Holds the button with this label for longer than a second.
    pub fn hold(&mut self, label: &str) {
        self.until(&["hold", label]);
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

    /// Taps a badge on the simulated bedside.
    pub fn tap(&mut self, whose: &str) {
        assert!(self.ask(&["tap", whose]).is_some(), "tapping");
    }

    /// Fills the puppet's buffer of its strings with nothing.
    pub fn flush_strings(&mut self) {
        let filler = "x".repeat(20_000);
        assert!(self.ask(&["value", &filler]).is_none());
    }

    /// Waits until the program has nothing left to do: for some looks in a row no thread of it runs or
    /// wants to. One that always has something to do is waited for no longer.
    pub fn rest(&self) {
        let since = Moment::read().boot;
        let mut asleep = 0;
        while asleep < 8 && Moment::read().boot.since(since) < PATIENCE {
            std::thread::sleep(POLL);
            asleep = if self.is_asleep() { asleep + 1 } else { 0 };
        }
    }

    fn is_asleep(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let tasks = tasks.expect("our own child").flatten();
        // A thread may end meanwhile.
        let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
        // The state comes after the name in brackets.
        let mut states = stats.filter_map(|stat| stat.rsplit_once(") ")?.1.chars().next());
        states.all(|state| state != 'R')
    }

    /// What is found in the kiosk's memory.
    pub fn search(&self, needles: &[&str]) -> Vec<Hit> {
        found(self.child.id(), needles)
    }

    /// Ends the program in order.
    pub fn end(mut self) {
        assert!(self.ask(&["quit"]).is_some(), "quitting");
        let mut rest = String::new();
        self.answers.read_to_string(&mut rest).expect("the end");
        assert!(self.child.wait().expect("our own child").success());
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) && self.child.kill().is_ok() {
            self.child.wait().expect("our own child");
        }
    }
}
