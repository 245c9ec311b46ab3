//! `wardkeepctl store aside`: a store that does not open, out of the way as it is.

use clap::Args;
use serde_json::json;

use crate::ctl::access::settings;
use crate::ctl::args::Places;
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::terminal;
use wardkeep_store as store;

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store aside
  wardkeepctl store aside --yes";

/// Whether to ask.
#[derive(Args, Clone, Debug)]
pub struct Aside {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    places: Places,
}

impl Aside {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        // Nothing is taken of them, but a file that cannot be read is told before anything is moved.
        settings(&self.places)?;
        let state = self.places.state();
        if !store::inspect(&state)?.exists {
            return Err(Failure::NoStore(state));
        }
        if !self.yes {
            terminal::complain(
                "The store is moved aside as it is; nothing is deleted. The kiosk then starts without \
                 a store: a first start or `wardkeepctl store restore` follows.",
            );
            if terminal::typed("Type `aside` to go on: ")? != "aside" {
                return Err(Failure::NotConfirmed);
            }
        }
        let place = store::set_aside(&state)?;
        Ok(json!({ "aside": place }).into())
    }
}
