//! How a recorded thing is written as bytes: the one way, in the inbox and in the vault.
//!
//! ```text
//!  entry         'O' | identity | effective 8, received 8 | body of an observation
//!                'W' | identity | start 8, rate 2         | body of a waveform
//!  identity      device 6 | run 8 | number 8 | code 4 | 1, subject 16   or   0
//!  observation   1      format (1)
//!                1      unit      1  clock      1  provenance                    by their codes
//!                1      1 to 8: a value:  as many bytes of its mantissa, no more than it needs, 1 exponent
//!                       0: none:  1 reason
//!                1      1: the device's own stamp:  2 year, 1 month, day, hour, minute, second, 4 ns
//!                       0: none
//!                rest   one byte for each status
//!  waveform      1      0: device   1: simulated
//!                rest   2 each sample, big-endian
//! ```
//!
//! The inbox seals a whole entry. A row of the vault has what it is found by in columns and seals the body
//! alone, under its patient's key. Integers are little-endian, save the samples, which rows have always held
//! the other way round. Instants are microseconds since 1970.
//!
//! Both ways lose nothing. Reading is total and takes no more memory than it is given bytes: they were
//! authenticated, but a later program may have written them ([`Unreadable::Later`]).

use jiff::Timestamp;
use jiff::civil::DateTime;
use zeroize::Zeroizing;

use crate::record::words::Code;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{Mdc, Status, Unit};
use wardkeep_model::vitals::wave::WaveSegment;
use wardkeep_model::vitals::{ClockConfidence, DeviceId, Observation, Provenance, RecordId, Value};

/// First byte of an observation's entry.
pub const OBSERVATION: u8 = b'O';
/// First byte of a waveform's entry.
pub const WAVE: u8 = b'W';
const FORMAT: u8 = 1;
/// Bytes of an entry in front of its body, at most.
const FRONT_LEN: usize = 1 + 6 + 8 + 8 + 4 + 17 + 16;
/// Bytes of an observation's body beside its statuses.
pub const BODY_LEN: usize = 4 + 10 + 12;

/// Why bytes say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A later program wrote them.
    #[error("it was written by a later program")]
    Later,
    /// No program wrote them.
    #[error("it is damaged")]
    Damaged,
}

impl From<Unreadable> for StoreFault {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Later => StoreFault::Later,
            Unreadable::Damaged => StoreFault::Damaged,
        }
    }
}

/// The body of an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The value, or why there is none.
    pub value: Phi<Value>,
    /// Unit of the value.
    pub unit: Unit,
    /// The device's own stamp.
    pub device_time: Option<DateTime>,
    /// Trust in it.
    pub clock: ClockConfidence,
    /// What the device said of the value.
    pub status: Vec<Status>,
    /// Device or simulation.
    pub provenance: Provenance,
}

/// An observation as an entry.
pub fn observation_entry(observation: &Observation) -> Zeroizing<Vec<u8>> {
    let Observation { device, record, code, subject, .. } = observation;
    let length = FRONT_LEN + BODY_LEN + observation.status.len();
    let mut entry = Zeroizing::new(Vec::with_capacity(length));
    entry.push(OBSERVATION);
    put_identity((*device, *record, *code, *subject), &mut entry);
    entry.extend_from_slice(&observation.effective.as_microsecond().to_le_bytes());
    entry.extend_from_slice(&observation.received.as_microsecond().to_le_bytes());
    put_observation(observation, &mut entry);
    entry
}

/// The observation of an entry, behind its first byte.
///
/// # Errors
/// See [`Unreadable`].
pub fn observation_of_entry(entry: &[u8]) -> Result<Observation, Unreadable> {
    let mut left = Bytes(entry);
    let front = |left: &mut Bytes<'_>| Some((left.identity()?, left.instant()?, left.instant()?));
    let front = front(&mut left).ok_or(Unreadable::Damaged)?;
    let ((device, record, code, subject), effective, received) = front;
    let Body { value, unit, device_time, clock, status, provenance } = observation_body(left.0)?;
    Ok(Observation {
        record,
        code,
        value,
        unit,
        effective,
        received,
        device_time,
        clock,
        status,
        device,
        subject,
        provenance,
    })
}

