//! Takes a log's file apart, line by line, without judging more than its grammar.
//!
//! One reader is at the entries and one at the checkpoints behind them, so that neither has to be held.

use std::io::{self, BufRead, Read};

use crate::log::checkpoint::{NOTE_LEN_MAX, Note, NoteError, VerifierKey};
use crate::log::file::parts::{Head, LogRow, Parts};
use crate::log::file::{END, KEYS_MAX, TITLE};
use crate::record::audit_line;

const DASH: &[u8] = "\u{2014} ".as_bytes();
/// Longest line that is held: a hash in base64, a space, and an entry.
const LINE_MAX: usize = 44 + 1 + audit_line::LINE_LEN_MAX;

/// Why there is nothing to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFile {
    /// It ends too early.
    Short,
    /// It is something else.
    Other,
}

/// Why its head was not read.
enum Stop {
    Io(io::Error),
    NoFile(NoFile),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Io(error)
    }
}

/// What is known of the line that comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ahead {
    Unread,
    /// It is held.
    Whole,
    /// It is longer than is held.
    Long,
    /// There is none, or only a part of one.
    End {
        has_part: bool,
    },
}

struct Lines<R> {
    input: R,
    line: Vec<u8>,
    ahead: Ahead,
    /// Bytes read, the line that comes next included.
    read: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        Self { input, line: Vec::new(), ahead: Ahead::Unread, read: 0 }
    }

    /// The line that comes next, if it is whole; of one that is too long its beginning.
    fn peek(&mut self) -> io::Result<Option<&[u8]>> {
        if self.ahead == Ahead::Unread {
            self.line.clear();
            let most = u64::try_from(LINE_MAX + 1).unwrap_or(u64::MAX);
            let mut read = self.input.by_ref().take(most).read_until(b'\n', &mut self.line)?;
            self.ahead = if self.line.ends_with(b"\n") {
                self.line.pop();
                Ahead::Whole
            } else if self.line.len() > LINE_MAX {
                read = read.saturating_add(self.input.skip_until(b'\n')?);
                Ahead::Long
            } else {
                Ahead::End { has_part: read > 0 }
            };
            self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        Ok(match self.ahead {
            Ahead::Unread | Ahead::End { .. } => None,
            Ahead::Whole | Ahead::Long => Some(&self.line),
        })
    }

    /// Goes on to the line after the one that was looked at.
    fn step(&mut self) {
        self.ahead = Ahead::Unread;
    }

    fn skip(&mut self, wanted: &[u8]) -> io::Result<bool> {
        let there = self.peek()? == Some(wanted);
        if there {
            self.step();
        }
        Ok(there)
    }

    /// Whether nothing follows, not even a part of a line.
    fn is_over(&mut self) -> io::Result<bool> {
        self.peek()?;
        Ok(self.ahead == Ahead::End { has_part: false })
    }

    /// Whether the entries have ended.
    fn are_rows_over(&mut self) -> io::Result<bool> {
        Ok(self.peek()?.is_none_or(|line| line.is_empty() || line == END.as_bytes()))
    }

    /// A line of the head.
    fn text(&mut self) -> Result<String, Stop> {
        if self.peek()?.is_none() {
            let is_nothing = self.read == 0;
            return Err(Stop::NoFile(if is_nothing { NoFile::Other } else { NoFile::Short }));
        }
        if self.ahead == Ahead::Long {
            return Err(Stop::NoFile(NoFile::Other));
        }
        self.step();
        let text = str::from_utf8(&self.line).map_err(|_| Stop::NoFile(NoFile::Other))?;
        Ok(text.to_owned())
    }

    fn head(&mut self) -> Result<Head, Stop> {
        let other = || Stop::NoFile(NoFile::Other);
        if self.text()? != TITLE {
            return Err(other());
        }
        let origin = self.text()?.strip_prefix("origin ").ok_or_else(other)?.to_owned();
        let mut keys: Vec<VerifierKey> = Vec::new();
        let mut line = self.text()?;
        while let Some(key) = line.strip_prefix("key ").filter(|_| keys.len() < KEYS_MAX) {
            keys.push(key.parse().map_err(|_| other())?);
            line = self.text()?;
        }
        let entries = counted(&line, "entries ").ok_or_else(other)?;
        let checkpoints = counted(&self.text()?, "checkpoints ").ok_or_else(other)?;
        if keys.is_empty() || !self.text()?.is_empty() {
            return Err(other());
        }
        Ok(Head { origin, keys, stated: Some((entries, checkpoints)) })
    }

    /// A checkpoint and the empty line after it. Where its signatures are gone, what follows is found all
    /// the same.
    fn note(&mut self) -> io::Result<Result<Note, NoteError>> {
        let mut text = Vec::new();
        self.take(&mut text);
        for _ in 0..2 {
            if self.peek()?.is_some_and(|line| !line.is_empty()) {
                self.take(&mut text);
            }
        }
        if self.peek()?.is_some_and(<[u8]>::is_empty) {
            self.take(&mut text);
        }
        let mut is_signed = false;
        while self.peek()?.is_some_and(|line| line.starts_with(DASH)) {
            self.take(&mut text);
            is_signed = true;
        }
        let is_closed = self.skip(b"")?;
        let Ok(text) = String::from_utf8(text) else { return Ok(Err(NoteError::Text)) };
        Ok(match Note::parse(&text) {
            Ok(note) if is_closed || !is_signed => Ok(note),
            Ok(_) => Err(NoteError::Text),
            Err(error) => Err(error),
        })
    }

    /// Takes the line that was looked at; of a checkpoint that is too long no more than shows it.
    fn take(&mut self, text: &mut Vec<u8>) {
        if text.len() <= NOTE_LEN_MAX {
            text.extend_from_slice(&self.line);
            text.push(b'\n');
        }
        self.step();
    }
}

