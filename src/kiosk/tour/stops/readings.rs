//! Spot readings: the question whose one is, and the tray; and how their devices are paired.

use std::time::Duration;

use wardkeep_core::kiosk::view::readings::{
    AskedReading, Because, JustFiled, SpotLine, SpotRemark, SpotTime, SpotWhat, Tray, TrayLine,
};
use wardkeep_core::kiosk::view::time::{LocalTime, TimeOfDay};
use wardkeep_core::kiosk::view::{Devices, PatientBanner, Screen, View};
use wardkeep_model::confidential::Phi;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::notice::Notice;
use wardkeep_model::vitals::parameter::Family;
use wardkeep_model::vitals::spot::Meal;
use wardkeep_model::vitals::{DeviceKind, RecordId};

use wardkeep_core::kiosk::view::pairing::{PairingPage, PairingStage};
use wardkeep_model::confidential::Secret;
use wardkeep_model::ports::PairingFault;
use wardkeep_model::vitals::DeviceId;

use crate::tour::samples::{bedside, devices, long_name, margaret, open};
use crate::tour::stop::{Stop, stop};

const MINUTE: Duration = Duration::from_secs(60);

fn line(what: SpotWhat, family: Option<Family>, digits: &str, unit: &'static str) -> SpotLine {
    SpotLine { what, family, digits: Phi::new(digits.into()), unit }
}

fn pressure(digits: &str, mean: &str, pulse: &str) -> Vec<SpotLine> {
    vec![
        line(SpotWhat::BloodPressure, Some(Family::Pressure), digits, "mmHg"),
        line(SpotWhat::MeanPressure, Some(Family::Pressure), mean, "mmHg"),
        line(SpotWhat::Pulse, None, pulse, "/min"),
    ]
}

fn record(seq: u64) -> RecordId {
    RecordId { run: 1, seq }
}

fn asked(patient: PatientBanner) -> AskedReading {
    AskedReading {
        record: record(1),
        subject: SubjectId(1),
        patient,
        lines: pressure("118/76", "90", "72"),
        remarks: vec![],
        kind: DeviceKind::Cuff,
        device: "Cuff 03".into(),
        has_twins: true,
        time: SpotTime::Sure(TimeOfDay::at(14, 29), Duration::from_secs(40)),
        before: Some((
            pressure("121/78", "92", "75"),
            SpotTime::Sure(TimeOfDay::at(10, 30), 241 * MINUTE),
        )),
        others: 0,
        is_resting: false,
    }
}

fn doubtful() -> AskedReading {
    AskedReading {
        lines: pressure("164/102", "123", "118"),
        remarks: vec![SpotRemark::IrregularPulse, SpotRemark::Moved, SpotRemark::User(2)],
        ..asked(margaret())
    }
}

fn fever() -> AskedReading {
    AskedReading {
        lines: vec![line(SpotWhat::Temperature, Some(Family::Warmth), "38.4", "°C")],
        kind: DeviceKind::Thermometer,
        device: "Braun Thermoscan PRO 6000 of ward 4B, room 12".into(),
        has_twins: false,
        time: SpotTime::Live(TimeOfDay::at(14, 31), Duration::from_secs(3)),
        before: None,
        others: 3,
        is_resting: true,
        ..asked(long_name())
    }
}

fn waiting(seq: u64, lines: Vec<SpotLine>, kind: DeviceKind, device: &str) -> TrayLine {
    TrayLine {
        record: record(seq),
        lines,
        remarks: vec![],
        kind,
        device: device.into(),
        because: Because::Unasked,
        time: SpotTime::Live(TimeOfDay::at(14, 26), 6 * MINUTE),
        left: 714 * MINUTE,
        left_percent: 99,
    }
}

