//! The devices of a cart, and one of them.

use std::time::Duration;

use jiff::civil::{Date, date};

use wardkeep_core::inventory::Task;
use wardkeep_core::kiosk::view::inventory::{
    DeviceClock, DeviceFacts, DevicePage, FrameLine, Inventory, InventoryRow, LastSeen, TaskLine,
};
use wardkeep_core::kiosk::view::time::{LocalTime, TimeOfDay};
use wardkeep_core::kiosk::view::{DeviceState, Owner, Screen, View};
use wardkeep_model::confidential::Phi;
use wardkeep_model::keeping::inventory::{BatteryDay, Counts, Identity};
use wardkeep_model::vitals::nomenclature::Absent;
use wardkeep_model::vitals::{Characteristic, DeviceId, DeviceKind, Format};

use crate::tour::samples::open;
use crate::tour::samples::staff::open_it;
use crate::tour::stop::{Stop, stop, touch};

const HOUR: u64 = 3_600;

fn identity(maker: &str, model: &str, serial: &str, firmware: &str) -> Identity {
    Identity {
        maker: maker.into(),
        model: model.into(),
        serial: serial.into(),
        firmware: firmware.into(),
    }
}

fn facts(last: u8, name: &str, kind: DeviceKind, identity: Identity) -> DeviceFacts {
    DeviceFacts {
        id: DeviceId([0xC0, 0x26, 0xDA, 0, 0, last]),
        name: name.into(),
        kind,
        identity,
        battery: None,
        seen: LastSeen::Now,
        clock: DeviceClock::Unread,
        check: Some(None),
        calibration_due: None,
    }
}

fn oximeter() -> DeviceFacts {
    DeviceFacts {
        battery: Some((74, Some(29))),
        clock: DeviceClock::Ahead(2),
        calibration_due: Some(date(2027, 3, 31)),
        ..facts(
            1,
            "Oximeter 21",
            DeviceKind::PulseOximeter,
            identity("Nonin Medical, Inc.", "3230", "502194017", "1.4.2"),
        )
    }
}

fn all_facts() -> Vec<DeviceFacts> {
    let ago = |seconds| LastSeen::Ago(Duration::from_secs(seconds));
    vec![
        DeviceFacts {
            battery: Some((90, Some(50))),
            ..facts(
                2,
                "Heart strap 07",
                DeviceKind::HeartRate,
                identity("Polar", "H10", "C2A1", "5.0.0"),
            )
        },
        oximeter(),
        DeviceFacts {
            battery: Some((41, Some(4))),
            seen: ago(12 * 60),
            clock: DeviceClock::Set(-132),
            calibration_due: Some(date(2027, 9, 1)),
            ..facts(3, "Cuff 03", DeviceKind::Cuff, identity("A&D", "UA-651BLE", "0417", "1.05"))
        },
        DeviceFacts {
            battery: Some((83, Some(150))),
            seen: ago(6 * HOUR),
            clock: DeviceClock::Ahead(0),
            calibration_due: Some(date(2026, 11, 1)),
            ..facts(
                4,
                "Braun Thermoscan PRO 6000 of ward 4B, room 12",
                DeviceKind::Thermometer,
                identity("Braun", "Thermoscan PRO 6000 with dock", "31177-2026-0004", "2.1"),
            )
        },
        DeviceFacts {
            battery: Some((66, None)),
            seen: ago(27 * 60),
            clock: DeviceClock::Ahead(-848_620_800),
            check: Some(Some(Absent::SensorFault)),
            ..facts(
                5,
                "Glucose meter 04",
                DeviceKind::GlucoseMeter,
                identity("Roche", "Guide", "90551726", "1.19"),
            )
        },
        DeviceFacts {
            battery: None,
            seen: ago(41 * 24 * HOUR),
            check: None,
            ..facts(6, "Scale 01", DeviceKind::Scale, Identity::default())
        },
    ]
}

fn due() -> Date {
    date(2026, 11, 1)
}

