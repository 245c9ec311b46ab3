//! What `store check` asks of the rows: that they open.

use rusqlite::Row;

use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::rows;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;

/// Unwraps every patient's data key; how many there are, destroyed ones among them.
///
/// # Errors
/// `Damaged` if one does not unwrap; otherwise as reading a file.
pub fn patient_keys(vault: &Vault) -> Result<u64, VaultFault> {
    let mut statement = vault.connection.prepare("SELECT subject FROM patient_keys")?;
    let subject = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
    let subjects: Vec<Vec<u8>> = statement.query_map([], subject)?.collect::<Result<_, _>>()?;
    for subject in &subjects {
        let subject = match subject.as_slice().try_into() {
            Ok(id) => Some(SubjectId(u128::from_be_bytes(id))),
            // The key of what nobody claimed.
            Err(_) if subject.is_empty() => None,
            Err(_) => return Err(StoreFault::Damaged.into()),
        };
        vault.patients.existing(&vault.connection, subject)?;
    }
    Ok(u64::try_from(subjects.len()).unwrap_or(u64::MAX))
}

/// Opens every observation; how many there are, destroyed ones not counted.
///
/// # Errors
/// `Damaged` if one does not open; otherwise as reading a file.
pub fn observations(vault: &Vault) -> Result<u64, VaultFault> {
    rows::check(&vault.connection, &vault.patients)
}
