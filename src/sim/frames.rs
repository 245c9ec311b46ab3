//! Bytes as real devices send them: the inverse of the decoders, kept apart from them on purpose.
//!
//! Layouts: Heart Rate Measurement 2A37 (HRS 1.0, 3.1), PLX Continuous Measurement 2A5F
//! (PLXS 1.0.1, 3.2), Battery Level 2A19 (BAS 1.1). All fields are little endian. What is wrong on
//! purpose is in [`malformed`] and nowhere else.

use wardkeep_model::vitals::{Characteristic, DeviceKind};

/// Heart Rate Measurement.
pub const HEART_RATE: Characteristic = Characteristic(0x2A37);
/// PLX Continuous Measurement.
pub const PLX_CONTINUOUS: Characteristic = Characteristic(0x2A5F);
/// Battery Level.
pub const BATTERY_LEVEL: Characteristic = Characteristic(0x2A19);

/// SFLOAT "not a number" (ISO/IEEE 11073-20601, medical device numeric format).
pub const SFLOAT_NAN: u16 = 0x07FF;
/// SFLOAT "not at this resolution".
pub const SFLOAT_NRES: u16 = 0x0800;
/// SFLOAT plus infinity.
pub const SFLOAT_PLUS_INFINITY: u16 = 0x07FE;
/// SFLOAT minus infinity.
pub const SFLOAT_MINUS_INFINITY: u16 = 0x0802;
/// SFLOAT reserved for future use.
pub const SFLOAT_RESERVED: u16 = 0x0801;

/// RR intervals that fit a 2A37 notification of 20 bytes beside flags and an 8-bit rate.
pub const RR_MAX: usize = 9;

/// What a heart-rate strap says once a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrapReport {
    /// Beats per minute; 0 when the strap sees no beat.
    pub rate_per_min: u16,
    /// The electrodes touch skin.
    pub contact: bool,
    /// Cycle lengths in 1/1024 s, oldest first.
    pub rr: Vec<u16>,
}

/// Encodes 2A37: the contact feature is supported, the rate takes 16 bits only when it must.
pub fn heart_rate(report: &StrapReport) -> Vec<u8> {
    const RATE_IS_U16: u8 = 1 << 0;
    const CONTACT: u8 = 1 << 1;
    const CONTACT_SUPPORTED: u8 = 1 << 2;
    const HAS_RR: u8 = 1 << 4;

    let mut flags = CONTACT_SUPPORTED;
    if report.contact {
        flags |= CONTACT;
    }
    if !report.rr.is_empty() {
        flags |= HAS_RR;
    }
    let mut frame = Vec::with_capacity(20);
    match u8::try_from(report.rate_per_min) {
        Ok(rate) => frame.extend([flags, rate]),
        Err(_) => {
            frame.push(flags | RATE_IS_U16);
            frame.extend(report.rate_per_min.to_le_bytes());
        }
    }
    for interval in report.rr.iter().take(RR_MAX) {
        frame.extend(interval.to_le_bytes());
    }
    frame
}

/// Measurement status bits of 2A5F.
pub mod measurement {
    /// A measurement is going on.
    pub const ONGOING: u16 = 1 << 5;
    /// The value is fully qualified.
    pub const FULLY_QUALIFIED: u16 = 1 << 8;
    /// The sensor is still adjusting itself.
    pub const CALIBRATING: u16 = 1 << 12;
    /// There is no value.
    pub const UNAVAILABLE: u16 = 1 << 13;
    /// The value must not be used.
    pub const INVALID: u16 = 1 << 15;
}

/// Device and sensor status bits of 2A5F.
pub mod sensor {
    /// The signal does not suffice for a value.
    pub const INADEQUATE: u32 = 1 << 3;
    /// The signal is poor.
    pub const POOR: u32 = 1 << 4;
    /// Little blood moves in the finger.
    pub const LOW_PERFUSION: u32 = 1 << 5;
    /// No pulse is seen.
    pub const NON_PULSATILE: u32 = 1 << 7;
    /// The sensor is not on the patient.
    pub const NOT_ON_USER: u32 = 1 << 11;
}

