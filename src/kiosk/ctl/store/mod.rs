//! `wardkeepctl store`: backup, restore, check, setting aside, and destroying one patient.
//!
//! They work while the kiosk is stopped. Whoever asks gives two factors, or the 24 recovery words. What
//! was done is JSON on standard output; questions and progress go to standard error.

mod factors;
mod words;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value as Json, json};

use self::words::{Request, UsageError, Verb};
use crate::ctl::terminal;
use wardkeep_core::config::Config;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{
    Administered, Administration, AdministrationFault, BackupOrder, PersonRow, RecoveryPhrase,
    StoreFault,
};
use wardkeep_model::moment::Moment;
use wardkeep_store::{self as store, BackupFault, Check, CheckFault, Options, Restored};

/// Progress is told once a command takes longer.
const SILENT: Duration = Duration::from_secs(1);
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
const IN_USE: &str = "The kiosk on this cart is running and holds the store. Stop it first \
                      (systemctl stop wardkeep).";

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Input(#[from] terminal::InputError),
    #[error("{} cannot be read: {}.", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    #[error("There is no store in {}.", .0.display())]
    NoStore(PathBuf),
    #[error("{}", store_sentence(*.0))]
    Store(StoreFault),
    #[error("{}", backup_sentence(*.0))]
    Backup(BackupFault),
    #[error("{}", administration_sentence(*.0))]
    NotDone(AdministrationFault),
    #[error("These are not the recovery words of this store.")]
    Words,
    #[error("Nobody here is called {0}. `wardkeepctl users list` shows everybody.")]
    Nobody(String),
    #[error("More than one person is called {0}. Use the identity that `users list` shows.")]
    Several(String),
    #[error("Not confirmed. Nothing was done.")]
    NotConfirmed,
    #[error("Your role does not allow it.")]
    NotAllowed,
    #[error("The store answered something else.")]
    Unexpected,
    #[error(transparent)]
    Factors(#[from] factors::FactorsError),
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Self {
        Failure::Store(fault)
    }
}

fn store_sentence(fault: StoreFault) -> String {
    match fault {
        StoreFault::InUse => IN_USE.to_owned(),
        StoreFault::Full => "The disk is full. Make room and try again.".to_owned(),
        StoreFault::Damaged => "The store is damaged. `wardkeepctl store check --recovery` says \
                                where; `store aside` and `store restore` replace it."
            .to_owned(),
        StoreFault::Later => {
            "A later program wrote this store. Install that program again; nothing \
                              is lost."
                .to_owned()
        }
        StoreFault::ReadOnly
        | StoreFault::Foreign
        | StoreFault::WrongDeviceSecret
        | StoreFault::Io
        | StoreFault::NoCipher => format!("The store cannot be used: {fault}."),
    }
}

fn backup_sentence(fault: BackupFault) -> String {
    match fault {
        BackupFault::Store(fault) => store_sentence(fault),
        BackupFault::StoreExists => "There is a store already. `wardkeepctl store aside` moves it \
                                     out of the way."
            .to_owned(),
        BackupFault::NotForYou => {
            "These are not the recovery words that this backup is sealed to.".to_owned()
        }
        BackupFault::Foreign
        | BackupFault::Version(_)
        | BackupFault::Damaged
        | BackupFault::Exists => format!("Nothing was written: {fault}."),
    }
}

fn administration_sentence(fault: AdministrationFault) -> String {
    if let AdministrationFault::Store(fault) = fault {
        return store_sentence(fault);
    }
    format!("It was not done: {fault}.")
}

/// Performs the verb whose words are left in `args`.
///
/// Exit code 0 when done and nothing is wrong, 1 when not, 2 when the words make no sense.
pub fn run(args: &mut lexopt::Parser) -> ExitCode {
    let request = match words::parse(args) {
        Ok(request) => request,
        Err(UsageError::Words(error)) => return terminal::usage(&terminal::sentence(&error)),
        Err(error) => return terminal::usage(&error.to_string()),
    };
    match perform(&request) {
        Ok((answer, good)) => {
            let printed = terminal::print(&format!("{answer}\n"));
            if good { printed } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            terminal::complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn settings(path: Option<&Path>) -> Result<Config, Failure> {
    let Some(path) = path else { return Ok(Config::default()) };
    let mut content = String::new();
    let read =
        File::open(path).and_then(|file| file.take(CONFIG_BYTES_MAX).read_to_string(&mut content));
    read.map_err(|error| Failure::File(path.to_owned(), error))?;
    let (config, ignored) = Config::parse(&content);
    for why in ignored {
        terminal::complain(&format!("A setting was not used: {why}."));
    }
    Ok(config)
}

/// Does it. False beside the answer: something is wrong, and the answer says what.
fn perform(request: &Request) -> Result<(Json, bool), Failure> {
    let config = settings(request.config.as_deref())?;
    let options = || Options::new(&request.state).with_policy(config.policy);
    if let Verb::Restore(from) = &request.verb {
        let words = recovery_words()?;
        let restored = store::restore_with_recovery(&options(), &words, from);
        return Ok((restored_json(&restored.map_err(Failure::Backup)?), true));
    }
    if let Verb::Check(Some(backup)) = &request.verb {
        return Ok((verify(request, &config, backup)?, true));
    }
    if !store::inspect(&request.state)?.exists {
        return Err(Failure::NoStore(request.state.clone()));
    }
    match &request.verb {
        Verb::Aside { yes } => aside(&options(), *yes),
        Verb::Check(_) => {
            let checks = check(request, &config, &options())?;
            let ok = checks.iter().all(|check| check.ok);
            Ok((json!({ "ok": ok, "checks": checks }), ok))
        }
        Verb::Backup { out, to } => {
            if out.symlink_metadata().is_ok() {
                return Err(Failure::Backup(BackupFault::Exists));
            }
            let done = administer(request, &config, |rows| {
                let to = to.iter().map(|who| named(rows, who)).collect::<Result<_, _>>()?;
                Ok(Administration::BackUp(BackupOrder { out: out.clone(), to }))
            })?;
            Ok((backed_up(out, done)?, true))
        }
        Verb::Shred(mrn) => {
            confirm_number(mrn)?;
            let done = administer(request, &config, |_| Ok(Administration::Shred(mrn.clone())))?;
            let Administered::Shredded(subject) = done else { return Err(Failure::Unexpected) };
            terminal::complain("Backups that were written before still hold this patient.");
            Ok((json!({ "shredded": format!("{:032x}", subject.0) }), true))
        }
        Verb::Restore(_) => Err(Failure::Unexpected),
    }
}

fn recovery_words() -> Result<RecoveryPhrase, Failure> {
    Ok(terminal::secret("The 24 recovery words: ")?)
}

/// Does one act with two factors or the recovery words, once everybody is known by name.
fn administer(
    request: &Request,
    config: &Config,
    what: impl FnOnce(&[PersonRow]) -> Result<Administration, Failure>,
) -> Result<Administered, Failure> {
    if !request.recovery {
        return factors::administer(&request.state, config, what);
    }
    let options = Options::new(&request.state).with_policy(config.policy);
    let words = recovery_words()?;
    let done = |what| {
        let done = store::administer_with_recovery(&options, &words, what);
        done.map_err(Failure::NotDone)?.ok_or(Failure::Words)
    };
    let Administered::People(rows) = done(Administration::ListPeople)? else {
        return Err(Failure::Unexpected);
    };
    done(what(&rows)?)
}

fn check(request: &Request, config: &Config, options: &Options) -> Result<Vec<Check>, Failure> {
    let begun = Moment::read().boot;
    let mut progress = |name: &'static str| {
        if Moment::read().boot.since(begun) >= SILENT {
            terminal::complain(&format!("Looking at: {name}."));
        }
    };
    if !request.recovery {
        return factors::check(options, config, &mut progress);
    }
    store::check_with_recovery(options, &recovery_words()?, &mut progress).map_err(not_checked)
}

fn not_checked(fault: CheckFault) -> Failure {
    match fault {
        CheckFault::Words => Failure::Words,
        CheckFault::Store(fault) => Failure::Store(fault),
        CheckFault::NotAllowed | CheckFault::Refused(_) => Failure::NotAllowed,
    }
}

/// Reads a backup from end to end.
fn verify(request: &Request, config: &Config, path: &Path) -> Result<Json, Failure> {
    let open = || {
        let file = File::open(path).map_err(|error| Failure::File(path.to_owned(), error));
        file.map(BufReader::new)
    };
    let front = store::read_backup_front(open()?).map_err(Failure::Backup)?;
    terminal::complain(&format!("A backup of {}.", front.written));
    let written = if request.recovery {
        store::verify_backup_with_recovery(open()?, &recovery_words()?)
    } else {
        {
            let options = Options::new(&request.state).with_policy(config.policy);
            factors::verify(&options, config, open()?)?
        }
    };
    let written = written.map_err(Failure::Backup)?.to_string();
    Ok(json!({ "backup": path, "written": written, "whole": true }))
}

fn aside(options: &Options, yes: bool) -> Result<(Json, bool), Failure> {
    if !yes {
        terminal::complain(
            "The store is moved aside as it is; nothing is deleted. The kiosk then starts without a \
             store: a first start or `wardkeepctl store restore` follows.",
        );
        if terminal::typed("Type `aside` to go on: ")? != "aside" {
            return Err(Failure::NotConfirmed);
        }
    }
    let place = store::set_aside(options.state_dir())?;
    Ok((json!({ "aside": place }), true))
}

/// The patient's number once more: a slip of a finger must not destroy another one.
fn confirm_number(mrn: &Phi<String>) -> Result<(), Failure> {
    terminal::complain(
        "Everything that was recorded of this patient on this cart will be unreadable for ever.",
    );
    if terminal::typed("Type the patient's number again: ")? == mrn.reveal().trim() {
        Ok(())
    } else {
        Err(Failure::NotConfirmed)
    }
}

/// The person with this identity, name or initials.
fn named(rows: &[PersonRow], who: &str) -> Result<OperatorId, Failure> {
    let wanted = who.to_lowercase();
    let mut found = rows.iter().filter(|person| {
        identity(person.id) == wanted
            || person.name.reveal().to_lowercase() == wanted
            || person.initials.to_lowercase() == wanted
    });
    match (found.next(), found.next()) {
        (Some(person), None) => Ok(person.id),
        (Some(_), Some(_)) => Err(Failure::Several(who.to_owned())),
        (None, _) => Err(Failure::Nobody(who.to_owned())),
    }
}

fn identity(id: OperatorId) -> String {
    format!("{:032x}", id.0)
}

fn backed_up(out: &Path, done: Administered) -> Result<Json, Failure> {
    let Administered::BackedUp(done) = done else { return Err(Failure::Unexpected) };
    let to: Vec<String> = done.to.iter().map(|id| identity(*id)).collect();
    Ok(json!({
        "backup": out,
        "bytes": done.bytes,
        "written": done.written.to_string(),
        "sealed_to": { "recovery": true, "people": to },
    }))
}

fn restored_json(restored: &Restored) -> Json {
    let people: Vec<Json> = restored
        .people
        .iter()
        .map(|person| {
            json!({
                "id": identity(person.part.id),
                "name": person.name.reveal(),
                "initials": person.part.initials,
                "role": person.part.role,
            })
        })
        .collect();
    let it = restored.people.iter().find(|person| person.part.role == Role::It);
    let who = it.map_or_else(String::new, |person| person.name.reveal().clone());
    let next = format!("wardkeepctl enroll \"{who}\" badge --recovery");
    terminal::complain(&format!(
        "Restored. Nobody has a badge here yet. Next: {next} - it gives a one-time code; log in with \
         it at the kiosk, choose a PIN, and enrol everybody else's badges and cards.",
    ));
    json!({ "restored": { "written": restored.written.to_string(), "people": people }, "next": next })
}
