//! What somebody has to do about a device.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use wardkeep_model::keeping::InventoryEntry;
use wardkeep_model::keeping::inventory::days_between;
use wardkeep_model::moment::Moment;
use wardkeep_model::vitals::nomenclature::Absent;

/// Lowest battery level that raises no alarm, in percent.
pub(crate) const BATTERY_LOW_PERCENT: u8 = 20;
/// A clock that is farther from ours is wrong, in seconds.
const CLOCK_OFF_S: u64 = 120;

/// The oldest firmware that the site takes of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeastFirmware {
    /// As the device gives it.
    pub model: String,
    /// In numbers and points.
    pub version: String,
}

/// When the site wants something done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpkeepRules {
    /// `devices.battery_days`: a battery that lasts no longer, in days.
    pub battery_days: u32,
    /// `devices.unseen_days`: a device that nobody has linked for so long, in days.
    pub unseen_days: u32,
    /// `devices.calibration_days`: said so many days before it is due.
    pub calibration_days: u32,
    /// `devices.firmware`.
    pub firmware: Vec<LeastFirmware>,
}

impl Default for UpkeepRules {
    fn default() -> Self {
        Self { battery_days: 7, unseen_days: 30, calibration_days: 14, firmware: vec![] }
    }
}

/// Something to do about a device, the most urgent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// It says that it, or its sensor, is broken.
    Broken(Absent),
    /// Its calibration was due on this day.
    CalibrationOver(Date),
    /// Its clock is so many seconds ahead, and was not set.
    ClockWrong(i64),
    /// Its battery lasts so many days.
    BatteryEnds {
        /// Until it has to be charged or changed.
        days: u32,
        /// What is left.
        percent: u8,
    },
    /// Its calibration is due on this day.
    CalibrationDue(Date),
    /// Its firmware is older than the site takes; this one is wanted.
    FirmwareOld(String),
    /// Nobody has linked it for so many days.
    Unseen(u32),
}

impl Task {
    /// As the command line says it.
    pub fn word(&self) -> &'static str {
        match self {
            Task::Broken(_) => "broken",
            Task::CalibrationOver(_) => "calibration-over",
            Task::ClockWrong(_) => "clock-wrong",
            Task::BatteryEnds { .. } => "battery-ends",
            Task::CalibrationDue(_) => "calibration-due",
            Task::FirmwareOld(_) => "firmware-old",
            Task::Unseen(_) => "unseen",
        }
    }
}

/// What of it concerns whoever is measured now, while the device is linked. A battery has alarms of its own.
pub(crate) fn alarming(entry: &InventoryEntry, now: Moment, zone: &TimeZone) -> Option<Task> {
    let over = |due: &Date| *due < now.wall.to_zoned(zone.clone()).date();
    let broken = entry.check.and_then(|check| check.fault).map(Task::Broken);
    let calibration = || entry.calibration_due.filter(over).map(Task::CalibrationOver);
    broken.or_else(calibration).or_else(|| clock(entry))
}

fn clock(entry: &InventoryEntry) -> Option<Task> {
    let is_wrong = |ahead_s: i64| ahead_s.unsigned_abs() > CLOCK_OFF_S;
    let clock = entry.clock.filter(|clock| !clock.is_set && is_wrong(clock.ahead_s))?;
    Some(Task::ClockWrong(clock.ahead_s))
}

/// What has to be done about a device.
pub fn tasks(
    entry: &InventoryEntry,
    rules: &UpkeepRules,
    now: Moment,
    zone: &TimeZone,
) -> Vec<Task> {
    let today = now.wall.to_zoned(zone.clone()).date();
    let mut tasks = Vec::new();
    tasks.extend(entry.check.and_then(|check| check.fault).map(Task::Broken));
    let calibration = entry.calibration_due.map(|due| (due, days_between(today, due)));
    tasks.extend(
        calibration.filter(|(_, left)| *left < 0).map(|(due, _)| Task::CalibrationOver(due)),
    );
    tasks.extend(clock(entry));
    tasks.extend(battery(entry, rules, today));
    let is_near = |left: i64| (0..=i64::from(rules.calibration_days)).contains(&left);
    tasks.extend(
        calibration.filter(|(_, left)| is_near(*left)).map(|(due, _)| Task::CalibrationDue(due)),
    );
    let least = rules.firmware.iter().find(|one| one.model == entry.identity.model);
    let is_older = |least: &&LeastFirmware| is_older(&entry.identity.firmware, &least.version);
    tasks.extend(least.filter(is_older).map(|one| Task::FirmwareOld(one.version.clone())));
    let unseen = now.wall.duration_since(entry.seen).as_hours() / 24;
    let unseen = u32::try_from(unseen).unwrap_or_default();
    tasks.extend((unseen >= rules.unseen_days).then_some(Task::Unseen(unseen)));
    tasks
}

