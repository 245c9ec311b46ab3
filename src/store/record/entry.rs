//! What is kept, and how it is written before it is sealed.
//!
//! ```text
//!  entry = 'o' | JSON array of an observation's fields     'a' | JSON of an audit entry
//!        | 'w' | length u16 | JSON of a waveform without samples | samples u16, little-endian
//! ```
//!
//! An observation is an array because the names of its fields would be half of every record. Instants
//! have microseconds, as in the vault. Reading is total: what it is given was authenticated, but may
//! have been written by a later program.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditEntry, StoreFault};
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::{Mdc, Status, Unit};
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, RecordId, Value};

const OBSERVATION: u8 = b'o';
const AUDIT: u8 = b'a';
const WAVE: u8 = b'w';
/// Enough for most entries, so that no part of one is left behind by a buffer that grew.
const USUAL_LEN: usize = 512;

/// What is kept, in the vault or in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A measured value.
    Observation(Box<Observation>),
    /// A stretch of a waveform.
    Wave(Box<WaveSegment>),
    /// An audit entry.
    Audit(Box<AuditEntry>),
}

/// An observation as its fields in order.
#[derive(Serialize, Deserialize)]
struct Fields(
    (u64, u64, Mdc, Phi<Value>, Unit),
    (i64, i64, Option<DateTime>, ClockConfidence),
    (Vec<Status>, DeviceId, Option<SubjectId>, Provenance),
);

impl Entry {
    /// The entry as bytes, to be sealed.
    ///
    /// # Errors
    /// `Io` if it cannot be written down, which no entry of this program does.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, StoreFault> {
        let mut plain = Zeroizing::new(Vec::with_capacity(USUAL_LEN));
        let written = match self {
            Entry::Observation(observation) => {
                plain.push(OBSERVATION);
                serde_json::to_writer(&mut *plain, &fields(observation))
            }
            Entry::Audit(entry) => {
                plain.push(AUDIT);
                serde_json::to_writer(&mut *plain, entry)
            }
            Entry::Wave(wave) => {
                let front = serde_json::to_vec(&without_samples(wave));
                return front
                    .map_err(|_| StoreFault::Io)
                    .and_then(|front| encode_wave(wave, &front));
            }
        };
        written.map(|()| plain).map_err(|_| StoreFault::Io)
    }

    /// The entry of these bytes; `None` if they are none.
    pub fn decode(plain: &[u8]) -> Option<Self> {
        let (kind, rest) = plain.split_first()?;
        match *kind {
            OBSERVATION => Some(Entry::Observation(Box::new(observation(rest)?))),
            AUDIT => Some(Entry::Audit(serde_json::from_slice(rest).ok()?)),
            WAVE => Some(Entry::Wave(Box::new(decode_wave(rest)?))),
            _ => None,
        }
    }
}

fn fields(observation: &Observation) -> Fields {
    let RecordId { run, seq } = observation.record;
    let (effective, received) =
        (observation.effective.as_microsecond(), observation.received.as_microsecond());
    Fields(
        (run, seq, observation.code, observation.value.clone(), observation.unit),
        (effective, received, observation.device_time, observation.clock),
        (
            observation.status.clone(),
            observation.device,
            observation.subject,
            observation.provenance,
        ),
    )
}

fn observation(bytes: &[u8]) -> Option<Observation> {
    let Fields(
        (run, seq, code, value, unit),
        (effective, received, device_time, clock),
        (status, device, subject, provenance),
    ) = serde_json::from_slice(bytes).ok()?;
    let instant = |micros| Timestamp::from_microsecond(micros).ok();
    Some(Observation {
        record: RecordId { run, seq },
        code,
        value,
        unit,
        effective: instant(effective)?,
        received: instant(received)?,
        device_time,
        clock,
        status,
        device,
        subject,
        provenance,
    })
}

