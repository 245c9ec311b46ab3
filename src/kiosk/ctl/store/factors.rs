//! Two factors at the command line for `wardkeepctl store`.

use std::io::BufRead;
use std::path::Path;

use jiff::Timestamp;

use crate::ctl::people::desk::{self, Desk, DeskError};
use crate::ctl::people::readers::{ReaderError, Readers, Seen};
use crate::ctl::store::Failure;
use crate::ctl::terminal;
use wardkeep_core::config::Config;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::access::factor::{Evidence, Token};
use wardkeep_model::keeping::{Administered, Administration, PersonRow};
use wardkeep_model::moment::Moment;
use wardkeep_store::{BackupFault, Check, CheckFault, LockedStore, Options};

/// Why two factors did not lead to it.
#[derive(Debug, thiserror::Error)]
pub enum FactorsError {
    /// At the desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// At a reader.
    #[error(transparent)]
    Reader(#[from] ReaderError),
}

/// Does one act for an IT person.
///
/// # Errors
/// It was not done.
pub fn administer(
    state: &Path,
    config: &Config,
    what: impl FnOnce(&[PersonRow]) -> Result<Administration, Failure>,
) -> Result<Administered, Failure> {
    let mut readers = Readers::start(config).map_err(FactorsError::from)?;
    let mut desk = Desk::open(state.to_owned(), config).map_err(FactorsError::from)?;
    desk.log_in(&mut readers).map_err(FactorsError::from)?;
    let done = asked(&mut desk, what);
    desk.close().map_err(FactorsError::from)?;
    done
}

fn asked(
    desk: &mut Desk,
    what: impl FnOnce(&[PersonRow]) -> Result<Administration, Failure>,
) -> Result<Administered, Failure> {
    let rows = desk.administer(Administration::ListPeople).map_err(FactorsError::from)?;
    let Administered::People(rows) = rows else { return Err(Failure::Unexpected) };
    Ok(desk.administer(what(&rows)?).map_err(FactorsError::from)?)
}

/// Checks the store for somebody who may see how this cart is set up.
///
/// # Errors
/// It was not checked.
pub fn check(
    options: &Options,
    config: &Config,
    progress: &mut dyn FnMut(&'static str),
) -> Result<Vec<Check>, Failure> {
    let mut store = LockedStore::open(options)?;
    let evidence = present(config, &mut store)?;
    let checked = store.check(options, (evidence, Moment::read()), progress);
    checked.map_err(|fault| match fault {
        CheckFault::Refused(refusal) => FactorsError::from(desk::refused(refusal)).into(),
        CheckFault::Words | CheckFault::NotAllowed | CheckFault::Store(_) => {
            crate::ctl::store::not_checked(fault)
        }
    })
}

/// Reads a backup for somebody it is sealed to, on the machine where their factors work.
///
/// # Errors
/// The factors were refused; what is wrong with the backup is the inner value.
pub fn verify(
    options: &Options,
    config: &Config,
    input: impl BufRead,
) -> Result<Result<Timestamp, BackupFault>, Failure> {
    let mut store = LockedStore::open(options)?;
    let evidence = present(config, &mut store)?;
    let verified = store.verify_backup((evidence, Moment::read()), input);
    verified.map_err(|refusal| FactorsError::from(desk::refused(refusal)).into())
}

/// Waits for two factors.
fn present(config: &Config, store: &mut LockedStore) -> Result<Evidence, Failure> {
    let mut readers = Readers::start(config).map_err(FactorsError::from)?;
    terminal::complain("Tap your badge, or insert your card.");
    let token = match readers.present().map_err(FactorsError::from)? {
        Seen::Badge(badge) => Token::Badge(badge),
        Seen::Card(seen) => Token::Card(seen.card),
    };
    let identified = store.identify(&token, Moment::read())?;
    desk::admitted(identified.admission).map_err(FactorsError::from)?;
    let pin = desk::pin("Your PIN: ")?;
    match token {
        Token::Badge(badge) => Ok(Evidence::BadgePin(badge, pin)),
        Token::Card(card) => {
            let peer = identified.peer.ok_or(Failure::NotAllowed)?;
            let secret = readers.prove(Attempt(1), card, pin, peer).map_err(FactorsError::from)?;
            Ok(Evidence::Card(card, secret))
        }
    }
}
