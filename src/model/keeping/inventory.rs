//! What a cart knows of its devices beside whom they measure: for those who look after them. No patient data.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::untrusted;
use crate::vitals::nomenclature::Absent;
use crate::vitals::{Characteristic, DeviceId, DeviceKind};

/// Most devices that are remembered; the one that was linked longest ago makes room.
pub const INVENTORY_MAX: usize = 32;
/// Most characters of a printed label, and of each thing that a device says of itself.
pub const LABEL_CHARS_MAX: usize = 40;
/// Days of battery levels that are kept, the last ones.
const BATTERY_DAYS_MAX: usize = 30;
/// Nobody waits until a battery is empty: this much is left when it has to be charged, in percent.
const BATTERY_EMPTY: u8 = 10;
/// A level that rises by more was charged, in percent.
const CHARGED: u8 = 5;
/// A forecast rests on at least so many days, and on a fall of so many percent.
const FORECAST_DAYS: i64 = 3;
const FORECAST_FALL: u8 = 3;

/// Who a device is, in its own words (Device Information Service, 0x180A): up to 40 characters each, cleaned;
/// empty where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Manufacturer Name, 2A29.
    pub maker: String,
    /// Model Number, 2A24.
    pub model: String,
    /// Serial Number, 2A25.
    pub serial: String,
    /// Firmware Revision, 2A26.
    pub firmware: String,
}

/// The last level of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatteryDay {
    /// The day, local.
    pub day: Date,
    /// 0 to 100.
    pub percent: u8,
}

/// How a device's clock stood when it was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockCheck {
    /// When.
    pub at: Timestamp,
    /// So many seconds ahead of ours.
    pub ahead_s: i64,
    /// It was set after that.
    pub is_set: bool,
}

/// What the device said of itself when it measured last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfCheck {
    /// When.
    pub at: Timestamp,
    /// What is broken.
    pub fault: Option<Absent>,
}

/// What went wrong how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Frames that came.
    pub frames: u64,
    /// Of those, ones that could not be read.
    pub unreadable: u64,
    /// Measurements that gave no value.
    pub failed: u64,
    /// How often its link was cut and came back.
    pub cuts: u64,
    /// The longest that took, in seconds.
    pub longest_cut_s: u64,
}

/// One device of this cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryEntry {
    /// Its address.
    pub id: DeviceId,
    /// What it measures.
    pub kind: DeviceKind,
    /// Its advertised name, cleaned.
    pub name: String,
    /// What the site has printed on its label; empty where it has none.
    pub label: String,
    /// Who it is.
    pub identity: Identity,
    /// Its battery, oldest day first.
    pub battery: Vec<BatteryDay>,
    /// Since when it is here.
    pub since: Timestamp,
    /// When it was linked last.
    pub seen: Timestamp,
    /// Its clock.
    pub clock: Option<ClockCheck>,
    /// Whether it is in order.
    pub check: Option<SelfCheck>,
    /// The day by which it has to be calibrated, as the site has it.
    pub calibration_due: Option<Date>,
    /// What went wrong since it is here.
    pub counts: Counts,
}

impl InventoryEntry {
    /// A device that was linked for the first time.
    pub fn new(id: DeviceId, kind: DeviceKind, name: &str, now: Timestamp) -> Self {
        Self {
            id,
            kind,
            name: untrusted::clean(name, LABEL_CHARS_MAX).trim().to_owned(),
            label: String::new(),
            identity: Identity::default(),
            battery: vec![],
            since: now,
            seen: now,
            clock: None,
            check: None,
            calibration_due: None,
            counts: Counts::default(),
        }
    }

    /// Takes what a device says of itself; true if that is news.
    pub fn describes(&mut self, what: Characteristic, said: &[u8]) -> bool {
        let identity = &mut self.identity;
        let place = match what.0 {
            0x2A24 => &mut identity.model,
            0x2A25 => &mut identity.serial,
            0x2A26 => &mut identity.firmware,
            0x2A29 => &mut identity.maker,
            _ => return false,
        };
        // Some end their text with zeros.
        let text = String::from_utf8_lossy(said);
        let text = untrusted::clean(text.trim_end_matches('\0'), LABEL_CHARS_MAX);
        let news = *place != text.trim();
        text.trim().clone_into(place);
        news
    }

    /// Takes a battery level; true if that is news.
    pub fn battery(&mut self, day: Date, percent: u8) -> bool {
        let level = BatteryDay { day, percent: percent.min(100) };
        if self.battery.last() == Some(&level) {
            return false;
        }
        // A clock that was set back leaves no days of the future.
        self.battery.retain(|one| one.day < day);
        self.battery.push(level);
        let spare = self.battery.len().saturating_sub(BATTERY_DAYS_MAX);
        self.battery.drain(..spare);
        true
    }

