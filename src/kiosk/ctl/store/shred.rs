//! `wardkeepctl store shred`: destroys the data key of one patient.

use clap::Args;
use serde_json::json;

use crate::ctl::access;
use crate::ctl::args::{Entrance, Places};
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::{progress, terminal};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::{Administered, Administration};
use wardkeep_store as store;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store shred --mrn 4711-0815
  wardkeepctl store shred --mrn 4711-0815 --recovery

The number is asked for again. Backups that were written before still hold the patient.";

/// Whose.
#[derive(Args, Clone, Debug)]
pub struct Shred {
    /// The patient's number
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    mrn: Phi<String>,
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

fn number(text: &str) -> Result<Phi<String>, &'static str> {
    if text.trim().is_empty() { Err("is a number") } else { Ok(Phi::new(text.to_owned())) }
}

impl Shred {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let state = self.places.state();
        // Before the number is asked for: there may be nothing to destroy.
        if !store::inspect(&state)?.exists {
            return Err(Failure::NoStore(state));
        }
        confirm(&self.mrn)?;
        let done = access::with(&self.places, self.entrance, |access| {
            progress::lasting("Destroying the patient's key", || {
                access.administer(Administration::Shred(self.mrn.clone()))
            })
        })?;
        let Administered::Shredded(subject) = done else { return Err(Failure::Unexpected) };
        terminal::complain("Backups that were written before still hold this patient.");
        Ok(json!({ "shredded": format!("{:032x}", subject.0) }).into())
    }
}

/// The patient's number once more: a slip of a finger must not destroy another one.
fn confirm(mrn: &Phi<String>) -> Result<(), Failure> {
    terminal::complain(
        "Everything that was recorded of this patient on this cart will be unreadable for ever.",
    );
    if terminal::typed("Type the patient's number again: ")? == mrn.reveal().trim() {
        Ok(())
    } else {
        Err(Failure::NotConfirmed)
    }
}
