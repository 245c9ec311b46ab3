//! Dexcom continuous glucose sensors, decoded only: what they say of a glucose and of themselves.
//!
//! S-7: the sensor's own state decides first. A value for display only, and one that the sensor gives while
//! it warms up, wants a calibration, fails or has ended, is withheld.

pub(super) mod g6;
pub(super) mod g7;

use crate::vitals::gatt::{Decoded, Quality, Quantity, Said};
use crate::vitals::nomenclature::*;
use crate::vitals::sfloat::Reading;
use crate::vitals::vendor::about::Endpoint;

/// Service and characteristics, `LoopKit/CGMBLEKit` and `LoopKit/G7SensorKit` (BluetoothServices.swift):
/// control indicates answers, backfill notifies stored values. Before that the sensor wants to be
/// authenticated and bonded.
const fn endpoint(start: &'static [u8]) -> Endpoint {
    Endpoint {
        service: "f8083532-849e-531c-c594-30f1f86a4ea5",
        notify: &["f8083534-849e-531c-c594-30f1f86a4ea5", "f8083536-849e-531c-c594-30f1f86a4ea5"],
        write: &["f8083534-849e-531c-c594-30f1f86a4ea5"],
        start,
    }
}

const NO_GLUCOSE: u16 = 0xFFFF;
const GLUCOSE_MASK: u16 = 0x0FFF;
const NO_TREND: u8 = 0x7F;

/// What the sensors display: below and above it they show a word.
const LOWEST: u16 = 40;
const HIGHEST: u16 = 400;
/// Up to here a number is a fault and no glucose (`NightscoutFoundation/xDrip`, EGlucoseRxMessage.java).
const FAULTS_UP_TO: u16 = 13;

/// What the algorithm's state says of a value. Numbers and names: G7SensorKit (AlgorithmState.swift) and
/// xDrip (CalibrationState.java); a number without a name here is withheld as reserved.
fn judge_state(state: u8, quality: &mut Quality) {
    match state {
        6 => {}
        2 | 4 | 5 | 7..=10 | 13 => quality.withhold(Absent::Calibrating),
        3 | 14 | 18 => quality.withhold(Absent::Questionable),
        11 | 12 | 16 | 17 | 19..=23 | 25 | 27..=30 => quality.withhold(Absent::SensorFault),
        1 | 15 | 24 | 26 => quality.withhold(Absent::SessionStopped),
        _ => quality.withhold(Absent::Reserved),
    }
}

/// Offers a glucose in mg/dL as the sensor has it, after what its state and flags said.
fn offer(decoded: &mut Decoded, raw: u16, mut quality: Quality) {
    let glucose = raw & GLUCOSE_MASK;
    if raw == NO_GLUCOSE {
        quality.withhold(Absent::Unavailable);
    } else if glucose <= FAULTS_UP_TO {
        quality.withhold(Absent::SensorFault);
    } else if glucose < LOWEST {
        quality.withhold(Absent::BelowDeviceRange);
    } else if glucose > HIGHEST {
        quality.withhold(Absent::AboveDeviceRange);
    }
    let reading = Reading::of(i64::from(glucose), 0);
    decoded.offer(GLUCOSE_INTERSTITIAL, Unit::MilligramPerDecilitre, reading, &quality);
}

/// Tells how fast glucose changes, in tenths.
fn trend(decoded: &mut Decoded, raw: u8) {
    if raw != NO_TREND {
        let reading = Reading::of(i64::from(raw.cast_signed()), -1);
        decoded.quantity(Quantity::GlucoseTrend, reading, Unit::MilligramPerDecilitreMinute);
    }
}

/// Tells what the sensor expects; S-16: a forecast is never a measurement.
fn prediction(decoded: &mut Decoded, raw: u16) {
    if raw != NO_GLUCOSE {
        let reading = Reading::of(i64::from(raw & GLUCOSE_MASK), 0);
        decoded.say("glucose-forecast", Said::Quantity(reading, Unit::MilligramPerDecilitre));
    }
}

/// Tells a count of seconds.
fn seconds(decoded: &mut Decoded, word: &'static str, seconds: u32) {
    decoded.say(word, Said::Quantity(Reading::of(i64::from(seconds), 0), Unit::Second));
}
