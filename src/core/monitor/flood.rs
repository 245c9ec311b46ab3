//! A device that sends more than anybody measures: what is recorded of it then.
//!
//! The rule: of one device and one code the first [`EACH_MAX`] values of a second are recorded as they come, or the
//! first [`STORED_MAX`] of those that a device stamps, because it may hand over what it had stored; of what
//! follows in that second, those that are less than all before or greater, [`EXTREMES_MAX`] at most. Alarms
//! and the screen take every value, so they do not change. How many were not recorded is an audit entry of the
//! device, once a minute.
//!
//! S-11: without it a broken or hostile radio would fill the store's queue, and other devices' values would be
//! lost in its stead.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use wardkeep_model::keeping::{AuditAct, AuditEntry};
use wardkeep_model::moment::{BootTime, Moment};
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::{DeviceId, Value};

/// Values of a second that are recorded as they come: nine RR intervals fit into a frame.
const EACH_MAX: u32 = 24;
/// The same of values with the device's own time.
const STORED_MAX: u32 = 200;
/// Values beyond those that are recorded because they are the least or the greatest so far.
const EXTREMES_MAX: u32 = 16;
const WINDOW: Duration = Duration::from_secs(1);
/// Between two entries about one device.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// Windows that are kept before those that are over are forgotten.
const WINDOWS_MAX: usize = 64;

/// A second of one device and code.
#[derive(Debug)]
struct Window {
    since: BootTime,
    seen: u32,
    extremes: u32,
    least: f64,
    greatest: f64,
}

/// What was not recorded of a device and was not told yet.
#[derive(Clone, Copy, Debug)]
struct Thinned {
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

/// What came within the last second, and what was not recorded.
#[derive(Debug, Default)]
pub(super) struct Flood {
    windows: BTreeMap<(DeviceId, Mdc), Window>,
    thinned: BTreeMap<DeviceId, Thinned>,
    told: BootTime,
}

impl Flood {
    /// Whether a value is to be recorded; otherwise it is counted.
    pub(super) fn takes(
        &mut self,
        now: Moment,
        of: (DeviceId, Mdc),
        (value, is_stamped): (&Value, bool),
    ) -> bool {
        if self.windows.len() >= WINDOWS_MAX {
            self.windows.retain(|_, window| now.boot.since(window.since) < WINDOW);
        }
        let fresh = Window {
            since: now.boot,
            seen: 0,
            extremes: 0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        };
        let window = self.windows.entry(of).or_insert(fresh);
        if now.boot.since(window.since) >= WINDOW {
            let (least, greatest) = (f64::INFINITY, f64::NEG_INFINITY);
            *window = Window { since: now.boot, seen: 0, extremes: 0, least, greatest };
        }
        window.seen = window.seen.saturating_add(1);
        let is_extreme = match value {
            Value::Measured(decimal) => {
                let value = decimal.to_f64();
                let is_extreme = value < window.least || value > window.greatest;
                window.least = window.least.min(value);
                window.greatest = window.greatest.max(value);
                is_extreme
            }
            Value::Absent(_) => false,
        };
        if window.seen <= if is_stamped { STORED_MAX } else { EACH_MAX } {
            return true;
        }
        if is_extreme && window.extremes < EXTREMES_MAX {
            window.extremes += 1;
            return true;
        }
        let (first, last) = (now.wall, now.wall);
        let thinned = self.thinned.entry(of.0).or_insert(Thinned { count: 0, first, last });
        (thinned.count, thinned.last) = (thinned.count.saturating_add(1), last);
        false
    }

    /// What the log is to say of it, if it is time, or `everything`.
    pub(super) fn told(&mut self, now: BootTime, everything: bool) -> Vec<AuditEntry> {
        let is_due = everything || now.since(self.told) >= TOLD_EVERY;
        if self.thinned.is_empty() || !is_due {
            return vec![];
        }
        self.told = now;
        let entry = |(device, Thinned { count, first, last })| AuditEntry {
            device: Some(device),
            times: Some(count),
            since: Some(first),
            ..AuditEntry::of(AuditAct::ValuesThinned, last)
        };
        std::mem::take(&mut self.thinned).into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wardkeep_model::vitals::decimal::Decimal;
    use wardkeep_model::vitals::nomenclature::{HEART_RATE, SPO2};

    const STRAP: DeviceId = DeviceId([1; 6]);

    fn at(ms: u64) -> Moment {
        let wall = Timestamp::from_millisecond(ms.cast_signed()).unwrap();
        Moment { boot: BootTime(Duration::from_millis(ms)), wall }
    }

    fn value(number: i64) -> Value {
        Value::Measured(Decimal::from(number))
    }

    #[test]
    fn an_ordinary_device_is_recorded_whole() {
        let mut flood = Flood::default();
        for ms in (0..600_000).step_by(100) {
            for code in [HEART_RATE, SPO2] {
                assert!(flood.takes(at(ms), (STRAP, code), (&value(70), false)));
            }
        }
        for number in 0..200 {
            let taken = flood.takes(at(600_000), (STRAP, HEART_RATE), (&value(number), true));
            assert!(taken, "stored record {number}");
        }
        assert_eq!(flood.told(at(600_000).boot, true), []);
    }

    proptest! {
        #[test]
        fn of_a_flood_little_is_recorded_with_its_extremes_and_the_rest_is_counted(
            values in prop::collection::vec(20_i64..250, 100..3_000),
        ) {
            let mut flood = Flood::default();
            let mut recorded = Vec::new();
            for number in &values {
                if flood.takes(at(500), (STRAP, HEART_RATE), (&value(*number), false)) {
                    recorded.push(*number);
                }
            }
            prop_assert!(recorded.len() <= (EACH_MAX + EXTREMES_MAX) as usize);
            // Unless it rises or falls more often than that, which no heart does.
            let records = values.iter().enumerate().filter(|(at, number)| {
                let before = &values[..*at];
                *at >= EACH_MAX as usize
                    && (before.iter().all(|one| one < number) || before.iter().all(|one| one > number))
            });
            if records.count() <= EXTREMES_MAX as usize {
                prop_assert_eq!(recorded.iter().min(), values.iter().min());
                prop_assert_eq!(recorded.iter().max(), values.iter().max());
            }
            let told = flood.told(at(60_500).boot, false);
            let counted: u64 = told.iter().filter_map(|entry| entry.times).sum();
            prop_assert_eq!(counted + recorded.len() as u64, values.len() as u64);
            prop_assert!(flood.takes(at(1_500), (STRAP, HEART_RATE), (&value(70), false)), "a second later");
        }
    }
}
