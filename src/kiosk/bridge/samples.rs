//! A bed with more values and waveforms than the core measures today, for pictures and tests of the layout.
//! Nobody here exists.

use slint::{ComponentHandle, Image, Model, ModelRc, SharedString, VecModel};
use tokio::sync::mpsc;

use wardkeep_core::config::Language;
use wardkeep_model::alarm::Priority;
use wardkeep_model::vitals::wave::WaveKind;
use wardkeep_ui::{self as ui, AppWindow, Family};

use crate::bridge::lane::Lanes;
use crate::bridge::lines;
use crate::bridge::wave::WaveChunk;

/// English and German name, family, value, unit and limits.
type Row =
    (&'static str, &'static str, Family, &'static str, &'static str, &'static str, &'static str);

const ROWS: [Row; 12] = [
    ("Heart rate", "Herzfrequenz", Family::Heart, "118", "/min", "50", "120"),
    ("SpO\u{2082}", "SpO\u{2082}", Family::Oxygen, "88", "%", "90", "100"),
    ("Respiration", "Atemfrequenz", Family::Breath, "", "/min", "8", "30"),
    ("Blood pressure", "Blutdruck", Family::Pressure, "204/162", "mmHg", "90", "160"),
    ("Temperature", "Temperatur", Family::Warmth, "37.9", "°C", "35.0", "38.5"),
    ("Glucose", "Glukose", Family::Sugar, "17.1", "mmol/L", "", ""),
    ("Pulse rate", "Pulsfrequenz", Family::Oxygen, "117", "/min", "50", "120"),
    ("Perfusion", "Perfusion", Family::Oxygen, "0.4", "%", "", ""),
    ("Skin", "Hauttemperatur", Family::Warmth, "35.8", "°C", "", ""),
    ("Mean pressure", "Mitteldruck", Family::Pressure, "176", "mmHg", "60", "110"),
    ("Oxygen given", "Sauerstoffgabe", Family::Pressure, "4.0", "L/min", "", ""),
    ("Weight", "Gewicht", Family::Pressure, "61.4", "kg", "", ""),
];

/// English and German name, family, and the curve over one breath or beat.
type Curve = (&'static str, &'static str, Family, fn(f32) -> f32);

const CURVES: [Curve; 3] = [
    ("ECG", "EKG", Family::Heart, |phase| {
        0.3 + 0.65 * bump(phase, 0.4, 0.012) - 0.15 * bump(phase, 0.44, 0.012)
            + 0.16 * bump(phase, 0.65, 0.06)
    }),
    ("Pleth", "Pleth", Family::Oxygen, |phase| {
        0.12 + 0.75 * bump(phase, 0.25, 0.11) + 0.26 * bump(phase, 0.52, 0.10)
    }),
    ("Resp", "Atmung", Family::Breath, |phase| 0.5 + 0.4 * (phase * std::f32::consts::TAU).sin()),
];
const RATE_HZ: u16 = 100;
/// As wide as what is drawn of the curve, in px; stretched to the height of its lane.
const PICTURE: (usize, u32) = (800, 64);

/// Shows so many tiles and lanes on the bedside that is open: one in alarm, one without its value.
pub fn show_bed(window: &AppWindow, tiles: usize, lanes: usize) {
    let bed = window.global::<ui::Bedside>();
    let spoken = lines::at(&Language::ALL, window.global::<ui::Frame>().get_language());
    let german = spoken == Some(Language::German);
    let vitals = ROWS.iter().take(tiles).map(|row| vital(row, german)).collect();
    replace(&bed.get_vitals(), vitals);
    let waves = CURVES.iter().take(lanes).map(|curve| wave(window, curve, german)).collect();
    replace(&bed.get_waves(), waves);
}

fn replace<T: Clone + PartialEq + 'static>(model: &ModelRc<T>, rows: Vec<T>) {
    if let Some(model) = model.as_any().downcast_ref::<VecModel<T>>() {
        lines::sync(model, rows);
    }
}

fn vital((english, name, family, value, unit, low, high): &Row, german: bool) -> ui::VitalLine {
    let name = if german { *name } else { *english };
    let (beneath, earlier) = match (value.is_empty(), german) {
        (true, true) => ("Pflaster 11 außer Reichweite, wird neu verbunden", "vor 12 min: 18 /min"),
        (true, false) => ("Patch 11 out of range, reconnecting", "12 min ago: 18 /min"),
        (false, true) => ("Oximeter 21 · jetzt · schwaches Signal", ""),
        (false, false) => ("Oximeter 21 · now · weak signal", ""),
    };
    let alarm = (*value == "88").then_some(Priority::Medium);
    ui::VitalLine {
        name: name.into(),
        spoken: name.into(),
        family: *family,
        value: (*value).into(),
        unit: (*unit).into(),
        limit_low: (*low).into(),
        limit_high: (*high).into(),
        beneath: beneath.into(),
        earlier: earlier.into(),
        alarm: lines::priority(alarm),
        marks: alarm.map(lines::marks).unwrap_or_default(),
        flashes: false,
    }
}

fn wave(
    window: &AppWindow,
    (english, german_name, family, curve): &Curve,
    german: bool,
) -> ui::WaveLine {
    let name: SharedString = if german { *german_name } else { *english }.into();
    let theme = window.global::<ui::Theme>();
    let ink = theme.invoke_of_family(*family);
    let strips = painted(&Lanes::new(|_| ink, theme.get_surface()), *curve);
    ui::WaveLine { name, family: *family, strips }
}

/// A lane into which five seconds of the curve were swept.
fn painted(lanes: &Lanes, curve: fn(f32) -> f32) -> ModelRc<Image> {
    let (send, samples) = mpsc::channel(1);
    lanes.connect(samples);
    let Some(lane) = lanes.of(WaveKind::Pleth) else { return ModelRc::default() };
    lane.resize(PICTURE.0, PICTURE.1);
    lane.show();
    for second in 0_u16..5 {
        let samples = (0..RATE_HZ)
            .map(|n| curve((f32::from(second) + f32::from(n) / f32::from(RATE_HZ)).fract()))
            .collect();
        if send.try_send(WaveChunk { kind: WaveKind::Pleth, rate_hz: RATE_HZ, samples }).is_err() {
            break;
        }
        for _ in 0..31 {
            lane.tick();
        }
    }
    ModelRc::from(lane.strips())
}

fn bump(phase: f32, centre: f32, width: f32) -> f32 {
    (-((phase - centre) / width).powi(2)).exp()
}