fn without_samples(wave: &WaveSegment) -> WaveSegment {
    WaveSegment {
        record: wave.record,
        code: wave.code,
        rate_hz: wave.rate_hz,
        start: wave.start,
        samples: Phi::default(),
        device: wave.device,
        subject: wave.subject,
        provenance: wave.provenance,
    }
}

fn encode_wave(wave: &WaveSegment, front: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreFault> {
    let len = u16::try_from(front.len()).map_err(|_| StoreFault::Io)?;
    let samples = wave.samples.reveal();
    let mut plain = Zeroizing::new(Vec::with_capacity(3 + front.len() + 2 * samples.len()));
    plain.push(WAVE);
    plain.extend(len.to_be_bytes());
    plain.extend(front);
    plain.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    Ok(plain)
}

fn decode_wave(bytes: &[u8]) -> Option<WaveSegment> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (front, samples) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    let wave: WaveSegment = serde_json::from_slice(front).ok()?;
    let (pairs, odd) = samples.as_chunks();
    let samples = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    odd.is_empty().then(|| WaveSegment { samples: Phi::new(samples), ..wave })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardkeep_model::keeping::AuditAct;
    use wardkeep_model::vitals::decimal::Decimal;
    use wardkeep_model::vitals::nomenclature::{Absent, HEART_RATE};

    fn stamp(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).unwrap()
    }

    fn entries() -> [Entry; 4] {
        let measured = Observation {
            record: RecordId { run: u64::MAX, seq: 7 },
            code: HEART_RATE,
            value: Phi::new(Value::Measured(Decimal::new(3670, -2))),
            unit: Unit::PerMinute,
            effective: stamp(1_750_000_000_000_001),
            received: stamp(-1),
            device_time: Some(jiff::civil::date(2024, 6, 15).at(17, 17, 27, 0)),
            clock: ClockConfidence::Corrected,
            status: vec![Status::ContactDetected],
            device: DeviceId([1, 2, 3, 4, 5, 255]),
            subject: Some(SubjectId(u128::MAX)),
            provenance: Provenance::Device,
        };
        let absent = Observation {
            value: Phi::new(Value::Absent(Absent::NotANumber)),
            device_time: None,
            status: vec![],
            subject: None,
            ..measured
        };
        let wave = WaveSegment {
            record: RecordId { run: 1, seq: 2 },
            code: HEART_RATE,
            rate_hz: 125,
            start: stamp(5),
            samples: Phi::new((0..1250).map(|sample| sample * 52).collect()),
            device: DeviceId([9; 6]),
            subject: Some(SubjectId(3)),
            provenance: Provenance::Simulated,
        };
        [
            Entry::Observation(Box::new(measured)),
            Entry::Observation(Box::new(absent)),
            Entry::Wave(Box::new(wave)),
            Entry::Audit(Box::new(AuditEntry::of(AuditAct::Locked, stamp(9)))),
        ]
    }

    #[test]
    fn every_entry_comes_back_as_it_was() {
        for entry in entries() {
            let plain = entry.encode().unwrap();
            assert_eq!(Entry::decode(&plain), Some(entry));
        }
    }

    #[test]
    fn entries_are_compact() {
        let len = |index: usize| entries()[index].encode().unwrap().len();
        assert!(len(0) < 256, "an observation takes {}", len(0));
        assert!(len(2) < 2 * 1250 + 256, "ten seconds at 125 Hz take {}", len(2));
    }

    #[test]
    fn no_part_of_an_entry_is_another_entry() {
        for entry in entries() {
            let plain = entry.encode().unwrap();
            for end in 0..plain.len() {
                // A waveform with fewer samples is well-formed; its record's seal is what says that
                // none is missing.
                let cut = Entry::decode(&plain[..end]);
                assert!(cut.is_none() || matches!(entry, Entry::Wave(_)), "{end} of {entry:?}");
            }
            let mut other = plain.to_vec();
            other[0] = b'?';
            assert_eq!(Entry::decode(&other), None);
        }
    }
}
