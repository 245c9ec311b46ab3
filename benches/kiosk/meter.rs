//! What the bench reads besides accessible labels: pixels, presses and the process itself.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use wardkeep_model::moment::Moment;

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
