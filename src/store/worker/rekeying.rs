//! A change of keys as the thread has it: the copy that is made elsewhere, and what waits for the vault to come
//! back.

use std::time::Duration;

use crate::staff::copying::Copying;
use crate::worker::importing::Importing;
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::Attempt;
use wardkeep_model::keeping::{AuditAct, Command};
use wardkeep_model::moment::BootTime;

/// At most this often it is told how far it is.
pub const TELL_EVERY: Duration = Duration::from_millis(100);
/// Commands that wait for the vault.
const WAITING_MAX: usize = 64;

/// A revocation that has still to be answered, and what the audit log calls it.
pub type Asked = (Attempt, (AuditAct, Option<OperatorId>));

/// A vault that is written anew.
pub struct Rekeying {
    /// Where it is.
    pub copy: Copying,
    /// The session's, which goes on afterwards.
    pub import: Importing,
    /// Who asked; nobody where an earlier change goes on.
    pub asked: Option<Asked>,
    /// What needs the vault, in its order.
    pub waiting: Vec<Command>,
    /// When it is to be told next how far it is.
    pub tell_at: BootTime,
}

impl Rekeying {
    /// Has a command wait for the vault. Gives it back where as many wait as may.
    pub fn hold(&mut self, command: Command) -> Option<Command> {
        if self.waiting.len() >= WAITING_MAX {
            return Some(command);
        }
        self.waiting.push(command);
        None
    }
}

/// Whether a command can be done with the open vault alone.
pub fn needs_vault(command: &Command) -> bool {
    match command {
        Command::Administer(..)
        | Command::History(_)
        | Command::ListPatients
        | Command::AddPatient(..)
        | Command::Trend(_) => true,
        Command::Initialise(..)
        | Command::Identify(..)
        | Command::Unlock(..)
        | Command::FingerMissed(_)
        | Command::Close(..)
        | Command::OpenEmergency(..)
        | Command::Record(_)
        | Command::RecordWave(_)
        | Command::Audit(_)
        | Command::RecordAlarm(_)
        | Command::SaveCart(_)
        | Command::Retry => false,
    }
}
