//! `wardkeepctl users`, `enroll`, `revoke`: IT's work without the screen.
//!
//! The same two factors are asked as at the screen, and the store checks the role. What was done is
//! JSON on standard output; questions go to standard error.

pub mod enroll;
pub mod error;
pub mod revoke;
pub mod roster;
pub mod users;

use serde_json::{Value as Json, json};

use crate::ctl::access::{identity, named, settings};
use crate::ctl::args::Places;
use crate::ctl::factors::Desk;
use crate::ctl::failure::Failure;
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{Administered, Administration, PersonRow};

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
