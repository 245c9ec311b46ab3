//! Takes a log's file apart, without judging more than its grammar.

use crate::log::checkpoint::{Note, NoteError, VerifierKey};
use crate::log::file::{END, TITLE};

const DASH: &[u8] = "\u{2014} ".as_bytes();

/// What stands in the file.
pub struct LogFile<'a> {
    /// Which log.
    pub origin: String,
    /// Every key that signed, the first one first.
    pub keys: Vec<VerifierKey>,
    /// How many entries there should be.
    pub entries: u64,
    /// How many checkpoints there should be.
    pub checkpoints: u64,
    /// Hash and line of each entry, as far as they are there.
    pub rows: Vec<(&'a [u8], &'a [u8])>,
    /// Its checkpoints.
    pub notes: Vec<Result<Note, NoteError>>,
    /// The last line is there, and nothing else stands where nothing should.
    pub ended: bool,
}

/// Why there is nothing to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFile {
    /// It ends too early.
    Short,
    /// It is something else.
    Other,
}

struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    /// The line that comes next, if it is whole.
    fn peek(&self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        self.rest.get(..end)
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.peek()?;
        self.rest = self.rest.get(line.len() + 1..)?;
        Some(line)
    }

    fn text(&mut self) -> Result<&'a str, NoFile> {
        std::str::from_utf8(self.next().ok_or(NoFile::Short)?).map_err(|_| NoFile::Other)
    }

    fn skip(&mut self, wanted: &[u8]) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.next();
        }
        there
    }
}

/// Takes a file apart.
pub fn read(file: &[u8]) -> Result<LogFile<'_>, NoFile> {
    let mut lines = Lines { rest: file };
    if lines.text()? != TITLE {
        return Err(NoFile::Other);
    }
    let origin = lines.text()?.strip_prefix("origin ").ok_or(NoFile::Other)?.to_owned();
    let mut keys = Vec::new();
    let mut line = lines.text()?;
    while let Some(key) = line.strip_prefix("key ") {
        keys.push(key.parse().map_err(|_| NoFile::Other)?);
        line = lines.text()?;
    }
    let entries = counted(line, "entries ")?;
    let checkpoints = counted(lines.text()?, "checkpoints ")?;
    if keys.is_empty() || !lines.text()?.is_empty() {
        return Err(NoFile::Other);
    }
    let mut rows = Vec::new();
    while let Some(line) = lines.peek().filter(|line| !line.is_empty() && *line != END.as_bytes()) {
        let space = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (hash, entry) = line.split_at(space);
        rows.push((hash, entry.strip_prefix(b" ").unwrap_or_default()));
        lines.next();
    }
    let divided = lines.skip(b"");
    let mut notes = Vec::new();
    while let Some(line) = lines.peek().filter(|line| *line != END.as_bytes()) {
        notes.push(note(&mut lines, line));
    }
    let ended = divided && lines.skip(END.as_bytes()) && lines.rest.is_empty();
    Ok(LogFile { origin, keys, entries, checkpoints, rows, notes, ended })
}

/// A number in the one way of writing it.
fn counted(line: &str, what: &str) -> Result<u64, NoFile> {
    let digits = line.strip_prefix(what).ok_or(NoFile::Other)?;
    let number: u64 = digits.parse().map_err(|_| NoFile::Other)?;
    if number.to_string() == digits { Ok(number) } else { Err(NoFile::Other) }
}

/// A checkpoint and the empty line after it. Where its signatures are gone, what follows is found all
/// the same.
fn note(lines: &mut Lines<'_>, first: &[u8]) -> Result<Note, NoteError> {
    let mut text = Vec::new();
    let mut take = |line: &[u8], lines: &mut Lines<'_>| {
        text.extend_from_slice(line);
        text.push(b'\n');
        lines.next();
    };
    take(first, lines);
    for _ in 0..2 {
        if let Some(line) = lines.peek().filter(|line| !line.is_empty()) {
            take(line, lines);
        }
    }
    if let Some(blank) = lines.peek().filter(|line| line.is_empty()) {
        take(blank, lines);
    }
    let mut signed = false;
    while let Some(line) = lines.peek().filter(|line| line.starts_with(DASH)) {
        take(line, lines);
        signed = true;
    }
    let closed = lines.skip(b"");
    let text = String::from_utf8(text).map_err(|_| NoteError::Text)?;
    let note = Note::parse(&text)?;
    if closed || !signed { Ok(note) } else { Err(NoteError::Text) }
}
