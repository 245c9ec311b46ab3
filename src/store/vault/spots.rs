//! Spot readings as rows of the vault: what finds one in clear columns, what it says sealed.
//!
//! S-6: a reading belongs to nobody until a person says whose it is; then its row is sealed under that patient's
//! key. What was said of it stays: every act is a row of its own, so that one that was filed by mistake is moved,
//! and both filings are known. A reading that its device hands over again is the same one: it is known by
//! its bytes, where the device numbers or stamps them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use zeroize::Zeroizing;

use crate::crypto::hash;
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::patient_keys::PatientKeys;
use crate::vault::{audit, patients, people};
use wardkeep_model::access::OperatorId;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::emergency::PastNumeric;
use wardkeep_model::keeping::{AuditAct, AuditEntry, FiledSpot, SpotAct, StoreFault, WaitingSpot};
use wardkeep_model::vitals::RecordId;
use wardkeep_model::vitals::spot::SpotReading;

/// Tables of the readings, and of what was said of them. `digest` is what a reading is known by, `age_us` how old
/// the store was at the last mark before it came.
pub(super) const TABLES: &str = "
    CREATE TABLE spots (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL,
        subject BLOB, state INTEGER NOT NULL,
        received_us INTEGER NOT NULL, age_us INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE (run, seq), UNIQUE (digest)
    ) STRICT;
    CREATE INDEX spots_of_subject ON spots (subject, received_us);
    CREATE INDEX spots_by_state ON spots (state, received_us);
    CREATE TABLE spot_acts (
        id INTEGER PRIMARY KEY,
        spot INTEGER NOT NULL, act INTEGER NOT NULL,
        subject BLOB, operator BLOB, at_us INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX spot_acts_of_spot ON spot_acts (spot);
    CREATE TRIGGER spot_acts_go_with_their_spot AFTER DELETE ON spots
        BEGIN DELETE FROM spot_acts WHERE spot = OLD.id; END;
";

/// Readings of one patient, at most as many are told.
const LATEST_OF: i64 = 64;
/// Readings that wait, at most as many are told.
const WAITING_MAX: i64 = 256;

/// What becomes of a reading, as its row says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting = 1,
    Filed = 2,
    Discarded = 3,
    Expired = 4,
}

impl State {
    fn of(code: i64) -> Option<Self> {
        [Self::Waiting, Self::Filed, Self::Discarded, Self::Expired]
            .into_iter()
            .find(|state| *state as i64 == code)
    }
}

/// What an act is in the table. Numbers that were given out are never given to another one.
fn code(act: SpotAct) -> i64 {
    match act {
        SpotAct::File(..) => 1,
        SpotAct::Refuse(_) => REFUSED,
        SpotAct::PutBack(_) => 3,
        SpotAct::Discard(_) => 4,
        SpotAct::Expire(_) => 5,
    }
}

const FILED: i64 = 1;
const REFUSED: i64 = 2;

/// Keeps a reading that waits; one that is known already changes nothing.
///
/// # Errors
/// As sealing, or as writing the database.
pub(super) fn insert(
    connection: &Connection,
    keys: &mut PatientKeys,
    reading: &SpotReading,
) -> Result<(), VaultFault> {
    let Some(body) = seal(connection, keys, reading, None)? else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT INTO spots (run, seq, digest, subject, state, received_us, age_us, body)
             VALUES (?1, ?2, ?3, NULL, ?4, ?5,
                 coalesce((SELECT value FROM meta WHERE name = 'age_us'), 0), ?6)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            reading.record.run.cast_signed(),
            reading.record.seq.cast_signed(),
            digest(reading),
            State::Waiting as i64,
            reading.times.received.as_microsecond(),
            body,
        ])?;
    Ok(())
}

/// What a reading is known by: its device and bytes, or its own identity where the device may send the same bytes
/// of two measurements.
fn digest(reading: &SpotReading) -> Vec<u8> {
    let RecordId { run, seq } = reading.record;
    let frame = reading.frame.reveal();
    let told = if reading.is_numbered() {
        let device = reading.first_known.unwrap_or(reading.device);
        hash(&[b"spot v1 bytes", &device.0, &frame.format.tag(), &frame.payload])
    } else {
        hash(&[b"spot v1 record", &run.to_be_bytes(), &seq.to_be_bytes()])
    };
    told.iter().copied().take(16).collect()
}

fn seal(
    connection: &Connection,
    keys: &mut PatientKeys,
    reading: &SpotReading,
    subject: Option<SubjectId>,
) -> Result<Option<Vec<u8>>, VaultFault> {
    let plain = Zeroizing::new(
        serde_json::to_vec(reading).map_err(StoreFault::Io.because("writing a reading"))?,
    );
    keys.seal(connection, subject, &context(reading.record, subject), &plain)
}

/// Associated data of a reading's seal: no row can be put under another patient or number.
pub(in crate::vault) fn context(record: RecordId, subject: Option<SubjectId>) -> Vec<u8> {
    [
        b"spot v1".as_slice(),
        &record.run.to_be_bytes(),
        &record.seq.to_be_bytes(),
        &subject.map_or([0; 16], |id| id.0.to_be_bytes()),
    ]
    .concat()
}

