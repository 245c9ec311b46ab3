//! What waits in an inbox into a vault, in one go, as an unlock does it step by step.

use crate::import::{ImportRun, Step};
use crate::inbox::Inbox;
use crate::keys::vault_keys::VaultKeys;
use crate::vault::Vault;
use wardkeep_model::keeping::{Finding, StoreFault};
use wardkeep_model::moment::Moment;

/// How many records were taken over, and what was found wrong among them.
///
/// # Errors
/// As reading the inbox or writing the vault.
pub fn import(
    inbox: &mut Inbox,
    vault: &mut Vault,
    keys: &VaultKeys,
    now: Moment,
) -> Result<(u64, Vec<Finding>), StoreFault> {
    inbox.roll()?;
    let mut run = ImportRun::plan(inbox, vault, keys)?;
    loop {
        let next = run.opened_blocking();
        if let Step::Done(import) = run.step(next, (inbox, keys), vault, now.wall)? {
            return Ok((import.imported, run.findings(now.wall)));
        }
    }
}
