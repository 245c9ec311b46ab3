//! Views of an invented bedside, for the tour and for tests. Nobody here exists.

pub mod staff;

use std::sync::Arc;
use std::time::Duration;

use wardkeep_core::alarms::{AlarmText, Condition, Crossed, Shown, Standing};
use wardkeep_core::config::Language;
use wardkeep_core::kiosk::page::Page;
use wardkeep_core::kiosk::view::access::Ways;
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::view::{
    AlarmStrip, Bedside, Clock, DeviceRow, DeviceState, Devices, Lock, OpenFrame, OperatorChip,
    Owner, PatientBanner, PatientRow, Patients, PinPrompt, PinPurpose, Screen, Tile, TileState,
    Unseen, View,
};
use wardkeep_model::access::Role;
use wardkeep_model::access::factor::TokenKind;
use wardkeep_model::access::policy::Level;
use wardkeep_model::alarm::Priority;
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::{Sex, SubjectId};
use wardkeep_model::keeping::inventory::Identity;
use wardkeep_model::moment::ClockState;
use wardkeep_model::ports::{RadioHealth, ReaderHealth, ReaderKind};
use wardkeep_model::vitals::parameter::Parameter;
use wardkeep_model::vitals::wave::WaveKind;
use wardkeep_model::vitals::{DeviceId, DeviceKind};

/// A view with this screen and nobody logged in.
pub fn concealed(screen: Screen) -> View {
    View {
        clock_state: ClockState::Set,
        clock: Clock { hour: 14, minute: 32, weekday: 7, day: 22, month: 11 },
        bed: "Bed 12".into(),
        ward: "Ward 4B".into(),
        language: Language::English,
        simulated: false,
        alarm: None,
        open: None,
        notice: None,
        screen,
    }
}

/// A view with this screen, a nurse and a patient.
pub fn open(screen: Screen) -> View {
    let operator = OperatorChip {
        initials: "AK".into(),
        role: Role::Nurse,
        level: Level::Copyable,
        since: TimeOfDay::at(14, 20),
        minutes_left: 11,
    };
    let pages = vec![Page::Bedside, Page::Alarms, Page::Patients, Page::Devices];
    let patient = Some(margaret());
    let (enrolling, taking_over, encrypting, finding) = (None, None, None, None);
    let open = OpenFrame {
        operator,
        patient,
        pages,
        enrolling,
        taking_over,
        encrypting,
        finding,
        waiting: 0,
        just_filed: None,
    };
    View { open: Some(open), ..concealed(screen) }
}

/// A patient of everyday length.
pub fn margaret() -> PatientBanner {
    patient("Okonkwo-Brandt", "Margaret", Some((82, "1944-03-02")), Sex::Female, "4471")
}

/// A name of forty letters.
pub fn long_name() -> PatientBanner {
    patient(
        "Wolfeschlegelsteinhausen-Bergerdorff",
        "Maximiliane Theodora",
        Some((104, "1922-01-31")),
        Sex::Female,
        "2026-0004471-B",
    )
}

/// A patient banner.
pub fn patient(
    family: &str,
    given: &str,
    born: Option<(i16, &str)>,
    sex: Sex,
    mrn: &str,
) -> PatientBanner {
    PatientBanner {
        family: Phi::new(family.into()),
        given: Phi::new(given.into()),
        age_years: born.map(|(years, _)| Phi::new(years)),
        sex: Phi::new(sex),
        born: born.map(|(_, date)| Phi::new(date.into())),
        mrn: Phi::new(mrn.into()),
    }
}

/// Readers and radio in order, two of three devices live.
pub fn lock() -> Lock {
    Lock {
        readers: vec![
            (ReaderKind::Badge, ReaderHealth::Ready),
            (ReaderKind::SmartCard, ReaderHealth::NotFitted),
            (ReaderKind::Finger, ReaderHealth::NotFitted),
        ],
        ways: Ways::default(),
        radio: RadioHealth::Ready,
        devices_live: 2,
        devices_known: 3,
    }
}

