//! Progress of what lasts longer than a moment, on standard error: a line when it begins, and where
//! there is something to count, a line at most once a second.
//!
//! S-10: lines carry counts and names of steps, nothing of patients and nothing secret.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
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

/// Says that something lasting begins, and once a second while it is done for how long it has gone on.
pub fn lasting<T>(what: &str, work: impl FnOnce() -> T) -> T {
    begins(what);
    meanwhile(|seconds| format!("{seconds} s."), work)
}

/// Says for how long something has gone on, once a second, and nothing of what is done at once.
pub fn waiting<T>(what: &str, work: impl FnOnce() -> T) -> T {
    meanwhile(|seconds| format!("{what}: {seconds} s."), work)
}

/// Says that something lasting begins that writes `about` so many bytes, and once a second while it is done
/// how many were written. What it writes is the program's, as the kernel counts it (proc(5), `wchar`): the
/// database copies itself in one call that tells nothing.
pub fn writing<T>(what: &str, about: u64, work: impl FnOnce() -> T) -> T {
    let before = bytes_written();
    let line = move |seconds| {
        let written = before.and_then(|before| Some(bytes_written()?.saturating_sub(before)));
        how_far(written, about, seconds)
    };
    begins(what);
    meanwhile(line, work)
}

fn meanwhile<T>(line: impl Fn(u64) -> String + Send, work: impl FnOnce() -> T) -> T {
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut seconds = 0;
            while end.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                seconds += 1;
                terminal::complain(&line(seconds));
            }
        });
        let done = work();
        drop(ended);
        done
    })
}

/// Says that something lasting begins that reads `about` so many bytes and looks at one thing after the other,
/// and once a second while it is done how far it is. What it reads is the program's, as the kernel counts it
/// (proc(5), `rchar`).
pub fn reading<T>(
    what: &str,
    about: u64,
    work: impl FnOnce(&mut dyn FnMut(&'static str)) -> T,
) -> T {
    let (before, looked) = (bytes("rchar: "), Mutex::new(""));
    let line = |_| {
        let read = before.and_then(|before| Some(bytes("rchar: ")?.saturating_sub(before)));
        let name = *looked.lock().unwrap_or_else(PoisonError::into_inner);
        percent(read, about, name)
    };
    let looks = &looked;
    begins(what);
    meanwhile(line, move || {
        work(&mut |name| *looks.lock().unwrap_or_else(PoisonError::into_inner) = name)
    })
}

/// Nearly done is never called done.
fn percent(read: Option<u64>, about: u64, name: &str) -> String {
    match read {
        Some(read) => {
            let percent = u128::from(read) * 100 / u128::from(about.max(1));
            format!("{} %, looking at: {name}.", percent.min(99))
        }
        None => format!("Looking at: {name}."),
    }
}

fn how_far(written: Option<u64>, about: u64, seconds: u64) -> String {
    match written {
        Some(written) => {
            let (written, about) = (written / MIB, about.div_ceil(MIB));
            format!("{written} of about {} MiB written, {seconds} s.", about.max(written))
        }
        None => format!("{seconds} s."),
    }
}

fn bytes_written() -> Option<u64> {
    bytes("wchar: ")
}

/// None where the kernel does not count, or does not say.
fn bytes(which: &str) -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix(which)?.parse().ok())
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
    fn what_is_written_is_counted() {
        let before = bytes_written().unwrap();
        let done =
            writing("Test", 3 * MIB, || std::fs::write("/dev/null", vec![0; 3_000_000]).is_ok());
        assert!(done && bytes_written().unwrap() - before >= 3_000_000);
        assert_eq!(how_far(Some(5 * MIB), 12 * MIB + 1, 3), "5 of about 13 MiB written, 3 s.");
        assert_eq!(how_far(Some(15 * MIB), 12 * MIB, 4), "15 of about 15 MiB written, 4 s.");
        assert_eq!(how_far(None, 12 * MIB, 4), "4 s.");
    }

    #[test]
    fn how_much_was_read_is_told_in_percent_and_never_as_all() {
        let mut looks = Vec::new();
        let done = reading("Test", 1, |look| {
            look("pages");
            looks.push("pages");
            7
        });
        assert_eq!((done, looks.len()), (7, 1));
        assert_eq!(percent(Some(30), 120, "pages"), "25 %, looking at: pages.");
        assert_eq!(percent(Some(500), 120, "pages"), "99 %, looking at: pages.");
        assert_eq!(percent(None, 120, "pages"), "Looking at: pages.");
        assert!(bytes("rchar: ").is_some());
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
