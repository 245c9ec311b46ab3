//! The parameters that have a tile: one row each, and everything that depends on which parameter it is
//! follows from its row. What can be plausible is by code and unit, in [`crate::vitals::plausible`].

use std::time::Duration;

use crate::vitals::DeviceKind;
use crate::vitals::nomenclature::{HEART_RATE, Mdc, PULSE_RATE_OXIMETER, SPO2, Unit};

/// A parameter with a tile, in the order of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parameter {
    /// From an ECG strap.
    HeartRate,
    /// From an oximeter.
    SpO2,
    /// From an oximeter.
    PulseRate,
}

/// What belongs together, and has one colour on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Of the heart's electrical activity.
    Heart,
    /// Of the blood's oxygen, and what the same sensor measures.
    Oxygen,
}

/// Which of the site's alarm limits a parameter is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// Beats a minute, whoever counts them.
    Rate,
    /// Saturation, and desaturation below it.
    Saturation,
}

/// What follows from which parameter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The parameter.
    pub parameter: Parameter,
    /// The metric that is it (ISO/IEEE 11073-10101).
    pub code: Mdc,
    /// The unit in which it is shown, and its limits are given.
    pub unit: Unit,
    /// The kind of device that measures it.
    pub source: DeviceKind,
    /// It is what its device is worn for: without it the device gives no value.
    pub leads: bool,
    /// A value this old is not current (S-7); devices of these profiles send every second.
    pub fresh: Duration,
    /// Its colour.
    pub family: Family,
    /// Its alarm limits.
    pub limits: LimitKey,
    /// How long it has to stay outside its limits before it is a condition.
    pub limit_delay: Duration,
}

/// Every parameter, in the order of the screen.
pub const ROWS: [Row; 3] = [
    Row {
        parameter: Parameter::HeartRate,
        code: HEART_RATE,
        unit: Unit::PerMinute,
        source: DeviceKind::HeartRate,
        leads: true,
        fresh: Duration::from_secs(4),
        family: Family::Heart,
        limits: LimitKey::Rate,
        limit_delay: Duration::from_secs(3),
    },
    Row {
        parameter: Parameter::SpO2,
        code: SPO2,
        unit: Unit::Percent,
        source: DeviceKind::PulseOximeter,
        leads: true,
        fresh: Duration::from_secs(4),
        family: Family::Oxygen,
        limits: LimitKey::Saturation,
        limit_delay: Duration::from_secs(10),
    },
    Row {
        parameter: Parameter::PulseRate,
        code: PULSE_RATE_OXIMETER,
        unit: Unit::PerMinute,
        source: DeviceKind::PulseOximeter,
        leads: false,
        fresh: Duration::from_secs(4),
        family: Family::Oxygen,
        limits: LimitKey::Rate,
        limit_delay: Duration::from_secs(3),
    },
];

// A row stands where its parameter says, so that finding it cannot fail.
#[expect(clippy::indexing_slicing, reason = "an index out of range does not compile here")]
const _: () = {
    let mut place = 0;
    while place < ROWS.len() {
        assert!(ROWS[place].parameter as usize == place, "rows follow the enum's order");
        place += 1;
    }
};

impl Parameter {
    /// What follows from it.
    #[expect(
        clippy::indexing_slicing,
        reason = "the assertion above says that there is a row for each"
    )]
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// All of them, in the order of the screen.
    pub fn all() -> impl Iterator<Item = Parameter> {
        ROWS.iter().map(|row| row.parameter)
    }

    /// The parameter of a metric code, if it has a tile.
    pub fn of(code: Mdc) -> Option<Self> {
        ROWS.iter().find(|row| row.code == code).map(|row| row.parameter)
    }

    /// What a kind of device is worn for.
    pub fn led_by(kind: DeviceKind) -> Option<Self> {
        ROWS.iter().find(|row| row.source == kind && row.leads).map(|row| row.parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::plausible;

    #[test]
    fn every_row_is_of_its_own_metric_and_can_be_charted() {
        for row in &ROWS {
            assert_eq!(Parameter::of(row.code), Some(row.parameter));
            assert!(plausible::limits(row.code, row.unit).is_some(), "{:?}", row.parameter);
        }
    }

    #[test]
    fn every_kind_of_device_is_worn_for_one_parameter() {
        for row in &ROWS {
            let led = ROWS.iter().filter(|other| other.source == row.source && other.leads);
            assert_eq!(led.count(), 1, "{:?}", row.source);
        }
    }
}
