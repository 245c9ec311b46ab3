//! `wardkeepctl audit export`, `checkpoint` and `key`: the log, a checkpoint or the key out of the store,
//! with two factors or with the recovery words.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::ctl::args::{Entrance, Places};
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::{access, progress, terminal};
use wardkeep_model::keeping::{Administered, Administration};

/// Lines below the help of `export`.
pub const EXPORT_EXAMPLES: &str = "\
Examples:
  wardkeepctl audit export --out log.txt
  wardkeepctl audit export --out log.txt --recovery";

/// Lines below the help of `checkpoint`.
pub const CHECKPOINT_EXAMPLES: &str = "\
Examples:
  wardkeepctl audit checkpoint --out witness.txt

Give it to somebody who cannot change the log. An older copy of the log then passes for the whole no
more.";

/// Lines below the help of `key`.
pub const KEY_EXAMPLES: &str = "\
Examples:
  wardkeepctl audit key
  wardkeepctl audit key | jq -r .key > key.txt";

/// `audit export` and `audit checkpoint`.
#[derive(Args, Clone, Debug)]
pub struct ToFile {
    /// The file; one that is there is not replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

/// `audit key`.
#[derive(Args, Clone, Debug)]
pub struct Key {
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

impl ToFile {
    /// Writes the log.
    ///
    /// # Errors
    /// It was not taken or not written; there is no file then.
    pub fn export(self) -> Result<Answer, Failure> {
        // A file that cannot be made is found before anybody is asked for a PIN.
        drop(made(&self.out)?);
        removed(&self.out);
        let out = self.out.clone();
        let done = access::with(&self.places, self.entrance, |access| {
            progress::lasting("Taking the log out of the store", || {
                access.administer(Administration::ExportAudit(out))
            })
        })?;
        let Administered::AuditExported(done) = done else { return Err(Failure::Unexpected) };
        let written = self.out.display().to_string();
        Ok(json!({ "written": written, "entries": done.entries, "bytes": done.bytes }).into())
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// It was not taken or not written; there is no file then.
    pub fn checkpoint(self) -> Result<Answer, Failure> {
        let path = &self.out;
        let mut file = made(path)?;
        let what = Administration::Checkpoint;
        let taken = access::with(&self.places, self.entrance, |access| access.administer(what));
        let kept = taken.and_then(|taken| {
            let Administered::Checkpoint(text) = taken else { return Err(Failure::Unexpected) };
            let whole = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
            whole.map_err(|error| Failure::Unwritable(path.clone(), error))
        });
        if kept.is_err() {
            removed(path);
        }
        kept.map(|()| json!({ "written": path.display().to_string() }).into())
    }
}

impl Key {
    /// Prints the key.
    ///
    /// # Errors
    /// It was not taken.
    pub fn run(self) -> Result<Answer, Failure> {
        let what = Administration::AuditKey;
        let taken = access::with(&self.places, self.entrance, |access| access.administer(what))?;
        let Administered::AuditKey(key) = taken else { return Err(Failure::Unexpected) };
        Ok(json!({ "key": key }).into())
    }
}

/// A file that was not there before, for its owner alone.
fn made(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| Failure::Unwritable(path.to_owned(), error))
}

/// Takes a file away again that was made for nothing.
fn removed(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        terminal::complain(&format!("{} was left behind: {error}.", path.display()));
    }
}
