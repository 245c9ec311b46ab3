//! Stops of the alarms page and of the limits.

use std::sync::Arc;
use std::time::Duration;

use wardkeep_core::alarms::burden::Load;
use wardkeep_core::alarms::limits::Side;
use wardkeep_core::alarms::{AlarmText, Condition, Crossed, LifeSign, Shown, Standing};
use wardkeep_core::kiosk::view::access::{Emergency, EmergencyPage};
use wardkeep_core::kiosk::view::alarms::{
    AlarmRow, Alarms, BurdenOf, BurdenView, Changed, LimitRow, Limits, Past, PastAlarm,
    RehearsalView, Rehearsed, Stepper,
};
use wardkeep_core::kiosk::view::records::{Trouble, Watch};
use wardkeep_core::kiosk::view::time::TimeOfDay;
use wardkeep_core::kiosk::view::{AlarmStrip, Bedside, Screen, Tile, TileState, View};
use wardkeep_model::alarm::{AlarmState, Kind, LimitReason, Priority};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::moment::ClockState;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::parameter::{LimitKey, Parameter};
use wardkeep_model::vitals::wave::WaveKind;

use crate::tour::samples::staff::emergency_page;
use crate::tour::samples::{alarm, bedside, concealed, crossed, lock, missing, open, tile};
use crate::tour::stop::{Stop, stop, touch};

const MINUTE: Duration = Duration::from_secs(60);
const OXIMETER: DeviceId = DeviceId([0, 0, 0, 0, 0, 0x21]);

/// The stops.
pub(super) fn all() -> Vec<Stop> {
    let page = |page| open(Screen::Alarms(page));
    let rows = rows();
    let strip = AlarmStrip { others: rows.len() - 1, ..strip(&rows) };
    let now = Alarms { now: rows, past: Some(past()) };
    let present = View { alarm: Some(strip.clone()), ..page(now.clone()) };
    let calm = Alarms { now: vec![], past: Some(Past { can_change: true, ..Past::default() }) };
    let nobody = now.now.iter().map(|row| AlarmRow {
        seen: row.seen.as_ref().map(|(at, _)| (*at, String::new())),
        ..row.clone()
    });
    let locked = Alarms { now: nobody.collect(), past: None };
    let reading = Past { loading: true, ..Past::default() };
    let called = View {
        alarm: Some(AlarmStrip { escalated: true, ..strip.clone() }),
        ..open(Screen::Bedside(bedside()))
    };
    let no_pulse = AlarmText::Gone(LifeSign::Pulse, Standing::Is);
    let no_pulse = View {
        alarm: Some(alarm(Priority::High, no_pulse)),
        ..open(Screen::Bedside(Bedside { waves: vec![WaveKind::Pleth], ..bedside() }))
    };
    let unset = View { clock_state: ClockState::NeverSet, ..concealed(Screen::Lock(lock())) };
    let unset = View { alarm: Some(alarm(Priority::Low, AlarmText::ClockUnset)), ..unset };
    let back: fn(&crate::bridge::AppWindow) = |window| touch(window, &["Last 24 h", "Letzte 24 h"]);
    let mut stops = vec![
        stop("alarms", present.clone()),
        Stop { day: true, ..stop("alarms-day", present.clone()) },
        Stop { touch: back, ..stop("alarms-past", present) },
        stop("alarms-empty", page(calm)),
        Stop {
            touch: back,
            ..stop("alarms-reading", page(Alarms { now: vec![], past: Some(reading) }))
        },
        stop("alarms-locked", View { alarm: Some(strip), ..concealed(Screen::Alarms(locked)) }),
        stop("alarms-called", called),
        stop("alarms-no-pulse", no_pulse),
        stop("lock-clock-unset", unset),
        stop("limits", open(Screen::Limits(Box::new(limits(false, false))))),
        stop("limits-drafted", open(Screen::Limits(Box::new(limits(true, false))))),
        stop("limits-why", open(Screen::Limits(Box::new(limits(true, true))))),
    ];
    stops.extend(states());
    stops
}

/// A screen somebody may stand before, with these tiles where it shows any.
type Place = fn(Vec<Tile>) -> View;

/// How an alarm stands.
#[derive(Clone, Copy)]
enum Stands {
    Active,
    ValueLost,
    Latched,
    Seen,
    Called,
    Paused,
}

impl Stands {
    const ALL: [Stands; 6] = [
        Stands::Active,
        Stands::ValueLost,
        Stands::Latched,
        Stands::Seen,
        Stands::Called,
        Stands::Paused,
    ];

