//! A peripheral, by its address and by what it measures.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A peripheral's Bluetooth device address, most significant byte first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId(pub [u8; 6]);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [.., e, g] = self.0;
        write!(f, "device-{e:02X}{g:02X}")
    }
}

/// The text is not six hexadecimal bytes separated by colons.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a device address")]
pub struct NotAnAddress;

impl FromStr for DeviceId {
    type Err = NotAnAddress;
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let mut bytes = [0_u8; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| {
                part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit())
            });
            let part = part.ok_or(NotAnAddress)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| NotAnAddress)?;
        }
        if parts.next().is_some() { Err(NotAnAddress) } else { Ok(Self(bytes)) }
    }
}

/// A GATT characteristic by its 16-bit Bluetooth SIG number, e.g. `0x2A37`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Characteristic(pub u16);

impl Characteristic {
    /// Alert Level of the Immediate Alert Service, 0x1802: a device that has it can show itself.
    pub const ALERT_LEVEL: Self = Self(0x2A06);
}

impl fmt::Debug for Characteristic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

/// What a peripheral measures, by the services it advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DeviceKind {
    /// Heart Rate Service, 0x180D.
    HeartRate,
    /// Pulse Oximeter Service, 0x1822.
    PulseOximeter,
    /// Blood Pressure Service, 0x1810.
    Cuff,
    /// Health Thermometer Service, 0x1809.
    Thermometer,
    /// Glucose Service, 0x1808: a meter with strips.
    GlucoseMeter,
    /// Continuous Glucose Monitoring Service, 0x181F: worn, a value every few minutes.
    GlucoseSensor,
    /// Weight Scale Service, 0x181D, or Body Composition Service, 0x181B.
    Scale,
    /// Worn on the chest: heart rate, respiration and skin temperature. No profile of the Bluetooth SIG has
    /// all three.
    Patch,
}

impl DeviceKind {
    /// All of them.
    pub const ALL: [DeviceKind; 8] = [
        DeviceKind::HeartRate,
        DeviceKind::PulseOximeter,
        DeviceKind::Cuff,
        DeviceKind::Thermometer,
        DeviceKind::GlucoseMeter,
        DeviceKind::GlucoseSensor,
        DeviceKind::Scale,
        DeviceKind::Patch,
    ];

    /// It measures all the time: silence has to be missed. The others measure when somebody wants to know,
    /// and let their link go after that.
    pub fn is_continuous(self) -> bool {
        match self {
            DeviceKind::HeartRate
            | DeviceKind::PulseOximeter
            | DeviceKind::GlucoseSensor
            | DeviceKind::Patch => true,
            DeviceKind::Cuff
            | DeviceKind::Thermometer
            | DeviceKind::GlucoseMeter
            | DeviceKind::Scale => false,
        }
    }

    /// It sends every second: a number of it is none without its link.
    pub fn streams(self) -> bool {
        self.is_continuous() && self.pace().is_zero()
    }

    /// So far apart are its values while it measures all the time; nothing for what sends every second. A sensor with
    /// a pace may end its link in between: its last value stays what it was until it is too old.
    pub fn pace(self) -> Duration {
        match self {
            // CGM Communication Interval: five minutes is usual.
            DeviceKind::GlucoseSensor => Duration::from_secs(5 * 60),
            DeviceKind::HeartRate
            | DeviceKind::PulseOximeter
            | DeviceKind::Patch
            | DeviceKind::Cuff
            | DeviceKind::Thermometer
            | DeviceKind::GlucoseMeter
            | DeviceKind::Scale => Duration::ZERO,
        }
    }
}