/// A number in the one way of writing it.
fn counted(line: &str, what: &str) -> Option<u64> {
    let digits = line.strip_prefix(what)?;
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

/// A file, behind its head.
pub struct FileParts<R> {
    rows: Lines<R>,
    notes: Lines<R>,
    /// Bytes before the end of the entries, as the reader of the checkpoints found it.
    rows_len: u64,
    is_divided: bool,
    is_ended: bool,
}

/// Opens a file with two readers of the same bytes.
///
/// # Errors
/// As reading.
pub fn open<R: BufRead>(
    mut reader: impl FnMut() -> io::Result<R>,
) -> io::Result<Result<(Head, FileParts<R>), NoFile>> {
    let mut rows = Lines::new(reader()?);
    let head = match rows.head() {
        Ok(head) => head,
        Err(Stop::Io(error)) => return Err(error),
        Err(Stop::NoFile(why)) => return Ok(Err(why)),
    };
    let mut notes = Lines::new(reader()?);
    while notes.peek()?.is_some_and(|line| !line.is_empty()) {
        notes.step();
    }
    notes.skip(b"")?;
    while !notes.are_rows_over()? {
        notes.step();
    }
    let rows_len = notes.read;
    let is_divided = notes.skip(b"")?;
    Ok(Ok((head, FileParts { rows, notes, rows_len, is_divided, is_ended: false })))
}

impl<R: BufRead> Parts for FileParts<R> {
    type Error = io::Error;

    fn row(&mut self) -> io::Result<Option<LogRow<'_>>> {
        if self.rows.are_rows_over()? {
            return Ok(None);
        }
        let is_long = self.rows.ahead == Ahead::Long;
        self.rows.step();
        if is_long {
            return Ok(Some(LogRow { hash: None, line: None }));
        }
        let line = &self.rows.line;
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (hash, entry) = line.split_at(space);
        let line = Some(entry.strip_prefix(b" ").unwrap_or_default());
        Ok(Some(LogRow { hash: Some(hash), line }))
    }

    fn note(&mut self) -> io::Result<Option<Result<Note, NoteError>>> {
        if self.notes.peek()?.is_some_and(|line| line != END.as_bytes()) {
            return self.notes.note().map(Some);
        }
        self.is_ended |= self.notes.skip(END.as_bytes())? && self.notes.is_over()?;
        Ok(None)
    }

    fn is_whole(&self) -> bool {
        // A file that changes while it is read may show the two readers different entries.
        self.is_divided && self.is_ended && self.rows.read == self.rows_len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go's example of a verifier key.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn no_more_is_held_than_a_line_may_have() {
        let longest = "x".repeat(LINE_MAX);
        for (length, ahead) in [(LINE_MAX, Ahead::Whole), (LINE_MAX + 1, Ahead::Long)] {
            let text = format!("{}\nnext\n", "x".repeat(length));
            let mut lines = Lines::new(text.as_bytes());
            assert!(lines.peek().unwrap().unwrap().starts_with(longest.as_bytes()));
            assert!(lines.ahead == ahead, "{length}");
            lines.step();
            assert_eq!(lines.peek().unwrap(), Some(&b"next"[..]), "{length}");
        }
        let mut lines = Lines::new(io::BufReader::new(io::repeat(b'x').take(1 << 26)));
        lines.peek().unwrap();
        assert!(lines.line.capacity() < 4 * LINE_MAX, "{}", lines.line.capacity());
    }

    #[test]
    fn no_more_is_held_than_a_checkpoint_may_have() {
        let mut lines = Lines::new(io::BufReader::new(io::repeat(b'\n')));
        let mut text = Vec::new();
        for _ in 0..10 * NOTE_LEN_MAX {
            lines.peek().unwrap();
            lines.take(&mut text);
        }
        assert!(text.len() <= NOTE_LEN_MAX + LINE_MAX + 1, "{}", text.len());
    }

    #[test]
    fn no_more_keys_are_held_than_a_log_may_have() {
        let head = |keys: usize| {
            let keys = format!("key {KEY}\n").repeat(keys);
            let text = format!("{TITLE}\norigin x\n{keys}entries 0\ncheckpoints 0\n\n");
            Lines::new(text.as_bytes()).head().map(|head| head.keys.len()).ok()
        };
        assert_eq!((head(KEYS_MAX), head(KEYS_MAX + 1)), (Some(KEYS_MAX), None));
    }
}