    fn tiles(self) -> Vec<Tile> {
        let tile_of = match self {
            Stands::Active | Stands::Seen | Stands::Called | Stands::Paused => {
                tile(Parameter::SpO2, "74")
            }
            Stands::ValueLost => missing(Parameter::SpO2, TileState::LinkLost, Some(("74", 12))),
            Stands::Latched => tile(Parameter::SpO2, "95"),
        };
        let is_seen = matches!(self, Stands::Seen);
        let saturation = Tile { alarm: Some(Priority::High), is_seen, ..tile_of };
        let rest = [tile(Parameter::HeartRate, "72"), tile(Parameter::PulseRate, "73")];
        let [rate, pulse] = rest;
        vec![rate, saturation, pulse]
    }

    fn strip(self) -> AlarmStrip {
        let standing = match self {
            Stands::Active | Stands::Seen | Stands::Called | Stands::Paused => Standing::Is,
            Stands::ValueLost => Standing::ValueLost,
            Stands::Latched => Standing::Was,
        };
        let low = Crossed { standing, ..crossed(Parameter::SpO2, "74", "80") };
        let strip = AlarmStrip { others: 1, ..alarm(Priority::High, AlarmText::Low(low)) };
        match self {
            Stands::Active | Stands::ValueLost | Stands::Latched => strip,
            Stands::Seen => AlarmStrip { acknowledged: true, unseen: None, ..strip },
            Stands::Called => AlarmStrip { escalated: true, ..strip },
            Stands::Paused => AlarmStrip { audio_paused_s: Some(74), ..strip },
        }
    }
}