fn battery(entry: &InventoryEntry, rules: &UpkeepRules, today: Date) -> Option<Task> {
    let percent = entry.battery.last()?.percent;
    let low = percent < BATTERY_LOW_PERCENT;
    let days = entry.battery_days(today).filter(|days| *days <= rules.battery_days);
    match (days, low) {
        (Some(days), _) => Some(Task::BatteryEnds { days, percent }),
        (None, true) => Some(Task::BatteryEnds { days: 0, percent }),
        (None, false) => None,
    }
}

/// By the numbers in both; one that is not told is not older.
fn is_older(version: &str, least: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let parts = text.split(|letter: char| !letter.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    };
    let (version, mut least) = (numbers(version), numbers(least));
    while least.last() == Some(&0) {
        least.pop();
    }
    !version.is_empty() && version < least
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use wardkeep_model::keeping::inventory::{BatteryDay, ClockCheck, SelfCheck};
    use wardkeep_model::moment::BootTime;
    use wardkeep_model::vitals::{DeviceId, DeviceKind};

    use super::*;

    fn on(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    fn entry() -> InventoryEntry {
        let seen = on("2026-11-29T10:00:00Z");
        InventoryEntry::new(DeviceId([7; 6]), DeviceKind::Cuff, "Cuff", seen)
    }

    fn found(entry: &InventoryEntry) -> Vec<Task> {
        let now = Moment { boot: BootTime::default(), wall: on("2026-11-30T10:00:00Z") };
        let least = LeastFirmware { model: "UA-651".into(), version: "1.10".into() };
        let rules = UpkeepRules { firmware: vec![least], ..UpkeepRules::default() };
        tasks(entry, &rules, now, &TimeZone::UTC)
    }

    #[test]
    fn each_thing_that_somebody_has_to_do_is_found_and_nothing_else() {
        assert_eq!(found(&entry()), []);
        let at = on("2026-11-29T10:00:00Z");
        let due = |due| InventoryEntry { calibration_due: Some(due), ..entry() };
        let clock = |ahead_s, is_set| {
            let clock = Some(ClockCheck { at, ahead_s, is_set });
            InventoryEntry { clock, ..entry() }
        };
        let battery = |levels: &[(i8, u8)]| {
            let day = |(day, percent): &(i8, u8)| BatteryDay {
                day: date(2026, 11, *day),
                percent: *percent,
            };
            InventoryEntry { battery: levels.iter().map(day).collect(), ..entry() }
        };
        let mut firmware = entry();
        firmware.identity.model = "UA-651".into();
        let with = |version: &str| {
            let mut one = firmware.clone();
            one.identity.firmware = version.into();
            one
        };
        let seen = |time| InventoryEntry { seen: on(time), ..entry() };
        let broken = Some(SelfCheck { at, fault: Some(Absent::SensorFault) });
        for (entry, expected) in [
            (InventoryEntry { check: broken, ..entry() }, vec![Task::Broken(Absent::SensorFault)]),
            (InventoryEntry { check: Some(SelfCheck { at, fault: None }), ..entry() }, vec![]),
            (due(date(2026, 11, 29)), vec![Task::CalibrationOver(date(2026, 11, 29))]),
            (due(date(2026, 11, 30)), vec![Task::CalibrationDue(date(2026, 11, 30))]),
            (due(date(2026, 12, 14)), vec![Task::CalibrationDue(date(2026, 12, 14))]),
            (due(date(2026, 12, 15)), vec![]),
            (clock(121, false), vec![Task::ClockWrong(121)]),
            (clock(-3_600, false), vec![Task::ClockWrong(-3_600)]),
            (clock(-3_600, true), vec![]),
            (clock(60, false), vec![]),
            (battery(&[(1, 90), (29, 24)]), vec![Task::BatteryEnds { days: 4, percent: 24 }]),
            (battery(&[(1, 90), (29, 80)]), vec![]),
            (battery(&[(29, 19)]), vec![Task::BatteryEnds { days: 0, percent: 19 }]),
            (with("1.9"), vec![Task::FirmwareOld("1.10".into())]),
            (with("V1.10.2"), vec![]),
            (with("1.10"), vec![]),
            (with(""), vec![]),
            (seen("2026-10-31T10:00:00Z"), vec![Task::Unseen(30)]),
            (seen("2026-11-01T10:00:00Z"), vec![]),
            // By a clock that was set back.
            (seen("2027-11-01T10:00:00Z"), vec![]),
        ] {
            assert_eq!(found(&entry), expected, "{entry:?}");
        }
        assert!(!is_older("1.10", "1.10.0") && !is_older("2", "1.10") && is_older("1", "1.0.1"));
    }
}
