//! What the simulated devices send is read here by hand, byte by byte from the profiles and without
//! the product's decoders, so that an error cannot hide in both.

use std::time::Duration;

use kit::clock::Clock;
use wardkeep_model::ports::{Command, Event, Want};
use wardkeep_model::vitals::{DeviceId, DeviceKind};
use wardkeep_sim::frames::{
    OximeterReport, StrapReport, battery_level, heart_rate, malformed, plx_continuous,
    sfloat_tenths, sfloat_whole,
};
use wardkeep_sim::physiology::State;
use wardkeep_sim::ward::{Knob, OXIMETER_A, STRAP, Ward};

struct Bench {
    ward: Ward,
    clock: Clock,
}

impl Bench {
    /// A ward with strap and first oximeter linked and settled.
    fn linked() -> Self {
        let clock = Clock::running_for(Duration::from_secs(5));
        let mut bench = Self { ward: Ward::new(9), clock };
        bench.ward.handle(Command::Connect(STRAP, Want::of(DeviceKind::HeartRate)));
        bench.ward.handle(Command::Connect(OXIMETER_A, Want::of(DeviceKind::PulseOximeter)));
        bench.payloads(STRAP, 4);
        bench
    }

    /// Measurement payloads of `id` within the next `seconds`.
    fn payloads(&mut self, id: DeviceId, seconds: u32) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for _ in 0..seconds * 20 {
            self.clock.wait(Duration::from_millis(50));
            for event in self.ward.step(self.clock.now()) {
                if let Event::Frame { device, characteristic, payload, received } = event
                    && device == id
                    && characteristic.0 != 0x2A19
                {
                    assert_eq!(received, self.clock.now());
                    assert!(payload.len() <= 20, "does not fit the smallest MTU");
                    found.push(payload);
                }
            }
        }
        found
    }
}

/// Mantissa and exponent of an SFLOAT: 12 and 4 bits, both two's complement.
fn sfloat(low: u8, high: u8) -> (i32, i32) {
    let raw = i32::from(low) + 256 * i32::from(high);
    let signed = |value: i32, half: i32| if value >= half { value - 2 * half } else { value };
    (signed(raw % 4096, 2048), signed(raw / 4096, 8))
}

const NAN: (i32, i32) = (2047, 0);

#[test]
fn known_reports_have_known_bytes() {
    let strap = |rate_per_min, contact, rr: &[u16]| {
        heart_rate(&StrapReport { rate_per_min, contact, rr: rr.to_vec() })
    };
    assert_eq!(strap(72, true, &[853, 849]), [0x16, 72, 0x55, 0x03, 0x51, 0x03]);
    assert_eq!(strap(72, true, &[]), [0x06, 72]);
    assert_eq!(strap(0, false, &[]), [0x04, 0]);
    assert_eq!(strap(300, true, &[]), [0x07, 0x2C, 0x01]);
    assert_eq!(strap(200, true, &[300; 40]).len(), 20);
    assert_eq!(
        plx_continuous(&OximeterReport {
            spo2: sfloat_whole(97.4),
            pulse_rate: sfloat_whole(72.0),
            measurement: 0x0120,
            sensor: 0x0000_0820,
            pulse_amplitude: sfloat_tenths(6.4),
        }),
        [0x1C, 0x61, 0x00, 0x48, 0x00, 0x20, 0x01, 0x20, 0x08, 0x00, 0x40, 0xF0]
    );
    assert_eq!(battery_level(86), [86]);
    assert_eq!(battery_level(200), [100]);
}

#[test]
fn sfloat_never_collides_with_the_special_values() {
    for tenth in 0..30_000_u32 {
        let value = f64::from(tenth) / 10.0;
        let [low, high] = sfloat_whole(value).to_le_bytes();
        let (mantissa, exponent) = sfloat(low, high);
        assert_eq!(exponent, 0);
        if value < 2045.5 {
            assert!((f64::from(mantissa) - value).abs() <= 0.5, "{value} became {mantissa}");
        } else {
            assert_eq!((mantissa, exponent), NAN, "{value}");
        }
        let [low, high] = sfloat_tenths(value).to_le_bytes();
        match sfloat(low, high) {
            (mantissa, -1) => assert!((f64::from(mantissa) / 10.0 - value).abs() < 0.051),
            other => assert_eq!((other, value > 204.5), (NAN, true)),
        }
    }
}