fn tray() -> Tray {
    let glucose = vec![line(SpotWhat::Glucose, None, "7.8", "mmol/L")];
    let warm = vec![line(SpotWhat::Temperature, Some(Family::Warmth), "36.9", "°C")];
    let weight = vec![line(SpotWhat::Weight, None, "63.4", "kg")];
    let earlier = "2026-11-21T22:05:00".parse().unwrap_or_default();
    let earlier = LocalTime { instant: jiff::Timestamp::UNIX_EPOCH, at: earlier, twice: None };
    Tray {
        rows: vec![
            TrayLine {
                because: Because::Before,
                time: SpotTime::Earlier(earlier),
                left: 31 * MINUTE,
                left_percent: 4,
                ..waiting(4, weight, DeviceKind::Scale, "Scale 01")
            },
            TrayLine {
                because: Because::NoTime,
                time: SpotTime::Unknown(TimeOfDay::at(14, 5)),
                left: 693 * MINUTE,
                left_percent: 96,
                remarks: vec![SpotRemark::Meal(Meal::Fasting)],
                ..waiting(3, glucose, DeviceKind::GlucoseMeter, "Glucose meter 04")
            },
            TrayLine {
                because: Because::Refused(Phi::new("Bernd Maier-Leibnitz".into())),
                time: SpotTime::Sure(TimeOfDay::at(13, 50), 42 * MINUTE),
                left: 678 * MINUTE,
                left_percent: 94,
                ..waiting(2, pressure("142/88", "106", "91"), DeviceKind::Cuff, "Cuff 03")
            },
            waiting(1, warm, DeviceKind::Thermometer, "Thermometer 05"),
            TrayLine {
                because: Because::Filed,
                time: SpotTime::Sure(TimeOfDay::at(10, 30), 241 * MINUTE),
                left: Duration::ZERO,
                left_percent: 0,
                ..waiting(9, pressure("121/78", "92", "75"), DeviceKind::Cuff, "Cuff 03")
            },
        ],
        chosen: Some(record(2)),
        patient: Some((SubjectId(1), margaret())),
        may_file: true,
    }
}

pub(super) fn all() -> Vec<Stop> {
    let at = |asked: AskedReading| open(Screen::Reading(Box::new(asked)));
    let of = |tray: Tray| open(Screen::Tray(Box::new(tray)));
    let mut filed = open(Screen::Bedside(bedside()));
    if let Some(frame) = &mut filed.open {
        frame.waiting = 3;
        frame.just_filed =
            Some(JustFiled { record: record(1), patient: margaret(), seconds_left: 9 });
    }
    let mut long = at(fever());
    if let Some(frame) = &mut long.open {
        frame.patient = Some(long_name());
    }
    let failed =
        View { notice: Some(Notice::MeasurementFailed), ..open(Screen::Bedside(bedside())) };
    let waiting = Devices { waiting: 4, ..devices() };
    vec![
        stop("reading", at(asked(margaret()))),
        stop("reading-long-name", long),
        stop("reading-doubtful", at(doubtful())),
        Stop { day: true, ..stop("reading-day", at(asked(margaret()))) },
        stop("reading-filed", filed),
        stop("reading-failed", failed),
        stop("tray", of(tray())),
        stop("tray-no-patient", of(Tray { patient: None, ..tray() })),
        stop("tray-empty", of(Tray { rows: vec![], chosen: None, ..tray() })),
        stop("devices-waiting", open(Screen::Devices(waiting))),
        pairing("pairing-waiting", PairingStage::Waiting),
        pairing("pairing-compare", PairingStage::Compare(Secret::new("482917".into()))),
        pairing("pairing-show", PairingStage::Show(Secret::new("004711".into()), 2)),
        pairing(
            "pairing-type",
            PairingStage::Type {
                digits: Secret::new("6024".into()),
                is_sent: false,
                tries_left: Some(1),
            },
        ),
        pairing("pairing-done", PairingStage::Done),
        pairing("pairing-elsewhere", PairingStage::Failed(PairingFault::BondedElsewhere)),
        pairing("pairing-lost", PairingStage::Failed(PairingFault::LostBond)),
    ]
}

fn pairing(name: &'static str, stage: PairingStage) -> Stop {
    let is_over = matches!(stage, PairingStage::Done | PairingStage::Failed(_));
    let page = PairingPage {
        id: DeviceId([0xC0, 0x26, 0xDA, 0, 0, 3]),
        name: "Kestrel BP-2 22A0417".into(),
        kind: DeviceKind::Cuff,
        is_near: true,
        stage,
        seconds_left: (!is_over).then_some(43),
    };
    stop(name, open(Screen::Pairing(Box::new(page))))
}
