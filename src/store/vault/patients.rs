//! Patients as rows of the vault: an opaque identity, and everything else under the patient's own key.
//!
//! Names are sorted and searched in memory, after they were opened: an order that the database can see
//! would have to be kept beside the sealed names.

use std::cmp::Ordering;

use rusqlite::{Connection, Row, Transaction, params};
use zeroize::Zeroizing;

use crate::crypto::open;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::{audit, retention, rows};
use wardkeep_model::encounter::{Patient, SubjectId};
use wardkeep_model::keeping::{AuditEntry, StoreFault};
use wardkeep_model::untrusted;

/// Adds a patient, with the audit entry that says so; done again, it changes nothing. False if another
/// patient has this number: a number means one patient.
///
/// # Errors
/// As [`insert`]; then nothing was changed.
pub fn add(vault: &mut Vault, patient: &Patient, entry: &AuditEntry) -> Result<bool, VaultFault> {
    if one(vault, patient.id)?.is_some() {
        return Ok(true);
    }
    if is_taken(vault, patient.mrn.reveal())? {
        return Ok(false);
    }
    vault.write(|transaction, keys| {
        insert(transaction, keys, patient)?;
        audit::append(transaction, entry)
    })?;
    Ok(true)
}

/// A patient has this number, however it is written.
fn is_taken(vault: &Vault, mrn: &str) -> Result<bool, VaultFault> {
    let wanted = untrusted::comparable(mrn);
    let has_it = |other: &Patient| untrusted::comparable(other.mrn.reveal()) == wanted;
    Ok(!wanted.is_empty() && all(vault)?.iter().any(has_it))
}

/// Destroys a patient's data key and everything under it, and says so in the audit log. Neither the
/// database nor its log holds anything of it when this returns; done again, it changes nothing.
///
/// # Errors
/// As writing a file; then it has to be done again.
pub fn shred(vault: &mut Vault, subject: SubjectId, entry: AuditEntry) -> Result<(), VaultFault> {
    vault.write(|transaction, keys| {
        destroy(transaction, keys, subject)?;
        audit::append(transaction, &entry)
    })?;
    vault.settle().map(drop)
}

/// Inserts a patient; part of the caller's transaction.
///
/// # Errors
/// `Io` if this patient's key was destroyed; otherwise as the database.
pub fn insert(
    connection: &Connection,
    keys: &mut PatientKeys,
    patient: &Patient,
) -> Result<(), VaultFault> {
    let content = Zeroizing::new(
        serde_json::to_vec(patient).map_err(StoreFault::Damaged.because("writing a patient"))?,
    );
    let sealed = keys.seal(connection, Some(patient.id), &bound(patient.id), &content)?;
    connection.execute(
        "INSERT INTO patients (id, sealed) VALUES (?1, ?2)",
        params![patient.id.0.to_be_bytes(), sealed.ok_or(StoreFault::Io)?],
    )?;
    Ok(())
}

/// The other tables with rows of patients, by their column `subject`.
const OF_SUBJECTS: [&str; 5] = ["waves", "trend_blocks", "trend_recent", "alarms", "spots"];

/// Destroys a patient's data key and every row under it; part of the caller's transaction.
///
/// What deletion leaves in the database's file is overwritten (`secure_delete`). An old copy of the whole
/// store still holds the wrapped key, and whoever opens it opens this patient too.
///
/// # Errors
/// As the database.
pub fn destroy(
    transaction: &Transaction<'_>,
    keys: &mut PatientKeys,
    subject: SubjectId,
) -> Result<(), VaultFault> {
    keys.destroy(transaction, subject)?;
    let id = subject.0.to_be_bytes();
    transaction.execute("DELETE FROM patients WHERE id = ?1", [id])?;
    rows::delete(transaction, subject)?;
    for table in OF_SUBJECTS {
        transaction.execute(&format!("DELETE FROM {table} WHERE subject = ?1"), [id])?;
    }
    retention::rows_were_deleted(transaction)
}

/// All patients by family name, given name and number.
///
/// # Errors
/// `Damaged` if one does not open; otherwise as the database.
pub fn all(vault: &Vault) -> Result<Vec<Patient>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let mut statement = connection.prepare_cached("SELECT id, sealed FROM patients")?;
    let mut rows = statement.query([])?;
    let mut patients = Vec::new();
    while let Some(row) = rows.next()? {
        patients.extend(patient(connection, keys, row)?);
    }
    patients.sort_by(by_name);
    Ok(patients)
}

/// One patient.
///
/// # Errors
/// `Damaged` if the row does not open; otherwise as the database.
pub fn one(vault: &Vault, id: SubjectId) -> Result<Option<Patient>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let mut statement =
        connection.prepare_cached("SELECT id, sealed FROM patients WHERE id = ?1")?;
    let mut rows = statement.query([id.0.to_be_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    patient(connection, keys, row)
}

fn bound(id: SubjectId) -> Vec<u8> {
    [&b"patient v1"[..], &id.0.to_be_bytes()].concat()
}

/// `None` if the patient's key was destroyed.
fn patient(
    connection: &Connection,
    keys: &PatientKeys,
    row: &Row<'_>,
) -> Result<Option<Patient>, VaultFault> {
    let id = SubjectId(u128::from_be_bytes(row.get(0)?));
    let Some(key) = keys.existing(connection, Some(id))? else { return Ok(None) };
    let sealed: Vec<u8> = row.get(1)?;
    let content = open(&key, &bound(id), &sealed).ok_or(StoreFault::Damaged)?;
    let patient: Patient = serde_json::from_slice(&content)
        .map_err(StoreFault::Damaged.because("reading a patient"))?;
    if patient.id == id { Ok(Some(patient)) } else { Err(StoreFault::Damaged.into()) }
}

/// Whatever their capitals. Letters with accents follow all others, as in the order of their code points.
fn by_name(left: &Patient, right: &Patient) -> Ordering {
    let folded = |a: &str, b: &str| {
        let (a, b) = (a.chars(), b.chars());
        a.flat_map(char::to_lowercase).cmp(b.flat_map(char::to_lowercase))
    };
    folded(left.family.reveal(), right.family.reveal())
        .then_with(|| folded(left.given.reveal(), right.given.reveal()))
        .then_with(|| left.mrn.cmp(&right.mrn))
}

#[cfg(test)]
mod tests;
