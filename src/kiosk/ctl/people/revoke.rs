//! `wardkeepctl revoke`: takes a person away, or one of their factors, and changes the vault's keys.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::ctl::access::{factor_identity, identity, named};
use crate::ctl::args::Places;
use crate::ctl::factors::Desk;
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::people::error::PeopleError;
use crate::ctl::people::{at_the_desk, everybody};
use crate::ctl::progress;
use wardkeep_model::keeping::{Administration, FactorId};
use wardkeep_store as store;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl revoke \"Amara Kone\"
  wardkeepctl revoke \"Amara Kone\" --factor 0f1e2d3c4b5a69788796a5b4c3d2e1f0

This asks for your badge or card and your PIN. The recovery words cannot take anybody away.";

/// Whom or what to take away.
#[derive(Args, Clone, Debug)]
pub struct Revoke {
    /// The person's name or identity
    person: String,
    /// Only this factor, by the identity that `users list` shows
    #[arg(long, value_name = "ID", value_parser = factor)]
    factor: Option<FactorId>,
    #[command(flatten)]
    places: Places,
}

fn factor(text: &str) -> Result<FactorId, &'static str> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    number.map(FactorId).ok_or("is an identity that `users list` shows")
}

impl Revoke {
    /// Does it.
    ///
    /// # Errors
    /// It was not done; everybody still has what they had.
    pub fn run(self) -> Result<Answer, Failure> {
        at_the_desk(&self.places, |desk| self.revoke(desk)).map(Answer::from)
    }

    fn revoke(&self, desk: &mut Desk) -> Result<Json, Failure> {
        let rows = everybody(desk)?;
        let person = named(&rows, &self.person)?;
        let (what, done) = match self.factor {
            None => {
                (Administration::RevokePerson(person.id), json!({ "revoked": identity(person.id) }))
            }
            Some(factor) => {
                if !person.factors.iter().any(|one| one.id == factor) {
                    return Err(PeopleError::NoFactor.into());
                }
                let done = json!({
                    "revoked": identity(person.id),
                    "factor": factor_identity(factor),
                });
                (Administration::RevokeFactor(person.id, factor), done)
            }
        };
        let about = store::inspect(&self.places.state())?.vault_bytes;
        progress::writing("Changing the keys of the store", about, || desk.administer(what))?;
        Ok(done)
    }
}
