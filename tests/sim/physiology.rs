//! The simulated patient stays plausible and continuous whatever is done to it, tells the same story
//! for the same seed, and shows the pulse wave a clinician would recognise.

use std::time::Duration;

use proptest::prelude::*;
use wardkeep_model::moment::BootTime;
use wardkeep_sim::physiology::{PLETH_RATE_HZ, Patient, State, Stretch, Truth};

fn at(ms: u64) -> BootTime {
    BootTime(Duration::from_millis(10_000 + ms))
}

/// Lives in 50 ms steps for `seconds` and collects what happened.
fn live(patient: &mut Patient, from_ms: u64, seconds: u64) -> Stretch {
    let mut whole = Stretch::default();
    for tick in 0..=seconds * 20 {
        let stretch = patient.advance(at(from_ms + tick * 50));
        whole.pleth.extend(stretch.pleth);
        whole.beats_s.extend(stretch.beats_s);
    }
    whole
}

fn assert_plausible(truth: Truth) {
    assert!((0.0..=220.0).contains(&truth.heart_rate_per_min), "{truth:?}");
    assert!((50.0..=100.0).contains(&truth.spo2_percent), "{truth:?}");
    assert!((0.0..=60.0).contains(&truth.breaths_per_min), "{truth:?}");
    assert!((34.0..=42.0).contains(&truth.temperature_celsius), "{truth:?}");
    assert!((0.0..=1.0).contains(&truth.perfusion), "{truth:?}");
}

fn any_state() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn always_plausible_and_continuous(
        seed: u64,
        story in prop::collection::vec((any_state(), 1_u64..400), 1..8),
    ) {
        let mut patient = Patient::new(seed);
        patient.advance(at(0));
        let (mut tick, mut before, mut last_sample) = (0_u64, patient.truth(), None::<f32>);
        for (state, ticks) in story {
            patient.set_state(state);
            for _ in 0..ticks {
                tick += 1;
                let stretch = patient.advance(at(tick * 50));
                let truth = patient.truth();
                assert_plausible(truth);
                prop_assert!((truth.heart_rate_per_min - before.heart_rate_per_min).abs() < 3.0);
                prop_assert!((truth.spo2_percent - before.spo2_percent).abs() < 0.5);
                prop_assert!((truth.temperature_celsius - before.temperature_celsius).abs() < 0.05);
                for sample in stretch.pleth {
                    prop_assert!((0.0..=1.0).contains(&sample));
                    if let Some(last) = last_sample {
                        prop_assert!((sample - last).abs() < 0.2, "{last} -> {sample}");
                    }
                    last_sample = Some(sample);
                }
                for beat in stretch.beats_s {
                    prop_assert!((0.25..=2.5).contains(&beat), "cycle of {beat} s");
                }
                before = truth;
            }
        }
    }

    #[test]
    fn steps_of_any_length_tell_the_same_story(seed: u64, step in 1_u64..120) {
        let (mut fine, mut coarse) = (Patient::new(seed), Patient::new(seed));
        let (mut fine_wave, mut coarse_wave) = (Vec::new(), Vec::new());
        for ms in 0..=step * 40 {
            fine_wave.extend(fine.advance(at(ms)).pleth);
            if ms % step == 0 {
                coarse_wave.extend(coarse.advance(at(ms)).pleth);
            }
        }
        prop_assert_eq!(fine_wave, coarse_wave);
    }
}

#[test]
fn the_same_seed_gives_the_same_patient_and_another_seed_another_one() {
    let story = |seed| {
        let mut patient = Patient::new(seed);
        let mut whole = live(&mut patient, 0, 5);
        patient.set_state(State::Fever);
        whole.pleth.extend(live(&mut patient, 5_000, 10).pleth);
        (whole, patient.truth())
    };
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
}

#[test]
fn each_state_arrives_where_a_clinician_expects_it() {
    for (state, heart_rate, spo2) in [
        (State::Calm, 60.0..85.0, 96.0..=100.0),
        (State::Fever, 98.0..120.0, 93.0..=97.5),
        (State::Desaturation, 105.0..130.0, 80.0..=86.0),
        (State::Arrest, 0.0..1.0, 50.0..=75.0),
    ] {
        let mut patient = Patient::new(3);
        live(&mut patient, 0, 2);
        patient.set_state(state);
        live(&mut patient, 2_000, 60);
        let truth = patient.truth();
        assert!(heart_rate.contains(&truth.heart_rate_per_min), "{state:?} {truth:?}");
        assert!(spo2.contains(&truth.spo2_percent), "{state:?} {truth:?}");
        assert_eq!(patient.is_beating(), state != State::Arrest);
    }
}

#[test]
fn a_change_takes_seconds_not_an_instant_and_not_minutes() {
    let mut patient = Patient::new(3);
    live(&mut patient, 0, 2);
    let before = patient.truth().spo2_percent;
    patient.set_state(State::Desaturation);
    live(&mut patient, 2_000, 1);
    assert!(before - patient.truth().spo2_percent < 4.0);
    live(&mut patient, 3_000, 30);
    assert!(patient.truth().spo2_percent < 88.0);
}

#[test]
fn the_wave_has_a_dicrotic_notch_in_every_beat_and_is_flat_in_arrest() {
    let mut patient = Patient::new(11);
    live(&mut patient, 0, 2);
    let calm = live(&mut patient, 2_000, 10);
    let peaks = local_peaks(&calm.pleth);
    // A systolic peak and a smaller second hump for every heart cycle.
    assert!(peaks.len().abs_diff(2 * calm.beats_s.len()) <= 2, "{peaks:?}");
    assert!(peaks.chunks(2).filter(|pair| pair.len() == 2).all(|pair| {
        let (high, low) = (pair[0].max(pair[1]), pair[0].min(pair[1]));
        high > 0.5 && low < 0.7 * high && low > 0.2 * high
    }));

    patient.set_state(State::Arrest);
    live(&mut patient, 12_000, 40);
    let flat = live(&mut patient, 52_000, 4).pleth;
    let low = flat.iter().copied().fold(f32::MAX, f32::min);
    let high = flat.iter().copied().fold(f32::MIN, f32::max);
    assert!(high - low < 0.01, "{low}..{high}");
}

fn local_peaks(wave: &[f32]) -> Vec<f32> {
    wave.windows(3).filter(|w| w[1] > w[0] && w[1] >= w[2] && w[1] > 0.2).map(|w| w[1]).collect()
}

#[test]
fn beats_and_rate_agree_and_breathing_moves_them() {
    let mut patient = Patient::new(5);
    let minute = live(&mut patient, 0, 60);
    assert!((60..=85).contains(&minute.beats_s.len()), "{} beats", minute.beats_s.len());
    let shortest = minute.beats_s.iter().copied().fold(f64::MAX, f64::min);
    let longest = minute.beats_s.iter().copied().fold(f64::MIN, f64::max);
    assert!(longest - shortest > 0.02, "no breathing in {shortest}..{longest}");
    assert_eq!(minute.pleth.len(), 60 * usize::from(PLETH_RATE_HZ));
}

#[test]
fn a_suspend_is_skipped_not_replayed() {
    let mut patient = Patient::new(5);
    live(&mut patient, 0, 5);
    patient.set_state(State::Fever);
    assert_eq!(patient.advance(at(8 * 3_600_000)), Stretch::default());
    assert!(patient.truth().heart_rate_per_min > 98.0);
    assert!(!patient.advance(at(8 * 3_600_000 + 50)).pleth.is_empty());
}
