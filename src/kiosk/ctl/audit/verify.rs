//! `wardkeepctl audit verify`: whether a copy of the log is as it was sealed.
//!
//! It needs no store, no network and no clock: a file, a key that was noted when the log was still
//! trusted, and perhaps checkpoints that were kept elsewhere. It fails closed, says in one word what is
//! wrong, and names the first entry that it concerns.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::ctl::{refusal, terminal};
use crate::text::{Text, bytes_of};
use wardkeep_store::log::file::{
    FILE_LEN_MAX, Flaw, NOTE_LEN_MAX, Problem, Verified, VerifierKey, verify,
};

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
        match judge(&self.log, &keys, &self.witnesses) {
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
    file: &Path,
    keys: &[VerifierKey],
    witnesses: &[PathBuf],
) -> Result<(Verified, Option<String>), Flaw> {
    let flaw = |problem| Flaw { problem, entry: None, until: None };
    let log = read(file, FILE_LEN_MAX).ok_or(flaw(Problem::Unreadable))?;
    let longest = u64::try_from(NOTE_LEN_MAX).unwrap_or(u64::MAX);
    let notes: Option<Vec<Vec<u8>>> =
        witnesses.iter().map(|witness| read(witness, longest)).collect();
    let notes = notes.ok_or(flaw(Problem::WitnessUnreadable))?;
    let as_it_is = match verify(&log, keys, &notes) {
        Ok(verified) => return Ok((verified, None)),
        Err(flaw) => flaw,
    };
    let text = Text::of(&log);
    let notes: Vec<Vec<u8>> =
        notes.iter().map(|note| Text::of(note).as_str().as_bytes().to_vec()).collect();
    let changes = text.changes();
    // What is wrong with it then is wrong with what it says.
    let read = verify(text.as_str().as_bytes(), keys, &notes);
    read.map(|verified| (verified, changes))
        .map_err(|flaw| if flaw.problem == Problem::Unreadable { as_it_is } else { flaw })
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
