//! What the bench reads besides accessible labels: pixels, presses and the process itself.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wardkeep_model::moment::{BootTime, Moment};

use crate::house::{House, Kiosk};

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
            assert!(waited < Duration::from_secs(20), "{label} did not come");
        }
    }
}

/// The X server's picture.
pub struct Screen {
    file: File,
    start: u64,
    /// Bytes of a row.
    pub stride: usize,
}

impl Screen {
    /// Opens the frame buffer that Xvfb keeps at `path`.
    pub fn open(path: &Path) -> Self {
        let file = File::open(path).expect("Xvfb keeps its frame buffer there");
        let mut header = [0_u8; 100];
        file.read_exact_at(&mut header, 0).expect("an XWD header");
        let word = |at: usize| {
            let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            u32::from_be_bytes(bytes.expect("inside the header"))
        };
        // XWDFile.h: header_size, ..., bytes_per_line at 12, ncolors at 19; a colour has 12 bytes.
        let start = u64::from(word(0)) + u64::from(word(76)) * 12;
        Self { file, start, stride: word(48) as usize }
    }

    /// Rows `from..to` as they are now.
    pub fn rows(&self, from: usize, to: usize) -> Vec<u8> {
        let mut rows = vec![0; (to - from) * self.stride];
        let at = self.start + (from * self.stride) as u64;
        self.file.read_exact_at(&mut rows, at).expect("the picture");
        rows
    }

    /// Any pixel has this colour.
    pub fn holds(&self, colour: [u8; 3]) -> bool {
        self.rows(0, 800).chunks_exact(4).any(|pixel| pixel.starts_with(&colour))
    }

    /// Time from `since` until `seen`, looked at without pause.
    pub fn time(&self, since: Moment, seen: impl Fn(&Self) -> bool) -> Duration {
        loop {
            if seen(self) {
                return Moment::read().boot.since(since.boot);
            }
            let waited = Moment::read().boot.since(since.boot);
            assert!(waited < Duration::from_secs(20), "nothing came on the screen");
        }
    }
}