/// Every state of an alarm wherever somebody may stand before it: at an open session, a locked screen, an emergency
/// view, a store that does not open.
fn states() -> Vec<Stop> {
    let places: [Place; 4] = [
        |tiles| open(Screen::Bedside(Bedside { tiles, ..bedside() })),
        |_| concealed(Screen::Lock(lock())),
        |tiles| {
            let page = EmergencyPage { tiles, ..emergency_page() };
            concealed(Screen::Emergency(Emergency::Open(Box::new(page))))
        },
        |tiles| {
            let (fault, watch) = (StoreFault::Damaged, Watch::Bed(tiles));
            concealed(Screen::Trouble(Trouble { fault, records: true, watch }))
        },
    ];
    let names = [
        [
            "state-open-active",
            "state-open-value-lost",
            "state-open-latched",
            "state-open-seen",
            "state-open-called",
            "state-open-paused",
        ],
        [
            "state-locked-active",
            "state-locked-value-lost",
            "state-locked-latched",
            "state-locked-seen",
            "state-locked-called",
            "state-locked-paused",
        ],
        [
            "state-emergency-active",
            "state-emergency-value-lost",
            "state-emergency-latched",
            "state-emergency-seen",
            "state-emergency-called",
            "state-emergency-paused",
        ],
        [
            "state-broken-active",
            "state-broken-value-lost",
            "state-broken-latched",
            "state-broken-seen",
            "state-broken-called",
            "state-broken-paused",
        ],
    ];
    let at = |(place, names): (Place, [&'static str; 6])| {
        let stops = names.into_iter().zip(Stands::ALL);
        let view =
            move |stands: Stands| View { alarm: Some(stands.strip()), ..place(stands.tiles()) };
        stops.map(|(name, stands)| stop(name, view(stands))).collect::<Vec<_>>()
    };
    places.into_iter().zip(names).flat_map(at).collect()
}

fn strip(rows: &[AlarmRow]) -> AlarmStrip {
    let text = rows.first().map(|row| row.text.clone());
    alarm(Priority::High, text.unwrap_or(AlarmText::NoSound))
}

fn row(condition: Condition, priority: Priority, text: AlarmText) -> AlarmRow {
    AlarmRow {
        shown: Shown { condition, number: 1 },
        kind: condition.kind(),
        priority,
        text,
        state: AlarmState::Active,
        since: TimeOfDay::at(14, 24),
        lasts: 8 * MINUTE,
        seen: None,
        escalated: false,
    }
}

fn rows() -> Vec<AlarmRow> {
    let lost = Standing::ValueLost;
    let lost = AlarmText::Low(Crossed { standing: lost, ..crossed(Parameter::SpO2, "70", "80") });
    let was = Standing::Was;
    let was = Crossed { standing: was, ..crossed(Parameter::Respiration, "33", "30") };
    let rate = AlarmText::High(crossed(Parameter::HeartRate, "131", "120"));
    let device = || "Oximeter 21".to_owned();
    let battery = AlarmText::BatteryLow { device: "Cuff 03".into(), percent: 9 };
    vec![
        AlarmRow {
            state: AlarmState::ValueLost,
            ..row(Condition::Low(Parameter::SpO2), Priority::High, lost)
        },
        AlarmRow {
            state: AlarmState::Latched,
            ..row(Condition::High(Parameter::Respiration), Priority::Medium, AlarmText::High(was))
        },
        AlarmRow {
            seen: Some((TimeOfDay::at(14, 29), "AK".into())),
            ..row(Condition::High(Parameter::HeartRate), Priority::Medium, rate)
        },
        row(
            Condition::LinkLost(OXIMETER),
            Priority::Medium,
            AlarmText::LinkLost { device: device() },
        ),
        AlarmRow {
            seen: Some((TimeOfDay::at(13, 2), "BML".into())),
            lasts: 98 * MINUTE,
            ..row(Condition::Battery(OXIMETER), Priority::Low, battery)
        },
    ]
}

fn past() -> Past {
    let row = |id: &str, minutes: u32, value: Option<&str>, seen: Option<&str>| PastAlarm {
        id: id.into(),
        device: id.contains(':').then(|| "Oximeter 21".to_owned()).filter(|_| value.is_none()),
        kind: if value.is_some() { Kind::Physiological } else { Kind::Technical },
        priority: if minutes > 3 { Priority::High } else { Priority::Medium },
        crossed: value.map(|value| Phi::new((value.to_owned(), "90".to_owned()))),
        from: TimeOfDay::at(9, 12),
        length: minutes * MINUTE,
        is_present: false,
        seen: seen.map(str::to_owned),
    };
    let load = |count, minutes: u32| Load { count, length: minutes * MINUTE };
    let of = |parameter, load, spans| BurdenOf { parameter, load, spans };
    let burden = BurdenView {
        whole: load(7, 29),
        late: load(4, 23),
        lines: vec![
            of(Some(Parameter::HeartRate), load(2, 7), vec![(0.1, 0.11), (0.8, 0.82)]),
            of(Some(Parameter::SpO2), load(4, 20), vec![(0.3, 0.31), (0.55, 0.56), (0.97, 1.0)]),
            of(None, load(3, 130), vec![(0.4, 0.45), (0.9, 1.0)]),
        ],
        noisiest: Some((Parameter::SpO2, Side::Low, "90".into())),
        unanswered: 70 * MINUTE / 60,
    };
    let rows = vec![
        row("low:spo2", 4, Some("86"), Some("AK")),
        row("high:heart-rate", 2, Some("131"), None),
        row("value-lost:C0:00:00:00:00:21", 1, None, Some("")),
        row("low:spo2", 3, Some("89"), Some("BML")),
    ];
    Past { loading: false, rows: Arc::from(rows), burden, can_change: true }
}

fn limits(is_drafted: bool, asks_why: bool) -> Limits {
    Limits {
        rows: limit_rows(is_drafted),
        is_drafted,
        asks_why,
        rehearsal: rehearsal(),
        can_suggest: true,
    }
}

fn limit_rows(is_drafted: bool) -> Vec<LimitRow> {
    let stepper = |value: &str, was: Option<&str>, range: &str, ward: &str| {
        Some(Stepper {
            value: value.into(),
            in_force: was.filter(|_| is_drafted).map(str::to_owned),
            range: range.into(),
            ward: ward.into(),
            can_less: true,
            can_more: value != "100",
        })
    };
    let row = |key, parameter, now: &str, low, high| LimitRow {
        key,
        parameter,
        now: Phi::new(now.into()),
        low,
        high,
        changed: None,
    };
    let changed =
        Changed { by: "BML".into(), at: "2026-11-21 21:40".into(), why: LimitReason::Usual };
    let high = stepper(if is_drafted { "130" } else { "120" }, Some("120"), "100–150", "120");
    let low = stepper(if is_drafted { "88" } else { "90" }, Some("90"), "85–94", "92");
    vec![
        row(
            LimitKey::Rate,
            Parameter::HeartRate,
            "74 /min",
            stepper("50", None, "40–60", "50"),
            high,
        ),
        LimitRow {
            changed: Some(changed),
            ..row(LimitKey::Saturation, Parameter::SpO2, "93 %", low, None)
        },
        row(
            LimitKey::Respiration,
            Parameter::Respiration,
            "",
            stepper("8", None, "6–12", "8"),
            stepper("30", None, "24–35", "30"),
        ),
        row(
            LimitKey::Temperature,
            Parameter::Temperature,
            "37.2 °C",
            stepper("35.0", None, "34.0–36.0", "35.0"),
            stepper("38.5", None, "37.5–39.0", "38.0"),
        ),
    ]
}

fn rehearsal() -> RehearsalView {
    let load = |count, minutes: u32| Load { count, length: minutes * MINUTE };
    let told = |hour, minute, value: &str, minutes: u32| Rehearsed {
        at: TimeOfDay::at(hour, minute),
        parameter: Parameter::SpO2,
        value: Phi::new(value.to_owned()),
        length: minutes * MINUTE,
    };
    RehearsalView {
        loading: false,
        lines: vec![
            (Parameter::HeartRate, load(1, 2), load(0, 0)),
            (Parameter::SpO2, load(3, 11), load(1, 4)),
        ],
        whole: (load(4, 13), load(1, 4)),
        silent: vec![told(23, 12, "89 %", 1), told(4, 47, "89 %", 3)],
        later: vec![told(14, 31, "86 %", 2)],
    }
}