/// A stretch of a waveform as an entry.
pub fn wave_entry(wave: &WaveSegment) -> Zeroizing<Vec<u8>> {
    let WaveSegment { device, record, code, subject, .. } = wave;
    let length = FRONT_LEN + wave_body_len(wave);
    let mut entry = Zeroizing::new(Vec::with_capacity(length));
    entry.push(WAVE);
    put_identity((*device, *record, *code, *subject), &mut entry);
    entry.extend_from_slice(&wave.start.as_microsecond().to_le_bytes());
    entry.extend_from_slice(&wave.rate_hz.to_le_bytes());
    put_wave(wave, &mut entry);
    entry
}

/// The stretch of an entry, behind its first byte.
///
/// # Errors
/// See [`Unreadable`].
pub fn wave_of_entry(entry: &[u8]) -> Result<WaveSegment, Unreadable> {
    let mut left = Bytes(entry);
    let front = |left: &mut Bytes<'_>| {
        Some((left.identity()?, left.instant()?, u16::from_le_bytes(left.array()?)))
    };
    let front = front(&mut left).ok_or(Unreadable::Damaged)?;
    let ((device, record, code, subject), start, rate_hz) = front;
    let (provenance, samples) = wave_body(left.0)?;
    Ok(WaveSegment { record, code, rate_hz, start, samples, device, subject, provenance })
}

/// Who measured it and which of its records it is, what it is of, and whose it is.
type Identity = (DeviceId, RecordId, Mdc, Option<SubjectId>);

fn put_identity((device, record, code, subject): Identity, into: &mut Zeroizing<Vec<u8>>) {
    into.extend_from_slice(&device.0);
    into.extend_from_slice(&record.run.to_le_bytes());
    into.extend_from_slice(&record.seq.to_le_bytes());
    into.extend_from_slice(&code.0.to_le_bytes());
    match subject {
        None => into.push(0),
        Some(subject) => {
            into.push(1);
            into.extend_from_slice(&subject.0.to_le_bytes());
        }
    }
}

/// Length of the body of a stretch.
pub fn wave_body_len(wave: &WaveSegment) -> usize {
    1 + 2 * wave.samples.reveal().len()
}

/// Writes the body of a stretch behind what is in `into`.
pub fn put_wave(wave: &WaveSegment, into: &mut Zeroizing<Vec<u8>>) {
    into.push(match wave.provenance {
        Provenance::Device => 0,
        Provenance::Simulated => 1,
    });
    into.extend(wave.samples.reveal().iter().flat_map(|sample| sample.to_be_bytes()));
}

/// Reads the body of a stretch: where it comes from, and its samples.
///
/// # Errors
/// See [`Unreadable`].
pub fn wave_body(bytes: &[u8]) -> Result<(Provenance, Phi<Vec<u16>>), Unreadable> {
    let (origin, samples) = bytes.split_first().ok_or(Unreadable::Damaged)?;
    let provenance = match origin {
        0 => Provenance::Device,
        1 => Provenance::Simulated,
        _ => return Err(Unreadable::Later),
    };
    let (pairs, odd) = samples.as_chunks();
    if !odd.is_empty() {
        return Err(Unreadable::Damaged);
    }
    let samples = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    Ok((provenance, Phi::new(samples)))
}

