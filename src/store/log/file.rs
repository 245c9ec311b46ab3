//! The audit log as a file that anybody can verify, anywhere, with one key: its format, and what
//! verifying one finds.
//!
//! ```text
//!  wardkeep audit log 1
//!  origin wardkeep.audit/6ba2...           a hash of the first key
//!  key wardkeep.audit/6ba2...+c74f20a3+AR...   every key that signed, the first one first
//!  entries 1042
//!  checkpoints 12
//!
//!  <SHA-256(0x00 | line), base64> <line>   one for each entry, see `line`
//!
//!  <checkpoint>                            as `checkpoint` says, with an empty line after each
//!
//!  end
//! ```
//!
//! An entry's hash stands before it so that an entry that was changed can be named; what proves it is
//! the tree under the checkpoints, whose roots are derived anew from the lines.
//!
//! Keys change when somebody is taken away. The old key then signs a checkpoint over an entry
//! `keys-rotated` whose `detail` is the next key: so whoever trusts one key of a log can follow it to the
//! last. Whoever left may have kept the old key, so the newest one is the one to note.
//!
//! S-8: verifying fails closed. Each byte of the file counts; an entry that no checkpoint covers, a
//! number that is missing, and a key that no earlier one named are failures. What a file alone cannot
//! show is that it is older than another: that needs a *witness*, a checkpoint that was kept elsewhere.
//!
//! A log may have any length: it is written and verified line by line. Its checkpoints stand behind its
//! entries and are needed beside them, so whoever verifies it reads it with two readers side by side.

mod parts;
mod reader;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt;
use std::io::{self, Write};

use base64ct::{Base64, Encoding};
use serde::Serialize;

pub use crate::log::checkpoint::{NOTE_LEN_MAX, NoteError, VerifierKey};
use crate::log::merkle::leaf;
pub(crate) use parts::{Head, LogRow, Parts};
pub(crate) use verify::{Judge, examine};
pub use verify::{verify, verify_from};

const TITLE: &str = "wardkeep audit log 1";
const END: &str = "end";
/// Most keys of one log: its keys change once a day for 40 years.
const KEYS_MAX: usize = 16 * 1024;

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The file is none.
    Unreadable,
    /// An entry is missing between two others.
    Deleted,
    /// An entry is not what was sealed.
    Edited,
    /// An entry is not written in the one way there is.
    NotCanonical,
    /// Entries are not in their order.
    Reordered,
    /// The end is missing.
    Truncated,
    /// Entries at the end that no checkpoint covers.
    Unsealed,
    /// A checkpoint has no signature, or is not there.
    SignaturesStripped,
    /// The checkpoints are signed with another key than the one that is trusted.
    ReSigned,
    /// A key signs before an earlier one handed over to it, or after it handed over itself.
    KeyOrder,
    /// A checkpoint is altered.
    CheckpointEdited,
    /// A witness has seen more than there is.
    ReplacedByOlder,
    /// A witness has seen another history.
    Forked,
    /// A witness's checkpoint cannot be used.
    WitnessUnreadable,
}

impl Problem {
    /// A sentence for whoever has to judge it.
    pub fn sentence(self) -> &'static str {
        match self {
            Problem::Unreadable => "This is not an audit log.",
            Problem::Deleted => "An entry was deleted.",
            Problem::Edited => "An entry is not what was sealed.",
            Problem::NotCanonical => "An entry is not written as this program writes it.",
            Problem::Reordered => "Entries are not in their order.",
            Problem::Truncated => "The end of the log is missing.",
            Problem::Unsealed => "Entries at the end are not sealed by any checkpoint.",
            Problem::SignaturesStripped => "Signatures are missing.",
            Problem::ReSigned => "The log is signed with another key than the one you trust.",
            Problem::KeyOrder => "A key signed out of its turn.",
            Problem::CheckpointEdited => "A checkpoint is not what was signed.",
            Problem::ReplacedByOlder => "This is an older log than the witness has seen.",
            Problem::Forked => "This is another history than the witness has seen.",
            Problem::WitnessUnreadable => "The witness's checkpoint cannot be used for this log.",
        }
    }
}

/// A log that is not as it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub problem: Problem,
    /// Number of the first entry that it concerns, where there is one.
    pub entry: Option<u64>,
    /// Number of the last entry that it may concern, where that is not the same.
    pub until: Option<u64>,
}

impl Flaw {
    fn of(problem: Problem) -> Self {
        Self { problem, entry: None, until: None }
    }

    fn at(problem: Problem, entry: u64) -> Self {
        Self { entry: Some(entry), ..Self::of(problem) }
    }

    /// Somewhere from one entry to another.
    fn within(problem: Problem, first: u64, last: u64) -> Self {
        let until = (last > first).then_some(last);
        Self { until, ..Self::at(problem, first) }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem.sentence())?;
        match (self.entry, self.until) {
            (Some(entry), None) => write!(f, " Entry {entry}."),
            (Some(entry), Some(until)) => write!(f, " Between entries {entry} and {until}."),
            (None, _) => Ok(()),
        }
    }
}

/// A log that is as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which log, as its checkpoints name it.
    pub origin: String,
    /// How many entries it has.
    pub entries: u64,
    /// How many of them a signature covers.
    pub sealed: u64,
    /// How many signed checkpoints.
    pub checkpoints: u64,
    /// Root of the tree over all entries (RFC 6962).
    pub root: [u8; 32],
    /// The key that signed last: the one to trust from here on.
    pub key: String,
}

/// Writes a log, one part after the other: its entries in their order, and then its checkpoints.
pub(crate) struct LogWriter<W> {
    out: W,
    is_divided: bool,
}

impl<W: Write> LogWriter<W> {
    /// Begins a log of so many entries and checkpoints.
    ///
    /// # Errors
    /// As writing.
    pub fn begin(
        mut out: W,
        keys: &[String],
        (entries, checkpoints): (u64, u64),
    ) -> io::Result<Self> {
        let origin = keys.first().and_then(|key| key.split('+').next()).unwrap_or_default();
        writeln!(out, "{TITLE}\norigin {origin}")?;
        for key in keys {
            writeln!(out, "key {key}")?;
        }
        write!(out, "entries {entries}\ncheckpoints {checkpoints}\n\n")?;
        Ok(Self { out, is_divided: false })
    }

    /// The next entry.
    ///
    /// # Errors
    /// As writing.
    pub fn entry(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{} {line}", Base64::encode_string(&leaf(line.as_bytes())))
    }

    /// The next checkpoint; no entry comes after it.
    ///
    /// # Errors
    /// As writing.
    pub fn checkpoint(&mut self, note: &str) -> io::Result<()> {
        self.divide()?;
        writeln!(self.out, "{note}")
    }

    /// The end.
    ///
    /// # Errors
    /// As writing.
    pub fn finish(mut self) -> io::Result<()> {
        self.divide()?;
        writeln!(self.out, "{END}")?;
        self.out.flush()
    }

    /// An empty line stands between entries and checkpoints.
    fn divide(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_divided, true) { Ok(()) } else { writeln!(self.out) }
    }
}