/// A PIN prompt to unlock.
pub fn pin() -> PinPrompt {
    PinPrompt {
        purpose: PinPurpose::Unlock,
        token: TokenKind::Badge,
        finger: None,
        prompt: 1,
        refused: false,
        tries_left: None,
        wait_s: None,
        busy: false,
    }
}

/// A tile with a current value.
pub fn tile(parameter: Parameter, value: &str) -> Tile {
    let (unit, low, high, source) = match parameter {
        Parameter::HeartRate => ("/min", "50", "120", "Heart strap 07"),
        Parameter::SpO2 => ("%", "90", "", "Oximeter 21"),
        Parameter::PulseRate => ("/min", "50", "120", "Oximeter 21"),
        Parameter::Respiration => ("/min", "8", "30", "Patch 11"),
        Parameter::Systolic => ("mm[Hg]", "90", "160", "Cuff 03"),
        Parameter::Diastolic => ("mm[Hg]", "50", "90", "Cuff 03"),
        Parameter::MeanPressure => ("mm[Hg]", "60", "110", "Cuff 03"),
        Parameter::Temperature => ("Cel", "35.0", "38.5", "Thermometer 2"),
        Parameter::Glucose => ("mmol/L", "", "", "Meter 12"),
        Parameter::Weight => ("kg", "", "", "Scale 4B"),
    };
    Tile {
        parameter,
        value: Some(Phi::new(value.into())),
        unit,
        limit_low: Some(low.into()).filter(|limit: &String| !limit.is_empty()),
        limit_high: Some(high.into()).filter(|limit: &String| !limit.is_empty()),
        source: source.into(),
        one_of: None,
        age: Some(Duration::from_secs(1)),
        last: None,
        state: TileState::Current,
        weak_signal: false,
        alarm: None,
        is_seen: false,
    }
}

/// A tile without a current value.
pub fn missing(parameter: Parameter, state: TileState, last: Option<(&str, u64)>) -> Tile {
    Tile {
        value: None,
        age: last.map(|(_, age_s)| Duration::from_secs(age_s)),
        last: last.map(|(value, _)| Phi::new(value.into())),
        state,
        ..tile(parameter, "")
    }
}

/// Three current values and a pleth lane.
pub fn bedside() -> Bedside {
    Bedside {
        tiles: vec![
            tile(Parameter::HeartRate, "72"),
            tile(Parameter::SpO2, "97"),
            tile(Parameter::PulseRate, "73"),
        ],
        waves: vec![WaveKind::Pleth],
        has_patient: true,
        has_device: true,
    }
}

/// An alarm of this priority.
pub fn alarm(priority: Priority, text: AlarmText) -> AlarmStrip {
    let shown = Shown { condition: Condition::Low(Parameter::SpO2), number: 1 };
    AlarmStrip {
        priority,
        unseen: Some(Unseen { shown, priority, text: text.clone() }),
        text,
        since: TimeOfDay::at(14, 31),
        acknowledged: false,
        escalated: false,
        others: 0,
        audio_paused_s: None,
    }
}

/// Oxygen saturation under its limit.
pub fn low_oxygen(value: &str) -> AlarmText {
    AlarmText::Low(crossed(Parameter::SpO2, value, "90"))
}

/// A value that crossed its limit.
pub fn crossed(parameter: Parameter, value: &str, limit: &str) -> Crossed {
    Crossed { parameter, value: value.into(), limit: limit.into(), standing: Standing::Is }
}

/// A device row; nothing is offered.
pub fn device(last_byte: u8, name: &str, kind: DeviceKind, state: DeviceState) -> DeviceRow {
    DeviceRow {
        id: DeviceId([0xC0, 0x26, 0xDA, 0x00, 0x00, last_byte]),
        name: name.into(),
        kind,
        identity: Identity::default(),
        has_page: false,
        state,
        owner: Owner::Nobody,
        reading: Phi::default(),
        battery_percent: None,
        pairing: None,
        is_changed: false,
        has_no_room: false,
        is_shown: None,
        can_connect: false,
        can_pair: false,
        can_assign: false,
        can_show: false,
        can_release: false,
    }
}

