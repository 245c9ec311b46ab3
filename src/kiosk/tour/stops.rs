//! Stops of the tour: each screen, and the states of it that tell something.

mod alarms;
mod inventory;
mod readings;
pub mod records;
mod staff;

use wardkeep_core::alarms::{AlarmText, Crossed, Standing};
use wardkeep_core::kiosk::view::access::Ways;
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::view::{
    AlarmStrip, Bedside, Devices, FirstStart, Lock, OneOf, Owner, Patients, PinPrompt, PinPurpose,
    Screen, Tile, TileState, View,
};
use wardkeep_model::access::guessable::Weakness;
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::notice::Notice;
use wardkeep_model::ports::{RadioHealth, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::DeviceKind;
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::wave::WaveKind;

use crate::bridge::{AppWindow, samples};
use crate::tour::samples::{
    WORDS, alarm, bedside, concealed, crossed, devices, lock, long_name, low_oxygen, missing, open,
    patients, pin, tile,
};
use crate::tour::stop::{Stop, stop, touch};

/// The whole tour.
pub fn all() -> Vec<Stop> {
    let mut stops = vec![stop("starting", concealed(Screen::Starting))];
    stops.extend(first_start());
    stops.extend(locked());
    stops.extend(pins());
    stops.extend(bedsides());
    stops.extend(alarms::all());
    stops.extend(lists());
    stops.extend(inventory::all());
    stops.extend(readings::all());
    stops.extend(staff::all());
    stops.extend(records::all());
    stops
}

fn first_start() -> Vec<Stop> {
    let step = |name, step| stop(name, concealed(Screen::FirstStart(step)));
    let prompt = PinPrompt { purpose: PinPurpose::Choose, ..pin() };
    let repeat = PinPrompt { purpose: PinPurpose::Repeat, prompt: 2, ..pin() };
    let mut guessable = step("first-start-pin-guessable", FirstStart::Pin(prompt));
    guessable.view.notice = Some(Notice::PinGuessable(Weakness::Run));
    vec![
        step("first-start", FirstStart::Welcome { badge_reader: ReaderHealth::Ready }),
        step(
            "first-start-no-reader",
            FirstStart::Welcome { badge_reader: ReaderHealth::NotFitted },
        ),
        step("first-start-name", FirstStart::Name),
        step("first-start-badge", FirstStart::Badge { badge_reader: ReaderHealth::Ready }),
        step("first-start-pin", FirstStart::Pin(prompt)),
        guessable,
        step("first-start-repeat", FirstStart::Pin(repeat)),
        step("first-start-working", FirstStart::Working),
        step("first-start-recovery", FirstStart::Recovery(Secret::new(WORDS.into()))),
    ]
}

fn locked() -> Vec<Stop> {
    let calm = concealed(Screen::Lock(lock()));
    let low = alarm(Priority::Medium, low_oxygen("88"));
    let no_reader = Lock {
        readers: vec![(ReaderKind::Badge, ReaderHealth::ServiceDown)],
        ways: Ways::default(),
        radio: RadioHealth::NoAdapter,
        devices_live: 0,
        devices_known: 0,
    };
    vec![
        stop("lock", calm.clone()),
        stop("lock-alarm", View { alarm: Some(low), simulated: true, ..calm.clone() }),
        stop("lock-notice", View { notice: Some(Notice::BadgeLeftTooSoon), ..calm.clone() }),
        stop("lock-no-reader", concealed(Screen::Lock(no_reader))),
        Stop { day: true, ..stop("lock-day", calm) },
    ]
}

fn pins() -> Vec<Stop> {
    let prompt = |prompt| concealed(Screen::Pin(prompt));
    let digits: fn(&AppWindow) = |window| {
        for digit in ["4", "7", "1", "1"] {
            touch(window, &[&format!("Digit {digit}"), &format!("Ziffer {digit}")]);
        }
    };
    let refused = PinPrompt { refused: true, tries_left: Some(7), ..pin() };
    let waiting = PinPrompt { refused: true, tries_left: Some(4), wait_s: Some(30), ..pin() };
    vec![
        Stop { touch: digits, ..stop("pin", prompt(pin())) },
        stop("pin-refused", prompt(refused)),
        stop("pin-waiting", View { notice: Some(Notice::TryLater), ..prompt(waiting) }),
        stop("pin-busy", prompt(PinPrompt { busy: true, ..pin() })),
    ]
}

fn with_alarm(parameter: Parameter, priority: Priority, value: &str) -> Bedside {
    let mut shown = bedside();
    for tile in &mut shown.tiles {
        if tile.parameter == parameter {
            *tile = Tile { alarm: Some(priority), ..samples_tile(parameter, value) };
        }
    }
    shown
}

fn samples_tile(parameter: Parameter, value: &str) -> Tile {
    Tile { weak_signal: true, ..tile(parameter, value) }
}

fn bedsides() -> Vec<Stop> {
    let at = |bedside| open(Screen::Bedside(bedside));
    let medium = View {
        alarm: Some(alarm(Priority::Medium, low_oxygen("88"))),
        ..at(with_alarm(Parameter::SpO2, Priority::Medium, "88"))
    };
    let racing = AlarmText::High(crossed(Parameter::HeartRate, "240", "120"));
    let high = View {
        alarm: Some(AlarmStrip { others: 2, ..alarm(Priority::High, racing) }),
        simulated: true,
        ..at(with_alarm(Parameter::HeartRate, Priority::High, "240"))
    };
    let lost = AlarmText::LinkLost { device: "Oximeter 21".into() };
    let low = View {
        alarm: Some(AlarmStrip {
            acknowledged: true,
            unseen: None,
            audio_paused_s: Some(118),
            ..alarm(Priority::Low, lost)
        }),
        ..at(gone())
    };
    let standing = Standing::ValueLost;
    let was = AlarmText::Low(Crossed { standing, ..crossed(Parameter::SpO2, "70", "80") });
    let value_lost = View {
        alarm: Some(AlarmStrip { others: 1, ..alarm(Priority::High, was) }),
        ..at(lost_in_alarm())
    };
    let battery = AlarmText::BatteryLow { device: "Heart strap 07".into(), percent: 12 };
    let seen = View {
        alarm: Some(AlarmStrip {
            acknowledged: true,
            others: 1,
            unseen: alarm(Priority::Low, battery).unseen,
            ..alarm(Priority::High, low_oxygen("79"))
        }),
        ..at(with_alarm(Parameter::SpO2, Priority::High, "79"))
    };
    let mut long = at(Bedside { waves: vec![], ..bedside() });
    if let Some(open) = &mut long.open {
        open.patient = Some(long_name());
    }
    let patch = Bedside { waves: WaveKind::ALL.to_vec(), ..bedside() };
    let nobody = Bedside { has_patient: false, has_device: false, waves: vec![], tiles: vec![] };
    let mut no_patient = at(nobody);
    if let Some(open) = &mut no_patient.open {
        open.patient = None;
    }
    let bare = Bedside { has_device: false, waves: vec![], tiles: vec![], has_patient: true };
    vec![
        stop("bedside", at(bedside())),
        Stop { day: true, ..stop("bedside-day", at(bedside())) },
        stop("bedside-alarm-medium", medium.clone()),
        Stop { day: true, ..stop("bedside-alarm-day", medium) },
        stop("bedside-alarm-high", high),
        stop("bedside-alarm-low", low),
        stop("bedside-value-lost", value_lost),
        stop("bedside-alarm-seen", seen),
        stop("bedside-long-name", long.clone()),
        Stop { touch: |window| touch(window, &["Patient"]), ..stop("bedside-full-name", long) },
        stop("bedside-several", at(several())),
        stop("bedside-ecg", at(patch)),
        stop("bedside-no-patient", no_patient),
        stop("bedside-no-device", at(bare)),
        stop("bedside-notice", View { notice: Some(Notice::ConfigIgnored), ..at(bedside()) }),
        bed("bedside-tiles-1", |window| samples::show_bed(window, 1, 1)),
        bed("bedside-tiles-3", |window| samples::show_bed(window, 3, 2)),
        bed("bedside-tiles-4", |window| samples::show_bed(window, 4, 1)),
        bed("bedside-tiles-6", |window| samples::show_bed(window, 6, 3)),
        bed("bedside-tiles-12", |window| samples::show_bed(window, 12, 3)),
    ]
}

/// What the screen can place, beyond what the core measures.
fn bed(name: &'static str, fill: fn(&AppWindow)) -> Stop {
    let calm = open(Screen::Bedside(Bedside { waves: vec![], ..bedside() }));
    Stop { touch: fill, ..stop(name, calm) }
}

/// Two straps, and an oximeter that took over from another.
fn several() -> Bedside {
    let instead = Some(OneOf::Instead);
    let weak_signal = true;
    let tiles = vec![
        Tile { one_of: Some(OneOf::First), ..tile(Parameter::HeartRate, "72") },
        Tile { one_of: instead, ..tile(Parameter::SpO2, "97") },
        Tile { one_of: instead, weak_signal, ..tile(Parameter::PulseRate, "73") },
    ];
    Bedside { tiles, ..bedside() }
}

/// The saturation was in alarm when the finger slipped out.
fn lost_in_alarm() -> Bedside {
    let lost = missing(Parameter::SpO2, TileState::NoValue, Some(("70", 12)));
    let tiles = vec![
        tile(Parameter::HeartRate, "72"),
        Tile { alarm: Some(Priority::High), ..lost },
        missing(Parameter::PulseRate, TileState::NoValue, Some(("73", 12))),
    ];
    Bedside { tiles, ..gone() }
}

/// One value lost with the link, one that is old, one without a device.
fn gone() -> Bedside {
    Bedside {
        tiles: vec![
            missing(Parameter::HeartRate, TileState::NoDevice, None),
            missing(Parameter::SpO2, TileState::LinkLost, Some(("97", 12))),
            missing(Parameter::PulseRate, TileState::Stale, Some(("73", 180))),
        ],
        waves: vec![],
        has_patient: true,
        has_device: true,
    }
}

fn lists() -> Vec<Stop> {
    let radio = RadioHealth::Ready;
    let none = Devices { rows: vec![], radio, has_readings: false, ..devices() };
    let off = Devices { radio: RadioHealth::Off, ..none.clone() };
    let mut alike = devices();
    for (row, is_shown) in alike.rows.iter_mut().zip([true, false]) {
        row.kind = DeviceKind::PulseOximeter;
        row.owner = Owner::ThisPatient(TimeOfDay::at(7, 10));
        (row.is_shown, row.can_show, row.can_assign) = (Some(is_shown), !is_shown, false);
        (row.name, row.reading) = ("Nonin 3230 502194".into(), Phi::new("96 %".into()));
    }
    let unassigned = Devices { has_patient: false, ..devices() };
    let nobody = Patients { rows: [].into(), total: 0, ..patients() };
    let mut many = patients();
    let more: Vec<_> = many.rows.iter().cloned().cycle().take(12).collect();
    (many.total, many.rows) = (more.len(), more.into());
    vec![
        stop("devices", open(Screen::Devices(devices()))),
        stop("devices-empty", open(Screen::Devices(none))),
        stop("devices-radio-off", open(Screen::Devices(off))),
        stop("devices-several", open(Screen::Devices(alike))),
        stop("devices-no-patient", open(Screen::Devices(unassigned))),
        stop("patients", open(Screen::Patients(patients()))),
        stop("patients-many", open(Screen::Patients(many))),
        stop("patients-empty", open(Screen::Patients(nobody))),
        Stop {
            touch: |window| touch(window, &["New patient", "Neu aufnehmen"]),
            ..stop("patients-new", open(Screen::Patients(patients())))
        },
        Stop {
            touch: |window| touch(window, &["New patient", "Neu aufnehmen"]),
            ..stop(
                "patients-new-refused",
                View {
                    notice: Some(Notice::BirthDateWrong),
                    alarm: Some(alarm(Priority::Medium, low_oxygen("88"))),
                    simulated: true,
                    ..open(Screen::Patients(patients()))
                },
            )
        },
    ]
}
