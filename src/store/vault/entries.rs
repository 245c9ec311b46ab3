//! What is recorded into the vault: the entries of an open session, and those that the inbox kept.

use rusqlite::Transaction;

use crate::inbox::remembered::{Cursor, TOGETHER};
use crate::record::entry::Entry;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::database::meta;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows::insert::{Inserted, Inserter};
use crate::vault::trends::recent::Sums;
use crate::vault::{alarms, audit, spots, waves};

/// Names of the fingerprints in [`Cursor`].
const LAST_SEGMENTS: [&str; TOGETHER] =
    ["inbox_last_segment", "inbox_last_segment_2", "inbox_last_segment_3", "inbox_last_segment_4"];

/// Keeps entries in one transaction. Gives back how many were refused because another
/// observation already has their identity.
///
/// # Errors
/// As writing a file; then none of them was kept.
pub fn append(vault: &mut Vault, entries: &[Entry]) -> Result<u64, VaultFault> {
    let refused = vault.write_rows(|transaction, keys| {
        let refused = insert(transaction, keys, entries)?;
        Ok((refused, (entries.len() as u64).saturating_sub(refused)))
    })?;
    vault.freshness.reported();
    Ok(refused)
}

/// How far the inbox was imported.
pub fn cursor(vault: &Vault) -> Result<Cursor, VaultFault> {
    let mut last_segments = [0; TOGETHER];
    for (fingerprint, name) in last_segments.iter_mut().zip(LAST_SEGMENTS) {
        *fingerprint = meta::get(&vault.connection, name)?.unwrap_or(0).cast_unsigned();
    }
    Ok(Cursor {
        next_seq: meta::get(&vault.connection, "inbox_next_seq")?
            .map(i64::cast_unsigned)
            .unwrap_or(1),
        next_wave: meta::get(&vault.connection, "inbox_next_wave")?
            .map(i64::cast_unsigned)
            .unwrap_or(1),
        waves_given_up: meta::get(&vault.connection, "inbox_waves_given_up")?
            .map(i64::cast_unsigned)
            .unwrap_or(0),
        at: meta::get(&vault.connection, "inbox_at")?.unwrap_or(0),
        last_segments,
    })
}

/// Keeps the entries of some segments and moves the cursor, in one transaction.
///
/// # Errors
/// As writing a file; then neither was done.
pub fn import(vault: &mut Vault, entries: &[Entry], cursor: Cursor) -> Result<(), VaultFault> {
    vault.write_rows(|transaction, keys| {
        let refused = insert(transaction, keys, entries)?;
        if refused > 0 {
            tracing::warn!(refused, "imported observations whose identity is taken");
        }
        meta::set(transaction, "inbox_next_seq", cursor.next_seq.cast_signed())?;
        meta::set(transaction, "inbox_next_wave", cursor.next_wave.cast_signed())?;
        meta::set(transaction, "inbox_waves_given_up", cursor.waves_given_up.cast_signed())?;
        meta::set(transaction, "inbox_at", cursor.at)?;
        for (fingerprint, name) in cursor.last_segments.into_iter().zip(LAST_SEGMENTS) {
            meta::set(transaction, name, fingerprint.cast_signed())?;
        }
        Ok(((), (entries.len() as u64).saturating_sub(refused)))
    })
}

pub(in crate::vault) fn insert(
    transaction: &Transaction<'_>,
    keys: &mut PatientKeys,
    entries: &[Entry],
) -> Result<u64, VaultFault> {
    let mut refused = 0;
    let mut observations = Inserter::new(transaction)?;
    let mut sums = Sums::default();
    for entry in entries {
        match entry {
            Entry::Observation(observation) => match observations.insert(keys, observation)? {
                Inserted::New(id) => sums.add(id, observation),
                Inserted::Again => {}
                Inserted::Refused => refused += 1,
            },
            Entry::Wave(wave) => waves::insert(transaction, keys, wave)?,
            Entry::Audit(entry) => audit::append(transaction, entry)?,
            Entry::Alarm(record) => alarms::insert(transaction, keys, record)?,
            Entry::Spot(reading) => spots::insert(transaction, keys, reading)?,
        }
    }
    observations.finish()?;
    sums.write(transaction, keys)?;
    Ok(refused)
}
