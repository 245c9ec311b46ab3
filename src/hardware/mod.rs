//! What drivers tell the core ([`Event`]) and what the core asks of drivers ([`Command`]).
//!
//! A driver is anything that sends these events and receives these commands; the simulator and the
//! tests do the same. Drivers never decode: a GATT frame travels as bytes and is decoded in the core.

pub mod apdu;
#[cfg(feature = "hardware")]
pub mod ble;
#[cfg(feature = "hardware")]
pub mod card_work;
pub mod dialogue;
mod factors;
pub mod field;
#[cfg(feature = "hardware")]
pub mod fingerprint;
#[cfg(feature = "hardware")]
pub mod hid_reader;
pub mod inserted;
pub mod keyboard_badge;
pub mod outlet;
pub mod pcprox;
pub mod piv;
#[cfg(feature = "hardware")]
mod reader;
#[cfg(feature = "hardware")]
mod readers;
#[cfg(feature = "hardware")]
pub mod smartcard;
#[cfg(feature = "hardware")]
pub mod speaker;
pub mod tlv;
pub mod tpm;
#[cfg(feature = "hardware")]
pub mod trust;
#[cfg(feature = "hardware")]
mod work;

pub use factors::{
    CardCommand, CardFault, CardRefusal, CardSeen, Distrust, FactorEvent, FingerAdvice,
    FingerCommand, FingerEvent, FingerFault, Proof,
};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::session::factor::Badge;

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
            let part = parts.next().filter(|part| part.len() == 2).ok_or(NotAnAddress)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| NotAnAddress)?;
        }
        if parts.next().is_some() { Err(NotAnAddress) } else { Ok(Self(bytes)) }
    }
}

/// A GATT characteristic by its 16-bit Bluetooth SIG number, e.g. `0x2A37`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Characteristic(pub u16);

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
}

/// A class of reader on the lock screen's status line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReaderKind {
    /// Contactless badge reader.
    Badge,
    /// Contact smart-card reader.
    SmartCard,
    /// Fingerprint reader.
    Finger,
}

/// Whether a reader can be used, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderHealth {
    /// Waiting for a factor.
    Ready,
    /// No such reader is connected.
    NotFitted,
    /// The reader daemon (pcscd) does not answer; the driver keeps trying.
    ServiceDown,
    /// The daemon answers but refuses this account (polkit), or the USB device is not ours to open (udev).
    Refused,
    /// The library that drives it is not installed.
    NoLibrary,
}

/// Why a badge in the field gave no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadgeFault {
    /// It left before it could be read (PC/SC polls every 400 ms).
    LeftTooSoon,
    /// Two badges are in the field.
    Two,
    /// It answered, but not with a number of 4, 7 or 10 bytes.
    Unreadable,
}

/// Whether the Bluetooth controller can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RadioHealth {
    /// Powered and scanning.
    Ready,
    /// No controller, or it was unplugged.
    NoAdapter,
    /// The controller is switched off and could not be switched on.
    Off,
    /// The Bluetooth daemon or D-Bus does not answer; the driver keeps trying.
    ServiceDown,
}

/// Whether alarms can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeakerHealth {
    /// The default sound device takes what is played.
    Ready,
    /// There is no sound device, or it takes nothing; the driver keeps trying.
    NoDevice,
}

/// State of the link to one peripheral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The driver is trying to reach it; it keeps trying until told to stop.
    Connecting,
    /// Connected, discovered and subscribed.
    Live,
    /// The link broke; the driver reconnects by itself.
    Lost,
    /// Not wanted any more; the driver holds no link.
    Down,
}

/// Something a driver saw.
#[derive(Clone, Debug)]
pub enum Event {
    /// A reader appeared, vanished or failed.
    Reader(ReaderKind, ReaderHealth),
    /// A badge entered the field and was read.
    BadgePresented(Badge),
    /// The badge in the field could not be read.
    BadgeUnreadable(BadgeFault),
    /// No badge is in the field any more.
    BadgeRemoved,
    /// Cards and fingers.
    Factor(FactorEvent),
    /// The controller changed state.
    Radio(RadioHealth),
    /// The loudspeaker can be used, or no longer: without it no alarm is heard.
    Speaker(SpeakerHealth),
    /// An advertisement of a device that Wardkeep can use. At most one per device and second.
    Seen {
        /// Its address.
        device: DeviceId,
        /// Advertised name as received, at most 248 bytes; untrusted text, control characters replaced.
        name: String,
        /// What it measures.
        kind: DeviceKind,
        /// Signal strength in dBm at this controller.
        rssi: i16,
    },
    /// A device has not been heard for 10 s and is not linked.
    Gone(DeviceId),
    /// The link changed.
    Link(DeviceId, Link),
    /// A notification, indication or read value, as received.
    Frame {
        /// Who sent it.
        device: DeviceId,
        /// Which characteristic it belongs to.
        characteristic: Characteristic,
        /// The bytes, at most 512.
        payload: Vec<u8>,
        /// When the driver received it.
        received: Moment,
    },
    /// Waveform samples in 0.0..=1.0 (only the simulator's oximeter has them).
    Wave {
        /// Who sent them.
        device: DeviceId,
        /// Samples per second.
        rate_hz: u16,
        /// The samples, oldest first.
        samples: Vec<f32>,
    },
    /// A queue was full: this many events were dropped (S-11).
    Overrun {
        /// Whose queue.
        source: &'static str,
        /// How many were lost.
        lost: u64,
    },
}

/// Something the core wants of a driver.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Keep a link to this device: connect now, reconnect whenever it breaks.
    Connect(DeviceId, DeviceKind),
    /// Give the link up.
    Disconnect(DeviceId),
    /// To the card in the reader.
    Card(CardCommand),
    /// To the fingerprint reader.
    Finger(FingerCommand),
}
