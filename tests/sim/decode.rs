//! The product's decoders read what the simulated devices send, and chart nothing that is not true of
//! the simulated patient.

use std::collections::BTreeSet;
use std::time::Duration;

use kit::clock::Clock;
use wardkeep_model::ports::{Command, Event, Want};
use wardkeep_model::vitals::gatt::{Decoded, decode};
use wardkeep_model::vitals::nomenclature::{self, Absent, Mdc};
use wardkeep_model::vitals::{Characteristic, DeviceKind};
use wardkeep_sim::frames::{HEART_RATE, PLX_CONTINUOUS};
use wardkeep_sim::physiology::{State, Truth};
use wardkeep_sim::ward::{Knob, OXIMETER_A, STRAP, Ward};

struct Bench {
    ward: Ward,
    clock: Clock,
}

impl Bench {
    fn linked() -> Self {
        let clock = Clock::running_for(Duration::from_secs(5));
        let mut bench = Self { ward: Ward::new(21), clock };
        bench.ward.handle(Command::Connect(STRAP, Want::of(DeviceKind::HeartRate)));
        bench.ward.handle(Command::Connect(OXIMETER_A, Want::of(DeviceKind::PulseOximeter)));
        bench.frames(4);
        bench
    }

    /// Frames of the next seconds, each with what was true when it was sent.
    fn frames(&mut self, seconds: u32) -> Vec<(Characteristic, Vec<u8>, Truth)> {
        let mut frames = Vec::new();
        for _ in 0..seconds * 20 {
            self.clock.wait(Duration::from_millis(50));
            for event in self.ward.step(self.clock.now()) {
                if let Event::Frame { characteristic, payload, .. } = event {
                    frames.push((characteristic, payload, self.ward.scene().truth));
                }
            }
        }
        frames
    }

    fn turn(&mut self, knob: Knob) {
        self.ward.turn(self.clock.now(), knob);
    }
}

fn charted(decoded: &Decoded, code: Mdc) -> Vec<f64> {
    decoded
        .observations
        .iter()
        .filter(|charted| charted.code == code)
        .map(|charted| charted.value.to_string().parse().expect("a decimal number"))
        .collect()
}

/// S-7: whatever the patient goes through, a charted value is a true one.
#[test]
fn s7_what_is_charted_is_true_of_the_simulated_patient() {
    let mut bench = Bench::linked();
    let mut charted_codes = BTreeSet::new();
    for state in [State::Calm, State::Fever, State::Desaturation, State::Arrest, State::Calm] {
        bench.turn(Knob::SetState(state));
        for (characteristic, payload, truth) in bench.frames(60) {
            let decoded = decode(characteristic, &payload).expect("a sound frame");
            for (code, true_value) in [
                (nomenclature::HEART_RATE, truth.heart_rate_per_min),
                (nomenclature::PULSE_RATE_OXIMETER, truth.heart_rate_per_min),
                (nomenclature::SPO2, truth.spo2_percent),
            ] {
                for value in charted(&decoded, code) {
                    charted_codes.insert(code);
                    assert!((value - true_value).abs() <= 0.51, "{code:?} {value} {truth:?}");
                }
            }
            for interval_ms in charted(&decoded, nomenclature::RR_INTERVAL) {
                charted_codes.insert(nomenclature::RR_INTERVAL);
                assert!((250.0..=2_500.0).contains(&interval_ms), "{interval_ms} ms");
            }
        }
    }
    assert_eq!(charted_codes.len(), 4, "{charted_codes:?}");
}

/// S-7: without contact, without a finger and without a pulse there are reasons and no numbers.
#[test]
fn s7_no_contact_no_finger_and_no_pulse_are_withheld_by_their_reason() {
    let vital = [nomenclature::HEART_RATE, nomenclature::SPO2, nomenclature::PULSE_RATE_OXIMETER];
    for (knobs, strap, oximeter) in [
        (
            vec![Knob::SetWorn(STRAP, false), Knob::SetWorn(OXIMETER_A, false)],
            vec![Absent::NoContact],
            vec![Absent::Unavailable, Absent::NoContact],
        ),
        (vec![Knob::SetState(State::Arrest)], vec![], vec![Absent::Invalid]),
    ] {
        let mut bench = Bench::linked();
        for knob in knobs {
            bench.turn(knob);
        }
        bench.frames(30);
        for (characteristic, payload, _) in bench.frames(3) {
            let decoded = decode(characteristic, &payload).expect("a sound frame");
            assert!(vital.iter().all(|code| charted(&decoded, *code).is_empty()), "{decoded:?}");
            let allowed = if characteristic == HEART_RATE { &strap } else { &oximeter };
            for withheld in decoded.withheld.iter().filter(|w| vital.contains(&w.code)) {
                let known = allowed.is_empty() || allowed.contains(&withheld.reason);
                assert!(known, "{characteristic:?} {withheld:?}");
            }
            assert!(!decoded.withheld.is_empty());
        }
    }
}

/// S-7: a device that breaks the rules has nothing charted at all.
#[test]
fn s7_malformed_frames_chart_nothing() {
    let mut bench = Bench::linked();
    bench.turn(Knob::Malformed(STRAP, true));
    bench.turn(Knob::Malformed(OXIMETER_A, true));
    bench.frames(1);
    let frames = bench.frames(13);
    assert!(frames.iter().any(|(characteristic, ..)| *characteristic == HEART_RATE));
    assert!(frames.iter().any(|(characteristic, ..)| *characteristic == PLX_CONTINUOUS));
    for (characteristic, payload, _) in frames {
        if let Ok(decoded) = decode(characteristic, &payload) {
            assert!(decoded.observations.is_empty(), "{payload:02X?} {decoded:?}");
        }
    }
}

#[test]
fn the_battery_is_read_on_every_link() {
    let mut bench = Bench::linked();
    bench.turn(Knob::SetBattery(OXIMETER_A, 15));
    let levels: Vec<_> = bench
        .frames(1)
        .iter()
        .filter_map(|(characteristic, payload, _)| decode(*characteristic, payload).ok())
        .filter_map(|decoded| decoded.battery_percent)
        .collect();
    assert_eq!(levels, [15]);
}
