//! `wardkeepctl store backup`: one sealed file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};

use crate::ctl::access::{self, Access, identity, known};
use crate::ctl::args::{Entrance, Places};
use crate::ctl::failure::{Answer, Failure};
use crate::ctl::progress;
use wardkeep_model::keeping::{Administered, Administration, BackupOrder};
use wardkeep_store::{self as store, BackupFault};

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store backup --out /media/usb/cart-7.backup
  wardkeepctl store backup --out /media/usb/cart-7.backup --to AK --to \"Jo Weiss\"
  wardkeepctl store backup --out /media/usb/cart-7.backup --recovery";

/// Where to, and for whom beside the recovery words.
#[derive(Args, Clone, Debug)]
pub struct Backup {
    /// The file; one that is there is not replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Somebody who can read it too, by initials, name or identity; may be given several times
    #[arg(long, value_name = "PERSON")]
    to: Vec<String>,
    #[command(flatten)]
    entrance: Entrance,
    #[command(flatten)]
    places: Places,
}

impl Backup {
    pub(super) fn run(self) -> Result<Answer, Failure> {
        // A file that cannot be made is found before anybody is asked for a PIN.
        if self.out.symlink_metadata().is_ok() {
            return Err(BackupFault::Exists.into());
        }
        let done = access::with(&self.places, self.entrance, |access| self.back_up(access))?;
        Ok(done_json(&self.out, done)?.into())
    }

    fn back_up(&self, access: &mut Access) -> Result<Administered, Failure> {
        let rows = access.people()?;
        let to = self.to.iter().map(|who| Ok(known(&rows, who)?.id));
        let to = to.collect::<Result<_, Failure>>()?;
        // Once as the vault is, once sealed.
        let about = 2 * store::inspect(&self.places.state())?.vault_bytes;
        let order = BackupOrder { out: self.out.clone(), to };
        progress::writing("Writing the backup", about, || {
            access.administer(Administration::BackUp(order))
        })
    }
}

fn done_json(out: &Path, done: Administered) -> Result<Json, Failure> {
    let Administered::BackedUp(done) = done else { return Err(Failure::Unexpected) };
    let to: Vec<String> = done.to.iter().map(|id| identity(*id)).collect();
    Ok(json!({
        "backup": out,
        "bytes": done.bytes,
        "written": done.written.to_string(),
        "sealed_to": { "recovery": true, "people": to },
    }))
}
