//! A spot reading: what a device measured once, because somebody wanted to know.
//!
//! A live number is current or it is nothing. A spot reading is one act with all its values, and stays what
//! it was: whose it is, is said by a person (S-6), and when it was measured is never silently "now". It
//! carries five times: the device's own stamp, when it was received, how far the device's clock was off, when it
//! was measured by our clock, and how sure that is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::confidential::Phi;
use crate::vitals::decimal::Decimal;
use crate::vitals::gatt::{Charted, Counter, Event, Topic};
use crate::vitals::nomenclature::{Mdc, Status, Unit};
use crate::vitals::{ClockConfidence, DeviceId, DeviceKind, Format, Provenance, RecordId};

/// One value of a reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotValue {
    /// What was measured (ISO/IEEE 11073-10101).
    pub code: Mdc,
    /// The device's digits.
    pub value: Decimal,
    /// The device's unit, never converted.
    pub unit: Unit,
    /// What the device said of its quality.
    pub status: Vec<Status>,
}

impl From<&Charted> for SpotValue {
    fn from(charted: &Charted) -> Self {
        let Charted { code, value, unit, status } = charted.clone();
        Self { code, value, unit, status }
    }
}

impl From<&SpotValue> for Charted {
    fn from(value: &SpotValue) -> Self {
        let SpotValue { code, value, unit, status } = value.clone();
        Self { code, value, unit, status }
    }
}

/// The bytes of a reading, as they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotFrame {
    /// What they are read as.
    #[serde(rename = "characteristic")]
    pub format: Format,
    /// The bytes, at most [`crate::vitals::gatt::FRAME_LEN_MAX`].
    pub payload: Vec<u8>,
}

/// When a reading was measured, by every clock that says something of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotTimes {
    /// The device's own stamp, in its local time.
    pub stamp: Option<DateTime>,
    /// When this machine received it.
    pub received: Timestamp,
    /// The device's clock less ours in seconds, where it was read at this connection.
    pub offset_s: Option<i64>,
    /// When it was true of the patient, by our clock; none where nobody can say.
    pub effective: Option<Timestamp>,
    /// How sure that is.
    pub clock: ClockConfidence,
}

/// How a sample relates to a meal (Glucose Service 1.0.1, 3.2.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meal {
    /// Before it.
    Preprandial,
    /// After it.
    Postprandial,
    /// Nothing was eaten for long.
    Fasting,
    /// Between meals: snacks and drinks.
    Casual,
    /// Before going to sleep.
    Bedtime,
}

impl Meal {
    /// The decoder's word for it; none of what a device leaves open.
    fn of(word: &str) -> Option<Self> {
        match word {
            "preprandial" => Some(Self::Preprandial),
            "postprandial" => Some(Self::Postprandial),
            "fasting" => Some(Self::Fasting),
            "casual" => Some(Self::Casual),
            "bedtime" => Some(Self::Bedtime),
            _ => None,
        }
    }
}

/// What a device says of a reading that is no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotContext {
    /// Which of its users it measured, by its own number.
    pub user: Option<u8>,
    /// What the sample has to do with a meal.
    pub meal: Option<Meal>,
}

impl SpotContext {
    /// What these events say of it.
    pub fn of(events: &[Event]) -> Self {
        let mut context = Self::default();
        for event in events {
            match event {
                Event::Count { what: Counter::User, number } => {
                    context.user = u8::try_from(*number).ok();
                }
                Event::Label { what: Topic::Meal, label } => context.meal = Meal::of(label),
                Event::Count { .. }
                | Event::Label { .. }
                | Event::Note(_)
                | Event::Quantity { .. }
                | Event::Vendor(_) => {}
            }
        }
        context
    }
}

/// What a device measured once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotReading {
    /// Identity of the record.
    pub record: RecordId,
    /// Who measured it.
    pub device: DeviceId,
    /// Its address before it was paired, where that was another: what it handed over then and hands over again is
    /// the same reading.
    #[serde(default)]
    pub first_known: Option<DeviceId>,
    /// What that is.
    pub kind: DeviceKind,
    /// What people called it then.
    pub name: String,
    /// Its bytes; patient data.
    pub frame: Phi<SpotFrame>,
    /// The frame that completes it: a glucose value's context, the other half of a body composition.
    #[serde(default)]
    pub second: Option<Phi<SpotFrame>>,
    /// What its device says of it; patient data.
    #[serde(default)]
    pub context: Phi<SpotContext>,
    /// Its values, as many as may be charted (S-7); patient data.
    pub values: Phi<Vec<SpotValue>>,
    /// Number of the record in the device, if it counts them.
    pub sequence: Option<u16>,
    /// When.
    pub times: SpotTimes,
    /// Device or simulation.
    pub provenance: Provenance,
}

impl SpotReading {
    /// The device says which of its readings it is: handed over again it is the same one.
    pub fn is_numbered(&self) -> bool {
        self.sequence.is_some() || self.times.stamp.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::Characteristic;

    #[test]
    fn a_device_says_whom_it_measured_and_how_that_relates_to_a_meal() {
        let context = |number, frame: &[u8]| {
            let decoded =
                Format::Profile(Characteristic(number)).decode(&Default::default(), frame);
            SpotContext::of(&decoded.expect("a sound frame").events)
        };
        let meals = (0..=16).map(|meal| context(0x2A34, &[2, 7, 0, meal]).meal);
        let meals: Vec<Meal> = meals.flatten().collect();
        let all =
            [Meal::Preprandial, Meal::Postprandial, Meal::Fasting, Meal::Casual, Meal::Bedtime];
        assert_eq!(meals, all);
        let user = |user| context(0x2A35, &[8, 120, 0, 80, 0, 90, 0, user]).user;
        assert_eq!(
            [user(0), user(2), user(0xFE), user(0xFF)],
            [Some(0), Some(2), Some(0xFE), None]
        );
    }
}
