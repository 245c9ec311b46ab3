//! What is kept, and how the inbox writes it before it is sealed.
//!
//! ```text
//!  entry = 'O' | observation     'W' | waveform        as bytes, see [`crate::record::codec`]
//!        | 'a' | JSON of an audit entry
//!        | 'l' | JSON of a line of the alarm log
//!        | 's' | JSON of a spot reading
//! ```
//!
//! Programs before 0.2 wrote observations and waveforms otherwise; their entries are read:
//!
//! ```text
//!  'o' | JSON array of an observation's fields
//!  'w' | length u16 | JSON of a waveform without samples | samples u16, little-endian
//! ```
//!
//! Reading is total: what it is given was authenticated, but a later program may have written it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::record::codec::{self, OBSERVATION, Unreadable, WAVE};
use wardkeep_model::alarm::AlarmRecord;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::{AuditEntry, StoreFault};
use wardkeep_model::vitals::nomenclature::{Mdc, Status, Unit};
use wardkeep_model::vitals::spot::SpotReading;
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value};

const AUDIT: u8 = b'a';
const ALARM: u8 = b'l';
const SPOT: u8 = b's';
/// An observation of a program before 0.2.
const OBSERVATION_0_1: u8 = b'o';
/// A waveform of a program before 0.2.
const WAVE_0_1: u8 = b'w';
/// Enough for most audit entries, so that no part of one is left behind by a buffer that grew.
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
    /// A line of the alarm log.
    Alarm(Box<AlarmRecord>),
    /// A spot reading.
    Spot(Box<SpotReading>),
}

impl Entry {
    /// The entry as bytes, to be sealed.
    ///
    /// # Errors
    /// `Io` if it cannot be written down, which no entry of this program does.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, StoreFault> {
        match self {
            Entry::Observation(observation) => Ok(codec::observation_entry(observation)),
            Entry::Wave(wave) => Ok(codec::wave_entry(wave)),
            Entry::Audit(entry) => as_json(AUDIT, entry),
            Entry::Alarm(record) => as_json(ALARM, record),
            Entry::Spot(reading) => as_json(SPOT, reading),
        }
    }

    /// The entry of these bytes.
    ///
    /// # Errors
    /// See [`Unreadable`].
    pub fn decode(plain: &[u8]) -> Result<Self, Unreadable> {
        let (kind, rest) = plain.split_first().ok_or(Unreadable::Damaged)?;
        let read = match *kind {
            OBSERVATION => Entry::Observation(Box::new(codec::observation_of_entry(rest)?)),
            WAVE => Entry::Wave(Box::new(codec::wave_of_entry(rest)?)),
            AUDIT => Entry::Audit(serde_json::from_slice(rest).map_err(|_| Unreadable::Damaged)?),
            ALARM => Entry::Alarm(serde_json::from_slice(rest).map_err(|_| Unreadable::Damaged)?),
            SPOT => Entry::Spot(serde_json::from_slice(rest).map_err(|_| Unreadable::Damaged)?),
            OBSERVATION_0_1 => {
                let observation = observation_0_1(rest).ok_or(Unreadable::Damaged)?;
                Entry::Observation(Box::new(observation))
            }
            WAVE_0_1 => Entry::Wave(Box::new(wave_0_1(rest).ok_or(Unreadable::Damaged)?)),
            _ => return Err(Unreadable::Later),
        };
        Ok(read)
    }
}

