//! Text that somebody else's program wrote: one reader for settings, lists, logs and frames.
//!
//! | what comes | what is read |
//! |---|---|
//! | a byte order mark | nothing; it tells UTF-8 from UTF-16, as PowerShell and spreadsheets write it |
//! | lines that end with CR LF, or with CR alone | lines; no line is counted twice |
//! | bytes that are no UTF-8, and none of which could be | Windows-1252, as spreadsheets on Windows write it |
//! | bytes that are partly UTF-8 | UTF-8, with U+FFFD for the rest: whoever reads it names the line |

mod manner;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

pub use manner::{Manner, Plain, Written};

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there, or this account may not read it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A directory, a device or a pipe.
    #[error("it is no file")]
    NoFile,
    /// It is longer than anything that is read here.
    #[error("it is larger than {} KiB", .0 / 1024)]
    TooLarge(u64),
}

/// Opens a file, and nothing that has to be waited for.
///
/// # Errors
/// It cannot be opened, or is no file.
pub fn file_of(path: &Path) -> Result<File, FileError> {
    // A pipe without a writer would be waited for.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(FileError::NoFile) }
}

/// A reader of a file from its start, of which there may be several at a time.
pub struct FromStart<'a> {
    file: &'a File,
    at: u64,
}

impl<'a> FromStart<'a> {
    /// Of this file.
    pub fn of(file: &'a File) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// The bytes of a file of at most `max` bytes. It never waits for somebody to write.
///
/// # Errors
/// See [`FileError`].
pub fn bytes_of(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let file = file_of(path)?;
    let mut content = Vec::new();
    // One byte more than allowed tells a whole file from the beginning of a larger one.
    file.take(max + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len()).is_ok_and(|length| length <= max) {
        Ok(content)
    } else {
        Err(FileError::TooLarge(max))
    }
}

/// A text, in UTF-8, whose lines end with a line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    text: String,
    manner: Manner,
}

impl Text {
    /// Reads any bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let read = || -> io::Result<Self> {
            let (manner, mut text) = (Manner::of(bytes)?, String::new());
            Plain::new(bytes, &manner).read_to_string(&mut text)?;
            Ok(Self { text, manner })
        };
        read().expect("reading memory does not fail, and what was decoded is UTF-8")
    }

    /// What stands there.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it was written.
    pub fn written(&self) -> Written {
        self.manner.written
    }

    /// What is not as a program of ours would have written it, for a sentence; `None` if nothing is.
    pub fn changes(&self) -> Option<String> {
        self.manner.changes()
    }
}

/// The lines of a stream, one at a time, by the same rules. UTF-16 and Windows-1252 need the whole text, and
/// are not recognised here.
pub struct Lines<R> {
    input: R,
    /// Longest line that is handed out.
    max: usize,
    is_begun: bool,
    /// The last line ended with CR: a line feed that follows belongs to it.
    ended_with_return: bool,
}

impl<R: BufRead> Lines<R> {
    /// Of this stream; longer lines than `max` are skipped and told.
    pub fn new(input: R, max: usize) -> Self {
        Self { input, max, is_begun: false, ended_with_return: false }
    }

    /// Reads one line into `line`. `None` is the end of the input, `false` a line longer than allowed, of
    /// which the rest was skipped.
    ///
    /// # Errors
    /// The stream fails.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
        line.clear();
        let (mut is_any, mut fits) = (false, true);
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            if std::mem::take(&mut self.ended_with_return) && buffer.first() == Some(&b'\n') {
                self.input.consume(1);
                continue;
            }
            is_any = true;
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
            let room = self.max.saturating_sub(line.len());
            fits &= part.len() <= room;
            line.extend(part.iter().take(room));
            let ended = end.and_then(|end| buffer.get(end)).copied();
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if let Some(end) = ended {
                self.ended_with_return = end == b'\r';
                break;
            }
        }
        if !is_any {
            return Ok(None);
        }
        let mark = b"\xEF\xBB\xBF";
        if !std::mem::replace(&mut self.is_begun, true) && line.starts_with(mark) {
            line.drain(..mark.len());
        }
        Ok(Some(fits))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whatever_surrounds_a_text_it_is_the_same_text() {
        let utf16 = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [0xFF, 0xFE].into_iter().chain(units).collect()
        };
        let text = "name;role\nJ\u{f6}rg Kern;nurse\n";
        let otherwise = Written::Otherwise;
        for (bytes, written, changes) in [
            (text.as_bytes().to_vec(), Written::Utf8, None),
            (
                format!("\u{feff}{text}").into_bytes(),
                Written::Utf8,
                Some("a byte order mark stands in front"),
            ),
            (text.replace('\n', "\r\n").into_bytes(), Written::Utf8, Some("lines end with CR")),
            (text.replace('\n', "\r").into_bytes(), Written::Utf8, Some("lines end with CR")),
            (
                utf16(text),
                otherwise("UTF-16LE"),
                Some("the encoding is UTF-16LE, a byte order mark stands in front"),
            ),
            (
                b"name;role\nJ\xF6rg Kern;nurse\n".to_vec(),
                otherwise("windows-1252"),
                Some("the encoding is windows-1252"),
            ),
        ] {
            let read = Text::of(&bytes);
            assert_eq!((read.as_str(), read.written()), (text, written));
            assert_eq!(read.changes().as_deref(), changes);
        }
    }

    #[test]
    fn a_broken_byte_in_utf_8_spoils_only_itself() {
        let read =
            Text::of("J\u{f6}rg\n".bytes().chain([0xFF, b'\n']).collect::<Vec<_>>().as_slice());
        assert_eq!((read.as_str(), read.written()), ("J\u{f6}rg\n\u{FFFD}\n", Written::Mixed));
        assert_eq!(Text::of(b"\x7fELF\xE4").written(), Written::Mixed, "no letters of anybody's");
    }

    #[test]
    fn a_file_is_read_whole_or_refused_and_a_pipe_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, [b'x'; 8]).unwrap();
        assert_eq!(bytes_of(&path, 8).unwrap(), [b'x'; 8]);
        assert!(matches!(bytes_of(&path, 7), Err(FileError::TooLarge(7))));
        assert!(matches!(bytes_of(dir.path(), 8), Err(FileError::NoFile)));
        assert!(matches!(bytes_of(&dir.path().join("none"), 8), Err(FileError::Io(_))));
        assert!(matches!(bytes_of(Path::new("/dev/zero"), 8), Err(FileError::NoFile)));
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(matches!(bytes_of(&pipe, 8), Err(FileError::NoFile)));
    }

    proptest! {
        /// A stream has the lines that the whole text has, wherever it is cut into reads.
        #[test]
        fn a_stream_has_the_same_lines(
            text in "\u{feff}?([a-c\u{e4}]{0,4}(\n|\r\n|\r)){0,6}[a-c]{0,3}",
            cut in 1_usize..7,
        ) {
            let input = io::BufReader::with_capacity(cut, text.as_bytes());
            let (mut lines, mut line, mut seen) = (Lines::new(input, 64), Vec::new(), Vec::new());
            while let Some(fits) = lines.next_line(&mut line).unwrap() {
                prop_assert!(fits);
                seen.push(String::from_utf8(line.clone()).unwrap());
            }
            let whole = Text::of(text.as_bytes());
            let lines: Vec<&str> = whole.as_str().lines().collect();
            // A mark alone is a line without letters.
            let is_mark = whole.as_str().is_empty() && !text.is_empty();
            prop_assert_eq!(seen, if is_mark { vec![""] } else { lines });
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let read = Text::of(&bytes);
            prop_assert!(!read.as_str().contains('\r'));
        }
    }
}
