//! `wardkeepctl users`: who may log in at this cart.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use crate::ctl::access::{self, factor_identity, identity, named};
use crate::ctl::args::{Entrance, Places, one_of};
use crate::ctl::factors::Desk;
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::people::error::PeopleError;
use crate::ctl::people::{at_the_desk, code_json, enroll, everybody, roster};
use crate::ctl::progress::Progress;
use crate::text::bytes_of;
use wardkeep_model::access::{OperatorId, Role};
use wardkeep_model::keeping::{
    Administered, Administration, FactorKind, NewPerson, NewPin, PersonRow,
};
use wardkeep_model::moment::Moment;
use wardkeep_model::untrusted;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl users list
  wardkeepctl users add \"Amara Kone\" --role nurse
  wardkeepctl users import people.csv
  wardkeepctl users code \"Amara Kone\"

These ask for your badge or card and your PIN.";

const LIST_EXAMPLES: &str = "\
Examples:
  wardkeepctl users list
  wardkeepctl users list --recovery
  wardkeepctl users list | jq -r '.people[] | [.id, .name, .role] | @tsv'";

const ADD_EXAMPLES: &str = "\
Examples:
  wardkeepctl users add \"Amara Kone\" --role nurse
  wardkeepctl users add \"Jo Weiss\" --role it --initials JW --valid-until 2027-12-31";

const IMPORT_EXAMPLES: &str = "\
Examples:
  wardkeepctl users import people.csv

The file's first line names its columns: name and role, and if you like initials and valid_until:
  name,role,initials,valid_until
  Amara Kone,nurse,AK,2027-12-31";

const CODE_EXAMPLES: &str = "\
Examples:
  wardkeepctl users code \"Amara Kone\"
  wardkeepctl users code \"Amara Kone\" --recovery";

/// Verbs after `users`.
#[derive(Subcommand, Clone, Debug)]
pub enum Users {
    /// Print everybody with their factors
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// Add a person
    #[command(after_help = ADD_EXAMPLES)]
    Add(Add),
    /// Add the people of a CSV file, with a report on every row
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Import),
    /// Give a person a one-time code instead of a lost PIN
    #[command(after_help = CODE_EXAMPLES)]
    Code(Code),
}

