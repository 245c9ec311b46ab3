//! What a row of an observation says that only its patient's key may tell: bytes, both ways without
//! loss.
//!
//! ```text
//!  1      format (1)
//!  1      unit      1  clock      1  provenance                    by their codes
//!  1      1 to 8: a value:  as many bytes of its mantissa, no more than it needs, 1 exponent
//!         0: none:  1 reason
//!  1      1: the device's own stamp:  2 year, 1 month, day, hour, minute, second, 4 ns      0: none
//!  rest   one byte for each status
//! ```
//!
//! Numbers are little-endian. Whatever is no such row is `Damaged`, never a guess.

use jiff::civil::DateTime;
use zeroize::Zeroizing;

use crate::record::words::Code;
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::decimal::Decimal;
use wardkeep_model::vitals::nomenclature::{Status, Unit};
use wardkeep_model::vitals::{ClockConfidence, Observation, Provenance, Value};

const FORMAT: u8 = 1;

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

/// Writes the body of an observation behind what is in `into`.
pub fn encode(observation: &Observation, into: &mut Zeroizing<Vec<u8>>) {
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
/// `Damaged` if it is none.
pub fn decode(bytes: &[u8]) -> Result<Body, StoreFault> {
    let mut left = Bytes(bytes);
    read(&mut left).ok_or(StoreFault::Damaged)
}

fn read(bytes: &mut Bytes<'_>) -> Option<Body> {
    if bytes.byte()? != FORMAT {
        return None;
    }
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

    fn time(&mut self) -> Option<DateTime> {
        let year = i16::from_le_bytes(self.array()?);
        let [month, day, hour, minute, second] = self.array::<5>()?.map(u8::cast_signed);
        let nanos = i32::from_le_bytes(self.array()?);
        DateTime::new(year, month, day, hour, minute, second, nanos).ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use wardkeep_model::vitals::DeviceId;
    use wardkeep_model::vitals::RecordId;
    use wardkeep_model::vitals::nomenclature::{Absent, Mdc};

    fn any_word<T: Code + std::fmt::Debug + 'static>() -> impl Strategy<Value = T> {
        prop::sample::select((0..=u8::MAX).filter_map(T::of).collect::<Vec<T>>())
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            (any::<i64>(), any::<i8>()).prop_map(|(m, e)| Value::Measured(Decimal::new(m, e))),
            any_word::<Absent>().prop_map(Value::Absent),
        ]
    }

    fn any_time() -> impl Strategy<Value = DateTime> {
        let date = (-9999..=9999_i16, 1..=12_i8, 1..=28_i8);
        let time = (0..=23_i8, 0..=59_i8, 0..=59_i8, 0..=999_999_999_i32);
        (date, time).prop_map(|((year, month, day), (hour, minute, second, nanos))| {
            DateTime::new(year, month, day, hour, minute, second, nanos).unwrap()
        })
    }

    prop_compose! {
        fn any_body()(
            value in any_value(), unit in any_word(), device_time in prop::option::of(any_time()),
            clock in any_word(), status in prop::collection::vec(any_word(), 0..300),
            provenance in any_word(),
        ) -> Body {
            Body { value: Phi::new(value), unit, device_time, clock, status, provenance }
        }
    }

    fn encoded(body: &Body) -> Vec<u8> {
        let Body { value, unit, device_time, clock, status, provenance } = body.clone();
        let mut bytes = Zeroizing::new(Vec::new());
        let (effective, received) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let (record, code) = (RecordId { run: 1, seq: 1 }, Mdc(1));
        let (device, subject) = (DeviceId([1; 6]), None);
        let observation = Observation {
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
        };
        encode(&observation, &mut bytes);
        bytes.to_vec()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(body in any_body()) {
            let read = decode(&encoded(&body)).unwrap();
            prop_assert_eq!(&read, &body);
            // Equal numbers may have other digits; these are the device's own.
            if let (Value::Measured(read), Value::Measured(body)) =
                (read.value.reveal(), body.value.reveal())
            {
                prop_assert_eq!(read.parts(), body.parts());
            }
        }

        #[test]
        fn any_bytes_are_a_body_or_damaged(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(body) = decode(&bytes) {
                prop_assert_eq!(encoded(&body), bytes);
            }
        }
    }

    #[test]
    fn what_no_program_wrote_is_damaged() {
        let body = Body {
            value: Phi::new(Value::Measured(Decimal::new(3670, -2))),
            unit: Unit::Celsius,
            device_time: Some(DateTime::constant(2026, 2, 28, 23, 59, 58, 7)),
            clock: ClockConfidence::Corrected,
            status: vec![Status::LowBattery],
            provenance: Provenance::Device,
        };
        let good = encoded(&body);
        assert_eq!(decode(&good), Ok(body));
        // Format, the three words, the kind of value, the kind of stamp, the month, a status.
        for (at, byte) in [(0, 2), (1, 99), (2, 0), (3, 3), (4, 9), (8, 2), (11, 13), (20, 200)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert_eq!(decode(&bad), Err(StoreFault::Damaged), "byte {at}");
        }
        for length in 0..good.len() - 1 {
            assert_eq!(decode(&good[..length]), Err(StoreFault::Damaged), "length {length}");
        }
    }
}