    /// In how many days from `today` its battery has to be charged or changed, if it goes on as since it was
    /// charged last. `None` where too little is known.
    pub fn battery_days(&self, today: Date) -> Option<u32> {
        let rises = |pair: &[BatteryDay]| match pair {
            [before, after] => after.percent > before.percent.saturating_add(CHARGED),
            _ => false,
        };
        let charged = self.battery.windows(2).rposition(rises).map_or(0, |place| place + 1);
        let (first, last) = (self.battery.get(charged)?, self.battery.last()?);
        let days = days_between(first.day, last.day);
        let fall = first.percent.checked_sub(last.percent).filter(|fall| *fall >= FORECAST_FALL)?;
        if days < FORECAST_DAYS {
            return None;
        }
        let left = i64::from(last.percent.saturating_sub(BATTERY_EMPTY)) * days / i64::from(fall);
        u32::try_from((left - days_between(last.day, today)).max(0)).ok()
    }

    /// Its clock was read.
    pub fn clock(&mut self, at: Timestamp, ahead: SignedDuration) {
        self.clock = Some(ClockCheck { at, ahead_s: ahead.as_secs(), is_set: false });
    }

    /// It has measured; true if it is in another order than before.
    pub fn checked(&mut self, at: Timestamp, fault: Option<Absent>) -> bool {
        let before = self.check.replace(SelfCheck { at, fault });
        before.map(|check| check.fault) != Some(fault)
    }
}

/// Whole days from one to another; negative where the other is earlier.
pub fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn meter() -> InventoryEntry {
        let id = DeviceId([1; 6]);
        InventoryEntry::new(id, DeviceKind::GlucoseMeter, "Guide", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_a_device_says_of_itself_is_cleaned_bounded_and_news_once() {
        let mut meter = meter();
        let model = Characteristic(0x2A24);
        assert!(meter.describes(model, b"Accu-Chek\x1b[31m Guide\0\0"));
        assert_eq!(meter.identity.model, "Accu-Chek\u{FFFD}[31m Guide");
        assert!(!meter.describes(model, b"Accu-Chek\x1b[31m Guide\0"));
        assert!(meter.describes(Characteristic(0x2A25), &[0xFF; 400]));
        assert_eq!(meter.identity.serial.chars().count(), LABEL_CHARS_MAX);
        assert!(!meter.describes(Characteristic(0x2A19), b"7"));
    }

    #[test]
    fn a_battery_is_reckoned_from_when_it_was_charged_last() {
        let begin = date(2026, 11, 1);
        let day = |days: i64| begin.checked_add(days.days()).expect("a day");
        let levels = |levels: &[(i64, u8)]| {
            let mut meter = meter();
            for (days, percent) in levels {
                meter.battery(day(*days), *percent);
            }
            meter
        };
        for (told, today, expected) in [
            (&[][..], 0, None),
            (&[(0, 90)], 0, None),
            (&[(0, 90), (2, 80)], 2, None),
            (&[(0, 90), (10, 89)], 10, None),
            (&[(0, 90), (10, 80)], 10, Some(70)),
            (&[(0, 90), (10, 80)], 15, Some(65)),
            (&[(0, 90), (10, 80)], 200, Some(0)),
            (&[(0, 30), (5, 12), (6, 100), (16, 90)], 16, Some(80)),
            (&[(0, 30), (5, 12), (6, 100), (7, 100)], 7, None),
            (&[(0, 12), (6, 5)], 6, Some(0)),
        ] {
            assert_eq!(levels(told).battery_days(day(today)), expected, "{told:?}");
        }
        let mut meter = levels(&[(0, 90), (5, 80)]);
        assert!(!meter.battery(day(5), 80) && meter.battery(day(5), 79));
        assert!(meter.battery(day(2), 70), "the clock was set back");
        assert_eq!(meter.battery.len(), 2);
        for days in 0..500 {
            meter.battery(day(days), 50);
        }
        assert_eq!(meter.battery.len(), BATTERY_DAYS_MAX);
    }

    #[test]
    fn a_self_check_is_news_when_it_ends_otherwise() {
        let mut meter = meter();
        let at = Timestamp::UNIX_EPOCH;
        assert!(meter.checked(at, None) && !meter.checked(at, None));
        assert!(meter.checked(at, Some(Absent::SensorFault)) && meter.checked(at, None));
    }
}
