//! Bytes as real devices send them: the inverse of the decoders, kept apart from them on purpose.
//!
//! Layouts: Heart Rate Measurement 2A37 (HRS 1.0, 3.1), PLX Continuous Measurement 2A5F
//! (PLXS 1.0.1, 3.2), Battery Level 2A19 (BAS 1.1), Blood Pressure Measurement 2A35 (BLS 1.1), Temperature
//! Measurement 2A1C (HTS 1.0), Glucose Measurement 2A18 (GLS 1.0), Weight Measurement 2A9D (WSS 1.0), Current Time 2A2B
//! (CTS 1.1), and a live observation 2B8B (GHS). All fields are little endian. What is wrong on
//! purpose is in [`malformed`] and nowhere else.

use jiff::civil::DateTime;

use wardkeep_model::vitals::{Characteristic, DeviceKind};

/// Heart Rate Measurement.
pub const HEART_RATE: Characteristic = Characteristic(0x2A37);
/// PLX Continuous Measurement.
pub const PLX_CONTINUOUS: Characteristic = Characteristic(0x2A5F);
/// Battery Level.
pub const BATTERY_LEVEL: Characteristic = Characteristic(0x2A19);
/// Blood Pressure Measurement.
pub const BLOOD_PRESSURE: Characteristic = Characteristic(0x2A35);
/// Temperature Measurement.
pub const TEMPERATURE: Characteristic = Characteristic(0x2A1C);
/// Glucose Measurement.
pub const GLUCOSE: Characteristic = Characteristic(0x2A18);
/// Weight Measurement.
pub const WEIGHT: Characteristic = Characteristic(0x2A9D);
/// Live Health Observations.
pub const OBSERVATION: Characteristic = Characteristic(0x2B8B);
/// Current Time.
pub const CURRENT_TIME: Characteristic = Characteristic(0x2A2B);
/// Record Access Control Point.
pub const RECORD_ACCESS: Characteristic = Characteristic(0x2A52);
/// Model, serial number, firmware and maker, in the order in which they are read.
pub const INFORMATION: [Characteristic; 4] = [
    Characteristic(0x2A24),
    Characteristic(0x2A25),
    Characteristic(0x2A26),
    Characteristic(0x2A29),
];

/// SFLOAT "not a number" (ISO/IEEE 11073-20601, medical device numeric format).
pub const SFLOAT_NAN: u16 = 0x07FF;
/// FLOAT "not a number", least significant byte first.
pub const FLOAT_NAN: [u8; 4] = [0xFF, 0xFF, 0x7F, 0x00];
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

/// Year (two bytes), month, day, hours, minutes, seconds.
fn stamp(at: DateTime) -> [u8; 7] {
    let [low, high] = at.year().to_le_bytes();
    let rest = [at.month(), at.day(), at.hour(), at.minute(), at.second()];
    let [month, day, hour, minute, second] = rest.map(i8::cast_unsigned);
    [low, high, month, day, hour, minute, second]
}

/// Encodes 2A2B: what a device's clock shows.
pub fn current_time(shown: DateTime) -> Vec<u8> {
    let weekday = shown.weekday().to_monday_one_offset().cast_unsigned();
    stamp(shown).into_iter().chain([weekday, 0, 0]).collect()
}

/// Encodes 2A35 in mmHg with stamp, pulse and status; without pressures the body moved, and all values are
/// "not a number".
pub fn blood_pressure(pressures: Option<(f64, f64)>, pulse_per_min: f64, at: DateTime) -> Vec<u8> {
    const TIME_PULSE_AND_STATUS: u8 = 1 << 1 | 1 << 2 | 1 << 4;
    const BODY_MOVED: u16 = 1;

    let mean = |(systolic, diastolic): (f64, f64)| diastolic + (systolic - diastolic) / 3.0;
    let value = |of: fn((f64, f64)) -> f64| {
        pressures.map_or(SFLOAT_NAN, |pressures| sfloat_whole(of(pressures)))
    };
    let mut frame = vec![TIME_PULSE_AND_STATUS];
    frame.extend(value(|(systolic, _)| systolic).to_le_bytes());
    frame.extend(value(|(_, diastolic)| diastolic).to_le_bytes());
    frame.extend(pressures.map_or(SFLOAT_NAN, |both| sfloat_whole(mean(both))).to_le_bytes());
    frame.extend(stamp(at));
    let (pulse, status) = match pressures {
        Some(_) => (sfloat_whole(pulse_per_min), 0),
        None => (SFLOAT_NAN, BODY_MOVED),
    };
    frame.extend(pulse.to_le_bytes());
    frame.extend(status.to_le_bytes());
    frame
}

/// Encodes 2A1C in tenths of a degree Celsius, of the ear; without a value it is "not a number".
pub fn temperature(celsius: Option<f64>, at: DateTime) -> Vec<u8> {
    const TIME_AND_TYPE: u8 = 1 << 1 | 1 << 2;
    const EAR: u8 = 3;

    let tenths = celsius.map(|celsius| whole(celsius * 10.0).to_le_bytes());
    let value = tenths.map_or(FLOAT_NAN, |[low, high]| [low, high, 0, 0xFF]);
    let mut frame = vec![TIME_AND_TYPE];
    frame.extend(value);
    frame.extend(stamp(at));
    frame.push(EAR);
    frame
}