fn page(all: Vec<DeviceFacts>, tasks: Vec<(u8, Task)>) -> Inventory {
    let id = |last| DeviceId([0xC0, 0x26, 0xDA, 0, 0, last]);
    let name = |last| {
        let found = all.iter().find(|one| one.id == id(last));
        found.map(|one| one.name.clone()).unwrap_or_default()
    };
    let tasks: Vec<TaskLine> = (1..)
        .zip(tasks)
        .map(|(number, (last, task))| TaskLine { number, id: id(last), name: name(last), task })
        .collect();
    let row = |facts: DeviceFacts| InventoryRow {
        tasks: tasks.iter().filter(|task| task.id == facts.id).map(|task| task.number).collect(),
        facts,
    };
    Inventory { rows: all.into_iter().map(row).collect(), tasks: tasks.clone(), may_maintain: true }
}

fn busy() -> Inventory {
    let tasks = vec![
        (5, Task::Broken(Absent::SensorFault)),
        (4, Task::CalibrationOver(due())),
        (5, Task::ClockWrong(-848_620_800)),
        (3, Task::BatteryEnds { days: 4, percent: 41 }),
        (6, Task::Unseen(41)),
    ];
    page(all_facts(), tasks)
}

fn at(second: i8) -> LocalTime {
    let at = date(2026, 11, 22).at(14, 32, second, 0);
    let instant = at.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    LocalTime { instant: instant.unwrap_or_default(), at, twice: None }
}

fn one() -> DevicePage {
    let frame = |second, bytes: &str, read: &str| FrameLine {
        at: at(second),
        what: Format::Profile(Characteristic(0x2A5F)),
        bytes: Phi::new(bytes.into()),
        read: Phi::new(read.into()),
    };
    let level = |(day, percent)| BatteryDay { day: date(2026, 11, day), percent };
    DevicePage {
        facts: oximeter(),
        label: "Oximeter 21".into(),
        since: at(0),
        state: DeviceState::Live,
        is_bonded: true,
        pairing: None,
        is_changed: false,
        owner: Owner::ThisPatient(TimeOfDay::at(7, 10)),
        battery: (10..)
            .zip([100, 98, 97, 95, 93, 90, 88, 86, 83, 81, 79, 76, 74])
            .map(level)
            .collect(),
        counts: Counts { frames: 604_212, unreadable: 0, failed: 3, cuts: 2, longest_cut_s: 14 },
        tasks: vec![],
        frames: vec![
            frame(7, "0A 80 1D 01 4E 31 A6 58 00 48", "88 %  72 /min"),
            frame(6, "0A 80 1D 01 4E 31 A5 58 00 48", "88 %  72 /min"),
            frame(5, "0A 80 1D 01 52 31 A4 58 00 47", "88 %  71 /min"),
        ],
        can_blink: true,
        can_pair: false,
        can_release: true,
        can_forget: false,
        may_maintain: false,
        written: 0,
    }
}

/// Calibration over, clock never set, no patient: as IT sees it.
fn neglected() -> DevicePage {
    let facts = all_facts().into_iter().nth(4).unwrap_or_else(oximeter);
    DevicePage {
        facts,
        label: String::new(),
        state: DeviceState::Away,
        is_bonded: false,
        is_changed: true,
        owner: Owner::Nobody,
        battery: vec![],
        tasks: vec![Task::Broken(Absent::SensorFault), Task::ClockWrong(-848_620_800)],
        frames: vec![],
        can_blink: false,
        can_pair: true,
        can_release: true,
        can_forget: true,
        may_maintain: true,
        ..one()
    }
}

/// All of them.
pub(super) fn all() -> Vec<Stop> {
    let it = |screen| open_it(screen);
    let write = Stop {
        touch: |window| touch(window, &["Label and calibration", "Etikett und Kalibrierung"]),
        ..stop("device-label", it(Screen::Device(Box::new(neglected()))))
    };
    let list = |page| Screen::Inventory(Box::new(page));
    let nurse = |page: DevicePage| -> View { open(Screen::Device(Box::new(page))) };
    let good: Vec<DeviceFacts> = all_facts().into_iter().take(3).collect();
    vec![
        stop("inventory", it(list(busy()))),
        stop("inventory-in-order", open(list(page(good, vec![])))),
        stop("inventory-empty", it(list(page(vec![], vec![])))),
        stop("device", nurse(one())),
        stop("device-neglected", it(Screen::Device(Box::new(neglected())))),
        write,
    ]
}