fn as_json(kind: u8, what: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, StoreFault> {
    let mut plain = Zeroizing::new(Vec::with_capacity(USUAL_LEN));
    plain.push(kind);
    serde_json::to_writer(&mut *plain, what).map_err(|error| {
        tracing::error!(category = ?error.classify(), "an entry's encoding");
        StoreFault::Io
    })?;
    Ok(plain)
}

/// An observation as its fields in order.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
struct Fields(
    (u64, u64, Mdc, Phi<Value>, Unit),
    (i64, i64, Option<DateTime>, ClockConfidence),
    (Vec<Status>, DeviceId, Option<SubjectId>, Provenance),
);

fn observation_0_1(bytes: &[u8]) -> Option<Observation> {
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

fn wave_0_1(bytes: &[u8]) -> Option<WaveSegment> {
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
    use std::time::Duration;
    use wardkeep_model::alarm::{AlarmChange, AlarmState, Happened, Kind, Priority};
    use wardkeep_model::keeping::AuditAct;
    use wardkeep_model::moment::BootTime;
    use wardkeep_model::vitals::decimal::Decimal;
    use wardkeep_model::vitals::nomenclature::{Absent, HEART_RATE};
    use wardkeep_model::vitals::spot::{Meal, SpotContext, SpotFrame, SpotTimes, SpotValue};
    use wardkeep_model::vitals::{Characteristic, DeviceKind, Format};

    fn stamp(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).unwrap()
    }

    fn spot() -> SpotReading {
        SpotReading {
            record: RecordId { run: 1, seq: 4 },
            device: DeviceId([9; 6]),
            first_known: Some(DeviceId([8; 6])),
            kind: DeviceKind::Cuff,
            name: "Cuff 03".into(),
            frame: Phi::new(SpotFrame {
                format: Format::Profile(Characteristic(0x2A35)),
                payload: vec![0, 120, 0, 80, 0],
            }),
            second: Some(Phi::new(SpotFrame {
                format: Format::Profile(Characteristic(0x2A34)),
                payload: vec![2, 7, 0, 3],
            })),
            context: Phi::new(SpotContext { user: Some(2), meal: Some(Meal::Fasting) }),
            values: Phi::new(vec![SpotValue {
                code: HEART_RATE,
                value: Decimal::new(3670, -2),
                unit: Unit::PerMinute,
                status: vec![Status::IrregularPulse],
            }]),
            sequence: Some(65_535),
            times: SpotTimes {
                stamp: Some(jiff::civil::date(2024, 6, 15).at(17, 17, 27, 0)),
                received: stamp(7),
                offset_s: Some(-86_400),
                effective: Some(stamp(-5)),
                clock: ClockConfidence::Corrected,
            },
            provenance: Provenance::Device,
        }
    }

    fn entries() -> [Entry; 6] {
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
            Entry::Alarm(Box::new(AlarmRecord {
                record: RecordId { run: 1, seq: 3 },
                at: stamp(1_750_000_000_000_001),
                since_boot: BootTime(Duration::from_millis(5)),
                subject: Some(SubjectId(3)),
                operator: None,
                initials: String::new(),
                device: None,
                happened: Happened::Condition {
                    id: "low:spo2".into(),
                    kind: Kind::Physiological,
                    change: AlarmChange::Moved(AlarmState::ValueLost),
                    priority: Priority::High,
                    crossed: Some(Phi::new(("70".into(), "80".into()))),
                },
            })),
            Entry::Spot(Box::new(spot())),
        ]
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

    /// The bytes that a program before 0.2 wrote.
    fn encoded_0_1(entry: &Entry) -> Vec<u8> {
        match entry {
            Entry::Observation(observation) => {
                [&b"o"[..], &serde_json::to_vec(&fields(observation)).unwrap()].concat()
            }
            Entry::Wave(wave) => {
                let front = WaveSegment { samples: Phi::default(), ..(**wave).clone() };
                let front = serde_json::to_vec(&front).unwrap();
                let len = u16::try_from(front.len()).unwrap().to_be_bytes();
                let samples = wave.samples.reveal().iter().flat_map(|one| one.to_le_bytes());
                [&b"w"[..], &len, &front, &samples.collect::<Vec<_>>()].concat()
            }
            Entry::Audit(entry) => [&b"a"[..], &serde_json::to_vec(entry).unwrap()].concat(),
            // It knew of neither.
            Entry::Alarm(record) => [&b"l"[..], &serde_json::to_vec(record).unwrap()].concat(),
            Entry::Spot(reading) => [&b"s"[..], &serde_json::to_vec(reading).unwrap()].concat(),
        }
    }

    #[test]
    fn every_entry_comes_back_as_it_was() {
        for entry in entries() {
            let plain = entry.encode().unwrap();
            assert_eq!(Entry::decode(&plain), Ok(entry.clone()));
            assert_eq!(Entry::decode(&encoded_0_1(&entry)), Ok(entry), "of a program before 0.2");
        }
    }

    #[test]
    fn entries_are_compact() {
        let len = |index: usize| entries()[index].encode().unwrap().len();
        assert_eq!(len(0), 81, "an observation with the device's own stamp");
        assert_eq!(len(1), 51, "without a value or a subject");
        assert_eq!(len(2), 2 * 1250 + 55, "ten seconds at 125 Hz");
        let before = |index: usize| encoded_0_1(&entries()[index]).len();
        assert!(before(0) > 2 * len(0) && before(2) > len(2), "{} {}", before(0), before(2));
    }

    #[test]
    fn no_part_of_an_entry_is_another_entry() {
        for entry in entries() {
            let plain = entry.encode().unwrap();
            for end in 0..plain.len() {
                // Samples and statuses are the rest of an entry: with fewer of them it is well-formed, and
                // its record's seal is what says that none is missing.
                let cut = Entry::decode(&plain[..end]);
                let may_be_cut = matches!(entry, Entry::Wave(_)) || end == plain.len() - 1;
                assert!(cut.is_err() || may_be_cut, "{end} of {entry:?}");
            }
            let mut other = plain.to_vec();
            other[0] = b'?';
            assert_eq!(Entry::decode(&other), Err(Unreadable::Later));
        }
    }
}
