//! Waveforms as rows of the vault: what finds them in clear columns, their samples sealed.
//!
//! The associated data of a seal are the row's clear columns, so that no samples can be put under
//! another patient, device or time.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use crate::record::codec;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::rows::columns::timestamp;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{Provenance, RecordId};

/// The ids are never given out again: retention tells by them how old a row is.
const TABLE: &str = "
    CREATE TABLE waves (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device BLOB NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL,
        mdc INTEGER NOT NULL, subject BLOB, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
        rate_hz INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE (device, run, seq)
    ) STRICT;
    CREATE INDEX waves_of_subject ON waves (subject, mdc, start_us);
";

/// Longest stretch, in microseconds: the one that began earlier than this has ended.
const LENGTH_US_MAX: i64 = 60_000_000;

/// Adds what version 3 of the schema needs for waveforms.
pub fn upgrade(transaction: &Transaction<'_>) -> Result<(), VaultFault> {
    Ok(transaction.execute_batch(TABLE)?)
}

/// Inserts a stretch of a waveform. The same one again changes nothing; of a patient whose key was
/// destroyed nothing is kept.
///
/// # Errors
/// As sealing, or as writing the database.
pub fn insert(
    connection: &Connection,
    keys: &mut PatientKeys,
    wave: &WaveSegment,
) -> Result<(), VaultFault> {
    let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(codec::wave_body_len(wave)));
    codec::put_wave(wave, &mut plain);
    let Some(body) = keys.seal(connection, wave.subject, &context(wave), &plain)? else {
        tracing::debug!("a waveform of a patient whose key was destroyed was not kept");
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT INTO waves (device, run, seq, mdc, subject, start_us, end_us, rate_hz, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (device, run, seq) DO NOTHING",
        )?
        .execute(params![
            wave.device.0,
            wave.record.run.cast_signed(),
            wave.record.seq.cast_signed(),
            wave.code.0,
            wave.subject.map(|id| id.0.to_be_bytes()),
            wave.start.as_microsecond(),
            end_us(wave),
            wave.rate_hz,
            body,
        ])?;
    Ok(())
}

/// A patient's stretches of a waveform that have samples of this time, oldest first.
///
/// # Errors
/// `Damaged` if one does not open or parse; otherwise as reading the database.
pub fn read(
    vault: &mut Vault,
    (subject, code): (SubjectId, Mdc),
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<WaveSegment>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let mut statement = connection.prepare_cached(
        "SELECT device, run, seq, mdc, subject, start_us, rate_hz, body FROM waves
         WHERE subject = ?1 AND mdc = ?2 AND start_us >= ?3 - ?5 AND start_us < ?4 AND end_us > ?3
         ORDER BY start_us, id",
    )?;
    let (since, until) = (since.as_microsecond(), until.as_microsecond());
    let subject = subject.0.to_be_bytes();
    let mut rows = statement.query(params![subject, code.0, since, until, LENGTH_US_MAX])?;
    let mut waves = Vec::new();
    while let Some(row) = rows.next()? {
        waves.extend(wave(connection, keys, row)?);
    }
    Ok(waves)
}

pub(in crate::vault) fn wave(
    connection: &Connection,
    keys: &mut PatientKeys,
    row: &Row<'_>,
) -> Result<Option<WaveSegment>, VaultFault> {
    let subject: Option<[u8; 16]> = row.get(4)?;
    let mut wave = WaveSegment {
        record: RecordId {
            run: row.get::<_, i64>(1)?.cast_unsigned(),
            seq: row.get::<_, i64>(2)?.cast_unsigned(),
        },
        code: Mdc(row.get(3)?),
        rate_hz: row.get(6)?,
        start: timestamp(row.get(5)?)?,
        samples: Phi::default(),
        device: DeviceId(row.get(0)?),
        subject: subject.map(|id| SubjectId(u128::from_be_bytes(id))),
        provenance: Provenance::Device,
    };
    let body: Vec<u8> = row.get(7)?;
    let Some(plain) = keys.open(connection, wave.subject, &context(&wave), &body)? else {
        return Ok(None);
    };
    (wave.provenance, wave.samples) = codec::wave_body(&plain).map_err(StoreFault::from)?;
    Ok(Some(wave))
}

fn end_us(wave: &WaveSegment) -> i64 {
    let samples = i64::try_from(wave.samples.reveal().len()).unwrap_or(i64::MAX);
    let length_us = samples.saturating_mul(1_000_000) / i64::from(wave.rate_hz.max(1));
    wave.start.as_microsecond().saturating_add(length_us)
}

/// Associated data of a stretch's seal.
fn context(wave: &WaveSegment) -> Vec<u8> {
    [
        b"wave v1".as_slice(),
        &wave.device.0,
        &wave.record.run.to_be_bytes(),
        &wave.record.seq.to_be_bytes(),
        &wave.code.0.to_be_bytes(),
        &wave.rate_hz.to_be_bytes(),
        &wave.start.as_microsecond().to_be_bytes(),
        &wave.subject.map_or([0; 16], |id| id.0.to_be_bytes()),
    ]
    .concat()
}
