//! `wardkeepctl store restore`: a store of a backup. Nobody's factors are known on a machine without a
//! store, so it asks for the recovery words always and has no option for it.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};

use crate::ctl::access::{self, identity, options, recovery_words};
use crate::ctl::args::Places;
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::{progress, terminal};
use wardkeep_model::access::Role;
use wardkeep_store::{self as store, Restored};

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store restore --from /media/usb/cart-7.backup

The machine has no store yet; `wardkeepctl store aside` moves one out of the way.";

/// Which backup.
#[derive(Args, Clone, Debug)]
pub struct Restore {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    places: Places,
}

impl Restore {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let options = options(&self.places, &access::settings(&self.places)?);
        let words = recovery_words()?;
        // Once as it is in the backup, once under the new store's key; what is missing is told below.
        let about = 2 * self.from.metadata().map_or(0, |file| file.len());
        let restored = progress::writing("Restoring the backup", about, || {
            store::restore_with_recovery(&options, &words, &self.from)
        })?;
        Ok(restored_json(&restored).into())
    }
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