#[test]
fn the_strap_tells_the_truth_and_its_intervals_agree_with_its_rate() {
    let mut bench = Bench::linked();
    let reports = bench.payloads(STRAP, 120);
    assert!(reports.len() >= 118);
    let (mut intervals, mut rates) = (Vec::new(), Vec::new());
    for report in &reports {
        let [flags, rate, rr @ ..] = report.as_slice() else { panic!("{report:02X?}") };
        assert_eq!(flags & 0b0000_0111, 0b110, "contact supported and made, rate in 8 bits");
        assert_eq!(flags & 0b0001_0000 != 0, !rr.is_empty());
        assert_eq!(rr.len() % 2, 0);
        rates.push(f64::from(*rate));
        intervals.extend(rr.chunks(2).map(|b| f64::from(u16::from_le_bytes([b[0], b[1]]))));
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!((60.0..90.0).contains(&mean(&rates)));
    assert!((60.0 * 1024.0 / mean(&intervals) - mean(&rates)).abs() < 0.8);
    assert!((intervals.iter().sum::<f64>() / 1024.0 - 120.0).abs() < 2.0, "no beat is missing");
}

#[test]
fn a_strap_off_the_chest_says_no_contact_and_no_rate() {
    let mut bench = Bench::linked();
    bench.ward.turn(bench.clock.now(), Knob::SetWorn(STRAP, false));
    assert!(bench.payloads(STRAP, 3).iter().all(|report| report == &[0x04, 0x00]));
    bench.ward.turn(bench.clock.now(), Knob::SetWorn(STRAP, true));
    assert!(bench.payloads(STRAP, 3).last().is_some_and(|report| report[1] > 50));
}

#[test]
fn the_oximeter_tells_the_truth() {
    let mut bench = Bench::linked();
    for state in [State::Calm, State::Fever, State::Desaturation] {
        bench.ward.turn(bench.clock.now(), Knob::SetState(state));
        bench.payloads(OXIMETER_A, 50);
        let report = bench.payloads(OXIMETER_A, 2).pop().expect("a report each second");
        assert_eq!((report.len(), report[0]), (12, 0x1C));
        let truth = bench.ward.scene().truth;
        let (spo2, pulse) = (sfloat(report[1], report[2]), sfloat(report[3], report[4]));
        assert_eq!((spo2.1, pulse.1), (0, 0));
        assert!((f64::from(spo2.0) - truth.spo2_percent).abs() < 1.5, "{spo2:?} {truth:?}");
        assert!((f64::from(pulse.0) - truth.heart_rate_per_min).abs() < 6.0, "{pulse:?} {truth:?}");
        assert_eq!(&report[5..=6], &[0x20, 0x01], "ongoing and fully qualified");
        assert_eq!(&report[7..=9], &[0, 0, 0]);
        assert_eq!(sfloat(report[10], report[11]).1, -1);
    }
}

#[test]
fn an_oximeter_without_a_finger_has_no_value_and_needs_time_with_a_new_one() {
    let mut bench = Bench::linked();
    bench.ward.turn(bench.clock.now(), Knob::SetWorn(OXIMETER_A, false));
    for report in bench.payloads(OXIMETER_A, 3) {
        assert_eq!(sfloat(report[1], report[2]), NAN);
        assert_eq!(sfloat(report[3], report[4]), NAN);
        assert_eq!(report[6] & 0x20, 0x20, "measurement unavailable");
        assert_eq!(report[8] & 0x08, 0x08, "sensor not on the user");
    }
    bench.ward.turn(bench.clock.now(), Knob::SetWorn(OXIMETER_A, true));
    let first = bench.payloads(OXIMETER_A, 1).pop().expect("a report each second");
    assert_eq!((sfloat(first[1], first[2]), first[6] & 0x10), (NAN, 0x10), "calibrating");
    let later = bench.payloads(OXIMETER_A, 3).pop().expect("a report each second");
    assert!(sfloat(later[1], later[2]).0 > 90);
}

#[test]
fn in_arrest_neither_device_invents_a_number() {
    let mut bench = Bench::linked();
    bench.ward.turn(bench.clock.now(), Knob::SetState(State::Arrest));
    bench.payloads(STRAP, 20);
    assert_eq!(bench.payloads(STRAP, 2).pop(), Some(vec![0x06, 0x00]));
    let report = bench.payloads(OXIMETER_A, 2).pop().expect("a report each second");
    assert_eq!((sfloat(report[1], report[2]), sfloat(report[3], report[4])), (NAN, NAN));
    assert_eq!(report[6] & 0x80, 0x80, "measurement invalid");
    assert_eq!(report[7] & 0x80, 0x80, "non-pulsatile");
}

#[test]
fn malformed_frames_break_one_rule_each_and_come_in_turn() {
    for kind in [DeviceKind::HeartRate, DeviceKind::PulseOximeter] {
        let frames: Vec<_> = (0..6).map(|turn| malformed(kind, turn)).collect();
        let distinct: std::collections::BTreeSet<_> = frames.iter().collect();
        assert_eq!(distinct.len(), 6, "{frames:02X?}");
        assert_eq!(malformed(kind, 6), frames[0]);
    }
    let mut bench = Bench::linked();
    bench.ward.turn(bench.clock.now(), Knob::Malformed(OXIMETER_A, true));
    let sent = bench.payloads(OXIMETER_A, 7);
    assert!(sent.contains(&vec![]) && sent.contains(&vec![0x00, 0x61, 0x00, 0x48]));
    // NaN in both numbers, with a status that looks clean.
    assert!(sent.contains(&vec![0x00, 0xFF, 0x07, 0xFF, 0x07]));
    bench.ward.turn(bench.clock.now(), Knob::Malformed(OXIMETER_A, false));
    assert!(bench.payloads(OXIMETER_A, 3).iter().all(|report| report.len() == 12));
}
