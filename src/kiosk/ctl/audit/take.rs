//! Takes the log, a checkpoint or the key out of the store: with two factors, or with the recovery words.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use crate::ctl::audit::{Found, UsageError, read};
use crate::ctl::terminal;
use wardkeep_core::config::Config;
use wardkeep_model::keeping::{Administered, Administration, AdministrationFault};
use wardkeep_store as store;

const STATE: &str = "/var/lib/wardkeep";
const CONFIG: &str = "/etc/wardkeep/config.toml";
const CONFIG_LEN_MAX: u64 = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Input(#[from] terminal::InputError),
    #[error("It was not done: {0}.")]
    NotDone(#[from] AdministrationFault),
    #[error("These are not the recovery words of this store.")]
    Words,
    #[error("{} cannot be written: {}.", .0.display(), .1)]
    File(PathBuf, io::Error),
    #[error("The settings in {} cannot be read.", .0.display())]
    Settings(PathBuf),
    #[error("The store answered something else.")]
    Unexpected,
    #[error(transparent)]
    Desk(#[from] crate::ctl::people::desk::DeskError),
    #[error(transparent)]
    Reader(#[from] crate::ctl::people::readers::ReaderError),
}

/// Performs `export`, `checkpoint` or `key`.
///
/// # Errors
/// Words are missing.
pub fn take(verb: &str, found: &Found) -> Result<ExitCode, UsageError> {
    let what = match verb {
        "export" => Administration::ExportAudit,
        "checkpoint" => Administration::Checkpoint,
        _ => Administration::AuditKey,
    };
    let is_file = !matches!(what, Administration::AuditKey);
    if is_file && found.out.is_none() {
        return Err(UsageError::Missing("--out"));
    }
    Ok(match written(what, found) {
        Ok(answer) => terminal::print(&format!("{answer}\n")),
        Err(failure) => {
            terminal::complain(&failure.to_string());
            ExitCode::FAILURE
        }
    })
}

fn written(what: Administration, found: &Found) -> Result<Json, Failure> {
    // A file that cannot be made is found before anybody is asked for a PIN.
    let out = found.out.clone().map(|path| made(&path).map(|file| (path, file))).transpose()?;
    let taken = ask(what, found).and_then(|answer| match answer {
        Administered::AuditExport(text) | Administered::Checkpoint(text) => Ok((text, true)),
        Administered::AuditKey(key) => Ok((key, false)),
        Administered::People(_)
        | Administered::Added(_)
        | Administered::Enrolled(_)
        | Administered::Revoked
        | Administered::Audit(_)
        | Administered::BackedUp(_)
        | Administered::Shredded(_) => Err(Failure::Unexpected),
    });
    let Some((path, mut file)) = out else {
        return taken.map(|(key, _)| json!({ "key": key }));
    };
    let kept = taken.and_then(|(text, _)| {
        let whole = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        whole.map_err(|error| Failure::File(path.clone(), error))
    });
    if kept.is_err()
        && let Err(error) = std::fs::remove_file(&path)
    {
        terminal::complain(&format!("{} was left behind: {error}.", path.display()));
    }
    kept.map(|()| json!({ "written": path.display().to_string() }))
}

/// A file that was not there before, for its owner alone.
fn made(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| Failure::File(path.to_owned(), error))
}

fn ask(what: Administration, found: &Found) -> Result<Administered, Failure> {
    let existing = PathBuf::from(CONFIG);
    let path = found.config.clone().or_else(|| existing.exists().then_some(existing));
    let config = path.map_or(Ok(Config::default()), |path| settings(&path))?;
    let given = std::env::var_os("STATE_DIRECTORY").filter(|value| !value.is_empty());
    let state = found.state.clone().or(given.map(PathBuf::from));
    let state = state.unwrap_or_else(|| PathBuf::from(STATE));
    if !found.recovery {
        return with_factors(what, state, &config);
    }
    let options = store::Options::new(&state).with_policy(config.policy);
    let words = terminal::secret("The 24 recovery words: ")?;
    store::administer_with_recovery(&options, &words, what)?.ok_or(Failure::Words)
}

fn settings(path: &Path) -> Result<Config, Failure> {
    let content = read(path, CONFIG_LEN_MAX).ok_or_else(|| Failure::Settings(path.to_owned()))?;
    let (config, ignored) = Config::parse(&String::from_utf8_lossy(&content));
    for why in ignored {
        terminal::complain(&format!("A setting was not used: {why}."));
    }
    Ok(config)
}

fn with_factors(
    what: Administration,
    state: PathBuf,
    config: &Config,
) -> Result<Administered, Failure> {
    use crate::ctl::people::desk::Desk;
    use crate::ctl::people::readers::Readers;
    let mut readers = Readers::start(config)?;
    let mut desk = Desk::open(state, config)?;
    desk.log_in(&mut readers)?;
    let answer = desk.administer(what);
    desk.close()?;
    Ok(answer?)
}