/// Writes the body of an observation behind what is in `into`.
pub fn put_observation(observation: &Observation, into: &mut Zeroizing<Vec<u8>>) {
    let Observation { value, unit, device_time, clock, status, provenance, .. } = observation;
    into.extend_from_slice(&[FORMAT, unit.code(), clock.code(), provenance.code()]);
    match value.reveal() {
        Value::Measured(decimal) => {
            let (mantissa, exponent) = decimal.parts();
            let length = length(mantissa);
            into.push(u8::try_from(length).unwrap_or(u8::MAX));
            into.extend(mantissa.to_le_bytes().iter().take(length));
            into.extend_from_slice(&exponent.to_le_bytes());
        }
        Value::Absent(reason) => into.extend_from_slice(&[0, reason.code()]),
    }
    match device_time {
        None => into.push(0),
        Some(time) => {
            into.push(1);
            into.extend_from_slice(&time.year().to_le_bytes());
            let parts = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
            into.extend(parts.map(i8::cast_unsigned));
            into.extend_from_slice(&time.subsec_nanosecond().to_le_bytes());
        }
    }
    into.extend(status.iter().map(|status| status.code()));
}

/// Least bytes that hold a mantissa with its sign.
fn length(mantissa: i64) -> usize {
    let magnitude = if mantissa < 0 { !mantissa } else { mantissa };
    (64 - magnitude.leading_zeros() as usize) / 8 + 1
}

/// Reads the body of an observation.
///
/// # Errors
/// See [`Unreadable`].
pub fn observation_body(bytes: &[u8]) -> Result<Body, Unreadable> {
    let (format, rest) = bytes.split_first().ok_or(Unreadable::Damaged)?;
    match *format {
        FORMAT => read(&mut Bytes(rest)).ok_or(Unreadable::Damaged),
        0 => Err(Unreadable::Damaged),
        _ => Err(Unreadable::Later),
    }
}

fn read(bytes: &mut Bytes<'_>) -> Option<Body> {
    let (unit, clock, provenance) = (bytes.word()?, bytes.word()?, bytes.word()?);
    let value = match bytes.byte()? {
        0 => Value::Absent(bytes.word()?),
        length @ 1..=8 => {
            let mantissa = bytes.mantissa(usize::from(length))?;
            Value::Measured(Decimal::new(mantissa, i8::from_le_bytes(bytes.array()?)))
        }
        _ => return None,
    };
    let device_time = match bytes.byte()? {
        0 => None,
        1 => Some(bytes.time()?),
        _ => return None,
    };
    let status = bytes.0.iter().map(|code| Status::of(*code)).collect::<Option<_>>()?;
    Some(Body { value: Phi::new(value), unit, device_time, clock, status, provenance })
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn mantissa(&mut self, bytes: usize) -> Option<i64> {
        let (first, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        let sign = if first.last()? & 0x80 == 0 { 0 } else { u8::MAX };
        let mut whole = [sign; 8];
        whole.iter_mut().zip(first).for_each(|(byte, read)| *byte = *read);
        Some(i64::from_le_bytes(whole)).filter(|mantissa| length(*mantissa) == bytes)
    }

    fn word<T: Code>(&mut self) -> Option<T> {
        T::of(self.byte()?)
    }

    fn instant(&mut self) -> Option<Timestamp> {
        Timestamp::from_microsecond(i64::from_le_bytes(self.array()?)).ok()
    }

    fn identity(&mut self) -> Option<Identity> {
        let device = DeviceId(self.array()?);
        let run = u64::from_le_bytes(self.array()?);
        let seq = u64::from_le_bytes(self.array()?);
        let code = Mdc(u32::from_le_bytes(self.array()?));
        let subject = match self.byte()? {
            0 => None,
            1 => Some(SubjectId(u128::from_le_bytes(self.array()?))),
            _ => return None,
        };
        Some((device, RecordId { run, seq }, code, subject))
    }

    fn time(&mut self) -> Option<DateTime> {
        let year = i16::from_le_bytes(self.array()?);
        let [month, day, hour, minute, second] = self.array::<5>()?.map(u8::cast_signed);
        let nanos = i32::from_le_bytes(self.array()?);
        DateTime::new(year, month, day, hour, minute, second, nanos).ok()
    }
}

#[cfg(test)]
mod tests;
