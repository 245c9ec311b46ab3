//! `wardkeepctl store accept`: a store that something outside it speaks against is taken as it is.

use clap::Args;
use serde_json::json;

use crate::ctl::access::{options, recovery_words, settings};
use crate::ctl::args::Places;
use crate::ctl::factors::readers::Readers;
use crate::ctl::factors::token;
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::terminal;
use wardkeep_model::moment::Moment;
use wardkeep_store::Suspected;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store accept

It asks for the 24 recovery words and the badge or card of an IT person. Find out first who had the disk: people
who were revoked since may be enrolled in this store, and records that were made since are not in it.";

/// Where the store is.
#[derive(Args, Clone, Debug)]
pub struct Accept {
    #[command(flatten)]
    places: Places,
}

impl Accept {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let config = settings(&self.places)?;
        let options = options(&self.places, &config);
        if !wardkeep_store::inspect(options.state_dir())?.exists {
            return Err(Failure::NoStore(self.places.state()));
        }
        let suspected = Suspected::open(&options, Moment::read())?;
        if suspected.against.is_empty() {
            return Err(Failure::Refused("Nothing speaks against this store. Nothing was done."));
        }
        let against = suspected.against.clone();
        for finding in &against {
            let number = |number: Option<u64>| number.map_or("none".into(), |n| n.to_string());
            terminal::complain(&format!(
                "{}: found no. {}, expected no. {}.",
                json!(finding.kind).as_str().unwrap_or("finding"),
                number(finding.found),
                number(finding.expected),
            ));
        }
        let words = recovery_words()?;
        let mut readers = Readers::start(&config)?;
        let token = token(&mut readers)?;
        suspected.accept(&words, &token, Moment::read())?;
        Ok(json!({ "accepted": against }).into())
    }
}
