//! `wardkeepctl users`, `enroll`, `revoke`: IT's work without the screen.
//!
//! The same two factors are asked as at the screen, and the store checks the role. What was done is
//! JSON on standard output; questions go to standard error.

pub(super) mod desk;
pub(super) mod readers;
pub mod roster;
mod words;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use self::desk::{Desk, DeskError};
use self::readers::Readers;
pub use self::words::First;
use self::words::{Enrol, Request, Verb};
use crate::ctl::terminal;
use wardkeep_core::config::Config;
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{
    Administered, Administration, FactorId, FactorKind, NewPin, PersonRow,
};
use wardkeep_model::moment::Moment;
use wardkeep_store as store;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Reader(#[from] readers::ReaderError),
    #[error(transparent)]
    Input(#[from] terminal::InputError),
    #[error("{} cannot be read: {}.", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    #[error("{} is larger than 1 MiB.", .0.display())]
    TooLarge(PathBuf),
    #[error("Nothing was imported: {0}.")]
    List(#[from] roster::ListError),
    #[error("Nothing was added: {0}.")]
    Person(#[from] roster::RowError),
    #[error("Nobody here is called that. `wardkeepctl users list` shows everybody.")]
    Nobody,
    #[error("More than one person is called that. Use the identity that `users list` shows.")]
    Several,
    #[error("This person has no such factor. `wardkeepctl users list` shows them.")]
    NoFactor,
    #[error("The two taps gave different numbers. Nothing was enrolled.")]
    BadgesDiffer,
    #[error("These are not the recovery words of this store.")]
    Words,
    #[error("The store answered something else.")]
    Unexpected,
}

/// Performs the verb whose words are left in `args`.
///
/// Exit code 0 when done, 1 when not, 2 when the words make no sense.
pub fn run(verb: First, args: &mut lexopt::Parser) -> ExitCode {
    let request = match words::parse(verb, args) {
        Ok(request) => request,
        Err(words::UsageError::Words(error)) => {
            return terminal::usage(&terminal::sentence(&error));
        }
        Err(error) => return terminal::usage(&error.to_string()),
    };
    match perform(request) {
        Ok((answer, complete)) => {
            let printed = terminal::print(&format!("{answer}\n"));
            if complete { printed } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            terminal::complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn settings(path: Option<&Path>) -> Result<Config, Failure> {
    let Some(path) = path else { return Ok(Config::default()) };
    let content = read_file(path)?;
    let (config, ignored) = Config::parse(&String::from_utf8_lossy(&content));
    for why in ignored {
        terminal::complain(&format!("A setting was not used: {why}."));
    }
    Ok(config)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let file = File::open(path)
        .and_then(|file| file.take(roster::BYTES_MAX + 1).read_to_end(&mut content));
    let length = file.map_err(|error| Failure::File(path.to_owned(), error))?;
    if u64::try_from(length).is_ok_and(|length| length > roster::BYTES_MAX) {
        return Err(Failure::TooLarge(path.to_owned()));
    }
    Ok(content)
}

/// Does it. False beside the answer: a part was not done, and the answer says which.
fn perform(request: Request) -> Result<(Json, bool), Failure> {
    let config = settings(request.config.as_deref())?;
    if request.recovery {
        return with_recovery(&request, &config);
    }
    // A file that cannot be used is found before anybody is asked for a PIN.
    let list = match &request.verb {
        Verb::Import(file) => roster::read(
            &read_file(file)?,
            Moment::read().wall.to_zoned(TimeZone::system()).date(),
        )?,
        Verb::List | Verb::Add(_) | Verb::Code(_) | Verb::Enrol(..) | Verb::Revoke(..) => vec![],
    };
    let mut readers = Readers::start(&config)?;
    let mut desk = Desk::open(request.state.clone(), &config)?;
    desk.log_in(&mut readers)?;
    let answer = answer(&request.verb, list, (&mut desk, &mut readers));
    desk.close()?;
    answer
}

fn answer(
    verb: &Verb,
    list: Vec<roster::Row>,
    (desk, readers): (&mut Desk, &mut Readers),
) -> Result<(Json, bool), Failure> {
    let done = match verb {
        Verb::List => {
            json!({ "people": people(desk)?.iter().map(person_json).collect::<Vec<_>>() })
        }
        Verb::Add(words) => json!({ "person": identity(add(desk, words.person()?)?) }),
        Verb::Import(_) => return Ok(import(desk, list)),
        Verb::Code(who) => {
            let id = find(desk, who)?;
            code_json(id, desk.administer(Administration::SetPin(id, NewPin::OneTimeCode))?)?
        }
        Verb::Enrol(what, who) => {
            let id = find(desk, who)?;
            enrol(*what, id, desk, readers)?
        }
        Verb::Revoke(who, None) => {
            let id = find(desk, who)?;
            desk.administer(Administration::RevokePerson(id))?;
            json!({ "revoked": identity(id) })
        }
        Verb::Revoke(who, Some(factor)) => {
            let id = find(desk, who)?;
            let person = people(desk)?.into_iter().find(|person| person.id == id);
            let owned = |row: &PersonRow| row.factors.iter().any(|one| one.id == *factor);
            person.filter(owned).ok_or(Failure::NoFactor)?;
            desk.administer(Administration::RevokeFactor(id, *factor))?;
            json!({ "revoked": identity(id), "factor": factor_name(*factor) })
        }
    };
    Ok((done, true))
}

fn people(desk: &mut Desk) -> Result<Vec<PersonRow>, Failure> {
    rows(desk.administer(Administration::ListPeople)?)
}

fn rows(done: Administered) -> Result<Vec<PersonRow>, Failure> {
    if let Administered::People(rows) = done { Ok(rows) } else { Err(Failure::Unexpected) }
}

fn add(desk: &mut Desk, person: wardkeep_model::keeping::NewPerson) -> Result<OperatorId, Failure> {
    let done = desk.administer(Administration::AddPerson(person, None))?;
    if let Administered::Added(id) = done { Ok(id) } else { Err(Failure::Unexpected) }
}

/// Adds everybody of the list that can be added, and reports on every row.
fn import(desk: &mut Desk, list: Vec<roster::Row>) -> (Json, bool) {
    let mut complete = true;
    let rows: Vec<Json> = list
        .into_iter()
        .map(|row| {
            let added = row
                .person
                .map_err(|fault| fault.to_string())
                .and_then(|person| add(desk, person).map_err(|failure| failure.to_string()));
            complete &= added.is_ok();
            match added {
                Ok(id) => json!({ "line": row.line, "person": identity(id), "error": null }),
                Err(error) => json!({ "line": row.line, "person": null, "error": error }),
            }
        })
        .collect();
    (json!({ "rows": rows }), complete)
}

fn enrol(
    what: Enrol,
    id: OperatorId,
    desk: &mut Desk,
    readers: &mut Readers,
) -> Result<Json, Failure> {
    match what {
        Enrol::Badge { code } => {
            terminal::complain("Tap the new badge.");
            let badge = readers.badge()?;
            terminal::complain("Tap it again.");
            if readers.badge()? != badge {
                return Err(Failure::BadgesDiffer);
            }
            let pin = if code { NewPin::OneTimeCode } else { NewPin::Chosen(twice()?) };
            code_json(id, desk.administer(Administration::EnrolBadge(id, badge, pin))?)
        }
        Enrol::Pin => {
            let pin = NewPin::Chosen(twice()?);
            code_json(id, desk.administer(Administration::SetPin(id, pin))?)
        }
        Enrol::Card => {
            terminal::complain("Insert the new card.");
            let seen = readers.card()?;
            terminal::complain(&format!("The card belongs to {}.", seen.subject.reveal()));
            let pin = desk::pin("The card's PIN: ")?;
            let enrolment = readers.enrol_card(desk.next(), seen.card, pin)?;
            code_json(id, desk.administer(Administration::EnrolCard(id, enrolment))?)
        }
        Enrol::Finger(finger) => {
            terminal::complain("Lay the finger on the reader, and lift it each time you are told.");
            let template = readers.enrol_finger(desk.next(), finger)?;
            code_json(id, desk.administer(Administration::EnrolFinger(id, template))?)
        }
    }
}

fn twice() -> Result<wardkeep_model::access::factor::Pin, Failure> {
    let pin = desk::pin("The person's new PIN: ")?;
    if desk::pin("The same PIN again: ")? != pin {
        return Err(DeskError::PinsDiffer.into());
    }
    Ok(pin)
}

/// The recovery words instead of two factors: a new PIN for somebody, by one-time code.
fn with_recovery(request: &Request, config: &Config) -> Result<(Json, bool), Failure> {
    let options = store::Options::new(&request.state).with_policy(config.policy);
    let words = terminal::secret("The 24 recovery words: ")?;
    let done = |what| {
        let done = store::administer_with_recovery(&options, &words, what);
        done.map_err(DeskError::from)?.ok_or(Failure::Words)
    };
    let rows = rows(done(Administration::ListPeople)?)?;
    match &request.verb {
        Verb::Code(who) => {
            let id = named(&rows, who)?;
            let what = Administration::SetPin(id, NewPin::OneTimeCode);
            Ok((code_json(id, done(what)?)?, true))
        }
        Verb::Enrol(Enrol::Badge { .. }, who) => {
            let id = named(&rows, who)?;
            let mut readers = Readers::start(config)?;
            terminal::complain("Tap the new badge.");
            let badge = readers.badge()?;
            let what = Administration::EnrolBadge(id, badge, NewPin::OneTimeCode);
            Ok((code_json(id, done(what)?)?, true))
        }
        Verb::List | Verb::Add(_) | Verb::Import(_) | Verb::Enrol(..) | Verb::Revoke(..) => {
            Ok((json!({ "people": rows.iter().map(person_json).collect::<Vec<_>>() }), true))
        }
    }
}

fn find(desk: &mut Desk, who: &str) -> Result<OperatorId, Failure> {
    named(&people(desk)?, who)
}

/// The person with this identity or name.
fn named(rows: &[PersonRow], who: &str) -> Result<OperatorId, Failure> {
    let wanted = who.to_lowercase();
    let mut found = rows.iter().filter(|person| {
        identity(person.id) == wanted || person.name.reveal().to_lowercase() == wanted
    });
    match (found.next(), found.next()) {
        (Some(person), None) => Ok(person.id),
        (Some(_), Some(_)) => Err(Failure::Several),
        (None, _) => Err(Failure::Nobody),
    }
}

fn identity(id: OperatorId) -> String {
    format!("{:032x}", id.0)
}

fn factor_name(id: FactorId) -> String {
    format!("{:032x}", id.0)
}

fn code_json(id: OperatorId, done: Administered) -> Result<Json, Failure> {
    let Administered::Enrolled(code) = done else { return Err(Failure::Unexpected) };
    let code = code.as_ref().map(|code| code.expose().as_str());
    Ok(json!({ "person": identity(id), "one_time_code": code }))
}

fn person_json(person: &PersonRow) -> Json {
    let factors: Vec<Json> = person
        .factors
        .iter()
        .map(|factor| {
            let (kind, detail) = match &factor.kind {
                FactorKind::Badge => ("badge", None),
                FactorKind::Card(subject) => ("card", Some(subject.reveal().clone())),
                FactorKind::Finger(finger) => {
                    ("finger", Some(words::finger_word(*finger).to_owned()))
                }
            };
            json!({
                "id": factor_name(factor.id),
                "kind": kind,
                "detail": detail,
                "since": factor.since.to_string(),
            })
        })
        .collect();
    json!({
        "id": identity(person.id),
        "name": person.name.reveal(),
        "initials": person.initials,
        "role": person.role,
        "valid_until": person.valid_until.map(|day| day.to_string()),
        "tries_left": person.tries_left,
        "has_code": person.has_code,
        "factors": factors,
    })
}
