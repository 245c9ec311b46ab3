//! What every verb says and how it ends: sentences, help texts and exit statuses.

use std::io::Write;
use std::process::ExitCode;

/// Exit status of a command line that cannot be understood.
const USAGE: u8 = 2;

/// Says what is wrong with the command line.
pub fn usage(problem: &str) -> ExitCode {
    complain(&format!("{problem} `wardkeepctl --help` lists what it can do."));
    ExitCode::from(USAGE)
}

/// An argument error as a sentence.
pub fn sentence(error: &lexopt::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

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
