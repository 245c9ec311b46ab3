//! Progress of what lasts longer than a moment, on standard error: a line when it begins, and where
//! there is something to count, a line at most once a second.
//!
//! S-10: lines carry counts and names of steps, nothing of patients and nothing secret.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use crate::ctl::terminal;
use wardkeep_model::moment::{BootTime, Moment};

/// Time between two lines.
const PAUSE: Duration = Duration::from_secs(1);
const MIB: u64 = 1024 * 1024;

/// Says that something lasting begins, of which nothing can be counted.
pub fn begins(what: &str) {
    terminal::complain(&format!("{what} ..."));
}

/// Something that lasts and can be counted.
pub struct Progress {
    told: BootTime,
}

impl Progress {
    /// Says that it begins.
    pub fn begin(what: &str) -> Self {
        begins(what);
        Self { told: Moment::read().boot }
    }

    /// Says how far it is, unless it said something less than a second ago.
    pub fn tell(&mut self, how_far: impl FnOnce() -> String) {
        if self.is_due(Moment::read().boot) {
            terminal::complain(&how_far());
        }
    }

    fn is_due(&mut self, now: BootTime) -> bool {
        let due = now.since(self.told) >= PAUSE;
        if due {
            self.told = now;
        }
        due
    }
}

/// A file that says how much of it was read.
pub struct Counted<R> {
    input: R,
    progress: Progress,
    read: u64,
    length: u64,
}

impl<R: BufRead> Counted<R> {
    /// Counts what is read of `input`, which has `length` bytes.
    pub fn new(input: R, progress: Progress, length: u64) -> Self {
        Self { input, progress, read: 0, length }
    }

    fn count(&mut self, bytes: usize) {
        self.read = self.read.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let (read, length) = (self.read / MIB, self.length.div_ceil(MIB));
        self.progress.tell(|| format!("{read} of {length} MiB."));
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.count(bytes);
        Ok(bytes)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.input.consume(amount);
        self.count(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_at_most_once_a_second() {
        let begun = BootTime(Duration::from_secs(100));
        let mut progress = Progress { told: begun };
        let due: Vec<u64> = (0..4000)
            .step_by(50)
            .filter(|ms| progress.is_due(begun + Duration::from_millis(*ms)))
            .collect();
        assert_eq!(due, [1000, 2000, 3000]);
    }

    #[test]
    fn what_is_read_is_counted_and_not_changed() {
        let progress = Progress { told: Moment::read().boot };
        let mut counted = Counted::new(&b"one\ntwo\nthree"[..], progress, 13);
        let (mut line, mut rest) = (String::new(), String::new());
        counted.read_line(&mut line).unwrap();
        counted.read_to_string(&mut rest).unwrap();
        assert_eq!((line.as_str(), rest.as_str(), counted.read), ("one\n", "two\nthree", 13));
    }
}
