//! `wardkeepctl alarm render`: the alarm sound as a file, exactly as the kiosk plays it.
//!
//! Biomed staff check it against IEC 60601-1-8 with their own instruments, without raising an alarm
//! at a bedside. It needs no loudspeaker and no state directory.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::ctl::terminal;
use wardkeep_hardware::speaker::sound;
use wardkeep_model::alarm::Priority;

/// Samples per second of the file.
pub const RATE_HZ: u32 = 48_000;

/// Why the command line was not understood.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error(transparent)]
    Words(#[from] lexopt::Error),
    #[error("After `alarm` comes `render`.")]
    Verb,
    #[error("The priority is high, medium or low.")]
    Priority,
    #[error("{0} is missing.")]
    Missing(&'static str),
}

/// What to render, and where to.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    priority: Priority,
    out: PathBuf,
}

/// Performs `alarm ...`, of which `args` has the words after `alarm`.
///
/// Exit code 0 when the file is written, 1 when it could not be, 2 when the words make no sense.
pub fn run(args: &mut lexopt::Parser) -> ExitCode {
    let Request { priority, out } = match parse(args) {
        Ok(request) => request,
        Err(UsageError::Words(error)) => return terminal::usage(&terminal::sentence(&error)),
        Err(error) => return terminal::usage(&error.to_string()),
    };
    match render(priority, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&format!("{} cannot be written: {error}.", out.display()));
            ExitCode::FAILURE
        }
    }
}

/// Writes two bursts of `priority`, with the interval between them, to a WAV file at `out`.
///
/// # Errors
/// When the file cannot be created or written to.
pub fn render(priority: Priority, out: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(out)?);
    sound::write_wav(&mut file, RATE_HZ, &sound::two_bursts(RATE_HZ, priority))?;
    file.flush()
}

fn parse(args: &mut lexopt::Parser) -> Result<Request, UsageError> {
    use lexopt::Arg::{Long, Short, Value};
    let (mut verb, mut priority, mut out) = (false, None, None);
    while let Some(arg) = args.next()? {
        match arg {
            Value(word) if !verb && word == "render" => verb = true,
            Value(_) if !verb => return Err(UsageError::Verb),
            Long("priority") => priority = Some(priority_named(&args.value()?)?),
            Long("out") => out = Some(PathBuf::from(args.value()?)),
            Value(_) | Long(_) | Short(_) => return Err(arg.unexpected().into()),
        }
    }
    if !verb {
        return Err(UsageError::Missing("`render`"));
    }
    Ok(Request {
        priority: priority.ok_or(UsageError::Missing("--priority"))?,
        out: out.ok_or(UsageError::Missing("--out"))?,
    })
}

fn priority_named(word: &std::ffi::OsStr) -> Result<Priority, UsageError> {
    match word.to_str() {
        Some("high") => Ok(Priority::High),
        Some("medium") => Ok(Priority::Medium),
        Some("low") => Ok(Priority::Low),
        Some(_) | None => Err(UsageError::Priority),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Request, UsageError> {
        parse(&mut lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn the_words_are_understood_in_any_order() {
        for (word, priority) in
            [("high", Priority::High), ("medium", Priority::Medium), ("low", Priority::Low)]
        {
            let expected = Request { priority, out: "a.wav".into() };
            for line in [
                format!("render --priority {word} --out a.wav"),
                format!("--out=a.wav render --priority={word}"),
            ] {
                assert_eq!(words(&line).unwrap(), expected, "{line}");
            }
        }
    }

    #[test]
    fn nonsense_is_a_usage_error() {
        for (line, says) in [
            ("", "`render` is missing."),
            ("play --priority low --out a.wav", "After `alarm` comes `render`."),
            ("render --out a.wav", "--priority is missing."),
            ("render --priority low", "--out is missing."),
            ("render --priority urgent --out a.wav", "The priority is high, medium or low."),
            ("render --priority low --out a.wav --loud", "invalid option '--loud'"),
            ("render render", "unexpected argument \"render\""),
        ] {
            assert_eq!(words(line).unwrap_err().to_string(), says, "{line}");
        }
        let mut parser = lexopt::Parser::from_args(["render", "--priority", "urgent"]);
        assert_eq!(run(&mut parser), ExitCode::from(2));
    }
}
