//! `wardkeepctl audit verify`: whether a copy of the log is as it was sealed.
//!
//! It needs no store, no network and no clock: a file, a key that was noted when the log was still
//! trusted, and perhaps checkpoints that were kept elsewhere. It fails closed, says in one word what is
//! wrong, and names the first entry that it concerns.

use std::ffi::{OsStr, OsString};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::ctl::{progress, refusal, terminal};
use crate::text::{FileError, FromStart, Manner, Plain, Text, bytes_of, file_of};
use wardkeep_store::log::file::{Flaw, NOTE_LEN_MAX, Problem, Verified, VerifierKey, verify_from};

/// Bytes of the log that are held at a time.
const PIECE: usize = 64 * 1024;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl audit verify log.txt --key key.txt
  wardkeepctl audit verify log.txt --key key.txt --witness monday.txt --witness tuesday.txt

Note the key while the log is trusted, with `wardkeepctl audit key`: a key that comes with the log
proves nothing. Without a witness, an older copy of the log passes for the whole.";

/// Which log, and by what it is judged.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    /// The copy of the log
    log: PathBuf,
    /// The log's verifier key, or a file with it; may be given several times
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<OsString>,
    /// A checkpoint that was kept elsewhere; may be given several times
    #[arg(long = "witness", value_name = "FILE")]
    witnesses: Vec<PathBuf>,
}

impl Verify {
    /// Exit code 0 when the log is as it was sealed, 1 when it is not, 2 when a key is none.
    pub fn run(&self) -> ExitCode {
        let Some(keys) = self.keys.iter().map(|given| key(given)).collect::<Option<Vec<_>>>()
        else {
            let problem = "--key is no verifier key, and no file with one.";
            return refusal::usage("wardkeepctl audit verify", problem);
        };
        let verdict = progress::waiting("Verifying", || judge(&self.log, &keys, &self.witnesses));
        match verdict {
            Ok((verified, changes)) => {
                if let Some(changes) = &changes {
                    let said = "The copy was changed on its way, but not in what it says";
                    terminal::complain(&format!("{said}: {changes}."));
                }
                let answer = json!({
                    "ok": true,
                    "origin": verified.origin,
                    "entries": verified.entries,
                    "checkpoints": verified.checkpoints,
                    "witnesses": self.witnesses.len(),
                    "key": verified.key,
                    "changed": changes,
                });
                terminal::print(&format!("{answer}\n"))
            }
            Err(flaw) => {
                terminal::complain(&flaw.to_string());
                let answer = json!({
                    "ok": false,
                    "problem": flaw.problem,
                    "entry": flaw.entry,
                    "until": flaw.until,
                });
                // The exit status says more than whether somebody took the answer.
                terminal::print(&format!("{answer}\n"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Judges the log as it is, and where that fails as it was before a mail program, a checkout or a shell
/// rewrote its line ends or its encoding: the signatures are over what it says. What was rewritten is told.
fn judge(
    path: &Path,
    keys: &[VerifierKey],
    witnesses: &[PathBuf],
) -> Result<(Verified, Option<String>), Flaw> {
    let unreadable = Flaw { problem: Problem::Unreadable, entry: None, until: None };
    let failed = |error: FileError| {
        terminal::complain(&format!("{} cannot be read: {error}.", path.display()));
        unreadable
    };
    let file = file_of(path).map_err(failed)?;
    let longest = u64::try_from(NOTE_LEN_MAX).unwrap_or(u64::MAX);
    let note = |path: &PathBuf| Some(Text::of(&read(path, longest)?).as_str().as_bytes().to_vec());
    let notes: Option<Vec<Vec<u8>>> = witnesses.iter().map(note).collect();
    let notes = notes.ok_or(Flaw { problem: Problem::WitnessUnreadable, ..unreadable })?;
    let reader = || BufReader::with_capacity(PIECE, FromStart::of(&file));
    let verdict = verify_from(|| Ok(reader()), keys, &notes);
    let as_it_is = match verdict.map_err(|error| failed(error.into()))? {
        Ok(verified) => return Ok((verified, None)),
        Err(flaw) => flaw,
    };
    let manner = Manner::of(reader()).map_err(|error| failed(error.into()))?;
    let Some(changes) = manner.changes() else { return Err(as_it_is) };
    let plain = || BufReader::with_capacity(PIECE, Plain::new(reader(), &manner));
    let verdict = verify_from(|| Ok(plain()), keys, &notes);
    match verdict.map_err(|error| failed(error.into()))? {
        Ok(verified) => Ok((verified, Some(changes))),
        Err(flaw) if flaw.problem == Problem::Unreadable => Err(as_it_is),
        // What is wrong with it then is wrong with what it says.
        Err(flaw) => Err(flaw),
    }
}

/// A key as it was written down, or a file with it.
fn key(given: &OsStr) -> Option<VerifierKey> {
    if let Some(Ok(key)) = given.to_str().map(str::parse) {
        return Some(key);
    }
    Text::of(&read(Path::new(given), 1024)?).as_str().trim().parse().ok()
}

/// A whole file of at most `max` bytes.
fn read(path: &Path, max: u64) -> Option<Vec<u8>> {
    match bytes_of(path, max) {
        Ok(content) => Some(content),
        Err(error) => {
            terminal::complain(&format!("{} cannot be read: {error}.", path.display()));
            None
        }
    }
}
