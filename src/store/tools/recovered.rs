//! A vault read with the recovery words, where nothing else is left.

use jiff::Timestamp;

use crate::disk::durable::StateDir;
use crate::disk::layout::VAULT;
use crate::keys::recovery;
use crate::keys::ring::{Keyring, Recipient};
use crate::open::epoch;
use crate::open::locked::there_is_a_vault;
use crate::open::options::Options;
use crate::vault::{Vault, alarms, audit, patients, rows, spots, trends, waves};
use wardkeep_model::alarm::AlarmRecord;
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::{AuditEntry, FiledSpot, RecoveryPhrase, StoreFault, WaitingSpot};
use wardkeep_model::vitals::Observation;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::wave::WaveSegment;

/// A vault opened with the recovery words, for reading. It holds the state directory until dropped.
pub struct RecoveredVault {
    vault: Vault,
    _state: StateDir,
}

impl RecoveredVault {
    /// All patients by family name.
    ///
    /// # Errors
    /// As reading the database.
    pub fn patients(&self) -> Result<Vec<Patient>, StoreFault> {
        Ok(patients::all(&self.vault)?)
    }

    /// All observations in the order in which they were kept.
    ///
    /// # Errors
    /// As reading the database.
    pub fn observations(&self) -> Result<Vec<Observation>, StoreFault> {
        Ok(rows::observations(&self.vault)?)
    }

    /// Spot readings that are in nobody's record.
    ///
    /// # Errors
    /// As reading the database.
    pub fn waiting_spots(&mut self) -> Result<Vec<WaitingSpot>, StoreFault> {
        Ok(spots::waiting(&mut self.vault)?)
    }

    /// The last spot readings of a patient, newest first.
    ///
    /// # Errors
    /// As reading the database.
    pub fn filed_spots(&mut self, subject: SubjectId) -> Result<Vec<FiledSpot>, StoreFault> {
        Ok(spots::latest(&mut self.vault, subject)?)
    }

    /// A patient's lines of the alarm log of this time, oldest first.
    ///
    /// # Errors
    /// As reading the database.
    pub fn alarms(
        &mut self,
        subject: SubjectId,
        time: (Timestamp, Timestamp),
    ) -> Result<Vec<AlarmRecord>, StoreFault> {
        Ok(alarms::read(&mut self.vault, subject, time)?)
    }

    /// A patient's stretches of a waveform that have samples of this time, oldest first.
    ///
    /// # Errors
    /// As reading the database.
    pub fn waves(
        &mut self,
        of: (SubjectId, Mdc),
        time: (Timestamp, Timestamp),
    ) -> Result<Vec<WaveSegment>, StoreFault> {
        Ok(waves::read(&mut self.vault, of, time)?)
    }

    /// Opens every block that trends are read from; gives back how many there are.
    ///
    /// # Errors
    /// `Damaged` if one does not open or parse; otherwise as reading the database.
    pub fn check_trends(&mut self) -> Result<u64, StoreFault> {
        Ok(trends::check(&mut self.vault)?)
    }

    /// The audit log with its sequence.
    ///
    /// # Errors
    /// As reading the database.
    pub fn audit(&self) -> Result<Vec<(u64, AuditEntry)>, StoreFault> {
        Ok(audit::all(&self.vault)?)
    }
}

/// Opens the vault with the recovery words. Needs neither a badge nor the device secret.
///
/// What waits in the inbox is not imported.
///
/// # Errors
/// `None` as the inner value if the words are not the recovery key of this store; a fault if the
/// store cannot be read.
pub fn open_with_recovery(
    options: &Options,
    phrase: &RecoveryPhrase,
) -> Result<Option<RecoveredVault>, StoreFault> {
    let Ok(private) = recovery::private_key(phrase) else {
        return Ok(None);
    };
    let state = StateDir::take(options.state_dir())?;
    let opened = Keyring::opened_by(&state.store(), Recipient::Recovery, &private)?;
    let Some((ring, keys)) = opened else {
        return Ok(None);
    };
    epoch::settle(&state.store(), ring.epoch)?;
    there_is_a_vault(&state.store())?;
    let vault = Vault::open(&state.store().join(VAULT), &keys)?;
    Ok(Some(RecoveredVault { vault, _state: state }))
}
