//! Somebody who starts Wardkeep for the first time, with both windows before them.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use wardkeep_model::moment::Moment;

use crate::puppet::PUPPET;

/// Far longer than anything takes, on a machine that is busy with other tests as well.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(40);

pub struct Newcomer {
    program: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    started: Moment,
    temporary: tempfile::TempDir,
}

/// Waits until `holds`, or fails with `what`.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Moment::read();
    while !holds() {
        assert!(Moment::read().boot.since(begun.boot) < PATIENCE, "{what}: not in {PATIENCE:?}");
        std::thread::sleep(POLL);
    }
}

impl Newcomer {
    /// Starts the program with these words more, and a folder for temporary files of its own.
    pub fn arrives(words: &[&str]) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let started = Moment::read();
        let mut program = Command::new(std::env::current_exe().expect("our own binary"))
            .args(["--simulate", "--windowed"])
            .args(words)
            .env(PUPPET, "1")
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let commands = program.stdin.take().expect("piped");
        let answers = BufReader::new(program.stdout.take().expect("piped"));
        Self { program, commands, answers, started, temporary }
    }

    fn ask(&mut self, words: &[&str]) -> Option<String> {
        writeln!(self.commands, "{}", words.join("\t")).expect("the program lives");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the program answers");
        assert!(!line.is_empty(), "the program has died while asked for {words:?}");
        line.trim_end_matches('\n').strip_prefix("ok\t").map(str::to_owned)
    }

    pub fn value(&mut self, window: &str, label: &str) -> Option<String> {
        self.ask(&["value", window, label])
    }

    pub fn texts(&mut self, window: &str) -> String {
        self.ask(&["texts", window]).expect("texts are always told")
    }

    pub fn sees(&mut self, window: &str, label: &str) {
        until(&format!("see {label:?}"), || self.value(window, label).is_some());
    }

    pub fn shows(&mut self, window: &str, label: &str, value: &str) {
        let mut last = None;
        let begun = Moment::read();
        while last.as_deref() != Some(value) {
            let waited = Moment::read().boot.since(begun.boot);
            assert!(waited < PATIENCE, "{label:?} shows {value:?}: last {last:?}");
            std::thread::sleep(POLL);
            last = self.value(window, label);
        }
    }

    pub fn press(&mut self, window: &str, label: &str) {
        until(&format!("press {label:?}"), || self.ask(&["press", window, label]).is_some());
    }

    /// Presses what makes the program start again.
    pub fn leaves_by(&mut self, window: &str, label: &str) {
        self.sees(window, label);
        self.ask(&["leave", window, label]);
        std::thread::sleep(Duration::from_millis(500));
    }

    /// On the pad that is asked for after a badge.
    pub fn type_pin(&mut self, pin: &str) {
        self.sees("kiosk", "Enter your PIN");
        for digit in pin.chars() {
            self.press("kiosk", &format!("Digit {digit}"));
        }
        self.press("kiosk", "Unlock");
    }

    /// What stands on somebody's badge on the bench.
    pub fn pin_on_the_badge_of(&mut self, name: &str) -> Option<String> {
        let texts = self.texts("bench");
        let (_, after) = texts.split_once(&format!("|{name}|")).expect("the name is on the bench");
        // Up to the button that stands beside the badge.
        let badge = after.split("Tap the badge").next().unwrap_or_default();
        badge.split('|').find_map(|text| text.strip_prefix("PIN ")).map(str::to_owned)
    }

    /// One tap and the PIN from the bench.
    pub fn unlocks_as(&mut self, name: &str) {
        let pin = self.pin_on_the_badge_of(name).expect("a PIN on the badge");
        // A badge that was tapped a moment ago is still at the reader.
        until("the badge is taken", || {
            self.press("bench", &format!("Tap the badge of {name}"));
            std::thread::sleep(POLL * 10);
            self.value("kiosk", "Enter your PIN").is_some()
        });
        self.type_pin(&pin);
        self.sees("kiosk", "Operator");
    }

    /// Directories of wards in the folder for temporary files.
    pub fn wards(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.temporary.path()).expect("our own folder");
        let mut found: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        found.retain(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wardkeep-"))
        });
        found
    }

    #[expect(clippy::print_stdout, reason = "a figure for people")]
    pub fn tells_how_long(&self, what: &str) {
        println!(
            "{what}: {:.1} s after the start",
            Moment::read().boot.since(self.started.boot).as_secs_f64()
        );
    }

    /// Ends the program as the session does.
    pub fn ends(&mut self) {
        let process = rustix::process::Pid::from_child(&self.program);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("our child");
        let status = self.program.wait().expect("our own child");
        assert!(status.success(), "the program ended with {status}");
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        // After a failure it still runs; otherwise there is nothing to end.
        if let Ok(None) = self.program.try_wait()
            && self.program.kill().is_ok()
        {
            self.program.wait().expect("our own child");
        }
    }
}
