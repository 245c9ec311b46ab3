//! Waveforms on their way to the store: each sample of an assigned device once and in order, and
//! nothing else, whatever happens meanwhile.

use std::time::Duration;

use kit::kiosk::{Bedside, OXIMETER, STRAP, heart_rate};
use proptest::prelude::*;
use wardkeep_core::kiosk::Effect;
use wardkeep_core::kiosk::frame;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::pages::devices;
use wardkeep_model::keeping::Command;
use wardkeep_model::ports::{Event, Link};
use wardkeep_model::vitals::nomenclature::PLETH;
use wardkeep_model::vitals::wave::WaveSegment;

/// A sample that can be told from all others.
fn sample(number: u16) -> f32 {
    f32::from(number) / f32::from(u16::MAX)
}

fn wave(bedside: &mut Bedside, rate_hz: u16, numbers: std::ops::Range<u16>) {
    let samples = numbers.map(sample).collect();
    bedside.hardware(Event::Wave { device: OXIMETER, rate_hz, samples });
}

/// Everything that was recorded, once the program has ended.
fn recorded(bedside: &mut Bedside) -> Vec<WaveSegment> {
    for effect in bedside.kiosk.end(bedside.now()) {
        let Effect::Store(Command::RecordWave(wave)) = effect else { panic!("{effect:?}") };
        bedside.store.waves.push(*wave);
    }
    bedside.store.waves.clone()
}

fn lengths(waves: &[WaveSegment]) -> Vec<usize> {
    waves.iter().map(|wave| wave.samples.reveal().len()).collect()
}

#[test]
fn s2_a_wave_is_recorded_in_stretches_of_ten_seconds_across_a_lock() {
    let mut bedside = Bedside::monitoring();
    let start = bedside.now().wall;
    for second in 0..25_u16 {
        if second == 4 {
            bedside.intent(frame::Intent::Lock);
        }
        wave(&mut bedside, 100, second * 100..second * 100 + 100);
        bedside.wait(Duration::from_secs(1));
    }
    let waves = recorded(&mut bedside);
    assert_eq!(lengths(&waves), [1000, 1000, 500]);
    for (wave, seconds) in waves.iter().zip([0_u64, 10, 20]) {
        assert_eq!(wave.start, start + Duration::from_secs(seconds));
        assert_eq!((wave.code, wave.rate_hz, wave.device), (PLETH, 100, OXIMETER));
        assert!(wave.subject.is_some());
    }
    assert!(waves.iter().flat_map(|wave| wave.samples.reveal().clone()).eq(0..2500));
}

#[test]
fn a_stretch_ends_at_a_gap_at_another_rate_and_with_the_link() {
    let mut bedside = Bedside::monitoring();
    wave(&mut bedside, 100, 0..50);
    bedside.wait(Duration::from_millis(500));
    wave(&mut bedside, 100, 50..100);
    bedside.wait(Duration::from_millis(1_600));
    assert_eq!(lengths(&bedside.store.waves), [100], "silence ends it, without another sample");
    wave(&mut bedside, 100, 100..150);
    wave(&mut bedside, 50, 150..170);
    bedside.hardware(Event::Link(OXIMETER, Link::Lost));
    bedside.wait(Duration::from_secs(2));
    assert_eq!(lengths(&bedside.store.waves), [100, 50, 20]);
    assert!(bedside.kiosk.end(bedside.now()).is_empty());
}

#[test]
fn s6_a_released_device_ends_its_stretch_at_once() {
    let mut bedside = Bedside::monitoring();
    wave(&mut bedside, 100, 0..20);
    bedside.intent(frame::Intent::Open(Page::Devices));
    bedside.intent(devices::Intent::Release(OXIMETER));
    assert_eq!(lengths(&bedside.store.waves), [20]);
    wave(&mut bedside, 100, 20..40);
    assert_eq!(lengths(&recorded(&mut bedside)), [20], "nobody's samples are not kept");
}

#[test]
fn no_stretch_outgrows_a_sealed_record() {
    let mut bedside = Bedside::monitoring();
    wave(&mut bedside, 10_000, 0..9_000);
    wave(&mut bedside, 0, 9_000..9_010);
    let waves = recorded(&mut bedside);
    assert_eq!(lengths(&waves), [2048, 2048, 2048, 2048, 808], "and none without a rate");
    for wave in waves {
        assert!(serde_json::to_vec(&wave).expect("it has a form").len() < 15 * 1024);
    }
}

