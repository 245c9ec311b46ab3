//! The terminal: answers on standard output, sentences on standard error, and what a person types.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use wardkeep_model::confidential::Secret;

/// Prints to standard output; a reader that has gone away is a failure.
pub fn print(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("Standard output cannot be written: {error}."));
            ExitCode::FAILURE
        }
    }
}

/// Prints a sentence to standard error. If even that is closed, the exit status has to speak.
pub fn complain(sentence: &str) {
    if writeln!(std::io::stderr().lock(), "{sentence}").is_err() {
        tracing::debug!("standard error is closed");
    }
}

/// Longest line that is taken from a person.
const LINE_MAX: usize = 1024;

/// Why nothing could be taken from the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Standard input has ended.
    #[error("Nothing was typed.")]
    Ended,
    /// It cannot be read.
    #[error("Standard input cannot be read.")]
    Unreadable,
    /// Not six to eight digits.
    #[error("A PIN has 6 to 8 digits.")]
    NotAPin,
}

/// Asks for a line that may be seen, such as a confirmation.
///
/// # Errors
/// There is nothing to read.
pub fn typed(question: &str) -> Result<String, InputError> {
    prompt(question);
    read_line(&mut std::io::stdin().lock()).map(|line| line.expose().clone())
}

fn prompt(question: &str) {
    let mut err = std::io::stderr().lock();
    if write!(err, "{question}").and_then(|()| err.flush()).is_err() {
        tracing::debug!("standard error is closed");
    }
}

/// Asks for a line that nobody may see: it is not echoed, and leaves no copy behind.
///
/// # Errors
/// There is nothing to read.
pub fn secret(question: &str) -> Result<Secret<String>, InputError> {
    prompt(question);
    let stdin = std::io::stdin();
    let hidden = stdin.is_terminal().then(|| Unseen::begin(&stdin)).flatten();
    let line = read_line(&mut stdin.lock());
    if hidden.is_some() {
        drop(hidden);
        complain("");
    }
    line
}

fn read_line(input: &mut impl BufRead) -> Result<Secret<String>, InputError> {
    // The full length from the start: a buffer that grows would leave its old self behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_MAX));
    loop {
        let chunk = input.fill_buf().map_err(|_| InputError::Unreadable)?;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        let ended = chunk.is_empty();
        if line.len() + part.len() > LINE_MAX {
            return Err(InputError::Unreadable);
        }
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() || ended {
            break;
        }
    }
    let text = std::str::from_utf8(&line).map_err(|_| InputError::Unreadable)?.trim();
    if text.is_empty() { Err(InputError::Ended) } else { Ok(Secret::new(text.to_owned())) }
}

/// A terminal that does not echo until this is dropped.
struct Unseen<'a> {
    stdin: &'a std::io::Stdin,
    before: rustix::termios::Termios,
}

impl<'a> Unseen<'a> {
    fn begin(stdin: &'a std::io::Stdin) -> Option<Self> {
        let before = tcgetattr(stdin).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes &= !LocalModes::ECHO;
        tcsetattr(stdin, OptionalActions::Flush, &quiet).ok()?;
        Some(Self { stdin, before })
    }
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        if tcsetattr(self.stdin, OptionalActions::Flush, &self.before).is_err() {
            complain("The terminal does not echo any more; type `reset`.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_one_by_one_and_bounded() {
        let mut input = std::io::BufReader::with_capacity(4, &b" 471108 \nsecond\n\nlast"[..]);
        let mut take = || read_line(&mut input).map(|line| line.expose().clone());
        assert_eq!(take(), Ok("471108".into()));
        assert_eq!(take(), Ok("second".into()));
        assert_eq!(take(), Err(InputError::Ended));
        assert_eq!(take(), Ok("last".into()));
        assert_eq!(take(), Err(InputError::Ended));
        let long = vec![b'7'; LINE_MAX + 1];
        assert_eq!(read_line(&mut &long[..]).err(), Some(InputError::Unreadable));
        assert_eq!(read_line(&mut &b"\xFF\n"[..]).err(), Some(InputError::Unreadable));
    }
}
