//! What drivers tell the core ([`Event`]) and what the core asks of drivers ([`Command`]).
//!
//! A driver is anything that sends these events and receives these commands; the simulator and the
//! tests do the same. Drivers never decode: a GATT frame travels as bytes and is decoded in the core.

mod bonds;
mod factors;

pub use self::bonds::{
    PairingAnswer, PairingFault, PairingStep, Passkey, TableDigest, Want, WriteFault,
};
pub use self::factors::{
    CardCommand, CardFault, CardRefusal, CardSeen, FactorEvent, FingerAdvice, FingerCommand,
    FingerEvent, FingerFault, Proof,
};

use crate::access::factor::Badge;
use crate::access::refusal::ReaderRefusal;
use crate::moment::Moment;
use crate::vitals::gatt::Decoded;
use crate::vitals::vendor::Protocol;
use crate::vitals::{Characteristic, DeviceId, DeviceKind};

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
    /// The machine's own mixer lets nothing through.
    Muted,
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
    /// Something was refused at a reader: for the audit log, beside what else is told of it.
    ReaderRefused {
        /// The reader's name, at most [`crate::access::factor::READER_CHARS_MAX`]
        /// characters, cleaned as [`crate::untrusted`] says.
        reader: String,
        /// What.
        what: ReaderRefusal,
    },
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
        /// Advertised name, at most 248 characters, cleaned as [`crate::untrusted`] says.
        name: String,
        /// What it measures.
        kind: DeviceKind,
        /// Signal strength in dBm at this controller.
        rssi: i16,
    },
    /// There are more devices of use than can be told of: one was left out.
    Crowded,
    /// A device has not been heard for 10 s and is not linked.
    Gone(DeviceId),
    /// The link changed.
    Link(DeviceId, Link),
    /// The controller carries no more links, so this device waits for a place; or has one at last.
    NoRoom(DeviceId, bool),
    /// What the device offers, told with each link before anything else of it.
    Table(DeviceId, TableDigest),
    /// How far the pairing of a device has come, or that its bond does not hold any more.
    Pairing(DeviceId, PairingStep),
    /// The answer to [`Command::Write`]. What the device says to it may come before.
    Wrote(DeviceId, Characteristic, Result<(), WriteFault>),
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
    /// A frame of a vendor's own protocol, put together of the notifications that it came in.
    VendorFrame {
        /// Who sent it.
        device: DeviceId,
        /// What it speaks.
        protocol: Protocol,
        /// The bytes, at most 512.
        payload: Vec<u8>,
        /// When the driver received the last of it.
        received: Moment,
    },
    /// Values of a device, where whoever sends them has them and not the bytes of a profile.
    Measured {
        /// Who measured them.
        device: DeviceId,
        /// What it says.
        decoded: Box<Decoded>,
        /// When they were received.
        received: Moment,
    },
    /// A driver takes no command that concerns this device, or takes it at last.
    Refused(DeviceId, bool),
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
    /// Keep a link to this device: connect now, reconnect whenever it breaks. Said again, it changes what
    /// is wanted of a link that is kept; only another kind makes it anew.
    Connect(DeviceId, Want),
    /// Give the link up.
    Disconnect(DeviceId),
    /// A person who is signed in pairs this device: for a minute, nothing else can be paired. An old bond
    /// is dropped first.
    Pair(DeviceId),
    /// What a person says while this device is paired. Locking says [`PairingAnswer::Cancel`].
    AnswerPairing(DeviceId, PairingAnswer),
    /// Drop the bond with this device.
    Forget(DeviceId),
    /// Write these bytes, at most 512, to a characteristic of the service that the device measures by, or
    /// of its Current Time Service. With response; answered by [`Event::Wrote`].
    Write(DeviceId, Characteristic, Vec<u8>),
    /// To the card in the reader.
    Card(CardCommand),
    /// To the fingerprint reader.
    Finger(FingerCommand),
}
