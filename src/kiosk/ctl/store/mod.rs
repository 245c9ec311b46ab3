//! `wardkeepctl store`: backup, restore, check, setting aside, salvage, and destroying one patient.
//!
//! They work while the kiosk is stopped. Whoever asks gives two factors, or the 24 recovery words. What
//! was done is JSON on standard output; questions and progress go to standard error.

mod accept;
mod aside;
mod backup;
mod check;
mod restore;
mod salvage;
mod shred;

use clap::Subcommand;

use crate::ctl::failure::{Answer, Failure};

/// Lines below the help.
pub const EXAMPLES: &str = "\
Examples:
  wardkeepctl store check
  wardkeepctl store backup --out /media/usb/cart-7.backup --to AK
  wardkeepctl store restore --from /media/usb/cart-7.backup

They work while the kiosk is stopped: systemctl stop wardkeep";

/// Verbs after `store`.
#[derive(Subcommand, Clone, Debug)]
pub enum StoreVerb {
    /// Write one sealed file, for the recovery words and for named people
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Backup),
    /// Make a store of a backup, on a machine that has none; asks for the recovery words
    #[command(after_help = restore::EXAMPLES)]
    Restore(restore::Restore),
    /// Find everything that is wrong with the store, or with a backup
    #[command(after_help = check::EXAMPLES)]
    Check(check::StoreCheck),
    /// Move a store that does not open out of the way; nothing is deleted
    #[command(after_help = aside::EXAMPLES)]
    Aside(aside::Aside),
    /// Take a store as it is that something outside it speaks against; asks for the recovery words
    #[command(after_help = accept::EXAMPLES)]
    Accept(accept::Accept),
    /// Make a new store of everything that can be read of a damaged one; asks for the recovery words
    #[command(after_help = salvage::EXAMPLES)]
    Salvage(salvage::Salvage),
    /// Destroy a patient's data key: what was recorded of them is gone for ever
    #[command(after_help = shred::EXAMPLES)]
    Shred(shred::Shred),
}

impl StoreVerb {
    /// Does it.
    ///
    /// # Errors
    /// It was not done.
    pub fn run(self) -> Result<Answer, Failure> {
        match self {
            StoreVerb::Backup(verb) => verb.run(),
            StoreVerb::Restore(verb) => verb.run(),
            StoreVerb::Check(verb) => verb.run(),
            StoreVerb::Aside(verb) => verb.run(),
            StoreVerb::Accept(verb) => verb.run(),
            StoreVerb::Salvage(verb) => verb.run(),
            StoreVerb::Shred(verb) => verb.run(),
        }
    }
}
