//! Round trips, arbitrary bytes, and bytes that rows hold.

use proptest::prelude::*;

use super::*;
use wardkeep_model::vitals::nomenclature::{Absent, HEART_RATE};

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

fn any_instant() -> impl Strategy<Value = Timestamp> {
    let (min, max) = (Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond());
    (min..=max).prop_map(|micros| Timestamp::from_microsecond(micros).unwrap())
}

fn any_identity() -> impl Strategy<Value = Identity> {
    let subject = prop::option::of(any::<u128>().prop_map(SubjectId));
    (any::<[u8; 6]>(), any::<(u64, u64, u32)>(), subject).prop_map(
        |(device, (run, seq, code), subject)| {
            (DeviceId(device), RecordId { run, seq }, Mdc(code), subject)
        },
    )
}

prop_compose! {
    fn any_observation()(
        (device, record, code, subject) in any_identity(), body in any_body(),
        effective in any_instant(), received in any_instant(),
    ) -> Observation {
        let Body { value, unit, device_time, clock, status, provenance } = body;
        Observation {
            record, code, value, unit, effective, received, device_time, clock, status, device,
            subject, provenance,
        }
    }
}

prop_compose! {
    fn any_wave()(
        (device, record, code, subject) in any_identity(), provenance in any_word(),
        samples in prop::collection::vec(any::<u16>(), 0..600), rate_hz in any::<u16>(),
        start in any_instant(),
    ) -> WaveSegment {
        let samples = Phi::new(samples);
        WaveSegment { record, code, rate_hz, start, samples, device, subject, provenance }
    }
}

fn of_body(body: &Body) -> Observation {
    let Body { value, unit, device_time, clock, status, provenance } = body.clone();
    Observation {
        record: RecordId { run: 1, seq: 1 },
        code: HEART_RATE,
        value,
        unit,
        effective: Timestamp::UNIX_EPOCH,
        received: Timestamp::UNIX_EPOCH,
        device_time,
        clock,
        status,
        device: DeviceId([1; 6]),
        subject: None,
        provenance,
    }
}

fn encoded(body: &Body) -> Vec<u8> {
    let mut bytes = Zeroizing::new(Vec::new());
    put_observation(&of_body(body), &mut bytes);
    bytes.to_vec()
}

fn body() -> Body {
    Body {
        value: Phi::new(Value::Measured(Decimal::new(3670, -2))),
        unit: Unit::Celsius,
        device_time: Some(DateTime::constant(2026, 2, 28, 23, 59, 58, 7)),
        clock: ClockConfidence::Corrected,
        status: vec![Status::LowBattery],
        provenance: Provenance::Device,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(body in any_body()) {
        let read = observation_body(&encoded(&body)).unwrap();
        prop_assert_eq!(&read, &body);
        // Equal numbers may have other digits; these are the device's own.
        if let (Value::Measured(read), Value::Measured(body)) =
            (read.value.reveal(), body.value.reveal())
        {
            prop_assert_eq!(read.parts(), body.parts());
        }
    }

    #[test]
    fn entries_are_read_as_they_were(observation in any_observation(), wave in any_wave()) {
        let entry = observation_entry(&observation);
        prop_assert_eq!(entry[0], OBSERVATION);
        prop_assert_eq!(observation_of_entry(&entry[1..]), Ok(observation));
        let entry = wave_entry(&wave);
        prop_assert_eq!(entry[0], WAVE);
        prop_assert_eq!(wave_of_entry(&entry[1..]), Ok(wave));
    }

    #[test]
    fn any_bytes_are_written_again_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(body) = observation_body(&bytes) {
            prop_assert_eq!(encoded(&body), bytes.clone());
        }
        if let Ok(observation) = observation_of_entry(&bytes) {
            prop_assert_eq!(&observation_entry(&observation)[1..], &bytes);
        }
        if let Ok(wave) = wave_of_entry(&bytes) {
            prop_assert_eq!(&wave_entry(&wave)[1..], &bytes);
        }
    }
}

#[test]
fn what_no_program_wrote_is_damaged_and_what_a_later_one_wrote_is_later() {
    let good = encoded(&body());
    assert_eq!(observation_body(&good), Ok(body()));
    // The three words, the kind of value, the kind of stamp, the month, a status.
    for (at, byte) in [(0, 0), (1, 99), (2, 0), (3, 3), (4, 9), (8, 2), (11, 13), (20, 200)] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(observation_body(&bad), Err(Unreadable::Damaged), "byte {at}");
    }
    for length in 0..good.len() - 1 {
        assert_eq!(observation_body(&good[..length]), Err(Unreadable::Damaged), "{length}");
    }
    let mut later = good;
    later[0] = FORMAT + 1;
    assert_eq!(observation_body(&later), Err(Unreadable::Later));
    assert_eq!(wave_body(&[0]), Ok((Provenance::Device, Phi::default())));
    assert_eq!(wave_body(&[1, 1, 2]), Ok((Provenance::Simulated, Phi::new(vec![0x102]))));
    assert_eq!(wave_body(&[2, 1, 2]), Err(Unreadable::Later));
    assert_eq!(wave_body(&[0, 1]), Err(Unreadable::Damaged));
    assert_eq!(wave_body(&[]), Err(Unreadable::Damaged));
}

#[test]
fn bytes_that_rows_hold_are_never_written_otherwise() {
    let bytes = [1, 8, 2, 1, 2, 86, 14, 254, 1, 234, 7, 2, 28, 23, 59, 58, 7, 0, 0, 0, 26];
    assert_eq!(encoded(&body()), bytes);
    let entry = observation_entry(&of_body(&body()));
    assert_eq!(entry[1..].len(), 6 + 8 + 8 + 4 + 1 + 16 + bytes.len());
}
