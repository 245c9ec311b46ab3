//! The words after `store`.

use std::ffi::OsString;
use std::path::PathBuf;

use wardkeep_model::confidential::Phi;

/// Where the store is, unless the words or the service manager say otherwise.
const STATE: &str = "/var/lib/wardkeep";
/// Where the settings are, if they are there.
const CONFIG: &str = "/etc/wardkeep/config.toml";

/// Why the command line was not understood.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// A word that does not belong here.
    #[error(transparent)]
    Words(#[from] lexopt::Error),
    /// After `store`.
    #[error("After `store` comes backup, restore, check, aside or shred.")]
    Store,
    /// Something that must be there.
    #[error("{0} is missing.")]
    Missing(&'static str),
    /// Something that belongs to another verb.
    #[error("{0} does not belong here.")]
    Misplaced(&'static str),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `store backup`
    Backup {
        /// The file.
        out: PathBuf,
        /// Initials, names or identities.
        to: Vec<String>,
    },
    /// `store restore`
    Restore(PathBuf),
    /// `store check`, of a backup where one is named.
    Check(Option<PathBuf>),
    /// `store aside`
    Aside {
        /// Without asking.
        yes: bool,
    },
    /// `store shred`
    Shred(Phi<String>),
}

/// A whole command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub verb: Verb,
    /// On which store.
    pub state: PathBuf,
    /// Under which settings.
    pub config: Option<PathBuf>,
    /// With the recovery words instead of two factors.
    pub recovery: bool,
}

#[derive(Default)]
struct Found {
    word: Option<String>,
    out: Option<PathBuf>,
    from: Option<PathBuf>,
    backup: Option<PathBuf>,
    to: Vec<String>,
    mrn: Option<String>,
    yes: bool,
    recovery: bool,
    state: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// Understands the words after the verb.
///
/// # Errors
/// They make no sense; nothing has been done.
pub fn parse(args: &mut lexopt::Parser) -> Result<Request, UsageError> {
    let mut found = collect(args)?;
    let verb = match found.word.take().as_deref() {
        Some("backup") => {
            let out = found.out.take().ok_or(UsageError::Missing("--out"))?;
            Verb::Backup { out, to: std::mem::take(&mut found.to) }
        }
        Some("restore") => {
            // Nobody's factors are known on a machine without a store.
            found.recovery = false;
            Verb::Restore(found.from.take().ok_or(UsageError::Missing("--from"))?)
        }
        Some("check") => Verb::Check(found.backup.take()),
        Some("aside") => Verb::Aside { yes: std::mem::take(&mut found.yes) },
        Some("shred") => {
            let mrn = found.mrn.take().ok_or(UsageError::Missing("--mrn"))?;
            Verb::Shred(Phi::new(mrn))
        }
        Some(_) | None => return Err(UsageError::Store),
    };
    let misplaced = [
        (found.out.is_some(), "--out"),
        (found.from.is_some(), "--from"),
        (found.backup.is_some(), "--backup"),
        (!found.to.is_empty(), "--to"),
        (found.mrn.is_some(), "--mrn"),
        (found.yes, "--yes"),
        (found.recovery && matches!(verb, Verb::Aside { .. }), "--recovery"),
    ];
    if let Some((_, what)) = misplaced.into_iter().find(|(there, _)| *there) {
        return Err(UsageError::Misplaced(what));
    }
    let existing = PathBuf::from(CONFIG);
    let config = found.config.or_else(|| existing.exists().then_some(existing));
    let state = found.state.unwrap_or_else(|| {
        let given = std::env::var_os("STATE_DIRECTORY").filter(|value| !value.is_empty());
        PathBuf::from(given.unwrap_or_else(|| OsString::from(STATE)))
    });
    Ok(Request { verb, state, config, recovery: found.recovery })
}

fn collect(args: &mut lexopt::Parser) -> Result<Found, UsageError> {
    use lexopt::Arg::{Long, Short, Value};
    use lexopt::ValueExt as _;
    let mut found = Found::default();
    while let Some(arg) = args.next()? {
        match arg {
            Value(word) if found.word.is_none() => found.word = Some(word.string()?),
            Value(_) => return Err(UsageError::Misplaced("The last word")),
            Long("out") => found.out = Some(PathBuf::from(args.value()?)),
            Long("from") => found.from = Some(PathBuf::from(args.value()?)),
            Long("backup") => found.backup = Some(PathBuf::from(args.value()?)),
            Long("to") => found.to.push(args.value()?.string()?),
            Long("mrn") => found.mrn = Some(args.value()?.string()?),
            Long("yes") => found.yes = true,
            Long("recovery") => found.recovery = true,
            Long("state") => found.state = Some(PathBuf::from(args.value()?)),
            Long("config") => found.config = Some(PathBuf::from(args.value()?)),
            Short(_) | Long(_) => return Err(arg.unexpected().into()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(words: &[&str]) -> Result<Request, String> {
        let mut args = lexopt::Parser::from_args(words.iter().copied());
        parse(&mut args).map_err(|error| error.to_string())
    }

    #[test]
    fn every_verb_is_understood() {
        let (out, to) = (PathBuf::from("f"), vec!["AK".to_owned(), "QZ".to_owned()]);
        for (words, expected) in [
            (&["backup", "--out", "f", "--to", "AK", "--to", "QZ"][..], Verb::Backup { out, to }),
            (&["restore", "--from", "f"], Verb::Restore("f".into())),
            (&["restore", "--from", "f", "--recovery"], Verb::Restore("f".into())),
            (&["check"], Verb::Check(None)),
            (&["check", "--backup", "f"], Verb::Check(Some("f".into()))),
            (&["aside", "--yes"], Verb::Aside { yes: true }),
            (&["shred", "--mrn", "M-1"], Verb::Shred(Phi::new("M-1".into()))),
        ] {
            assert_eq!(understood(words).map(|request| request.verb), Ok(expected), "{words:?}");
        }
        let request = understood(&["check", "--recovery", "--state", "d"]).expect("words");
        assert!(request.recovery && request.state == *"d");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_sentence() {
        for (words, says) in [
            (&[][..], "After `store`"),
            (&["burn"], "After `store`"),
            (&["backup"], "--out is missing."),
            (&["restore"], "--from is missing."),
            (&["shred"], "--mrn is missing."),
            (&["check", "--out", "f"], "--out does not belong here."),
            (&["check", "--yes"], "--yes does not belong here."),
            (&["aside", "--recovery"], "--recovery does not belong here."),
            (&["check", "it"], "The last word does not belong here."),
            (&["check", "--pin", "471108"], "invalid option '--pin'"),
        ] {
            let said = understood(words).expect_err("nonsense");
            assert!(said.starts_with(says), "{words:?}: {said}");
        }
    }
}
