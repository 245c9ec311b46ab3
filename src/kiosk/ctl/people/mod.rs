//! `wardkeepctl users`, `enroll`, `revoke`: IT's work without the screen.
//!
//! The same two factors are asked as at the screen, and the store checks the role. What was done is
//! JSON on standard output; questions go to standard error.

pub mod enroll;
pub mod revoke;
pub mod roster;
pub mod users;

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::ctl::access::{identity, named, settings};
use crate::ctl::args::Places;
use crate::ctl::factors::Desk;
use crate::ctl::failure::Failure;
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{Administered, Administration, PersonRow};

/// Why people or factors that IT gave cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// A list that is no list.
    #[error("{} is larger than 1 MiB.", .0.display())]
    TooLarge(PathBuf),
    /// A list that is not used.
    #[error("Nothing was imported: {0}.")]
    List(#[from] roster::ListError),
    /// A person who is not added.
    #[error("Nothing was added: {0}.")]
    Person(#[from] roster::RowError),
    /// A factor of somebody else, or of nobody.
    #[error("This person has no such factor. `wardkeepctl users list` shows them.")]
    NoFactor,
    /// Not one badge, or one that has another number each time.
    #[error("The two taps gave different numbers. Nothing was enrolled.")]
    BadgesDiffer,
    /// The two entries differ.
    #[error("The two PINs differ. Nothing was changed.")]
    PinsDiffer,
}

/// Has the work done by an IT person with two factors, and closes the store.
fn at_the_desk<T>(
    places: &Places,
    work: impl FnOnce(&mut Desk) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut desk = Desk::log_in(places, &settings(places)?)?;
    let done = work(&mut desk);
    desk.close()?;
    done
}

fn everybody(desk: &mut Desk) -> Result<Vec<PersonRow>, Failure> {
    let done = desk.administer(Administration::ListPeople)?;
    if let Administered::People(rows) = done { Ok(rows) } else { Err(Failure::Unexpected) }
}

fn find(desk: &mut Desk, who: &str) -> Result<OperatorId, Failure> {
    Ok(named(&everybody(desk)?, who)?.id)
}

fn code_json(id: OperatorId, done: Administered) -> Result<Json, Failure> {
    let Administered::Enrolled(code) = done else { return Err(Failure::Unexpected) };
    let code = code.as_ref().map(|code| code.expose().as_str());
    Ok(json!({ "person": identity(id), "one_time_code": code }))
}