/// What a pulse oximeter says once a second; the three numbers are SFLOAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OximeterReport {
    /// Oxygen saturation in percent.
    pub spo2: u16,
    /// Pulse rate per minute.
    pub pulse_rate: u16,
    /// Bits of [`measurement`].
    pub measurement: u16,
    /// Bits of [`sensor`]; 24 bits travel.
    pub sensor: u32,
    /// Pulse amplitude index in percent.
    pub pulse_amplitude: u16,
}

/// Encodes 2A5F with both status fields and the pulse amplitude index.
pub fn plx_continuous(report: &OximeterReport) -> Vec<u8> {
    const HAS_MEASUREMENT_STATUS: u8 = 1 << 2;
    const HAS_SENSOR_STATUS: u8 = 1 << 3;
    const HAS_PULSE_AMPLITUDE: u8 = 1 << 4;

    let mut frame = vec![HAS_MEASUREMENT_STATUS | HAS_SENSOR_STATUS | HAS_PULSE_AMPLITUDE];
    frame.extend(report.spo2.to_le_bytes());
    frame.extend(report.pulse_rate.to_le_bytes());
    frame.extend(report.measurement.to_le_bytes());
    frame.extend(report.sensor.to_le_bytes().iter().take(3));
    frame.extend(report.pulse_amplitude.to_le_bytes());
    frame
}

/// Encodes 2A19, 0..=100 percent.
pub fn battery_level(percent: u8) -> Vec<u8> {
    vec![percent.min(100)]
}

/// SFLOAT of `value` with exponent 0, for whole numbers 0..=2045; anything else is "not a number".
pub fn sfloat_whole(value: f64) -> u16 {
    sfloat_mantissa(value).unwrap_or(SFLOAT_NAN)
}

/// SFLOAT of `value` with one decimal (exponent -1), for 0.0..=204.5.
pub fn sfloat_tenths(value: f64) -> u16 {
    sfloat_mantissa(value * 10.0).map_or(SFLOAT_NAN, |mantissa| 0xF000 | mantissa)
}

/// Mantissas above 2045 would collide with the special values.
fn sfloat_mantissa(value: f64) -> Option<u16> {
    let rounded = whole(value);
    (value >= 0.0 && rounded < SFLOAT_PLUS_INFINITY).then_some(rounded)
}

/// Rounds to the nearest whole number that fits; the fraction of a sensor's value is not sent.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range just before")]
pub fn whole(value: f64) -> u16 {
    value.round().clamp(0.0, f64::from(u16::MAX)) as u16
}

/// A frame that breaks a rule, another one at each `turn`: cut off, without content, or filled with
/// the special values that careless software shows as numbers.
pub fn malformed(kind: DeviceKind, turn: usize) -> Vec<u8> {
    let oximeter = |spo2: u16, pulse_rate: u16| {
        let [a, b] = spo2.to_le_bytes();
        let [c, d] = pulse_rate.to_le_bytes();
        vec![0x00, a, b, c, d]
    };
    match (kind, turn % 6) {
        // The announced 16-bit rate has only one byte.
        (DeviceKind::HeartRate, 0) => vec![0x07, 0x48],
        // One byte at its end stop.
        (DeviceKind::HeartRate, 1) => vec![0x06, 0xFF],
        // A heart that beats 65535 times a minute.
        (DeviceKind::HeartRate, 2) => vec![0x07, 0xFF, 0xFF],
        // Flags, and nothing else.
        (DeviceKind::HeartRate, 3) => vec![0x16],
        // Rate 0 with contact: "no beat seen", not a number to show.
        (DeviceKind::HeartRate, 4) => vec![0x06, 0x00],
        (DeviceKind::PulseOximeter, 0) => vec![0x00, 0x61, 0x00, 0x48],
        (DeviceKind::PulseOximeter, 1) => oximeter(SFLOAT_NAN, SFLOAT_NAN),
        (DeviceKind::PulseOximeter, 2) => oximeter(SFLOAT_RESERVED, SFLOAT_NRES),
        (DeviceKind::PulseOximeter, 3) => oximeter(SFLOAT_PLUS_INFINITY, SFLOAT_MINUS_INFINITY),
        // Both status fields announced, the second one cut.
        (DeviceKind::PulseOximeter, 4) => vec![0x0C, 0x61, 0x00, 0x48, 0x00, 0x20, 0x01, 0x00],
        (_, _) => Vec::new(),
    }
}