/// `users list`.
#[derive(Args, Clone, Debug)]
pub struct List {
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

/// `users add`.
#[derive(Args, Clone, Debug)]
pub struct Add {
    /// The person's full name
    name: String,
    /// What the person may do
    #[arg(long, ignore_case = true, value_parser = one_of(roster::ROLES))]
    role: Role,
    /// One to three letters; made from the name if they are not given
    #[arg(long, value_name = "LETTERS")]
    initials: Option<String>,
    /// Last day on which the person may log in, as YYYY-MM-DD
    #[arg(long, value_name = "DAY", value_parser = day)]
    valid_until: Option<Date>,
    #[command(flatten)]
    places: Places,
}

/// `users import`.
#[derive(Args, Clone, Debug)]
pub struct Import {
    /// The list, as CSV
    file: PathBuf,
    #[command(flatten)]
    places: Places,
}

/// `users code`.
#[derive(Args, Clone, Debug)]
pub struct Code {
    /// The person's name or identity
    person: String,
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

fn day(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "is a day as YYYY-MM-DD")
}

impl Users {
    /// Does it.
    ///
    /// # Errors
    /// It was not done.
    pub fn run(self) -> Result<Answer, Failure> {
        match self {
            Users::List(List { entrance, places }) => {
                let rows = access::with(&places, entrance, |access| access.people())?;
                let people: Vec<Json> = rows.iter().map(person_json).collect();
                Ok(json!({ "people": people }).into())
            }
            Users::Add(verb) => verb.run(),
            Users::Import(verb) => verb.run(),
            Users::Code(Code { person, entrance, places }) => {
                access::with(&places, entrance, |access| {
                    let id = named(&access.people()?, &person)?.id;
                    let what = Administration::SetPin(id, NewPin::OneTimeCode);
                    Ok(code_json(id, access.administer(what)?)?.into())
                })
            }
        }
    }
}

impl Add {
    fn run(self) -> Result<Answer, Failure> {
        let initials = self.initials.as_deref();
        // A name that cannot be used is found before anybody is asked for a PIN.
        let person = roster::named(&self.name, initials, self.role, self.valid_until);
        let person = person.map_err(PeopleError::from)?;
        let id = at_the_desk(&self.places, |desk| add(desk, person))?;
        Ok(json!({ "person": identity(id) }).into())
    }
}

impl Import {
    fn run(self) -> Result<Answer, Failure> {
        // A file that cannot be used is found before anybody is asked for a PIN.
        let today = Moment::read().wall.to_zoned(TimeZone::system()).date();
        let list = roster::read(&read_list(&self.file)?, today).map_err(PeopleError::from)?;
        at_the_desk(&self.places, |desk| import(desk, list))
    }
}

fn read_list(path: &Path) -> Result<Vec<u8>, Failure> {
    let content = bytes_of(path, roster::BYTES_MAX);
    content.map_err(|error| Failure::File(path.to_owned(), error))
}

fn add(desk: &mut Desk, person: NewPerson) -> Result<OperatorId, Failure> {
    let done = desk.administer(Administration::AddPerson(person, None))?;
    if let Administered::Added(id) = done { Ok(id) } else { Err(Failure::Unexpected) }
}

/// Adds everybody of the list that can be added and is not here yet, and reports on every row.
fn import(desk: &mut Desk, list: Vec<roster::Row>) -> Result<Answer, Failure> {
    let here = everybody(desk)?;
    let mut progress = Progress::begin("Adding people");
    let (of, mut whole) = (list.len(), true);
    let row_json = |(done, row): (usize, roster::Row)| {
        progress.tell(|| format!("{done} of {of} rows."));
        let added =
            row.person.map_err(|fault| fault.to_string()).and_then(|person| {
                match already(&here, &person) {
                    Some(id) => id.map(|id| (id, true)),
                    None => match add(desk, person) {
                        Ok(id) => Ok((id, false)),
                        Err(failure) => Err(failure.to_string()),
                    },
                }
            });
        whole &= added.is_ok();
        match added {
            Ok((id, already)) => {
                let id = identity(id);
                json!({ "line": row.line, "person": id, "already": already, "error": null })
            }
            Err(error) => {
                json!({ "line": row.line, "person": null, "already": false, "error": error })
            }
        }
    };
    let rows: Vec<Json> = list.into_iter().enumerate().map(row_json).collect();
    Ok(Answer { json: json!({ "rows": rows }), whole })
}

/// Who is called this already. Somebody of another role is not made another person by a list.
fn already(here: &[PersonRow], new: &NewPerson) -> Option<Result<OperatorId, String>> {
    let name = untrusted::comparable(new.name.reveal());
    let mut called = here.iter().filter(|row| untrusted::comparable(row.name.reveal()) == name);
    let first = called.next()?;
    let same = std::iter::once(first).chain(called).find(|row| row.role == new.role);
    Some(same.map(|row| row.id).ok_or_else(|| {
        let role = format!("{:?}", first.role).to_lowercase();
        format!("somebody of this name is here already, as {role}")
    }))
}

fn person_json(person: &PersonRow) -> Json {
    let factors: Vec<Json> = person
        .factors
        .iter()
        .map(|factor| {
            let (kind, detail) = match &factor.kind {
                FactorKind::Badge => ("badge", None),
                FactorKind::Card(subject) => ("card", Some(subject.reveal().as_str())),
                FactorKind::Finger(finger) => ("finger", Some(enroll::finger_word(*finger))),
            };
            json!({
                "id": factor_identity(factor.id),
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