/// Columns of a row, as they are read.
const ROW: &str = "id, run, seq, subject, state, body";

struct Found {
    id: i64,
    subject: Option<SubjectId>,
    state: State,
    reading: SpotReading,
}

/// A row of [`ROW`]; `None` if its key was destroyed.
fn found(
    connection: &Connection,
    keys: &mut PatientKeys,
    row: &Row<'_>,
) -> Result<Option<Found>, VaultFault> {
    let record = RecordId {
        run: row.get::<_, i64>(1)?.cast_unsigned(),
        seq: row.get::<_, i64>(2)?.cast_unsigned(),
    };
    let subject: Option<[u8; 16]> = row.get(3)?;
    let subject = subject.map(|id| SubjectId(u128::from_be_bytes(id)));
    let body: Vec<u8> = row.get(5)?;
    let Some(plain) = keys.open(connection, subject, &context(record, subject), &body)? else {
        return Ok(None);
    };
    let reading: SpotReading =
        serde_json::from_slice(&plain).map_err(StoreFault::Damaged.because("reading a reading"))?;
    let state = State::of(row.get(4)?).ok_or(StoreFault::Damaged)?;
    Ok(Some(Found { id: row.get(0)?, subject, state, reading }))
}

/// The readings of a statement's rows.
fn all(
    connection: &Connection,
    keys: &mut PatientKeys,
    rest: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Found>, VaultFault> {
    let mut statement = connection.prepare_cached(&format!("SELECT {ROW} FROM spots {rest}"))?;
    let mut rows = statement.query(parameters)?;
    let mut readings = Vec::new();
    while let Some(row) = rows.next()? {
        readings.extend(found(connection, keys, row)?);
    }
    Ok(readings)
}

/// What waits for somebody to say whose it is, oldest first.
///
/// # Errors
/// `Damaged` if a row does not open; otherwise as reading the database.
pub fn waiting(vault: &mut Vault) -> Result<Vec<WaitingSpot>, VaultFault> {
    let Vault { connection, patients: keys, .. } = &mut *vault;
    let rest = "WHERE state = ?1 ORDER BY received_us, id LIMIT ?2";
    let found = all(connection, keys, rest, params![State::Waiting as i64, WAITING_MAX])?;
    let mut waiting = Vec::with_capacity(found.len());
    for Found { id, reading, .. } in found {
        let refused = match last_act(&vault.connection, id, REFUSED)? {
            Some((operator, at)) => Some((named(vault, operator)?, at)),
            None => None,
        };
        waiting.push(WaitingSpot { reading, refused });
    }
    Ok(waiting)
}

/// A person's name; empty where nobody knows it any more.
fn named(vault: &Vault, operator: Option<OperatorId>) -> Result<Phi<String>, VaultFault> {
    let Some(operator) = operator else { return Ok(Phi::default()) };
    let is_there = vault
        .connection
        .prepare_cached("SELECT 1 FROM operators WHERE id = ?1")?
        .exists([operator.0.to_be_bytes()])?;
    if is_there { people::operator_name(vault, operator) } else { Ok(Phi::default()) }
}

/// Who did something of this kind to a reading last, and when.
fn last_act(
    connection: &Connection,
    spot: i64,
    act: i64,
) -> Result<Option<(Option<OperatorId>, Timestamp)>, VaultFault> {
    let mut statement = connection.prepare_cached(
        "SELECT operator, at_us FROM spot_acts WHERE spot = ?1 AND act = ?2
         ORDER BY id DESC LIMIT 1",
    )?;
    let told = statement.query_row(params![spot, act], |row| {
        Ok((row.get::<_, Option<[u8; 16]>>(0)?, row.get::<_, i64>(1)?))
    });
    let Some((operator, at_us)) = told.optional()? else { return Ok(None) };
    let at = Timestamp::from_microsecond(at_us)
        .map_err(StoreFault::Damaged.because("reading what was done to a reading"))?;
    Ok(Some((operator.map(|id| OperatorId(u128::from_be_bytes(id))), at)))
}

/// The last readings that were filed to a patient, newest first.
///
/// # Errors
/// As [`waiting`].
pub fn latest(vault: &mut Vault, subject: SubjectId) -> Result<Vec<FiledSpot>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let rest = "WHERE subject = ?1 AND state = ?2 ORDER BY received_us DESC, id DESC LIMIT ?3";
    let id = subject.0.to_be_bytes();
    let mut found = all(connection, keys, rest, params![id, State::Filed as i64, LATEST_OF])?;
    let measured = |found: &Found| {
        let times = found.reading.times;
        times.effective.unwrap_or(times.received)
    };
    found.sort_by_key(|found| std::cmp::Reverse(measured(found)));
    let mut latest = Vec::new();
    for Found { id, reading, .. } in found {
        let filed = last_act(connection, id, FILED)?;
        let (by, at) = filed.unwrap_or((None, reading.times.received));
        latest.push(FiledSpot { reading, subject, by, at });
    }
    Ok(latest)
}

