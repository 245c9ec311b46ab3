//! The simulated devices that measure when they are asked, and the patch: what they send is what the product's decoders
//! read, and each has its faults.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for the events it names")]

use std::time::Duration;

use kit::clock::Clock;
use wardkeep_model::ports::{
    Command, Event, Link, PairingAnswer, PairingFault, PairingStep, Passkey, Want, WriteFault,
};
use wardkeep_model::vitals::gatt::{Decoded, decode};
use wardkeep_model::vitals::nomenclature::{
    Absent, BODY_TEMPERATURE, BODY_WEIGHT, DIASTOLIC, GLUCOSE_CAPILLARY_PLASMA, HEART_RATE, Mdc,
    RESPIRATION, SYSTOLIC, TEMPERATURE_EAR,
};
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind};
use wardkeep_sim::ward::{CUFF, Knob, METER, OXIMETER_A, PATCH, SCALE, THERMOMETER, Ward};

const SECOND: Duration = Duration::from_secs(1);

struct Bench {
    ward: Ward,
    clock: Clock,
    /// The frames of the last step, whoever sent them.
    events: Vec<Event>,
}

impl Bench {
    /// With this device on the cart, wanted by the kiosk.
    fn with(id: DeviceId, kind: DeviceKind) -> Self {
        let clock = Clock::running_for(Duration::from_secs(100)).on("2026-11-22T14:32:00Z");
        let mut bench = Self { ward: Ward::new(42), clock, events: vec![] };
        bench.turn(Knob::MoveNear(id));
        bench.ward.handle(Command::Connect(id, Want::of(kind)));
        bench.wait(SECOND);
        bench
    }

    fn wait(&mut self, length: Duration) {
        self.events.clear();
        for _ in 0..length.as_millis() / 50 {
            self.clock.wait(Duration::from_millis(50));
            self.events.extend(self.ward.step(self.clock.now()));
        }
    }

    fn turn(&mut self, knob: Knob) {
        self.ward.turn(self.clock.now(), knob);
    }

    /// What was measured, until it sleeps again.
    fn measured(&mut self, id: DeviceId, number: u16) -> Vec<Decoded> {
        self.turn(Knob::Measure(id));
        self.wait(10 * SECOND);
        self.frames(id, number)
    }

    fn frames(&self, id: DeviceId, number: u16) -> Vec<Decoded> {
        let all = self.events.iter().filter_map(|event| match event {
            Event::Frame { device, characteristic, payload, .. }
                if *device == id && characteristic.0 == number =>
            {
                Some(decode(*characteristic, payload).expect("a sound frame"))
            }
            _ => None,
        });
        all.collect()
    }

    fn links(&self, id: DeviceId) -> Vec<Link> {
        let all = self.events.iter().filter_map(|event| match event {
            Event::Link(device, link) if *device == id => Some(*link),
            _ => None,
        });
        all.collect()
    }

    fn write(&mut self, id: DeviceId, number: u16, bytes: &[u8]) -> Result<(), WriteFault> {
        self.ward.handle(Command::Write(id, Characteristic(number), bytes.to_vec()));
        self.wait(2 * SECOND);
        let done = self.events.iter().find_map(|event| match event {
            Event::Wrote(device, what, done) if *device == id && what.0 == number => Some(*done),
            _ => None,
        });
        done.expect("an answer")
    }
}

fn charted(decoded: &Decoded) -> Vec<(Mdc, f64)> {
    let value = |text: String| text.parse().expect("a number");
    decoded.observations.iter().map(|one| (one.code, value(one.value.to_string()))).collect()
}

#[test]
fn each_sleeps_until_it_measures_hands_its_reading_over_and_sleeps_again() {
    for (id, kind, number, codes) in [
        (CUFF, DeviceKind::Cuff, 0x2A35, &[SYSTOLIC, DIASTOLIC][..]),
        (THERMOMETER, DeviceKind::Thermometer, 0x2A1C, &[TEMPERATURE_EAR]),
        (SCALE, DeviceKind::Scale, 0x2A9D, &[BODY_WEIGHT]),
    ] {
        let mut bench = Bench::with(id, kind);
        bench.wait(5 * SECOND);
        assert_eq!(bench.links(id), [], "{kind:?} sleeps");
        let found = bench.measured(id, number);
        assert_eq!(found.len(), 1, "{kind:?}");
        let values = charted(&found[0]);
        assert!(codes.iter().all(|code| values.iter().any(|(of, _)| of == code)), "{values:?}");
        assert!(found[0].time.is_some(), "{kind:?} has a clock");
        assert_eq!(bench.links(id), [Link::Live]);
        bench.wait(40 * SECOND);
        assert_eq!(bench.links(id), [Link::Connecting], "{kind:?}: nobody misses it");
        bench.turn(Knob::Fails(id, true));
        let failed = bench.measured(id, number);
        assert_eq!(charted(&failed[0]), [], "{kind:?}");
        assert!(!failed[0].withheld.is_empty(), "{kind:?} says that it failed");
        bench.turn(Knob::Malformed(id, true));
        bench.turn(Knob::Measure(id));
        bench.wait(10 * SECOND);
        let broken = bench.events.iter().filter_map(|event| match event {
            Event::Frame { device, characteristic, payload, .. }
                if *device == id && characteristic.0 == number =>
            {
                Some(decode(*characteristic, payload))
            }
            _ => None,
        });
        for frame in broken {
            assert!(frame.map_or(true, |one| one.observations.is_empty()), "{kind:?}");
        }
    }
}

