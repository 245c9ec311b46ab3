//! `wardkeepctl audit`: verifies a copy of the audit log anywhere, and takes one out of the store.
//!
//! Verifying needs no store, no network and no clock: a file, a key that was noted when the log was
//! still trusted, and perhaps checkpoints that were kept elsewhere. It fails closed, says in one word
//! what is wrong, and names the first entry that it concerns.

mod take;

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::ctl::terminal;
use wardkeep_store::log::file::{FILE_LEN_MAX, Flaw, NOTE_LEN_MAX, Problem, VerifierKey, verify};

/// Why the command line was not understood.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error(transparent)]
    Words(#[from] lexopt::Error),
    #[error("After `audit` comes verify, export, checkpoint or key.")]
    Verb,
    #[error(
        "--key is missing: the log's verifier key, or a file with it. Note it while the log is \
         trusted, with `wardkeepctl audit key`; a key that comes with the log proves nothing."
    )]
    NoKey,
    #[error("{0} is no verifier key, and no file with one.")]
    Key(String),
    #[error("{0} is missing.")]
    Missing(&'static str),
    #[error("{0} does not belong here.")]
    Misplaced(&'static str),
}

#[derive(Default)]
struct Found {
    verb: Option<String>,
    file: Option<PathBuf>,
    keys: Vec<OsString>,
    witnesses: Vec<PathBuf>,
    out: Option<PathBuf>,
    recovery: bool,
    state: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// Performs the verb whose words are left in `args`.
///
/// Exit code 0 when the log is as it was sealed, 1 when it is not, 2 when the words make no sense.
pub fn run(args: &mut lexopt::Parser) -> ExitCode {
    match perform(args) {
        Ok(code) => code,
        Err(UsageError::Words(error)) => terminal::usage(&terminal::sentence(&error)),
        Err(error) => terminal::usage(&error.to_string()),
    }
}

fn perform(args: &mut lexopt::Parser) -> Result<ExitCode, UsageError> {
    let found = collect(args)?;
    match found.verb.as_deref() {
        Some("verify") => {
            belongs(&[
                (found.out.is_some(), "--out"),
                (found.recovery, "--recovery"),
                (found.state.is_some(), "--state"),
                (found.config.is_some(), "--config"),
            ])?;
            verified(&found)
        }
        Some(verb @ ("export" | "checkpoint" | "key")) => {
            belongs(&[
                (found.file.is_some(), "The last word"),
                (!found.keys.is_empty(), "--key"),
                (!found.witnesses.is_empty(), "--witness"),
                (verb == "key" && found.out.is_some(), "--out"),
            ])?;
            take::take(verb, &found)
        }
        Some(_) | None => Err(UsageError::Verb),
    }
}

fn collect(args: &mut lexopt::Parser) -> Result<Found, UsageError> {
    use lexopt::Arg::{Long, Short, Value};
    use lexopt::ValueExt as _;
    let mut found = Found::default();
    while let Some(arg) = args.next()? {
        match arg {
            Value(word) if found.verb.is_none() => found.verb = Some(word.string()?),
            Value(word) if found.file.is_none() => found.file = Some(PathBuf::from(word)),
            Long("key") => found.keys.push(args.value()?),
            Long("witness") => found.witnesses.push(PathBuf::from(args.value()?)),
            Long("out") => found.out = Some(PathBuf::from(args.value()?)),
            Long("recovery") => found.recovery = true,
            Long("state") => found.state = Some(PathBuf::from(args.value()?)),
            Long("config") => found.config = Some(PathBuf::from(args.value()?)),
            Value(_) => return Err(UsageError::Misplaced("The last word")),
            Short(_) | Long(_) => return Err(arg.unexpected().into()),
        }
    }
    Ok(found)
}

fn belongs(misplaced: &[(bool, &'static str)]) -> Result<(), UsageError> {
    match misplaced.iter().find(|(there, _)| *there) {
        Some((_, what)) => Err(UsageError::Misplaced(what)),
        None => Ok(()),
    }
}

fn verified(found: &Found) -> Result<ExitCode, UsageError> {
    let file = found.file.as_deref().ok_or(UsageError::Missing("The log's file"))?;
    if found.keys.is_empty() {
        return Err(UsageError::NoKey);
    }
    let keys = found.keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let verdict = judge(file, &keys, &found.witnesses);
    let (answer, code) = match verdict {
        Ok(verified) => {
            let answer = json!({
                "ok": true,
                "origin": verified.origin,
                "entries": verified.entries,
                "checkpoints": verified.checkpoints,
                "witnesses": found.witnesses.len(),
                "key": verified.key,
            });
            (answer, ExitCode::SUCCESS)
        }
        Err(flaw) => {
            terminal::complain(&flaw.to_string());
            let answer = json!({
                "ok": false,
                "problem": flaw.problem,
                "entry": flaw.entry,
                "until": flaw.until,
            });
            (answer, ExitCode::FAILURE)
        }
    };
    let printed = terminal::print(&format!("{answer}\n"));
    Ok(if code == ExitCode::SUCCESS { printed } else { code })
}

fn judge(
    file: &Path,
    keys: &[VerifierKey],
    witnesses: &[PathBuf],
) -> Result<wardkeep_store::log::file::Verified, Flaw> {
    let flaw = |problem| Flaw { problem, entry: None, until: None };
    let log = read(file, FILE_LEN_MAX).ok_or(flaw(Problem::Unreadable))?;
    let longest = u64::try_from(NOTE_LEN_MAX).unwrap_or(u64::MAX);
    let notes: Option<Vec<Vec<u8>>> =
        witnesses.iter().map(|witness| read(witness, longest)).collect();
    verify(&log, keys, &notes.ok_or(flaw(Problem::WitnessUnreadable))?)
}

/// A key as it was written down, or a file with it.
fn key(given: &OsString) -> Result<VerifierKey, UsageError> {
    if let Some(Ok(key)) = given.to_str().map(str::parse) {
        return Ok(key);
    }
    let unusable = || UsageError::Key(given.to_string_lossy().into_owned());
    let content = read(Path::new(given), 1024).ok_or_else(unusable)?;
    let text = String::from_utf8(content).map_err(|_| unusable())?;
    text.trim().parse().map_err(|_| unusable())
}

/// A whole file of at most `max` bytes.
fn read(path: &Path, max: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut content));
    match read {
        Ok(_) => (u64::try_from(content.len()).is_ok_and(|len| len <= max)).then_some(content),
        Err(error) => {
            terminal::complain(&format!("{} cannot be read: {error}.", path.display()));
            None
        }
    }
}