/// A patient's single values after `since` and up to `until` with those of the readings among `values`, oldest
/// first.
///
/// # Errors
/// As [`waiting`].
pub fn among(
    vault: &mut Vault,
    subject: SubjectId,
    (since, until): (Timestamp, Timestamp),
    mut values: Vec<PastNumeric>,
) -> Result<Vec<PastNumeric>, VaultFault> {
    let Vault { connection, patients: keys, .. } = vault;
    let filed = numerics(connection, keys, subject)?;
    values.extend(filed.into_iter().filter(|one| since < one.at && one.at <= until));
    values.sort_by_key(|one| (one.at, one.mdc.0));
    Ok(values)
}

/// Single values of a patient's filed readings, of those whose time is known.
///
/// # Errors
/// As [`waiting`].
pub fn numerics(
    connection: &Connection,
    keys: &mut PatientKeys,
    subject: SubjectId,
) -> Result<Vec<PastNumeric>, VaultFault> {
    let rest = "WHERE subject = ?1 AND state = ?2 ORDER BY received_us, id";
    let id = subject.0.to_be_bytes();
    let found = all(connection, keys, rest, params![id, State::Filed as i64])?;
    let mut values = Vec::new();
    for Found { reading, .. } in found {
        let Some(at) = reading.times.effective else { continue };
        values.extend(reading.values.reveal().iter().map(|one| PastNumeric {
            mdc: one.code,
            value: Phi::new(one.value),
            unit: one.unit,
            at,
        }));
    }
    Ok(values)
}

/// Does something with a reading, with its audit entry: both or neither. False where that cannot be done with it as
/// it is, such as a second time; then nothing has changed.
///
/// # Errors
/// As writing the database; then nothing has changed.
pub fn act(vault: &mut Vault, act: SpotAct, entry: AuditEntry) -> Result<bool, VaultFault> {
    if let SpotAct::File(_, subject) = act
        && patients::one(vault, subject)?.is_none()
    {
        return Ok(false);
    }
    vault.write(|transaction, keys| {
        let record = act.record();
        let rest = "WHERE run = ?1 AND seq = ?2";
        let number = params![record.run.cast_signed(), record.seq.cast_signed()];
        let Some(found) = all(transaction, keys, rest, number)?.pop() else { return Ok(false) };
        let Some((state, subject, told)) = next(&found, act) else { return Ok(false) };
        let Some(body) = seal(transaction, keys, &found.reading, subject)? else {
            return Ok(false);
        };
        transaction.execute(
            "UPDATE spots SET subject = ?2, state = ?3, body = ?4 WHERE id = ?1",
            params![found.id, subject.map(|id| id.0.to_be_bytes()), state as i64, body],
        )?;
        let entry = AuditEntry {
            act: told,
            // Whose it was until now, where it is nobody's after that.
            subject: subject.or(found.subject),
            device: Some(found.reading.device),
            ..entry
        };
        note(transaction, found.id, act, &entry)?;
        audit::append(transaction, &entry)?;
        Ok(true)
    })
}

/// What becomes of a reading by an act, and what the audit log calls it; `None` where it cannot be done.
fn next(found: &Found, act: SpotAct) -> Option<(State, Option<SubjectId>, AuditAct)> {
    match (act, found.state) {
        (SpotAct::File(_, subject), State::Waiting) => {
            Some((State::Filed, Some(subject), AuditAct::ReadingFiled))
        }
        (SpotAct::File(_, subject), State::Filed) if found.subject != Some(subject) => {
            Some((State::Filed, Some(subject), AuditAct::ReadingMoved))
        }
        (SpotAct::Refuse(_), State::Waiting) => {
            Some((State::Waiting, None, AuditAct::ReadingRefused))
        }
        (SpotAct::PutBack(_), State::Filed) => {
            Some((State::Waiting, None, AuditAct::ReadingPutBack))
        }
        (SpotAct::Discard(_), State::Waiting) => {
            Some((State::Discarded, None, AuditAct::ReadingDiscarded))
        }
        (SpotAct::Expire(_), State::Waiting) => {
            Some((State::Expired, None, AuditAct::ReadingExpired))
        }
        (
            SpotAct::File(..)
            | SpotAct::Refuse(_)
            | SpotAct::PutBack(_)
            | SpotAct::Discard(_)
            | SpotAct::Expire(_),
            State::Waiting | State::Filed | State::Discarded | State::Expired,
        ) => None,
    }
}

fn note(
    transaction: &Transaction<'_>,
    spot: i64,
    act: SpotAct,
    entry: &AuditEntry,
) -> Result<(), VaultFault> {
    transaction
        .prepare_cached(
            "INSERT INTO spot_acts (spot, act, subject, operator, at_us) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            spot,
            code(act),
            entry.subject.map(|id| id.0.to_be_bytes()),
            entry.operator.map(|id| id.0.to_be_bytes()),
            entry.at.as_microsecond(),
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests;