#[test]
fn a_clock_that_was_lost_is_set_by_whoever_writes_to_it() {
    let mut bench = Bench::with(CUFF, DeviceKind::Cuff);
    bench.turn(Knob::LoseClock(CUFF, true));
    let found = bench.measured(CUFF, 0x2A35);
    assert_eq!(found[0].time.map(|time| time.year()), Some(2000));
    assert_eq!(bench.frames(CUFF, 0x2A2B)[0].time.map(|time| time.year()), Some(2000));
    assert_eq!(bench.write(CUFF, 0x2A2B, &[0; 10]), Ok(()));
    let found = bench.measured(CUFF, 0x2A35);
    assert_eq!(found[0].time.map(|time| time.year()), Some(2026));
    assert_eq!(bench.write(CUFF, 0x2A52, &[1, 1]), Err(WriteFault::NoSuchCharacteristic));
}

#[test]
fn a_meter_keeps_its_records_until_it_is_asked_and_hands_them_over_by_number() {
    let mut bench = Bench::with(METER, DeviceKind::GlucoseMeter);
    assert_eq!(bench.write(METER, 0x2A52, &[1, 1]), Err(WriteFault::NotLinked));
    for _ in 0..3 {
        assert_eq!(bench.measured(METER, 0x2A18), [], "it is silent until it is asked");
    }
    bench.turn(Knob::Fails(METER, true));
    bench.measured(METER, 0x2A18);
    bench.ward.handle(Command::Write(METER, Characteristic(0x2A52), vec![1, 1]));
    bench.wait(8 * SECOND);
    let all = bench.frames(METER, 0x2A18);
    let is_glucose =
        |one: &&Decoded| charted(one).iter().any(|(code, _)| *code == GLUCOSE_CAPILLARY_PLASMA);
    assert_eq!((all.len(), all.iter().filter(is_glucose).count()), (4, 3));
    bench.ward.handle(Command::Write(METER, Characteristic(0x2A52), vec![1, 3, 1, 3, 0]));
    bench.wait(8 * SECOND);
    let rest = bench.frames(METER, 0x2A18);
    assert_eq!(rest.len(), 2, "from the third on");
    let control = rest.last().expect("the control solution");
    assert_eq!(control.withheld[0].reason, Absent::ControlSolution);
}

#[test]
fn a_patch_sends_a_heart_a_breath_a_temperature_and_an_ecg() {
    let mut bench = Bench::with(PATCH, DeviceKind::Patch);
    bench.wait(6 * SECOND);
    for (number, code) in [(0x2A37, HEART_RATE), (0x2B8B, RESPIRATION), (0x2A1C, BODY_TEMPERATURE)]
    {
        let found = bench.frames(PATCH, number);
        let values: Vec<_> = found.iter().flat_map(charted).filter(|(of, _)| *of == code).collect();
        assert!(values.len() >= 3, "{code:?}: {values:?}");
    }
    let peaks = bench.events.iter().filter_map(|event| match event {
        Event::Wave { device: PATCH, rate_hz: 125, samples } => Some(samples.iter().copied()),
        _ => None,
    });
    let highest = peaks.flatten().fold(0.0, f32::max);
    assert!(highest > 0.8, "an R wave: {highest}");
    bench.turn(Knob::SetWorn(PATCH, false));
    bench.wait(4 * SECOND);
    for number in [0x2B8B, 0x2A1C] {
        let last = bench.frames(PATCH, number).pop().expect("it goes on sending");
        assert!(last.observations.is_empty() && !last.withheld.is_empty(), "{number:04x}");
    }
}

#[test]
fn a_cuff_shows_a_number_that_is_typed_and_an_oximeter_shows_itself() {
    let mut bench = Bench::with(CUFF, DeviceKind::Cuff);
    bench.turn(Knob::Measure(CUFF));
    bench.wait(2 * SECOND);
    let mut step = |command| {
        bench.ward.handle(command);
        bench.wait(SECOND);
        let last = bench.events.iter().rev().find_map(|event| match event {
            Event::Pairing(CUFF, step) => Some(*step),
            _ => None,
        });
        let scene = bench.ward.scene();
        let shown = scene.devices.iter().find(|device| device.id == CUFF);
        (last, shown.and_then(|device| device.shown_number()))
    };
    let (asked, shown) = step(Command::Pair(CUFF));
    assert_eq!(asked, Some(PairingStep::TypePasskey));
    let number = Passkey::new(shown.expect("a number")).expect("six digits");
    let wrong = Passkey::new(1).expect("six digits");
    let answer = |typed| Command::AnswerPairing(CUFF, PairingAnswer::Passkey(typed));
    assert_eq!(step(answer(wrong)).0, Some(PairingStep::Failed(PairingFault::WrongPasskey)));
    step(Command::Pair(CUFF));
    assert_eq!(step(answer(number)).0, Some(PairingStep::Bonded(CUFF)));

    let mut bench = Bench::with(OXIMETER_A, DeviceKind::PulseOximeter);
    bench.wait(3 * SECOND);
    let blinks = |bench: &Bench| {
        let scene = bench.ward.scene();
        scene.devices.iter().any(|device| device.id == OXIMETER_A && device.is_blinking())
    };
    assert!(!blinks(&bench));
    assert_eq!(bench.write(OXIMETER_A, 0x2A06, &[1]), Ok(()));
    assert!(blinks(&bench));
    bench.wait(11 * SECOND);
    assert!(!blinks(&bench), "for a while");
}
