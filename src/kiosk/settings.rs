//! Reads the configuration file: one reader with one limit, for the kiosk and for every verb.
//!
//! What the file says wrongly is ignored and named ([`Ignored`]); only a file that cannot be read, or
//! that is too large to be a configuration, is an error.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use wardkeep_core::config::{Config, Ignored};

/// Largest configuration file, in bytes: a hundred times what every setting takes.
pub const BYTES_MAX: u64 = 64 * 1024;

/// Why the configuration file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is not there, or this account may not read it.
    #[error("the configuration file {} cannot be read", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// It is too large.
    #[error(
        "the configuration file {} is larger than 64 KiB: take out of it what is no setting, or name \
         another file with --config",
        .0.display()
    )]
    TooLarge(PathBuf),
}

/// Reads the settings; without a file every setting is at its default.
///
/// # Errors
/// There is a file, and it cannot be read or is too large.
pub fn read(path: Option<&Path>) -> Result<(Config, Vec<Ignored>), Unread> {
    let Some(path) = path else { return Ok((Config::default(), vec![])) };
    let mut content = Vec::new();
    // One byte more than allowed tells a whole file from the beginning of a larger one.
    let read = File::open(path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut content))
        .map_err(|error| Unread::Io(path.to_owned(), error))?;
    if u64::try_from(read).is_ok_and(|length| length > BYTES_MAX) {
        return Err(Unread::TooLarge(path.to_owned()));
    }
    match std::str::from_utf8(&content) {
        Ok(text) => Ok(Config::parse(text)),
        Err(error) => {
            let before = content.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            Ok((Config::default(), vec![Ignored::Syntax { line }]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let lead = "[cart]\nbed = \"Bed 12\"\n#";
        let most = usize::try_from(BYTES_MAX).unwrap();
        std::fs::write(&path, format!("{lead}{}", "x".repeat(most - lead.len()))).unwrap();
        let (config, ignored) = read(Some(&path)).unwrap();
        assert_eq!((config.bed.as_str(), ignored), ("Bed 12", vec![]));
        std::fs::write(&path, format!("{lead}{}", "x".repeat(most + 1 - lead.len()))).unwrap();
        let said = read(Some(&path)).unwrap_err().to_string();
        assert!(said.contains("larger than 64 KiB") && said.contains("--config"), "{said}");
        std::fs::write(&path, b"[cart]\nbed = \"\xFF\"\n").unwrap();
        let (config, ignored) = read(Some(&path)).unwrap();
        assert_eq!((config, ignored), (Config::default(), vec![Ignored::Syntax { line: 2 }]));
        assert!(matches!(read(Some(&dir.path().join("none"))), Err(Unread::Io(..))));
        assert_eq!(read(None).unwrap(), (Config::default(), vec![]));
    }
}