/// Encodes 2A1C without a stamp: what is worn measures now.
pub fn skin_temperature(celsius: Option<f64>) -> Vec<u8> {
    const PLAIN: u8 = 0;

    let tenths = celsius.map(|celsius| whole(celsius * 10.0).to_le_bytes());
    let mut frame = vec![PLAIN];
    frame.extend(tenths.map_or(FLOAT_NAN, |[low, high]| [low, high, 0, 0xFF]));
    frame
}

/// Encodes 2A18 in mmol/L of capillary plasma from a finger; or of the control solution, which is no patient's.
pub fn glucose(number: u16, mmol_per_l: f64, is_control: bool, at: DateTime) -> Vec<u8> {
    const CONCENTRATION_IN_MOLES: u8 = 1 << 1 | 1 << 2;
    const FINGER_PLASMA: u8 = 0x12;
    const CONTROL: u8 = 0x4A;

    let mut frame = vec![CONCENTRATION_IN_MOLES];
    frame.extend(number.to_le_bytes());
    frame.extend(stamp(at));
    // Tenths of a mmol are 10^-4 mol.
    let mantissa = whole(mmol_per_l * 10.0).min(0x07FD);
    frame.extend((0xC000 | mantissa).to_le_bytes());
    frame.push(if is_control { CONTROL } else { FINGER_PLASMA });
    frame
}

/// Encodes 2A9D in steps of 5 g; without a value the measurement did not succeed.
pub fn weight(kilograms: Option<f64>, at: DateTime) -> Vec<u8> {
    const TIME: u8 = 1 << 1;
    const UNSUCCESSFUL: u16 = 0xFFFF;

    let mut frame = vec![TIME];
    let steps = kilograms.map_or(UNSUCCESSFUL, |kilograms| whole(kilograms / 0.005));
    frame.extend(steps.to_le_bytes());
    frame.extend(stamp(at));
    frame
}

/// Encodes 2B8B: one numeric observation of breaths per minute, in one segment. Without a value it is invalid.
pub fn respiration(breaths_per_min: Option<f64>) -> Vec<u8> {
    const ONE_SEGMENT: u8 = 0b11;
    const NUMERIC: u8 = 1;
    const TYPE_AND_STATUS: u16 = 1 << 0 | 1 << 3;
    const MDC_RESP_RATE: u32 = 151_562;
    const MDC_DIM_RESP_PER_MIN: u16 = 2_720;
    const INVALID: u16 = 1;

    let mut rest = Vec::with_capacity(16);
    rest.extend(TYPE_AND_STATUS.to_le_bytes());
    rest.extend(MDC_RESP_RATE.to_le_bytes());
    let status = if breaths_per_min.is_some() { 0 } else { INVALID };
    rest.extend(status.to_le_bytes());
    rest.extend(MDC_DIM_RESP_PER_MIN.to_le_bytes());
    let [low, high] = whole(breaths_per_min.unwrap_or_default()).to_le_bytes();
    rest.extend([low, high, 0, 0]);
    // The length counts class and length, too.
    let length = u16::try_from(rest.len() + 3).unwrap_or_default();
    let mut frame = vec![ONE_SEGMENT, NUMERIC];
    frame.extend(length.to_le_bytes());
    frame.extend(rest);
    frame
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
        // A third byte of a temperature, and no more.
        (DeviceKind::Thermometer, 0) => vec![0x06, 0x6F, 0x01],
        // A pressure of 2046, which stands for infinity.
        (DeviceKind::Cuff, 0) => vec![0x00, 0xFE, 0x07, 0x4C, 0x00, 0x5A, 0x00],
        // Diastolic above systolic.
        (DeviceKind::Cuff, 1) => vec![0x00, 0x4C, 0x00, 0x76, 0x00, 0x5A, 0x00],
        // A sequence number, and the frame ends.
        (DeviceKind::GlucoseMeter, 0) => vec![0x06, 0x01, 0x00],
        // Three hundred kilograms and three hundred more.
        (DeviceKind::Scale, 0) => vec![0x00, 0xC0, 0xD4],
        // What a patch that is torn off sends: a segment without a beginning.
        (DeviceKind::Patch, 0) => vec![0x02, 0x01, 0x10],
        (DeviceKind::PulseOximeter, 0) => vec![0x00, 0x61, 0x00, 0x48],
        (DeviceKind::PulseOximeter, 1) => oximeter(SFLOAT_NAN, SFLOAT_NAN),
        (DeviceKind::PulseOximeter, 2) => oximeter(SFLOAT_RESERVED, SFLOAT_NRES),
        (DeviceKind::PulseOximeter, 3) => oximeter(SFLOAT_PLUS_INFINITY, SFLOAT_MINUS_INFINITY),
        // Both status fields announced, the second one cut.
        (DeviceKind::PulseOximeter, 4) => vec![0x0C, 0x61, 0x00, 0x48, 0x00, 0x20, 0x01, 0x00],
        (_, _) => Vec::new(),
    }
}