#[test]
fn s7_what_is_no_number_is_no_sample() {
    let mut bedside = Bedside::monitoring();
    let samples = vec![0.25, 0.5, f32::NAN, 2.0, -1.0];
    bedside.hardware(Event::Wave { device: OXIMETER, rate_hz: 100, samples });
    let waves = recorded(&mut bedside);
    let values: Vec<_> = waves.iter().map(|wave| wave.samples.reveal().clone()).collect();
    assert_eq!(values, [vec![16_384, 32_768], vec![65_535, 0]]);
    assert_eq!(waves[1].start, waves[0].start + Duration::from_millis(30));
}

#[derive(Clone, Debug)]
enum Op {
    Wave(u16, u16),
    Wait(u16),
    Assign,
    Release,
    Lock,
    Unlock,
    Link(bool),
    Value,
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (prop_oneof![Just(75_u16), Just(125)], 1_u16..300).prop_map(|(r, n)| Op::Wave(r, n)),
        4 => prop_oneof![1_u16..1_500, 5_000_u16..20_000].prop_map(Op::Wait),
        2 => Just(Op::Assign),
        1 => Just(Op::Release),
        1 => Just(Op::Lock),
        2 => Just(Op::Unlock),
        1 => any::<bool>().prop_map(Op::Link),
        1 => Just(Op::Value),
    ]
}

/// Whether the oximeter is assigned to somebody at this moment, as the cart remembers it.
fn is_assigned(bedside: &Bedside) -> bool {
    let cart = bedside.store.cart.clone().unwrap_or_default();
    let now = bedside.now().wall;
    cart.devices.iter().any(|device| {
        device.id == OXIMETER && device.assignment.is_some_and(|a| a.since <= now && now < a.until)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn s6_every_sample_of_an_assigned_device_is_recorded_once_and_in_order(
        ops in prop::collection::vec(any_op(), 1..60),
    ) {
        let mut bedside = Bedside::monitoring();
        let (mut next, mut expected) = (0_u16, Vec::new());
        for op in ops {
            match op {
                Op::Wave(rate_hz, count) => {
                    if is_assigned(&bedside) {
                        expected.extend(next..next + count);
                    }
                    wave(&mut bedside, rate_hz, next..next + count);
                    next += count;
                }
                Op::Wait(ms) => bedside.wait(Duration::from_millis(ms.into())),
                Op::Assign => {
                    bedside.intent(frame::Intent::Open(Page::Devices));
                    bedside.advertise(OXIMETER, wardkeep_model::vitals::DeviceKind::PulseOximeter);
                    bedside.intent(devices::Intent::Connect(OXIMETER));
                    bedside.intent(devices::Intent::Assign(OXIMETER));
                }
                Op::Release => bedside.intent(devices::Intent::Release(OXIMETER)),
                Op::Lock => bedside.intent(frame::Intent::Lock),
                Op::Unlock => bedside.unlock(),
                Op::Link(live) => {
                    let link = if live { Link::Live } else { Link::Lost };
                    bedside.hardware(Event::Link(OXIMETER, link));
                }
                Op::Value => bedside.frame(STRAP, heart_rate(72)),
            }
        }
        let waves = recorded(&mut bedside);
        let samples: Vec<u16> =
            waves.iter().flat_map(|wave| wave.samples.reveal().clone()).collect();
        prop_assert_eq!(samples, expected);
        for wave in &waves {
            prop_assert!(wave.subject.is_some());
            let len = wave.samples.reveal().len();
            prop_assert!(len > 0 && len <= usize::from(wave.rate_hz) * 10);
        }
        // One sequence for waveforms and observations, without gaps.
        let mut seqs: Vec<u64> = waves.iter().map(|wave| wave.record.seq).collect();
        seqs.extend(bedside.store.records.iter().map(|record| record.record.seq));
        seqs.sort_unstable();
        prop_assert!(seqs.iter().copied().eq(1..=seqs.len() as u64));
    }
}