/// Five devices in every state.
pub fn devices() -> Devices {
    use DeviceKind::{HeartRate, PulseOximeter};
    let rows = vec![
        DeviceRow {
            owner: Owner::ThisPatient(TimeOfDay::at(7, 10)),
            reading: Phi::new("97 %".into()),
            battery_percent: Some(74),
            can_release: true,
            has_page: true,
            identity: Identity {
                model: "3230".into(),
                serial: "502194017".into(),
                ..Identity::default()
            },
            ..device(1, "Oximeter 21", PulseOximeter, DeviceState::Live)
        },
        DeviceRow {
            battery_percent: Some(90),
            reading: Phi::new("72 /min".into()),
            can_assign: true,
            can_release: true,
            ..device(2, "Heart strap 07", HeartRate, DeviceState::Live)
        },
        DeviceRow {
            can_release: true,
            ..device(3, "Heart strap 12", HeartRate, DeviceState::Lost)
        },
        DeviceRow {
            can_connect: true,
            ..device(4, "Nonin 3230 502194", PulseOximeter, DeviceState::Near)
        },
        DeviceRow {
            owner: Owner::AnotherPatient,
            can_release: true,
            ..device(5, "Oximeter 19", PulseOximeter, DeviceState::Away)
        },
    ];
    Devices {
        rows,
        radio: RadioHealth::Ready,
        is_crowded: false,
        has_patient: true,
        waiting: 0,
        has_readings: true,
    }
}

/// Four patients, one of them here.
pub fn patients() -> Patients {
    let banners = [
        patient("Abadi", "Soraya", Some((34, "1992-07-19")), Sex::Female, "4502"),
        margaret(),
        patient("Weiß", "Jörg", None, Sex::Male, ""),
        long_name(),
    ];
    let rows: Arc<[PatientRow]> = (1_u128..)
        .zip(banners)
        .map(|(id, banner)| PatientRow { id: SubjectId(id), banner, here: id == 2 })
        .collect();
    let search = Phi::default();
    Patients { total: rows.len(), rows, search, loading: false, saved: 0, draft: None }
}

/// Twenty-four words that are no key.
pub const WORDS: &str = "abandon ability able about above absent absorb abstract absurd abuse access \
    accident account accuse achieve acid acoustic acquire across act action actor actress actual";

/// Five seconds of an invented ECG, 0.0..=1.0, at the same beats as the pleth.
pub fn ecg(rate_hz: u16, beats_per_min: f32) -> Vec<f32> {
    (0..rate_hz * 5)
        .map(|n| {
            let phase = (f32::from(n) / f32::from(rate_hz) * beats_per_min / 60.0).fract();
            let wave = |centre: f32, width: f32| (-((phase - centre) / width).powi(2)).exp();
            let qrs =
                0.62 * wave(0.2, 0.014) - 0.12 * wave(0.17, 0.012) - 0.18 * wave(0.235, 0.014);
            0.3 + 0.08 * wave(0.05, 0.03) + qrs + 0.17 * wave(0.47, 0.06)
        })
        .collect()
}

/// Five seconds of an invented pleth, 0.0..=1.0; whole beats at multiples of 12 /min.
pub fn pleth(rate_hz: u16, beats_per_min: f32) -> Vec<f32> {
    (0..rate_hz * 5)
        .map(|n| {
            let phase = (f32::from(n) / f32::from(rate_hz) * beats_per_min / 60.0).fract();
            let wave = |centre: f32, width: f32| (-((phase - centre) / width).powi(2)).exp();
            0.12 + 0.75 * wave(0.25, 0.11) + 0.26 * wave(0.52, 0.10)
        })
        .collect()
}
